"""An rpu_config read from a dump or from a Python file, and written as an architecture with its device beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from archsim.base.errors import InputError
from archsim.base.files import check_yaml, display, read_text, write_text
from archsim.chips.architecture import document, parse
from archsim.studies.aihwkit.dump import loaded, whole
from archsim.studies.aihwkit.mapping import Mapped, mapped


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """The files of a configuration, and what could not be mapped."""

    architecture: Path
    device: Path | None
    lost: tuple[str, ...]


def read(source: str) -> Mapping[str, Any]:
    """Return the dump of "FILE.json", or of "FILE.py:NAME", which is run.

    Raises
    ------
    InputError
        If there is no such file or name, or aihwkit is needed and not installed.
    """
    file, colon, name = source.rpartition(":")
    if colon and file.endswith(".py"):
        return _run(Path(file).expanduser(), name)
    path = Path(source).expanduser()
    if path.suffix != ".json" or not path.is_file():
        raise InputError(key="RPU_CONFIG", value=source, expected="an existing FILE.json, or FILE.py:NAME")
    try:
        found = json.loads(read_text(path, "json", "the JSON of a dumped rpu_config"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"is no JSON: {error}", file=display(path), expected="a dumped rpu_config") from None
    if not isinstance(found, dict):
        raise InputError("holds no mapping", file=display(path), expected="a dumped rpu_config")
    return found


def _run(path: Path, name: str) -> Mapping[str, Any]:
    if not path.is_file():
        raise InputError(key="RPU_CONFIG", value=str(path), expected="an existing Python file")
    try:
        return whole(loaded(path, name))
    except ImportError as error:
        hint = "pip install 'archsim[aihwkit]', or dump it where aihwkit is: python archsim/studies/aihwkit/dump.py"
        raise InputError(f"cannot be run: {error}", file=display(path), hint=hint) from error
    except AttributeError as error:
        raise InputError(key="RPU_CONFIG", value=name, expected=f"a name in {display(path)}") from error
    except Exception as error:
        raise InputError(f"cannot be run: {type(error).__name__}: {error}", file=display(path)) from error


def write(
    dump: Mapping[str, Any], out: Path, *, source: str = "rpu_config", device: str | None = None, force: bool = False
) -> WrittenFiles:  # fmt: skip
    """Write a configuration as an architecture, its device beside it; both are read back.

    What is wrong in it is said of `source`.

    Raises
    ------
    InputError
        If it cannot be mapped, or a file is there already.
    """
    check_yaml(out, force=force)
    found = _mapped(dump, out, device, source)
    device_file = None if found.device is None else out.with_name(f"{found.device['name']}.yaml")
    if device_file is not None:
        check_yaml(device_file, force=force)
        write_text(device_file, _text(found.device, found))
    write_text(out, _text(found.architecture, found))
    try:
        parse(document(str(out)))
    except InputError as error:
        for path in (out, device_file):
            if path is not None:
                path.unlink()
        raise error.of(file=source) from error
    return WrittenFiles(out, device_file, tuple(found.lost))


_NUMBERS = {
    "inp_res", "out_res", "out_bound", "dw_min", "dw_min_dtod", "dw_min_std", "up_down", "w_max", "w_min", "slope_up",
    "refresh_lower_thres", "refresh_upper_thres",
}  # fmt: skip
_COUNTS = {"max_input_size", "max_output_size", "n_x_bins", "n_d_bins", "refresh_every"}
"""Names in a configuration whose values are read as numbers, and as whole ones from 0 on."""


def _checked(told: Any, path: str) -> None:
    """Refuse what is no number where one is read, by its place.

    Raises
    ------
    InputError
        For the first one.
    """
    for k, value in told.items() if isinstance(told, Mapping) else enumerate(told):
        key = f"{path}.{k}"
        if isinstance(value, Mapping | list):
            if k in _NUMBERS | _COUNTS:
                raise InputError(key=key, value=value, expected="a number")
            _checked(value, key)
        elif k in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value)):
            raise InputError(key=key, value=value, expected="a number")
        elif k in _COUNTS and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise InputError(key=key, value=value, expected="a whole number from 0 on")


def _mapped(dump: Mapping[str, Any], out: Path, device: str | None, source: str) -> Mapped:
    try:
        if isinstance(config := dump.get("rpu_config"), Mapping):
            _checked(config, "rpu_config")
        return mapped(dump, out.stem, device=device)
    except InputError as error:
        raise (error if error.file else error.of(file=source)) from error
    except (KeyError, TypeError, ValueError, OverflowError, IndexError, AttributeError) as error:
        raise InputError(
            f"lacks something, or has it in another form ({error})",
            file=source,
            key="rpu_config",
            expected="a configuration of aihwkit 1.2, as dump.py writes it",
        ) from error


def _text(content: Mapping[str, Any] | None, found: Mapped) -> str:
    """Return a file as YAML; the architecture says what was lost."""
    lines = ["# Written by `archsim archs from-aihwkit`."]
    if content is found.architecture:
        lines += ["# Not mapped:", *(f"#   {line}" for line in found.lost)]
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=118)
    return "\n".join(lines) + "\n" + text
