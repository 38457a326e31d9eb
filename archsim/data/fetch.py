"""Fetch data sets from public addresses into the user's cache; nothing is kept whose published digest is another."""

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
from archsim.data import cifar, datasets, idx
from archsim.data.known import KNOWN, Known

FETCHED = tuple(known.name for known in KNOWN.values() if known.mirrors)
"""Data sets that are fetched."""
_TIMEOUT_S = 30.0
_CHUNK = 1 << 18
_MOST_BYTES = {"idx": 1 << 26, "cifar": 1 << 28, "text": 1 << 24}
"""Of a file sent, by form: MNIST's largest has 9.9 MB packed, CIFAR-10's archive 170 MB, the text 1.1 MB."""
_TEXT = "input.txt"
"""Name of the text where it is fetched from."""
_Get = Callable[[str], bytes]


def fetch(
    name: str = "mnist",
    *,
    mirrors: Sequence[str] | None = None,
    opener: Callable[..., Any] = urllib.request.urlopen,
    progress: Progress | None = None,
) -> Path:
    """Fill the user's cache with a data set from the first mirror that has it; return the folder.

    All files are checked before the first is written; files already there and correct are not fetched again. What is
    written is written aside and renamed.

    Parameters
    ----------
    name : str
        One of `FETCHED`. Others come with archsim, or are to be put into a folder.
    mirrors : addresses of folders with the files, tried in order; those of `KNOWN` by default
    opener : function
        Called as opener(address, timeout=seconds); returns what can be read and closed.
    progress : function
        Told the file, the bytes received and the bytes due (None if not known).

    Raises
    ------
    InputError
        If the name is unknown, needs no fetching or cannot be fetched.
    DataError
        If no mirror sends the right files (with each mirror's reason), or the cache cannot be used.
    """
    datasets.check_name(name)
    if name not in FETCHED:
        raise _not_fetched(name)
    known, folder = KNOWN[name], datasets.cache_folder(name)
    digests = dict(zip(known.parts, cifar.MD5 if known.form == "cifar" else known.sha256, strict=True))
    hashed = files.md5 if known.form == "cifar" else files.sha256

    def get(url: str) -> bytes:
        return _download(url, _MOST_BYTES[known.form], opener, progress)

    try:
        missing = [
            file for file, digest in digests.items()
            if not ((folder / file).is_file() and hashed(folder / file) == digest)
        ]  # fmt: skip
        for file, data in _from_mirrors(known, missing, known.mirrors if mirrors is None else mirrors, get).items():
            folder.mkdir(parents=True, exist_ok=True)
            with files.replacing(folder / file) as aside:
                aside.write_bytes(data)
    except OSError as error:
        raise DataError(f"the cache cannot be used: {error.strerror or error}", file=str(folder)) from error
    return folder


def _not_fetched(name: str) -> InputError:
    if name in datasets.SHIPPED:
        return InputError(f"{name} comes with archsim", key="data set", expected=f"one of {', '.join(FETCHED)}")
    known = KNOWN[name]
    return InputError(
        f"{known.title} cannot be fetched", key="data set", expected=f"one of {', '.join(FETCHED)}",
        hint=f"Put {known.archive or ', '.join(known.parts)} into a folder and name it with --data or "
        f"{datasets.VARIABLE}",
    )  # fmt: skip


def _from_mirrors(known: Known, missing: Sequence[str], mirrors: Sequence[str], get: _Get) -> dict[str, bytes]:
    """Return the missing files, unpacked and checked; a mirror that fails once is left for the next."""
    fetched: dict[str, bytes] = {}
    reasons = []
    for mirror in mirrors:
        try:
            _add(fetched, known, missing, mirror.rstrip("/"), get)
        except DataError as error:
            reasons.append(str(error))
        else:
            return fetched
    if not missing:
        return fetched
    what = "four files" if known.form == "idx" else known.archive or known.parts[0]
    hint = f"Or put the {what} into a folder and name it with --data or {datasets.VARIABLE}."
    raise DataError(f"could not fetch {known.name}: {'; '.join(reasons) or 'no mirror given'}", hint=hint)


def _add(fetched: dict[str, bytes], known: Known, missing: Sequence[str], mirror: str, get: _Get) -> None:
    """Add the missing files to those fetched, as one mirror has them."""
    if not missing:
        return
    if known.form == "cifar":
        archive = f"{mirror}/{known.archive}"
        contents = cifar.members(get(archive), known.parts, file=archive)
        fetched |= {file: contents[file] for file in missing}
        return
    digests = dict(zip(known.parts, known.sha256, strict=True))
    for file in missing:
        if file not in fetched:
            fetched[file] = _file(known, file, digests[file], mirror, get)


def _file(known: Known, file: str, digest: str, mirror: str, get: _Get) -> bytes:
    packed = known.form == "idx"
    url = f"{mirror}/{file}.gz" if packed else f"{mirror}/{_TEXT}"
    data = idx.gunzip(get(url), file=url) if packed else get(url)
    if (got := hashlib.sha256(data).hexdigest()) != digest:
        raise DataError(f"sha256 of the {'unpacked ' if packed else ''}file is {got}", file=url, expected=digest)
    return data


def _download(url: str, most: int, opener: Callable[..., Any], progress: Progress | None) -> bytes:
    """Return what an address sends, no more than `most` bytes of it."""
    file = url.rsplit("/", 1)[-1]
    sent = bytearray()
    try:
        with opener(url, timeout=_TIMEOUT_S) as response:
            length = getattr(response, "headers", {}).get("Content-Length")
            due = int(length) if length and str(length).isdigit() else None
            while len(sent) <= most and (chunk := response.read(_CHUNK)):
                sent += chunk
                if progress:
                    progress(Report(file, len(sent), due, "bytes"))
    except urllib.error.HTTPError as error:
        error.close()
        raise DataError(f"HTTP error {error.code} ({error.reason})", file=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DataError(f"{getattr(error, 'reason', None) or error or type(error).__name__}", file=url) from error
    if len(sent) > most:
        raise DataError("does not stop sending", file=url, expected=f"at most {most:,} bytes")
    return bytes(sent)
