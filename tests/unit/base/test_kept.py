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


def test_a_mapping_is_read_as_it_was_written(tmp_path: Path) -> None:
    content = {"b": [1, 0.1, 1e-300, None, "\u00b5"], "a": {"c": True}}
    kept.write(file := tmp_path / "kept.json", content)
    assert kept.read(file) == content


@pytest.mark.parametrize(("one", "other"), [("1", "2"), ('"a"', '"b"'), ("sha256", "sha1"), (':"', ':"0')])
def test_what_was_altered_is_as_if_it_were_not_there(tmp_path: Path, one: str, other: str) -> None:
    kept.write(file := tmp_path / "kept.json", {"a": [1, 2]})
    file.write_text(file.read_text().replace(one, other, 1))
    assert kept.read(file) is None


def test_what_was_kept_under_another_name_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    kept.write(file := tmp_path / "kept.json", {"a": [1, 2]})
    assert kept.read(file.rename(tmp_path / "other.json")) is None
