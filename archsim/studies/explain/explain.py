"""Take a chip of a recorded run, or the comparison of two, apart: figures, sparsity, design decisions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archsim.accounting.technology import Technology
from archsim.base.errors import InputError
from archsim.base.progress import Counted
from archsim.records import seeds
from archsim.records.recorded import Recorded
from archsim.records.ruled import ruled
from archsim.records.technologies import find
from archsim.runs.layout import state
from archsim.studies.explain import designs, sensitivity, variants
from archsim.studies.explain.designs import Space
from archsim.studies.explain.sensitivity import Spent, Spread, Swing
from archsim.studies.explain.sparsity import Sparsity, sparsity
from archsim.studies.explain.totals import Total, total
from archsim.studies.explain.variants import Reruns
from archsim.studies.repeat import chosen
from archsim.studies.workers.pool import PROCESSES, On


@dataclass(frozen=True)
class Explanation:
    """What the energy of a recorded chip, or the ratio of two, is made of and hangs on.

    Parameters
    ----------
    run : Path
    recorded : Recorded
        As it was read, under the scaling rule that was asked for.
    technology : Technology
    note : str
        That the technology's file has changed since, or empty.
    spent : Spent
    swings : list of Swing
        One figure at a time, the largest first.
    spread : Spread
        All figures together.
    bounds : (float, float)
        The least and the largest value that figures within their ranges can give.
    spread_s : float
        Wall time of the draws and the shares [s].
    steps : int
        Of the recorded run.
    sparsity : list of Sparsity
    reruns : Reruns or None
        None if they were left out.
    space : Space or None
        The designs of these chips; None if re-runs were left out, or for a chip without such decisions.
    totals : tuple of Total
        Of each chip whose total was published.
    published : float or None
        What was published of what is looked at; None where nothing was of just this run.
    """

    run: Path
    recorded: Recorded
    technology: Technology
    note: str
    spent: Spent
    swings: list[Swing]
    spread: Spread
    bounds: tuple[float, float]
    spread_s: float
    steps: int
    sparsity: list[Sparsity]
    reruns: Reruns | None
    space: Space | None
    totals: tuple[Total, ...]
    published: float | None


def explain(
    run: Path, *, archs: Sequence[str] = (), over: str | None = None, technology: str | None = None,
    samples: int = 20_000, distribution: str = "log-triangular",
    steps: int | Literal["usual"] | None = "usual",
    points: Path | None = None, data: Path | None = None, done: Counted | None = None,
    on: On = PROCESSES, rule: str | None = None,
) -> Explanation:  # fmt: skip
    """Explain one chip of a finished run, or the ratio of two of them.

    Parameters
    ----------
    run : path
        The run directory.
    archs, over
        As for `repeat.chosen`: one chip, or two, the baseline first.
    technology : str, optional
        One that the run was priced by; its own by default.
    samples, distribution
        As for `sensitivity.spread`.
    steps : int, "usual" or None
        Of each re-run: so many, those of `variants.usual_steps`; None for no re-runs.
    points : path, optional
        Where re-runs are kept, by default RUN/explain/points.
    data, done, on
        As for `variants.rerun`.
    rule : str, optional
        Another scaling rule for the technology's figures, of the run and of the re-runs.

    Raises
    ------
    InputError
        If it is no finished run, or an option is wrong.
    """
    if not seeds.several(run) and (found := state(run)) != "finished":
        raise InputError(f"is {found}", file=run, expected="a finished run")
    known = seeds.read(run)
    base = find(known.home, known.named, technology).alike(known)
    if rule and rule != base.scaling:
        known = ruled(known, rule, technology)
        technology = known.technology
    else:
        rule = None
    summary, chips = known.summary, chosen(run, known.summary, archs, over)
    asked = find(known.home, known.named, technology)
    priced, note = asked.alike(known), asked.note
    spent = sensitivity.read_spent(known, priced, chips)
    drawn: dict[str, Any] = {"samples": samples, "distribution": distribution, "seed": int(summary["seed"])}
    begin = time.perf_counter()
    spread = sensitivity.spread(spent, **drawn)
    spread_s = time.perf_counter() - begin
    reruns, space = None, None
    if steps is not None:
        steps = variants.usual_steps(summary) if steps == "usual" else steps
        again: dict[str, Any] = {
            "folder": points or run / "explain" / "points", "spent": spent, "technology": base, "steps": steps,
            "rule": rule, "data": data, "done": done, "on": on,
        }  # fmt: skip
        reruns, space = variants.rerun(known.home, **again), designs.explore(known.home, **again)
    alone = {name: _published(summary, (name,)) for name in chips}
    return Explanation(
        run=run, recorded=known, technology=priced, note=note, spent=spent, swings=sensitivity.tornado(spent),
        spread=spread, bounds=sensitivity.bounds(spent), spread_s=spread_s, steps=int(summary["steps"]),
        sparsity=sparsity(known), reruns=reruns, space=space,
        totals=tuple(
            total(sensitivity.read_spent(known, priced, (name,)), told, **drawn) for name, told in alone.items() if told
        ),
        published=_published(summary, chips),
    )  # fmt: skip


def _published(summary: Mapping[str, Any], chips: tuple[str, ...]) -> float | None:
    """Return what was published of just this: the ratio of these kinds of chips, or a chip's energy of a step [J]."""
    told = summary["published"] or {}
    totals = told.get("energy_per_sample_J") or {}
    kinds = [str(summary["architectures"][name].get("chip", name)) for name in chips]
    if any(kind not in totals for kind in kinds):
        return None
    if len(kinds) == 1:
        return float(totals[kinds[0]] * summary["batch"])
    ratio: float | None = told.get("energy_ratio")
    return ratio if ratio and float(totals[kinds[0]]) > float(totals[kinds[1]]) else None


def contents(found: Explanation) -> dict[str, Any]:
    """Return what explain.json says."""
    return {
        "schema": 2,
        "run": found.run.resolve().name,
        "technology": {"name": found.technology.name, "sha256": found.technology.sha256},
        "note": found.note,
        "chips": list(found.spent.chips),
        "figures": sensitivity.contents(found.spent, found.swings, found.spread, found.bounds, found.published),
        "sparsity": [
            {
                "architecture": s.chip, "phase": s.phase, "layer": s.layer, "what": s.what, "derived_from": s.from_,
                "count": s.count, "of": s.most, "share": s.share,
            }
            for s in found.sparsity
        ],
        "reruns": variants.contents(found.reruns, found.spent) if found.reruns else None,
        "designs": designs.contents(found.space) if found.space else None,
        "totals": [
            {
                "architecture": one.chip, "energy_J": one.energy, "published_J": one.published,
                "bounds_J": list(one.bounds), "interval_90_J": list(one.interval),
                "alone": [{"figure": a.figure.name, "factor": a.factor, "within": a.within} for a in one.alone],
            }
            for one in found.totals
        ],
    }  # fmt: skip
