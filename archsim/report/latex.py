"""Tables of a run for LaTeX: booktabs, with units, powers and citations as they are printed."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import partial

from archsim.records.recorded import Recorded
from archsim.report.sheet import NONE, Sheet, wordy
from archsim.report.tables import from_run

LONG, LONG_AMONG_MANY, WIDE = 50, 36, 6
"""Cells of more characters are broken into lines; tables of more columns are set small."""


def latex(run: Recorded) -> str:
    """Return report.tex: all sheets as booktabs tables, to be included in a document."""
    return "% Needs \\usepackage{booktabs}. Made by archsim report.\n" + "\n".join(map(latex_sheet, from_run(run)))


_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
}  # fmt: skip


def escape(text: str) -> str:
    """Return text with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(character, character) for character in text)


def latex_text(text: str) -> str:
    """Return text for LaTeX: escaped, with micro, powers and bounds as they are printed."""
    text = escape(text.replace(">= ", "\N{GREATER-THAN OR EQUAL TO}"))
    text = re.sub(r"\\textasciicircum\{\}(-?\d)", r"\\textsuperscript{\1}", text)
    text = re.sub(r"(?<=\d )u(?=[JWSVAms](?![A-Za-z]))", r"$\\mu$", text)
    return text.replace("\N{GREATER-THAN OR EQUAL TO}", r"$\geq$ ")


def _latex_cell(text: str, head: str, cited: Collection[str]) -> str:
    keys = text.split(", ")
    if head == "source" and cited and set(keys) <= set(cited):
        return rf"\cite{{{','.join(keys)}}}"
    if text == NONE:
        return "--"
    negative = re.match(r"-\d", text) is not None
    return "$-$" + latex_text(text[1:]) if negative else latex_text(text)


def _latex_column(sheet: Sheet, position: int) -> str:
    many = len(sheet.heads) > WIDE
    if max((len(row[position]) for row in sheet.rows), default=0) > (LONG_AMONG_MANY if many else LONG):
        return rf"p{{{0.6 if len(sheet.heads) == 2 else 0.14 if many else 0.25}\textwidth}}"
    return "l" if position == 0 or wordy(sheet, position) else "r"


def latex_sheet(sheet: Sheet, *, label: str = "", cited: Collection[str] = ()) -> str:
    r"""Return a sheet as a LaTeX table.

    Parameters
    ----------
    label : str
        For \ref; none if empty.
    cited : collection of str
        Keys of the bibliography: a column "source" cites them.
    """
    columns = "".join(map(partial(_latex_column, sheet), range(len(sheet.heads))))
    wide = "*" if label and (len(sheet.heads) > 4 or "p{" in columns) else ""  # spans both columns of a page
    small = [r"\scriptsize", r"\setlength{\tabcolsep}{3pt}"] if len(sheet.heads) > WIDE else []
    body = [
        " & ".join(_latex_cell(text, head, cited) for text, head in zip(row, sheet.heads, strict=True)) + r" \\"
        for row in sheet.rows
    ]
    return "\n".join([
        rf"\begin{{table{wide}}}", r"\centering", *small, rf"\caption{{{latex_text(sheet.title)}}}",
        *([rf"\label{{{label}}}"] if label else []), rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule", " & ".join(map(escape, sheet.heads)) + r" \\", r"\midrule", *body, r"\bottomrule",
        r"\end{tabular}", rf"\end{{table{wide}}}", "",
    ])  # fmt: skip
