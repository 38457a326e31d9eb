from __future__ import annotations

from pathlib import Path

import pytest

from archsim.base import kept


@pytest.mark.parametrize(
    "content",
    [b"", b'{"state": "do', b"\0" * 40, b"[1, 2]", b"hello", b'\xff\xfe{"a": 1}', b'{"a": 1}\n{"b"', b'{"a":' * 9999],
    ids=["empty", "cut", "zeros", "list", "text", "another code", "half a line more", "too deep"],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "kept.json").write_bytes(content)
    assert kept.read(file) is None
    assert kept.read(tmp_path) is None
    assert kept.read(tmp_path / "none.json") is None


def test_a_mapping_is_read(tmp_path: Path) -> None:
    (file := tmp_path / "kept.json").write_text('{"a": [1, 2]}\n')
    assert kept.read(file) == {"a": [1, 2]}
