"""Re-runs that show which design decisions the energy ratio hangs on: one change each, a few thousand steps.

A change of one chip leaves the other's numbers alone (each chip trains on a clock and streams of its own), so a variant
runs the changed chip only and takes the other from the reference: the same re-run with nothing changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from archsim.accounting.technology import Technology
from archsim.base import kept
from archsim.base.errors import InputError
from archsim.base.progress import Counted
from archsim.runs.layout import read_run
from archsim.studies.explain.sensitivity import Spent
from archsim.studies.repeat import options_of
from archsim.studies.workers.points import Options, run_points
from archsim.studies.workers.pool import PROCESSES, On

STEPS = 3000
Measured = tuple[float, float]
"""Energy of a step [J], and the metric of its test."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A changed design decision, of every chip that has what it changes.

    Parameters
    ----------
    name : str
    settings : tuple of (key, value)
        As for `--set`, without the architecture's name.
    why : str
        What changes with it, in a line.
    """

    name: str
    settings: tuple[tuple[str, str], ...]
    why: str


def _one(name: str, key: str, value: object, why: str) -> Variant:
    return Variant(name, ((key, str(value)),), why)


_ARRAY = "mac_array."
_LANES, _BANKS, _WORD = f"{_ARRAY}lanes", f"{_ARRAY}weight_banks", f"{_ARRAY}weights_per_access"
_SKIP = f"{_ARRAY}skip_zero_inputs"
_OUTER, _CHI, _ADC = "outer_product.", "outer_product.chi.", "tile.adc."
_MEMORY_BOUND = "one memory bank still sets the pace, and lanes that wait for it are clocked"
_SMALL_BANKS = "smaller banks: less energy an access, several at once; wires between banks are not counted"
_ERRORS = "coarser errors are zero more often, so fewer elements of chi are touched"

VARIANTS: tuple[Variant, ...] = (
    _one("8 lanes", _LANES, 8, f"an operand read serves more lanes; {_MEMORY_BOUND}"),
    _one("32 lanes", _LANES, 32, f"an operand read serves more lanes; {_MEMORY_BOUND}"),
    _one("4 weight banks", _BANKS, 4, _SMALL_BANKS),
    _one("16 weight banks", _BANKS, 16, f"{_SMALL_BANKS}; one lane now sets the pace"),
    Variant("8 lanes, 4 banks", ((_LANES, "8"), (_BANKS, "4")), "parallel, on memory that keeps up in part"),
    Variant("32 lanes, 16 banks", ((_LANES, "32"), (_BANKS, "16")), "parallel, on many small memories"),
    _one("skips zero inputs", _SKIP, "true", "a zero input costs no weight access and no product"),
    _one("64-bit word", _WORD, 2, "two weights an access: the law prices by bit, so time is what is saved"),
    _one("128-bit word", _WORD, 4, "four weights an access: the law prices by bit, so time is what is saved"),
    _one("operands in 32 KiB", f"{_ARRAY}operand_words", 8192, "a larger memory: more energy an operand"),
    Variant(
        "strong baseline", ((_LANES, "32"), (_BANKS, "16"), (_WORD, "4"), (_SKIP, "true")),
        "lanes, banks, wide words and skipping together",
    ),
    *(
        _one(f"{bits}-bit errors in the outer product", f"{_OUTER}error_bits", bits, _ERRORS if bits < 3
             else "finer errors are zero less often, so more elements of chi are touched")
        for bits in (2, 4, 5, 8)
    ),
    *(
        _one(f"{bits}-bit inputs in the outer product", f"{_OUTER}x_bits", bits,
             "coarser inputs are zero more often; a smaller multiplier")
        for bits in (4, 6)
    ),
    *(
        _one(f"chi of {bits} bits", f"{_CHI}bits", bits, "shorter words in a smaller memory, a coarser grid")
        for bits in (16, 8)
    ),
    _one("chi in 4 banks", f"{_CHI}banks", 4, _SMALL_BANKS),
    _one("chi in 16 banks", f"{_CHI}banks", 16, f"{_SMALL_BANKS}; one lane now sets the pace"),
    _one("chi without zero skipping", f"{_OUTER}skip_zeros", "false", "every element of chi is read and written"),
    _one("1 ADC a tile", f"{_ADC}count", 1, "conversions one after the other"),
    _one("32 ADCs a tile", f"{_ADC}count", 32, "more conversions at once"),
    _one("6-bit ADCs", f"{_ADC}bits", 6, "a quarter of the energy a conversion by the law"),
    _one("10-bit ADCs", f"{_ADC}bits", 10, "four times the energy a conversion by the law"),
    Variant(
        "strong chip", ((f"{_CHI}bits", "16"), (f"{_CHI}banks", "16"), (f"{_ADC}bits", "6")),
        "chi short and in small banks, coarse converters",
    ),
)  # fmt: skip
"""What `archsim explain` re-runs. A variant that a run already has as its own is left out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a variant gave.

    Parameters
    ----------
    variant : Variant or None
        None is the reference.
    changed : str
        Name of the chip that it changes; empty for the reference.
    settings : tuple of str
        As given with `--set`, the architecture named.
    energies : tuple of float [J]
        Of a step of each chip.
    tests : tuple of float
        On the test set, after the few steps.
    value : float
        What is looked at: the ratio, or the energy of a step [J].
    change : float
        Of the value, relative to the reference.
    against_run : float or None
        For a changed baseline: its energy over that of the recorded run's own chip. What the baseline does hardly
        depends on how far training has come, so this is what the long run's ratio would be.
    """

    variant: Variant | None
    changed: str
    settings: tuple[str, ...]
    energies: tuple[float, ...]
    tests: tuple[float, ...]
    value: float
    change: float
    against_run: float | None

    @property
    def name(self) -> str:
        """The variant's name."""
        return self.variant.name if self.variant else "reference"

    @property
    def factor(self) -> float:
        """The value over the reference's."""
        return 1 + self.change


@dataclass(frozen=True)
class Reruns:
    """The reference and its variants, all of so many steps."""

    steps: int
    reference: Outcome
    variants: tuple[Outcome, ...]

    def largest(self, most: int) -> list[Outcome]:
        """Return the variants that change the value most, by factor, the largest first."""
        return sorted(self.variants, key=lambda one: -max(one.factor, 1 / one.factor))[:most]


def usual_steps(summary: Mapping[str, Any]) -> int:
    """Return the steps of a re-run if nothing is said: those that take `STEPS` samples, at most the run's own."""
    return max(min(int(summary["steps"]), STEPS // int(summary["batch"])), 1)


def rerun(
    run: Path, folder: Path, *, spent: Spent, technology: Technology, steps: int = STEPS, rule: str | None = None,
    data: Path | None = None, variants: tuple[Variant, ...] = VARIANTS, done: Counted | None = None,
    on: On = PROCESSES,
) -> Reruns:  # fmt: skip
    """Run the reference and every variant, or take from `folder` what stands there already.

    Parameters
    ----------
    run : path
        The recorded run: its workload, seed, data and settings are used again.
    folder : path
        Keeps what has been run.
    spent : Spent
        The recorded run's chips, one or two, and what they spend.
    technology : Technology
        Prices them.
    steps : int
    done : callable, optional
        Called with the name of what is finished, how many are, and how many there are.
    on : where to run, as for `archsim.studies.workers.pool.pool`

    Raises
    ------
    InputError
        If the run's files are not there as they were, or `steps` is no number of steps.
    """
    if steps < 1:
        raise InputError(key="--steps", value=steps, expected="a whole number from 1 on")
    bases = {name: options_of(run, name, technology=technology, rule=rule, data=data) for name in spent.chips}
    recorded = {each["name"]: each for each in read_run(run)["architectures"]}
    chosen = [(name, v) for name in spent.chips for v in variants if applies(v, recorded[name])]
    points: dict[str, Options] = {}
    keys: dict[str, str] = {}
    for label, name, settings in (
        *((f"reference {name}", name, ()) for name in spent.chips),
        *((_label(v, name), name, _settings(v, name)) for name, v in chosen),
    ):
        options, key = bases[name]
        points[label] = {**options, "steps": steps, "settings": (*options["settings"], *settings)}
        keys[label] = f"{key} {steps} {' '.join(settings)}".strip()
    found = measure(points, keys, folder, done, on)
    reference = {name: found[f"reference {name}"] for name in spent.chips}
    start = _outcome(spent, None, "", reference, None)
    return Reruns(steps, start, tuple(
        _outcome(spent, v, name, {**reference, name: found[_label(v, name)]}, start.value) for name, v in chosen
    ))  # fmt: skip


def applies(variant: Variant, architecture: Mapping[str, Any]) -> bool:
    """Whether a chip has the blocks that a variant sets, and not its values already."""
    values = [(recorded_value(architecture, key), value) for key, value in variant.settings]
    return all(now is not None for now, _ in values) and any(now != value for now, value in values)


def _block(architecture: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the block that a dotted key lies in; None where the chip has none.

    Nor has it one of lanes where an array streams: its rows and columns go together.
    """
    found: Any = architecture
    for part in key.split(".")[:-1]:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) and found.get("timing") != "systolic" else None


def measure(
    points: Mapping[str, Options], keys: Mapping[str, str], folder: Path, done: Counted | None,
    on: On,
) -> dict[str, Measured]:  # fmt: skip
    """Return energy per step [J] and the test of every point; those noted in the folder's table are not run.

    `run_points` would find them too, but reads every point's files again to know it: seconds where this takes none.
    """
    table = folder / "done.json"
    noted: dict[str, list[float]] = kept.read(table) or {}
    due = {label: options for label, options in points.items() if keys[label] not in noted}
    finished: list[str] = []

    def note(label: str, summary: dict[str, Any]) -> None:
        (chip,) = summary["architectures"].values()
        noted[keys[label]] = [chip["energy_per_step_J"]["total"], chip["test"]]
        finished.append(label)
        if done:
            done(label, len(finished), len(due))

    if due:
        run_points(due, folder, done=note, on=on)
        kept.write(table, noted)
    return {label: (noted[key][0], noted[key][1]) for label, key in keys.items()}


def _label(variant: Variant, chip: str) -> str:
    return f"{chip}: {variant.name}"


def _settings(variant: Variant, chip: str) -> tuple[str, ...]:
    return tuple(f"{chip}.{key}={value}" for key, value in variant.settings)


def recorded_value(architecture: Mapping[str, Any], key: str) -> str | None:
    """Return a recorded value as a setting would write it; None where the chip has no block of such a name.

    A key that the run did not know is at its default, 1.
    """
    block = _block(architecture, key)
    return None if block is None else yaml.safe_dump(block.get(key.rpartition(".")[2], 1)).splitlines()[0]


def _outcome(
    spent: Spent, variant: Variant | None, changed: str, numbers: Mapping[str, Measured], reference: float | None
) -> Outcome:  # fmt: skip
    energies, tests = (tuple(numbers[name][k] for name in spent.chips) for k in (0, 1))
    value = float(spent.of(np.array(energies)[:, None])[0])
    change = value / reference - 1 if reference else 0.0
    baseline = spent.paired and changed == spent.chips[0]
    against = energies[0] / float(spent.energy[1].sum()) if baseline else None
    settings = _settings(variant, changed) if variant else ()
    return Outcome(variant, changed, settings, energies, tests, value, change, against)


def contents(reruns: Reruns, spent: Spent) -> dict[str, Any]:
    """Return what explain.json says of the re-runs."""
    of = "ratio" if spent.paired else "energy_J"

    def row(one: Outcome) -> dict[str, Any]:
        return {
            "name": one.name, "changes": one.changed or None, "settings": list(one.settings),
            "why": one.variant.why if one.variant else "", of: one.value, "change": one.change,
            "ratio_against_run": one.against_run,
            "energy_per_step_J": dict(zip(spent.chips, one.energies, strict=True)),
            "test": dict(zip(spent.chips, one.tests, strict=True)),
        }  # fmt: skip

    return {
        "steps": reruns.steps, "reference": row(reruns.reference), "variants": [row(one) for one in reruns.variants],
    }  # fmt: skip
