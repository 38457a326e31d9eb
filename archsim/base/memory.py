"""Keep the memory that a training gives back, for its next step asks for as much again.

glibc maps large arrays from the system one by one and gives them back when they are freed: then every step has all its
arrays mapped and cleared anew, which takes as long as half of its work. Other C libraries are left as they are.
"""

from __future__ import annotations

import ctypes
from functools import cache

_TRIM, _MAP = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's `mallopt`."""
_MOST = 2**30
_LEAST = 2**25
"""Bytes up to which arrays come from the heap, and which it keeps: what some versions of glibc take at most."""


@cache
def keep_freed() -> bool:
    """Let this process keep arrays of up to a GiB that are freed; return whether its C library can."""
    try:
        library = ctypes.CDLL(None)
        mallopt = library.mallopt if hasattr(library, "gnu_get_libc_version") else None  # the numbers are glibc's
    except (AttributeError, OSError, TypeError):
        return False
    if mallopt is None:
        return False
    return bool((mallopt(_MAP, _MOST) or mallopt(_MAP, _LEAST)) and mallopt(_TRIM, _MOST))
