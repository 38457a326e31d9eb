"""Activity where none was measured: two kinds of operands, and what four trainings showed of each.

Where it is from: means over the matrices of four trained networks, rounded, of their quick presets on
mixed-precision-deep with seed 1 (lenet-mnist 300 steps, cnn-cifar10 100, lstm-text 120, gpt-text 120 by SGD; the
second half of each). Between layers of one kind they spread by a factor of about 3 either way. What an estimate with
them is off by stands in `ERRORS` and beside each estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import fmean
from typing import TypeVar

from archsim.analog.expected import InPairs
from archsim.analog.in_place import InPlace
from archsim.base.expected import Shares
from archsim.base.signal import OTHER_PHASES, Tag
from archsim.chips.activity import Activity, Writes
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.in_array import weight_steps
from archsim.chips.crossbars.in_array_file import InArrayArchitecture
from archsim.learning.functions import Function
from archsim.networks.program import Call, Program
from archsim.studies.estimate.in_place import LEARNT, OFF, Learning, assumed_pulses
from archsim.studies.estimate.spec import EstimateSpec

S = TypeVar("S", Shares, InPlace)
COARSE, FINE = 4, 10
"""Bits up to which codes are coarse; up to which they are as few as those of the converters that were measured."""


@dataclass(frozen=True, slots=True)
class Operand:
    """What is assumed of inputs, or of errors: shares of codes other than zero, of full conduction, of non-zeros.

    `coarse` is the share of codes other than zero of few bits: of a signal over its largest element, little is left.
    """

    driven: float
    conducted: float
    nonzero: float
    coarse: float

    def at(self, bits: int) -> float:
        """Return the share of codes of so many bits that are not zero."""
        return self.coarse if bits <= COARSE else self.driven if bits <= FINE else self.nonzero


INPUTS = {True: Operand(0.30, 0.07, 0.45, 0.2), False: Operand(0.97, 0.20, 1.0, 0.6)}
"""Inputs of products: whether a rectifier made them -> what is assumed."""
ERRORS_BACK = {True: Operand(0.12, 0.02, 0.15, 0.03), False: Operand(0.80, 0.10, 1.0, 0.15)}
"""Errors: whether they passed a rectifier or a largest element on their way back -> what is assumed."""
TOUCHED = 0.5
"""Share of elements that a burst of vectors changes where operands are sparse; all of them where none is."""
FULL = 0.75
"""Share of codes other than zero from which on operands do not count as sparse."""
WRITTEN = InPairs(pairs=1e-4, pulses=1.0, looked=0.98, reads=2.0, resets=0.01, repeats=0.02)
"""How often pairs are written, for each sample of a batch. Measured: 4e-5 to 2e-4, in the LSTM 1e-3."""
ERRORS = {"lenet-mnist": 0.06, "cnn-cifar10": -0.20, "gpt-text": 0.0, "lstm-text": 0.29, "gan-mnist": 0.58}
"""What an estimate with this activity was off by in the energy of a training step on the workload's analog chip.

Beside an estimate with the measured activity of `archsim run NAME --preset quick --seed 1`; nearly all of it in the
update: how many operands of outer products are zero. On digital chips that skip no zeros it is 0.
"""
ADJUSTED = 0.8
"""Share of a table's rows that a batch of characters names; of other parameters all are adjusted."""
THROUGH = (
    "append one", "windows", "reshape", "slice", "drop last", "largest", "mean", "fold", "dropout", "ones", "spread",
)  # fmt: skip
"""Functions, by the first words of their names, that leave sparse what is sparse."""
SPARSE = ("relu", "to largest")
"""Functions whose results are sparse."""


def assumed(spec: EstimateSpec, architecture: Architecture, share: float = 1.0) -> Activity:
    """Return the activity that is assumed of a network, at a share of the learning rate of its workload."""
    outer = getattr(architecture, "outer_product", None)
    bits = (outer.x_bits, outer.error_bits) if outer else (32, 32)
    burst = outer.burst if outer else 1
    found: dict[Tag, list[Shares]] = {}
    errors = {matrix.name for matrix in spec.network.fixed if matrix.role == "feedback"}
    for program in spec.network.training:
        makers = {call.output: call for call in program.calls}
        for phase, calls in program.phases:
            for call in calls:
                back = call.target in errors
                if (shares := _shares(call, makers, program, (*bits, burst), back=back)) is not None:
                    found.setdefault(Tag(phase, call.layer), []).append(shares)
    by_layer = {tag: _mean(each) for tag, each in found.items()}
    for tag in list(by_layer):
        if tag.phase == "forward":
            by_layer.update({Tag(phase, tag.layer): by_layer[tag] for phase in OTHER_PHASES})
    writing = _in_place(spec, architecture, share) if isinstance(architecture, InArrayArchitecture) else {}
    return Activity(
        by_layer, {}, writing, _written(architecture).of(share), spec.batch if writing else 1,
        f"assumed by kind of operand{_off(architecture)}",
    )  # fmt: skip


def _in_place(spec: EstimateSpec, architecture: InArrayArchitecture, share: float) -> dict[str, Writes]:
    """Return how the arrays of each layer are pulsed: by the mean of its outer products, as a layer's books have it."""
    steps, training = weight_steps(architecture, spec.network), spec.workload.training
    found: dict[str, list[InPlace]] = {}
    for program in spec.network.training:
        makers = {call.output: call for call in program.calls}
        for call in program.calls:
            if call.verb == "accumulate":
                matrix, tensor = spec.network.graph.matrices[str(call.target)], program.tensors[call.inputs[0]]
                of = Learning(
                    1.0 if call.alone else training.learning_rate * share,
                    call.rate / (1 if call.alone else spec.batch),
                    spec.batch * tensor.words // tensor.shape[-1],
                    LEARNT[_sparse(call.inputs[1], makers)],
                )
                found.setdefault(call.layer, []).append(assumed_pulses(architecture, matrix, of, steps[matrix.name]))
    return {layer: _mean(each) for layer, each in found.items()}


def _off(architecture: Architecture) -> str:
    """Return what such estimates were off by, where activity decides anything."""
    if isinstance(architecture, InArrayArchitecture):
        told = ", ".join(f"{over:g} times for {name}" for name, over in OFF[way(architecture)[-1]].items())
        return f"; against trainings that measured it, energy was {told}"
    if not hasattr(architecture, "outer_product"):
        return ""
    told = ", ".join(f"{100 * error:+.0f} % for {name}" for name, error in ERRORS.items())
    return f"; against trainings that measured it, energy was off by {told}"


def _written(architecture: Architecture) -> InPairs:
    """Return how weights are written: all pairs of one alike."""
    return WRITTEN.times(getattr(getattr(architecture, "weight", None), "copies", 1))


def _shares(
    call: Call, makers: dict[int, Call], program: Program, outer: tuple[int, int, int], *, back: bool
) -> Shares | None:  # fmt: skip
    """Return what is assumed of a call's operands, if it has any whose values count.

    `outer` is what an outer product is taken with: bits of inputs and of errors, vectors of a burst. A product is one
    of errors if it goes `back`.
    """
    if call.verb == "multiply" and not back:
        return _product(_operand(call.inputs[0], makers, INPUTS))
    if call.verb in {"multiply", "multiply_transposed"}:
        return _product(_operand(call.inputs[0], makers, ERRORS_BACK))
    if call.verb == "adjust":
        whole = len(program.tensors[call.inputs[0]].shape) == 1
        return Shares(adjusted=1.0 if whole else ADJUSTED)
    if call.verb != "accumulate":
        return None
    x, d = _operand(call.inputs[0], makers, INPUTS), _operand(call.inputs[1], makers, ERRORS_BACK)
    x_bits, d_bits, burst = outer
    of_x, of_d = x.at(x_bits), d.at(d_bits)
    products = of_x * of_d
    updates = products if burst == 1 else TOUCHED if min(x.nonzero, of_d) < FULL else of_x
    return Shares(nonzero=x.nonzero, products=products, rows=of_x, updates=updates)


def _product(operand: Operand) -> Shares:
    return Shares(driven=operand.driven, conducted=operand.conducted, nonzero=operand.nonzero)


def _operand(number: int, makers: dict[int, Call], kinds: dict[bool, Operand]) -> Operand:
    return kinds[_sparse(number, makers)]


def _sparse(number: int, makers: dict[int, Call]) -> bool:
    """Return whether a rectifier or a largest element made an operand, seen through what leaves it as sparse."""
    while (call := makers.get(number)) is not None and isinstance(call.target, Function):
        name = call.target.name
        if name.startswith(SPARSE) and not name.startswith("relu6"):
            return True
        if name == "multiply":  # a product is zero where one operand is: what a gate passes
            return any(_sparse(each, makers) for each in call.inputs)
        if not (name == "gain" or name.startswith(THROUGH)):
            break
        number = call.inputs[0]
    return False


def _mean(each: Iterable[S]) -> S:
    several = list(each)
    kind = type(several[0])
    return kind(**{one.name: fmean(getattr(shares, one.name) for shares in several) for one in fields(kind)})


def way(architecture: Architecture) -> tuple[str, ...]:
    """Return how a chip's devices are written: by its kind, and where they are in place, by its rule."""
    if not isinstance(architecture, InArrayArchitecture):
        return (architecture.chip,)
    trains = architecture.update.rounding == "trains"
    beside = ["transfer"] * bool(architecture.transfer) + ["pairs"] * bool(architecture.pairs)
    beside += ["sides"] * bool(architecture.sides)
    return (architecture.chip, "trains" if trains else "rounded", *beside)
