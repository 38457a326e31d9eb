"""Make a virtual environment with pip in it, also where Python comes without ensurepip (Debian, Ubuntu).

Usage: python3 tools/make_venv.py FOLDER. Needs nothing but Python's standard library.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.request
import venv
from pathlib import Path

STANDALONE_PIP = "https://bootstrap.pypa.io/pip/pip.pyz"


def main(folder: str) -> int:
    """Make the environment; return an exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036  this file is what tells an older Python so
        print(f"archsim needs Python 3.11 or newer, this is {sys.version.split()[0]}: make PYTHON=python3.12 ...")
        return 2
    here = Path(folder)
    python = here / "bin" / "python"
    if importlib.util.find_spec("ensurepip"):
        try:
            venv.create(here, with_pip=True, clear=True)
        except subprocess.CalledProcessError:  # Debian's ensurepip is there in name and ends so
            pass
        else:
            return 0
    venv.create(here, with_pip=False, clear=True)
    if importlib.util.find_spec("pip"):
        return subprocess.call([sys.executable, "-m", "pip", "-q", "--python", str(python), "install", "pip"])
    try:
        with urllib.request.urlopen(STANDALONE_PIP, timeout=60) as answer:
            content = answer.read()
    except OSError as error:
        print(f"this Python has no ensurepip and no pip, and pip cannot be fetched ({error}): install python3-venv")
        return 2
    handle, name = tempfile.mkstemp(suffix=".pyz")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        return subprocess.call([str(python), name, "-q", "install", "pip"])
    finally:
        Path(name).unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
