"""Make every chart and table of a run into one folder."""

from __future__ import annotations

import json
from pathlib import Path

from archsim.base import files
from archsim.records import intervals
from archsim.records.recorded import Recorded
from archsim.records.ruled import place, read
from archsim.report import drawing, latex, style, tables


def make(run: str | Path, out: str | Path | None = None, *, rule: str | None = None) -> list[Path]:
    """Write charts (PNG, SVG, PDF), tables (Markdown, LaTeX) and intervals (JSON) of a run directory; return the files.

    A time line that `archsim trace` left in the directory is drawn, too.

    Parameters
    ----------
    run : path
        The run directory; nothing else is read.
    out : path, optional
        Folder to write to, by default RUN/report, or RUN/report-RULE. Files of the same names are replaced.
    rule : str, optional
        Scaling rule by which the run is priced, in place of its technology's own; see `records.ruled`.

    Raises
    ------
    InputError
        If the directory holds no complete set of files, `out` is a file, or no figure follows the rule.
    """
    data = read(Path(run), rule)
    folder = Path(out) if out else place(data.path / "report", rule)
    files.check_folder(folder)
    written = []
    with style.applied():
        figures = style.charts(data)
        charts = list(figures)
        for name, figure in figures.items():
            written += drawing.save(figure, folder, name)
        written += (steps := _steps(data, folder))
    charts += [path.stem for path in steps if path.suffix == ".png"]
    drawn = json.dumps(intervals.contents(data), indent=1) + "\n"
    for name, text in (
        ("intervals.json", drawn),
        ("report.md", tables.markdown(data, charts)),
        ("report.tex", latex.latex(data)),
    ):
        files.write_text(folder / name, text)
        written.append(folder / name)
    return written


def _steps(data: Recorded, folder: Path) -> list[Path]:
    """Draw one recorded step of each chip, if `archsim trace` recorded this very run."""
    from archsim.records import timeline

    recorded = data.path / timeline.FOLDER
    if not (recorded / timeline.JSON).is_file():
        return []
    from archsim.report.trace import charts as pictures
    from archsim.runs.identity import identity

    if (found := timeline.read(recorded)).identity != identity(data.run):
        return []
    return pictures.write(found, folder)
