"""No machine code is used that was made from other sources than those that stand there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[3] / "archsim"
INNER = "from archsim.base.jit import kernel\n@kernel()\ndef inner(x):\n    return x + {}\n"
OUTER = "from archsim.base.jit import kernel\nfrom archsim.mine._kernels import inner\n@kernel()\ndef outer(x):\n    return inner(x)\n"


def answer(folder: Path, cache: Path, **settings: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(folder), **settings}
    script = "from archsim.yours._kernels import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with a copy of archsim's base, and two kernels of which one calls the other."""
    for name in ("__init__.py", "base"):
        target, source = tmp_path / "archsim" / name, PACKAGE / name
        shutil.copytree(source, target) if source.is_dir() else target.parent.mkdir(exist_ok=True)
    (tmp_path / "archsim" / "__init__.py").write_text("")
    for name, text in (("mine", INNER.format(1)), ("yours", OUTER)):
        (tmp_path / "archsim" / name).mkdir()
        (tmp_path / "archsim" / name / "_kernels.py").write_text(text)
    return tmp_path


def test_a_kernel_is_compiled_anew_where_one_that_it_calls_has_changed(package: Path, tmp_path: Path) -> None:
    assert answer(package, tmp_path / "cache") == "2 0"
    assert answer(package, tmp_path / "cache") == "2 1"
    (package / "archsim" / "mine" / "_kernels.py").write_text(INNER.format(5))
    assert answer(package, tmp_path / "cache") == "6 0"
    (package / "archsim" / "mine" / "_kernels.py").write_text(INNER.format(1))
    assert answer(package, tmp_path / "cache") == "2 1"


def test_a_kernel_is_compiled_anew_by_other_settings_of_the_compiler(package: Path, tmp_path: Path) -> None:
    assert answer(package, tmp_path / "cache") == "2 0"
    assert answer(package, tmp_path / "cache", NUMBA_BOUNDSCHECK="1") == "2 0"
    assert answer(package, tmp_path / "cache", NUMBA_BOUNDSCHECK="1") == "2 1"


def test_all_kernels_of_archsim_stand_in_files_that_the_cache_knows() -> None:
    users = [path for path in PACKAGE.rglob("*.py") if "base.jit import" in path.read_text()]
    assert users
    assert {path.name for path in users} == {"_kernels.py"}
    for path in users:  # so that what they compile in is theirs, or NumPy's and Numba's
        imports = [line for line in path.read_text().splitlines() if "import " in line and "archsim" in line]
        assert all("base.jit" in line or "_kernels" in line for line in imports), (path, imports)
