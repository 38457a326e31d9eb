"""What is asked of a sweep: from options, from a file, or from both, of which the options win."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from archsim.base import files
from archsim.base.errors import DataError, InputError, nearest
from archsim.base.extends import named
from archsim.base.finding import find
from archsim.base.quantities import Count, Switch
from archsim.base.yamlfile import Document, FileRecord, Key, Record, read, validate
from archsim.records.sweeps.sweep import AFTER, FIXED
from archsim.runs import workload as workloads
from archsim.runs.spec import DEFAULT_TECHNOLOGIES
from archsim.studies.estimate.spec import MOST_AT_ONCE
from archsim.studies.sweeps.conditions import Placed
from archsim.studies.sweeps.measures import Kind, of_texts
from archsim.studies.sweeps.values import check_once, listed, scale
from archsim.studies.sweeps.values import read as read_values

Texts = tuple[str, ...]
Values = str | int | float | bool | list[Any]
Named = str | Mapping[str, Any]
TECH, ARCH = "tech", "arch"
"""Keys of the axes of technologies and of architectures."""


class _Asked(Record):
    """What a study and each of its presets may say."""

    ELSEWHERE: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("where", "condition", "constraints"), "conditions"),
        **dict.fromkeys(("settings", "grid", "axes", "parameters", "values"), "set"),
        **dict.fromkeys(("network",), "workload"), **dict.fromkeys(("chips",), "arch"),
    }  # fmt: skip

    set: dict[str, Values] = Field(default_factory=dict)
    figure: dict[str, Values] = Field(default_factory=dict)
    tech: list[str] = Field(default_factory=list)
    arch: list[str] = Field(default_factory=list)
    conditions: list[str] = Field(default_factory=list)
    seeds: Count | None = None
    seed: Annotated[int, Field(ge=0, strict=True)] | None = None
    steps: Count | None = None
    until: str | None = None
    batch: Count | None = None


class StudyFile(FileRecord, _Asked):
    """A study: what is trained or estimated, over which values of which keys.

    `set` and `figure` have, by key, a list of values, one value, or a text as the command line takes it ("4..8",
    "0.5pJ..5pJ:log:5"). `conditions` are comparisons over the keys, all of which a point fulfils. A preset replaces
    what it names; one that the study does not have is the workload's.
    """

    kind: Literal["sweep"]
    name: str
    title: str | None = None
    workload: str
    estimate: Switch = False
    together: Switch = False
    preset: str | None = None
    presets: dict[str, _Asked] = Field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """What is asked of a sweep.

    Parameters
    ----------
    workload : str or mapping
        As for `archsim.resolve`.
    sets, figures : key -> values, one or more, as texts
        Of `--set` and of `--figure`.
    techs, archs : of each what it is called, or says; without architectures the workload's own
    together : bool
        Whether all architectures are chips of every point; else each is a point of its own.
    reference : bool
        Whether the workload's baseline is trained beside points of one architecture, for the ratio of energies.
    estimate : bool
        Whether points are estimated, not trained.
    first_seed, seeds : int
    preset, steps, until, batch, data : as for a run
    conditions : comparisons over the keys of axes
    """

    workload: Named
    sets: Mapping[str, Texts] = field(default_factory=dict)
    figures: Mapping[str, Texts] = field(default_factory=dict)
    techs: Texts = DEFAULT_TECHNOLOGIES
    archs: tuple[Named, ...] = ()
    together: bool = False
    reference: bool = True
    estimate: bool = False
    first_seed: int = 1
    seeds: int = 1
    preset: str | None = None
    steps: int | None = None
    until: str | None = None
    batch: int | None = None
    data: Path | None = None
    conditions: Texts = ()

    @property
    def axes(self) -> dict[str, Texts]:
        """Key -> values of all that has more than one, in the order of the table."""
        found = {**self.sets, **self.figures}
        if len(self.techs) > 1:
            found[TECH] = self.techs
        if self.by_arch and len(self.archs) > 1:
            found[ARCH] = tuple(called(each) for each in self.archs)
        return {key: values for key, values in found.items() if len(values) > 1}

    @property
    def kinds(self) -> dict[str, Kind]:
        """Key -> what its values are measured in, of all that a condition may ask for."""
        return {key: of_texts(texts) for key, texts in {**self.axes, **self.sets, **self.figures}.items()}

    @property
    def by_arch(self) -> bool:
        """Whether a point has one chip."""
        return bool(self.archs) and not self.together

    @property
    def numbers(self) -> range:
        """The seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)

    @property
    def size(self) -> int:
        """Points of the whole grid."""
        count = 1
        for values in self.axes.values():
            count *= len(values)
        return count

    def grid(self) -> Iterator[dict[str, str]]:
        """Yield key -> value of every point of the grid, the last axis the quickest."""
        axes = self.axes
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))


def called(name: Named) -> str:
    """Return what an architecture or a workload is called: its name, or that of its file."""
    return Path(name).stem if isinstance(name, str) else str(name.get("name"))


def is_path(name: Named) -> bool:
    """Return whether a name is that of a file."""
    return isinstance(name, str) and (name.endswith((".yaml", ".yml")) or "/" in name)


def options(pairs: Sequence[str] | Mapping[str, Any], option: str) -> dict[str, Texts]:
    """Return key -> values of "KEY=VALUES" texts, or of key -> values.

    Raises
    ------
    InputError
        If a text is not of that form, a key is given twice, or its values cannot be read.
    """
    if isinstance(pairs, Mapping):
        return {str(key): listed(values, key=f"{option} {key}") for key, values in pairs.items()}
    found: dict[str, Texts] = {}
    for text in pairs:
        key, equals, values = (part.strip() for part in text.partition("="))
        if not (key and equals and values):
            raise InputError(key=option, value=text, expected='"KEY=VALUES", such as "tile.adc.bits=4,6,8"')
        if key in found:
            raise InputError(f"given twice: {key}", key=option, value=text, expected="each key once")
        found[key] = read_values(values, key=f"{option} {key}")
    return found


Read = Callable[..., Texts]


def as_written(values: Any, *, key: str) -> Texts:
    """Return the values of a file as texts, a text among them as it was written: a search's ranges have no end."""
    return (values,) if isinstance(values, str) else listed(values, key=key)


def from_file(path: Path, preset: str | None, *, workload: Named | None = None, values: Read = listed) -> Study:
    """Return the study that a file says, with a preset of its own or of its workload; `values` reads those of a key.

    A `workload` that is given takes the place of the file's.

    Raises
    ------
    InputError
        For the first thing wrong in the file, with its line.
    """
    document = named(read(path))
    told = validate(document, StudyFile)
    preset = preset or told.preset
    own = told.presets.get(preset or "", None)
    found = Study(
        told.workload, estimate=told.estimate, together=told.together, preset=preset if own is None else None,
    )  # fmt: skip
    own_name = told.workload
    if workload is not None:
        found = replace(found, workload=workload)
    elif own_name.endswith((".yaml", ".yml")) and not Path(own_name).is_file() and (path.parent / own_name).is_file():
        found = replace(found, workload=str(path.parent / own_name))
    else:
        with _placed(document, ("workload",)):
            find(own_name, "workloads", option="workload")
    if preset and own is None:
        _check_preset(preset, told.presets, found.workload)
    found = _over(found, told, document, (), values)
    return found if own is None else _over(found, own, document, ("presets", str(preset)), values)


@contextmanager
def _placed(document: Document, at: Key) -> Iterator[None]:
    """Let an error that names no file say where in a study it comes from."""
    try:
        yield
    except InputError as error:
        if error.file is not None:
            raise
        where = document.error(at)
        raise InputError(
            error.message, file=where.file, line=where.line, key=where.key, value=error.value, expected=error.expected,
            hint=error.hint,
        ) from error  # fmt: skip


def _check_preset(preset: str, own: Collection[str], workload: Named) -> None:
    """Refuse a preset that neither a study nor its workload has."""
    known = [*own, *(workloads.document(workload).data.get("presets") or {})]
    if preset not in known:
        raise InputError(key="--preset", value=preset, expected=f"one of {', '.join(known)}" if known else "none",
                         hint=nearest(preset, known))  # fmt: skip


def _over(study: Study, part: _Asked, document: Document, at: Key, read_one: Read) -> Study:
    """Return a study with what a part of its file says in place of its own."""

    def values(key: str) -> dict[str, Texts]:
        found = {}
        for name, given in getattr(part, key).items():
            with _placed(document, (*at, key, name)):
                found[name] = read_one(given, key=name)
                check_once(found[name], scale(found[name]).values, key=name)
        return found

    for key, folder in ((TECH, "tech_params"), (ARCH, "architectures")):
        for index, name in enumerate(getattr(part, key)):
            with _placed(document, (*at, key, index)):
                find(name, folder, option=key)
    conditions = []
    for index, text in enumerate(part.conditions):
        where = document.error((*at, "conditions", index))
        conditions.append(Placed.of(text, f"{where.file}:{where.line}: {where.key}"))
    told: dict[str, Any] = {
        "techs": tuple(part.tech), "archs": tuple(part.arch), "conditions": tuple(conditions),
        "first_seed": part.seed, **{name: getattr(part, name) for name in ("seeds", "steps", "until", "batch")},
    }  # fmt: skip
    changes = {name: value for name, value in told.items() if value not in (None, ())}
    sets, figures = {**study.sets, **values("set")}, {**study.figures, **values("figure")}
    return replace(study, sets=sets, figures=figures, **changes)


def asked(
    workload: Named | None = None, *, file: Path | None = None, settings: Sequence[str] | Mapping[str, Any] = (),
    figures: Sequence[str] | Mapping[str, Any] = (), archs: Sequence[Named] | None = None,
    techs: Sequence[str] | None = None, preset: str | None = None, **told: Any,
) -> Study:  # fmt: skip
    """Return what options and a file ask for; options win.

    Parameters
    ----------
    workload : as for `archsim.resolve`; by default the file's
    file : path, optional
    settings, figures : "KEY=VALUES", or key -> values
    archs, techs, preset : as for `archsim.resolve`
    **told : further fields of `Study`; None is not told

    Raises
    ------
    InputError
        If neither names a workload, or something in them is wrong.
    """
    if file is None and workload is None:
        raise InputError(key="WORKLOAD", value=None, expected="a workload, by name or file, or --file with a study")
    study = Study(workload or "", preset=preset) if file is None else from_file(file, preset, workload=workload)
    changes: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    changes |= {"archs": tuple(archs)} if archs else {}
    changes |= {"techs": tuple(techs)} if techs else {}
    study = replace(
        study, sets={**study.sets, **options(settings, "--set")},
        figures={**study.figures, **options(figures, "--figure")}, **changes,
    )  # fmt: skip
    _check(study)
    return study


def _check(study: Study) -> None:
    for option, value, least in (("--seeds", study.seeds, 1), ("--seed", study.first_seed, 0),
                                 ("--steps", study.steps, 1), ("--batch", study.batch, 1)):  # fmt: skip
        if value is not None and value < least:
            raise InputError(key=option, value=value, expected=f"a whole number from {least} on")
    if (study.batch or 1) > MOST_AT_ONCE:
        raise InputError(key="--batch", value=study.batch, expected=f"a whole number from 1 to {MOST_AT_ONCE:,}")
    names = [called(each) for each in study.archs]
    for option, given in (("--tech", study.techs), ("--arch", names)):
        if twice := next((each for each in given if given.count(each) > 1), None):
            raise InputError(f"{twice!r} is given twice", key=option, expected="each once")
    _check_keys(study)
    if study.estimate and (study.seeds > 1 or study.steps or study.until):
        raise InputError(
            "nothing is drawn at random or trained", key="--estimate", expected="no --seeds, --steps or --until"
        )  # fmt: skip
    if study.estimate and study.data is not None and not study.data.is_dir():  # which nobody else looks at
        raise DataError(f"{study.data} is no folder", key="--data", expected="none: an estimate reads no data")
    if isinstance(study.workload, str) and (study.workload.endswith((".json", ".csv"))):
        raise InputError(key="WORKLOAD", value=study.workload, expected="a workload, by name or YAML file",
                         hint=nearest(study.workload, files.shipped_names("workloads")))  # fmt: skip


def _check_keys(study: Study) -> None:
    """Refuse keys that are given by two options, that name a column of the table, or that have a value twice."""
    if both := study.sets.keys() & study.figures.keys():
        raise InputError(key="--figure", value=min(both), expected="a key that is not given with --set, too")
    if reserved := {TECH, ARCH} & {*study.sets, *study.figures}:
        raise InputError(key="--set", value=min(reserved), expected=f"--{min(reserved)}, repeated")
    if taken := study.axes.keys() & {*FIXED, *AFTER}:
        raise InputError(
            key="--set", value=min(taken), expected="--arch, repeated, or --tech: the table has this column"
        )
    for key, texts in study.sets.items():
        check_once(texts, scale(texts).values, key=f"--set {key}")
