"""Modules of PyTorch whose products a meter sees: by hooks where a module is one product, else by doing them again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from archsim.base.arrays import F32
from archsim.studies.meter.recorder import Pass
from archsim.studies.meter.replay import Used, is_fused, replayed
from archsim.studies.meter.twin import is_analog

Now = Callable[[], tuple[Pass | None, bool]]
"""Returns the pass that goes on, if any, and whether its operands are looked at."""


class Watched(Protocol):
    """Modules that a matrix, or several, belong to."""

    rows: Mapping[str, int]
    """Matrix -> its rows, that of a bias too."""
    analog: bool

    def hook(self, now: Now) -> list[Any]:
        """Put hooks in; return their handles."""

    def weights(self, matrix: str) -> list[F32]:
        """Return the weights of a matrix and its bias: views where they can be."""


class Plain:
    """A module that is one product."""

    def __init__(self, module: Any, matrix: str, rows: int) -> None:
        self.rows: Mapping[str, int] = {matrix: rows}
        self.analog = is_analog(module)
        self._module, self._matrix = module, matrix

    def hook(self, now: Now) -> list[Any]:
        """Look at inputs when the module is called, and at errors when the gradient of its result is there."""
        [(matrix, rows)] = self.rows.items()

        def seen(module: Any, args: tuple[Any, ...], output: Any) -> None:
            one, looked = now()
            if one is None:
                return
            x = vectors(module, args[0].detach(), rows) if looked else None
            if x is not None:
                one.forward(matrix, x)

            def back(d: Any) -> None:
                one.returned = True
                if x is not None:
                    one.back(matrix, x, errors(d.detach()))

            if output.requires_grad:
                output.register_hook(back)

        return [self._module.register_forward_hook(seen)]

    def weights(self, matrix: str) -> list[F32]:
        """Return them; of tiles as they are read out, without a digital bias."""
        del matrix
        if not self.analog:
            found = self._module.weight, self._module.bias
        else:
            weight, bias = self._module.get_weights()
            digital = next(self._module.analog_tiles()).rpu_config.mapping.digital_bias
            found = weight, None if digital else bias
        return [array(each.detach()) for each in found if each is not None]


class Fused:
    """A module of several products in one kernel. What it is given is multiplied once more to see them.

    Parameters
    ----------
    module : torch.nn.Module
    matrices : parameter -> matrix
        By the names that the module has for them.
    rows : matrix -> rows
    """

    analog = False

    def __init__(self, module: Any, matrices: Mapping[str, str], rows: Mapping[str, int]) -> None:
        self.rows = rows
        self._module, self._matrices = module, matrices
        self._random: Any = None

    def hook(self, now: Now) -> list[Any]:
        """Do its products again when the module is called, and have their errors from the gradients of its results."""
        import torch

        def called(module: Any, args: Any, kwargs: Any) -> None:
            del args, kwargs
            self._random = torch.get_rng_state() if module.dropout and module.training else None

        def seen(module: Any, args: Any, kwargs: Any, output: Any) -> None:
            del module
            one, looked = now()
            if one is None:
                return
            results = [each for each in _flat(output) if each.requires_grad]
            made, used = self._again(args, kwargs, back=bool(results)) if looked else ([], [])
            inputs = [(use, self._inputs(use)) for use in used if use.parameter in self._matrices]
            for use, x in inputs:
                one.forward(self._matrices[use.parameter], x)

            def back(given: Any) -> None:
                one.returned = True
                self._back(one, made, inputs, given)

            if results:
                torch.autograd.graph.register_multi_grad_hook(results, back)

        return [
            self._module.register_forward_pre_hook(called, with_kwargs=True),
            self._module.register_forward_hook(seen, with_kwargs=True),
        ]

    def weights(self, matrix: str) -> list[F32]:
        """Return the parts of a matrix; two biases that are added to the same product are one."""
        name = next(parameter for parameter, each in self._matrices.items() if each == matrix)
        found: list[Any]
        if name == "out_proj.weight":
            found = [self._module.out_proj.weight, self._module.out_proj.bias]
        elif name.endswith("proj_weight"):
            found = [getattr(self._module, name), self._module.in_proj_bias if name == "in_proj_weight" else None]
        else:
            found = self._of_steps(name)
        return [array(each.detach()) for each in found if each is not None]

    # --- parts --------------------------------------------------------------------------------------------------------
    def _of_steps(self, name: str) -> list[Any]:
        """Return the weights of a recurrent layer: of a GRU those of its input, or of its state."""
        _, way, suffix = name.split("_", 2)
        if self._module.mode == "GRU":
            return [getattr(self._module, name), getattr(self._module, f"bias_{way}_{suffix}", None)]
        biases: list[Any] = [getattr(self._module, f"bias_{each}_{suffix}", None) for each in ("ih", "hh")]
        both = None if biases[0] is None else biases[0].detach() + biases[1].detach()
        return [getattr(self._module, f"weight_{each}_{suffix}") for each in ("hh", "ih")] + [both]

    def _again(self, args: Any, kwargs: Any, *, back: bool) -> tuple[list[Any], list[Used]]:
        import torch

        with torch.set_grad_enabled(back):
            if self._random is None:
                return replayed(self._module, args, kwargs)
            with torch.random.fork_rng(devices=[]):
                torch.set_rng_state(self._random)
                return replayed(self._module, args, kwargs)

    def _inputs(self, use: Used) -> F32:
        return biased(array(use.x.reshape(-1, use.x.shape[-1])), self.rows[self._matrices[use.parameter]])

    def _back(self, one: Pass, made: list[Any], inputs: list[tuple[Used, F32]], given: Any) -> None:
        """Count the way back of each product, from the gradients of the module's results."""
        import torch

        some = [(y, d.detach()) for y, d in zip(made, given, strict=False) if d is not None]
        if not some or not inputs:
            return
        found = torch.autograd.grad(
            [y for y, _ in some], [use.z for use, _ in inputs], [d for _, d in some], allow_unused=True
        )
        for (use, x), d in zip(inputs, found, strict=True):
            if d is not None:
                one.back(self._matrices[use.parameter], x, errors(use.ordered(d)), transposed=use.back)


def watched(modules: Mapping[str, Any], homes: Mapping[str, str], rows: Mapping[str, int]) -> list[Watched]:
    """Return what sees the products of a model.

    Parameters
    ----------
    modules : path -> module
    homes : matrix -> path of the parameter that says whose it is
    rows : matrix -> rows
    """
    found: list[Watched] = []
    fused: dict[str, dict[str, str]] = {}
    for matrix, path in homes.items():
        home, _, name = path.rpartition(".")
        over, _, part = home.rpartition(".")
        if is_fused(modules[home]):
            fused.setdefault(home, {})[name] = matrix
        elif is_fused(modules[over]):
            fused.setdefault(over, {})[f"{part}.{name}"] = matrix
        else:
            found.append(Plain(modules[home], matrix, rows[matrix]))
    return [
        *found,
        *(Fused(modules[path], of, {matrix: rows[matrix] for matrix in of.values()}) for path, of in fused.items()),
    ]


def array(x: Any) -> F32:
    """Return a tensor's values: the same memory where it can be."""
    return np.ascontiguousarray(x.cpu().numpy(), np.float32)


def vectors(module: Any, x: Any, rows: int) -> F32:
    """Return the inputs of a layer as a matrix of so many rows sees them: (vectors, rows), 1 in the row of the bias."""
    if hasattr(module, "kernel_size"):
        import torch

        cut = torch.nn.functional.unfold(
            x, module.kernel_size, dilation=module.dilation, padding=module.padding, stride=module.stride
        )
        x = cut.transpose(1, 2)
    return biased(array(x.reshape(-1, x.shape[-1])), rows)


def biased(x: F32, rows: int) -> F32:
    """Return vectors as a matrix of so many rows sees them: with a 1 in the row of the bias, if there is one."""
    return x if x.shape[1] == rows else np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)


def errors(d: Any) -> F32:
    """Return the gradient of a layer's result as vectors, (vectors, columns); of images by position."""
    if d.dim() == 4:
        d = d.permute(0, 2, 3, 1)
    return array(d.reshape(-1, d.shape[-1]))


def _flat(results: Any) -> list[Any]:
    """Return all tensors of a module's results."""
    if not isinstance(results, list | tuple):
        return [] if results is None else [results]
    return [each for part in results for each in _flat(part)]
