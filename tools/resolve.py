"""Ask the package index whether archsim and its extras can be installed on each Python that pyproject.toml names.

Nothing is installed: `pip install --dry-run` resolves wheels for one version at a time. Prints a line a pair and ends
with 1 if one does not resolve. `--python 3.14` and `--extra torch` (again and again) ask for less.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
FROM_SOURCE = {("3.11", "aihwkit")}
"""Version of Python and package for which the index has no wheel, but a source package that pip builds."""
_PYTHON = "Programming Language :: Python :: "
_SELF = re.compile(r"archsim\[([a-z,]+)\]")


def pythons(project: dict[str, Any]) -> list[str]:
    """Return the versions that the classifiers name, such as 3.11."""
    return [each.removeprefix(_PYTHON) for each in project["classifiers"] if each.startswith(f"{_PYTHON}3.")]


def wanted(project: dict[str, Any], extra: str) -> list[str]:
    """Return what an installation with an extra asks for, extras of extras included; without a name the core alone."""
    found = list(project["dependencies"])
    if extra:
        found += project["optional-dependencies"][extra]
    for each in list(found):
        if inner := _SELF.fullmatch(each):
            found.remove(each)
            found += [more for name in inner[1].split(",") for more in wanted(project, name)]
    return list(dict.fromkeys(found))


def resolve(requirements: list[str], python: str) -> str:
    """Return what is wrong with these requirements on a version of Python; nothing if they resolve."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed", "--only-binary=:all:",
             "--python-version", python, "--implementation", "cp", "--target", folder,
             "--disable-pip-version-check", *requirements],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "" if done.returncode == 0 else (errors or ["pip failed"])[-1]


def main() -> int:
    """Print the table; return the exit code."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--python", action="append", help="such as 3.14; all that pyproject.toml names if not given")
    parser.add_argument("--extra", action="append", help="of pyproject.toml, or core; all if not given")
    asked = parser.parse_args()
    bad = 0
    for python in asked.python or pythons(project):
        for extra in asked.extra or ["core", *project["optional-dependencies"]]:
            asks = wanted(project, "" if extra == "core" else extra)
            built = [each for each in asks if (python, re.split(r"[^\w.-]", each)[0]) in FROM_SOURCE]
            wrong = resolve([each for each in asks if each not in built], python)
            left = f"; from source: {', '.join(built)}" if built else ""
            print(f"Python {python}, {extra}: {wrong or 'ok'}{left}", flush=True)
            bad += bool(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
