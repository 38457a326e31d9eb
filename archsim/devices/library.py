"""Read a device file and build the model it names."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from archsim.base import registry
from archsim.base.files import find, shipped
from archsim.base.yamlfile import read, validate
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
    document = read(path)
    model = document.data.get("model")
    if model not in registry.names("device"):
        raise document.error(("model",), value=model, expected=f"one of {', '.join(registry.names('device'))}")
    implementation = registry.load("device", str(model))
    return cast("Device", implementation(validate(document, implementation.FILE), switches))


def shipped_devices() -> list[str]:
    """Return the names of the shipped device files."""
    return sorted(path.stem for path in shipped("tech_params").joinpath("devices").glob("*.yaml"))
