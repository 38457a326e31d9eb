"""Models of PyTorch as torch.export writes them (extra `torch`): operators of ATen, in order.

There is one input; its first axis is the batch, best of two samples or more, so that no view takes it for another axis.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base.errors import InputError
from archsim.base.files import display
from archsim.networks.imports.channels_first import Sketch, Value
from archsim.networks.imports.draft import WHAT_TO_DO, Draft, UnknownNodeError, Weight, needs, reading
from archsim.networks.imports.moved import MOVES, Moved, parted, settled, whole
from archsim.networks.imports.turned import laid

_ASSERTED = ("_assert_scalar", "_assert_tensor_metadata", "sym_constrain_range", "sym_constrain_range_for_size")
"""Operators that only assert what the sizes and kinds of signals are."""


def read(path: Path) -> Draft:
    """Return the network of a file of torch.export.save.

    Raises
    ------
    InputError
        If PyTorch is not there, the file is none of its programs, or a node is one that archsim has no layer for.
    """
    file = display(path)
    try:
        import torch
    except ImportError:
        raise needs(file, "torch") from None
    try:
        with _quiet():
            program = torch.export.load(str(path))
    except Exception as error:
        raise InputError(
            f"is no program of torch.export: {type(error).__name__}", file=file,
            expected="what torch.export.save(torch.export.export(module, (example,)), FILE) writes, whole. A file of "
            "torch.save has weights without a network: load them into the module",
        ) from error  # fmt: skip
    return Reader(program, file).read()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep PyTorch from logging what it failed at: the error says it."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


def traced(module: Any, example: Any) -> Draft:
    """Return the network of a module, as torch.export sees it with an example of its input, samples first."""
    return reader(module, example).read()


def reader(module: Any, example: Any) -> Reader:
    """Return what reads a module, as torch.export sees it with an example of its input, samples first.

    Raises
    ------
    InputError
        If PyTorch is not there or cannot export the module, or a node is one that archsim has no layer for.
    """
    name = type(module).__name__
    try:
        import torch
    except ImportError:
        raise needs(name, "torch") from None
    if not isinstance(module, torch.nn.Module):
        raise InputError(
            "is no torch.nn.Module", file=getattr(module, "__name__", name), expected="one, with its example"
        )
    training = module.training
    try:
        with _quiet():
            program = torch.export.export(module.eval(), (example,))
    except Exception as error:
        said = str(error).strip().partition("\n")[0]
        raise InputError(f"torch.export cannot trace it: {type(error).__name__}: {said}", file=name) from error
    finally:
        module.train(training)
    return Reader(program, name)


class Reader:
    """Walks through an exported program.

    Parameters
    ----------
    program : torch.export.ExportedProgram
    file : str
        What errors name.

    Attributes
    ----------
    homes : dict
        Matrix -> the parameter, by its path, that says whose weights it has.
    """

    def __init__(self, program: Any, file: str) -> None:
        self.graph, self.file = program.graph, file
        self.known: dict[Any, Any] = {}
        self.values: dict[Any, Any] = {}
        self.batch = 1
        self.homes: dict[str, str] = {}
        signature = program.graph_signature
        held = {**program.state_dict, **program.constants}
        self._parameters = dict(signature.inputs_to_parameters)
        self._held: Mapping[str, Any] = {
            name: held[target]
            for kinds in (signature.inputs_to_parameters, signature.inputs_to_buffers,
                          signature.inputs_to_lifted_tensor_constants)
            for name, target in kinds.items()
            if target in held
        }  # fmt: skip

    def read(self) -> Draft:
        """Return what the nodes make."""
        from archsim.networks.imports.torch.nodes import HANDLERS

        self._fix()
        self.sketch, last = self._begin(), None
        for node in self.graph.nodes:
            if node.op == "output":
                last = next((one for one in node.args[0] if one is not None), None)
            if node.op != "call_function" or name_of(node) in _ASSERTED or self._constant(node):
                continue
            kind = name_of(node)
            where = f"node {node.name} ({kind})"
            with reading(self.file, where):
                if kind in HANDLERS:
                    self.values[node] = HANDLERS[kind](self, node)
                    if kind in {"linear", "conv2d"}:
                        made = self.values[node]
                        self.house((made.value if isinstance(made, Moved) else made).layer, node.args[1])
                elif kind in MOVES:
                    self.values[node] = self.move(node, kind)
                else:
                    raise InputError(
                        "archsim has no layer for it", key=where, file=self.file,
                        expected=f"one of {', '.join(sorted({*HANDLERS, *MOVES}))}", hint=WHAT_TO_DO,
                    )  # fmt: skip
        found = self.whole(last)
        if not isinstance(found, Value) or not self.sketch.draft.layers:
            what = getattr(found, "TOLD", "nothing that depends on its input")
            raise InputError(
                f"gives {what}", key=f"output {last}", file=self.file,
                expected="what a layer gives whole, as the first result", hint=WHAT_TO_DO,
            )  # fmt: skip
        return self.sketch.draft.ended(found.layer)

    # --- what handlers ask -------------------------------------------------------------------------------------------
    def value(self, node: Any, place: int = 0) -> Value:
        """Return the layer's result that an argument of a node is.

        Raises
        ------
        UnknownNodeError
            If it is none, or its elements stand in another order.
        """
        found = self.whole(node.args[place])
        if isinstance(found, Value):
            return found
        raise UnknownNodeError(f"argument {place} is no whole signal, or one whose elements were moved")

    def whole(self, given: Any) -> Any:
        """Return what a node gave; as a layer's result where it is some channels of one, or layers set it in order."""
        found = self.values.get(given)
        if isinstance(found, Moved) and (of := parted(found, self.batch)) is not None:
            found = self.values[given] = self.sketch.part(given.name, found.value, found.places.shape[1:], *of)
        elif isinstance(found, Moved) and (made := laid(self.sketch, given.name, found, self.batch)) is not None:
            found = self.values[given] = made
        return found

    def moved(self, node: Any, place: int = 0) -> Moved:
        """Return an argument as a signal in any order of its elements."""
        found = self.values.get(node.args[place])
        if isinstance(found, Value):
            return whole(found, self.batch)
        if isinstance(found, Moved):
            return found
        if found is not None:
            raise UnknownNodeError(f"argument {place} is a product of two signals, which attention alone has")
        raise UnknownNodeError(f"argument {place} is no signal")

    def weight(self, node: Any, place: int) -> Weight | None:
        """Return an argument that is a constant; None where it is left out."""
        given = node.args[place] if place < len(node.args) else None
        if given is None:
            return None
        if isinstance(given, int | float):
            return Weight((), np.asarray(given, np.float32))
        if given not in self.known:
            raise UnknownNodeError(f"argument {place} is a signal; expected a constant, such as a weight")
        tensor = self.known[given].detach()
        return Weight(tuple(tensor.shape), tensor.numpy())

    def needed(self, node: Any, place: int) -> Weight:
        """Return a constant that must be there."""
        if (found := self.weight(node, place)) is None:
            raise UnknownNodeError(f"argument {place} is missing")
        return found

    def is_constant(self, given: Any) -> bool:
        """Return whether an argument is a number or a constant."""
        return isinstance(given, int | float) or given in self.known

    def alone(self, node: Any, place: int = 0) -> bool:
        """Return whether nobody but a node reads one of its arguments."""
        return len(node.args[place].users) == 1

    def house(self, matrix: str, weight: Any) -> None:
        """Note whose weight a matrix is, if it is a parameter as it stands."""
        if (name := self._parameters.get(getattr(weight, "name", ""))) is not None:
            self.homes[matrix] = name

    # --- parts --------------------------------------------------------------------------------------------------------
    def _begin(self) -> Sketch:
        """Return a sketch that begins with the one input; note the constants."""
        fed = []
        for node in self.graph.nodes:
            if node.op != "placeholder":
                continue
            if node.name in self._held:
                self.known[node] = self._held[node.name]
            else:
                fed.append(node)
        if len(fed) != 1:
            told = ", ".join(node.name for node in fed) or "none"
            raise InputError(f"has the inputs {told}", file=self.file, expected="one")
        tensor = fed[0].meta["val"]
        shape = tuple(int(n) for n in tensor.shape)
        self.batch = shape[0]
        line = len(shape) == 3 and any(name_of(user) == "conv1d" for user in fed[0].users)
        sketch = Sketch(shape[1:], codes=not tensor.dtype.is_floating_point and len(shape) == 2, line=line)
        if not all(isinstance(n, int) for n in tensor.shape[1:]):
            sketch.draft.note(f"Sizes that the file leaves open are those of its example: {list(shape[1:])}.")
        self.values[fed[0]] = sketch.input
        return sketch

    def _fix(self) -> None:
        """Put sizes of its example in place of those that an export leaves open, and of what is computed of them."""
        import torch
        from torch.fx.node import map_arg

        for node in self.graph.nodes:
            size = node.meta.get("val")
            if node.op != "call_function" or not isinstance(size, int | torch.SymInt | torch.SymBool):
                continue
            self.known[node] = fixed = int(size)
            for user in [*node.users]:
                user.args, user.kwargs = (
                    map_arg(told, lambda one, mine=node, fixed=fixed: fixed if one is mine else one)
                    for told in (user.args, user.kwargs)
                )

    def _constant(self, node: Any) -> bool:
        """Compute a node of constants; return whether it is one."""
        if node in self.known:
            return True
        if not all(each in self.known for each in node.all_input_nodes):
            return False
        args, kwargs = (_filled(told, self.known) for told in (node.args, node.kwargs))
        self.known[node] = node.target(*args, **kwargs)
        return True

    def move(self, node: Any, kind: str) -> Any:
        """Return elements in another order: places of a layer's result, or of several as they were split."""
        given = self.values.get(node.args[0])
        if isinstance(given, list):
            return given[node.args[1]]
        moved = self.moved(node)
        found = MOVES[kind](moved.places, *node.args[1:], **node.kwargs)
        if isinstance(found, list):
            return [settled(Moved(moved.value, each), self.batch) for each in found]
        return settled(Moved(moved.value, found), self.batch)


def _filled(told: Any, known: Mapping[Any, Any]) -> Any:
    """Return arguments with constants in place of the nodes that give them."""
    from torch.fx.node import map_arg

    return map_arg(told, known.__getitem__)


def name_of(node: Any) -> str:
    """Return the name of a node's operator: without its overload, and without the mark of one that works in place."""
    if node.target is operator.getitem:
        return "getitem"
    name = str(getattr(node.target, "_opname", getattr(node.target, "__name__", node.target)))
    return name[:-1] if name.endswith("_") and not name.startswith("_") else name
