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
    pace = _Pace()
    if silent:
        yield lambda *_: None
        return
    if sys.stderr is None or not sys.stderr.isatty():

        def tell(name: str, finished: int, due: int) -> None:
            seconds, words, left = pace.at(finished, due)
            parts = [lasting(seconds), words, f"about {left} left" if left else ""]
            with suppress(OSError, ValueError):  # nobody listens any more
                typer.echo(f"{what} {finished} of {due}: {name} [{', '.join(filter(None, parts))}]", err=True)

        yield tell
        return
    from rich import progress as bars

    columns = (
        bars.TextColumn(what), bars.BarColumn(), bars.MofNCompleteColumn(), bars.TimeElapsedColumn(),
        bars.TextColumn("{task.fields[pace]}"), bars.TextColumn("{task.description}"),
    )  # fmt: skip
    with bars.Progress(*columns, console=console(error=True)) as display:
        task = display.add_task("", total=None, pace="")

        def show(name: str, finished: int, due: int) -> None:
            _, words, left = pace.at(finished, due)
            told = ", ".join(filter(None, [words, f"about {left} left" if left else ""]))
            display.update(task, completed=finished, total=due, description=name, pace=told)

        yield show


class _Pace:
    """How quickly a study goes on: what was kept took no time, what workers need to begin is soon left out."""

    def __init__(self) -> None:
        self._begun = self._now = time.perf_counter()
        self._finished = self._kept = 0
        self._first: tuple[float, int] | None = None  # when [s], and how many were finished then

    def at(self, finished: int, due: int) -> tuple[float, str, str]:
        """Return the seconds that it took so far, its rate in words, and in words what it will take: "" if nothing."""
        now = time.perf_counter()
        if finished <= self._finished:  # another row of work began where the last one ended
            self._begun, self._first = self._now, None
        if self._first is None:
            self._first, self._kept = (now, finished), finished - 1
        self._now, self._finished = now, finished
        first, before = self._first
        if now - first > max(first - self._begun, 0.0) * (1 - 1e-9):
            rate = (finished - before) / (now - first)
        else:
            rate = (finished - self._kept) / max(now - self._begun, 1e-9)
        left = lasting((due - finished) / rate) if finished < due and rate > 0 else ""
        return now - self._begun, _paced(rate), left


def _paced(rate: float) -> str:
    """Return a rate [1/s] in words."""
    for seconds, word in ((1, "second"), (60, "minute"), (3600, "hour")):
        if rate * seconds >= 1 or word == "hour":
            break
    each, article = rate * seconds, "an" if word == "hour" else "a"
    return f"{each:,.0f} {article} {word}" if each >= 10 else f"{each:.1f} {article} {word}"


def lasting(seconds: float) -> str:
    """Return a time that is known roughly, in words: "90 s", "12 min", "5 h"."""
    for size, word in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {word}"
    return f"{max(seconds, 1):.0f} s"


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
