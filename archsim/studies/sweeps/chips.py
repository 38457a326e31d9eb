"""What a point asks of each chip: read, checked and named by the hash of all that decides its counts.

Points share almost everything, so what is read is kept: a workload with its settings, its network, its data, and a
chip with its settings are read once each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

from archsim.base import files, registry
from archsim.base.errors import DataError, DoesNotFitError, InputError
from archsim.base.metrics import Metric
from archsim.base.yamlfile import Document, Key
from archsim.chips import architecture as architectures
from archsim.chips.architecture import Architecture
from archsim.chips.fitting.demands import require
from archsim.data.dataset import Source as Data
from archsim.networks.network import Network
from archsim.runs import suited
from archsim.runs import workload as workloads
from archsim.runs.layout import SCHEMA
from archsim.runs.spec import (
    DIGITAL,
    assign,
    check_boundary,
    check_optimiser,
    input_bound,
    read_settings,
    with_until,
)
from archsim.runs.task import judged_by, training_samples
from archsim.runs.training import steps_of
from archsim.runs.workload import Workload
from archsim.studies.estimate.reference import macs
from archsim.studies.estimate.spec import check_known, fitted, known_bound
from archsim.studies.sweeps.study import ARCH, Named, Study, called

Pairs = tuple[tuple[Key, str], ...]


@dataclass(frozen=True, eq=False)
class Learning:
    """A workload with its settings: its network and its data; `said` is all of it that decides counts."""

    document: Document
    workload: Workload
    network: Network
    data: Data | None
    metric: Metric | None
    given: Pairs
    said: str

    @property
    def batch(self) -> int:
        """Samples of a step."""
        return self.workload.training.batch

    @cached_property
    def operations(self) -> int:
        """Operations of a sample's training: two a multiply-accumulate of products, backward, and weight gradients."""
        return 2 * macs(self.network, training=True)

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch; 0 of an estimate."""
        return self._course[1]

    @property
    def steps(self) -> int:
        """Steps of the training; 0 of an estimate."""
        return self._course[0]

    @cached_property
    def _course(self) -> tuple[int, int]:
        if self.data is None:
            return 0, 0
        training = self.workload.training
        return steps_of(training, training.samples_per_epoch or training_samples(self.data, self.network))


@dataclass(frozen=True, eq=False)
class Chip:
    """An architecture with its settings; `said` is all of it that decides counts, `grown` what was made larger."""

    named: Named
    document: Document
    architecture: Architecture
    given: Pairs
    said: str

    @property
    def name(self) -> str:
        """The architecture's name."""
        return self.architecture.name


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of one chip, whatever the technology and the seed.

    Parameters
    ----------
    learning, chip
    said : str
        Hash of both.
    """

    learning: Learning
    chip: Chip
    said: str

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that change anything for this chip, as `--set` takes them."""
        return tuple(
            f"{'.'.join(map(str, key))}={value}" for key, value in (*self.learning.given, *self.chip.given)
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Design:
    """The chips of a point that are in the table, and the baseline over which they are set, if there is one.

    `misfit` is what one of them has too little of to be trained; None if the workload fits on all.
    """

    chips: tuple[Asked, ...]
    baseline: Asked | None
    misfit: DoesNotFitError | None = None

    @property
    def all(self) -> tuple[Asked, ...]:
        """Everything that has to be counted."""
        beside = self.baseline is not None and self.baseline not in self.chips
        return (*self.chips, *([self.baseline] if beside and self.baseline else []))


class Reading:
    """Reads what a study names, each thing once. Sole owner of what it read.

    Parameters
    ----------
    study : Study

    Raises
    ------
    InputError
        If the workload or an architecture cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.workload: Named = study.workload
        self.document = workloads.document(study.workload)
        own = [*study.archs] or [*workloads.architectures(self.document)]
        self.documents = [architectures.document(each) for each in own]
        self.archs: list[Named] = own
        self._learnings: dict[Pairs, Learning] = {}
        self._chips: dict[tuple[int, int, Pairs], Chip] = {}
        self._asked: dict[tuple[int, int], Asked] = {}
        self._data: dict[str, Data] = {}
        self._digests: dict[str, str] = {}
        self._designs: dict[tuple[Any, ...], Design] = {}
        self._version = version("archsim")
        self.instead_of: str | None = None
        if not study.estimate:
            self._find_data()
        self.reference: int | None = self._baseline() if study.by_arch and study.reference else None

    def _find_data(self) -> None:
        """Take the workload that is trained in place of one whose data are missing, as a run does."""
        work = workloads.parse(self.document, self.study.preset)
        workloads.trainable(self.document, work)
        try:
            self._load(work)
        except DataError:
            if work.instead is None or self.study.data is not None:
                raise
            self.workload, self.instead_of = work.instead, work.name
            self.document = workloads.document(work.instead)

    def _baseline(self) -> int | None:
        """Return which architecture is the workload's first digital one, read here if it is not asked for."""
        for name in workloads.architectures(self.document):
            document = architectures.document(name)
            if document.data.get("chip") == DIGITAL:
                names = [str(each.data["name"]) for each in self.documents]
                if document.data["name"] in names:
                    return names.index(str(document.data["name"]))
                self.documents.append(document)
                self.archs.append(name)
                return len(self.documents) - 1
        return None

    def design(self, point: Mapping[str, str]) -> Design:
        """Return what a point asks for, checked.

        Parameters
        ----------
        point : key -> value of the axes; others have the study's one value

        Returns
        -------
        Design
            With its `misfit`, if the workload does not fit on a chip.

        Raises
        ------
        InputError
            That names the point.
        """
        study = self.study
        values = tuple((key, point.get(key, texts[0])) for key, texts in study.sets.items())
        place = (point.get(ARCH), values)
        if place not in self._designs:
            try:
                self._designs[place] = self._design(values, point.get(ARCH))
            except InputError as error:
                inside = ", ".join(f"{key}={point[key]}" for key in (*study.sets, ARCH) if key in point)
                if not inside:
                    raise
                raise type(error)(str(error), key=f"point {inside}") from error
        return self._designs[place]

    def _design(self, values: Sequence[tuple[str, str]], arch: str | None) -> Design:
        study = self.study
        pairs = read_settings([f"{key}={value}" for key, value in values])
        for_work, for_archs = assign(pairs, self.document, self.documents)
        learning = self._learning(tuple(for_work.items()))
        own = list(range(len(study.archs) or len(self.documents)))
        if study.by_arch:
            own = [k for k in own if arch in (None, called(study.archs[k]))]
        found = {k: self._ask(learning, k, for_archs[k]) for k in own}
        over = next((one for one in found.values() if one.chip.architecture.chip == DIGITAL), None)
        if study.by_arch:
            k = self.reference
            over = None if k is None else found.get(k) or self._ask(learning, k, for_archs[k])
        design = Design(tuple(found.values()), over)
        return replace(design, misfit=self._check(learning, design))

    def _check(self, learning: Learning, design: Design) -> DoesNotFitError | None:
        """Refuse chips that cannot train a workload; return what one has too little of."""
        chips = [one.chip for one in design.all]
        check_boundary([chip.document for chip in chips], [chip.architecture for chip in chips])
        if self.study.estimate:
            return None
        check_optimiser(learning.document, learning.workload.training, [chip.architecture for chip in chips])
        try:
            require({
                chip.name: registry.load("chip", chip.architecture.chip).demands(
                    chip.architecture, learning.network, learning.batch
                )
                for chip in chips
            })  # fmt: skip
        except DoesNotFitError as error:
            return error
        return None

    # --- parts ----------------------------------------------------------------------------------------------------
    def _learning(self, given: Pairs) -> Learning:
        if given not in self._learnings:
            study = self.study
            document = self.document.with_settings(dict(given))
            work = workloads.parse(document, study.preset)
            changes = {"steps": study.steps, "batch": study.batch}
            told = {key: value for key, value in changes.items() if value is not None}
            if told:
                work = work.model_copy(update={"training": work.training.model_copy(update=told)})
            data, metric = None, None
            if study.estimate:
                network = work.network.build(bound=known_bound(work))
                check_known(document, network)
            else:
                data = self._load(work)
                network = work.build(bound=input_bound(data))
                metric = judged_by(data, network)
                work = with_until(self.document, work, metric, study.until)
                suited.check(document, work.network, network, data, work.training.batch)
            said = self._said(work.model_dump(mode="json", exclude={"presets", "title", "published", "recorded"}),
                              [] if study.estimate else work.files(), data)  # fmt: skip
            self._learnings[given] = Learning(document, work, network, data, metric, given, said)
        return self._learnings[given]

    def _ask(self, learning: Learning, k: int, given: Mapping[Key, str]) -> Asked:
        chip = self._chip(learning, k, tuple(given.items()))
        place = id(learning), id(chip)
        if place not in self._asked:
            content = [learning.said, chip.said, self._version, SCHEMA, self.study.estimate]
            self._asked[place] = Asked(learning, chip, digest(content))
        return self._asked[place]

    def _chip(self, learning: Learning, k: int, given: Pairs) -> Chip:
        place = (k, id(learning) if self.study.estimate else 0, given)
        if place not in self._chips:
            document = self.documents[k].with_settings(dict(given))
            if self.study.estimate:
                found, _ = fitted(document, learning.network, learning.batch, as_is=False, tiles=None)
            else:
                found = architectures.parse(document)
            said = self._said(found.model_dump(mode="json"), found.files())
            self._chips[place] = Chip(self.archs[k], document, found, given, said)
        return self._chips[place]

    def _load(self, work: Workload) -> Data:
        place = json.dumps(work.model_dump(mode="json", include={"dataset", "images"}), sort_keys=True)
        if place not in self._data:
            self._data[place] = work.load(self.study.data)
        return self._data[place]

    def _said(self, content: Mapping[str, Any], paths: Sequence[Any] = (), data: Data | None = None) -> str:
        """Return the hash of what a file says, of the files that it names and of the data."""
        sums = []
        for path in map(str, paths):
            self._digests.setdefault(path, files.sha256(type(paths[0])(path)))
            sums.append(self._digests[path])
        return digest([content, sorted(sums), data.sha256 if data else None])

    def metric(self) -> Metric | None:
        """Return what trainings are judged by; None of estimates."""
        return next((one.metric for one in self._learnings.values()), None)


def digest(content: Any) -> str:
    """Return a hash of what JSON can hold, in 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:16]
