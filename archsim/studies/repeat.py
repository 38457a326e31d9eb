"""Find again what a recorded run was made from: its files, its technology, the options that repeat it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology, read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.runs.identity import point_key
from archsim.runs.rundir import read_run
from archsim.runs.spec import RunSpec, resolve
from archsim.studies.sweep import Options

KINDS = ("digital32", "mixed-precision")
"""The two kinds of chip that a comparison needs, the one over the other in every ratio."""
_CLOSE = 1e-5
"""Sizes in activity.csv have six digits, so a price made from them is as good as that."""


def both_chips(run: Path, summary: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of a run's 32-bit chip and of its mixed-precision chip, the first of each kind.

    Raises
    ------
    InputError
        If it lacks one of them.
    """
    found = {str(chip.get("chip", name)): name for name, chip in reversed(summary["architectures"].items())}
    for kind in KINDS:
        if kind not in found:
            have = ", ".join(summary["architectures"]) or "none"
            raise InputError(
                f"is a run of {have} alone", file=run, expected="a run of both chips, whose energies can be compared",
                hint="archsim run without --arch trains both",
            )  # fmt: skip
    return found[KINDS[0]], found[KINDS[1]]


def technology_of(run: Path, name: str | None) -> tuple[Technology, str]:
    """Return a technology that a run was priced by, and a note if its file has changed since.

    Parameters
    ----------
    run : path
        The run directory.
    name : str or None
        Name, or path of the file; None for the run's own technology.

    Returns
    -------
    Technology, and the note: empty, or that the file has changed but prices everything this run did as it did then.

    Raises
    ------
    InputError
        If the run was not priced by it, its file is not found, or it now prices differently.
    """
    recorded = {str(each["name"]): str(each["sha256"]) for each in read_run(run).get("technologies", [])}
    if not recorded:
        raise InputError("names no technology", file=run / "run.yaml", key="technologies", expected="at least one")
    wanted = name or next(iter(recorded))
    known = Path(wanted).stem if wanted.endswith((".yaml", ".yml")) else wanted
    if known not in recorded:
        raise InputError(key="--tech", value=wanted, expected=f"one this run was priced by: {', '.join(recorded)}")
    found = _found(wanted, "tech_params", run, "--tech")
    technology = read_technology(str(found))
    if technology.sha256 == recorded[known]:
        return technology, ""
    if changed := next(_repriced(run, technology), None):
        raise InputError(
            f"is not the file this run was priced by: {changed}", file=files.display(found), key="sha256",
            value=technology.sha256, expected=f"{recorded[known][:12]}..., or a run made with the file as it is now",
        )  # fmt: skip
    return (
        technology,
        f"{files.display(found)} has changed since the run, but prices all that the run did as it did then",
    )


def _found(name: str, kind: str, run: Path, option: str) -> Path:
    """Return the file of a name: a path, shipped, or beside the run or in the current folder."""
    if name.endswith((".yaml", ".yml")):
        return files.find(name, kind, option=option)
    for folder in (files.shipped(kind), Path.cwd(), run, run.parent):
        if (path := folder / f"{name}.yaml").is_file():
            return path
    raise InputError(
        f"cannot find {name}.yaml, which this run was made from", key=option,
        expected="it among the shipped files, in the current folder or beside the run",
    )  # fmt: skip


def _repriced(run: Path, technology: Technology) -> Iterator[str]:
    """Yield what a technology prices otherwise than the run was priced, from its tables."""
    import pandas as pd

    energy, activity = pd.read_csv(run / "energy.csv"), pd.read_csv(run / "activity.csv")
    entries = ["architecture", "component", "key"]
    sizes = activity.drop_duplicates(entries).set_index(entries).sizes.fillna("")
    rows = energy[(energy.technology == technology.name) & energy.inside_boundary & (energy.price_J_per_unit > 0)]
    for row in rows.drop_duplicates(entries).to_dict("records"):
        figure = technology.figure_for(str(row["key"]))
        if figure is None or figure.name != row["figure"]:
            yield f"{row['key']} was priced by {row['figure']}, now by {figure.name if figure else 'nothing'}"
            continue
        pairs = str(sizes[tuple(row[name] for name in entries)])
        given = {name: float(value) for name, _, value in (pair.partition("=") for pair in pairs.split(";") if pair)}
        price = figure.price(given)
        if not math.isclose(price, float(row["price_J_per_unit"]), rel_tol=_CLOSE):
            yield f"{figure.name} gave {row['price_J_per_unit']:.6g} J for {row['key']}, now {price:.6g} J"


def options_of(
    run: Path, chip: str, *, technology: Technology, data: Path | None = None
) -> tuple[Options, str]:  # fmt: skip
    """Return options of `resolve` that repeat a recorded run on one of its chips alone, priced by one technology.

    Beside them the hash of all that they stand for, see `identity.point_key`.

    Raises
    ------
    InputError
        If a file is not found, or is no longer what the run was made from; names the first difference.
    """
    recorded = read_run(run)
    (architecture,) = (each for each in recorded["architectures"] if each["name"] == chip)
    options: Options = {
        "workload": str(_found(recorded["workload"]["name"], "workloads", run, "WORKLOAD")),
        "archs": (str(_found(chip, "architectures", run, "--arch")),),
        "techs": (str(technology.path),),
        "preset": recorded["preset"],
        "seed": recorded["seed"],
        "settings": tuple(
            f"{key}={value}"
            for key, value in recorded["settings"].items()
            if key.partition(".")[0] in {chip, *architecture, *recorded["workload"]}
        ),
        "data": data,
    }
    spec = resolve(**options)
    _compare(run, recorded, architecture, spec)
    return options, point_key(spec)


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
