"""Choose what `archsim compare` sets side by side: technologies of a run, its chips, or several runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from archsim.base.errors import InputError, nearest
from archsim.base.signal import STEP_PHASES
from archsim.records import ruled
from archsim.records.differences import FORMULA, METHOD, Difference, difference
from archsim.records.recorded import Recorded, RecordedChip
from archsim.records.reprice import Retimed, Side, Tariff, lent, price_chip, ranged, recorded, tariff

Kind = Literal["technologies", "architectures", "runs"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Panel:
    """Sides that belong together, and the difference from the first to each other one."""

    title: str
    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Comparison:
    """What is set side by side.

    Parameters
    ----------
    kind : what differs between the sides of a panel
    runs : the run directories
    panels : a panel a chip, or one
    ratios : label of a side -> (baseline, other chip) -> the one's energy of a step over the other's
    unlike : in what the runs are no runs of one job
    notes : what else a reader must know
    """

    kind: Kind
    runs: tuple[Recorded, ...]
    panels: tuple[Panel, ...]
    ratios: dict[str, dict[tuple[str, str], float]]
    unlike: tuple[str, ...]
    notes: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "schema": 1,
            "compares": self.kind,
            "runs": [_run_content(run) for run in self.runs],
            "formula": FORMULA,
            "panels": [
                {
                    "title": panel.title,
                    "sides": [_side_content(side) for side in panel.sides],
                    "differences": [_difference_content(each) for each in panel.differences],
                }
                for panel in self.panels
            ],
            "energy_ratios": {
                label: [{"over": over, "under": under, "ratio": ratio} for (over, under), ratio in pairs.items()]
                for label, pairs in self.ratios.items()
            },
            "unlike": list(self.unlike),
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class PricingOptions:
    """How sides are priced.

    Parameters
    ----------
    ranges : bool
        Read the ranges of figures even where recorded prices would do.
    retime_steps : int or None
        Steps to run again for a technology of other times; None refuses one.
    data : path, optional
        Folder with the files of the data set, for re-timing.
    points : path
        Where re-timed points are kept.
    techs : files and names given, for runs that used files
    say : gets a line when something takes long
    rule : another scaling rule by which runs are priced, too
    """

    ranges: bool
    retime_steps: int | None
    data: Path | None
    points: Path
    techs: tuple[str, ...]
    say: Say
    rule: str | None = None


def compare(
    paths: Sequence[Path], *, techs: Sequence[str] = (), archs: Sequence[str] = (), points: Path,
    ranges: bool = False, retime_steps: int | None = None, data: Path | None = None, say: Say | None = None,
    rule: str | None = None,
) -> Comparison:  # fmt: skip
    """Set one run's technologies, one run's chips, or several runs side by side.

    Parameters
    ----------
    paths : run directories
    techs : technologies by name or file; by default those of the run, for several runs the first run's own
    archs : names of architectures of the runs; by default all
    points : folder for re-timed points
    ranges, retime_steps, data, say
        See `PricingOptions`.
    rule : another scaling rule: one run is set beside itself by it, of several runs each is priced by it

    Raises
    ------
    InputError
        If there is nothing to compare, a name is not known, or the accounts have unlike boundaries.
    """
    techs, archs = tuple(dict.fromkeys(techs)), tuple(dict.fromkeys(archs))
    options = PricingOptions(ranges, retime_steps, data, points, techs, say or _silent, rule)
    if techs and rule:
        raise InputError("given together with --tech", key="--figure-rule", value=rule, expected="one of them")
    runs = tuple(ruled.read(path, rule if len(paths) > 1 else None) for path in paths)
    kind: Kind = "runs"
    if len(runs) > 1:
        panels = _several(runs, techs, archs, options)
    else:
        kind, panels = _one_run(runs[0], techs, archs, options)
    for panel in panels:
        _check_boundaries(panel)
    notes = [note for panel in panels for side in panel.sides for note in side.notes]
    notes += [f"{note}." for note in ([ruled.ruled(run, rule).note for run in runs] if rule else []) if note]
    notes += _other(runs, panels) if len(runs) > 1 else []
    ratios = _ratios(panels, [str(run.summary["baseline"]) for run in runs])
    return Comparison(kind, runs, panels, ratios, tuple(_unlike(runs)), tuple(dict.fromkeys(notes)))


def _silent(line: str) -> None:
    """Say nothing."""
    del line


def _one_run(
    run: Recorded, techs: Sequence[str], archs: Sequence[str], options: PricingOptions
) -> tuple[Kind, tuple[Panel, ...]]:
    chips = [_chip(run, name) for name in archs or run.chips]
    own = recorded(run.named[0])
    given = [tariff(run, name) for name in techs] or _by_rule(run, options.rule)
    if len(given) == 1 and len(archs) < 2 and given[0].name != own.name:
        given = [own, *given]
    elif not given and len(archs) < 2 and len(run.named) > 1:
        given = [recorded(each) for each in run.named]
    _distinct([each.name for each in given])
    if len(given) > 1:
        return "technologies", tuple(
            _panel(chip.architecture, [_side(run, chip, each, each.name, options) for each in given]) for chip in chips
        )
    if len(chips) < 2:
        raise InputError(
            "nothing to compare with", key="RUN", value=str(run.path),
            expected="two technologies (--tech A --tech B), two chips of the run, or a second run",
        )  # fmt: skip
    by = given[0] if given else own
    sides = [_side(run, chip, by, chip.architecture, options) for chip in chips]
    return "architectures", (_panel(f"{' and '.join(side.label for side in sides)}, {by.name}", sides),)


def _by_rule(run: Recorded, rule: str | None) -> list[Tariff]:
    """Return the run's own tariff and that by another rule; none if no other is asked for."""
    other = (ruled.ruled(run, rule) if rule else run).named[0]
    return [recorded(each) for each in (run.named[0], other)] if other.technology else []


def _several(
    runs: Sequence[Recorded], techs: Sequence[str], archs: Sequence[str], options: PricingOptions
) -> tuple[Panel, ...]:
    most = 2 if len(runs) == 2 else 1
    if len(techs) > most:
        expected = "at most two for two runs, the first for the first run; one for more runs"
        raise InputError(key="--tech", value=techs[most], expected=expected)
    own = runs[0].named[0]
    if not techs and all(own in run.named for run in runs):
        tariffs = [recorded(own)] * len(runs)
    else:  # by one file for all, or by the two given
        names = techs or [lent(runs[0], run) for run in runs]
        tariffs = [tariff(run, names[min(k, len(names) - 1)]) for k, run in enumerate(runs)]
    labels = _labels(runs, tariffs)
    return tuple(
        _panel(
            " and ".join(dict.fromkeys(chip.architecture for chip in group)),
            [_side(*each, options) for each in zip(runs, group, tariffs, labels, strict=True)],
        )
        for group in _groups(runs, archs)
    )


def _groups(runs: Sequence[Recorded], archs: Sequence[str]) -> list[list[RecordedChip]]:
    """Return which chips stand beside each other, one of each run.

    Those of one name; and those that are left, where each run has one. Names given are one a run, or of all runs.
    """
    if len(archs) == len(runs):
        return [[_chip(run, name) for run, name in zip(runs, archs, strict=True)]]
    if archs:
        return [[_chip(run, name) for run in runs] for name in archs]
    groups = [[run.chips[name] for run in runs] for name in runs[0].chips if all(name in run.chips for run in runs)]
    left = [_left(run, runs) for run in runs]
    if all(len(names) == 1 for names in left):
        groups.append([run.chips[names[0]] for run, names in zip(runs, left, strict=True)])
    if not groups:
        first, *others = (", ".join(run.chips) for run in runs)
        raise InputError(
            "the runs have no chip of one name", key="--arch",
            expected=f"--arch X --arch Y, X of {first} and Y of {'; '.join(others)}",
        )  # fmt: skip
    return groups


def _left(run: Recorded, runs: Sequence[Recorded]) -> list[str]:
    """Return the chips of a run that not all runs have."""
    return [name for name in run.chips if not all(name in other.chips for other in runs)]


def _panel(title: str, sides: Sequence[Side]) -> Panel:
    return Panel(title, tuple(sides), tuple(difference(sides[0], other) for other in sides[1:]))


def _labels(runs: Sequence[Recorded], tariffs: Sequence[Tariff]) -> list[str]:
    names = [run.path.resolve().name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.path) for run in runs]
    if len(set(names)) < len(names):
        names = [f"{name} ({k})" for k, name in enumerate(names, start=1)]
    if len({each.name for each in tariffs}) > 1:
        names = [f"{name}, {each.name}" for name, each in zip(names, tariffs, strict=True)]
    return names


def _side(run: Recorded, chip: RecordedChip, given: Tariff, label: str, options: PricingOptions) -> Side:
    retimed: Retimed | None = None
    if not given.clocks(run) and options.retime_steps is not None and given.technology is not None:
        from archsim.records.retime import retime

        options.say(f"re-timing {chip.architecture} of {run.path} with the times of {given.name}")
        retimed = retime(
            run, chip, given.technology, folder=options.points, steps=options.retime_steps, data=options.data,
            techs=options.techs,
        )  # fmt: skip
    side = price_chip(run, chip, ranged(run, given) if options.ranges else given, label=label, retimed=retimed)
    if retimed is None:
        return side
    return replace(side, label=f"{label} (re-timed)")


def _chip(run: Recorded, name: str) -> RecordedChip:
    if name not in run.chips:
        known = ", ".join(run.chips)
        raise InputError(
            f"{run.path} has no chip {name!r}", key="--arch", expected=f"one of {known}", hint=nearest(name, run.chips)
        )
    return run.chips[name]


def _distinct(names: Sequence[str]) -> None:
    for name in names:
        if list(names).count(name) > 1:
            raise InputError(f"two are named {name!r}", key="--tech", expected="each name once")


def _check_boundaries(panel: Panel) -> None:
    """Refuse sides whose accounts cover different functions: their difference would mean nothing."""
    first = panel.sides[0]
    for other in panel.sides[1:]:
        if differing := sorted(set(first.inside) ^ set(other.inside)):
            raise InputError(
                f"{first.architecture} of {first.run} and {other.architecture} of {other.run} have unlike boundaries: "
                f"{', '.join(differing)}", key="boundary", expected="accounts of the same functions",
            )  # fmt: skip


def _unlike(runs: Sequence[Recorded]) -> list[str]:
    """Say in what jobs differ, so that a step of one is no step of the other, and what can then be compared."""
    facts = {
        "network": [_network(run) for run in runs],
        "data": [str(run.summary.get("dataset_origin")) for run in runs],
        "metric": [run.metric.name for run in runs],
        "batch": [str(run.run["workload"]["training"]["batch"]) for run in runs],
    }
    kept = {**facts, "data": [str(run.run["dataset"]["sha256"]) for run in runs]}
    differing = [f"{what} ({'; '.join(facts[what])})" for what, values in kept.items() if len(set(values)) > 1]
    if not differing:
        return []
    comparable = "energy and time a sample" if differing[0].startswith("batch") else "prices and shares of the parts"
    return [
        f"These runs are not of one job; they differ in {', '.join(differing)}. What is comparable then: {comparable}. "
        "Not comparable: a step with a step" + ("." if len(differing) == 1 and "batch" in differing[0] else
                                                ", a total with a total, a test with a test.")
    ]  # fmt: skip


def _network(run: Recorded) -> str:
    layers = _layers(run.run["workload"]["network"])
    told = "-".join(str(layer.get("units") or layer.get("kind")) for layer in layers)
    return f"{run.summary.get('workload')}: {told}"


def _other(runs: Sequence[Recorded], panels: Sequence[Panel]) -> list[str]:
    """Say in what else the runs differ, and which of their chips stand beside none."""
    said = []
    for key, what in (("steps", "steps"), ("seed", "seed")):
        values = [run.summary.get(key) for run in runs]
        if len(set(values)) > 1:
            said.append(f"The runs differ in {what}: {' and '.join(map(str, values))}.")
    shown = {(side.run, side.architecture) for panel in panels for side in panel.sides}
    alone = {run.path: [name for name in run.chips if (run.path, name) not in shown] for run in runs}
    return said + [
        f"Of {path} only, not compared: {', '.join(names)}; --arch X --arch Y names a pair."
        for path, names in alone.items()
        if names
    ]


def _ratios(panels: Sequence[Panel], baselines: Collection[str]) -> dict[str, dict[tuple[str, str], float]]:
    """Return for every label the baseline's energy over each other chip's, where panels hold both."""
    found: dict[str, dict[str, float]] = {}
    for panel in panels:
        for side in panel.sides:
            label = side.label.removesuffix(" (re-timed)")
            found.setdefault(label, {}).setdefault(side.architecture, side.energy())
    pairs = {}
    for label, chips in found.items():
        over = next((name for name in baselines if name in chips), "")
        pairs[label] = {(over, under): chips[over] / chips[under] for under in chips if over and chips[under]}
        pairs[label].pop((over, over), None)
    return {label: each for label, each in pairs.items() if each}


# --- JSON -------------------------------------------------------------------------------------------------------------
def _run_content(run: Recorded) -> dict[str, Any]:
    keys = ("workload", "dataset", "seed", "steps", "state")
    return {"path": str(run.path), **{key: run.summary.get(key) for key in keys}}


def _side_content(side: Side) -> dict[str, Any]:
    by_phase = {phase: side.energy(phase=phase) for phase in STEP_PHASES}
    return {
        "label": side.label,
        "run": str(side.run),
        "architecture": side.architecture,
        "technology": {"name": side.technology, "sha256": side.sha256},
        "steps": side.steps,
        "retimed_steps": side.retimed.steps if side.retimed else None,
        "energy_per_step_J": {**by_phase, "total": side.energy()},
        "energy_per_step_by_component_J": {name: side.energy(component=name) for name in side.components},
        "energy_per_step_range_J": None if side.ends_J is None else list(side.ends_J),
        "latency_per_step_s": dict(side.latency_s),
    }


def _difference_content(each: Difference) -> dict[str, Any]:
    return {
        "from": each.from_label,
        "to": each.to_label,
        "by": METHOD[each.by],
        "from_J": each.from_J,
        "to_J": each.to_J,
        "difference_J": each.to_J - each.from_J,
        "ratio": each.to_J / each.from_J if each.from_J else None,
        "changes": [
            {
                "name": change.name, "effect": change.effect, "figures": list(change.figures),
                "components": list(change.components), "actions": list(change.actions), "basis": list(change.basis),
                "from_J": change.from_J, "to_J": change.to_J, "factor": change.factor,
                "difference_J": change.difference_J,
            }
            for change in each.changes
        ],
    }  # fmt: skip


def _layers(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a run.yaml says of the layers of a network in any form: those of a generator first."""
    parts = [told[key] for key in ("generator", "discriminator") if key in told] or [told]
    return [layer for part in parts for layer in part["layers"]]
