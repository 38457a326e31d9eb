"""What a training frees is kept for its next step, where the C library can be told so."""

from __future__ import annotations

import subprocess
import sys

import pytest

AGAIN = """
import resource
import numpy as np
from archsim.base.memory import keep_freed

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if not keep_freed():
    raise SystemExit(3)
for _ in range(3):
    np.zeros(2**23, np.float32) + 1  # 32 MiB: beyond what is kept by default
before = faults()
for _ in range(3):
    np.empty(2**23, np.float32).fill(1)
print(faults() - before)
"""


def test_large_arrays_are_not_mapped_anew() -> None:
    """They would be faulted in page by page, thousands each time."""
    done = subprocess.run([sys.executable, "-c", AGAIN], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("the C library is not glibc")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100
