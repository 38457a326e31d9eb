"""How archsim's groups of commands read their arguments."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperGroup


class StoppedError(Exception):
    """Ctrl-C in a command that has nothing of its own to say of it."""


class Group(TyperGroup):
    """A group of commands: alone it shows its help; "~" is the user's home wherever an argument or a value begins."""

    def invoke(self, ctx: Any) -> Any:
        """Carry a command out; Ctrl-C is an error, for typer makes an exit of it that says nothing."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise StoppedError from stop

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Expand "~" as a shell does, also where a shell does not: in --out=~/run."""
        if not args:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, [_expanded(arg) for arg in args])


def _expanded(arg: str) -> str:
    option, equals, value = arg.partition("=") if arg.startswith("--") else ("", "", arg)
    return option + equals + os.path.expanduser(value) if value.startswith("~") else arg  # noqa: PTH111  text
