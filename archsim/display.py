"""What the command line shows while it works: the run's particulars, progress, and a clean end at Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from archsim.base.progress import Counted, Progress, Report
    from archsim.runs.spec import RunSpec


def console(*, error: bool = False, width: int = 150) -> Console:
    """Return a console on standard output or error, so wide [letters] where there is no terminal."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else width, highlight=False, markup=False, emoji=False)


def introduce(spec: RunSpec, out: Path) -> None:
    """Say what is about to run: data, chips, non-idealities, technologies, boundary."""
    from archsim.data.datasets import fallback
    from archsim.runs import suited
    from archsim.runs.train import total_steps

    steps, per_epoch = total_steps(spec)
    training = spec.training
    typer.echo(f"{spec.workload.title}")
    if spec.instead_of:
        typer.echo(
            f"  note         this is {spec.workload.name}, in place of {spec.instead_of}, whose data were not found"
        )
    typer.echo(f"  data         {spec.dataset.origin}")
    if note := fallback(spec.workload.dataset, spec.dataset):
        typer.echo(f"               {note}")
    typer.echo(f"  training     {steps} steps ({steps / per_epoch:g} epochs) of batch {training.batch}, learning rate "
               f"{training.learning_rate:g} x {training.decay:g} an epoch{training.further()}, "
               f"seed {spec.seed}")  # fmt: skip
    for architecture in spec.architectures:
        typer.echo(f"  chip         {architecture.name}: {architecture.title}")
        on, off = architecture.switched_on(), architecture.switched_off()
        if on or off:
            absent = architecture.absent()
            none = f"; not in this device: {', '.join(absent)}" if absent else ""
            said = f"non-idealities on: {', '.join(on) or 'none'}; off: {', '.join(off) or 'none'}{none}"
            typer.echo(f"               {said}")
        for note in suited.notes(architecture, spec.technologies):
            typer.echo(f"  note         {architecture.name}: {note}")
    for technology in spec.technologies:
        typer.echo(f"  technology   {technology.name}: {technology.title}")
    boundary = spec.architectures[0].boundary
    typer.echo(f"  account      inside: {', '.join(boundary.inside)}; outside: {', '.join(boundary.outside)}")
    typer.echo(f"  run          {out}")


@contextmanager
def stoppable(also: Callable[[], Any] | None = None) -> Iterator[list[int]]:
    """Turn the first Ctrl-C, SIGTERM or hang-up into an entry of the list yielded; the second ends the program."""
    signals: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        signals.append(number)
        if also:
            also()
        if len(signals) > 1:
            raise KeyboardInterrupt

    stops = (signal.SIGINT, signal.SIGTERM, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))
    before = {number: signal.signal(number, note) for number in stops}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def progress(*, silent: bool) -> Iterator[Progress | None]:
    """Yield a callback that shows progress: a live bar on a terminal, a line every tenth of the way elsewhere."""
    if silent:
        yield None
        return
    if sys.stderr is None or not sys.stderr.isatty():
        yield _audible(_lines())
        return
    from rich import progress as bars

    columns = (
        bars.TextColumn("{task.description:16}"), bars.BarColumn(), bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}"), bars.TimeRemainingColumn(), bars.TextColumn("{task.fields[judged]}"),
    )  # fmt: skip
    with bars.Progress(*columns, console=console(error=True)) as display:
        tasks: dict[str, bars.TaskID] = {}

        def show(report: Report) -> None:
            if report.what not in tasks:
                tasks[report.what] = display.add_task(report.what, total=report.due, rate="", judged="")
            task = tasks[report.what]
            speed = display.tasks[task].speed
            display.update(
                task, completed=report.done, rate=f"{speed:,.0f} steps/s" if speed else "", judged=report.judged
            )

        yield show


@contextmanager
def counting(what: str, *, silent: bool) -> Iterator[Counted]:
    """Yield a callback that shows how far a study is: a bar on a terminal, a line each elsewhere, with the time left.

    Parameters
    ----------
    what : str
        What is counted: "re-run".
    silent : bool
        Show nothing.
    """
    begin, first, last = [time.perf_counter()], [0], [0]
    if silent:
        yield lambda *_: None
        return
    if sys.stderr is None or not sys.stderr.isatty():

        def tell(name: str, finished: int, due: int) -> None:
            if finished <= last[0]:  # another row of work begins
                begin[0], first[0] = time.perf_counter(), 0
            first[0], last[0] = first[0] or finished - 1, finished  # those kept from before took no time
            seconds, fresh = time.perf_counter() - begin[0], max(finished - first[0], 1)
            left = f", about {seconds / fresh * (due - finished):.0f} s left" if finished < due else ""
            with suppress(OSError, ValueError):  # nobody listens any more
                typer.echo(f"{what} {finished} of {due}: {name} [{seconds:.0f} s{left}]", err=True)

        yield tell
        return
    from rich import progress as bars

    columns = (
        bars.TextColumn(what), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(), bars.TextColumn("{task.description}"),
    )  # fmt: skip
    with bars.Progress(*columns, console=console(error=True)) as display:
        task = display.add_task("", total=None)
        yield lambda name, finished, due: display.update(task, completed=finished, total=due, description=name)


def _audible(show: Progress) -> Progress:
    """Return a callback that falls silent when nobody listens any more: a closed stream ends no training."""
    listeners = [show]

    def tell(report: Report) -> None:
        try:
            for listener in listeners:
                listener(report)
        except (OSError, ValueError):
            listeners.clear()
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  for as long as the program

    return tell


def _lines() -> Progress:
    begun: dict[str, tuple[float, float]] = {}
    told: dict[str, int] = {}

    def show(report: Report) -> None:
        first, begin = begun.setdefault(report.what, (report.done, time.perf_counter()))
        due = report.due or report.done
        tenth = int(10 * report.done // due)
        if tenth <= told.get(report.what, 0):
            return
        told[report.what] = tenth
        done, seconds = report.done - first, time.perf_counter() - begin
        rate = done / seconds if seconds else 0.0
        speed = f"{rate:,.0f} steps/s, {(due - report.done) / rate:.0f} s left, " if done else ""
        typer.echo(f"{report.what}: {report.done:.0f} of {due:.0f} {report.unit}, {speed}{report.judged}", err=True)

    return show
