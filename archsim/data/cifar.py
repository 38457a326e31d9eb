"""CIFAR-10 in its binary version: found, read, checked, and named by its bytes.

Six files, data_batch_1.bin to data_batch_5.bin and test_batch.bin, each of 10,000 records: a byte of label, then 3,072
bytes of pixels, red, green and blue one after the other, each row after row. They are read plain, packed (.bin.gz), or
from the archive that they are published in. Some of the five are a part of the training set, and the name says so.

A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009; https://www.cs.toronto.edu/~kriz/cifar.html
publishes the archive and its md5. The md5 of the six files are those that rai-project/dldataset lists (vision,
cifar10).
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from archsim.base import files
from archsim.base.errors import DataError, InputError
from archsim.data import idx
from archsim.data.dataset import CLASSES, Dataset, Part, build
from archsim.data.known import CUSTOM, FoundFiles, Known

SHAPE = (3, 32, 32)
"""Channels, rows and columns of an image."""
RECORD = 1 + 3 * 32 * 32
MOST_IMAGES = 10_000
"""In a file."""
WHOLE = 50_000
"""Images of the whole training set."""
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
MD5 = (
    "5dd7e06a14cb22eb9f671a540d1b7c25", "5ea93a67294ea407fff1d09f752e9692", "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb", "53f37980c15c3d472c316c40844f3f0d", "803d5f7f4d78ea53de84dbe85f74fb6d",
)  # fmt: skip
"""Of the six files unpacked."""
PART = (
    "c6e66a89d3dafd2c03719fac8a8c9cbf1e6780aacd080b18316fdc6994534c9d",
    "ff6e7e547300658b75789496a0bc869e89cfb32b0a9107e444adcc2db36a68f1",
)
"""sha256 of data_batch_1.bin and test_batch.bin as this project's checks use them: the first 1,000 training and 200
test images of each class, decoded from a copy that was kept as JPEG, so that pixels differ slightly."""
_ARCHIVED = "cifar-10-batches-bin"
_PICKLES = ("cifar-10-batches-py", "cifar-10-python.tar.gz", "data_batch_1")


def find(places: Sequence[Path], known: Known, *, hint: str | None = None) -> FoundFiles | None:
    """Return the files, or the archive that holds them, in the first folder that has them; None if none has.

    Raises
    ------
    DataError
        If there are only training images or only test images, or a folder may not be read.
    """
    *training, test = known.parts
    packed = known.archive or ""
    present = {place: idx.present(place, (*known.parts, packed)) for place in places}
    for parts in present.values():
        archive = parts.pop(packed, None)
        if test in parts and len(parts) > 1:
            return FoundFiles("cifar", tuple(parts.values()))
        if archive:
            return FoundFiles("tar", (archive,))
    for place, parts in present.items():
        if parts:
            some = f"{training[0]} to {training[-1]}"
            raise DataError(
                f"{some if test in parts else test}: missing", file=str(place),
                expected=f"{test} and at least one of {some}", hint=hint,
            )  # fmt: skip
    return None


def pickles(places: Sequence[Path]) -> str:
    """Return why what lies in folders is not read where it is the Python version of CIFAR-10, empty if it is not."""
    paths = (place / name for place in places for name in _PICKLES)
    if (path := next((path for path in paths if path.exists()), None)) is None:
        return ""
    return f"{files.display(path)} is its Python version: pickles, which can run any program, and are not read"


def read(found: FoundFiles, known: Known) -> Dataset:
    """Return what the files hold.

    Its name is "cifar10" where the bytes are CIFAR-10's, "cifar10 (10,000 of 50,000 training images)" where they are a
    part of it, "custom data (cifar)" for others.

    Raises
    ------
    DataError
        If a file is broken.
    """
    if found.form == "tar":
        contents = members(_archive(found.paths[0]), known.parts, file=files.display(found.paths[0]))
    else:
        contents = {path.name.removesuffix(".gz"): _content(path) for path in found.paths}
    shown = {name: f"{files.display(found.folder)}/{name}" for name in contents}
    parts = [records(content, file=shown[name]) for name, content in contents.items()]
    name, title = _named(contents, known, len(parts[:-1]), sum(len(labels) for _, labels in parts[:-1]))
    images, labels = (np.concatenate([part[which] for part in parts[:-1]]) for which in (0, 1))
    origin = f"{title}, {len(labels):,} + {len(parts[-1][1]):,} images"
    return build(name, origin, (images, labels), parts[-1], folder=found.folder)


def records(content: bytes, *, file: str) -> Part:
    """Return the images, uint8 (images, 3, 32, 32), and the labels, uint8 (images,), of the records of one file.

    Raises
    ------
    DataError
        If the length is not that of whole records, there are more than 10,000, or a label is beyond 0 to 9.
    """
    count, rest = divmod(len(content), RECORD)
    if rest or not 0 < count <= MOST_IMAGES:
        expected = f"1 to {MOST_IMAGES:,} records of {RECORD:,} bytes, a label and 3x32x32 pixels"
        more = "more than " if len(content) > MOST_IMAGES * RECORD else ""
        raise DataError(f"holds {more}{len(content):,} bytes", file=file, expected=expected)
    table = np.frombuffer(content, np.uint8).reshape(count, RECORD)
    if (wrong := table[:, 0] >= CLASSES).any():
        first = int(wrong.argmax())
        raise DataError(f"label {first:,} is {table[first, 0]}", file=file, expected=f"labels from 0 to {CLASSES - 1}")
    return table[:, 1:].reshape(count, *SHAPE), table[:, 0]


def members(archive: bytes, parts: Sequence[str], *, file: str) -> dict[str, bytes]:
    """Return the six files of the archive, whose md5 is published; another one is refused.

    Raises
    ------
    DataError
        If the archive is another, or cannot be unpacked.
    """
    if (got := hashlib.md5(archive, usedforsecurity=False).hexdigest()) != ARCHIVE_MD5:
        raise DataError(f"md5 is {got}", file=file, expected=f"{ARCHIVE_MD5}, the archive of CIFAR-10's binary version")
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for part in parts:
                if (stream := tar.extractfile(f"{_ARCHIVED}/{part}")) is not None:
                    found[part] = stream.read(MOST_IMAGES * RECORD + 1)
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"cannot be unpacked: {error}", file=file) from error
    return found


def _archive(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file=files.display(path)) from error


def _content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if its name ends in .gz; one more than it may have if it has more."""
    most = MOST_IMAGES * RECORD
    try:
        files.regular(path, "a file of CIFAR-10's binary version", 2 * most)
        content = path.read_bytes()
    except InputError as error:
        raise DataError(error.message, file=error.file, expected=error.expected) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", file=files.display(path)) from error
    return idx.gunzip(content, file=files.display(path), most=most) if path.suffix == ".gz" else content


def _named(contents: Mapping[str, bytes], known: Known, batches: int, images: int) -> tuple[str, str]:
    """Return name and title of what the bytes are."""
    digests = dict(zip(known.parts, MD5, strict=True))
    right = [
        hashlib.md5(content, usedforsecurity=False).hexdigest() == digests[name] for name, content in contents.items()
    ]
    if all(right) and len(contents) == len(known.parts):
        return known.name, known.title
    part = f"{known.name} ({images:,} of {WHOLE:,} training images)"
    if all(right):
        return part, f"{known.title}, {batches} of 5 training batches"
    if tuple(hashlib.sha256(content).hexdigest() for content in contents.values()) == PART:
        return part, f"{known.title} in part, from a copy kept as JPEG (pixels differ slightly)"
    name = f"{CUSTOM} (cifar)"
    which = ", ".join(each for each, same in zip(contents, right, strict=True) if not same)
    return name, f"{name}; {which} not {known.title}'s" if any(right) else name
