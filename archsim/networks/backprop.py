"""Programs of backpropagation: the forward pass, the gradients in reverse, and what each matrix learns from them.

Gradients are descent directions: what a loss says of its tensor is minus the slope, and all that follows is linear.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from archsim.base.errors import ModelError
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
    """

    output: str
    target: str
    at: str
    error: Function
    positions: int = 1


def forward(graph: Graph, outputs: Sequence[str], phase: str = "forward") -> Program:
    """Return the program that computes some tensors, and no others than it needs for them, where nothing is trained."""
    writer = _Writer(graph)
    writer.forward(_needed([node.inference or node for node in graph.nodes], outputs))
    return writer.program("inference", ((phase, writer.take()),), outputs)


def training(
    graph: Graph, losses: Sequence[Loss], *, outputs: Sequence[str] = (), update: Collection[str] | None = None,
    name: str = "training",
) -> Program:  # fmt: skip
    """Return the program of one training step.

    Parameters
    ----------
    losses : sequence of Loss
        Their errors are added.
    outputs : names of tensors that are kept as results
    update : names of the matrices and parameters that learn, or follow a tensor; all of them by default
    name : str
        Of the program.

    Raises
    ------
    ModelError
        If there is no loss, losses are means over unlike numbers of positions, or a matrix that shall learn gets no
        error.
    """
    if not losses:
        raise ModelError("a training without a loss")
    if len(counts := {loss.positions for loss in losses}) > 1:
        raise ModelError(f"losses over {', '.join(map(str, sorted(counts)))} positions in one training; expected equal")
    [positions] = counts
    moving = {*graph.matrices, *graph.parameters} if update is None else set(update)
    learning = moving - graph.tracks.keys()
    writer = _Writer(graph)
    nodes = _needed(graph.nodes, [*(loss.output for loss in losses), *outputs])
    writer.forward(nodes)
    phases = [("forward", writer.take())]
    writer.backward(nodes, losses, learning)
    phases.append(("backward", writer.take()))
    if missing := learning - writer.uses.keys() - writer.slopes.keys():
        named = sorted(missing)
        raise NamedFault(
            f"no error reaches {', '.join(named)}; expected what learns on the way to the loss, and no layer without a "
            "gradient between",
            named[0],
        )
    for matrix, uses in writer.uses.items():
        for rows, columns, layer in uses:
            writer.add("accumulate", matrix, (rows, columns), None, layer, rate=graph.matrices[matrix].rate / positions)
        writer.add("apply", matrix, (), None, uses[0][2], rate=graph.matrices[matrix].rate)
    for parameter, (number, layer) in writer.slopes.items():
        writer.add("adjust", parameter, (number,), None, layer, rate=graph.parameters[parameter].rate / positions)
    writer.track(moving)
    phases.append(("update", writer.take()))
    for matrix in graph.matrices:
        if matrix in learning:
            writer.add("maintain", matrix, (), None, writer.uses[matrix][0][2])
    phases.append(("refresh", writer.take()))
    return writer.program(name, tuple(phases), outputs)


def _needed(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
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
class _Writer:
    """Writes a program, call by call."""

    graph: Graph
    tensors: list[Tensor] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    feeds: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    uses: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    slopes: dict[str, tuple[int, str]] = field(default_factory=dict)
    _calls: list[Call] = field(default_factory=list)

    def forward(self, nodes: Sequence[Node]) -> None:
        """Write the forward pass: receive what the nodes read from outside, then the nodes."""
        read = {name for node in nodes for name in node.inputs}
        first = nodes[0].layer if nodes else ""
        for name in self.graph.feeds:
            if name in read:
                self.numbers[name] = fed = self.feed(name)
                if name not in self.graph.states:
                    self.numbers[name] = self.add("receive", name, (fed,), self.graph.tensors[name], first)
        for name in self.graph.parameters:
            if name in read:
                self.numbers[name] = self.parameters[name] = self._number(self.graph.tensors[name])
        for node in nodes:
            inputs = tuple(self.numbers[name] for name in node.inputs)
            self.numbers[node.output] = self._node(node, inputs, self.graph.tensors[node.output])

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

    def backward(self, nodes: Sequence[Node], losses: Sequence[Loss], learning: Collection[str]) -> None:
        """Write the backward pass; note what each matrix learns from."""
        led = self._reached(nodes, learning)
        grads: dict[str, list[_Part]] = {}
        for loss in losses:
            maker = self.graph.producer(loss.at)
            layer = maker.layer if maker else ""
            inputs = (self.feed(loss.target), self.numbers[loss.output])
            shape = replace(self.graph.tensors[loss.at], name=f"d {loss.at}", bound=None)
            grads.setdefault(loss.at, []).append((self.add("compute", loss.error, inputs, shape, layer), None))
        for node in reversed(nodes):
            if (parts := grads.pop(node.output, None)) and node.output in led:
                self._adjoint(node, self._sum(node, parts), led, grads, learning)
        for name in self.graph.parameters:
            if parts := grads.pop(name, None):
                reader = next(node for node in nodes if name in node.inputs)
                self.slopes[name] = self._sum(reader, parts), reader.layer

    def _reached(self, nodes: Sequence[Node], learning: Collection[str]) -> set[str]:
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
            if x in led:
                verb: Verb = "multiply" if turned else "multiply_transposed"
                tensor = Tensor(f"d {x}", self.graph.tensors[x].shape)
                grads.setdefault(x, []).append((self.add(verb, matrix, (d,), tensor, node.layer), None))
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

    def _node(self, node: Node, inputs: tuple[int, ...], tensor: Tensor) -> int:
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
