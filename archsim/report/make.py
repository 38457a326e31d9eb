"""Make every chart and table of a run into one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archsim.base import files, registry
from archsim.base.errors import InputError
from archsim.report import style, tables
from archsim.report.rundata import RunData, load

FORMATS: dict[str, Any] = {"png": {"dpi": 200, "metadata": {"Software": None}}, "svg": {"metadata": {"Date": None}},
           "pdf": {"metadata": {"CreationDate": None, "ModDate": None}}}  # fmt: skip


def make(run: str | Path, out: str | Path | None = None) -> list[Path]:
    """Write charts (PNG, SVG, PDF) and tables (Markdown, LaTeX) of a run directory; return the files.

    A time line that `archsim trace` left in the directory is drawn, too.

    Parameters
    ----------
    run : path
        The run directory; nothing else is read.
    out : path, optional
        Folder to write to, by default RUN/report. Files of the same names are replaced.

    Raises
    ------
    InputError
        If the directory holds no complete set of files, or `out` is a file.
    """
    data = load(Path(run))
    folder = Path(out) if out else data.path / "report"
    if folder.exists() and not folder.is_dir():
        raise InputError(key="--out", value=str(folder), expected="a directory, but it is a file")
    written = []
    charts = registry.names("chart")
    for name in charts:
        written += _chart(data, name, folder)
    written += (steps := _steps(data, folder))
    charts += [path.stem for path in steps if path.suffix == ".png"]
    for name, text in (("report.md", tables.markdown(data, charts)), ("report.tex", tables.latex(data))):
        files.write_text(folder / name, text)
        written.append(folder / name)
    return written


def _steps(data: RunData, folder: Path) -> list[Path]:
    """Draw one recorded step of each chip, if `archsim trace` recorded this very run."""
    from archsim.report import timeline as pictures
    from archsim.runs import state, timeline

    recorded = data.path / timeline.FOLDER
    if not (recorded / timeline.JSON).is_file() or (found := timeline.read(recorded)).identity != state.identity(
        data.run
    ):
        return []
    return pictures.write(found, folder)


def _chart(data: RunData, name: str, folder: Path) -> list[Path]:
    written = []
    with style.applied():
        figure = registry.load("chart", name)(data)
        for suffix, options in FORMATS.items():
            path = folder / f"{name}.{suffix}"
            with files.replacing(path) as aside:
                figure.savefig(aside, format=suffix, **options)
            figure.set_layout_engine("none")  # laid out once is enough for all formats
            written.append(path)
    return written
