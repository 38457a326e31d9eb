"""Fetch MNIST from its public mirrors into the user's cache; nothing is kept whose sha256 is not MNIST's."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from archsim.base import files
from archsim.base.errors import DataError, InputError
from archsim.base.progress import Progress, Report
from archsim.data import datasets, idx
from archsim.data.known import KNOWN

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "http://yann.lecun.com/exdb/mnist/",
)
"""Public mirrors of MNIST, in the order in which they are tried. What they send must have the sha256 below."""

_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_MOST_BYTES = 1 << 26  # the largest of the four files is 9.9 MB packed


def digests() -> dict[str, str]:
    """Return the four files of MNIST -> sha256 of the unpacked file."""
    mnist = KNOWN["mnist"]
    return dict(zip(mnist.parts, mnist.sha256, strict=True))


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
        "mnist"; mnist-5k comes with archsim, the others are to be put into a folder.
    mirrors : addresses of folders with the four .gz files, tried in order
    opener : function
        Called as opener(address, timeout=seconds); returns what can be read and closed.
    progress : function
        Told the file, the bytes received and the bytes due (None if not known).

    Raises
    ------
    InputError
        If the name is unknown, or needs no fetching.
    DataError
        If no mirror sends the right files (with each mirror's reason), or the cache cannot be used.
    """
    datasets.check_name(name)
    if name != "mnist":
        expected = "'mnist' (mnist-5k comes with archsim; the others are read from a folder)"
        raise InputError(key="data set", value=name, expected=expected)
    folder, wanted = datasets.cache_folder(), digests()
    try:
        missing = [file for file, digest in wanted.items() if not _correct(folder / file, digest)]
        for file, data in _from_mirrors(missing, mirrors, opener, progress).items():
            folder.mkdir(parents=True, exist_ok=True)
            with files.replacing(folder / file) as aside:
                aside.write_bytes(data)
    except OSError as error:
        raise DataError(f"the cache cannot be used: {error.strerror or error}", file=str(folder)) from error
    return folder


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
                    fetched[file] = _download(f"{mirror.rstrip('/')}/{file}.gz", digests()[file], opener, progress)
        except DataError as error:
            reasons.append(str(error))
        else:
            return fetched
    if not missing:
        return fetched
    hint = f"Or put the four files into a folder and name it with --data or {datasets.VARIABLE}."
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
                    progress(Report(file, len(packed), due, "bytes"))
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
