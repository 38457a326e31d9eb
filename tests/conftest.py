"""Shared by all tests: no test sees the user's data, cache or reports unless it asks for them."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("archsim", deadline=None, max_examples=50)  # the first example may compile a kernel
settings.load_profile("archsim")

if "ARCHSIM_DATA" in os.environ:  # here, once: by a fixture of every test it would take ten seconds
    os.environ["ARCHSIM_TESTS_DATA"] = os.environ.pop("ARCHSIM_DATA")
REAL_DATA = os.environ.get("ARCHSIM_TESTS_DATA")
"""The user's data, which only tests that ask for `real_data` see; so runs use mnist-5k."""
os.environ["XDG_CACHE_HOME"] = str(Path(os.devnull) / "cache")  # where nothing is, and nothing can be written

_pytests_approx = pytest.approx


def _approx(expected: Any, rel: Any = None, abs: Any = None, nan_ok: bool = False) -> Any:  # noqa: A002  as pytest has it
    """Compare in relation to what is expected: pytest's own 1e-12 beside it would let every picojoule pass."""
    if abs is None:
        rel, abs = (1e-6 if rel is None else rel), 1e-24  # noqa: A001  as above
    return _pytests_approx(expected, rel=rel, abs=abs, nan_ok=nan_ok)


pytest.approx = _approx


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Let a file's tests share a process, `pytest -n 3`: else each trains and starts what a file makes once, for itself."""
    if getattr(config.option, "numprocesses", None) and config.option.dist == "no":
        config.option.dist = "loadfile"


def pytest_configure(config: pytest.Config) -> None:
    """Let all processes of the tests share what each would make anew: matplotlib's list of fonts, and bytecode.

    Where the environment forbids bytecode, each process would compile archsim, and pytest its assertions: a minute.
    """
    if getattr(config, "cache", None):  # pytest without its cache has no such attribute
        os.environ["MPLCONFIGDIR"] = str(config.cache.mkdir("matplotlib"))
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_collection_finish() -> None:
    """Keep the collector away from thousands of tests, which live to the end: each training would go through them.

    Each asks first whether something is frozen, for which Python counts all that is: here it counts once.
    """
    gc.collect()
    gc.freeze()
    gc.get_freeze_count = cache(gc.get_freeze_count)


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of real MNIST, as ARCHSIM_DATA says it, or skip."""
    if not REAL_DATA or not (Path(REAL_DATA) / "mnist").is_dir():
        pytest.skip("needs MNIST in $ARCHSIM_DATA")
    monkeypatch.setenv("ARCHSIM_DATA", REAL_DATA)
    return Path(REAL_DATA)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every figure be made, but leave its files empty: to draw them takes most of a report's time.

    For tests of what stands beside pictures; `tests/unit/report` draws each kind of them.
    """
    from archsim.report import rendering

    monkeypatch.setattr(rendering, "contents", lambda _, suffixes: dict.fromkeys(suffixes, b"undrawn"))
