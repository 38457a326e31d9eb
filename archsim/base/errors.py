"""Errors that name the file, the key, the value and what would be right, each with its exit code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

EXIT_CODES: dict[int, str] = {
    0: "done",
    1: "a check failed (lint, validate, verify)",
    2: "bad input: a file, an option or a value",
    3: "the network does not fit the chip",
    4: "data is missing, broken or could not be fetched",
    5: "the model contradicts itself (deadlock, an action without a price): a bug, please report it",
    6: "the system refused or ended something: disk, memory, permission, a process",
    130: "interrupted; the partial run is kept and marked as such",
}
"""Exit code of the command line -> meaning. The README prints this table; a test holds the two together."""


class ArchsimError(Exception):
    """Base of all errors that archsim raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 2


class InputError(ArchsimError, ValueError):
    """Something given from outside cannot be used.

    Parameters
    ----------
    message : str
        Free text; used alone when `key` is not given.
    file, line : path and 1-based line where the value stands, if it came from a file
    key : str
        Dotted path of the key, or the option's name.
    value : object
        What was given.
    expected : str
        What would be right.
    hint : str
        One more sentence, for example the nearest known name.
    """

    def __init__(
        self,
        message: str = "",
        *,
        file: str | Path | None = None,
        line: int | None = None,
        key: str | None = None,
        value: object = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.file, self.line, self.key, self.value = file, line, key, value
        self.expected, self.hint, self.message = expected, hint, message
        super().__init__(self._text())

    def of(self, *, file: str | Path | None = None, key: str | None = None) -> InputError:
        """Return the same error, told of another file, without a line, or of another key."""
        return type(self)(
            self.message, file=file or self.file, line=None if file else self.line, key=key or self.key,
            value=self.value, expected=self.expected, hint=self.hint,
        )  # fmt: skip

    def _text(self) -> str:
        file, key, hint = _brief(self.file), _brief(self.key), _brief(self.hint)
        where = "" if self.file is None else f"{file}:{self.line}: " if self.line else f"{file}: "
        body = _brief(self.message) if self.message else f"got {shown(self.value)}"
        if self.expected:
            body += f"; expected {_brief(self.expected)}"
        return f"{where}{f'{key}: ' if key else ''}{body}" + (f". {hint}" if hint else "")


class DoesNotFitError(InputError):
    """A layer or a memory demands more than the chip has."""

    exit_code = 3


class DataError(InputError):
    """A data set is missing, truncated, wrong or cannot be fetched."""

    exit_code = 4


class SystemFault(ArchsimError, RuntimeError):  # noqa: N818  a fault of the system's, no error of the program
    """The system refused or ended something: a full disk, no memory, no permission, a process that was killed."""

    exit_code = 6


class ModelError(ArchsimError, RuntimeError):
    """The model contradicts itself: a deadlock, an action without a price, a duration that rounding distorts.

    Parameters
    ----------
    message : str
    at : keys and indices that lead, within the block of a file that is read, to what is wrong
    """

    exit_code = 5

    def __init__(self, message: str = "", *, at: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.at = at


class FaultBelow(ValueError):  # noqa: N818  only its text is ever shown
    """What a validator of a block of a file finds wrong inside it: `at` leads from the block's own key to the place."""

    def __init__(self, message: str, at: tuple[str | int, ...]) -> None:
        super().__init__(message)
        self.at = at


_MOST = 1000
"""Letters of a part of an error: more than any list of known names, or of what each mirror answered."""


def _brief(text: object) -> str:
    """Return a part of an error on one line, the middle of a very long one left out."""
    said = " ".join(str(text or "").splitlines())
    return said if len(said) <= _MOST else f"{said[: _MOST // 2]} ... {said[-_MOST // 2 :]}"


def shown(value: object, limit: int = 200) -> str:
    """Return `value` as it should appear in an error: short, on one line."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the hint "Did you mean ...?" for the nearest of the known names, or None if none is near.

    Capitals do not count: LSTM is nearest to lstm.
    """
    small = {each.lower(): each for each in sorted(set(known))}
    match = difflib.get_close_matches(str(name).lower(), small, n=1, cutoff=0.55)
    return f"Did you mean {small[match[0]]!r}?" if match else None


def folded(name: object) -> str:
    """Return the small letters and digits of a name: Max_Pool2D, MaxPool2d and max-pool2d are one."""
    return "".join(each for each in str(name).lower() if each.isalnum())
