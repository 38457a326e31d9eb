"""Workload files: network, data and training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Discriminator, Field, FiniteFloat, PrivateAttr, Tag

from archsim.base.arrays import unpacked
from archsim.base.errors import DataError, InputError, ModelError, nearest
from archsim.base.extends import named
from archsim.base.files import display
from archsim.base.finding import find, kept_by_a_run
from archsim.base.quantities import Count, Switch
from archsim.base.yamlfile import Document, FileRecord, Key, Record, given, quantity, read, validate
from archsim.data import arrays, datasets, text
from archsim.data.dataset import Dataset
from archsim.data.images import prepare
from archsim.data.text import TextDataset
from archsim.networks.file import AnyNetwork, NetworkFile
from archsim.networks.layers.dense import Dense
from archsim.networks.network import Network
from archsim.runs.training import Preset, Training


class ImagesFile(Record):
    """What is done to the images: the middle `crop` x `crop` pixels of each; 1 from `threshold` on, 0 below.

    `normalise`: each channel less its mean, over its deviation, of the training images. `augment`: what is done at
    random to the images of a training batch, `flip` (left and right) and `shift` (by up to 4 pixels).
    """

    crop: Annotated[int, Field(ge=1, strict=True)] | None = None
    threshold: Annotated[FiniteFloat, Field(gt=0, le=1)] | None = None
    normalise: Switch = False
    augment: list[Literal["flip", "shift"]] = Field(default_factory=list)


KnownData = Literal[
    "mnist", "mnist-5k", "fashion-mnist", "kmnist", "qmnist", "emnist-mnist", "emnist-digits", "cifar10", "shakespeare",
    "shakespeare-extract",
]  # fmt: skip
"""Data sets known by name: `archsim.data.datasets.NAMES`."""


class OwnData(Record):
    """A user's own data: an .npz file with x, y, test_x and test_y, beside the workload or below the current folder."""

    file: Annotated[str, Field(min_length=1)]


class OwnText(Record):
    """A user's own text: a file in UTF-8, beside the workload or below the current folder."""

    text: Annotated[str, Field(min_length=1)]


def _branch(dataset: object) -> str:
    if isinstance(dataset, OwnText) or (isinstance(dataset, Mapping) and "text" in dataset):
        return "<text>"
    return "<file>" if isinstance(dataset, Mapping | OwnData) else "<name>"


class PublishedFile(Record):
    """Published totals of the workload by kind of chip, and what they are of: layers, batch and data set."""

    source: str
    layers: Annotated[list[Count], Field(min_length=2)]
    activations: list[str]
    batch: Count
    dataset_sha256: str
    energy_per_sample: dict[str, Annotated[float, quantity("J")]] = Field(default_factory=dict)
    energy_ratio: Annotated[FiniteFloat, Field(gt=0)] | None = None
    test_accuracy: dict[str, Annotated[FiniteFloat, Field(ge=0, le=1)]] = Field(default_factory=dict)

    def is_of(self, network: AnyNetwork, batch: int, dataset_sha256: str) -> bool:
        """Return whether a training is the one that the totals were published of."""
        if not isinstance(network, NetworkFile):
            return False
        dense = [layer for layer in network.layers if isinstance(layer, Dense)]
        if len(dense) < len(network.layers):
            return False
        layers = [network.inputs, *(layer.units for layer in dense)]
        activations = [layer.activation for layer in dense]
        mine = (self.layers, self.activations, self.batch, self.dataset_sha256)
        return mine == (layers, activations, batch, dataset_sha256)


class RecordedFile(Record):
    """What the workload as shipped gave on the whole of its data: said beside a run on other data."""

    command: str
    dataset: str
    dataset_sha256: str
    training: str
    technology: str
    energy_ratio: Annotated[FiniteFloat, Field(gt=0)]


MOST_BYTES = 1 << 33
"""Of all initial values of a file."""
ARCHITECTURES = ("mixed-precision", "digital32")
"""On which a workload is trained if nothing is said."""


class Workload(FileRecord):
    """A network, its data set and its training, and the architectures to train it on if nothing else is asked for.

    `instead` is the workload that is trained where the data are not found. Without `dataset` it is a network of shapes
    alone: what it costs can be estimated, and of its training the batch and the optimiser count. `initial` is a file of
    initial values, an array for each matrix and parameter that has any; what it lacks is drawn.
    """

    kind: Literal["workload"]
    name: str
    title: str
    dataset: (
        Annotated[
            Annotated[KnownData, Tag("<name>")] | Annotated[OwnData, Tag("<file>")] | Annotated[OwnText, Tag("<text>")],
            Discriminator(_branch),
        ]
        | None
    ) = None
    images: ImagesFile = Field(default_factory=ImagesFile)
    architectures: Annotated[list[str], Field(min_length=1)] = list(ARCHITECTURES)  # noqa: RUF012  pydantic copies it
    network: AnyNetwork
    initial: Annotated[str, Field(min_length=1)] | None = None
    training: Training = Training(batch=1)
    presets: dict[str, Preset] = Field(default_factory=dict)
    instead: str | None = None
    published: PublishedFile | None = None
    recorded: RecordedFile | None = None

    _home: Path | None = PrivateAttr(default=None)

    def at(self, home: Path) -> Self:
        """Return the workload as one whose file stands in a folder."""
        found = self.model_copy()
        found._home = home  # noqa: SLF001  its own
        return found

    def files(self) -> list[Path]:
        """Return the further files that the workload names: the user's own data or text, and initial values.

        Raises
        ------
        DataError
            If there is no such file.
        """
        own = self._own()
        found = [] if own is None else [own]
        return found if self.initial is None else [*found, self._beside("initial", self.initial, ".npz")]

    def build(self, *, bound: float | None = 1.0) -> Network:
        """Return the network with its initial values; `bound` is the largest magnitude of an input.

        Raises
        ------
        InputError
            If the file of initial values is missing, or does not suit the network.
        """
        network = self.network.build(bound=bound)
        if self.initial is None:
            return network
        path = self._beside("initial", self.initial, ".npz")
        arrays = unpacked(path, what="an .npz file of initial values", most=MOST_BYTES)
        if odd := [name for name, array in arrays.items() if array.dtype != np.float32]:
            raise InputError(f"{odd[0]} is {arrays[odd[0]].dtype}", file=display(path), expected="float32")
        try:
            return network.starting(arrays)
        except ModelError as error:
            raise InputError(str(error), file=display(path)) from None

    def _own(self) -> Path | None:
        """Return the file of the user's own data or text, if that is what is trained on."""
        if self.dataset is None or isinstance(self.dataset, str):
            return None
        if isinstance(self.dataset, OwnText):
            return self._beside("dataset.text", self.dataset.text, "text")
        return self._beside("dataset.file", self.dataset.file, ".npz")

    def _beside(self, key: str, told: str, what: str) -> Path:
        """Return a file that the workload names, by its path from the workload or from the current folder."""
        given = Path(told).expanduser()
        places = [given] if self._home is None else [self._home / given.name, self._home / given]
        if self._home is None or not kept_by_a_run(self._home):
            places = [*places[1:], given]
        if path := next((place for place in places if place.is_file()), None):
            return path
        expected = f"an existing {what} file, by its path from the workload's file or from the current folder"
        raise DataError(key=key, value=told, expected=expected)

    def load(self, folder: Path | None) -> Dataset | TextDataset:
        """Return the data set, from a folder if one is given, with its images prepared.

        Raises
        ------
        InputError
            If it cannot be read, or is not what `images` asks for.
        """
        if own := self._own():
            data = text.own(own) if isinstance(self.dataset, OwnText) else arrays.own(own)
        else:
            data = datasets.load(str(self.dataset), folder=folder)
        if not isinstance(data, TextDataset):
            return prepare(data, **self.images.model_dump())
        if self.images != ImagesFile():
            raise InputError(
                f"is given for a text ({data.name})", key="images", expected="none, or a data set of images"
            )
        return data


def trainable(source: Document, workload: Workload) -> None:
    """Refuse a workload that has no data.

    Raises
    ------
    InputError
        That says what can be done with it.
    """
    if workload.dataset is None:
        raise source.error(
            ("dataset",), f"is missing: {workload.name} is a network of shapes, with nothing to train it on",
            expected=f"a data set, with training.learning_rate and training.epochs; `archsim estimate {workload.name}` "
            "needs none",
        )  # fmt: skip


def _check_training(source: Document, workload: Workload) -> None:
    """Refuse data without what a training on them needs."""
    for key, least in (("learning_rate", "a rate above 0"), ("epochs", "a number of epochs")):
        if workload.dataset is not None and not getattr(workload.training, key):
            raise source.error(("training", key), "is missing", expected=f"{least}, to train on the data set")


def document(name: str | Mapping[str, Any], settings: Mapping[Key, str] | None = None) -> Document:
    """Read a workload by path, shipped name or its content, with `--set` values laid over it."""
    found = read(find(name, "workloads", option="WORKLOAD")) if isinstance(name, str) else given(name, "workload")
    return named(found).with_settings(dict(settings or {}))


def architectures(source: Document) -> tuple[str, ...]:
    """Return the names of the architectures that a workload is trained on."""
    told = source.data.get("architectures")
    if told is None:
        return ARCHITECTURES
    if not isinstance(told, list) or not told or not all(isinstance(name, str) for name in told):
        raise source.error(("architectures",), value=told, expected="a list of names, such as [mixed-precision]")
    return tuple(told)


def parse(source: Document, preset: str | None = None) -> Workload:
    """Validate a workload document and lay a preset over its training; `--set` values win over the preset.

    Raises
    ------
    InputError
        If the file breaks its schema or has no such preset.
    """
    workload = validate(source, Workload).at(source.path.parent)
    if workload.name != source.path.stem:
        raise source.error(("name",), value=workload.name, expected=f"the file's own name, {source.path.stem!r}")
    _check_training(source, workload)
    if preset is None:
        return workload
    if preset not in workload.presets:
        known = sorted(workload.presets)
        hint = nearest(preset, known)
        raise source.error(("presets",), f"has no preset {preset!r}", expected=f"one of {', '.join(known)}", hint=hint)
    given = {key[1] for key in source.settings if key[0] == "training" and len(key) > 1}
    return workload.model_copy(update={"training": workload.presets[preset].over(workload.training, given)})
