"""Texts for language models by characters: a file of one's own, tiny Shakespeare, and the play that archsim ships.

The vocabulary is the characters of the whole text, sorted by code point; a character's code is its place there. The
first nine tenths of the text train, the rest tests, in the text's order; nothing is drawn at random.

The shipped text is Romeo and Juliet as it stands in tiny Shakespeare: speakers and lines, without prologue, scenes and
stage directions. It has the vocabulary of tiny Shakespeare, so that a network for the one runs on the other, too. It is
in the public domain, as the note beside it says; tools/make_extract.py makes the file.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.base import files
from archsim.base.arrays import I64
from archsim.base.errors import DataError, InputError
from archsim.data.known import KNOWN, FoundFiles, Known

EXTRACT = "shakespeare-extract"
FILE = Path(__file__).parent / "files" / f"{EXTRACT}.txt"
EXTRACT_SHA256 = "daf75ba27c60f42b32c77b4a77d3bbd98c0bd5d3f3ee3e47376bfa9687b8cde7"
PLAYS = "\n !$&',-.3:;?" + string.ascii_uppercase + string.ascii_lowercase
"""The 65 characters of tiny Shakespeare."""
_TRAINED = 0.9
_WHAT = "a text in UTF-8"
_POINTS = 0x110000  # code points of Unicode


@dataclass(frozen=True, slots=True, eq=False)
class TextDataset:
    """Characters of a text for training and test; the arrays are read-only.

    Parameters
    ----------
    name : str
        What the content is: "shakespeare" where the text is tiny Shakespeare, wherever it lies.
    origin : str
        What the text is, in words.
    vocabulary : str
        Its characters, sorted, each once; of the shipped text those of tiny Shakespeare.
    train, test : int64 array, (characters,)
        Codes from 0 to len(vocabulary) - 1: the first nine tenths of the text, rounded down, and the rest.
    sha256 : str
        Digest of the text in UTF-8, without a mark at its beginning, lines ended by line feeds.
    folder : Path or None
        Where the file lay; no part of what the data are.
    """

    name: str
    origin: str
    vocabulary: str
    train: I64
    test: I64
    sha256: str
    folder: Path | None = None

    def text(self, codes: I64) -> str:
        """Return the characters of codes, of any shape, one after the other."""
        return "".join(self.vocabulary[code] for code in np.ravel(codes))

    def check_length(self, length: int, batch: int = 1) -> None:
        """Refuse sequences that the text is too short for.

        Parameters
        ----------
        length : int
            Characters of a sequence.
        batch : int
            Sequences side by side, each in a part of the training text of its own.

        Raises
        ------
        DataError
            If a part of the training text, or the test text, has no `length` characters with one after them.
        """
        for part, size, needed in (("train", self.train.size, batch), ("test", self.test.size, 1)):
            if size < needed * length + 1:
                many = f"{needed} sequences of {length}" if needed > 1 else f"a sequence of {length}"
                raise DataError(
                    f"{self.origin}: {size:,} characters to {part}", key="dataset",
                    expected=f"at least {needed * length + 1:,}, for {many} and the next character",
                )  # fmt: skip


def own(path: Path) -> TextDataset:
    """Return a user's own text.

    Raises
    ------
    DataError
        If the file cannot be read, is larger than `files.LONGEST` allows, is not UTF-8 (with the line), is empty, or
        has one character only.
    """
    return _dataset(path, f"own text ({path.name})", path.name)


def find(places: Sequence[Path], known: Known) -> FoundFiles | None:
    """Return the file of a known text in the first folder that has it; None if none has.

    Raises
    ------
    DataError
        If a folder may not be read.
    """
    for path in (place / known.parts[0] for place in places):
        try:
            if path.is_file():
                return FoundFiles("text", (path,))
        except OSError as error:
            said = error.strerror or error
            raise DataError(f"cannot be read: {said}", file=files.display(path.parent)) from error
    return None


def read(path: Path) -> TextDataset:
    """Return the text of a file that may be a known one, as `own`; another is named "custom data (text)"."""
    return _dataset(path, "custom data (text)", "custom data (text)")


def extract() -> TextDataset:
    """Return the text that archsim ships.

    Raises
    ------
    DataError
        If the shipped file is not what was shipped.
    """
    found = _dataset(FILE, EXTRACT, f"{EXTRACT}, Romeo and Juliet", further=PLAYS)
    if found.sha256 != EXTRACT_SHA256:
        raise DataError(f"sha256 is {found.sha256}", file=files.display(FILE), expected=EXTRACT_SHA256)
    return found


def _dataset(path: Path, name: str, title: str, *, further: str = "") -> TextDataset:
    """Return the text of a file as a data set, under its own name if it is a known one.

    `further` are characters of the vocabulary that the text need not have.
    """
    content = _content(path)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    for known in KNOWN.values():
        if known.form == "text" and known.sha256 == (sha256,):
            name, title = known.name, known.title
    points = _points(content)
    codes = np.zeros(_POINTS, np.int64)
    codes[points] = 1
    if (different := int(codes.sum())) < 2:
        what = "is empty" if not content else f"holds the character {content[0]!r} only"
        raise DataError(what, file=files.display(path), expected=f"{_WHAT}, of at least two characters")
    codes[_points(further)] = 1
    vocabulary = np.flatnonzero(codes)
    codes[vocabulary] = np.arange(vocabulary.size)
    found = codes[points]
    found.setflags(write=False)
    trained = int(found.size * _TRAINED)
    origin = f"{title}, {trained:,} + {found.size - trained:,} characters, {different} different"
    return TextDataset(
        name, origin, "".join(map(chr, vocabulary)), found[:trained], found[trained:], sha256, path.resolve().parent
    )


def _points(text: str) -> np.ndarray:
    """Return the code points of a text, uint32 (characters,)."""
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _content(path: Path) -> str:
    """Return the text of a file, without a mark at its beginning, lines ended by line feeds."""
    try:
        content = files.read_bytes(path, "text", _WHAT)
    except InputError as error:
        raise DataError(error.message, file=error.file, expected=error.expected) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"is not UTF-8: the byte 0x{content[error.start]:02x}", file=files.display(path), line=line, expected=_WHAT
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
