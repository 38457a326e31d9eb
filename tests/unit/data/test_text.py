"""Texts: characters to codes and back, named by their bytes, broken files told by line; what is shipped is what it was."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.base.errors import DataError, InputError
from archsim.data import datasets, text
from archsim.data.dataset import Dataset, Source
from archsim.data.text import TextDataset
from archsim.runs import workload as workloads
from archsim.runs.inputs import copies, keep
from archsim.runs.spec import resolve

ROOT = Path(__file__).parents[3]
REAL = os.environ.get("ARCHSIM_TESTS_DATA")


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_extract", ROOT / "tools" / "make_extract.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no ARCHSIM_DATA, whatever the machine has."""
    monkeypatch.setattr(datasets, "cache_folder", lambda name="mnist": tmp_path / "cache" / name)
    monkeypatch.delenv("ARCHSIM_DATA", raising=False)
    return tmp_path / "cache" / "shakespeare"


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_codes_are_places_in_the_sorted_vocabulary_and_nine_tenths_train(tmp_path: Path) -> None:
    data = text.own(written(tmp_path / "a.txt", "zebra Ä€😀 zebra zebra!"))
    assert data.vocabulary == " !aberzÄ€😀"
    assert (data.train.size, data.test.size) == (19, 3)  # 22 characters, 19.8 rounded down
    assert (data.train.dtype, data.test.dtype) == (np.int64, np.int64)
    assert data.text(data.train) + data.text(data.test) == "zebra Ä€😀 zebra zebra!"
    assert data.text(data.train[:6].reshape(2, 3)) == "zebra "
    assert (data.name, data.origin) == ("own text (a.txt)", "a.txt, 19 + 3 characters, 10 different")
    assert data.folder == tmp_path
    with pytest.raises(ValueError, match="read-only"):
        data.train[0] = 1


def test_line_ends_and_a_mark_at_the_beginning_do_not_count(tmp_path: Path) -> None:
    unix, dos = (written(tmp_path / name, content) for name, content in (("a", "ab\nc\n" * 9), ("b", "\ufeff" + "ab\r\nc\r\n" * 9)))  # fmt: skip
    assert text.own(unix).sha256 == text.own(dos).sha256
    assert np.array_equal(text.own(unix).train, text.own(dos).train)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "a.txt: is empty; expected a text in UTF-8, of at least two characters"),
        (b"\xef\xbb\xbf", "a.txt: is empty"),
        (b"aaaa", "a.txt: holds the character 'a' only"),
        (b"one\ntwo\nthr\xe9e\n", "a.txt:3: is not UTF-8: the byte 0xe9; expected a text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(DataError, match=what):
        text.own(written(tmp_path / "a.txt", content))


def test_folders_devices_and_huge_files_are_refused_at_once(tmp_path: Path) -> None:
    with (tmp_path / "huge.txt").open("wb") as stream:
        stream.truncate(1 << 36)
    begin = time.process_time()
    for path, what in (
        (tmp_path / "huge.txt", "holds 68,719,476,736 bytes; expected a text in UTF-8 of at most 33,554,432"),
        (tmp_path, "is a directory"), (Path("/dev/zero"), "device"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=what):
            text.own(path)
    assert time.process_time() - begin < 1


def test_a_text_too_short_for_a_sequence_says_how_long_it_must_be(tmp_path: Path) -> None:
    data = text.own(written(tmp_path / "a.txt", "abcdefghij" * 10))  # 90 to train, 10 to test
    data.check_length(9)
    data.check_length(8, batch=11)
    with pytest.raises(
        DataError, match="dataset: a.txt, .*: 10 characters to test; expected at least 11, for a sequence"
    ):
        data.check_length(10)
    with pytest.raises(DataError, match="90 characters to train; expected at least 97, for 12 sequences of 8 and the"):
        data.check_length(8, batch=12)


# --- Known texts


def test_without_the_plays_the_shipped_one_is_used_under_its_own_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path) -> None:  # fmt: skip
    data = datasets.load("shakespeare")
    assert (data.name, data.origin) == (
        "shakespeare-extract", "shakespeare-extract, Romeo and Juliet, 120,118 + 13,347 characters, 61 different",
    )  # fmt: skip
    why = datasets.fallback("shakespeare", data)
    assert why == f"tiny Shakespeare was not found in {cache}; `archsim data fetch shakespeare` fetches it"
    assert datasets.fallback("shakespeare-extract", data) is None
    assert datasets.fallback({"text": "my.txt"}, data) is None
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path))
    assert datasets.load("shakespeare").name == "shakespeare-extract"


def test_another_text_in_the_place_of_the_plays_is_never_called_so(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "text").mkdir()
    written(tmp_path / "text" / "tinyshakespeare.txt", "not the plays")
    assert datasets.load("shakespeare", folder=tmp_path).name == "custom data (text)"
    cache.mkdir(parents=True)
    written(cache / "tinyshakespeare.txt", "not the plays")
    with pytest.raises(DataError, match="the files of tiny Shakespeare as fetched.*fetch shakespeare` mends it"):
        datasets.load("shakespeare")
    with pytest.raises(DataError, match="nowhere is no folder"):
        datasets.load("shakespeare", folder=tmp_path / "text" / "tinyshakespeare.txt" / "nowhere")


def test_the_shipped_play_has_the_vocabulary_of_all_plays_and_is_what_was_shipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = text.extract()
    assert len(data.vocabulary) == 65
    assert data.vocabulary == "".join(sorted(data.vocabulary)) == text.PLAYS
    assert data.text(data.train[:8]) == "SAMPSON:"
    assert data.text(data.test).endswith("\nThan this of Juliet and her Romeo.\n")
    assert 100_000 < text.FILE.stat().st_size < 150_000
    assert "public domain" in (text.FILE.parent / "PUBLIC-DOMAIN-shakespeare.txt").read_text()
    monkeypatch.setattr(text, "FILE", written(tmp_path / "shakespeare-extract.txt", "altered"))
    with pytest.raises(DataError, match="shakespeare-extract.txt: sha256 is "):
        text.extract()


@pytest.mark.skipif(not REAL, reason="ARCHSIM_DATA is not set: no plays to read")
def test_the_plays_are_recognised_and_the_shipped_one_is_cut_out_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHSIM_DATA", str(REAL))
    data = datasets.load("shakespeare")
    if data.name != "shakespeare":
        pytest.skip(data.origin)
    assert isinstance(data, TextDataset)
    assert data.origin == "tiny Shakespeare, 1,003,854 + 111,540 characters, 65 different"
    assert data.vocabulary == text.PLAYS
    assert data.folder
    path = data.folder / "tinyshakespeare.txt"
    assert tool().play(path.read_text()) == text.FILE.read_text()
    assert text.own(path).name == "shakespeare"


def test_a_folder_that_may_not_be_read_is_a_data_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def denied(path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        datasets.load("shakespeare", folder=tmp_path)


# --- In workloads

WORKLOAD = """\
schema: 1
kind: workload
name: mine
title: own text
dataset: {text: my.txt}
network:
  inputs: 30
  initial_std: 0.1
  layers:
    - {name: out, kind: dense, units: 3, activation: sigmoid}
training: {batch: 1, learning_rate: 0.1, epochs: 2}
"""


def mine(folder: Path, **changes: str) -> Path:
    content = WORKLOAD
    for old, new in changes.items():
        content = content.replace(f"{old}: {{text: my.txt}}", f"{old}: {new}")
    return written(folder / "mine.yaml", content)


def test_a_run_keeps_its_own_text_and_finds_it_there_when_it_is_gone(tmp_path: Path) -> None:
    source = workloads.document(str(mine(tmp_path)))
    path = written(tmp_path / "my.txt", "to be or not to be\n" * 20)
    work = workloads.parse(source)
    assert work.files() == [path]
    before = work.load(None)
    run = tmp_path / "run"
    keep(run / "inputs", copies(source, work.files(), [], []))
    written(run / "run.yaml", "")
    path.write_text("another text\n" * 20)
    moved = run.rename(tmp_path / "moved") / "inputs" / "workload"
    assert (moved / "my.txt").read_text().startswith("to be or not")
    again = workloads.parse(workloads.document(str(moved / "mine.yaml")))
    assert again.load(None).sha256 == before.sha256
    assert work.load(None).sha256 != before.sha256


def test_a_text_of_the_name_of_its_workload_is_refused_where_the_copies_would_be_one(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    path = written(tmp_path / "texts" / "mine.yaml", "to be or not to be\n" * 20)
    source = workloads.document(str(mine(tmp_path)))
    with pytest.raises(InputError, match="mine.yaml: two different files of it have this name"):
        copies(source, [path], [], [])


def test_a_text_that_is_not_there_is_an_error_that_says_where_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dataset.text: got 'my.txt'; expected an existing text file, by its path"):
        workloads.parse(workloads.document(str(mine(tmp_path)))).files()


@pytest.mark.parametrize(
    ("dataset", "what"),
    [
        ("{texts: my.txt}", "mine.yaml:5: dataset"), ("{text: my.txt, file: my.npz}", "mine.yaml:5: dataset.file: unknown key"),
        ("{text: ''}", "mine.yaml:5: dataset.text"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_data_set_of_a_workload_is_named_by_line(tmp_path: Path, dataset: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        workloads.parse(workloads.document(str(mine(tmp_path, dataset=dataset))))


def test_a_text_has_no_images_to_prepare(tmp_path: Path) -> None:
    written(tmp_path / "my.txt", "to be or not to be\n" * 20)
    path = mine(tmp_path)
    path.write_text(path.read_text().replace("network:", "images: {crop: 20}\nnetwork:"))
    with pytest.raises(
        InputError, match=r"images: is given for a text \(own text \(my.txt\)\); expected none, or a data"
    ):
        workloads.parse(workloads.document(str(path))).load(None)


def test_a_network_of_dense_layers_alone_refuses_a_text(tmp_path: Path) -> None:
    written(tmp_path / "my.txt", "to be or not to be\n" * 20)
    with pytest.raises(
        InputError, match=r"mine.yaml:7: network.inputs: got \[30\]; expected \[steps, 1\]: the codes of so many"
    ):
        resolve(str(mine(tmp_path)))


def test_images_and_texts_have_what_a_run_records_of_its_data() -> None:
    found: list[Source] = [datasets.load("mnist-5k"), datasets.load("shakespeare-extract")]
    kinds: list[Any] = [Dataset, TextDataset]
    for data, kind in zip(found, kinds, strict=True):
        assert isinstance(data, kind)
        assert (data.name, len(data.sha256), data.origin.startswith(data.name)) == (data.name, 64, True)
