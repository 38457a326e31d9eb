"""Where the files of a data set lie in a folder, and what their bytes are.

Found are four IDX files, packed or not, in the folder itself or in one named after the set (torchvision keeps them in
`MNIST/raw`, `FashionMNIST/raw` ...); tables as Kaggle has them, label first (`mnist_train.csv` with `mnist_test.csv`,
or `train.csv` alone: its last sixth is the test); MNIST as Keras keeps it (`mnist.npz`); EMNIST's archive
(`gzip.zip`). CIFAR-10 and texts have modules of their own.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from archsim.base import files
from archsim.base.errors import DataError
from archsim.base.files import display
from archsim.data import arrays, cifar, idx, text
from archsim.data.dataset import CLASSES, SHAPE, Dataset, Part, build
from archsim.data.known import CUSTOM, EMNIST_ZIP, KNOWN, FoundFiles, Known
from archsim.data.text import TextDataset

_MOST_TABLE_BYTES = 1 << 29
_TESTED = 6  # one in so many lines of a table that stands alone


def find(folder: Path, known: Known, *, hint: str | None = None) -> FoundFiles | None:
    """Return the files of a data set in a folder or in those below it that are named after the set; None if none.

    `hint` is what helps where only some of the files are there.

    Raises
    ------
    DataError
        If some of the files are there and others are not, or a folder may not be read.
    """
    places = _places(folder, known)
    if known.form == "cifar":
        return cifar.find(places, known, hint=hint)
    if known.form == "text":
        return text.find(places, known)
    present = {place: idx.present(place, known.parts) for place in places}
    for place, parts in present.items():
        if len(parts) == len(known.parts):
            return FoundFiles("idx", tuple(parts[name] for name in known.parts))
        if other := _other(place, known):
            return other
    for place, parts in present.items():
        if parts:
            missing = ", ".join(name for name in known.parts if name not in parts)
            raise DataError(
                f"{missing}: missing", file=str(place), expected=f"all four files of {known.title}", hint=hint
            )
    return None


def _places(folder: Path, known: Known) -> list[Path]:
    return [*(folder / below for below in known.folders), folder]


def refused(folder: Path, known: Known) -> str:
    """Return why files of a data set that lie in a folder are not read; empty if there are none such."""
    return cifar.pickles(_places(folder, known)) if known.form == "cifar" else ""


def _other(place: Path, known: Known) -> FoundFiles | None:
    if known.archive and (path := place / known.archive).is_file():
        return FoundFiles("zip", (path,))
    if known.tables and all((place / name).is_file() for name in known.tables):
        return FoundFiles("csv", tuple(place / name for name in known.tables))
    if known.name != "mnist":
        return None
    if (path := place / "mnist.npz").is_file():
        return FoundFiles("npz", (path,))
    return FoundFiles("csv", (path,)) if _starts_with_label(path := place / "train.csv") else None


def _starts_with_label(path: Path) -> bool:
    """Whether a file is Kaggle's table of digits by its header: many other tables are named train.csv."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(16).lstrip(b"\xef\xbb\xbf").startswith(b"label,pixel")


def read(found: FoundFiles, known: Known) -> Dataset | TextDataset:
    """Return what the files hold, named by their bytes: the set that they are, or "custom data (idx)" and the like.

    Raises
    ------
    DataError
        If a file is broken.
    """
    if known.form == "text":
        return text.read(found.paths[0])
    if known.form == "cifar":
        return cifar.read(found, known)
    if found.form == "zip":
        return _from_archive(found, known)
    if found.form == "idx":
        contents = [idx.content(path) for path in found.paths]
        train, test = _parts(contents, [display(path) for path in found.paths])
    else:
        train, test = _tables(found.paths) if found.form == "csv" else arrays.keras(found.paths[0])
        contents = [_as_idx(array) for part in (train, test) for array in part]
    name, title, note = _named(found, contents, known)
    origin = f"{title}, {len(train[0]):,} + {len(test[0]):,} images{note}"
    return build(name, origin, train, test, folder=found.folder)


def _named(found: FoundFiles, contents: Sequence[bytes], asked: Known) -> tuple[str, str, str]:
    """Return name and title of what the bytes are, and which files are not those of the set asked for."""
    digests = tuple(hashlib.sha256(content).hexdigest() for content in contents)
    for known in KNOWN.values():
        if known.sha256 == digests or (found.form == "idx" and known.packed_here(found.paths)):
            return known.name, known.title, ""
    pairs = zip(asked.parts, digests, asked.sha256 or ("",) * len(digests), strict=True)
    changed = [name for name, digest, right in pairs if digest != right]
    which = f"; {', '.join(changed)} not {asked.title}'s" if len(changed) < len(digests) else ""
    name = f"{CUSTOM} ({found.form})"
    return name, name, which


def _parts(contents: Sequence[bytes], names: Sequence[str]) -> tuple[Part, Part]:
    """Return the images and labels of four IDX files, for training and for test."""
    parts = []
    for first in (0, 2):
        images = idx.images(contents[first], shape=SHAPE, file=names[first])
        wide = contents[first + 1][:4] == b"\0\0\x0c\x02"
        labels = (idx.wide_labels if wide else idx.labels)(contents[first + 1], classes=CLASSES, file=names[first + 1])
        if len(images) != len(labels):
            expected = f"{len(images):,}, one for each image in {Path(names[first]).name}"
            raise DataError(f"holds {len(labels):,} labels", file=names[first + 1], expected=expected)
        parts.append((images, labels))
    return parts[0], parts[1]


def _as_idx(array: np.ndarray) -> bytes:
    """Return bytes as an IDX file has them, for its digest."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def _tables(paths: Sequence[Path]) -> tuple[Part, Part]:
    parts = [_table(path) for path in paths]
    if len(parts) == 2:
        return parts[0], parts[1]
    images, labels = parts[0]
    begin = len(labels) - len(labels) // _TESTED
    if begin == len(labels):
        raise DataError(f"holds {len(labels)} images", file=display(paths[0]), expected=f"at least {_TESTED}")
    return (images[:begin], labels[:begin]), (images[begin:], labels[begin:])


def _table(path: Path) -> Part:
    """Return the images of a CSV: the label and 784 pixels a line, with or without a header."""
    import pandas as pd

    expected = "the label and 784 pixels from 0 to 255 a line"
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            first = stream.read(64)
        header = None if first.lstrip(b"\xef\xbb\xbf")[:1].isdigit() else 0
        rows = pd.read_csv(path, header=header, dtype=np.int64).to_numpy() if size <= _MOST_TABLE_BYTES else None
    except (OSError, ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise DataError(
            f"cannot be read: {str(error).splitlines()[0]}", file=display(path), expected=expected
        ) from error
    if rows is None:
        raise DataError(f"holds {size:,} bytes", file=display(path), expected=f"at most {_MOST_TABLE_BYTES:,}")
    if rows.shape[1] != 1 + SHAPE[0] * SHAPE[1] or not len(rows):
        raise DataError(f"holds {rows.shape[1]} columns and {len(rows)} lines", file=display(path), expected=expected)
    labels, pixels = rows[:, 0], rows[:, 1:]
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise DataError("holds labels beyond 0 to 9", file=display(path), expected=expected)
    if pixels.min() < 0 or pixels.max() > 255:
        raise DataError("holds pixels beyond 0 to 255", file=display(path), expected=expected)
    return pixels.astype(np.uint8).reshape(-1, *SHAPE), labels.astype(np.uint8)


def _from_archive(found: FoundFiles, known: Known) -> Dataset:
    """Return a part of EMNIST from its archive, whose md5 is published; another archive is refused."""
    path = found.paths[0]
    try:
        if (got := files.md5(path)) != EMNIST_ZIP:
            raise DataError(f"md5 is {got}", file=display(path), expected=f"{EMNIST_ZIP}, EMNIST's archive")
        names = [f"gzip/{part}.gz" for part in known.parts]
        with zipfile.ZipFile(path) as archive:
            contents = [idx.gunzip(archive.read(name), file=f"{display(path)}: {name}") for name in names]
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(f"cannot be read: {error}", file=display(path)) from error
    train, test = _parts(contents, names)
    origin = f"{known.title}, {len(train[0]):,} + {len(test[0]):,} images"
    return build(known.name, origin, train, test, folder=found.folder)
