"""`search`: designs that a sampler proposes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.base.progress import Counted
    from archsim.studies.search.search import Found
    from archsim.studies.workers.pool import On


def search(
    workload: Any = None, *, file: str | Path | None = None, out: str | Path | None = None, on: On = "processes",
    storage: str | None = None, keep_runs: bool = False, join: bool = False, done: Counted | None = None,
    **options: Any,
) -> Found:  # fmt: skip
    """Search for designs that no other surpasses in all objectives, within constraints; estimates first.

    Parameters
    ----------
    workload : str or mapping, optional
        Path, shipped name, or what such a file says; by default that of the study.
    file : path, optional
        A study, as of a sweep; options win.
    out : path, optional
        By default reports/search-WORKLOAD. The same call again goes on there.
    on : where tasks run, as `--on` says it; or an executor
    storage : str, optional
        Where Optuna keeps its trials: a data base's URL, or the path of a journal; by default in `out`.
    keep_runs : bool
        Keep the run directory of every training.
    join : bool
        Take part in a search that another process does in `out`.
    done : callable, optional
        Called with what is finished, how many are, and how many there are.
    **options
        Those of `archsim.studies.search.asked.search`: settings and figures ("KEY=VALUES" texts, or key -> values),
        minimise, maximise, subject_to, trials, trainings, sampler, seed, at_a_time, estimate, train, archs, techs,
        seeds, preset, steps, until, batch, data.

    Returns
    -------
    Found
        With `frame`, a row a design; `front`, those that fulfil all constraints and that none surpasses; `sweep`.

    Raises
    ------
    InputError
        If an option or a value is wrong, before anything is done, or Optuna is not installed.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.studies.search.asked import folder_of
    from archsim.studies.search.asked import search as asked
    from archsim.studies.search.search import carry_out

    path = Path(file).expanduser() if file else None
    what = asked(workload, file=path, **options)
    folder = Path(out).expanduser() if out else folder_of(what, path.stem if path else None)
    return carry_out(what, folder, on=on, storage=storage, keep_runs=keep_runs, join=join, done=done)
