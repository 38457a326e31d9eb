"""No machine code is used that was made from other sources than those that stand there."""

from __future__ import annotations

import importlib
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from archsim.base import jit

PACKAGE = Path(__file__).resolve().parents[3] / "archsim"
INNER = "from archsim.base.jit import kernel\n@kernel()\ndef inner(x):\n    return x + {}\n"
OUTER = "from archsim.base.jit import kernel\nfrom archsim.mine._kernels import inner\n@kernel()\ndef outer(x):\n    return inner(x)\n"


def answer(folder: Path, cache: Path, **settings: str) -> str:
    script = "from archsim.yours._kernels import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"
    return run(script, folder, cache, **settings)


def run(script: str, folder: Path, cache: Path, **settings: str) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(folder), **settings}
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


def test_a_kernel_is_compiled_anew_where_one_that_it_calls_or_a_setting_of_the_compiler_has_changed(
    package: Path, tmp_path: Path
) -> None:
    assert answer(package, tmp_path / "cache") == "2 0"
    # of another length, by which Python itself tells files of one second
    (package / "archsim" / "mine" / "_kernels.py").write_text(INNER.format(15))
    assert answer(package, tmp_path / "cache") == "16 0"
    (package / "archsim" / "mine" / "_kernels.py").write_text(INNER.format(1))
    assert answer(package, tmp_path / "cache") == "2 1"
    assert answer(package, tmp_path / "cache", NUMBA_BOUNDSCHECK="1") == "2 0"
    assert answer(package, tmp_path / "cache", NUMBA_BOUNDSCHECK="1") == "2 1"


def test_what_compiles_is_imported_once_a_kernel_must_be_compiled_and_goes_with_one_that_was_read(
    package: Path, tmp_path: Path
) -> None:
    script = (
        "import sys; from archsim.{}._kernels import {} as f;"
        " print(f(1), sum(f.stats.cache_hits.values()), 'numba.np.arraymath' in sys.modules)"
    )
    inner, outer = script.format("mine", "inner"), script.format("yours", "outer")
    assert run(inner, package, tmp_path / "cache") == "2 0 True"
    assert run(inner, package, tmp_path / "cache") == "2 1 False"
    assert run(f"{inner}; {outer}", package, tmp_path / "cache") == "2 1 False\n2 0 True"


def named(added: str = "1", *, body: str = "x + ADDED", options: str = "", constant: object = 1) -> bytes:
    """Return what an outer kernel is kept under, whose inner one, and a constant of whose, are as given."""
    names: dict[str, Any] = {"kernel": jit.kernel, "ADDED": constant}
    text = f"@kernel({options})\ndef inner(x):\n    return {body} + {added}\n@kernel()\ndef outer(x):\n    return inner(x)\n"
    exec(compile(text, jit.__file__, "exec"), names)  # noqa: S102  there is no file that it could be read from again
    return jit._substance(names["outer"])


def test_a_kernel_is_named_after_what_was_loaded_whatever_its_file_says_by_then() -> None:
    assert named() == named()
    different = [
        named(),
        named("2"),
        named(body="x - ADDED"),
        named(options="fastmath=True"),
        named(options="fastmath={'contract'}"),
        named(options="divides=True"),
        named(constant=2),
        named(constant=1.0),
        named(constant=np.float32(1)),
        named(constant=np.ones(1)),
    ]
    assert len(set(different)) == len(different)


def test_kernels_name_nothing_but_kernels_numbers_and_modules_that_the_cache_knows() -> None:
    found = [
        importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
        for path in PACKAGE.rglob("_kernels.py")
    ]
    kernels = [value for module in found for value in vars(module).values() if isinstance(value, Dispatcher)]
    assert len(kernels) > 50
    for made in kernels:
        function = made.py_func
        named = {
            name: function.__globals__[name] for name in function.__code__.co_names if name in function.__globals__
        }
        own = {
            name: value for name, value in named.items() if not isinstance(value, Dispatcher | int | float | np.number)
        }
        assert set(own.values()) <= {np, math}, (function, own)
        assert function.__closure__ is None


def test_a_kernel_has_the_same_bits_whoever_called_it_first(package: Path, tmp_path: Path) -> None:
    inner = INNER.replace("(x):\n    return x + {}", "(x, y):\n    return x * x + y")
    outer = OUTER.replace("(x):\n    return inner(x)", "(x, y):\n    return inner(x, y)")
    (package / "archsim" / "mine" / "_kernels.py").write_text(inner)
    (package / "archsim" / "yours" / "_kernels.py").write_text(
        outer.replace("kernel()", "kernel(fastmath={'contract'})")
    )
    script = (
        "import numpy as np; from archsim.yours._kernels import outer; from archsim.mine._kernels import inner\n"
        "x, y = np.float32(1 + 2**-12), np.float32(-1 - 2**-11)\n"  # x * x has one bit more than a float32
        "for first in ({}): first(x, y)\n"
        "print(inner(x, y))"
    )
    for k, order in enumerate(("outer, inner", "inner, outer")):
        found = run(script.format(order), package, tmp_path / f"cache{k}")
        assert found == "0.0", order


def test_all_kernels_of_archsim_stand_in_files_of_that_name() -> None:
    users = [path for path in PACKAGE.rglob("*.py") if "base.jit import" in path.read_text()]
    assert {path.name for path in users} == {"_kernels.py"}
