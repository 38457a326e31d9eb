"""Combinations of update rule, device and learning rule: what each trains, or why it is not possible."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from archsim.base import registry
from archsim.base.errors import DataError, InputError
from archsim.base.yamlfile import Document, Key, paths
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.devices import library
from archsim.devices.base import Device, Switches
from archsim.runs import workload as workloads
from archsim.runs.identity import point_key
from archsim.runs.run import check_fit
from archsim.runs.spec import RunSpec, assign, check_boundary, read_settings, resolve
from archsim.studies.estimate.spec import fitted
from archsim.studies.rules.asked import Asked
from archsim.studies.sweeps.chips import digest
from archsim.studies.sweeps.study import Named, is_path
from archsim.technologies.of_device import DEFAULT, technology_of

NO_DEVICE = "none"
"""The device of a chip that has none."""
SPREAD_SHARE = 0.1
"""Standard deviation of a matrix's initial weights over the device's range, where each matrix has its own unit: a
choice, about what the perceptron has with weights from -1 to 1."""

_HEADER = frozenset({"schema", "kind", "chip", "name", "title", "extends", "boundary"})
"""Keys of an architecture's file that say nothing of the chip itself."""


@dataclass(frozen=True, eq=False)
class Combination:
    """One update rule with one device and one learning rule.

    Parameters
    ----------
    rule, device, learning, technology : names
    spec : RunSpec or None
        What it trains, but for rate, seed and steps; None if it is not possible.
    reason : why it is not possible, empty if it is
    key : hash of all that decides its numbers, but for rate, seed and steps
    settings : what the architecture's file was changed by
    """

    rule: str
    device: str
    learning: str
    technology: str
    spec: RunSpec | None
    reason: str = ""
    key: str = ""
    settings: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether it can be trained."""
        return self.spec is not None

    @property
    def named(self) -> str:
        """Its rules and its device in words."""
        return ", ".join(each for each in (self.rule, self.device, self.learning) if each != NO_DEVICE)


@dataclass(frozen=True)
class _Chip:
    """An update rule's architecture as it is asked for, and whether the workload's size may change it."""

    named: Named
    document: Document
    architecture: Architecture
    grows: bool
    settings: tuple[str, ...] = field(default=())

    @property
    def device(self) -> str:
        """Name of the device of its file."""
        chip = self.architecture
        return named_device(chip.weight.device) if isinstance(chip, CrossbarArchitecture) else NO_DEVICE


def named_device(told: str) -> str:
    """Return what a device is called: its name, or that of its file."""
    return Path(told).stem if told.endswith((".yaml", ".yml")) else told


def combinations(study: Asked, document: Document) -> list[Combination]:
    """Return every combination that is asked for, those that are not possible with the reason.

    Raises
    ------
    InputError
        If a setting is wrong, no combination is possible, or devices are asked for of chips that have none.
    """
    chips = list(_chips(study, document))
    if study.devices and not any(isinstance(chip.architecture, CrossbarArchitecture) for chip in chips):
        bare = ", ".join(chip.architecture.name for chip in chips)
        raise InputError(key="--device", value=study.devices[0], expected=f"no device: {bare} has none to replace")
    for_work, for_chips = assign(read_settings(study.settings), document, [each.document for each in chips])
    workloads.parse(document.with_settings(for_work))
    for chip, mine in zip(chips, for_chips, strict=True):  # a wrong key is an error, and no chip that is not possible
        architectures.parse(chip.document.with_settings(mine))
    found: list[Combination] = []
    for chip, mine in zip(chips, for_chips, strict=True):
        last = _texts({**for_work, **mine})
        for device, path, settings in _devices(study, chip):
            whole = (*chip.settings, *settings, *last)
            names = (chip.architecture.name, device, study.tech or _technology(chip, path))
            found += [_combination(study, chip, names, whole, learning, chips[0]) for learning in study.learnings]
    if not any(each.possible for each in found):
        raise InputError(f"none of {len(found)} combinations is possible, the first: {found[0].reason}", key="--arch",
                         expected="at least one")  # fmt: skip
    return found


def _texts(settings: Mapping[Key, str]) -> tuple[str, ...]:
    """Return settings as `--set` takes them."""
    return tuple(f"{'.'.join(map(str, key))}={value}" for key, value in settings.items())


def _chips(study: Asked, document: Document) -> Iterator[_Chip]:
    """Yield the architecture of every update rule, made to suit the workload if it is a shipped one.

    The workload's own chip takes the place of the one that it is a form of: mixed-precision-deep of mixed-precision.
    """
    own = [architectures.document(each) for each in workloads.architectures(document)]
    model = next((each for each in own if isinstance(architectures.parse(each), CrossbarArchitecture)), None)
    for named in study.rules:
        told, grows = named, isinstance(named, str) and not is_path(named)
        if grows:
            told = next(
                (str(each.data["name"]) for each in own if str(each.data["name"]).startswith(f"{named}-")), named
            )
        asked = architectures.document(told)
        found = architectures.parse(asked)
        settings: tuple[str, ...] = ()
        if grows and told == named and isinstance(found, CrossbarArchitecture) and "architectures" in document.data:
            settings = _suited(asked, found, model)
            found = architectures.parse(asked.with_settings(dict(read_settings(settings))))
        yield _Chip(told, asked, found, grows, settings)


def _suited(asked: Document, chip: CrossbarArchitecture, own: Document | None) -> tuple[str, ...]:
    """Return the settings by which a chip suits the workload as the workload's own crossbar chip does.

    A chip of the same kind gets all that the own one says beyond what both extend, but for what it says itself there;
    one of another kind, which has other keys, the digital unit, the tiles and the ranges.
    """
    if own is None:
        return ()
    model = cast("CrossbarArchitecture", architectures.parse(own))
    if type(model) is type(chip):
        both = {asked.path, *asked.ancestors} & {own.path, *own.ancestors}
        stated = _stated(asked, both)
        return tuple(f"{key}={json.dumps(value)}" for key, value in _stated(own, both).items() if key not in stated)
    unit = model.digital_unit.model_dump(exclude_none=True)
    found = [f"digital_unit.{key}={value}" for key, value in unit.items()]
    found.append(f"tile.count={max(chip.tile.count, model.tile.count)}")
    if model.tile.adc.tracked is not None:
        found.append(f"tile.adc.tracked={model.tile.adc.tracked.model_dump()}")
    if model.weight.spread is not None and chip.weight.spread is None:
        device = _device(chip.device_file())
        found += ["weight.unit=null", f"weight.spread={_siemens(SPREAD_SHARE * (device.high - device.low))}"]
    return tuple(found)


def _stated(document: Document, elsewhere: Collection[Path]) -> dict[str, Any]:
    """Return dotted key -> value of what an architecture says of the chip itself, but in files elsewhere.

    Its device is not among it: a study has its own.
    """
    return {
        dotted: value
        for dotted, value in paths(document.data).items()
        if (key := tuple(dotted.split(".")))[0] not in _HEADER
        and key != ("weight", "device")
        and not isinstance(value, dict)
        and document.homes.get(key, document.path) not in elsewhere
    }


def _devices(study: Asked, chip: _Chip) -> Iterator[tuple[str, Path | None, tuple[str, ...]]]:
    """Yield the devices that a chip is tried with, their files, and the settings that put each in place of its own."""
    if not isinstance(chip.architecture, CrossbarArchitecture):
        yield NO_DEVICE, None, ()
        return
    asked = study.devices
    if asked is None:  # over pairs the devices of a preset, which hold what they have, would have no sense
        others = () if "pairs" in chip.document.data else study.how_much.devices
        asked = (chip.architecture.weight.device, *others)
    seen: set[str] = set()
    for device in asked:
        if (name := named_device(device)) not in seen:
            seen.add(name)
            if name == chip.device and not is_path(device):
                yield name, chip.architecture.device_file(), ()
            else:
                yield name, library.device_file(device, option="--device"), replaced(chip.architecture, device)


def _technology(chip: _Chip, device: Path | None) -> str:
    """Return the technology that has the pulses of a chip with a device; the default one of a chip without any."""
    if not isinstance(chip.architecture, CrossbarArchitecture):
        return DEFAULT
    return technology_of(chip.architecture.written(device))


def replaced(chip: CrossbarArchitecture, device: str) -> tuple[str, ...]:
    """Return the settings that put another device into a chip, each conductance at the same part of its range.

    What a weight of 1 takes of the range, and from where on devices are refreshed, stay the same parts of it.
    """
    old, path = _device(chip.device_file()), library.device_file(device, option="--device")
    new = _device(path)
    share = (new.high - new.low) / (old.high - old.low)
    found = [f"weight.device={path.resolve() if is_path(device) else device}"]
    units = {"unit": chip.weight.unit, "spread": chip.weight.spread}
    found += [f"weight.{key}={_siemens(value * share)}" for key, value in units.items() if value is not None]
    if (refresh := getattr(chip, "refresh", None)) is not None:
        found.append(f"refresh.saturated={_siemens(new.low + (refresh.saturated - old.low) * share)}")
        found.append(f"refresh.difference={_siemens(refresh.difference * share)}")
    return tuple(found)


def _device(path: Path) -> Device:
    return library.build(path, Switches())


def _siemens(value: float) -> str:
    return f"{value * 1e6:.6g} uS"


def _combination(
    study: Asked, chip: _Chip, named: tuple[str, str, str], settings: tuple[str, ...], learning: str, first: _Chip
) -> Combination:  # fmt: skip
    """Return one combination of a rule, a device and a technology by name, resolved; what refuses it is its reason."""
    rule, device, technology = named
    names = (rule, device, learning, technology)
    whole = (*settings, f"network.learning={learning}")
    try:
        check_boundary([first.document, chip.document], [first.architecture, chip.architecture])
        spec = _resolved(study, chip, names[-1], whole)
        if chip.grows and (more := _grown(study, chip, spec, whole)):
            whole = (*whole, *more)
            spec = _resolved(study, chip, names[-1], whole)
        check_fit(spec)
    except DataError:
        raise
    except InputError as error:
        return Combination(*names, None, str(error).removeprefix("--set: "))
    return Combination(*names, spec, key=digest([point_key(spec), *names]), settings=whole)


def _resolved(study: Asked, chip: _Chip, tech: str, settings: Sequence[str]) -> RunSpec:
    presets = workloads.document(study.workload).data.get("presets") or {}
    preset = study.how_much.of if study.how_much.of in presets else None
    return resolve(
        study.workload, archs=[chip.named], techs=[tech], settings=settings, preset=preset, data=study.data
    )  # fmt: skip


def _grown(study: Asked, chip: _Chip, spec: RunSpec, settings: Sequence[str]) -> list[str]:
    """Return the settings that make a chip as large as the network asks."""
    [now] = spec.architectures
    demands = registry.load("chip", now.chip).demands(now, spec.network, spec.training.batch)
    if all(each.short <= 0 for each in demands):
        return []
    _, (own,) = assign(read_settings(settings), workloads.document(study.workload), [chip.document])
    _, changes = fitted(chip.document.with_settings(own), spec.network, spec.training.batch, as_is=False, tiles=None)
    return [f"{key}={value}" for key, (_, value) in changes.items()]
