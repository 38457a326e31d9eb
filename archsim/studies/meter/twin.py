"""A model of the same parameters, to be traced: without hooks, and with analog layers as what they stand for.

PyTorch and aihwkit are known here by their modules' attributes alone; neither is imported before a model is given.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

from archsim.base.errors import InputError

HOOKS = (
    "_forward_hooks", "_forward_pre_hooks", "_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called", "_backward_hooks", "_backward_pre_hooks",
)  # fmt: skip
ANALOG = "aihwkit."
LINEAR = ("AnalogLinear", "AnalogLinearMapped")
RECURRENT = "AnalogRNN"
CONV2D = ("AnalogConv2d", "AnalogConv2dMapped")


def is_analog(module: Any) -> bool:
    """Whether a module is a layer of aihwkit with tiles of its own."""
    ours = any(
        each.__module__.startswith(ANALOG) and each.__name__ == "AnalogLayerBase" for each in type(module).__mro__
    )
    return ours and hasattr(module, "analog_module")


def twin(module: Any, path: str = "") -> Any:
    """Return a model whose modules share the parameters of another one's.

    Raises
    ------
    InputError
        If an analog layer is one that archsim has nothing for.
    """
    if is_analog(module):
        return _digital(module, path)
    if type(module).__name__ == RECURRENT and type(module).__module__.startswith(ANALOG):
        raise _unknown(RECURRENT, path)
    made = copy.copy(module)
    made.__dict__.update({name: OrderedDict() for name in HOOKS if name in made.__dict__})
    made.__dict__["_modules"] = {
        name: None if each is None else twin(each, f"{path}.{name}".lstrip("."))
        for name, each in module._modules.items()  # noqa: SLF001  torch has no other door to a shallow copy
    }
    return made


def _digital(module: Any, path: str) -> Any:
    """Return the layer of PyTorch that an analog one stands for, with weights that are nothing in particular."""
    from torch import nn

    kind, bias = type(module).__name__, module.bias is not None and module.bias is not False
    if kind in LINEAR:
        return nn.Linear(module.in_features, module.out_features, bias=bias)
    if kind in CONV2D:
        return nn.Conv2d(
            module.in_channels, module.out_channels, module.kernel_size, stride=module.stride, padding=module.padding,
            dilation=module.dilation, groups=module.groups, bias=bias,
        )  # fmt: skip
    raise _unknown(kind, path)


def _unknown(kind: str, path: str) -> InputError:
    return InputError(
        f"the meter has nothing for aihwkit's {kind}", key=path or "model",
        expected=f"one of {', '.join((*LINEAR, *CONV2D))}",
        hint="Meter the part of the model without it; `archsim estimate` knows lstm and gru layers",
    )  # fmt: skip
