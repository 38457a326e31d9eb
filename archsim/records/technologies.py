"""The one finder of a run's technologies: where each is, and whether it is still what priced the run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from archsim.accounting.technology import Technology, read_technology
from archsim.base import files
from archsim.base.errors import InputError
from archsim.runs.inputs import TECHNOLOGIES
from archsim.runs.layout import INPUTS, RUN

if TYPE_CHECKING:
    from archsim.records.recorded import Recorded

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class NamedTechnology:
    """A technology of a run, as run.yaml names it: its hash, and its times [s].

    One that was computed for a question about the run, and has no file, is kept here, with what must be said of it.
    """

    name: str
    sha256: str
    times_s: Mapping[str, float]
    technology: Technology | None = None
    note: str = ""


def named(path: Path, run: Mapping[str, Any]) -> tuple[NamedTechnology, ...]:
    """Return the technologies of a run, its own first, from the content of its run.yaml.

    Raises
    ------
    InputError
        If it names none, or lacks something.
    """
    try:
        found = tuple(
            NamedTechnology(str(t["name"]), str(t["sha256"]), {str(k): float(v) for k, v in t["times_s"].items()})
            for t in run["technologies"]
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"lacks something ({error})", file=files.display(path / RUN), expected="run.yaml as archsim writes it"
        ) from error
    if not found:
        raise InputError("names none", file=files.display(path / RUN), key="technologies", expected="at least one")
    return found


@dataclass(frozen=True)
class Found:
    """A technology that a run was priced by, as it is found now.

    Parameters
    ----------
    named : NamedTechnology
        As the run recorded it.
    technology : Technology or None
        None if its file is missing or cannot be read.
    state : "same", "changed" or "missing"
    note : str
        What a reader must know; empty if it is the same.
    """

    named: NamedTechnology
    technology: Technology | None
    state: Literal["same", "changed", "missing"]
    note: str

    def same(self) -> Technology:
        """Return it if it is the file that priced the run.

        Raises
        ------
        InputError
            If it is missing or has changed.
        """
        found = self.as_it_is()
        if self.state == "changed":
            raise InputError(
                "has changed since the run", file=files.display(found.path), expected="the file it was done with"
            )
        return found

    def alike(self, run: Recorded) -> Technology:
        """Return it if it prices all that a run did as it did then; `note` says if its file has changed.

        Raises
        ------
        InputError
            If it is missing or prices anything otherwise; names the first difference.
        """
        found = self.as_it_is()
        if self.state == "changed" and (changed := next(_repriced(run, found), None)):
            raise InputError(
                f"is not the file this run was priced by: {changed}", file=files.display(found.path), key="sha256",
                value=found.sha256,
                expected=f"{self.named.sha256[:12]}..., or a run made with the file as it is now",
            )  # fmt: skip
        return found

    def as_it_is(self) -> Technology:
        """Return it whatever has become of its file.

        Raises
        ------
        InputError
            If it is missing.
        """
        if self.technology is None:
            raise InputError(self.note, key="--tech", expected="its file, named by its path")
        return self.technology


def find(path: Path, known: Sequence[NamedTechnology], name: str | None = None, *, given: Sequence[str] = ()) -> Found:
    """Find a technology that a run was priced by.

    Parameters
    ----------
    path : the run's directory
    known : its technologies (`named`)
    name : str, optional
        Its name, or the path of its file; the run's own by default.
    given : sequence of str
        Files named on the command line: one of its name goes before the copy that the run keeps. Without both it is
        looked for among the shipped ones, in the current folder and beside the run.

    Raises
    ------
    InputError
        If the run was not priced by a technology of that name, or a file given is wrong.
    """
    wanted = name or known[0].name
    by_name = {each.name: each for each in known}
    stems = {each: Path(each).stem if each.endswith((".yaml", ".yml")) else each for each in (*given, wanted)}
    if strangers := [each for each, stem in stems.items() if stem not in by_name]:
        known_ones = ", ".join(by_name)
        raise InputError(key="--tech", value=strangers[0], expected=f"one this run was priced by: {known_ones}")
    paths, stem = {stem: each for each, stem in stems.items() if each != stem}, stems[wanted]
    if computed := by_name[stem].technology:
        return Found(by_name[stem], computed, "same", by_name[stem].note)
    if stem in paths:
        return _found(by_name[stem], read_technology(paths[stem]))
    for folder in (path / INPUTS / TECHNOLOGIES / stem, files.shipped("tech_params"), Path.cwd(), path, path.parent):
        if (file := folder / f"{stem}.yaml").is_file():
            try:
                return _found(by_name[stem], read_technology(str(file)))
            except InputError as error:
                return Found(by_name[stem], None, "missing", str(error))
    where = f"{stem} is neither in {INPUTS} of the run nor shipped, in the current folder or beside the run"
    return Found(by_name[stem], None, "missing", where)


def _found(named: NamedTechnology, technology: Technology) -> Found:
    if technology.sha256 == named.sha256:
        return Found(named, technology, "same", "")
    where = files.display(technology.path)
    note = f"{where} has changed since the run, but prices all that the run did as it did then"
    return Found(named, technology, "changed", note)


def _repriced(run: Recorded, technology: Technology) -> Iterator[str]:
    """Yield what a technology prices otherwise than the run was priced."""
    for chip in run.chips.values():
        prices = {(line.component, line.key): line for line in chip.bills[technology.name].lines}
        for entry in chip.entries:
            line = prices[entry.component, entry.key]
            if not line.inside or not line.price:
                continue
            figure = technology.figure_for(entry.key)
            if figure is None or figure.name != line.figure:
                yield f"{entry.key} was priced by {line.figure}, now by {figure.name if figure else 'nothing'}"
            elif not math.isclose(now := figure.price(entry.sizes), line.price, rel_tol=_CLOSE):
                yield f"{figure.name} gave {line.price:.6g} J for {entry.key}, now {now:.6g} J"
