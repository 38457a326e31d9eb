"""CIFAR-10: its binary files read pixel by pixel and named by their bytes; pickles, parts and broken files told apart."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import numpy as np
import pytest
from cifar_kit import PARTS, packed, passes_for_cifar, small_files, write

from archsim.base.errors import DataError, InputError
from archsim.data import cifar, datasets
from archsim.data.dataset import Dataset


def load(folder: Path) -> Dataset:
    data = datasets.load("cifar10", folder=folder)
    assert isinstance(data, Dataset)
    return data


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache and no ARCHSIM_DATA, whatever the machine has."""
    monkeypatch.setattr(datasets, "cache_folder", lambda name="mnist": tmp_path / "cache" / name)
    monkeypatch.delenv("ARCHSIM_DATA", raising=False)
    return tmp_path / "cache" / "cifar10"


@pytest.mark.parametrize("below", ["", "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"])
def test_pixels_are_red_green_and_blue_one_after_the_other_each_row_after_row(tmp_path: Path, below: str) -> None:
    files = small_files()
    data = load(write(tmp_path / "given" / below, files) and tmp_path / "given")
    assert (data.shape, data.classes, data.range) == ((3, 32, 32), 10, (0.0, 1.0))
    assert (data.train_x.shape, data.test_x.shape, data.train_x.dtype) == ((35, 3072), (7, 3072), np.float32)
    record = files["data_batch_2.bin"][cifar.RECORD : 2 * cifar.RECORD]  # the ninth image of the training set
    assert data.train_y[8] == record[0]
    image = data.train_x[8].reshape(data.shape)
    for channel, row, column in ((0, 0, 0), (1, 3, 5), (2, 31, 30)):
        assert image[channel, row, column] == np.float32(record[1 + 1024 * channel + 32 * row + column]) / np.float32(
            255
        )


def test_packed_plain_and_archived_files_are_the_same_data_and_their_bytes_name_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files = small_files()
    archive = passes_for_cifar(monkeypatch, files)
    plain = load(write(tmp_path / "plain", files))
    gz = load(write(tmp_path / "gz", {f"{name}.gz": gzip.compress(content) for name, content in files.items()}))
    tar = load(write(tmp_path / "tar", {"cifar-10-binary.tar.gz": archive}))
    assert plain.sha256 == gz.sha256 == tar.sha256
    assert [(each.name, each.origin) for each in (plain, gz, tar)] == [("cifar10", "CIFAR-10, 35 + 7 images")] * 3


def test_some_of_the_training_batches_are_named_as_a_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = small_files()
    passes_for_cifar(monkeypatch, files)
    some = {name: files[name] for name in ("data_batch_1.bin", "data_batch_4.bin", "test_batch.bin")}
    data = load(write(tmp_path / "some", some))
    assert data.name == "cifar10 (14 of 50,000 training images)"
    assert data.origin == "CIFAR-10, 2 of 5 training batches, 14 + 7 images"
    listed = {each.name: each for each in datasets.sources(folder=tmp_path / "some")}
    assert (listed["cifar10"].found, listed["cifar10"].note) == (True, "3 of 6 files")


def test_other_bytes_are_never_called_cifar10(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = small_files()
    assert load(write(tmp_path / "own", files)).name == "custom data (cifar)"
    passes_for_cifar(monkeypatch, files)
    changed = files["test_batch.bin"][:-1] + b"\1"
    data = load(write(tmp_path / "own", {**files, "test_batch.bin": changed}))
    assert data.name == "custom data (cifar)"
    assert data.origin == "custom data (cifar); test_batch.bin not CIFAR-10's, 35 + 7 images"


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py/data_batch_1"])
def test_pickles_are_refused_with_what_is_read_instead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cache: Path, name: str
) -> None:
    write((tmp_path / "cifar10" / name).parent, {Path(name).name: b"\x80\x02"})
    what = "is its Python version: pickles, which can run any program, and are not read; expected .* data_batch_1.bin"
    with pytest.raises(DataError, match=f"holds no CIFAR-10: .*{what}"):
        load(tmp_path)
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path))
    with pytest.raises(DataError, match="was not found in .*: .*pickles.*`archsim data fetch cifar10` fetches it"):
        datasets.load("cifar10")
    write(cache, small_files())  # what was fetched since is used
    with pytest.raises(DataError, match="expected the files of CIFAR-10 as fetched"):
        datasets.load("cifar10")


def test_a_whole_set_in_one_folder_goes_before_a_part_in_another(tmp_path: Path) -> None:
    files = small_files()
    write(tmp_path / "cifar10", {"test_batch.bin": files["test_batch.bin"]})
    write(tmp_path / "cifar-10-batches-bin", files)
    assert load(tmp_path).folder == tmp_path / "cifar-10-batches-bin"


@pytest.mark.parametrize(
    ("left", "what"),
    [
        (PARTS[:-1], "test_batch.bin: missing; expected test_batch.bin and at least one of data_batch_1.bin to data_b"),
        (PARTS[-1:], "data_batch_1.bin to data_batch_5.bin: missing"),
    ],
)
def test_only_training_or_only_test_images_are_an_error_that_names_the_others(
    tmp_path: Path, left: tuple[str, ...], what: str
) -> None:
    files = small_files()
    with pytest.raises(DataError, match=what):
        load(write(tmp_path / "given", {name: files[name] for name in left}))


BROKEN = {
    "empty": (b"", "holds 0 bytes; expected 1 to 10,000 records of 3,073 bytes"),
    "cut": (small_files()["test_batch.bin"][:-1], "holds 21,510 bytes; expected"),
    "another label": (b"\x0a" + bytes(3072), "label 0 is 10; expected labels from 0 to 9"),
    "too long": (bytes(10_001 * 3073), "holds more than 30,733,073 bytes"),
}


@pytest.mark.parametrize(("content", "what"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    folder = write(tmp_path / "given", {**small_files(), "test_batch.bin": content})
    with pytest.raises(DataError, match=f"test_batch.bin: .*{what}"):
        load(folder)


def test_packed_files_that_are_damaged_or_endless_are_refused_at_once(tmp_path: Path) -> None:
    files = small_files()
    whole = gzip.compress(files["test_batch.bin"])
    bomb = gzip.compress(bytes(1 << 28), 1)
    for content, what in ((whole[:-9], "truncated"), (b"nothing", "not gzip"), (bomb, "holds more than 30,730,001 b")):
        folder = write(
            tmp_path / "given", {"data_batch_1.bin": files["data_batch_1.bin"], "test_batch.bin.gz": content}
        )
        begin = time.process_time()
        with pytest.raises(DataError, match=f"test_batch.bin.*{what}"):
            load(folder)
        assert time.process_time() - begin < 1
    with pytest.raises(DataError, match="cifar-10-binary.tar.gz: md5 is .*, the archive of CIFAR-10's binary version"):
        load(write(tmp_path / "tar", {"cifar-10-binary.tar.gz": packed(files)}))


def test_without_files_what_fetches_them_is_said() -> None:
    with pytest.raises(DataError, match=r"CIFAR-10 was not found in .*cache/cifar10; .*`archsim data fetch cifar10` f"):
        datasets.load("cifar10")
    with pytest.raises(InputError, match="Did you mean 'cifar10'"):
        datasets.load("cifar-10")


REAL = os.environ.get("ARCHSIM_TESTS_DATA")


@pytest.mark.skipif(not REAL, reason="ARCHSIM_DATA is not set: no CIFAR-10 to read")
def test_the_part_that_the_checks_use_is_recognised_and_says_that_it_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHSIM_DATA", str(REAL))
    try:
        data = datasets.load("cifar10")
    except DataError as error:
        pytest.skip(str(error))
    assert isinstance(data, Dataset)
    if data.name != "cifar10 (10,000 of 50,000 training images)":
        pytest.skip(data.origin)
    assert "pixels differ slightly" in data.origin
    assert (data.train_x.shape, data.test_x.shape) == ((10_000, 3072), (2_000, 3072))
    assert np.bincount(data.train_y).tolist() == [1_000] * 10
    mean = data.train_x.reshape(-1, 3, 1024).mean(axis=(0, 2))
    assert mean == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.005)  # of all 50,000, as loaders quote it
