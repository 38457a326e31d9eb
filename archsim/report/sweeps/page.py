"""The page of a sweep: one HTML file that needs nothing else, to choose designs on by ranges."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archsim.records.sweeps.fronts import KNEE
from archsim.records.sweeps.sweep import CHIP, DONE, TECHNOLOGY, Axis, Quantity
from archsim.report import style
from archsim.report.sweeps import influence
from archsim.report.sweeps.view import View

if TYPE_CHECKING:
    import pandas as pd

PAGE = "sweep.html"
MARK = b'<meta name="generator" content="archsim">'
"""By which a page that may be replaced is known."""
_SHARED = Path(__file__).parents[1] / "page" / "templates"
_OWN = Path(__file__).parent / "templates"
_SCRIPTS = (_SHARED / "page-base.js", *(_OWN / f"sweep-{name}.js" for name in ("model", "draw", "controls")))
_STYLES = (_SHARED / "page.css", _OWN / "sweep.css")


def render(view: View) -> str:
    """Return the page of a sweep as text: the same for the same sweep."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.utils import htmlsafe_json_dumps

    environment = Environment(
        loader=PackageLoader("archsim.report.sweeps"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    script, css = ("\n".join(each.read_text(encoding="utf-8") for each in every) for every in (_SCRIPTS, _STYLES))
    data = content(view)
    dumps = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return environment.get_template("sweep.html.j2").render(
        page=data, data=htmlsafe_json_dumps(data, dumps=dumps), script=script, css=css,
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        title=f"{'Search' if view.sweep.definition.get('kind') == 'search' else 'Sweep'}: {view.sweep.name}",
        under=_under(view), warnings=_warnings(view), rule=KNEE, knee=style.PATH, asked=_asked(view),
        series=[each.colour for each in view.every.series], shares=_shares(view), failed=_failed(view),
    )  # fmt: skip


def content(view: View) -> dict[str, Any]:
    """Return what the page computes with: columns of numbers [SI], of words as places among their levels; None: none.

    The designs are all finished ones, whichever quantities are known of them.
    """
    every = view.every
    axes = [_axis(every, axis) for axis in every.axes]
    quantities = [each for each in view.sweep.quantities if every.rows[each.name].notna().any()]
    of = [0] * len(every.rows)
    for k, series in enumerate(every.series):
        for row in series.rows.nonzero()[0]:
            of[row] = k
    names = [each.name for each in quantities]
    limits = [_constraints(every)] if not every.within.all() else []
    columns = [*axes, *(_quantity(every.rows, each) for each in quantities), *limits]
    return {
        "count": len(every.rows), "points": every.rows["point"].astype(str).tolist(), "of": of,
        "series": [each.label for each in every.series], "file": f"{view.sweep.path.resolve().name}-left",
        "columns": columns, "begin": {len(columns) - 1: [0]} if limits and every.within.any() else {},
        "x": len(axes) + names.index(view.x.name), "y": len(axes) + names.index(view.y.name),
    }  # fmt: skip


FULFILLED = "fulfilled"


def _constraints(view: View) -> dict[str, Any]:
    """Return the constraints as a column of words: fulfilled, or which are broken."""
    said = ["; ".join(f"breaks {text}" for text in each) or FULFILLED for each in view.broken]
    levels = [FULFILLED, *sorted({*said} - {FULFILLED})]
    return {
        "key": "constraints", "title": "constraints", "kind": "constraints", "unit": "", "scale": 1, "prefixed": False,
        "better": None, "spread": None, "levels": levels, "values": [levels.index(each) for each in said],
    }  # fmt: skip


def _axis(view: View, axis: Axis) -> dict[str, Any]:
    column = view.rows[axis.column]
    levels = view.sweep.levels(axis)
    told = {
        "key": axis.column, "title": axis.key, "kind": "axis", "unit": axis.unit, "scale": 1,
        "prefixed": bool(axis.unit), "better": None, "spread": None,
    }  # fmt: skip
    if all(isinstance(each, int | float) and not isinstance(each, bool) for each in levels):
        return told | {"levels": None, "values": _numbers(column)}
    places = {each: k for k, each in enumerate(levels)}
    return told | {"levels": [str(each) for each in levels], "values": [places.get(each) for each in column.tolist()]}


def _quantity(rows: pd.DataFrame, quantity: Quantity) -> dict[str, Any]:
    return {
        "key": quantity.name, "title": quantity.title, "kind": "quantity", "unit": quantity.unit,
        "scale": quantity.scale, "prefixed": quantity.prefixed, "better": quantity.better, "levels": None,
        "spread": _numbers(rows[quantity.spread]) if quantity.spread in rows else None,
        "values": _numbers(rows[quantity.name]),
    }  # fmt: skip


def _numbers(column: pd.Series[Any]) -> list[float | None]:
    """Return numbers without those that JSON has not: a whole one as such."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124  NaN alone is not itself


def _under(view: View) -> str:
    told, frame = view.sweep.definition, view.sweep.frame
    what = "estimates" if told.get("what") == "estimate" else "trainings"
    technologies = ", ".join(dict.fromkeys(frame[TECHNOLOGY].dropna().astype(str)))
    chips = " and ".join(dict.fromkeys(frame[CHIP].dropna().astype(str)))
    return f"{what} of {told['workload']} on {chips}; figures of {technologies}. Made by archsim {told.get('archsim')}."


def _warnings(view: View) -> list[str]:
    state, frame = view.sweep.definition.get("state"), view.sweep.frame
    said = []
    if state != "finished":
        said.append(f"This sweep is {state or 'not finished'}: what stands here are the designs that were done.")
    if missing := int((frame["state"] != DONE).sum()):
        said.append(f"{missing:,} of {len(frame):,} rows have no numbers; why stands at the end.")
    if beyond := int((~view.every.within).sum()):
        shown = "; they are grey until they are ticked below" if view.every.within.any() else ", so there is no front"
        said.append(f"{beyond:,} of {len(view.every.rows):,} designs break a constraint{shown}.")
    return said


def _asked(view: View) -> list[tuple[str, str]]:
    """Return what the definition says was asked for."""
    told = view.sweep.definition
    rows = [(axis.key, ", ".join(map(axis.text, axis.values))) for axis in view.sweep.axes]
    asked = told.get("search")
    if isinstance(asked, dict):
        rows += [(name, ", ".join(map(str, asked.get(name) or ()))) for name in ("objectives", "subject_to")]
    rows.append(("settings", "; ".join(f"{key}={value}" for key, value in (told.get("settings") or {}).items())))
    for name in ("conditions", "baseline", "preset", "steps", "until", "batch", "seeds", "samples", "created"):
        value = told.get(name) or ""
        rows.append((name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return [(name, value) for name, value in rows if value]


def _shares(view: View) -> list[tuple[str, str, list[str], list[tuple[str, list[float]]]]]:
    """Return chip, method, quantities and rows of each table of shares."""
    found = [(chip, influence.told(view, chip)) for chip in view.chips]
    return [
        (chip, influence.methods(told), [each.title for each, _ in told], influence.shares(told))
        for chip, told in found
        if told
    ]


def _failed(view: View) -> list[tuple[str, str, int]]:
    """Return state, reason and number of the rows without numbers, the most frequent first."""
    frame = view.sweep.frame
    missing = frame[frame["state"] != DONE]
    counts = Counter(zip(missing["state"].astype(str), missing["reason"].fillna("").astype(str), strict=True))
    return [(state, reason, count) for (state, reason), count in counts.most_common()]
