"""Compile kernels with Numba and keep them in its cache, which is a convenience and never in the way."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

_DAMAGE = (
    EOFError, OSError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, KeyError, MemoryError,
    TypeError, ValueError,
)  # fmt: skip
"""What reading a damaged cache, or writing one on a full disk, may raise."""


def kernel(fastmath: Any = False) -> Callable[[Any], Any]:
    """Return a decorator that compiles a function on arrays, by `numba.njit` with its cache.

    Where no cache can be written beside the package or in the user's folder, one in a temporary folder of the user's
    own will do, or none. A damaged entry is compiled anew.
    """

    def compiled(function: Any) -> Any:
        made = numba.njit(**({"fastmath": fastmath} if fastmath else {}))(function)
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
    """Let a dispatcher do without what cannot be read from its cache, or written to it."""
    cache = made._cache  # noqa: SLF001  Numba has no door of its own for this
    load, save = cache.load_overload, cache.save_overload

    def load_or_none(*given: Any) -> Any:
        try:
            return load(*given)
        except _DAMAGE:
            try:
                cache.flush()
            except _DAMAGE:
                cache.disable()
            return None

    def save_if_possible(*given: Any) -> None:
        try:
            save(*given)
        except _DAMAGE:
            cache.disable()

    cache.load_overload, cache.save_overload = load_or_none, save_if_possible
