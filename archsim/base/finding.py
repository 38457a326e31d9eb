"""Which file a name means: a path, a shipped one, the copy that a run keeps; and which bibliographies go with files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from archsim.base.errors import InputError, nearest
from archsim.base.files import YAML, shipped, shipped_names


def find(name: str, kind: str, *, option: str, near: Path | None = None) -> Path:
    """Return the file that `name` means: a path if it looks like one, otherwise a shipped name.

    Parameters
    ----------
    name, kind : str
    option : str
        What gave the name.
    near : path, optional
        Folder in which a name is looked up before the shipped ones, a path after the current folder. Among the copies
        that a run keeps of its inputs, the copy there goes before everything else.

    Raises
    ------
    InputError
        If there is no such file; the error lists the shipped names and the nearest.
    """
    if near and kept_by_a_run(near):
        copy = Path(name if name.endswith(YAML) else f"{name}.yaml").name
        for folder in (near, near / Path(kind).name):
            if (path := folder / copy).is_file():
                return path
    if name.endswith(YAML) or "/" in name or os.sep in name:
        for path in (Path(name).expanduser(), *([near / name] if near else [])):
            if path.is_file():
                return _yaml(path, option)
        raise InputError(key=option, value=name, expected="an existing YAML file")
    folders = ([near] if near else []) + [shipped(kind)]
    for folder in folders:
        if (path := folder / f"{name}.yaml").is_file():
            return path
    known = shipped_names(kind)
    if Path(name).is_file():
        return _yaml(Path(name), option)
    raise InputError(
        key=option, value=name, expected=f"a file, or one of {', '.join(known)}", hint=nearest(name, known)
    )


_OTHERS = {
    ".onnx": "an ONNX model", ".pt": "a PyTorch file", ".pth": "a PyTorch file", ".h5": "a Keras file",
    ".csv": "a CSV table", ".json": "a JSON file", ".toml": "a TOML file", ".py": "a Python file",
    ".npz": "an archive of arrays",
}  # fmt: skip


def _yaml(path: Path, option: str) -> Path:
    """Return the path of a file that is YAML by its name; tell what another one is."""
    suffix = path.suffix.lower()
    if suffix in YAML:
        return path
    what = _OTHERS.get(suffix, "a file of another kind")
    raise InputError(
        key=option, value=str(path), expected=f"a YAML file (.yaml), but it is {what}",
        hint="archsim workloads show mlp-mnist prints one to begin with" if option == "WORKLOAD" else None,
    )  # fmt: skip


def kept_by_a_run(folder: Path) -> bool:
    """Whether a folder lies among the copies of its inputs that a run keeps."""
    above = (folder.absolute(), *folder.absolute().parents)
    return any(each.name == "inputs" and (each.parent / "run.yaml").is_file() for each in above)


def shelf(number: int) -> str:
    """Return the name of the copy of a bibliography: their order decides which entry of a key counts, the last."""
    return "references.bib" if number == 0 else f"references_{number + 1:02}.bib"


def bibliographies(paths: Iterable[Path]) -> list[Path]:
    """Return the shipped bibliography and those beside the given files, in the order in which later entries win."""
    shelves = [shipped("tech_params") / shelf(0)]
    for folder in dict.fromkeys(path.resolve().parent for path in paths):
        shelves += sorted(folder.glob("references*.bib")) if kept_by_a_run(folder) else [folder / shelf(0)]
    return [path for path in dict.fromkeys(shelves) if path.is_file()]
