"""The command line: arguments to calls, errors to one line and an exit code. A module a group of commands."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection
from copy import copy
from functools import cache
from typing import Annotated, Any, TypeVar

import typer
from typer.models import CommandInfo, TyperInfo

from archsim.base.errors import EXIT_CODES, ArchsimError, InputError, ModelError, SystemFault, shown
from archsim.cli import (
    ablate,
    compare,
    costs,
    estimate,
    explain,
    hold,
    rules,
    run,
    schema,
    search,
    sweep,
    trace,
    validate,
    verify,
)
from archsim.cli.device import device_app
from archsim.cli.examples import illustrate
from archsim.cli.files import archs_app, data_app, workloads_app
from archsim.cli.group import App, Group, StoppedError
from archsim.cli.options import INTERRUPTED
from archsim.cli.tech import tech_app

Info = TypeVar("Info", CommandInfo, TyperInfo)


def _version(asked: bool) -> None:
    if asked:
        import platform
        from importlib.metadata import version

        typer.echo(f"archsim {version('archsim')} (Python {platform.python_version()})")
        raise typer.Exit


_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in EXIT_CODES.items())
app = App(
    name="archsim", cls=Group, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    help="What does it cost, in joules and in seconds, to train this network on that in-memory-computing chip?\n\n"
    "archsim trains a network step by step on an event-driven model of the chip, counts every operation, and prices "
    "the counts with a technology file whose every figure has a source. Start with: archsim reproduce",
    epilog=f"Exit codes:\n\n{_CODES}",
)  # fmt: skip
for command, function in (
    ("reproduce", run.reproduce), ("run", run.run_command), ("resume", run.resume_command),
    ("report", run.report_command), ("estimate", estimate.estimate_command),
    ("validate", validate.validate), ("explain", explain.explain_command),
    ("costs", costs.costs_command), ("sweep", sweep.sweep_command),
    ("search", search.search_command), ("rules", rules.rules_command),
    ("ablate", ablate.ablate_command), ("hold", hold.hold_command), ("endurance", hold.endurance_command),
    ("trace", trace.trace_command), ("compare", compare.compare_command),
    ("schema", schema.schema_command), ("verify", verify.verify_command),
):  # fmt: skip
    app.command(command)(function)
for name, group in (
    ("tech", tech_app), ("workloads", workloads_app), ("archs", archs_app), ("data", data_app), ("device", device_app),
):  # fmt: skip
    app.add_typer(group, name=name)
illustrate(app)


@app.callback()
def _bare(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version  # its callback has answered


def main() -> None:
    """Run the command line; whatever ends it is one line on standard error and an exit code, never a traceback."""
    gc.set_threshold(_GARBAGE)
    os.environ["MPLBACKEND"] = "agg"  # charts go into files: no window, and no backend of the user's that is not there
    _open_streams()
    signal.signal(signal.SIGTERM, _terminated)  # so that what is half written is removed on the way out
    try:
        code = commands(_known() & frozenset(sys.argv[1:]))(prog_name="archsim", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as stop:
        code = stop.code
    except BaseException as error:  # noqa: BLE001  the last net
        code = _ended(error)
    sys.exit(code if isinstance(code, int) else 0)


_GARBAGE = 100_000
"""New objects after which garbage is searched for: after Python's 700, it takes a tenth of a short command's time."""


def _known() -> frozenset[str]:
    return frozenset(str(each.name) for each in app.registered_commands) | {
        str(each.name) for each in app.registered_groups
    }


@cache
def commands(named: frozenset[str] | None = None) -> Any:
    """Return all commands, of which those named, if not None, take their arguments; built once, for who calls again.

    To read the options of all commands takes a short command as long as all else, and of the others only name and
    summary are ever told.
    """
    if named is None:
        return commands(_known())
    told = copy(app)
    told.registered_commands = [_or_told(each, named) for each in app.registered_commands]
    told.registered_groups = [_or_told(each, named) for each in app.registered_groups]
    return typer.main.get_command(told)


def _or_told(info: Info, named: Collection[str]) -> Info:
    """Return a command or a group as it is if it is named, else one of its name and summary that takes nothing."""
    if info.name in named:
        return info
    told = copy(info)
    if isinstance(told, TyperInfo):
        told.typer_instance = typer.Typer()
    else:
        told.callback = lambda: None
    return told


def _open_streams() -> None:
    """Give the program streams where it was started without, read by nobody; let what they cannot spell be "?"."""
    for name in ("stdout", "stderr"):
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  as long as the program


def _terminated(number: int, frame: object) -> None:
    del frame
    raise SystemExit(128 + number)


def _ended(error: BaseException) -> int:
    """Say in one line why the program ends, and return its exit code."""
    if isinstance(error, typer.Abort) and isinstance(error.__cause__, EOFError):
        error = error.__cause__
    code = SystemFault.exit_code
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        _close(sys.stdout)
        return 0
    if isinstance(error, _Refused):
        line, code = f"error: {_refused(error)}", error.exit_code
    elif isinstance(error, ArchsimError):
        line, code = f"error: {error}", error.exit_code
    elif isinstance(error, typer.Abort | StoppedError | KeyboardInterrupt):
        line, code = "interrupted", INTERRUPTED
    elif isinstance(error, MemoryError):
        line = "error: there is not enough memory"
    elif isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        line, code = f"error: got {shown(str(error.filename))}; expected a path that can be", InputError.exit_code
    elif isinstance(error, OSError):
        line = f"error: the system says: {str(error)[:_LONG]}"
    else:
        line, code = _bug(error), ModelError.exit_code
    return _tell(line, code)


_Refused: Any = next(each for each in typer.BadParameter.__mro__ if each.__name__ == "ClickException")
"""What typer raises for arguments that cannot be; it brings a click of its own."""
_LONG = 300
"""Letters of what the system says, at most."""


def _refused(error: Any) -> str:
    """Return in one line what typer says of arguments that cannot be, and which help says what can."""
    said = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return said if context is None else f"{said}. {context.command_path} -h says what can be given"


def _bug(error: BaseException) -> str:
    kept = ""
    try:
        handle, name = tempfile.mkstemp(prefix="archsim-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
        kept = f"; the traceback is in {name}"
    except OSError:  # then without
        pass
    said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONG]
    return f"a bug, please report it: {said}{kept}"


def _tell(line: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):  # nobody listens any more
        typer.echo(f"archsim: {line}", err=True)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _close(sys.stdout)
    return code


def _close(stream: Any) -> None:
    """Let a stream that cannot be written to lead nowhere, so that Python does not complain of it at the end."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
