"""`rules`: update rules, devices and learning rules side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.base.progress import Counted
    from archsim.studies.rules.results import Results
    from archsim.studies.workers.pool import On


def rules(
    workload: Any, *, out: str | Path | None = None, on: On = "processes", page: bool = True,
    done: Counted | None = None, **options: Any,
) -> Results:  # fmt: skip
    """Train a workload by every combination of update rule, device and learning rule, and say what each costs.

    The learning rate of each is found by a search of the same budget, which does not look at the test set; then each is
    trained with several seeds.

    Parameters
    ----------
    workload : str or mapping
        Path, shipped name, or what such a file says.
    out : path, optional
        By default reports/rules-WORKLOAD. The same call again goes on there.
    on : where tasks run, as `--on` says it; or an executor
    page : bool
        Write the page and its pictures into OUT/report.
    done : callable, optional
        Called with what is finished, how many are, and how many there are.
    **options
        Those of `archsim.studies.rules.asked.asked`: archs (the update rules), devices, learnings, rates, budget,
        steps, seeds, first_seed, target, tech, preset, settings, data.

    Returns
    -------
    Results
        With `all`, a result a combination, `target`, and `path`, where the table is; what failed or is not possible is
        there with its reason.

    Raises
    ------
    InputError
        If an option or a name is wrong, before anything is done.
    """
    from archsim.studies.workers.pool import soon

    soon(on)
    from archsim.studies.rules.asked import asked
    from archsim.studies.rules.study import carry_out, folder_of, plan

    study = asked(workload, **options)
    folder = Path(out).expanduser() if out else folder_of(study)
    found = carry_out(plan(study), folder, on=on, done=done)
    if page:
        from archsim.report.rules.page import FOLDER, write

        write(found, folder / FOLDER)
    return found
