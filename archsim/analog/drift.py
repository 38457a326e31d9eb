"""How much of a conductance drift has left, for kernels of other rooms."""

from archsim.analog._kernels import drift_factor

__all__ = ["drift_factor"]
