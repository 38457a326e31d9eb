"""The command line: arguments to calls, errors to one line and an exit code. A module a group of commands."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from archsim.base.errors import EXIT_CODES, ArchsimError
from archsim.cli import ablate, compare, explain, hold, run, schema, trace, validate, verify
from archsim.cli.device import device_app
from archsim.cli.examples import illustrate
from archsim.cli.files import archs_app, data_app, workloads_app
from archsim.cli.group import Group
from archsim.cli.options import INTERRUPTED
from archsim.cli.tech import tech_app


def _version(asked: bool) -> None:
    if asked:
        import platform
        from importlib.metadata import version

        typer.echo(f"archsim {version('archsim')} (Python {platform.python_version()})")
        raise typer.Exit


_CODES = "\n\n".join(f"{code}  {meaning}" for code, meaning in EXIT_CODES.items())
app = typer.Typer(
    name="archsim", cls=Group, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
    help="What does it cost, in joules and in seconds, to train this network on that in-memory-computing chip?\n\n"
    "archsim trains a network step by step on an event-driven model of the chip, counts every operation, and prices "
    "the counts with a technology file whose every figure has a source. Start with: archsim reproduce",
    epilog=f"Exit codes:\n\n{_CODES}",
)  # fmt: skip
for command, function in (
    ("reproduce", run.reproduce), ("run", run.run_command), ("report", run.report_command),
    ("validate", validate.validate), ("explain", explain.explain_command),
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
    """Run the command line; turn archsim's errors into one line on standard error and an exit code."""
    try:
        app()
    except ArchsimError as error:
        typer.echo(f"archsim: error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("archsim: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)
