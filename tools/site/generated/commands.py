"""Reference of the command line, from the program's own parser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archsim.base.errors import EXIT_CODES
from archsim.cli import commands as all_commands
from generated.text import below_others, cell, code, table

HOME = "reference/commands"


def exit_codes() -> str:
    """Return the table of exit codes."""
    return table(["exit code", "meaning"], [[f"{number}", meaning] for number, meaning in EXIT_CODES.items()])


def pages() -> dict[str, str]:
    """Return a page for each command, or group of commands, after one that lists them."""
    group = all_commands()
    found = {f"{HOME}/{name}.md": below_others(_page(name, command)) for name, command in group.commands.items()}
    rows = [
        [f"[`archsim {name}`]({name}.md)", cell(command.short_help or _first(command))]
        for name, command in group.commands.items()
    ]
    head = "# Commands\n\n`archsim COMMAND --help` prints what stands here.\n\n"
    return {f"{HOME}/index.md": head + table(["command", "what it does"], rows), **found}


def _page(name: str, command: Any) -> str:
    if not hasattr(command, "commands"):
        return f"# archsim {name}\n\n" + "\n".join(_command(f"archsim {name}", command))
    lines = [f"# archsim {name}", "", _plain(command.help), ""]
    for each, member in command.commands.items():
        lines += [f"## archsim {name} {each}", "", *_command(f"archsim {name} {each}", member)]
    return "\n".join(lines)


def _command(whole: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not each.hidden]
    words = [f"{each.metavar or each.name.upper()}" for each in arguments]
    yield _plain(command.help)
    yield f"\n```sh\n{' '.join([whole, *words, '[OPTIONS]'])}\n```\n"
    rows = [[code(word), cell(each.help or "")] for word, each in zip(words, arguments, strict=True)]
    rows += [[_names(each), _told(each)] for each in options]
    if rows:
        yield table(["argument or option", "what it is"], rows)
    if command.epilog:
        yield f"For example:\n\n```sh\n{command.epilog.partition('Example:')[2].strip()}\n```\n"


def _names(option: Any) -> str:
    value = "" if option.is_flag else f" {option.metavar or _type(option)}"
    return ", ".join(code(name + value) for name in (*option.opts, *option.secondary_opts))


def _type(option: Any) -> str:
    annotation = option.type_descriptor.annotation
    name = getattr(annotation, "__args__", (annotation,))[0]
    return {"int": "NUMBER", "float": "NUMBER", "Path": "PATH"}.get(getattr(name, "__name__", ""), "TEXT")


def _told(option: Any) -> str:
    default = option.show_default if isinstance(option.show_default, str) else option.default
    shown = "" if default in (None, False, True, [], ()) or callable(default) else f" By default {code(default)}."
    more = " May be repeated." if option.multiple and "repeat" not in (option.help or "") else ""
    return f"{cell(option.help or '')}{more}{shown}"


def _first(command: Any) -> str:
    return str(command.help or "").split("\n\n", 1)[0]


def _plain(text: str | None) -> str:
    """Return a help text as Markdown: what looks like HTML is none."""
    return (text or "").replace("\b\n", "").replace("<", "&lt;")
