"""Go on with a run that was interrupted or died, from its directory alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from archsim.base import files
from archsim.base.errors import InputError
from archsim.base.progress import Progress
from archsim.records.reopen import reopen
from archsim.runs import checkpoint, layout, owner
from archsim.runs.run import execute
from archsim.runs.summary import Summary


def resume(
    path: str | Path, *, data: Path | None = None, progress: Progress | None = None,
    stop: Callable[[], bool] | None = None, every_s: float | None = checkpoint.EVERY_S,
) -> Summary | None:  # fmt: skip
    """Go on with an unfinished run; it ends with the bits of one that was never interrupted.

    Parameters
    ----------
    path : path
        Run directory.
    data : path, optional
        Folder with the run's data, if it is not found without.
    progress, stop, every_s
        As for `archsim.runs.run.execute`.

    Raises
    ------
    InputError
        If the directory holds no run, a finished one, or one that another process is writing.
    """
    folder = Path(path)
    if layout.state(folder) == "finished":
        raise InputError("is finished", file=files.display(folder), expected="an unfinished run, to go on with")
    owner.check(folder, option="DIR")
    return execute(reopen(folder, data=data), folder, progress=progress, stop=stop, every_s=every_s)
