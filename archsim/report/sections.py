"""A page of sections, each with sentences, a figure and tables: as HTML that needs nothing else, and as Markdown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.report import drawing, style
from archsim.report.sheet import Sheet, markdown_sheet, wordy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = ("png", "svg")
Embedded = Mapping[str, str]
"""A figure as data in a page: "wide" and "narrow"."""


@dataclass(frozen=True)
class Section:
    """A part of a page: a head, sentences, a figure by its name, tables."""

    head: str
    sentences: list[str]
    figure: str | None
    sheets: list[Sheet]


@dataclass(frozen=True)
class SectionPage:
    """All that stands on a page.

    Parameters
    ----------
    title, under : str
        The head, and the line below it.
    highlights : what, value: the numbers that stand first
    parts : the sections
    captions : name of a figure -> what it shows
    footer : str
    """

    title: str
    under: str
    highlights: Sequence[tuple[str, str]]
    parts: Sequence[Section]
    captions: Mapping[str, str]
    footer: str = field(default="")

    @property
    def figures(self) -> list[str]:
        """Names of the figures, in order."""
        return [part.figure for part in self.parts if part.figure]

    def write(self, out: Path, stem: str, draws: Mapping[str, Callable[..., Figure]], data: Any = None) -> list[Path]:
        """Write STEM.html, STEM.md, STEM.json of data if there are any, and the figures; return them, the page first.

        Parameters
        ----------
        out : the folder
        stem : name of the files
        draws : name of a figure -> what draws it, for a narrow page with `narrow=True`
        data : what JSON has of it
        """
        files.check_folder(out)
        drawings = self.drawings(out, draws)
        texts = {"html": self.html(drawings), "md": self.markdown()}
        if data is not None:
            texts["json"] = json.dumps(data, indent=1) + "\n"
        for suffix, text in texts.items():
            files.write_text(out / f"{stem}.{suffix}", text)
        images = [out / f"{name}.{suffix}" for name in self.figures for suffix in SUFFIXES]
        return [*(out / f"{stem}.{suffix}" for suffix in texts), *images]

    def drawings(self, out: Path, draws: Mapping[str, Callable[..., Figure]]) -> dict[str, Embedded]:
        """Save the figures of the page into a folder, and return them as they stand in it."""
        with style.applied():
            return {name: _drawn(draws[name], out / name) for name in self.figures}

    def markdown(self) -> str:
        """Return the page as Markdown, its figures beside it as PNG."""
        text = [f"# {self.title}", self.under]
        if self.highlights:
            text.append("\n".join(f"- {what}: **{value}**" for what, value in self.highlights))
        for part in self.parts:
            text.append(f"## {part.head}")
            text += part.sentences
            if part.figure:
                text.append(f"![{self.captions[part.figure]}]({part.figure}.png)")
            text += [markdown_sheet(sheet, level=3) for sheet in part.sheets]
        return "\n\n".join(text) + "\n"

    def html(self, drawings: Mapping[str, Embedded]) -> str:
        """Return the page as HTML, with its figures in it."""
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("archsim.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        return environment.get_template("sections.html.j2").render(page=self, drawings=drawings, is_word=wordy)


def _drawn(draw: Callable[..., Figure], stem: Path) -> Embedded:
    """Save a figure as PNG and SVG; return it for a page, drawn anew with `narrow=True` for a narrow one."""
    from archsim.report.rendering import contents

    drawing.save(draw(), stem.parent, stem.name, SUFFIXES)
    narrow = contents(draw(narrow=True), ("svg",))["svg"]
    return {"wide": _embedded(stem.with_suffix(".svg").read_bytes()), "narrow": _embedded(narrow)}


def _embedded(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
