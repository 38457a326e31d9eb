"""The page of a run: one HTML file that needs nothing else, with a slider for every figure that costs anything."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import InputError
from archsim.records.recorded import Recorded
from archsim.records.ruled import place, read
from archsim.report import style, tables
from archsim.report.charts import samples
from archsim.report.page import data as page_data

FILE = "report.html"
MARK = b'<meta name="generator" content="archsim">'
"""By which a page that may be replaced is known."""
LARGEST = 10_000_000
"""Bytes a page may have: what a letter takes, and what a browser opens at once."""
_SCRIPTS = ("base", "model", "charts", "controls")
_TEMPLATES = Path(__file__).parent / "templates"


def write(
    run: str | Path, out: str | Path | None = None, *, techs: Sequence[str] = (), rule: str | None = None
) -> Path:
    """Write the page of a run directory and return the file.

    Parameters
    ----------
    run : path
        The run directory.
    out : path, optional
        The file, by default RUN/report/report.html, or of RUN/report-RULE; replaced if it is there.
    techs : sequence of str
        Where to find technologies that were given to the run as files.
    rule : str, optional
        Scaling rule by which the run is priced; see `records.ruled`.

    Raises
    ------
    InputError
        If the directory holds no complete set of files, its technology is not found or prices the run differently
        now, `out` is a directory or a file that is no such page, or the page would be larger than 10 MB.
    """
    data = read(Path(run), rule)
    target = Path(out) if out else place(data.path / "report", rule) / FILE
    files.claim(target, mark=MARK, what="page")
    text = render(data, techs)
    if (size := len(text.encode())) >= LARGEST:
        evaluations = sum(len(chip.course) for chip in data.chips.values())
        raise InputError(
            f"gives a page of {size / 1e6:.1f} MB", file=data.path, expected=f"less than {LARGEST / 1e6:g} MB",
            hint=f"It has {len(data.technologies)} technologies, {len(data.architectures)} chips and {evaluations} "
            "evaluations; a run of fewer of them, or of fewer layers, gives a smaller one",
        )  # fmt: skip
    files.write_text(target, text)
    return target


def render(run: Recorded, techs: Sequence[str] = ()) -> str:
    """Return the page as text: the same for the same run and technologies."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from jinja2.utils import htmlsafe_json_dumps

    content = shared(page_data.content(run, techs))
    environment = Environment(
        loader=PackageLoader("archsim.report.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    script = "\n".join(_shipped(f"page-{name}.js") for name in _SCRIPTS)
    dumps = partial(json.dumps, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return environment.get_template("page.html.j2").render(
        page=content, data=htmlsafe_json_dumps(content, dumps=dumps), script=script, digest=_digest(script),
        css=_shipped("page.css"), title=_title(content), under=_under(content),
        ran=tables.particulars(run).rows, more=_more(content), show=style.quantity,
        parts={**style.PARTS, "other": style.OTHER}, phases=style.PHASES, samples=_samples(run),
    )  # fmt: skip


def _samples(run: Recorded) -> dict[str, str] | None:
    """Return the picture of what was generated in the run, if anything was, and its title."""
    from archsim.report.rendering import contents

    with style.applied():
        if (figure := samples.draw(run)) is None:
            return None
        picture = contents(figure, ("png",))["png"]
        return {"title": str(figure.get_label()), "png": base64.b64encode(picture).decode()}


def shared(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page embeds with each price and number once, and in the technologies its place among them.

    A technology that extends another has most of both from it, so a hundred of them take little more room than two.
    The numbers of the first technology come first.
    """
    numbers: dict[str, _Once] = {kind: _Once() for kind in ("figure", "time", "area")}
    prices = _Once()
    technologies = [
        technology
        | {f"{kind}s": [once.place(each) for each in technology[f"{kind}s"]] for kind, once in numbers.items()}
        | {"prices": {chip: [prices.place(each) for each in own] for chip, own in technology["prices"].items()}}
        for technology in content["technologies"]
    ]
    return {
        **content, "technologies": technologies, "prices": prices.kept,
        "numbers": {kind: once.kept for kind, once in numbers.items()},
    }  # fmt: skip


class _Once:
    """Records, each kept once, in the order in which they came first."""

    def __init__(self) -> None:
        self.kept: list[Mapping[str, Any]] = []
        self._places: dict[str, int] = {}

    def place(self, record: Mapping[str, Any]) -> int:
        """Return where a record stands among those kept, and keep it if it is new."""
        found = self._places.setdefault(json.dumps(record, sort_keys=True), len(self.kept))
        if found == len(self.kept):
            self.kept.append(record)
        return found


def _shipped(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _digest(script: str) -> str:
    """Return what a content security policy allows this script alone by."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _title(content: dict[str, Any]) -> str:
    chips = [chip["name"] for chip in content["chips"]]
    return f"{content['run']['workload']} on {' and '.join(chips)}"


def _under(content: dict[str, Any]) -> str:
    ran = content["run"]
    return f"{ran['steps']:,} training steps of {ran['workload']} on {ran['dataset_origin']}, seed {ran['seed']}"


def _more(content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what the page tells of a run beside the table of the report."""
    ran = content["run"]
    rows = [
        ("preset", ran["preset"]),
        ("settings changed", "; ".join(f"{key}={value}" for key, value in ran["settings"].items())),
        ("Python", ran["python"]),
        ("packages", ", ".join(f"{name} {version}" for name, version in ran["packages"].items())),
    ]
    return [(name, value) for name, value in rows if value]
