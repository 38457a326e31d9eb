"""How the house is built: the order of its packages, from the contract that the linter of imports holds."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

from generated.text import cell, table

ROOT = Path(__file__).resolve().parents[3]


def layers() -> str:
    """Return the table of layers, the highest first, each with what its packages say of themselves first."""
    linted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    [contract] = [each for each in linted["contracts"] if each["type"] == "layers"]
    packages = [package for layer in contract["layers"] for package in layer.split(" | ")]
    rows = [[f"`{package}`", cell(_sentence(package))] for package in packages]
    return (
        table(["package", "what it is"], rows)
        + "\n"
        + "\n".join(f"- {rule}" for rule in _rules(linted["contracts"]))
        + "\n"
    )


def _sentence(package: str) -> str:
    path = ROOT.joinpath(*package.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0]


def _rules(contracts: list[dict[str, str]]) -> list[str]:
    return [each["name"].capitalize().replace("simpy", "SimPy") for each in contracts]
