"""What is wrong with a network, and where in its file: errors that gain their place on the way up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from archsim.base.errors import ModelError


class NamedFault(ModelError):  # noqa: N818  a ModelError by its base
    """Something is wrong with a layer, matrix or parameter that is known by its name; who read the file has its place.

    Parameters
    ----------
    message : str
    name : str
        Of the layer, matrix or parameter.
    """

    def __init__(self, message: str, name: str) -> None:
        super().__init__(message)
        self.name = name


@contextmanager
def within(*keys: str | int) -> Iterator[None]:
    """Let errors of a network say that their place lies below these keys; those that know theirs by a name are left."""
    try:
        yield
    except NamedFault:
        raise
    except ModelError as error:
        error.at = (*keys, *error.at)
        raise
