"""What `archsim estimate` shows: a step and a pass of each chip, by phase, layer and part, and what was assumed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.base.signal import STEP_PHASES
from archsim.base.units import show
from archsim.report.sheet import NONE, Sheet, markdown_sheet, terminal

if TYPE_CHECKING:
    from rich.table import Table

JSON, TABLES = "estimate.json", "estimate.md"
MOST = 12
"""Layers of a short table."""
TERA = 1e12
BIT_OF_MIB = 8 << 20
WAYS = {"dram": "memory below,", "link": "between chips,"}


def write(content: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write estimate.json and estimate.md into a folder and return the files."""
    files.check_folder(folder)
    written = [folder / JSON, folder / TABLES]
    files.write_text(written[0], json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    parts = [f"# {_title(content)}", *map(markdown_sheet, sheets(content, details=True)), *notes(content)]
    files.write_text(written[1], "\n\n".join(parts) + "\n")
    return written


def text(content: Mapping[str, Any], *, details: bool = False) -> list[str | Table]:
    """Return what the terminal shows."""
    return [_title(content), *(terminal(sheet) for sheet in sheets(content, details=details)), *notes(content)]


def _title(content: Mapping[str, Any]) -> str:
    return f"{content['title']}: {subtitle(content)}"


def subtitle(content: Mapping[str, Any]) -> str:
    """Return the size of the network, the batch, the optimiser and the technology."""
    size = f"{_many(content['macs_per_sample'])} multiply-accumulates a sample and {_many(content['weights'])} weights"
    return (
        f"{size}. Batch {content['batch']}, {content['optimiser']}, {content['technology']['name']}. "
        "Estimated, not trained."
    )


def sheets(content: Mapping[str, Any], *, details: bool) -> list[Sheet]:
    """Return the tables: training, inference, parts, layers, what leaves a chip; a whole training if one was asked.

    With `details` all layers, else those that take most.
    """
    found = [_training(content), _inference(content), _parts(content), _layers(content, None if details else MOST)]
    if any(chip["training"]["moved_bit"] for chip in content["architectures"].values()):
        found.append(_moved(content, None if details else MOST))
    if any("whole" in chip for chip in content["architectures"].values()):
        found.append(_whole(content))
    return found


def _training(content: Mapping[str, Any]) -> Sheet:
    rows = []
    for name, chip in content["architectures"].items():
        work = chip["training"]
        energy, time = work["energy_per_sample_J"], work["latency_per_sample_s"]
        ratio, interval = content["ratios"].get(name), content["ratio_intervals"].get(name)
        rows.append((
            name, show(energy["total"], "J"), _ends(work, content["batch"]),
            *(show(energy[phase], "J") for phase in STEP_PHASES), show(time["total"], "s"),
            f"{ratio['training']:.3g}" if ratio else NONE,
            f"{interval['low']:.3g} to {interval['high']:.3g}" if interval else NONE,
            f"{sum(chip['tiles'].values()):,}" if chip["tiles"] else NONE, str(chip["chips"]),
            show(chip["area_m2"]["value"], "m^2"),
        ))  # fmt: skip
    heads = ("chip", "energy", "90 % interval", *STEP_PHASES, "time", "ratio", "90 %", "tiles", "chips", "area")
    return Sheet("Training, per sample", heads, tuple(rows))


def _inference(content: Mapping[str, Any]) -> Sheet:
    rows = []
    for name, chip in content["architectures"].items():
        work, ratio = chip["inference"], content["ratios"].get(name)
        rows.append((
            name, show(work["energy_per_sample_J"]["total"], "J"), _ends(work, content["batch"]),
            show(work["latency_per_sample_s"]["total"], "s"),
            show(work["J_per_mac"], "J") if work["J_per_mac"] else NONE,
            f"{2 * work['macs_per_s_and_W'] / TERA:.3g}" if work["macs_per_s_and_W"] else NONE,
            f"{ratio['inference']:.3g}" if ratio else NONE,
        ))  # fmt: skip
    heads = ("chip", "energy", "90 % interval", "time", "a MAC", "TOPS/W", "ratio")
    return Sheet("Inference, per sample", heads, tuple(rows))


def _ends(work: Mapping[str, Any], batch: int) -> str:
    if not work["intervals"]:
        return NONE
    ends = work["intervals"]["energy_per_step_J"]["total"]
    return f"{show(ends['low'] / batch, 'J', 3)} to {show(ends['high'] / batch, 'J', 3)}"


def _parts(content: Mapping[str, Any]) -> Sheet:
    chips = content["architectures"]
    names = list(dict.fromkeys(part for chip in chips.values() for part in chip["training"]["by_part_J"]))
    totals = {name: chip["training"]["energy_per_step_J"]["total"] for name, chip in chips.items()}
    rows = [
        (
            part,
            *(
                cell
                for name, chip in chips.items()
                for joules in [chip["training"]["by_part_J"].get(part, 0.0)]
                for cell in (show(joules / content["batch"], "J"), f"{100 * joules / totals[name]:.1f} %")
            ),
        )
        for part in names
    ]
    heads = ("part", *(head for name in chips for head in (name, "share")))
    return Sheet("Training, per sample, by part of the chip", heads, tuple(rows))


def _layers(content: Mapping[str, Any], most: int | None) -> Sheet:
    chips = content["architectures"]
    sums: dict[str, dict[str, float]] = {}
    for name, chip in chips.items():
        for layer, by_phase in chip["training"]["by_layer_J"].items():
            sums.setdefault(layer, dict.fromkeys(chips, 0.0))[name] = sum(by_phase.values())
    first = next(iter(chips))
    order = sorted(sums, key=lambda layer: -sums[layer][first]) if most else list(sums)
    shown = order[:most] if most else order
    rows = [
        (layer, *(show(sums[layer][name] / content["batch"], "J") for name in chips),
         *(f"{chip['tiles'][layer]:,}" if layer in chip["tiles"] else NONE for chip in chips.values() if chip["tiles"]))
        for layer in shown
    ]  # fmt: skip
    if rest := order[len(shown) :]:
        blank = (NONE for chip in chips.values() if chip["tiles"])
        others = [sum(sums[layer][name] for layer in rest) / content["batch"] for name in chips]
        rows.append((f"{len(rest)} more", *(show(joules, "J") for joules in others), *blank))
    tiles = (f"tiles, {name}" for name, chip in chips.items() if chip["tiles"])
    return Sheet("Training, per sample, by layer", ("layer", *chips, *tiles), tuple(rows))


def _moved(content: Mapping[str, Any], most: int | None) -> Sheet:
    """Return what a sample moves to and from the memory below each chip, and between chips, by layer."""
    sums = {
        f"{WAYS[where]} {name}": {layer: sum(by_phase.values()) / content["batch"] for layer, by_phase in moved.items()}
        for name, chip in content["architectures"].items()
        for where, moved in chip["training"]["moved_bit"].items()
    }
    order = list(dict.fromkeys(layer for by_layer in sums.values() for layer in by_layer))
    if most:
        order.sort(key=lambda layer: -max(by_layer.get(layer, 0.0) for by_layer in sums.values()))
    shown, rest = (order[:most], order[most:]) if most else (order, [])

    def row(label: str, layers: list[str]) -> tuple[str, ...]:
        several = (math.fsum(by_layer.get(layer, 0.0) for layer in layers) for by_layer in sums.values())
        return label, *(_mebibytes(bits) if bits else NONE for bits in several)

    rows = [*(row(layer, [layer]) for layer in shown), *([row(f"{len(rest)} more", rest)] if rest else [])]
    return Sheet(
        "Moved off the chip in training, per sample, by layer", ("layer", *sums), (*rows, row("in all", order))
    )


def _whole(content: Mapping[str, Any]) -> Sheet:
    rows = []
    for name, chip in content["architectures"].items():
        work = chip["whole"]
        pulses, limit = work.get("set_pulses_per_device"), work.get("endurance")
        rows.append((
            name, show(work["energy_J"]["total"], "J"), _duration(work["time_s"]),
            show(work["energy_J"]["total"] / work["time_s"], "W"),
            *((f"{work['set_pulses']:.3g}", f"{pulses:.3g}") if pulses is not None else (NONE, NONE)),
            f"{100 * pulses / limit:.2g} %" if pulses is not None and limit else NONE,
        ))  # fmt: skip
    samples = next(iter(content["architectures"].values()))["whole"]["samples"]
    heads = ("chip", "energy", "time", "power", "pulses", "a device", "of its endurance")
    return Sheet(f"The whole training of {_many(samples)} samples", heads, tuple(rows))


def notes(content: Mapping[str, Any]) -> list[str]:
    """Return what a reader must know: what was assumed or measured, what was made larger, what has no area."""
    found = []
    for name, chip in content["architectures"].items():
        found.append(f"{name}: activity {chip['activity']}.")
        found += [f"{name}: {note}." for note in chip["notes"]]
        if chip["grown"]:
            changes = ", ".join(f"{key} {before:,} -> {after:,}" for key, (before, after) in chip["grown"].items())
            found.append(f"{name} was made larger, so that the network fits: {changes}.")
        if chip["unpriced_area"]:
            found.append(f"{name}: no figure gives the area of {', '.join(chip['unpriced_area'])}.")
    found.append(_reference(content["reference"]))
    return found


def _reference(found: Mapping[str, Any]) -> str:
    """Return what a measured machine takes at least."""
    training, passed, each = (found[f"{what}_at_least"] for what in (
        "training_J_per_sample", "inference_J_per_sample", "J_per_operation"
    ))  # fmt: skip
    return (
        f"For comparison, measured and not simulated: a {found['title'][0].lower()}{found['title'][1:]} takes at least "
        f"{show(training, 'J', 3)} a sample in training and {show(passed, 'J', 3)} in inference, at "
        f"{show(each, 'J', 3)} an operation, its power over its rated rate ({found['source']})."
    )


def _mebibytes(bits: float) -> str:
    size = bits / BIT_OF_MIB
    return f"{size:,.0f} MiB" if size >= 1000 else f"{size:.3g} MiB"


def _many(count: float) -> str:
    for size, word in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {word}"
    return f"{count:.3g}"


def _duration(seconds: float) -> str:
    for size, word in ((365.25 * 86400, "years"), (86400, "days"), (3600, "h")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {word}"
    return show(seconds, "s")
