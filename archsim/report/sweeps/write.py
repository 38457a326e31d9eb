"""Write the pictures of a sweep and its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.base import files
from archsim.records.sweeps.sweep import Axis, Sweep, read_sweep
from archsim.report import drawing, style
from archsim.report.sweeps import influence, page
from archsim.report.sweeps.fronts import draw_front
from archsim.report.sweeps.parallel import draw_parallel
from archsim.report.sweeps.view import AREA, View, rooted, slug, view

if TYPE_CHECKING:
    from matplotlib.figure import Figure


STEMS = ("front", "parallel", "shares", "levels", "map")
"""What names of pictures begin with, up to a hyphen."""


def write(
    folder: str | Path, out: str | Path | None = None, *, x: str | None = None, y: str | None = None,
    pair: Sequence[str] | None = None, fixed: Mapping[str, object] | None = None,
) -> list[Path]:  # fmt: skip
    """Write the pictures (PNG, SVG, PDF) and the page of a sweep, and return the files, the page first.

    Parameters
    ----------
    folder : path
        The sweep's directory.
    out : path, optional
        Where to write, by default FOLDER/report; files there are replaced.
    x, y : str, optional
        Quantities of the front, by column or title; by default energy, and the metric, or time where there is none.
    pair : two keys of axes, optional
        The parameters of the map; by default the two with the largest effects.
    fixed : key of another axis -> value or text, such as "1.6 pJ", optional
        What the map holds fixed; it is the mean over all other axes.

    Raises
    ------
    InputError
        If the directory holds no sweep, no design is finished, or a name is not known.
    """
    sweep = read_sweep(folder)
    seen = view(sweep, x, y)
    target = Path(out) if out else rooted(sweep.path)
    files.check_folder(target)
    own = (target / page.PAGE).is_file()
    written = [files.claim(target / page.PAGE, mark=page.MARK, what="page")]
    drawn = figures(seen, pair, fixed)
    with style.applied():
        for stem, figure in drawn:
            written += drawing.save(figure, target, stem)
    if own:  # what an earlier call drew and this one did not; a folder without a page may hold others' pictures
        for path in target.iterdir():
            if path not in written and path.suffix[1:] in drawing.FORMATS and path.stem.split("-")[0] in STEMS:
                path.unlink()
    files.write_text(written[0], page.render(seen))
    return written


def figures(
    seen: View, pair: Sequence[str] | None = None, fixed: Mapping[str, object] | None = None
) -> Iterator[tuple[str, Figure]]:
    """Return name and figure: the front, that against the area, parallel coordinates, and of each chip its effects.

    What is asked for is checked before the first is drawn.
    """
    values = influence.held(seen, fixed or {})
    maps = {chip: influence.pair(seen, chip, pair, values) for chip in seen.chips}
    return _figures(seen, maps, values)


def _figures(
    seen: View, maps: Mapping[str, tuple[Axis, Axis] | None], values: Mapping[str, Any]
) -> Iterator[tuple[str, Figure]]:
    yield "front", draw_front(seen)
    if (other := _against_area(seen.sweep, seen)) is not None:
        yield "front-area", draw_front(other)
    if len(seen.axes) + len(seen.shown) > 1:
        yield "parallel", draw_parallel(seen)
    for chip in seen.chips:
        end = f"-{slug(chip)}" if len(seen.chips) > 1 else ""
        if influence.told(seen, chip):
            yield f"shares{end}", influence.draw_shares(seen, chip)
            yield f"levels{end}", influence.draw_levels(seen, chip)
        if (axes := maps[chip]) is not None:
            yield f"map{end}", influence.draw_map(seen, chip, *axes, fixed=values)


def _against_area(sweep: Sweep, seen: View) -> View | None:
    """Return y over the area, where areas are known, differ, and are not in the front already."""
    known = any(each.name == AREA for each in sweep.quantities) and seen.rows[AREA].nunique() > 1
    return view(sweep, AREA, seen.y.name) if known and AREA not in (seen.x.name, seen.y.name) else None
