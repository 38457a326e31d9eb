"""A module whose name begins with an underscore belongs to its package: no other package imports it."""

from __future__ import annotations

import ast
from pathlib import Path

import archsim

ROOT = Path(archsim.__file__).parent


def strangers(path: Path) -> list[str]:
    """Return the private modules of other packages that a module imports."""
    own = ".".join(("archsim", *path.relative_to(ROOT).parent.parts))
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("archsim"):
            imported = [f"{node.module}.{name.name}" for name in node.names]
        elif isinstance(node, ast.Import):
            imported = [name.name for name in node.names if name.name.startswith("archsim")]
        else:
            continue
        for name in imported:
            home, _, private = name.partition("._")
            if private and home != own:
                found.append(name)
    return found


def test_no_package_imports_a_private_module_of_another() -> None:
    found = {str(path.relative_to(ROOT)): names for path in ROOT.rglob("*.py") if (names := strangers(path))}
    assert found == {}
