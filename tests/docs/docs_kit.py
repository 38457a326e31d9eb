"""Pages as programs: their files are written, their commands and snippets run in order, what they print is compared.

- A block whose first line says `# file: NAME` (`%` in a bibliography) is that file.
- `console`: lines that begin with `$ archsim` are run; the lines below are what they print, in this order. Numbers may be
  off by 10 %, blanks do not count; "..." stands for any lines, and for the rest of a line.
- `python` is executed; all blocks of a page share their names. `text`, `sh` and unnamed files are only shown.
- `<!-- needs: MODULE -->` before a block skips what follows where that is not installed; `<!-- long: WHY -->` leaves
  one block to `make long`.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import math
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.cli import commands as all_commands

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"(?:^<!-- (needs|long): (.+?) -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"^[#%] file: (\S+)\n")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
NEAR = 0.1
"""Relative difference that a printed number may have on another machine."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the mark before it."""

    language: str
    text: str
    mark: str = ""
    told: str = ""


def site(name: str) -> Any:
    """Return a module of tools/site/generated, or the package itself for ""."""
    if (home := str(ROOT / "tools" / "site")) not in sys.path:
        sys.path.append(home)
    return importlib.import_module(f"generated.{name}".rstrip("."))


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = [Block(each[3], each[4], each[1] or "", each[2] or "") for each in _BLOCK.finditer(text)]
    assert len(found) * 2 == len(re.findall(r"^```", text, re.MULTILINE)), (
        f"{page}: a fence without a language or an end"
    )
    return found


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of a console block, without their comments, each with the lines that it is to print."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *printed = part.splitlines()
        yield re.split(r"\s+# ", command)[0].strip(), printed


def run_page(page: Path, *, long: bool = False) -> None:
    """Do what a page says, in the current folder.

    Parameters
    ----------
    page : its Markdown
    long : also the blocks that are marked as long
    """
    names: dict[str, Any] = {"__name__": page.stem}
    for block in blocks(page):
        if block.mark == "needs" and importlib.util.find_spec(block.told) is None:
            return
        if file := _FILE.match(block.text):
            Path(file[1]).parent.mkdir(parents=True, exist_ok=True)
            Path(file[1]).write_text(block.text[file.end() :], encoding="utf-8")
        elif block.mark == "long" and not long:
            continue
        elif block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)  # noqa: S102  that is the test
        elif block.language == "console":
            for command, printed in commands(block.text):
                _run(command, printed)


def carried_out(command: str) -> str:
    """Carry out a command of archsim's in this process and return what it printed; it has to go well.

    All commands are built once: typer's own runner builds them for each call, for a tenth of a second.
    """
    words = shlex.split(command)
    assert words.pop(0) == "archsim", f"{command}: only archsim is run; other commands go into a block `sh`"
    printed, code = io.StringIO(), None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            all_commands()(words, prog_name="archsim")
        except SystemExit as stop:
            code = stop.code
    assert not code, f"{command}: {printed.getvalue()}"
    return printed.getvalue()


def _run(command: str, printed: list[str]) -> None:
    rest = carried_out(command).splitlines()
    for line in printed:
        if line.strip() in ("", "..."):
            continue
        at = next((k for k, got in enumerate(rest) if alike(line, got)), None)
        assert at is not None, f"{command}\nprints no more:\n  {line}\nbut\n" + "\n".join(rest)
        rest = rest[at + 1 :]


def alike(told: str, got: str) -> bool:
    """Whether two lines have the same words, and numbers that are near each other; " ..." ends a line anywhere."""
    told, cut, _ = told.partition(" ...")
    words = _words(told)
    if words != (_words(got)[: len(words)] if cut else _words(got)):
        return False
    pairs = zip(_NUMBER.findall(told), _NUMBER.findall(got), strict=not cut)
    return all(math.isclose(_value(a), _value(b), rel_tol=NEAR) for a, b in pairs)


def _words(line: str) -> list[str]:
    return _NUMBER.sub("#", line).split()


def _value(text: str) -> float:
    return float(text.replace(",", ""))
