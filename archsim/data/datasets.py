"""Data sets of handwritten digits: MNIST where its IDX files are found, otherwise the digits scikit-learn ships.

MNIST is looked for in the folder given (`--data`), in $ARCHSIM_DATA, then in the user's cache, which `fetch` fills.
Nothing here depends on a run's seed, and nothing is drawn at random; the order of samples is the run's business.
"""

from __future__ import annotations

import hashlib
import http.client
import importlib.util
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from archsim.base import files
from archsim.base.errors import DataError, InputError, nearest
from archsim.data import idx

NAMES = ("mnist", "digits")
"""Names that `load` knows."""
CLASSES = 10
SHAPE = (28, 28)
VARIABLE = "ARCHSIM_DATA"
"""Environment variable that names the user's folder of data sets."""
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Public mirrors of MNIST, in the order in which they are tried. What they send must have the sha256 below."""
MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""The four files of MNIST -> sha256 of the unpacked file."""

Progress = Callable[[str, int, int | None], None]
"""Called while fetching with the file's name, the bytes received and the bytes due (None if not known)."""

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_MOST_BYTES = 1 << 26  # the largest of the four files is 9.9 MB packed
_DIGITS = "scikit-learn digits (1,797 images of 8x8) resampled to 28x28"
_TESTED_PER_CLASS = 36
# Contrast of the resampled digits, in percent of full ink: below the first a pixel is exactly 0, above the second 255.
# Chosen so that the frames are lit as MNIST's training images are: 19.2 % of pixels not 0 (MNIST 19.1 %), mean 0.131
# (MNIST 0.131). How many inputs are not 0 decides how many rows a chip drives.
_BLACK, _WHITE = 36, 82


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Images and labels for training and test; the arrays are read-only.

    Parameters
    ----------
    name : str
        "mnist" or "digits".
    origin : str
        Where the images came from, in words for the reader of a run.
    train_x, test_x : float32 array, (samples, 784)
        Pixels from 0 to 1, whole multiples of 1/255.
    train_y, test_y : uint8 array, (samples,)
        Labels 0 to 9.
    sha256 : str
        Digest of the bytes of train_x, train_y, test_x and test_y, in this order.
    classes : int
    shape : (rows, columns) of an image
    """

    name: str
    origin: str
    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    sha256: str
    classes: int = CLASSES
    shape: tuple[int, int] = SHAPE


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a data set can be used here: a row of `archsim data list`.

    `where` is a folder or a package, `bytes` the size on disk; `note` says why it was not found, or "".
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
    """Load a data set by name; "mnist" falls back to the digits where no MNIST is found, and `origin` says so.

    Parameters
    ----------
    name : str
        "mnist" or "digits".
    folder : Path
        Folder (or parent of a folder `mnist`) that must hold the IDX files; without it, $ARCHSIM_DATA and the user's
        cache are searched. Not used for "digits".

    Raises
    ------
    InputError
        If the name is unknown.
    DataError
        If `folder` holds no MNIST, $ARCHSIM_DATA is no folder, some of the four files are missing, or one is broken.
    """
    _check_name(name)
    if name == "digits":
        return _digits(f"{_DIGITS}, as asked for")
    found, looked = _search(folder)
    if found is None:
        return _digits(f"{_DIGITS}; MNIST was not found in {' or '.join(looked)}")
    return _mnist(found)


def sources(*, folder: Path | None = None) -> list[Availability]:
    """Return for each known data set whether it is found, where, and its size; reads no images, raises nothing."""
    mnist = Availability("mnist", found=False, where="", bytes=0)
    try:
        found, looked = _search(folder)
    except DataError as error:
        mnist = replace(mnist, note=str(error))
    else:
        if found is None:
            mnist = replace(mnist, note=f"not found in {' or '.join(looked)}; `archsim data fetch mnist` fetches it")
        else:
            paths = list(found.values())
            size = sum(path.stat().st_size for path in paths)
            mnist = replace(mnist, found=True, where=str(paths[0].parent), bytes=size)
    return [mnist, _digits_availability()]


def fetch(
    name: str = "mnist",
    *,
    mirrors: Sequence[str] = MIRRORS,
    opener: Callable[..., Any] = urllib.request.urlopen,
    progress: Progress | None = None,
) -> Path:
    """Fill the user's cache with MNIST from the first mirror that has it; return the folder.

    All files are checked before the first is written; files already there and correct are not fetched again. What is
    written is written aside and renamed.

    Parameters
    ----------
    name : str
        "mnist"; the digits need no fetching.
    mirrors : addresses of folders with the four .gz files, tried in order
    opener : function
        Called as opener(address, timeout=seconds); returns what can be read and closed.
    progress : function
        See `Progress`.

    Raises
    ------
    InputError
        If the name is unknown, or needs no fetching.
    DataError
        If no mirror sends the right files (with each mirror's reason), or the cache cannot be used.
    """
    _check_name(name)
    if name != "mnist":
        expected = "'mnist' (the digits come with scikit-learn and need no fetching)"
        raise InputError(key="data set", value=name, expected=expected)
    folder = cache_folder()
    try:
        missing = [file for file, digest in MNIST.items() if not _correct(folder / file, digest)]
        for file, data in _from_mirrors(missing, mirrors, opener, progress).items():
            folder.mkdir(parents=True, exist_ok=True)
            with files.replacing(folder / file) as aside:
                aside.write_bytes(data)
    except OSError as error:
        raise DataError(f"the cache cannot be used: {error.strerror or error}", file=str(folder)) from error
    return folder


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise InputError(key="data set", value=name, expected=f"one of {', '.join(NAMES)}", hint=nearest(name, NAMES))


def _search(folder: Path | None) -> tuple[dict[str, Path] | None, list[str]]:
    """Return the four files, or None, and the places looked in."""
    wanted = f"a folder (or its subfolder mnist) with {', '.join(MNIST)}, plain or .gz"
    if folder is not None:
        if (found := _locate(folder.expanduser())) is None:
            what = "holds no MNIST" if folder.expanduser().is_dir() else "is no folder"
            raise DataError(f"{folder} {what}", key="--data", value=str(folder), expected=wanted)
        return found, [str(folder)]
    looked = [str(cache_folder())]
    if given := os.environ.get(VARIABLE):
        place = Path(given).expanduser()
        looked.insert(0, f"{place} ({VARIABLE})")
        if (found := _locate(place)) is not None:
            return found, looked
        if not place.is_dir():
            raise DataError(f"{given} is no folder", key=VARIABLE, value=given, expected=wanted)
    return _locate(cache_folder()), looked


def _locate(folder: Path) -> dict[str, Path] | None:
    """Return the path of each of the four files in a folder or its subfolder mnist; None if none is there."""
    places = {place: idx.present(place, MNIST) for place in (folder, folder / "mnist")}
    for found in places.values():
        if len(found) == len(MNIST):
            return found
    for place, found in places.items():
        if found:
            missing = ", ".join(file for file in MNIST if file not in found)
            hint = "`archsim data fetch mnist` completes it." if place == cache_folder() else None
            raise DataError(f"{missing}: missing", file=str(place), expected="all four files of MNIST", hint=hint)
    return None


def _mnist(paths: dict[str, Path]) -> Dataset:
    parts, changed = [], []
    for part in ("train", "t10k"):
        names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        contents = [idx.content(paths[name]) for name in names]
        images = idx.images(contents[0], shape=SHAPE, file=files.display(paths[names[0]]))
        labels = idx.labels(contents[1], classes=CLASSES, file=files.display(paths[names[1]]))
        if len(images) != len(labels):
            expected = f"{len(images):,}, one for each image in {paths[names[0]].name}"
            what = f"holds {len(labels):,} labels"
            raise DataError(what, file=files.display(paths[names[1]]), expected=expected)
        parts.append((images, labels))
        pairs = zip(names, contents, strict=True)
        changed += [name for name, data in pairs if hashlib.sha256(data).hexdigest() != MNIST[name]]
    folder = paths[names[0]].parent
    origin = f"MNIST, IDX files in {folder}"
    if changed:
        which = "" if len(changed) == len(MNIST) else f" ({', '.join(changed)} differ)"
        origin = f"IDX files that are not the original MNIST{which}, in {folder}"
    return _dataset("mnist", origin, train=parts[0], test=parts[1])


def _dataset(
    name: str, origin: str, *, train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
) -> Dataset:
    """Return 8-bit images of shape (samples, 28, 28) and their labels, twice, as a data set."""
    (train_x, train_y), (test_x, test_y) = (
        (np.divide(images.reshape(len(images), -1), np.float32(255), dtype=np.float32), labels)
        for images, labels in (train, test)
    )
    digest = hashlib.sha256()
    for array in (train_x, train_y, test_x, test_y):
        digest.update(array.data)
        array.setflags(write=False)
    return Dataset(name, origin, train_x, train_y, test_x, test_y, sha256=digest.hexdigest())


def _digits(origin: str) -> Dataset:
    """Return scikit-learn's digits as MNIST-like frames: 1,437 for training, 360 for test.

    The split is fixed and stratified: 36 images of each class, evenly spaced in the order in which they are shipped,
    are the test set. So the same hands wrote both parts, other than in MNIST: the test is the easier for it.
    """
    from sklearn.datasets import load_digits

    shipped = load_digits()
    labels = shipped.target.astype(np.uint8)
    frames = resample(shipped.images.astype(np.int64))
    tested = np.zeros(len(labels), bool)
    for label in range(CLASSES):
        (where,) = np.nonzero(labels == label)
        tested[where[(2 * np.arange(_TESTED_PER_CLASS) + 1) * len(where) // (2 * _TESTED_PER_CLASS)]] = True
    return _dataset("digits", origin, train=(frames[~tested], labels[~tested]), test=(frames[tested], labels[tested]))


def resample(images: np.ndarray) -> np.ndarray:
    """Turn images of 8x8 with 17 levels into 8-bit frames of 28x28 made as MNIST's were.

    Each is enlarged to 20x20 by cubic convolution, its contrast is stretched, and it is placed in the frame with its
    centre of mass in the middle. Whole numbers throughout, so every machine gets the same bits.

    Parameters
    ----------
    images : int64 array, (samples, 8, 8)
        Ink from 0 to 16.

    Returns
    -------
    uint8 array, (samples, 28, 28)

    Source
    ------
    LeCun, Cortes and Burges, the MNIST page (20x20 box, centre of mass); Keys 1981 (cubic convolution, a = -1/2).
    """
    taps = _cubic_taps(20)
    ink = taps @ images @ taps.T
    full = 16 * 2000**2
    pixels = np.clip((100 * ink - _BLACK * full) * 255 // ((_WHITE - _BLACK) * full), 0, 255)
    frames = np.zeros((len(images), *SHAPE), np.uint8)
    for frame, box in zip(frames, pixels, strict=True):
        top, left = _offset(box.sum(1)), _offset(box.sum(0))
        frame[top : top + len(box), left : left + len(box)] = box
    return frames


def _cubic_taps(size: int) -> np.ndarray:
    """Return the weights, in 1/2000, that enlarge 8 samples to 20 by cubic convolution; blank outside."""
    taps = np.zeros((size, 8), np.int64)
    for new in range(size):
        old, t = divmod(4 * new - 3, 10)  # centre of the new sample, in old samples and tenths: (new + 1/2) 8/20 - 1/2
        outer, inner = (20 - t) * t**2 - 100 * t, 2000 - 50 * t**2 + 3 * t**3
        weights = (outer, inner, 100 * t + 40 * t**2 - 3 * t**3, t**3 - 10 * t**2)
        for place, weight in enumerate(weights, start=old - 1):
            if 0 <= place < 8:
                taps[new, place] += weight
    return taps


def _offset(profile: np.ndarray) -> int:
    """Return where a box starts so that the centre of mass of its profile falls on the frame's middle."""
    mass = int(profile.sum())
    room = SHAPE[0] - len(profile)
    if mass == 0:
        return room // 2
    return min(max((14 * mass - int(np.arange(len(profile)) @ profile)) // mass, 0), room)


def _digits_availability() -> Availability:
    spec = importlib.util.find_spec("sklearn")
    packed = Path(spec.origin).parent / "datasets/data/digits.csv.gz" if spec and spec.origin else None
    size = packed.stat().st_size if packed and packed.is_file() else 0
    return Availability("digits", found=spec is not None, where="scikit-learn", bytes=size)


def _correct(path: Path, digest: str) -> bool:
    return path.is_file() and files.sha256(path) == digest


def _from_mirrors(
    missing: Sequence[str], mirrors: Sequence[str], opener: Callable[..., Any], progress: Progress | None
) -> dict[str, bytes]:
    """Return the missing files, unpacked and checked; a mirror that fails once is left for the next."""
    fetched: dict[str, bytes] = {}
    reasons = []
    for mirror in mirrors:
        try:
            for file in missing:
                if file not in fetched:
                    fetched[file] = _download(f"{mirror.rstrip('/')}/{file}.gz", MNIST[file], opener, progress)
        except DataError as error:
            reasons.append(str(error))
        else:
            return fetched
    if not missing:
        return fetched
    hint = f"Or put the four files into a folder and name it with --data or {VARIABLE}."
    raise DataError(f"could not fetch mnist: {'; '.join(reasons) or 'no mirror given'}", hint=hint)


def _download(url: str, digest: str, opener: Callable[..., Any], progress: Progress | None) -> bytes:
    file = url.rsplit("/", 1)[-1]
    packed = bytearray()
    try:
        with opener(url, timeout=_TIMEOUT_S) as response:
            length = getattr(response, "headers", {}).get("Content-Length")
            due = int(length) if length and str(length).isdigit() else None
            while len(packed) <= _MOST_BYTES and (chunk := response.read(_CHUNK)):
                packed += chunk
                if progress:
                    progress(file, len(packed), due)
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f"HTTP error {error.code} ({error.reason})", file=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(f"{getattr(error, 'reason', None) or error or type(error).__name__}", file=url) from error
    if len(packed) > _MOST_BYTES:
        raise DataError("does not stop sending", file=url, expected=f"at most {_MOST_BYTES:,} bytes")
    data = idx.gunzip(bytes(packed), file=url)
    if (got := hashlib.sha256(data).hexdigest()) != digest:
        raise DataError(f"sha256 of the unpacked file is {got}", file=url, expected=digest)
    return data
