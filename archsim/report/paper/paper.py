"""The paper kit of a run: booktabs tables, figures for one and two columns, bibliography, methods, a main document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.accounting.intervals import Intervals
from archsim.base import files
from archsim.records.intervals import known
from archsim.records.recorded import Recorded
from archsim.records.ruled import place, read
from archsim.report import drawing, ranges, style, tables
from archsim.report.latex import escape, latex_sheet, latex_text
from archsim.report.paper import methods, sources
from archsim.report.sheet import Sheet
from archsim.runs.layout import RUN, refuse_metered

PAGES = {"column": style.COLUMN, "text": style.TEXT}
"""Width of a figure, as its file's name says: one column, or the text of a page in two columns."""
_HATCHED = "Hatched: from assumed figures."
_CAPTIONS = {
    "energy": "By phase and part; totals with the values of the paper (red) and the range that 90 % of "
    f"joint draws of all figures leave (black). {_HATCHED}",
    "latency": "Logarithmic axis.",
    "metric": "Of an accuracy a logarithmic axis of the error rate. Dashed: what the paper reached, if it did.",
    "contributions": f"Lines: the ends of the figure's range; an arrow goes on beyond the axis. {_HATCHED}",
    "area": "A sum of parts, without wires between them and floorplan. Lines: 90 % of joint draws of "
    f"all figures. {_HATCHED}",
}


@dataclass(frozen=True)
class Kit:
    """What was written: the files, and what an author must know about them."""

    files: tuple[Path, ...]
    notes: tuple[str, ...]


def make_paper(
    run: str | Path, out: str | Path | None = None, techs: Sequence[str] = (), *, rule: str | None = None
) -> Kit:
    """Write the paper kit of a run directory.

    Parameters
    ----------
    run : path
        The run directory.
    out : path, optional
        Folder to write to, by default RUN/paper, or RUN/paper-RULE. Files of the same names are replaced.
    techs : sequence of str
        Where to find technologies that were given as files.
    rule : str, optional
        Scaling rule by which the run is priced; see `records.ruled`.

    Raises
    ------
    InputError
        If the directory holds no complete set of files, a technology or device file is not found or prices the run
        differently now, `out` is a file, or the training was not archsim's own.
    """
    data = read(Path(run), rule)
    refuse_metered(data.run, files.display(data.home / RUN))
    folder = Path(out) if out else place(data.path / "paper", rule)
    files.check_folder(folder)
    used = sources.used(data, techs)
    sheets = table_sheets(data, used)
    text = methods.paragraph(data, used)
    contents = {
        **{
            f"tables/{name}.tex": latex_sheet(sheet, label=f"tab:{name}", cited=used.references)
            for name, sheet in sheets.items()
        },
        "sources.bib": sources.bibliography(used.references),
        "methods.md": text + "\n",
        "methods.tex": methods.latex(text) + "\n",
    }
    with files.together(folder) as aside:
        figures, captions = _figures(data, aside)
        contents["main.tex"] = main(data, captions, list(sheets))
        contents["README.txt"] = _readme(data)
        for name, content in contents.items():
            files.write_text(aside / name, content)
    names = [*(str(path.relative_to(aside)) for path in figures), *contents]
    return Kit(tuple(folder / name for name in names), used.notes)


def table_sheets(run: Recorded, used: sources.Used) -> dict[str, Sheet]:
    """Return file name -> table, in the order of the document."""
    summary = run.summary
    made = dict(zip(["seeds"], ranges.seeds(run), strict=False))
    made |= {f"energy-{name}": sheet for name, sheet in zip(run.technologies, tables.energy(summary), strict=True)}
    made["latency"] = tables.latency(summary)
    made["per-sample"] = tables.per_sample(summary)
    made["to-reach"] = tables.to_reach(run)
    made |= {f"intervals-{found.technology}": ranges.interval_sheet(run, found) for found in _intervals(run)}
    made |= dict(zip(["against-the-paper"], tables.against_paper(summary), strict=False))
    made |= dict(zip(["area"], tables.area(summary), strict=False))
    pairs = [(technology, chip) for technology in run.technologies for chip in run.architectures]
    largest = zip(pairs, tables.contributors(run), strict=True)
    made |= {f"contributors-{technology}-{chip}": sheet for (technology, chip), sheet in largest}
    made["boundary"] = tables.boundary(summary)
    return {_file_name(name): sheet for name, sheet in {**made, **sources.sheets(used)}.items()}


def _intervals(run: Recorded) -> list[Intervals]:
    return [found for name in run.technologies if (found := known(run, name))]


def _file_name(name: str) -> str:
    """Return a name that LaTeX takes as a file and as a label."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", name).replace(".", "-")


def _figures(run: Recorded, folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Draw every chart for both widths; return the files, and chart -> caption."""
    written, captions = [], {}
    for width, page in PAGES.items():
        with style.applied(page):
            for name, figure in style.charts(run).items():
                written += drawing.save(figure, folder / "figures", f"{name}-{width}", ("pdf",))
                captions[name] = str(figure.get_label() or name)
    return written, captions


def main(run: Recorded, captions: Mapping[str, str], sheets: Sequence[str]) -> str:
    """Return main.tex, which includes everything else and compiles by itself."""
    title = f"{run.summary['workload']} on {' and '.join(run.architectures)}"
    figures = [_figure(name, caption) for name, caption in captions.items()]
    inputs = [rf"\input{{tables/{name}}}" for name in sheets]
    return "\n".join([
        r"% Written by archsim report --paper. Compile: pdflatex main, bibtex main, pdflatex main, pdflatex main.",
        r"\documentclass[10pt]{article}", r"\usepackage[T1]{fontenc}", r"\usepackage[utf8]{inputenc}",
        r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}  % outlines, where others are bitmaps",
        r"\usepackage[textwidth=7.16in,textheight=9.5in]{geometry}", r"\usepackage{booktabs}",
        r"\usepackage{graphicx}", r"\extrafloats{100}", rf"\title{{{escape(title)}}}", r"\author{}", r"\date{}",
        r"\begin{document}", r"\maketitle", "", r"\section*{Methods}", r"{\sloppy\input{methods}\par}", "",
        r"\section*{Figures}", *figures, r"\clearpage", "", r"\section*{Tables}", *inputs, r"\clearpage", "",
        r"\bibliographystyle{unsrt}", r"\bibliography{sources}", r"\end{document}", "",
    ])  # fmt: skip


def _figure(name: str, caption: str) -> str:
    text = latex_text(f"{caption}. {_CAPTIONS.get(name, '')}".strip())
    return "\n".join([
        rf"\begin{{figure*}}% one column: {name}-column.pdf with width=\columnwidth", r"\centering",
        rf"\includegraphics[width=\textwidth]{{figures/{name}-text.pdf}}", rf"\caption{{{text}}}",
        rf"\label{{fig:{name}}}", r"\end{figure*}",
    ])  # fmt: skip


def _readme(run: Recorded) -> str:
    one, two = style.COLUMN, style.TEXT
    return f"""Paper kit of the archsim run {run.path.name}, written by `archsim report --paper`.

main.tex       a document that includes everything below; compile it with
                   pdflatex main; bibtex main; pdflatex main; pdflatex main
methods.tex    a paragraph of methods, to be included with \\input; methods.md is the same for Pandoc
tables/        one table a file, for the package booktabs; each has its \\label (tab:NAME)
figures/       every chart as PDF with embedded fonts, {one.font:g} pt:
                   NAME-column.pdf  {one.width:g} in wide, for one column
                   NAME-text.pdf    {two.width:g} in wide, for both
sources.bib    the sources of every figure, time, area and device model that the run used, and of no other;
               notes in it say what was not checked of an entry: verify those before citing

The run again:  {methods.command(run)}
Is it the same? archsim verify DIR
"""
