"""Data sets by name: MNIST and its like where their files are found, and the 5,000 images of MNIST that archsim ships.

Files are looked for in the folder given (`--data`), in $ARCHSIM_DATA, then in the user's cache, which `fetch` fills.
What they are is told by their bytes, not by their names. Nothing here depends on a run's seed, and nothing is drawn at
random; the order of samples is `data/sampler.py`'s.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from archsim.base import files
from archsim.base.errors import DataError, InputError, nearest
from archsim.data import layouts, shipped
from archsim.data.dataset import Dataset
from archsim.data.known import CUSTOM, KNOWN, Known
from archsim.data.layouts import FoundFiles

NAMES = ("mnist", shipped.NAME, *(name for name in KNOWN if name != "mnist"))
"""Names that `load` knows."""
VARIABLE = "ARCHSIM_DATA"
"""Environment variable that names the user's folder of data sets."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a data set can be used here: a row of `archsim data list`.

    `where` is a folder or "archsim", `bytes` the size on disk; `note` says why it was not found, or "".
    """

    name: str
    found: bool
    where: str
    bytes: int
    note: str = ""


def cache_folder() -> Path:
    """Return the folder of the user's cache that holds MNIST once it has been fetched."""
    return Path(platformdirs.user_cache_dir("archsim")) / "mnist"


def load(name: str = "mnist", *, folder: Path | None = None) -> Dataset:
    """Load a data set by name; where no MNIST is found, "mnist" is the shipped subset, whose name is "mnist-5k".

    Parameters
    ----------
    name : str
        One of `NAMES`.
    folder : Path
        Folder that must hold the files, itself or below (`layouts`); without it, $ARCHSIM_DATA and the user's cache are
        searched. Not used for "mnist-5k".

    Returns
    -------
    Dataset
        Its name is that of the content: files that are no known set are "custom data (idx)" or the like.

    Raises
    ------
    InputError
        If the name is unknown, or the files found are another known set.
    DataError
        If the files are not found, incomplete or broken, or those in the cache are not what was fetched.
    """
    check_name(name)
    if name == shipped.NAME:
        return shipped.load()
    known = KNOWN[name]
    found, looked = _search(known, folder)
    if found is None:
        if name == "mnist":
            return shipped.load()
        places = f"{' or '.join(known.folders)} below it"
        what = f"{known.title} was not found in {' or '.join(looked)}"
        raise DataError(what, key="--data", expected=f"a folder with its files, there or in {places}")
    data = layouts.read(found, known)
    if data.name != name and not data.name.startswith(CUSTOM):
        raise InputError(
            f"the files in {files.display(found.folder)} are {data.origin}", key="dataset", value=name,
            expected=repr(data.name), hint=f"--set dataset={data.name} runs on them",
        )  # fmt: skip
    if found.folder == cache_folder() and data.name != name:
        raise DataError(
            f"holds {data.origin}", file=files.display(found.folder), expected=f"the files of {known.title} as fetched",
            hint="`archsim data fetch mnist` mends it",
        )  # fmt: skip
    return data


def fallback(name: object, data: Dataset) -> str | None:
    """Return why a data set is not the one asked for, in words for the user; None if it is."""
    if name != "mnist" or data.name != shipped.NAME:
        return None
    _, looked = _search(KNOWN["mnist"], None)
    return f"MNIST was not found in {' or '.join(looked)}; `archsim data fetch mnist` fetches it"


def sources(*, folder: Path | None = None) -> list[Availability]:
    """Return for each known data set whether it is found, where, and its size; reads no images, raises nothing."""
    size = shipped.FILE.stat().st_size if shipped.FILE.is_file() else 0
    return [
        Availability(name, found=size > 0, where="archsim", bytes=size) if name == shipped.NAME
        else _availability(KNOWN[name], folder)
        for name in NAMES
    ]  # fmt: skip


def _availability(known: Known, folder: Path | None) -> Availability:
    try:
        found, looked = _search(known, folder)
    except DataError as error:
        return Availability(known.name, found=False, where="", bytes=0, note=str(error))
    if found is None:
        hint = "; `archsim data fetch mnist` fetches it" if known.name == "mnist" else ""
        return Availability(
            known.name, found=False, where="", bytes=0, note=f"not found in {' or '.join(looked)}{hint}"
        )
    size = sum(path.stat().st_size for path in found.paths)
    return Availability(known.name, found=True, where=str(found.folder), bytes=size)


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
            raise DataError(f"{folder} {what}", key="--data", value=str(folder), expected=wanted)
        return found, [str(folder)]
    looked = [str(cache_folder())]
    if given := os.environ.get(VARIABLE):
        place = Path(given).expanduser()
        looked.insert(0, f"{place} ({VARIABLE})")
        if (found := layouts.find(place, known)) is not None:
            return found, looked
        if not place.is_dir():
            raise DataError(f"{given} is no folder", key=VARIABLE, value=given, expected=wanted)
    if known.name != "mnist":
        return None, looked
    return layouts.find(cache_folder(), known, hint="`archsim data fetch mnist` completes it."), looked
