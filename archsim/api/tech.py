"""`archsim tech` from Python: technology files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.accounting.technology import Technology
    from archsim.studies.calibrate import Shift
    from archsim.studies.explain.ruled import UnderRules
    from archsim.technologies.diff import Diff
    from archsim.technologies.imports import Imported
    from archsim.technologies.scaling import Scaled
    from archsim.technologies.survey import Converter, Taken


def list() -> Sequence[str]:  # noqa: A001  the command's name
    """Return the names of the shipped technologies."""
    from archsim.accounting.technology import list_technologies

    return list_technologies()


def show(name: str) -> Technology:
    """Return a technology, by name or file: its times, figures, areas and references."""
    from archsim.accounting.technology import read_technology

    return read_technology(name)


def lint(name: str, *, archs: Sequence[str] = ()) -> Sequence[str]:
    """Return what is wrong with a technology for architectures, all shipped ones by default; notes begin with "note: ".

    Empty if nothing is.
    """
    from archsim.accounting.area import lint_areas
    from archsim.accounting.technology import lint as check
    from archsim.accounting.technology import read_technology
    from archsim.base.files import shipped_names
    from archsim.studies.inventory import entries, parts
    from archsim.technologies.central import off_centre
    from archsim.technologies.rules import problems

    technology, chips = read_technology(name), archs or shipped_names("architectures")
    found = check(technology, [entry for arch in chips for entry in entries(arch, technology)])
    found += lint_areas(technology, [part for arch in chips for part in parts(arch, technology)])
    return [*found, *problems(technology), *off_centre(technology)]


def diff(a: str, b: str) -> Diff:
    """Return what technology b has that a has not, and the other way."""
    from archsim.technologies.diff import diff as compare

    return compare(show(a), show(b))


def rules(name: str = "bottom-up-14nm", *, run: str | Path | None = None) -> UnderRules:
    """Return what each scaling rule makes of a technology's figures, and of the energies of a run's steps."""
    from archsim.studies.explain.ruled import under_rules

    return under_rules(show(name), Path(run) if run else None)


def calibrate(
    run: str | Path, out: str | Path, *, tech: str = "bottom-up-14nm", force: bool = False
) -> Sequence[Shift]:
    """Write a technology calibrated to published totals of a run; return the moves of its figures."""
    from archsim.studies.calibrate import calibrate as solve

    return solve(Path(run), tech, Path(out), force=force)


def scale(
    tech: str, node: str, out: str | Path, *, rule: str = "table-interpolation", **options: Any
) -> Sequence[Scaled]:
    """Write a technology scaled to another node; `options` are those of `technologies.scaling.move`."""
    from archsim.base.files import check_yaml
    from archsim.studies.inventory import declared
    from archsim.technologies.scaling import move
    from archsim.technologies.scaling import scale as write

    technology = show(tech)
    check_yaml(Path(out), force=False)
    return write(technology, move(technology, node, declared=declared(), rule=rule, **options), Path(out))


def new(archs: Sequence[str], out: str | Path) -> tuple[int, int, int]:
    """Write a technology to fill in; return the numbers of times, figures and areas in it."""
    from archsim.base.files import check_yaml
    from archsim.studies.skeleton import write_skeleton

    check_yaml(Path(out), force=False)
    return write_skeleton(archs, Path(out))


def add_adc(
    tech: str, survey: str | Path | Sequence[str | Path], out: str | Path, *, row: int | None = None,
    enob: str | None = None, node: str | None = None, max_rate: str | None = None, bits: int | None = None,
    force: bool = False,
) -> tuple[Taken, Sequence[Converter], int]:  # fmt: skip
    """Take a row or a band of the ADC survey into a new technology that extends another.

    Parameters
    ----------
    tech : str
        The technology to extend, by name or file.
    survey : path or sequence of paths
        CSV of the public survey, a sheet a file.
    out : path
        The file to write.
    row : int, optional
        One row alone, as a spreadsheet counts them. Otherwise a band:
    enob, node, max_rate : str, optional
        Effective bits ("7..8.5"), nodes in nm ("10..32"), the highest Nyquist rate ("2GHz").
    bits : int, optional
        Resolution they stand for; by default that in `tech`.
    force : bool
        Write over a file that is there.

    Returns
    -------
    What was taken, the converters it was taken from, and how many the survey has.

    Raises
    ------
    InputError
        If an option or a file is wrong, or no converter is in the band.
    """
    from archsim.base.errors import InputError
    from archsim.base.files import check_yaml
    from archsim.base.units import parse
    from archsim.technologies import survey as adcs

    sheets = [Path(survey)] if isinstance(survey, str | Path) else [Path(each) for each in survey]
    check_yaml(Path(out), force=force)
    technology = show(tech)
    if row is not None and len(sheets) > 1:
        raise InputError(key="--row", value=row, expected="one --survey that has the row")
    if row is not None and (enob or node or max_rate):
        raise InputError("given with a band", key="--row", expected="either a row or a band")
    nanometres = adcs.read_ends(node, "--node") if node else None
    band = adcs.Wanted(
        enob=adcs.read_ends(enob, "--enob") if enob else None,
        node=(nanometres[0] * 1e-9, nanometres[1] * 1e-9) if nanometres else None,
        max_rate=parse(max_rate, "Hz") if max_rate else None,
    )
    surveys = [adcs.read_survey(path) for path in sheets]
    read = [each for found in surveys for each in found.converters]
    chosen = adcs.choose(read, row=row, band=band)
    what = f"row {row} of the survey" if row is not None else f"the survey's converters of {band}"
    taken = adcs.add_adc(technology, chosen, what, Path(out), bits=bits)
    notes = [note for found in surveys for note in found.notes]
    return replace(taken, notes=(*notes, *taken.notes)), chosen, len(read)


def import_(
    table: str | Path, out: str | Path, *, form: str = "accelergy", extends: str | None = None,
    source: str | None = None, where: Mapping[str, str] | None = None, energy_unit: str | None = None,
    area_unit: str | None = None, force: bool = False,
) -> Imported:  # fmt: skip
    """Read a component table of the Accelergy kind into a technology file; return what was mapped and what was not.

    Parameters
    ----------
    table, out : path
        The CSV, and the file to write.
    form : str
        Kind of table.
    extends : str, optional
        Technology to extend with the figures.
    source : str, optional
        Key of references.bib to cite for them; without it the file asks for it and is refused until it is there.
    where : mapping, optional
        Take rows with these values alone.
    energy_unit, area_unit : str, optional
        Units that the header leaves out, such as "pJ" and "um^2".
    force : bool
        Write over a file that is there.

    Raises
    ------
    InputError
        If the table or an option is wrong.
    """
    from archsim.base.files import check_yaml
    from archsim.technologies import components, imports
    from archsim.technologies.writing import parent

    table, out = Path(table), Path(out)
    check_yaml(out, force=force)
    base = show(extends) if extends else None
    rows = components.read_components(table, energy_unit=energy_unit, area_unit=area_unit)
    found = imports.convert(rows, table, form=form, where=dict(where or {}), source=source)
    imports.write_import(found, table, out, extends=parent(base, out) if base else None)
    return found
