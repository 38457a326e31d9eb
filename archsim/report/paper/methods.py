"""A paragraph of methods from what a run recorded: configuration, versions, seed, non-idealities, the command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from archsim.base.errors import InputError
from archsim.base.units import show
from archsim.records.recorded import Recorded
from archsim.report.latex import latex_text
from archsim.report.paper.sources import Used

_CITED = re.compile(r"\[(@[^\]]+)\]")


def paragraph(run: Recorded, found: Used) -> str:
    """Return the paragraph as Markdown; sources as [@key; @key].

    Raises
    ------
    InputError
        If run.yaml lacks something.
    """
    try:
        return " ".join([
            _training(run), *_chips(run, found), *_priced(run, found), _boundary(run), _versions(run), _again(run),
            *(f"Note: {re.sub(r'[^ ]*/', '', note)}." for note in found.notes),  # names without folders
        ])  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"lacks something ({error})", file=run.path / "run.yaml", expected="the YAML that archsim wrote"
        ) from error


def latex(text: str) -> str:
    r"""Return the paragraph as LaTeX: code in \texttt, sources as \cite."""
    parts = []
    for piece in re.split(r"(`[^`]*`|\[@[^\]]+\])", text):
        if piece.startswith("`"):
            code = latex_text(piece.strip("`"))
            parts.append(rf"\texttt{{{code.replace('--', '-{}-')}}}")
        elif match := _CITED.fullmatch(piece):
            parts.append(rf"\cite{{{','.join(key.strip().removeprefix('@') for key in match[1].split(';'))}}}")
        else:
            parts.append(latex_text(piece).replace("×", r"$\times$"))
    return "".join(parts)


def cite(keys: list[str]) -> str:
    """Return a citation to follow a word, or nothing."""
    return f" [{'; '.join(f'@{key}' for key in keys)}]" if keys else ""


def _short(digest: str) -> str:
    return digest[:12]


def data_origin(origin: str) -> str:
    """Return the origin of data without the folder in which it was found."""
    return re.sub(r"(?:,? in |; MNIST was not found)[^;]*", "", origin)


def _training(run: Recorded) -> str:
    workload = run.run["workload"]
    network, training = workload["network"], workload["training"]
    weights = f", {run.summary['weights']:,} weights" if run.summary.get("weights") else ""
    samples = training.get("samples_per_epoch")
    decay = (
        f", multiplied by {training['decay']:g} after every epoch" + (f" of {samples:,} samples" if samples else "")
        if training["decay"] != 1 else ""
    )  # fmt: skip
    data = run.run["dataset"]
    return (
        f"{_made(network, weights)} was "
        f"trained on {data_origin(data['origin'])} (sha256 {_short(data['sha256'])}) for "
        f"{run.summary['steps']:,} steps of batch {training['batch']}, learning rate "
        f"{training['learning_rate']:g}{decay}{_steps(training)}, {run.seeded}. It was judged by its {run.metric.name} "
        "on the test data."
    )


def _made(network: Mapping[str, Any], weights: str) -> str:
    """Return what a network is made of, and how its weights begin: a sentence's first words."""
    if "generator" in network:
        made, judge = network["generator"], network["discriminator"]
        return (
            f"A generator {_layers(made)}; initial weights normal, {_spread(made['initial_std'])}) with a "
            f"discriminator {_layers({**judge, 'inputs': 'samples'})}; {_spread(judge['initial_std'])}{weights})"
        )
    levels = network.get("initial_levels")
    drawn = f"uniform over {levels} levels" if levels else "normal"
    return f"A network {_layers(network)}{weights}; initial weights {drawn}, {_spread(network['initial_std'])})"


def _layers(network: Mapping[str, Any]) -> str:
    """Return what a network is made of, up to an open bracket: sizes where all layers are dense, else each layer."""
    layers = network["layers"]
    if all(layer.get("kind", "dense") == "dense" for layer in layers) and isinstance(network["inputs"], int):
        sizes = "-".join(str(size) for size in (network["inputs"], *(layer["units"] for layer in layers)))
        return f"of {sizes} units (fully connected, {', '.join(dict.fromkeys(layer['activation'] for layer in layers))}"
    shape = network["inputs"] if isinstance(network["inputs"], list) else [network["inputs"]]
    told = []
    for layer in layers:
        more = [str(layer[key]) for key in ("units", "activation") if layer.get(key) not in (None, "linear")]
        told.append(" ".join([layer.get("kind", "dense"), *more]))
    return f"on inputs of {'x'.join(map(str, shape))} ({', '.join(told)}"


def _spread(initial: float | str) -> str:
    """Return the spread of the initial weights in words: a number, or the rule by which it follows from the rows."""
    return f"standard deviation {initial:g}" if isinstance(initial, float) else f"spread by the rule of {initial}"


def _steps(training: Mapping[str, Any]) -> str:
    """Return schedule and optimiser of a training with values, where they are not the usual ones."""
    found = []
    for key, usual in (("schedule", "constant"), ("optimiser", "sgd")):
        block = dict(training.get(key) or {"kind": usual})
        if (kind := block.pop("kind")) != usual:
            values = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in block.items())
            found.append(f", {key} {kind} ({values})")
    return "".join(found)


def _chips(run: Recorded, found: Used) -> Iterator[str]:
    several = "All chips started from the same weights and saw the same samples in the same order. "
    yield (several if len(run.architectures) > 1 else "") + "Every step was executed on an event-driven model."
    on = run.run["nonidealities_on"]
    for chip in run.run["architectures"]:
        if chip["name"] not in run.architectures:
            continue
        facts = "; ".join(_facts(chip, found))
        yield f"Chip {chip['name']}: {_lowered(chip['title'])}" + (f" ({facts})." if facts else ".")
        if switches := chip.get("nonidealities"):
            off = [name for name, state in switches.items() if not state]
            absent = run.absent(chip["name"])
            none = f"; not in this device: {_listed(absent)}" if absent else ""
            yield f"Non-idealities on: {_listed(on.get(chip['name'], []))}; off: {_listed(off)}{none}."


def _lowered(title: str) -> str:
    """Return a title as the middle of a sentence; a word with further capitals is a name."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names) or "none"


def _facts(chip: Mapping[str, Any], found: Used) -> Iterator[str]:
    if tile := chip.get("tile"):
        dac, adc = tile["dac"], tile["adc"]
        yield f"{tile['count']} tiles of {tile['rows']} × {tile['columns']}"
        yield f"{dac['bits']}-bit {dac['style']} DACs"
        yield f"{adc['count']} ADCs of {adc['bits']} bit a tile"
    if weight := chip.get("weight"):
        name = str(weight["device"]).rpartition("/")[2].removesuffix(".yaml")
        records = found.devices.get(name, ())
        keys = sorted({key for record in records for key in record.sources})
        own = ", ".join(sorted({record.data for record in records if record.data}))
        fitted = f" (own measurement, {own})" if own else ""
        yield f"device model {name}{fitted}{cite(keys)}, {_weight(weight)}"
    if outer := chip.get("outer_product"):
        chi = outer["chi"]["bits"]
        yield f"outer product of {outer['x_bits']}-bit inputs and {outer['error_bits']}-bit errors into {chi}-bit chi"
    if update := chip.get("update"):
        yield f"in-array update, {_pulses(update)}"
    if transfer := chip.get("transfer"):
        yield f"fast arrays read a line every {transfer['every']} samples, {_TRANSFERS[transfer['rule']]}"
    if array := chip.get("mac_array"):
        yield f"{array['lanes']} multiply-accumulate lane{'s' if array['lanes'] > 1 else ''} {_numbers(array)}"
    if unit := chip.get("digital_unit"):
        yield f"{unit['lanes']} lane{'s' if unit['lanes'] > 1 else ''} in the digital unit"


_TRANSFERS = {"buffered": "Tiki-Taka v2", "chopped": "c-TTv2", "dynamic": "AGAD"}


def _pulses(update: Mapping[str, Any]) -> str:
    """Return how an update in the array finds its pulses."""
    if update["rounding"] != "trains":
        return f"{update['rounding']} rounding"
    trains = update.get("trains") or {}
    return f"trains of at most {trains.get('length', 31)} pulses"


def _numbers(array: Mapping[str, Any]) -> str:
    """Return of which numbers the lanes of a MAC array are; runs of earlier versions do not say it."""
    if (number := array.get("format", "fp32")) == "fp32":
        return "of 32 bit"
    return f"in {array['rows']} rows for {number} operands, with sums and weights of 32 bit"


def _weight(weight: Mapping[str, Any]) -> str:
    """Return what a weight is in conductance: one unit for all, or the initial spread of each matrix."""
    if weight["unit"] is not None:
        return f"{show(weight['unit'], 'S')} for a weight of 1"
    return f"{show(weight['spread'], 'S')} for the standard deviation of the initial weights of each matrix"


def _priced(run: Recorded, found: Used) -> Iterator[str]:
    digests = {each["name"]: each["sha256"] for each in run.summary["technologies"]}
    own, *others = found.priced
    name = own.technology.name
    yield (
        f"Amounts were counted by phase, layer, component and action, and priced with the technology {name} (sha256 "
        f"{_short(digests[name])}; {_lowered(own.technology.title)}), {len(own.figures)} figures"
        f"{cite(sorted({key for figure in own.figures for key in figure.origin.sources}))}; its {len(own.times)} times "
        "decide the simulated time."
    )
    if run.note:
        yield f"{run.note}."
    for other in others:
        name = other.technology.name
        yield (
            f"The same amounts were priced again with {name} (sha256 {_short(digests[name])}; "
            f"{_lowered(other.technology.title)})."
        )


def _boundary(run: Recorded) -> str:
    inside, outside = run.summary["boundary"]["inside"], run.summary["boundary"]["outside"]
    return f"Inside the account: {', '.join(inside)}; outside: {', '.join(outside) or 'nothing'}."


def _versions(run: Recorded) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in run.run["packages"].items())
    return f"Versions: archsim {run.run['archsim']}, Python {run.run['python']}, {packages}."


def _again(run: Recorded) -> str:
    return f"`{command(run)}` repeats the run; `archsim verify DIR` repeats it from run.yaml and compares bit for bit."


def command(run: Recorded) -> str:
    """Return the command that repeats a run; files are named as they were typed, without their folder."""
    content = run.run
    training, preset = content["workload"]["training"], content.get("preset")
    given = content.get("given") or {
        "workload": content["workload"]["name"], "archs": [chip["name"] for chip in content["architectures"]],
        "techs": [each["name"] for each in content["technologies"]],
    }  # fmt: skip
    words = ["archsim", "run", Path(given["workload"]).name]
    words += ["--preset", preset] if preset else []
    stated = ((content["workload"].get("presets") or {}).get(preset) or {}).get("steps") if preset else None
    if training.get("steps") and training["steps"] != stated:
        words += ["--steps", str(training["steps"])]
    if (until := training.get("until")) is not None and "training.until" not in (content.get("settings") or {}):
        words += ["--until", f"{run.metric.name}={run.metric.level(until)}"]
    words += [word for name in given["archs"] for word in ("--arch", Path(name).name)]
    words += [word for name in given["techs"] for word in ("--tech", Path(name).name)]
    words += [word for key, value in (content.get("settings") or {}).items() for word in ("--set", f"{key}={value}")]
    words += [word for key, value in (content.get("figures") or {}).items() for word in ("--figure", f"{key}={value}")]
    words += ["--seed", str(content["seed"]), *(["--seeds", str(len(run.seeds))] if run.seeds else [])]
    return shlex.join([*words, "--out", "DIR"])
