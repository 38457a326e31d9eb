"""Writes programs call by call: the forward pass, the gradients in reverse, what each matrix learns from.

Gradients are descent directions: what a loss says of its tensor is minus the slope, and all that follows is linear.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archsim.learning.functions import Elementwise, Function, Sum
from archsim.learning.moves import Place
from archsim.learning.parts import Spread, apart
from archsim.networks.faults import NamedFault
from archsim.networks.graph import Graph, Node, Product, Tensor
from archsim.networks.program import Call, Program, Verb


@dataclass(frozen=True, slots=True)
class Loss:
    """Where errors come from.

    Parameters
    ----------
    output, target : str
        Names of the tensors that the loss compares.
    at : str
        Name of the tensor whose descent direction `error` gives: the output, or what its activation was given.
    error : Function
        Of (target, output), for one vector.
    positions : int
        Over so many vectors of a sample the loss is the mean: the rates of all that learns are divided by it.
    value : Function, optional
        Of (target, output): what a sample loses, one number.
    """

    output: str
    target: str
    at: str
    error: Function
    positions: int = 1
    value: Function | None = None


def needed(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
    """Return the nodes on the way to some tensors."""
    wanted, found = set(outputs), []
    for node in reversed(nodes):
        if node.output in wanted:
            wanted.update(node.inputs)
            found.append(node)
    return found[::-1]


_Part = tuple[int, Place | None]
"""What a reader says of a tensor: the number of its gradient, and where that lies if it is one of a part."""


@dataclass(slots=True)
class Writer:
    """Writes a program, call by call.

    Parameters
    ----------
    graph : Graph
    stand_ins : matrix -> name of another, of its transposed shape, optional
        Through which errors pass in its place.
    passes : bool
        Whether errors pass products at all.

    Attributes
    ----------
    uses : matrix -> (tensor of its rows, tensor of its columns, layer), of each outer product that it learns from
    slopes : parameter -> (tensor that it learns from, layer)
    """

    graph: Graph
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    passes: bool = True
    tensors: list[Tensor] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    feeds: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    uses: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    slopes: dict[str, tuple[int, str]] = field(default_factory=dict)
    _calls: list[Call] = field(default_factory=list)

    def forward(self, nodes: Sequence[Node]) -> None:
        """Write the forward pass: receive what the nodes read from outside, then the nodes."""
        read = {name for node in nodes for name in node.inputs} - self.numbers.keys()
        first = nodes[0].layer if nodes else ""
        for name in self.graph.feeds:
            if name in read:
                self.receive(name, first)
        for name in self.graph.parameters:
            if name in read:
                self.numbers[name] = self.parameters[name] = self._number(self.graph.tensors[name])
        for node in nodes:
            inputs = tuple(self.numbers[name] for name in node.inputs)
            self.numbers[node.output] = self.node(node, inputs, self.graph.tensors[node.output])

    def receive(self, name: str, layer: str) -> None:
        """Bring a feed onto the chip, unless it is a state, which is there."""
        self.numbers[name] = fed = self.feed(name)
        if name not in self.graph.states:
            self.numbers[name] = self.add("receive", name, (fed,), self.graph.tensors[name], layer)

    def track(self, moving: Collection[str]) -> None:
        """Let those of the parameters that follow a tensor do so, where the program computes it."""
        for name, track in self.graph.tracks.items():
            if name in moving and track.tensor in self.numbers:
                tensor = self.graph.tensors[name]
                self.parameters[name] = mine = self._number(tensor)
                inputs = (self.numbers[track.tensor], mine)
                way = replace(tensor, name=f"d {name}")
                d = self.add("compute", Elementwise("difference", tensor.shape), inputs, way, track.layer)
                self.add("adjust", name, (d,), None, track.layer, rate=track.part, alone=True)

    def feed(self, name: str) -> int:
        """Return the number of a tensor that is there before the first call."""
        if name not in self.feeds:
            self.feeds[name] = self._number(self.graph.tensors[name])
        return self.feeds[name]

    def error(self, loss: Loss, other: tuple[int, str] | None = None) -> int:
        """Write the error of a loss, of its own output or another one of some layer; return its number."""
        maker = self.graph.producer(loss.at)
        output, layer = other or (self.numbers[loss.output], maker.layer if maker else "")
        shape = replace(self.graph.tensors[loss.at], name=f"d {loss.at}", bound=None)
        return self.add("compute", loss.error, (self.feed(loss.target), output), shape, layer)

    def backward(
        self, nodes: Sequence[Node], errors: Sequence[tuple[str, int]], learning: Collection[str], *,
        led: Collection[str] | None = None, aside: Mapping[str, Callable[[], int]] | None = None,
    ) -> None:  # fmt: skip
        """Write the backward pass; note what each matrix and parameter learns from.

        Parameters
        ----------
        nodes : in the order of the forward pass
        errors : sequence of (tensor, number of its descent direction)
        learning : names of matrices and parameters
        led : names of tensors that depend on what learns; found if not given
        aside : tensor -> what writes an error of it that does not come from its readers, optional
        """
        led = self.reached(nodes, learning) if led is None else led
        grads: dict[str, list[_Part]] = {}
        for name, number in errors:
            grads.setdefault(name, []).append((number, None))
        for node in reversed(nodes):
            if aside is not None and node.output in aside:
                grads.setdefault(node.output, []).append((aside[node.output](), None))
            if (parts := grads.pop(node.output, None)) and node.output in led:
                self._adjoint(node, self._sum(node, parts), led, grads, learning)
        for name in self.graph.parameters:
            if parts := grads.pop(name, None):
                reader = next(node for node in nodes if name in node.inputs)
                self.slopes[name] = self._sum(reader, parts), reader.layer

    def check(self, learning: Collection[str]) -> None:
        """Refuse that there is nothing to learn from for one of `learning`.

        Raises
        ------
        NamedFault
            That names it.
        """
        if missing := set(learning) - self.uses.keys() - self.slopes.keys():
            named = sorted(missing)
            raise NamedFault(
                f"no error reaches {', '.join(named)}; expected what learns on the way to the loss, and no layer "
                "without a gradient between", named[0],
            )  # fmt: skip

    def update(self, learning: Collection[str], positions: int = 1) -> None:
        """Write what those matrices and parameters of `learning` of which something was noted learn from it."""
        matrices, parameters = self.graph.matrices, self.graph.parameters
        for matrix, uses in self.uses.items():
            if matrix in learning:
                for rows, columns, layer in uses:
                    rate = matrices[matrix].rate / positions
                    self.add("accumulate", matrix, (rows, columns), None, layer, rate=rate)
                self.add("apply", matrix, (), None, uses[0][2], rate=matrices[matrix].rate)
        for parameter, (number, layer) in self.slopes.items():
            if parameter in learning:
                self.add("adjust", parameter, (number,), None, layer, rate=parameters[parameter].rate / positions)

    def maintain(self, learning: Collection[str]) -> None:
        """Write that devices of matrices are looked after."""
        for matrix in self.graph.matrices:
            if matrix in learning:
                self.add("maintain", matrix, (), None, self.uses[matrix][0][2])

    def reached(self, nodes: Sequence[Node], learning: Collection[str]) -> set[str]:
        """Return the tensors that depend on a matrix or parameter that learns, in a way that has a gradient."""
        found = {name for name in self.graph.parameters if name in learning}
        for node in nodes:
            what, led = node.what, [k for k, name in enumerate(node.inputs) if name in found]
            if isinstance(what, Product):
                passes = bool(led) or what.matrix in learning
            else:
                passes = any(what.adjoint(k) is not None for k in led)
            if passes:
                found.add(node.output)
        return found

    def _sum(self, node: Node, parts: list[_Part]) -> int:
        """Return the sum of what the readers of a node's result say of it; what slices say is set side by side."""
        whole = [number for number, place in parts if place is None]
        sliced = [(number, place) for number, place in parts if place is not None]
        for group in apart([place for _, place in sliced]):
            numbers, places = zip(*(sliced[k] for k in group), strict=True)
            function = Spread(places) if len(group) > 1 else places[0]
            tensor = replace(self.tensors[numbers[0]], shape=function.out)
            whole.append(self.add("compute", function, numbers, tensor, node.layer))
        if len(whole) == 1:
            return whole[0]
        tensor = self.tensors[whole[0]]
        return self.add("compute", Sum(len(whole), tensor.shape), tuple(whole), tensor, node.layer)

    def _adjoint(
        self, node: Node, d: int, led: Collection[str], grads: dict[str, list[_Part]], learning: Collection[str]
    ) -> None:
        """Write what a node makes of the gradient of its result."""
        if isinstance(node.what, Product):
            [x] = node.inputs
            matrix, turned = node.what.matrix, node.what.transposed
            if x in led and self.passes:
                through = self.stand_ins.get(matrix, matrix)
                verb: Verb = "multiply" if turned == (through == matrix) else "multiply_transposed"
                tensor = Tensor(f"d {x}", self.graph.tensors[x].shape)
                grads.setdefault(x, []).append((self.add(verb, through, (d,), tensor, node.layer), None))
            if matrix in learning:
                rows, columns = (d, self.numbers[x]) if turned else (self.numbers[x], d)
                self.uses.setdefault(matrix, []).append((rows, columns, node.layer))
            return
        made: dict[Function, int] = {}
        for operand, name in enumerate(node.inputs):
            if name not in led or (adjoint := node.what.adjoint(operand)) is None:
                continue
            function, part = adjoint.function, adjoint.part
            if isinstance(function, Place):
                grads.setdefault(name, []).append((d, function))
                continue
            if function not in made:
                needs = [self.numbers[node.output if need == "y" else node.inputs[int(need)]] for need in adjoint.needs]
                tensor = Tensor(f"d {name}", function.out)
                made[function] = self.add("compute", function, (d, *needs), tensor, node.layer)
            number = made[function]
            if part is not None:
                number = self.add("compute", part, (number,), Tensor(f"d {name}", part.out), node.layer)
            grads.setdefault(name, []).append((number, None))

    def node(self, node: Node, inputs: tuple[int, ...], tensor: Tensor) -> int:
        """Write a node of the forward pass, of operands by number; return the number of its result."""
        if isinstance(node.what, Product):
            verb: Verb = "multiply_transposed" if node.what.transposed else "multiply"
            return self.add(verb, node.what.matrix, inputs, tensor, node.layer)
        return self.add("compute", node.what, inputs, tensor, node.layer)

    def add(
        self, verb: Verb, target: str | Function, inputs: tuple[int, ...], tensor: Tensor | None, layer: str, *,
        rate: float = 1.0, alone: bool = False,
    ) -> int:  # fmt: skip
        """Write a call; return the number of what it writes, -1 for nothing."""
        output = -1 if tensor is None else self._number(tensor)
        self._calls.append(Call(verb, target, inputs, output, layer, rate=rate, alone=alone))
        return output

    def _number(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def take(self) -> tuple[Call, ...]:
        """Return the calls written since the last time."""
        found, self._calls = tuple(self._calls), []
        return found

    def program(self, name: str, phases: tuple[tuple[str, tuple[Call, ...]], ...], outputs: Sequence[str]) -> Program:
        """Return the program, each call with the tensors that are read for the last time."""
        results = tuple((name, self.numbers[name]) for name in outputs)
        seen, ended = {number for _, number in results}, []
        for phase, calls in reversed(phases):
            late = []
            for call in reversed(calls):
                last = tuple(dict.fromkeys(number for number in call.inputs if number not in seen))
                seen.update(last)
                late.append(replace(call, last=last))
            ended.append((phase, tuple(reversed(late))))
        return Program(
            name,
            tuple(self.tensors),
            tuple(reversed(ended)),
            tuple(self.feeds.items()),
            tuple(self.parameters.items()),
            results,
        )
