"""What a run is made of, resolved from names, files and `--set` values before anything is built."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from archsim.accounting.technology import Technology, read_technology
from archsim.base import registry
from archsim.base.errors import DataError, InputError, nearest
from archsim.base.files import display
from archsim.base.metrics import Metric, target
from archsim.base.yamlfile import Document, Key, dotted, paths
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.data.dataset import Dataset, Source
from archsim.networks.network import Network
from archsim.runs import suited
from archsim.runs import workload as workloads
from archsim.runs.inputs import Copies, copies, hashes, read_by
from archsim.runs.metered import Metered
from archsim.runs.task import judged_by
from archsim.runs.training import Training
from archsim.runs.workload import Workload
from archsim.technologies.overlay import overlays, read_pair

DIGITAL = "digital32"
"""Kind of chip that is the baseline, if nothing else is said."""
BELOW = "off-chip memory"
DEFAULT_TECHNOLOGIES = ("bottom-up-14nm",)


@dataclass(frozen=True)
class RunSpec:
    """Everything that decides a run's numbers.

    Parameters
    ----------
    workload : Workload
    network : Network
    architectures : tuple of Architecture
        Trained from the same start, in this order.
    technologies : tuple of Technology
        All with the same times; the first is the run's own, the others price the same run again.
    dataset : Source
        Images or text.
    seed : int
    preset : str or None
    settings, figures : tuple of (key, value)
        As given with `--set` and with `--figure`.
    instead_of : str, optional
        Workload that was asked for, and whose data are missing.
    document : Document, optional
        The workload's file with its settings, for errors that show up later; None for a run that was read back.
    given : mapping
        Workload, architectures and technologies as they were typed: names, or paths of files.
    inputs : dict
        File -> sha256 of everything read that decides a number.
    copies : dict
        The copies that the run's directory keeps, of bibliographies too.
    metered : Metered, optional
        Of a training that was not archsim's own.
    """

    workload: Workload
    network: Network
    architectures: tuple[Architecture, ...]
    technologies: tuple[Technology, ...]
    dataset: Source
    seed: int
    preset: str | None
    settings: tuple[tuple[str, str], ...]
    inputs: dict[str, str]
    copies: Copies = field(repr=False, compare=False)
    figures: tuple[tuple[str, str], ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict, compare=False)
    over: str | None = None
    instead_of: str | None = None
    document: Document | None = field(default=None, repr=False, compare=False)
    metered: Metered | None = None

    @property
    def baseline(self) -> str | None:
        """Name of the chip over which the others are compared: the one asked for, or the first digital one."""
        digital = (each.name for each in self.architectures if each.chip == DIGITAL)
        return self.over or next(digital, None)

    @property
    def training(self) -> Training:
        """The training, presets and settings applied."""
        return self.workload.training

    def home(self, name: str) -> str:
        """Return where the layer with a matrix, parameter or part of a name stands: "FILE:12: network.layers[1]"."""
        key = ("network", *self.workload.network.home(name))
        where = f"{display(self.document.home(key))}:{self.document.line(key)}: " if self.document else ""
        return f"{where}{dotted(key)}"

    def error(self, key: Key, message: str, **fields: Any) -> InputError:
        """Return an error that names a key of the workload, and its place if the file is at hand."""
        if self.document:
            return self.document.error(key, message, **fields)
        return InputError(message, key=dotted(key), **fields)


def resolve(
    workload: str | Mapping[str, Any],
    *,
    archs: Sequence[str | Mapping[str, Any]] | None = None,
    techs: Sequence[str] = DEFAULT_TECHNOLOGIES,
    preset: str | None = None,
    seed: int = 1,
    steps: int | None = None,
    settings: Sequence[str] | Mapping[str, Any] = (),
    figures: Sequence[str] | Mapping[str, str] = (),
    data: Path | None = None,
    over: str | None = None,
    until: str | None = None,
) -> RunSpec:
    """Read and check everything a run needs.

    Parameters
    ----------
    workload : str or mapping
        Path or shipped name, like those of `archs` and `techs`; or what such a file says, as for `archs`. Without
        `archs` the workload says on which chips it is trained.
    preset, seed, steps, data, until
        As the command line's options of these names: `until` is "METRIC=VALUE", such as "accuracy=97%".
    settings : sequence of str, or mapping
        "key=value" with a dotted key; or dotted key -> value.
    figures : sequence of str, or mapping
        "name=value" with its unit; or name -> value with its unit.

    Raises
    ------
    InputError
        For the first thing wrong: a file, a key, a value, an option.
    """
    work_document = workloads.document(workload)
    archs = workloads.architectures(work_document) if archs is None else archs
    _check_options(seed, steps, archs, techs)
    arch_documents = [architectures.document(each) for k, each in enumerate(archs) if each not in archs[:k]]
    pairs = read_settings(settings)
    work_settings, arch_settings = assign(pairs, work_document, arch_documents)
    work = workloads.parse(work_document.with_settings(work_settings), preset)
    workloads.trainable(work_document, work)
    if steps is not None:
        work = work.model_copy(update={"training": work.training.model_copy(update={"steps": steps})})
    parsed = tuple(map(architectures.parse, map(Document.with_settings, arch_documents, arch_settings)))
    _check_names([architecture.name for architecture in parsed], over)
    check_boundary(arch_documents, parsed)
    check_optimiser(work_document.with_settings(work_settings), work.training, parsed)
    values = [*figures.items()] if isinstance(figures, Mapping) else [read_pair(text) for text in figures]
    technologies = overlays([read_technology(name) for name in dict.fromkeys(techs)], values)
    _distinct([technology.name for technology in technologies], "--tech")
    _check_times(technologies)
    try:
        dataset = work.load(data)
    except DataError:
        if work.instead is None or data is not None:
            raise
        found = resolve(
            work.instead, archs=archs, techs=techs, preset=preset, seed=seed, steps=steps, settings=settings,
            figures=figures, over=over, until=until,
        )  # fmt: skip
        return replace(found, instead_of=work.name)
    network = work.build(bound=input_bound(dataset))
    work = with_until(work_document, work, judged_by(dataset, network), until)
    work_document = work_document.with_settings(work_settings)
    suited.check(work_document, work.network, network, dataset, work.training.batch)
    own = list(zip(arch_documents, parsed, strict=True))
    inputs, kept = read_files(work_document, work, own, technologies)
    return RunSpec(
        workload=work, network=network, architectures=parsed, technologies=technologies, dataset=dataset, seed=seed,
        preset=preset, settings=tuple((".".join(map(str, key)), value) for key, value in pairs),
        inputs=inputs, copies=kept, figures=tuple(values), over=over, document=work_document,
        given={
            "workload": _as_given(workload), "archs": [_as_given(each) for each in archs], "techs": list(techs),
        },
    )  # fmt: skip


def _check_options(seed: int, steps: int | None, archs: Sequence[Any], techs: Sequence[str]) -> None:
    if seed < 0:
        raise InputError(key="--seed", value=seed, expected="a whole number from 0 on")
    if steps is not None and steps < 1:
        raise InputError(key="--steps", value=steps, expected="a whole number from 1 on")
    if not archs or not techs:
        raise InputError(key="--arch" if not archs else "--tech", value="", expected="at least one name")


def _check_names(names: Sequence[str], over: str | None) -> None:
    _distinct(names, "--arch")
    if over is not None and over not in names:
        raise InputError(key="--over", value=over, expected=f"one of {', '.join(names)}", hint=nearest(over, names))


def read_files(
    document: Document, work: Workload, chips: Sequence[tuple[Document, Architecture]],
    technologies: Sequence[Technology],
) -> tuple[dict[str, str], Copies]:  # fmt: skip
    """Return the hashes of all files that decide a number, and the copies that a run keeps."""
    documents = [(each.path, each.source) for each in (document, *(each for each, _ in chips))]
    further = work.files() + [path for each, _ in chips for path in each.ancestors]
    further += [path for _, architecture in chips for path in architecture.files()]
    read = [*documents, *((path, path) for path in further), *read_by(technologies)]
    own = [
        ([(each.path, each.source), *((path, path) for path in each.ancestors)], architecture)
        for each, architecture in chips
    ]
    return hashes(read), copies(document, work.files(), own, technologies)


def with_until(document: Document, work: Workload, metric: Metric, told: str | None) -> Workload:
    """Return the workload with the test at which its training ends, read and checked."""
    if told is not None:
        return work.model_copy(
            update={"training": work.training.model_copy(update={"until": target(told, metric)})}
        )  # fmt: skip
    if (value := work.training.until) is not None and not metric.fits(value):
        raise document.error(
            ("training", "until"), value=value, expected=f"{metric.expected}: a value of {metric.name}"
        )
    return work


def _distinct(names: Sequence[str], option: str) -> None:
    """Refuse two files of one name: results are told apart by it."""
    for name in names:
        if list(names).count(name) > 1:
            raise InputError(f"two different files are both named {name!r}", key=option, expected="each name once")


def _as_given(named: str | Mapping[str, Any]) -> str:
    return named if isinstance(named, str) else f"{named['name']}.yaml"


def read_settings(given: Sequence[str] | Mapping[str, Any]) -> list[tuple[Key, str]]:
    """Return the key and the text of each setting, "key=value" or key -> value.

    Raises
    ------
    InputError
        If a text is not of this form.
    """
    if isinstance(given, Mapping):
        return [_setting(f"{key}={json.dumps(value)}") for key, value in given.items()]
    return [_setting(text) for text in given]


def _setting(text: str) -> tuple[Key, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise InputError(key="--set", value=text, expected='"key=value", such as "training.learning_rate=0.2"')
    return tuple(key.strip().split(".")), value.strip()


def assign(
    pairs: Sequence[tuple[Key, str]], work: Document, archs: Sequence[Document]
) -> tuple[dict[Key, str], list[dict[Key, str]]]:
    """Give each setting to the files that have a block of its first key; a leading architecture's name narrows it."""
    for_work: dict[Key, str] = {}
    for_archs: list[dict[Key, str]] = [{} for _ in archs]
    names = [str(document.data.get("name")) for document in archs]
    for key, value in pairs:
        if key[0] in names and len(key) > 1:
            for_archs[names.index(str(key[0]))][key[1:]] = value
            continue
        homes = [index for index, document in enumerate(archs) if key[0] in document.data]
        if key[0] in work.data:
            for_work[key] = value
        elif homes:
            for index in homes:
                for_archs[index][key] = value
        else:
            raise _unknown(key, (work, *archs))
    return for_work, for_archs


def _unknown(key: Key, documents: Sequence[Document]) -> InputError:
    """Return the error for a setting that no file has a block for, with the nearest path of all files."""
    known = {text for document in documents for text in paths(document.data)} - {"schema", "kind", "name"}
    text = ".".join(map(str, key))
    inside = sorted((path for path in known if f".{path}".endswith(f".{text}")), key=lambda path: (len(path), path))
    hint = f"Did you mean {inside[0]!r}?" if inside else nearest(text, known)
    blocks = ", ".join(sorted({path.partition(".")[0] for path in known}))
    return InputError("unknown key", key=f"--set {text}", expected=f"one of {blocks}", hint=hint)


def check_boundary(documents: Sequence[Document], parsed: Sequence[Architecture]) -> None:
    """Refuse chips whose accounts cover different functions: their ratio would mean nothing.

    A chip that has memory below it counts it beside one that has none to count.
    """
    first = parsed[0]
    for document, architecture in zip(documents[1:], parsed[1:], strict=True):
        differing = sorted(set(first.boundary.inside) ^ set(architecture.boundary.inside))
        if differing == [BELOW] and _counts_below(first) and _counts_below(architecture):
            continue
        if differing:
            raise document.error(
                ("boundary",), f"differs from that of {parsed[0].name} in {', '.join(differing)}",
                expected="the same boundary for all chips of a comparison",
            )  # fmt: skip


def _counts_below(architecture: Architecture) -> bool:
    """Whether a chip counts the memory below it, or has none."""
    return architecture.dram is None or BELOW in architecture.boundary.inside


def check_optimiser(document: Document, training: Training, parsed: Sequence[Architecture]) -> None:
    """Refuse an optimiser that one of the chips has nothing for."""
    for architecture in parsed:
        try:
            registry.load("chip", architecture.chip).check_optimiser(architecture, training.optimiser.build())
        except InputError as error:
            where = tuple(str(error.key).split("."))
            if error.value is None:
                raise document.error(where, error.message, expected=error.expected) from None
            raise document.error(where, value=error.value, expected=f"{error.expected}: {error.message}") from None


def _check_times(technologies: Sequence[Technology]) -> None:
    """Refuse to price a run by a technology whose times are not the run's."""
    for other in technologies[1:]:
        if other.times_hash != technologies[0].times_hash:
            raise InputError(
                f"{other.name} has other times than {technologies[0].name}", key="--tech",
                expected="technologies of the same times, or a run of its own for each",
            )  # fmt: skip


def input_bound(dataset: Source) -> float | None:
    """Return the largest magnitude of an input, where there is one."""
    if isinstance(dataset, Dataset):
        return max(map(abs, dataset.range))
    return None
