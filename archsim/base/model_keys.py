"""What a model's keys are called in a file, and what they hold, for errors: pydantic names types of Python."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError


def wanted(model: type[BaseModel] | None, key: str) -> str:
    """Return what a key that is missing would hold, in the words in which its type refuses what it is not."""
    if not model or not (field := by_key(model).get(key)):
        return ""
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        needed = [name for name, each in by_key(field.annotation).items() if each.is_required()]
        return f"a block of {', '.join(needed) or 'keys'}"
    kind: Any = Annotated[field.annotation, Field(), *field.metadata]
    try:
        TypeAdapter(kind).validate_python(object())
    except ValidationError as error:
        return " or ".join(dict.fromkeys(said(found["msg"].rpartition("expected ")[2]) for found in error.errors()))
    return ""


def said(message: str) -> str:
    """Return what pydantic expected, in the words of a file."""
    text = message.removeprefix("Input should be ")
    return re.sub(r"a valid dictionary( or instance of \w+)?", "a block of keys", text[:1].lower() + text[1:])


def model_at(model: type[BaseModel], loc: Sequence[str | int]) -> type[BaseModel] | None:
    """Return the model that `loc` leads to: through nested models, containers and tags of unions."""
    current: Any = model
    for part, following in zip(loc, (*loc[1:], ""), strict=False):
        if str(part).startswith("<"):
            current = _tagged(current, str(part))
        elif isinstance(current, type) and issubclass(current, BaseModel):
            known = by_key(current).get(str(part))
            current = known.annotation if known else None
        elif not str(following).startswith("<"):  # a container, whose key or index is the part
            current = _inner_model(current)
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        current = _inner_model(current)
    return current or None


def _tagged(annotation: Any, tag: str) -> Any:
    """Return what stands under a tag of a union."""
    for argument in getattr(annotation, "__args__", ()):
        if any(getattr(mark, "tag", None) == tag for mark in getattr(argument, "__metadata__", ())):
            return argument.__origin__
        if (found := _tagged(argument, tag)) is not None:
            return found
    return None


def by_key(model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a model by the key they have in a file."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner_model(argument)) is not None:
            return found
    return None
