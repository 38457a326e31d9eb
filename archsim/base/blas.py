"""BLAS on one thread, so that a product has the same bits whatever the number of cores, and processes share them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    """Return the controller of the BLAS libraries that are loaded: looking for them takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def one_thread() -> AbstractContextManager[Any]:
    """Return a context within which NumPy's BLAS computes on one thread; afterwards it has as many as before."""
    limited: AbstractContextManager[Any] = _controller().limit(limits=1)
    return limited


def libraries() -> list[str]:
    """Return each BLAS that is loaded, sorted: name, version, kernel, and the threads it has now."""
    found = [
        " ".join(str(each[key]) for key in ("internal_api", "version", "architecture") if each.get(key))
        + f", threads {each['num_threads']}"
        for each in _controller().info()
    ]
    return sorted(set(found))
