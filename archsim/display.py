"""What the command line shows while it works: the run's particulars, progress, and a clean end at Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from archsim.runs.spec import RunSpec
    from archsim.runs.train import Progress, Report


def console(*, error: bool = False) -> Console:
    """Return a console on standard output or error, wide enough for tables where there is no terminal."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else 150, highlight=False, markup=False, emoji=False)


def introduce(spec: RunSpec, out: Path) -> None:
    """Say what is about to run: data, chips, non-idealities, technologies, boundary."""
    from archsim.data.datasets import fallback
    from archsim.runs.train import total_steps

    steps, per_epoch = total_steps(spec)
    training = spec.training
    typer.echo(f"{spec.workload.title}")
    typer.echo(f"  data         {spec.dataset.origin}")
    if note := fallback(spec.workload.dataset, spec.dataset):
        typer.echo(f"               {note}")
    typer.echo(f"  training     {steps} steps ({steps / per_epoch:g} epochs) of batch {training.batch}, learning rate "
               f"{training.learning_rate:g} x {training.decay:g} an epoch, seed {spec.seed}")  # fmt: skip
    for architecture in spec.architectures:
        typer.echo(f"  chip         {architecture.name}: {architecture.title}")
        on, off = architecture.switched_on(), architecture.switched_off()
        if on or off:
            absent = architecture.absent()
            none = f"; not in this device: {', '.join(absent)}" if absent else ""
            said = f"non-idealities on: {', '.join(on) or 'none'}; off: {', '.join(off) or 'none'}{none}"
            typer.echo(f"               {said}")
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
        bars.TextColumn("{task.fields[rate]}"), bars.TimeRemainingColumn(), bars.TextColumn("{task.fields[accuracy]}"),
    )  # fmt: skip
    with bars.Progress(*columns, console=console(error=True)) as display:
        tasks: dict[str, bars.TaskID] = {}

        def show(report: Report) -> None:
            if report.architecture not in tasks:
                tasks[report.architecture] = display.add_task(
                    report.architecture, total=report.steps, rate="", accuracy=""
                )
            task = tasks[report.architecture]
            speed = display.tasks[task].speed
            test = "" if report.test_accuracy is None else f", test {100 * report.test_accuracy:.2f} %"
            display.update(
                task, completed=report.step, rate=f"{speed:,.0f} steps/s" if speed else "",
                accuracy=f"running {100 * report.running_accuracy:.1f} %{test}",
            )  # fmt: skip

        yield show


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
    begun: dict[str, tuple[int, float]] = {}
    told: dict[str, int] = {}

    def show(report: Report) -> None:
        first, begin = begun.setdefault(report.architecture, (report.step, time.perf_counter()))
        tenth = 10 * report.step // report.steps
        if tenth <= told.get(report.architecture, 0):
            return
        told[report.architecture] = tenth
        done, seconds = report.step - first, time.perf_counter() - begin
        rate = done / seconds if seconds else 0.0
        speed = f"{rate:,.0f} steps/s, {(report.steps - report.step) / rate:.0f} s left, " if done else ""
        typer.echo(
            f"{report.architecture}: {report.step} of {report.steps} steps, {speed}"
            f"running accuracy {100 * report.running_accuracy:.1f} %", err=True,
        )  # fmt: skip

    return show
