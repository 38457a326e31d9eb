"""What is estimated: a network on chips that are large enough for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archsim.accounting.technology import Technology, read_technology
from archsim.base import registry
from archsim.base.errors import InputError, nearest
from archsim.base.yamlfile import Document, Key
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.chip import Chip
from archsim.networks.network import Network
from archsim.runs import workload as workloads
from archsim.runs.spec import DEFAULT_TECHNOLOGIES, DIGITAL, assign, read_settings
from archsim.runs.workload import Workload
from archsim.technologies.overlay import overlays, read_pair

BANKS = {"digital_unit.buffer_words": "digital_unit.buffer_banks"}
"""Key of a memory's words -> key of its banks: a larger memory has more of them, each as large as before."""


@dataclass(frozen=True)
class EstimateSpec:
    """What an estimate is made of.

    Parameters
    ----------
    workload : Workload
    network : Network
    architectures : tuple of Architecture
    technology : Technology
    batch : int
        Samples of a training step and of an inference.
    grown : architecture's name -> key -> (value of its file, value here)
        What was made larger, so that the network fits.
    tiles : int, optional
        Tiles to lay busy matrices down on more than once.
    copies : matrix -> how often it is laid down; once, or as `tiles` has it, if not named
    settings, figures : tuple of (key, value)
        As given.
    """

    workload: Workload
    network: Network
    architectures: tuple[Architecture, ...]
    technology: Technology
    batch: int
    grown: Mapping[str, Mapping[str, tuple[int, int]]]
    tiles: int | None = None
    settings: tuple[tuple[str, str], ...] = ()
    figures: tuple[tuple[str, str], ...] = field(default_factory=tuple)
    copies: Mapping[str, int] = field(default_factory=dict)

    @property
    def baseline(self) -> str | None:
        """Name of the first digital chip."""
        return next((each.name for each in self.architectures if each.chip == DIGITAL), None)


MOST_AT_ONCE = 10**9
"""Samples of a batch, or tiles: assumed to be more than anyone asks for."""


def resolve(
    network: str | Mapping[str, Any], *, batch: int | None = None,
    archs: Sequence[str | Mapping[str, Any]] | None = None, tech: str = DEFAULT_TECHNOLOGIES[0],
    settings: Sequence[str] | Mapping[str, Any] = (), figures: Sequence[str] | Mapping[str, str] = (),
    as_is: bool = False, tiles: int | None = None, copies: Mapping[str, int] | None = None,
    technology: Technology | None = None,
) -> EstimateSpec:  # fmt: skip
    """Read and check everything an estimate needs; no data are read.

    Parameters
    ----------
    network : str or mapping
        A workload, by path, shipped name or content.
    batch : int, optional
        By default that of the workload's training.
    archs, tech, settings, figures
        As for `archsim.resolve`; without `archs` the workload says on which chips it is trained.
    as_is : bool
        Refuse a network that does not fit; else chips are made as large as it takes.
    tiles : int, optional
        Lay busy matrices down more than once, on so many tiles in all.
    copies : matrix -> int, optional
        Lay these down so often, where a published design says so.
    technology : Technology, optional
        In place of `tech` and `figures`, where it has been read.

    Raises
    ------
    InputError
        For the first thing wrong: a file, a key, a value, an option.
    DoesNotFitError
        With `as_is`, for a network that asks for more than a chip has.
    """
    for option, number in (("--tiles", tiles), ("--batch", batch)):
        if number is not None and not 1 <= number <= MOST_AT_ONCE:
            raise InputError(key=option, value=number, expected=f"a whole number from 1 to {MOST_AT_ONCE:,}")
    document = workloads.document(network)
    named = workloads.architectures(document) if archs is None else archs
    documents = [architectures.document(each) for each in named]
    pairs = read_settings(settings)
    for_work, for_archs = assign(pairs, document, documents)
    work = workloads.parse(document.with_settings(for_work))
    built = work.network.build(bound=known_bound(work))
    check_known(document, built)
    samples = batch or work.training.batch
    chips = [
        fitted(source.with_settings(given), built, samples, as_is=as_is, tiles=tiles)
        for source, given in zip(documents, for_archs, strict=True)
    ]
    if tiles is not None or copies:
        _check_copies([chip for chip, _ in chips], "copies" if copies else "--tiles")
    for name in copies or ():
        if name not in built.shapes:
            raise InputError(
                "no such matrix", key=f"copies.{name}", expected=f"one of {', '.join(built.shapes)}",
                hint=nearest(name, built.shapes),
            )  # fmt: skip
    if len({chip.name for chip, _ in chips}) < len(chips):
        raise InputError("two chips of one name", key="--arch", expected="each name once")
    values = [*figures.items()] if isinstance(figures, Mapping) else [read_pair(text) for text in figures]
    if technology is None:
        [technology] = overlays([read_technology(tech)], values)
    return EstimateSpec(
        work, built, tuple(chip for chip, _ in chips), technology, samples,
        {chip.name: changes for chip, changes in chips if changes}, tiles,
        tuple((".".join(map(str, key)), value) for key, value in pairs), tuple(values), dict(copies or {}),
    )  # fmt: skip


def check_known(document: Document, network: Network) -> None:
    """Refuse a network whose training does what an estimate cannot know.

    Raises
    ------
    InputError
        If signs of weights are sent back.
    """
    if any(matrix.role == "signs" for matrix in network.fixed):
        raise document.error(
            ("network", "learning"), "is not estimated: how often signs of weights change is not known without "
            "training", expected="another learning rule, or `archsim run`",
        )  # fmt: skip


def _check_copies(chips: Sequence[Architecture], key: str) -> None:
    """Refuse to lay matrices down more than once where no chip has tiles, or each copy would be pulsed by chance."""
    if not any(hasattr(chip, "tile") for chip in chips):
        raise InputError(
            f"no tiles in {' and '.join(chip.name for chip in chips)}", key=key,
            expected="none for chips that keep weights in memory, or a chip with tiles",
        )  # fmt: skip
    for chip in chips:
        if registry.load("chip", chip.chip).WRITES_IN_PLACE:
            raise InputError(
                f"copies of weights that {chip.name} pulses by chance would differ", key=key,
                expected="none for chips that update in the array",
            )  # fmt: skip


def known_bound(work: Workload) -> float | None:
    """Return the largest magnitude of an input, as far as the workload alone tells.

    Images lie within full scale, unless they are normalised; codes of characters do not.
    """
    shape = getattr(work.network, "inputs", None)
    codes = isinstance(shape, list | tuple) and len(shape) == 2 and shape[-1] == 1
    return None if codes or work.images.normalise else 1.0


def fitted(
    source: Document, network: Network, samples: int, *, as_is: bool, tiles: int | None
) -> tuple[Architecture, dict[str, tuple[int, int]]]:
    """Return a chip on which the network fits, and what was made larger for that."""
    chip = architectures.parse(source)
    kind: type[Chip] = registry.load("chip", chip.chip)
    kind.check_estimated(chip)
    if as_is:
        kind.fit(chip, network, samples)
        return chip, {}
    changes: dict[str, tuple[int, int]] = {}
    for demand in kind.demands(chip, network, samples):
        if demand.short <= 0:
            continue
        changes[demand.key] = (demand.available, demand.needed)
        if (banks := BANKS.get(demand.key)) is not None:
            count = _value(chip, banks)
            changes[banks] = (count, math.ceil(demand.needed * count / demand.available))
    own = getattr(getattr(chip, "tile", None), "count", None)
    if tiles is not None and own is not None and chip.link is None and own < tiles:
        changes["tile.count"] = (own, tiles)
    settings: dict[Key, str] = {tuple(key.split(".")): str(value) for key, (_, value) in changes.items()}
    return (architectures.parse(source.with_settings(settings)) if settings else chip), changes


def _value(chip: Architecture, key: str) -> int:
    found: Any = chip
    for name in key.split("."):
        found = getattr(found, name)
    return int(found)
