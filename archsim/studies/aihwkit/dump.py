"""What an rpu_config of aihwkit says, as JSON: classes and enumerations by name. Imports neither archsim nor aihwkit.

    python dump.py my_config.py:RPU_CONFIG > my_config.json

runs where aihwkit is installed; `archsim archs from-aihwkit my_config.json` reads it anywhere.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

KIND = "class"
"""Key of a class's name, beside its fields."""


def dumped(config: Any) -> Any:
    """Return a configuration, or a part of one, as JSON has it."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        fields = {field.name: dumped(getattr(config, field.name)) for field in dataclasses.fields(config)}
        return {KIND: type(config).__name__, "bases": [each.__name__ for each in type(config).__mro__[1:-1]], **fields}
    if isinstance(config, enum.Enum):
        return config.name
    if isinstance(config, list | tuple):
        return [dumped(each) for each in config]
    if config is None or isinstance(config, bool | int | float | str):
        return config
    return f"<{type(config).__name__}>"


def whole(config: Any) -> dict[str, Any]:
    """Return a configuration with the version of what it is of."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        known: str | None = version("aihwkit")
    except PackageNotFoundError:
        known = None
    return {"aihwkit": known, "rpu_config": dumped(config)}


def loaded(file: Path, name: str) -> Any:
    """Run a Python file and return the configuration of a name in it: an instance, or what makes one."""
    spec = importlib.util.spec_from_file_location("rpu_config_of_a_user", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    found = getattr(module, name)
    return found if dataclasses.is_dataclass(found) and not isinstance(found, type) else found()


if __name__ == "__main__":
    path, _, wanted = sys.argv[1].rpartition(":")
    json.dump(whole(loaded(Path(path), wanted)), sys.stdout, indent=1)
