"""Commands that read a run: each takes a `Run` or the path of its directory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.api.run import Run
from archsim.base.errors import ModelError

if TYPE_CHECKING:
    from archsim.records.compare import Comparison
    from archsim.records.timeline import Timeline
    from archsim.records.verify import Verification
    from archsim.studies.endurance import Worn
    from archsim.studies.explain.explain import Explanation

Source = Run | str | Path


def _path(run: Source) -> Path:
    return run.path if isinstance(run, Run) else Path(run).expanduser()


def load(path: str | Path) -> Run:
    """Open the directory of a run.

    Raises
    ------
    InputError
        If it holds no run with results, or its files contradict each other.
    """
    return Run(path)


def report(
    run: Source,
    out: str | Path | None = None,
    *,
    html: bool = False,
    paper: bool = False,
    techs: Sequence[str] = (),
    rule: str | None = None,
) -> list[Path]:
    """Write charts and tables of a run, or its HTML page, or its paper kit; return the files.

    `rule` prices the run by another scaling rule than that of its technology.
    """
    opened = run if isinstance(run, Run) else Run(run)
    if html:
        return [opened.page(out, techs=techs, rule=rule)]
    return opened.paper(out, techs=techs, rule=rule) if paper else opened.report(out, rule=rule)


def explain(
    run: Source, *, archs: Sequence[str] = (), over: str | None = None, out: str | Path | None = None,
    reruns: bool = True, steps: int | None = None, tech: str | None = None, **options: Any,
) -> Explanation:  # fmt: skip
    """Say what the energy of a run's chip, or the ratio of two, is made of, how sure it is, and what it hangs on.

    Parameters
    ----------
    run : Run or path
    archs, over
        One chip of the run, or two to be compared; by default its baseline and the first other, or its only one.
    out : path, optional
        Folder for the page; nothing but the points of re-runs is written without it.
    reruns : bool
        Re-run with changed chips, which takes minutes the first time.
    steps : int, optional
        Of each re-run; those that take 3,000 samples, at most the run's own, if not given.
    tech : str, optional
        Technology that priced the run.
    **options
        Those of `archsim.studies.explain.explain.explain`: samples, distribution, points, data, done, on,
        rule.
    """
    from archsim.report.explain import page
    from archsim.studies.explain.explain import explain as study

    again: dict[str, Any] = {} if reruns and steps is None else {"steps": steps if reruns else None}
    found = study(_path(run), archs=archs, over=over, technology=tech, **again, **options)
    if out:
        page.write(found, Path(out).expanduser())
    return found


def compare(
    *runs: Source, techs: Sequence[str] = (), archs: Sequence[str] = (), out: str | Path | None = None, **options: Any
) -> Comparison:
    """Set a run's technologies or chips, or several runs, side by side; with `out`, write tables and charts there.

    `options` are those of `archsim.records.compare.compare`: ranges, retime_steps, data, say, rule.
    """
    from archsim.records.compare import compare as set_beside
    from archsim.report.compare import tables as page

    paths = [_path(run) for run in runs]
    folder = Path(out).expanduser() if out else paths[0] / "compare"
    found = set_beside(paths, techs=techs, archs=archs, points=folder / "points", **options)
    if out:
        page.write(found, folder, charts=True)
    return found


def verify(run: Source, **options: Any) -> Verification:
    """Do a run again and return what is equal, bit for bit; `options` are data, techs and progress."""
    from archsim.records.verify import verify as again

    found = again(_path(run), **options)
    if found is None:
        raise ModelError("the run was stopped before its end")
    return found


def hold(run: Source, duration: str = "90d", *, out: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Test the trained chips of a run while their devices drift.

    Parameters
    ----------
    duration : str
        A time with its unit: "30d", "12h".
    out : path, optional
        By default RUN/hold.
    **options
        Those of `archsim.studies.hold.hold`: repeats, data, techs, progress.

    Returns
    -------
    dict
        Content of hold.json.
    """
    from archsim.base.units import parse
    from archsim.report.studies import hold as drawing
    from archsim.studies.hold import hold as study

    path = _path(run)
    folder = Path(out).expanduser() if out else path / "hold"
    content = study(path, duration_s=parse(duration, "s"), out=folder, **options)
    drawing.write(content, folder)
    return content


def endurance(run: Source, *, limit: float | None = None, out: str | Path | None = None) -> list[Worn]:
    """Count the pulses that every device of a run got; writes tables and maps into RUN/endurance or `out`."""
    from archsim.report.studies import endurance as drawing
    from archsim.studies.endurance import endurance as study

    path = _path(run)
    folder = Path(out).expanduser() if out else path / "endurance"
    found = study(path, limit=limit, out=folder)
    for one in found:
        drawing.write(one, folder)
    return found


def trace(run: Source, *, out: str | Path | None = None, **options: Any) -> Timeline:
    """Do some steps of a run again and return their time line; with `out`, write a Perfetto trace there.

    `options` are those of `archsim.records.trace.trace`: steps, skip, archs, data, techs, progress.
    """
    from archsim.base.files import claim
    from archsim.records.trace import trace as record

    found = record(_path(run), **options)
    if out:
        from archsim.report.trace import perfetto

        perfetto.write(found, claim(Path(out).expanduser(), mark=perfetto.MARK, what="trace"))
    return found
