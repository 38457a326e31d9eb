"""What the shipped devices are: models, numbers with their basis, and the non-idealities that each has."""

from __future__ import annotations

from dataclasses import fields

from archsim.base.yamlfile import read
from archsim.devices.base import Switches
from archsim.devices.library import build, device_file, numbers, shipped_devices
from generated.text import below_others, cell, code, table

HOME = "model/devices"


def contents() -> str:
    """Return the table of the shipped devices: model, directions, effects."""
    rows = []
    for name in shipped_devices():
        document = read(device_file(name))
        built = build(device_file(name), Switches())
        ways = "up, down" if built.bidirectional else "SET and RESET"
        rows.append([f"[{name}](devices/{name}.md)", code(document.data["model"]), ways, cell(document.data["title"])])
    return table(["device", "model", "pulses", "what it is"], rows)


def effects() -> str:
    """Return which non-idealities each device has: those that its switches turn off."""
    names = [each.name for each in fields(Switches)]
    rows = []
    for device in shipped_devices():
        has = build(device_file(device), Switches()).effects
        rows.append([device, *("yes" if name in has else "" for name in names)])
    return table(["device", *(code(name) for name in names)], rows)


def pages() -> dict[str, str]:
    """Return a page of numbers for each device."""
    found = {}
    for name in shipped_devices():
        rows = [
            [code(each.name), cell(each.values), each.basis, cell(each.origin)] for each in numbers(device_file(name))
        ]
        head = f"# {name}\n\n{read(device_file(name)).data['title']}.\n\n"
        found[f"{HOME}/{name}.md"] = below_others(head + table(["what", "values", "basis", "source or reason"], rows))
    return found
