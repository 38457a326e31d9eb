"""What a kind of chip says of itself before one is built, what it refuses, and in which steps one is built."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Self

from archsim.base.arrays import F32
from archsim.base.errors import InputError, ModelError
from archsim.base.streams import Streams
from archsim.base.yamlfile import Document
from archsim.chips.architecture import Architecture
from archsim.chips.board import Board, Times
from archsim.chips.fitting.buffers import buffer_demand
from archsim.chips.fitting.demands import Demand, require
from archsim.chips.plan import plan
from archsim.learning.optimisers.rules import Learnt, Optimiser
from archsim.networks.network import Network
from archsim.networks.program import Call


class ChipKind(Board):
    """A kind of chip: the base of `Chip`, which is one that was built."""

    SCHEMA: type[Architecture]
    ESTIMATED: ClassVar[bool] = False
    """Whether there are estimates of chips of this kind: `expected`."""
    ACCUMULATES: ClassVar[bool] = False
    """Whether gradients are summed before weights move, so that an optimiser can stand between."""
    SUMS_APART: ClassVar[bool] = False
    """Whether gradients are summed apart from the weights, with an optimiser or without one."""
    WEIGHTS_DECAY: ClassVar[bool] = False
    """Whether all weights can be made smaller by a factor in a step."""

    WRITES_IN_PLACE: ClassVar[bool] = False
    """Whether devices are pulsed where they stand by every outer product; how they are, is `InPlace`."""

    @classmethod
    def check(cls, source: Document, architecture: Architecture) -> None:
        """Refuse what a schema cannot: files that the architecture names and that are not there or not right."""
        del source, architecture  # a chip kind that names no files has no more to check

    @classmethod
    def start(
        cls, architecture: Architecture, network: Network, times: Times, streams: Streams, *, samples: int = 1,
        optimiser: Optimiser | None = None,
    ) -> Self:  # fmt: skip
        """Return a chip with the network placed on it and loaded, to be trained on batches of `samples`.

        Raises
        ------
        InputError
            If the chip has nothing for the optimiser.
        DoesNotFitError
            If the network asks for more than the chip has.
        """
        cls.check_optimiser(architecture, optimiser)
        cls.fit(architecture, network, samples)
        made = cls.loaded(architecture, network, times, streams, optimiser)
        return made.holding(network.initial_parameters(streams), optimiser, samples=samples)

    @classmethod
    def expected(
        cls, architecture: Architecture, network: Network, times: Times, *, samples: int, optimiser: Optimiser | None,
        writing: Mapping[str, Any],
    ) -> Self:  # fmt: skip
        """Return a chip without numbers, that counts what one in training is expected to do.

        Parameters
        ----------
        writing : matrix -> how often its devices are written: `InPlace` of a kind that writes so, else `InPairs`
            Nothing is written to those that are not named.

        Raises
        ------
        InputError
            If there are no estimates of this kind of chip, or as for `start`.
        DoesNotFitError
            If the network asks for more than the chip has.
        """
        cls.check_estimated(architecture)
        cls.check_optimiser(architecture, optimiser)
        cls.fit(architecture, network, samples)
        return cls.shaped(architecture, network, times, optimiser, writing).expecting(optimiser, samples)

    @classmethod
    @abstractmethod
    def loaded(
        cls, architecture: Architecture, network: Network, times: Times, streams: Streams, optimiser: Optimiser | None
    ) -> Self:
        """Return a chip with the weights that a training begins with; all that it asks for has been checked."""

    @classmethod
    def shaped(
        cls, architecture: Architecture, network: Network, times: Times, optimiser: Optimiser | None,
        writing: Mapping[str, Any],
    ) -> Self:  # fmt: skip
        """Return a chip whose weights are shapes alone, for `expected`."""
        del architecture, network, times, optimiser, writing
        raise ModelError(f"{cls.__name__} says of itself that it is estimated, but has no `shaped`")

    @abstractmethod
    def holding(
        self, parameters: dict[str, F32], optimiser: Optimiser | None = None,
        learnt: dict[str, Learnt] | None = None, *, samples: int | None = None,
    ) -> Self:  # fmt: skip
        """Take over the network's digital parameters and its optimiser, and return the chip."""

    @abstractmethod
    def expecting(self, optimiser: Optimiser | None, samples: int) -> Self:
        """Hold parameters, and for an optimiser gradients and states, of which only the shape is known."""

    @classmethod
    def check_estimated(cls, architecture: Architecture) -> None:
        """Refuse a chip of which there are no estimates.

        Raises
        ------
        InputError
            If it is one.
        """
        if not cls.ESTIMATED:
            raise InputError(
                f"{architecture.name} is of a kind that is not estimated", key="--arch", value=architecture.chip,
                expected="mixed-precision, digital32 or in-array",
                hint="Only a training tells: archsim run, a sweep without --estimate, a search with --train",
            )  # fmt: skip

    @classmethod
    def demands(cls, architecture: Architecture, network: Network, samples: int) -> list[Demand]:
        """Return what a network asks of a chip of this architecture while batches of `samples` are trained on."""
        if architecture.dram is not None:
            return []
        together, flow = samples, architecture.flow
        if flow is not None:
            cut = partial(plan, gathers=partial(cls.gathers, architecture, network), apart=cls.SUMS_APART,
                          staleness=flow.staleness)  # fmt: skip
            together = max(cut(program).together(samples, flow.samples) for program in network.training)
        return [buffer_demand(network, together, architecture.digital_unit.buffer_words, of=samples)]

    @classmethod
    def gathers(cls, architecture: Architecture, network: Network, call: Call) -> bool:
        """Whether a call needs something of all samples of a batch before it can be done for one of them."""
        del architecture, network, call
        return False

    @classmethod
    def check_optimiser(cls, architecture: Architecture, optimiser: Optimiser | None) -> None:
        """Refuse an optimiser that the chip has nothing for: what `start` and `expected` do before anything is built.

        Raises
        ------
        InputError
            For any, unless the chip's class says of itself that it accumulates gradients; for one that lets weights
            decay, unless it says that they can.
        """
        if optimiser is not None and not cls.ACCUMULATES:
            raise InputError(
                f"asks for an optimiser, but {architecture.name} has nowhere to accumulate gradients",
                key="training.optimiser", expected="sgd",
            )  # fmt: skip
        if optimiser is not None and optimiser.decay and not cls.WEIGHTS_DECAY:
            raise InputError(
                f"lets weights decay, but those of {architecture.name} lie in devices", key="training.optimiser.decay",
                value=optimiser.decay, expected="0",
            )  # fmt: skip

    @classmethod
    def fit(cls, architecture: Architecture, network: Network, samples: int) -> None:
        """Refuse a network that the chip cannot hold: what `start` and `expected` do before anything is built.

        Raises
        ------
        DoesNotFitError
            With all demands that are not met, and the settings that make them fit.
        """
        require({architecture.name: cls.demands(architecture, network, samples)})
