"""What of a machine decides the last bits of a number: the processor that kernels are compiled for, and the BLAS."""

from __future__ import annotations

from typing import Any

from archsim.base.blas import libraries, one_thread


def description() -> dict[str, Any]:
    """Return processor, its vector extensions, and the BLAS as chips use it, as run.yaml keeps them."""
    import numba
    from llvmlite import binding

    config: Any = numba.config  # its names are set from the environment
    known = binding.get_host_cpu_features()
    own = str(config.CPU_NAME or binding.get_host_cpu_name())
    vectors = sorted(name for name, on in known.items() if on and name.startswith(("avx", "sse", "fma", "neon", "sve")))
    if config.CPU_FEATURES is not None:
        vectors = sorted(filter(None, str(config.CPU_FEATURES).split(",")))
    with one_thread():
        blas = "; ".join(libraries())
    return {"processor": own, "vector_extensions": " ".join(vectors), "blas": blas}
