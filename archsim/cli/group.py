"""How archsim's groups of commands read their arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from archsim.base.errors import InputError


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


class Command(TyperCommand):
    """A command whose options and arguments are told something, or are left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an empty value, which a path would be read from as the current folder, and an option as not given.

        Raises
        ------
        InputError
            That names the option, or the argument.
        """
        given, _, _ = self.make_parser(ctx).parse_args(args=[*args])
        for each in self.params:
            value = given.get(each.name or "")
            for text in value if isinstance(value, list | tuple) else [value]:
                if isinstance(text, str) and not text.strip():
                    own = each.metavar or str(each.name).upper()
                    name = next((opt for opt in each.opts if opt.startswith("--")), own)
                    expected = "a value" if each.required else "a value, or the command without it"
                    raise InputError(key=name, value=text, expected=expected)
        return super().parse_args(ctx, args)


class App(typer.Typer):
    """An app, or a group of it, of such commands."""

    def command(self, name: str | None = None, **told: Any) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, **{"cls": Command, **told})


def _expanded(arg: str) -> str:
    option, equals, value = arg.partition("=") if arg.startswith("--") else ("", "", arg)
    return option + equals + os.path.expanduser(value) if value.startswith("~") else arg  # noqa: PTH111  text
