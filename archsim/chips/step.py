"""The training step and the inference pass, written once for all chips through the verbs."""

from __future__ import annotations

from archsim.base.arrays import F32
from archsim.base.signal import Signal
from archsim.base.verbs import Verbs, Work
from archsim.chips.chip import Chip
from archsim.learning import layers
from archsim.learning.network import Network


def training_step(chip: Chip, network: Network, x: F32, target: F32, rate: float) -> Work[F32]:
    """Train on one batch and return the outputs of its forward pass, (samples, classes).

    Parameters
    ----------
    x : float32 array, (samples, inputs), within [0, 1]
    target : float32 array, (samples, classes)
    rate : float
        Learning rate of the mean gradient over the samples.
    """
    begin = chip.clock.now
    signal = yield from chip.receive(Signal(x, bits=chip.input_bits), network.layers[0].tags["forward"])
    samples, traces = signal.samples, []
    for layer in network.layers:
        trace = yield from layers.forward(layer, chip, signal, "forward")
        traces.append(trace)
        signal = trace.y
    begin = chip.book_time("forward", begin)

    d = yield from layers.error(network.layers[-1], chip, traces[-1], Signal(target))
    directions = [d]
    for position in range(len(traces) - 1, 0, -1):
        layer, below = network.layers[position], network.layers[position - 1]
        d = yield from layers.backward(layer, below, chip, d, traces[position - 1])
        directions.append(d)
    begin = chip.book_time("backward", begin)

    for layer, trace, d in zip(reversed(network.layers), reversed(traces), directions, strict=True):
        yield from chip.update(layer.name, trace.x, d, rate * layer.rate / samples, layer.tags["update"])
    begin = chip.book_time("update", begin)

    for layer in network.layers:
        yield from chip.maintain(layer.name, layer.tags["refresh"])
    chip.book_time("refresh", begin)
    chip.ledger.steps += 1
    return signal.values


def inference(
    chip: Chip, network: Network, x: F32, phase: str = "evaluation", *, through: Verbs | None = None
) -> Work[F32]:
    """Return the outputs for x, (samples, classes), booked under a phase that is no part of a step.

    The layers ask the verbs `through`, if given, instead of the chip's own. However many samples are passed at once,
    the signal buffer is taken to hold one of them at a time (`chips.buffers.words_alive`).
    """
    verbs = through or chip
    begin = chip.clock.now
    signal = yield from chip.receive(Signal(x, bits=chip.input_bits), network.layers[0].tags[phase])
    for layer in network.layers:
        trace = yield from layers.forward(layer, verbs, signal, phase)
        signal = trace.y
    chip.book_time(phase, begin)
    return signal.values
