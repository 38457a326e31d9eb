"""How many words the signal buffer must hold."""

from __future__ import annotations

from archsim.chips.fitting.demands import Demand
from archsim.networks.network import Network


def words_alive(network: Network, samples: int) -> int:
    """Return the words alive at once while a batch of `samples` is trained on, by the program that needs the most.

    The update of the mean gradient comes after the backward pass of the whole batch, so every sample's signals are
    alive until then. Evaluation asks for no more: it is taken to stream sample by sample through the layers, keeping
    nothing for an update; that the model passes many samples at once there is the simulator's convenience.
    """
    return samples * max(program.words_alive() for program in network.training)


def buffer_demand(network: Network, samples: int, available: int, *, of: int) -> Demand:
    """Return the demand on a buffer of so many words, where `samples` at once, `of` a batch, are under way at least."""
    words = words_alive(network, samples)
    several = f"a batch of {samples}" if samples == of else f"{samples} at once of a batch of {of}"
    whose = "one sample's signals" if samples == 1 else f"the signals of {several} samples"
    return Demand(
        "digital_unit.buffer_words", words, available,
        f"{whose} (all that is alive at once in a training step) take {words} words of the signal buffer",
        f"at least {words} words",
    )  # fmt: skip
