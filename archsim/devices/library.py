"""Read a device file and build the model it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from archsim.base import registry
from archsim.base.errors import InputError, nearest
from archsim.base.extends import named
from archsim.base.files import shipped
from archsim.base.finding import find
from archsim.base.provenance import Provenance
from archsim.base.yamlfile import Document, read, validate
from archsim.devices.base import Device, Switches


def device_file(name: str, *, option: str = "device", near: Path | None = None) -> Path:
    """Return the path of a device file: a path, or the name of a shipped one.

    Raises
    ------
    InputError
        If there is none; with the nearest known name.
    """
    return find(name, "tech_params/devices", option=option, near=near)


def build(path: Path, switches: Switches) -> Device:
    """Read a device file and return its model.

    Raises
    ------
    InputError
        If the file breaks its schema or names an unknown model.
    """
    document = named(read(path))
    implementation = _model(document)
    if hasattr(implementation, "from_document"):  # a model that reads more than its file
        return cast("Device", implementation.from_document(document, switches))
    return cast("Device", implementation(validate(document, implementation.FILE), switches))


def memory_of(path: Path) -> str | None:
    """Return which kind of memory a device file says that its device is, such as "pcm"; None if it says none."""
    told = read(path).data.get("memory")
    return None if told is None else str(told)


def input_files(path: Path) -> list[Path]:
    """Return every file that decides a device's numbers: the device file, and what its model reads beside it.

    A file that cannot be used is left to `build`, which says why.
    """
    try:
        document = read(path)
        implementation = _model(document)
    except InputError:
        return [path]
    beside = implementation.files(document) if hasattr(implementation, "files") else []
    return [path, *(file for file in beside if file.is_file())]


def find_device(name: str) -> Path:
    """Return the path of a device file by path, name, or name of a model: then the first shipped file of that model.

    Raises
    ------
    InputError
        If there is none; with the nearest known name.
    """
    known = shipped_devices()
    if name in registry.names("device") and name not in known:
        for shipped_name in known:
            if read(device_file(shipped_name)).data.get("model") == name:
                return device_file(shipped_name)
    try:
        return device_file(name)
    except InputError as error:
        hint = nearest(name, [*known, *registry.names("device")])
        raise InputError(key=error.key, value=name, expected=error.expected, hint=hint) from None


def _model(document: Document) -> Any:
    """Return the class of the model that a device file names."""
    model = document.data.get("model")
    if model not in registry.names("device"):
        raise document.error(("model",), value=model, expected=f"one of {', '.join(registry.names('device'))}")
    return registry.load("device", str(model))


def shipped_devices() -> list[str]:
    """Return the names of the shipped device files."""
    return sorted(path.stem for path in shipped("tech_params").joinpath("devices").glob("*.yaml"))


@dataclass(frozen=True, slots=True)
class Listed:
    """One record of a device file as text: its name, its values as they stand there, basis, source or reason."""

    name: str
    values: str
    basis: str
    origin: str


def numbers(path: Path) -> list[Listed]:
    """Return every record of a device file that holds numbers, with where they come from."""
    found = []
    for name, record in read(path).data.items():
        if isinstance(record, dict) and "basis" in record:
            values = ", ".join(_text(key, value) for key, value in record.items() if key not in Provenance.model_fields)
            sources = record.get("source") or record.get("data") or []
            origin = ", ".join([sources] if isinstance(sources, str) else sources)
            parts = [record.get(key) for key in ("where", "derived_by", "why", "note")]
            detail = "; ".join(str(part).strip() for part in parts if part)
            why = ": ".join(part for part in (origin, detail) if part)
            found.append(Listed(name, values, str(record["basis"]), why))
    return found


def _text(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{key} of {', '.join(map(str, value))}"
    return f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
