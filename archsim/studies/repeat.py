"""Find again what a recorded run was made from: its files, its technology, the options that repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology
from archsim.base import files
from archsim.base.errors import InputError, nearest
from archsim.runs.identity import point_key
from archsim.runs.inputs import ARCHITECTURES, WORKLOAD
from archsim.runs.layout import INPUTS, RUN, read_run, refuse_metered
from archsim.runs.spec import RunSpec, resolve
from archsim.studies.workers.points import Options
from archsim.technologies.overlay import SCALING


def chosen(
    run: Path, summary: Mapping[str, Any], archs: Sequence[str] = (), over: str | None = None
) -> tuple[str, ...]:
    """Return the chips of a run that are looked at: one, or two, the baseline first.

    Parameters
    ----------
    run, summary : the run directory, and its summary.json
    archs : one or two of its chips; by default its only one, or its baseline and the first other
    over : the chip over which another one is set; by default the run's baseline, or the first of `archs`

    Raises
    ------
    InputError
        If a name is none of the run's, or they leave open what is to be compared.
    """
    have = list(summary["architectures"])
    for key, name in (*(("--arch", name) for name in archs), *((("--over", over),) if over else ())):
        if name not in have:
            raise InputError(
                key=key, value=name, expected=f"one of the run's chips: {', '.join(have)}", hint=nearest(name, have)
            )
    if len(set(archs)) > 2 or (over and len({*archs} - {over}) > 1):
        raise InputError(key="--arch", value=", ".join(archs), expected="one chip, or two to be compared")
    if archs and not over:
        named = tuple(dict.fromkeys(archs))
        baseline = summary["baseline"]
        return (baseline, *(name for name in named if name != baseline)) if baseline in named[1:] else named
    baseline = over or summary["baseline"] or have[0]
    others = [name for name in archs or have if name != baseline]
    if over and not others:
        raise InputError(key="--over", value=over, expected="another chip than the only one", file=run)
    return (baseline, *others[:1])


def options_of(
    run: Path, chip: str, *, technology: Technology, rule: str | None = None, data: Path | None = None
) -> tuple[Options, str]:  # fmt: skip
    """Return options of `resolve` that repeat a recorded run on one of its chips alone, priced by one technology.

    A scaling rule is applied to the technology's figures, if one is given.

    Beside them the hash of all that they stand for, see `identity.point_key`.

    Raises
    ------
    InputError
        If a file is not found, or is no longer what the run was made from; names the first difference.
    """
    recorded = read_run(run)
    refuse_metered(recorded, files.display(run / RUN))
    (architecture,) = (each for each in recorded["architectures"] if each["name"] == chip)
    options: Options = {
        "workload": str(_copy(run, f"{WORKLOAD}/{recorded['workload']['name']}.yaml")),
        "archs": (str(_copy(run, f"{ARCHITECTURES}/{chip}/{chip}.yaml")),),
        "techs": (str(technology.path),),
        "preset": recorded["preset"],
        "seed": recorded["seed"],
        "settings": tuple(
            f"{key}={value}"
            for key, value in recorded["settings"].items()
            if key.partition(".")[0] in {chip, *architecture, *recorded["workload"]}
        ),
        "data": data,
        **({"figures": (f"{SCALING}={rule}",)} if rule else {}),
    }
    spec = resolve(**options)
    _compare(run, recorded, architecture, spec)
    return options, point_key(spec)


def _copy(run: Path, name: str) -> Path:
    """Return the copy of an input that a run keeps."""
    path = run / INPUTS / name
    if not path.is_file():
        raise InputError(
            "is missing", file=files.display(path), expected="the copy of its input that the run keeps",
            hint="Runs of earlier versions keep none: do the run again; --no-reruns needs none",
        )  # fmt: skip
    return path


def _compare(run: Path, recorded: Mapping[str, Any], architecture: Mapping[str, Any], spec: RunSpec) -> None:
    """Refuse to repeat a run that the files no longer describe; keys that joined since have their defaults."""
    was, now = recorded["dataset"], spec.dataset
    if was["sha256"] != now.sha256:
        raise InputError(
            f"was made on {was['name']}, {was['origin']}; what is found now is {now.name}, {now.origin}", file=run,
            expected="the same data", hint="--data DIR or $ARCHSIM_DATA names its folder; --no-reruns needs none",
        )  # fmt: skip
    workload = dict(recorded["workload"])
    workload["training"] = {key: value for key, value in workload["training"].items() if key != "steps"}
    pairs = [("workload", workload, spec.workload), (architecture["name"], architecture, spec.architectures[0])]
    for name, then, record in pairs:
        if difference := _difference(then, record.model_dump(by_alias=True, mode="json"), name):
            raise InputError(
                f"{difference}: the files are not those of this run any more", file=run / "run.yaml",
                expected="the same, for re-runs to compare with it", hint="--no-reruns leaves them out",
            )  # fmt: skip


def _difference(then: Any, now: Any, key: str) -> str:
    """Return where a recorded value and a present one differ first, or an empty text."""
    if isinstance(then, dict) and isinstance(now, dict):
        return next((text for name in then if (text := _difference(then[name], now.get(name), f"{key}.{name}"))), "")
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        parts = (_difference(a, b, f"{key}[{k}]") for k, (a, b) in enumerate(zip(then, now, strict=True)))
        return next((text for text in parts if text), "")
    return "" if then == now else f"{key} was {then!r}, is {now!r}"
