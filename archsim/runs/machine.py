"""What of a machine decides the last bits of a number: the processor that kernels are compiled for, and the BLAS."""

from __future__ import annotations

from typing import Any


def description() -> dict[str, Any]:
    """Return processor, its vector extensions, and the BLAS with its kernel and threads, as run.yaml keeps them."""
    import numba
    from llvmlite import binding
    from threadpoolctl import threadpool_info

    config: Any = numba.config  # its names are set from the environment
    known = binding.get_host_cpu_features()
    own = str(config.CPU_NAME or binding.get_host_cpu_name())
    vectors = sorted(name for name, on in known.items() if on and name.startswith(("avx", "sse", "fma", "neon", "sve")))
    if config.CPU_FEATURES is not None:
        vectors = sorted(filter(None, str(config.CPU_FEATURES).split(",")))
    blas = [
        " ".join(str(found[key]) for key in ("internal_api", "version", "architecture") if found.get(key))
        + f", threads {found['num_threads']}"
        for found in threadpool_info()
        if found.get("user_api") == "blas"
    ]
    return {"processor": own, "vector_extensions": " ".join(vectors), "blas": "; ".join(dict.fromkeys(blas))}
