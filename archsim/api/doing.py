"""Commands that train: `run`, `reproduce`, `costs`, `ablate`, `sweep`, `validate`; and `schema`, which does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.api.run import Run
from archsim.base.errors import ModelError

if TYPE_CHECKING:
    from archsim.base.progress import Counted, Progress
    from archsim.records.sweeps.sweep import Sweep
    from archsim.studies.costs.costs import Costs
    from archsim.studies.validation.validate import Result
    from archsim.studies.validation.verdict import Verdict
    from archsim.studies.workers.pool import On


def run(
    workload: Any = "mlp-mnist", *, out: str | Path | None = None, progress: Progress | None = None,
    stop: Callable[[], bool] | None = None, every_s: float | None = 60.0, force: bool = False, **options: Any,
) -> Run:  # fmt: skip
    """Train a workload on chips.

    Parameters
    ----------
    workload : str or mapping
        Path, shipped name, or what such a file says.
    out : path, optional
        The run directory; by default a new one under reports/.
    progress : callable, optional
        Gets a `base.progress.Report` every few hundred steps.
    stop : callable, optional
        Asked as often; True ends the run, whose directory is then marked partial.
    every_s : float, optional
        Seconds on the wall between two checkpoints; None for none.
    force : bool
        Replace an unfinished run of other inputs in `out`; one of the same goes on.
    **options
        Those of `archsim.resolve`: archs, techs, preset, seed, steps, until, settings, data, over.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If an input or an option is wrong, or the run was stopped before its first step.
    """
    from archsim.runs.owner import reserved
    from archsim.runs.run import execute
    from archsim.runs.spec import resolve

    spec = resolve(workload, **options)
    stem = f"{spec.workload.name}-seed{spec.seed}"
    with nullcontext(Path(out).expanduser()) if out else reserved(Path("reports"), stem) as folder:
        if execute(spec, folder, progress=progress, stop=stop, every_s=every_s, force=force) is None:
            raise ModelError("the run was stopped before its first step")
    return Run(folder)


def resume(path: str | Path, *, data: Path | None = None, every_s: float | None = 60.0) -> Run:
    """Go on with a run that was interrupted or died; it ends with the bits of one that was never interrupted."""
    from archsim.records.resume import resume as go_on

    folder = Path(path).expanduser()
    go_on(folder, data=data, every_s=every_s)
    return Run(folder)


def reproduce(*, out: str | Path | None = None, **options: Any) -> Run:
    """Reproduce the paper's comparison: `run` of its perceptron on both chips, and `Run.report` of it."""
    done = run("mlp-mnist", out=out, **options)
    done.report()
    return done


def ablate(workload: str = "mlp-mnist", *, out: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Train with each non-ideality off alone, and with other converters.

    Parameters
    ----------
    workload : str
    out : path, optional
        Keeps the trainings, tables and charts; by default reports/ablate-WORKLOAD. The same call again goes on there.
    **options
        Those of `archsim.studies.ablate.ablate`: arch, tech, preset, steps, seeds, bits, settings, data, done and
        on.

    Returns
    -------
    dict
        Content of ablate.json.
    """
    from archsim.studies.workers.pool import soon

    soon(options.get("on", "processes"))
    from archsim.report.studies import ablate as page
    from archsim.studies.ablate import ablate as study

    folder = Path(out).expanduser() if out else Path("reports") / f"ablate-{Path(workload).stem}"
    content = study(workload, folder, **options)
    page.write(content, folder)
    return content


def costs(
    given: Sequence[str | Path] = (), *, out: str | Path = "reports/costs", timed: bool = False, on: On = "processes",
    **options: Any,
) -> Costs:  # fmt: skip
    """Train networks on their chips, or take runs that are there, and say what each costs; writes the page.

    Parameters
    ----------
    given : workloads, by name or file, and run directories; the others are set beside the first. All shipped if empty.
    out : path
        Keeps the runs, the page and its figures; the same call again goes on there.
    timed : bool
        Do a step of each run again, and say where its time goes.
    on : str or Executor
        Where trainings run, as for `archsim.studies.workers.pool.pool`.
    **options
        Those of `archsim.studies.costs.costs.plan`: preset, seed, steps, tests, techs, data and force.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.report.costs import page
    from archsim.studies.costs import costs as study

    folder = Path(out).expanduser()
    jobs = study.plan([str(each) for each in given], out=folder, **options)
    study.carry_out(jobs, on=on)
    found = study.costs(jobs, timed=timed, data=options.get("data"))
    page.write(found, folder)
    return found


def estimate(network: Any, *, out: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Estimate a training step and an inference of a network on each chip, without data and without training.

    Parameters
    ----------
    network : str or mapping
        A workload, by path, shipped name or content.
    out : path, optional
        Folder for the page, its figures, tables and estimate.json; by default none is written.
    **options
        Those of `archsim.studies.estimate.estimate.estimate`: batch, archs, tech, settings, figures, activity, window,
        samples, tiles and as_is.

    Returns
    -------
    dict
        Content of estimate.json.
    """
    from archsim.report.studies import estimate_page as page
    from archsim.studies.estimate.estimate import estimate as study

    found = study(network, **options)
    if out is not None:
        page.write(found, Path(out).expanduser())
    return found


def sweep(
    workload: Any = None, *, file: str | Path | None = None, out: str | Path | None = None, on: On = "processes",
    stop_hopeless: bool = False, keep_runs: bool = False, retime: int = 3000, yes: bool = False,
    done: Counted | None = None, **options: Any,
) -> Sweep:  # fmt: skip
    """Train or estimate a workload at every point of a grid; what differs in prices alone is priced from one training.

    Parameters
    ----------
    workload : str or mapping, optional
        Path, shipped name, or what such a file says; by default that of the study.
    file : path, optional
        A study; options win.
    out : path, optional
        By default reports/sweep-WORKLOAD. The same call again goes on there.
    on : where tasks run, as `--on` says it; or an executor
    stop_hopeless, keep_runs, yes
        As the command line's options.
    retime : int
        Steps that are done again for other times, of a longer training; 0: train with each.
    done : callable, optional
        Called with what is finished, how many are, and how many there are.
    **options
        Those of `archsim.studies.sweeps.study.asked`: settings and figures ("KEY=VALUES" texts, or key -> values),
        archs, techs, together, reference, estimate, first_seed, seeds, preset, steps, until, batch, data, conditions.

    Returns
    -------
    Sweep
        With `frame`, a row a point and chip; what failed is there with its reason.

    Raises
    ------
    InputError
        If an option, a file or a point is wrong, before anything is done.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.studies.sweeps.plan import plan
    from archsim.studies.sweeps.study import asked
    from archsim.studies.sweeps.sweep import carry_out, folder_of

    path = Path(file).expanduser() if file else None
    study = asked(workload, file=path, **options)
    folder = Path(out).expanduser() if out else folder_of(study, path.stem if path else None)
    found = plan(study, retime=retime, yes=yes)
    return carry_out(found, folder, on=on, stop_hopeless=stop_hopeless, keep_runs=keep_runs, done=done)


def validate(
    cases: Sequence[str] = (), *, full: bool = False, out: str | Path = "reports/validate", data: Path | None = None,
    record: bool = False, rule: str | None = None, on: On = "processes",
) -> tuple[list[Result], Verdict]:  # fmt: skip
    """Hold archsim against published designs: the checks and the verdict over them; writes table and scatter plot.

    `record` also writes the results beside the cases; `rule` computes scaled figures by another scaling rule;
    `on` is where trainings run, as for `archsim.studies.workers.pool.pool`.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.base.files import check_folder
    from archsim.report.studies import validate as page
    from archsim.studies.validation.validate import validate as study
    from archsim.studies.validation.verdict import verdict

    folder = Path(out).expanduser()
    check_folder(folder)
    options: dict[str, Any] = {"data": data, "record": record, "rule": rule, "on": on}
    results = list(study(cases, full=full, folder=folder / "points", **options))
    found = verdict(results)
    page.write(results, found, folder)
    return results, found


def schema(out: str | Path = "schemas") -> list[Path]:
    """Write the JSON Schemas of archsim's files into a folder; return them."""
    from archsim.base.files import check_folder
    from archsim.studies.schemas import write_schemas

    folder = Path(out).expanduser()
    check_folder(folder)
    return list(write_schemas(folder))
