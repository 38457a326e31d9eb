"""Data sets by name: those known where their files are found, and 5,000 images of MNIST and a play that archsim ships.

Files are looked for in the folder given (`--data`), in $ARCHSIM_DATA, then in the user's cache, which `fetch` fills.
What they are is told by their bytes, not by their names. Nothing here depends on a run's seed, and nothing is drawn at
random; the order of samples is `data/sampler.py`'s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import platformdirs

from archsim.base import files
from archsim.base.errors import DataError, InputError, nearest
from archsim.data import layouts, shipped, text
from archsim.data.dataset import Dataset, Source
from archsim.data.known import CUSTOM, KNOWN, FoundFiles, Known
from archsim.data.text import TextDataset

SHIPPED: dict[str, Path] = {shipped.NAME: shipped.FILE, text.EXTRACT: text.FILE}
"""Data sets that come with archsim -> file."""
INSTEAD = {"mnist": shipped.NAME, "shakespeare": text.EXTRACT}
"""Data set -> the shipped one that is used where it is not found."""
NAMES = ("mnist", shipped.NAME, *(name for name in KNOWN if name != "mnist"), text.EXTRACT)
"""Names that `load` knows."""
VARIABLE = "ARCHSIM_DATA"
"""Environment variable that names the user's folder of data sets."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a data set can be used here: a row of `archsim data list`.

    `where` is a folder or "archsim", `bytes` the size on disk; `note` says why it was not found, or how many of its
    files are there if not all need be, or "".
    """

    name: str
    found: bool
    where: str
    bytes: int
    note: str = ""


def cache_folder(name: str = "mnist") -> Path:
    """Return the folder of the user's cache that a data set is fetched to."""
    return Path(platformdirs.user_cache_dir("archsim")) / name


def load(name: str = "mnist", *, folder: Path | None = None) -> Dataset | TextDataset:
    """Load a data set by name; where it is not found, some are what `INSTEAD` says, under that name.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : Path
        Folder that must hold the files, itself or below (`layouts`); without it, $ARCHSIM_DATA and the user's cache are
        searched. Not used for what is shipped.

    Returns
    -------
    Dataset or TextDataset
        Its name is that of the content: files that are no known set are "custom data (idx)" or the like.

    Raises
    ------
    InputError
        If the name is unknown, or the files found are another known set.
    DataError
        If the files are not found, incomplete or broken, or those in the cache are not what was fetched.
    """
    check_name(name)
    if name in SHIPPED:
        return _shipped(name)
    known = KNOWN[name]
    found, looked = _search(known, folder)
    if found is None:
        if name in INSTEAD:
            return _shipped(INSTEAD[name])
        raise _not_found(known, looked)
    data = _read(known, found.form, found.paths, tuple(map(_stamp, found.paths)))
    if data.name != name and not data.name.startswith((CUSTOM, f"{name} (")):
        raise InputError(
            f"the files in {files.display(found.folder)} are {data.origin}", key="dataset", value=name,
            expected=repr(data.name), hint=f"--set dataset={data.name} runs on them",
        )  # fmt: skip
    if known.mirrors and found.folder == cache_folder(name) and data.name != name:
        raise DataError(
            f"holds {data.origin}", file=files.display(found.folder), expected=f"the files of {known.title} as fetched",
            hint=f"{known.fetching} mends it",
        )  # fmt: skip
    return data


@lru_cache(maxsize=1)
def _read(known: Known, form: str, paths: tuple[Path, ...], stamps: tuple[object, ...]) -> Dataset | TextDataset:
    """Return what files hold; who asks again for the same ones shares the arrays, which are read-only."""
    del stamps  # of other files, or files of another time, there is nothing to share
    return layouts.read(FoundFiles(form, paths), known)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        told = path.stat()
    except OSError:  # whoever reads it says so
        return ()
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _not_found(known: Known, looked: Sequence[str]) -> DataError:
    place = os.environ.get(VARIABLE)
    why = layouts.refused(Path(place).expanduser(), known) if place else ""
    return DataError(
        f"{known.title} was not found in {' or '.join(looked)}{why and f': {why}'}", key="--data",
        expected=f"a folder with its files, there or in {' or '.join(known.folders)} below it",
        hint=f"{known.fetching} fetches it" if known.mirrors else None,
    )  # fmt: skip


def _shipped(name: str) -> Dataset | TextDataset:
    file = text.FILE if name == text.EXTRACT else shipped.FILE
    return _read_shipped(name, (file, *_stamp(file)))


@lru_cache(maxsize=len(SHIPPED))
def _read_shipped(name: str, stamp: object) -> Dataset | TextDataset:
    del stamp
    return text.extract() if name == text.EXTRACT else shipped.load()


def fallback(name: object, data: Source) -> str | None:
    """Return why a data set is not the one asked for, in words for the user; None if it is."""
    if not isinstance(name, str) or INSTEAD.get(name) != data.name:
        return None
    known = KNOWN[name]
    _, looked = _search(known, None)
    return f"{known.title} was not found in {' or '.join(looked)}; {known.fetching} fetches it"


def sources(*, folder: Path | None = None) -> list[Availability]:
    """Return for each known data set whether it is found, where, and its size; reads no images, raises nothing."""
    return [_of_shipped(name) if name in SHIPPED else _availability(KNOWN[name], folder) for name in NAMES]


def _of_shipped(name: str) -> Availability:
    size = SHIPPED[name].stat().st_size if SHIPPED[name].is_file() else 0
    return Availability(name, found=size > 0, where="archsim", bytes=size)


def _availability(known: Known, folder: Path | None) -> Availability:
    try:
        found, looked = _search(known, folder)
    except DataError as error:
        return Availability(known.name, found=False, where="", bytes=0, note=str(error))
    if found is None:
        hint = f"; {known.fetching} fetches it" if known.mirrors else ""
        return Availability(
            known.name, found=False, where="", bytes=0, note=f"not found in {' or '.join(looked)}{hint}"
        )
    size = sum(path.stat().st_size for path in found.paths)
    some = found.form == "cifar" and len(found.paths) < len(known.parts)
    note = f"{len(found.paths)} of {len(known.parts)} files" if some else ""
    return Availability(known.name, found=True, where=str(found.folder), bytes=size, note=note)


def check_name(name: str) -> None:
    """Refuse a name that is no data set's."""
    if name not in NAMES:
        raise InputError(key="data set", value=name, expected=f"one of {', '.join(NAMES)}", hint=nearest(name, NAMES))


def _search(known: Known, folder: Path | None) -> tuple[FoundFiles | None, list[str]]:
    """Return the files, or None, and the places looked in."""
    wanted = f"a folder (or its subfolder {known.folders[0]}) with {', '.join(known.parts)}, plain or .gz"
    if folder is not None:
        place = folder.expanduser()
        if (found := layouts.find(place, known)) is None:
            what = f"holds no {known.title}" if place.is_dir() else "is no folder"
            why = layouts.refused(place, known)
            raise DataError(f"{folder} {what}{why and f': {why}'}", key="--data", value=str(folder), expected=wanted)
        return found, [str(folder)]
    looked = [str(cache_folder(known.name))]
    if given := os.environ.get(VARIABLE):
        place = Path(given).expanduser()
        looked.insert(0, f"{place} ({VARIABLE})")
        if (found := layouts.find(place, known)) is not None:
            return found, looked
        if not place.is_dir():
            raise DataError(f"{given} is no folder", key=VARIABLE, value=given, expected=wanted)
    hint = f"{known.fetching} completes it." if known.mirrors else None
    return layouts.find(cache_folder(known.name), known, hint=hint), looked
