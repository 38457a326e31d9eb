"""Compile kernels with Numba and keep them in its cache, which is a convenience and never in the way.

Numba knows a cached kernel by its own source and signature. It does not see that a kernel which this one calls, and
which was compiled into it, has changed; and an index is written before the code that it points to, so that a second
process may read the code of another source or signature. So each entry has files of its own here, named after all that
its machine code depends on: what the process runs, not what its file says, which may be newer by then.
"""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import platform
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core.caching import IndexDataCacheFile
from numba.core.dispatcher import Dispatcher
from numba.core.runtime.nrt import rtsys

_DAMAGE = (
    EOFError, OSError, pickle.PickleError, AttributeError, ImportError, IndexError, KeyError, MemoryError,
    TypeError, ValueError,
)  # fmt: skip
"""What reading a damaged cache, or writing one on a full disk, may raise."""


def kernel(fastmath: Any = False, *, divides: bool = False) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function on arrays, by `numba.njit` with its cache.

    Where no cache can be written beside the package or in the user's folder, one in a temporary folder of the user's
    own will do, or none. A damaged entry is compiled anew.

    Parameters
    ----------
    fastmath : as Numba has it
    divides : bool
        Whether x / 0 is what IEEE 754 says, as in NumPy; a division that must raise is not done many at a time.
    """

    def compiled(function: Any) -> Any:
        # Numba lets what is not said come from whichever kernel calls this one first: then bits depend on who did
        options = {"fastmath": fastmath, "error_model": "numpy" if divides else "python"}
        made = numba.njit(**options)(function)
        if getattr(numba.config, "DISABLE_JIT", 0):  # then it is the function itself
            return made
        for place in (None, _temporary):
            try:
                if place is not None and (folder := place()) is not None:
                    setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010  a name that Numba sets itself
                made.enable_caching()
            except (RuntimeError, OSError):  # no place that can be written to
                continue
            _mend(made)
            break
        return made

    return compiled


def _temporary() -> Path | None:
    """Return a folder for the cache that only this user can write to; what is read from it is run."""
    folder = Path(tempfile.gettempdir()) / f"archsim-numba-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    own = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return folder if own else None


def _mend(made: Any) -> None:
    """Let a dispatcher find each entry by all it depends on, and do without what cannot be read or written."""
    cache = made._cache  # noqa: SLF001  Numba has no door of its own for this
    load, save = cache._load_overload, cache.save_overload  # noqa: SLF001  see `load_or_none`
    base, stamp = cache._impl.filename_base, cache._impl.locator.get_source_stamp()  # noqa: SLF001  likewise

    def turn_to(signature: Any, codegen: Any) -> None:
        key = repr(cache._index_key(signature, codegen)).encode()  # noqa: SLF001  likewise
        digest = hashlib.sha256(b"|".join((_surroundings(), _substance(made), key))).hexdigest()[:16]
        file: Any = IndexDataCacheFile
        cache._cache_file = file(cache.cache_path, f"{base}-{digest}", stamp)  # noqa: SLF001  likewise

    def load_or_none(signature: Any, context: Any) -> Any:
        """Load machine code with Numba's runtime alone: what compiles, half a second of imports, waits."""
        try:
            rtsys.initialize(context)
            turn_to(signature, context.codegen())
            return load(signature, context)
        except _DAMAGE:
            try:
                cache.flush()
            except _DAMAGE:
                cache.disable()
            return None

    def save_if_possible(signature: Any, compiled: Any) -> None:
        try:
            turn_to(signature, compiled.codegen)
            save(signature, compiled)
        except _DAMAGE:
            cache.disable()

    cache.load_overload, cache.save_overload = load_or_none, save_if_possible


@functools.cache
def _surroundings() -> bytes:
    """Return a digest of what any kernel is compiled with: the compiler and its settings."""
    versions = (platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__)
    settings = sorted(item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] not in _PLACES)
    return hashlib.sha256(repr((versions, settings)).encode()).digest()


_PLACES = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
"""Settings of Numba's that leave the machine code as it is."""


@functools.cache
def _substance(made: Any) -> bytes:
    """Return a digest of all of a kernel that is compiled: its options, its code, and what its names stand for."""
    told = {name: sorted(value) if isinstance(value, set) else value for name, value in made.targetoptions.items()}
    digest = hashlib.sha256(repr((sorted(told.items()), made.py_func.__defaults__)).encode())
    digest.update(_code(made.py_func.__code__, made.py_func.__globals__))
    return digest.digest()


def _code(code: CodeType, names: Mapping[str, Any]) -> bytes:
    """Return the digest of some code, of code inside it, and of the kernels, modules and constants that it names."""
    digest = hashlib.sha256(code.co_code)
    digest.update(repr((code.co_argcount, code.co_varnames, code.co_names)).encode())
    for constant in code.co_consts:
        digest.update(_code(constant, names) if isinstance(constant, CodeType) else repr(constant).encode())
    for name in code.co_names:
        value = names.get(name)
        digest.update(_substance(value) if isinstance(value, Dispatcher) else pickle.dumps(_plain(value)))
    return digest.digest()


def _plain(value: Any) -> Any:
    """Return a constant as it is, a module by its name."""
    return value.__name__ if isinstance(value, ModuleType) else value
