"""CIFAR-10's archive and the plays fetched: kept only with the published digests; what cannot be fetched is said."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cifar_kit import PARTS, packed, passes_for_cifar, small_files

from archsim.base.errors import DataError, InputError
from archsim.data import datasets, fetch, known

PLAYS = b"Enter two small files that pass for plays.\n" * 4


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no ARCHSIM_DATA, whatever the machine has."""
    monkeypatch.setattr(datasets, "cache_folder", lambda name="mnist": tmp_path / "cache" / name)
    monkeypatch.delenv("ARCHSIM_DATA", raising=False)
    return tmp_path / "cache"


def sends(content: bytes, asked: list[str]) -> Callable[..., Any]:
    def opener(url: str, *, timeout: float) -> io.BytesIO:
        assert 0 < timeout <= 60
        asked.append(url)
        return io.BytesIO(content)

    return opener


def test_the_archive_of_cifar10_is_fetched_from_its_page_and_unpacked(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    contents = small_files()
    archive = passes_for_cifar(monkeypatch, contents)
    asked: list[str] = []
    assert fetch.fetch("cifar10", opener=sends(archive, asked)) == cache / "cifar10"
    assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]
    assert {path.name: path.read_bytes() for path in (cache / "cifar10").iterdir()} == contents
    data = datasets.load("cifar10")
    assert (data.name, data.folder) == ("cifar10", cache / "cifar10")
    fetch.fetch("cifar10", opener=sends(b"", asked))
    assert len(asked) == 1  # all are there and right
    (cache / "cifar10" / PARTS[0]).write_bytes(contents[PARTS[1]])
    with pytest.raises(
        DataError, match=r"expected the files of CIFAR-10 as fetched. `archsim data fetch cifar10` mends"
    ):
        datasets.load("cifar10")
    fetch.fetch("cifar10", opener=sends(archive, asked))
    assert datasets.load("cifar10").name == "cifar10"


def test_another_archive_is_refused_and_nothing_is_written(cache: Path) -> None:
    archive = packed(small_files())
    with pytest.raises(
        DataError, match=r"cifar-10-binary.tar.gz: md5 is .*; expected c32a1d4ab5d03f1284b67883e8d87530"
    ):
        fetch.fetch("cifar10", mirrors=["http://first/"], opener=sends(archive, []))
    with pytest.raises(DataError, match="could not fetch cifar10: no mirror given. Or put the cifar-10-binary.tar.gz"):
        fetch.fetch("cifar10", mirrors=[])
    assert not cache.exists()


def test_an_archive_that_lacks_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    contents = small_files()
    archive = passes_for_cifar(monkeypatch, {**contents})
    del contents["test_batch.bin"]
    short = packed(contents)
    monkeypatch.setattr("archsim.data.cifar.ARCHIVE_MD5", hashlib.md5(short, usedforsecurity=False).hexdigest())
    assert len(short) < len(archive)
    with pytest.raises(DataError, match="cannot be unpacked: .*test_batch.bin"):
        fetch.fetch("cifar10", mirrors=["http://first/"], opener=sends(short, []))
    assert not cache.exists()


def test_the_plays_are_fetched_under_the_name_that_they_are_looked_for_by(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    digest = hashlib.sha256(PLAYS).hexdigest()
    monkeypatch.setitem(known.KNOWN, "shakespeare", replace(known.KNOWN["shakespeare"], sha256=(digest,)))
    asked: list[str] = []
    fetch.fetch("shakespeare", opener=sends(PLAYS, asked))
    assert [url.rsplit("/", 2)[1:] for url in asked] == [["tinyshakespeare", "input.txt"]]
    assert (cache / "shakespeare" / "tinyshakespeare.txt").read_bytes() == PLAYS
    assert datasets.load("shakespeare").name == "shakespeare"
    (cache / "shakespeare" / "tinyshakespeare.txt").unlink()
    with pytest.raises(DataError, match=f"input.txt: sha256 of the file is .*; expected {digest}"):
        fetch.fetch("shakespeare", mirrors=["http://first"], opener=sends(b"other plays", []))


def test_an_address_that_does_not_stop_sending_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, form in (("cifar10", "cifar"), ("shakespeare", "text")):
        monkeypatch.setitem(fetch._MOST_BYTES, form, 1000)
        with pytest.raises(DataError, match="does not stop sending; expected at most 1,000 bytes"):
            fetch.fetch(name, mirrors=["http://first"], opener=sends(bytes(2000), []))


def test_what_comes_with_archsim_and_what_cannot_be_fetched_are_told_apart() -> None:
    assert fetch.FETCHED == ("mnist", "cifar10", "shakespeare")
    with pytest.raises(
        InputError, match="shakespeare-extract comes with archsim; expected one of mnist, cifar10, shake"
    ):
        fetch.fetch("shakespeare-extract")
    with pytest.raises(
        InputError, match="Fashion-MNIST cannot be fetched; .*. Put train-images-idx3-ubyte, .* into a fo"
    ):
        fetch.fetch("fashion-mnist")
    with pytest.raises(InputError, match="EMNIST digits cannot be fetched; .*. Put gzip.zip into a folder"):
        fetch.fetch("emnist-digits")
