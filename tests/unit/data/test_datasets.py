"""Data sets: found or replaced and said so, broken files named, fetching refused unless the bytes are right."""

import gzip
import hashlib
import io
import os
import struct
import time
import urllib.error
from dataclasses import FrozenInstanceError
from email.message import Message
from pathlib import Path

import numpy as np
import pytest

from archsim.base.errors import DataError, InputError
from archsim.data import datasets, idx

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = datasets.MNIST


def packed_idx(array, *, kind=0x08):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def small_files():
    rng = np.random.default_rng(7)
    made = {}
    for part, n in (("train", 30), ("t10k", 10)):
        made[f"{part}-images-idx3-ubyte"] = packed_idx(rng.integers(0, 256, (n, 28, 28)))
        made[f"{part}-labels-idx1-ubyte"] = packed_idx(np.arange(n) % 10)
    return made


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return folder


def zipped(contents):
    return {f"{name}.gz": gzip.compress(data) for name, data in contents.items()}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache and no ARCHSIM_DATA, whatever the machine has."""
    folder = tmp_path / "cache" / "mnist"
    monkeypatch.setattr(datasets, "cache_folder", lambda: folder)
    monkeypatch.delenv("ARCHSIM_DATA", raising=False)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "given", small_files())


@pytest.fixture
def mirror(monkeypatch, tmp_path):
    """A mirror on disk whose small files pass for MNIST: (address, contents)."""
    contents = small_files()
    monkeypatch.setattr(datasets, "MNIST", {k: hashlib.sha256(v).hexdigest() for k, v in contents.items()})
    return write(tmp_path / "mirror", zipped(contents)).as_uri(), contents


# --- Where MNIST is looked for


def test_files_in_the_given_folder_are_read_bit_by_bit(folder):
    data = datasets.load(folder=folder)
    raw = np.frombuffer((folder / TRAIN_IMAGES).read_bytes(), np.uint8, offset=16).reshape(30, 784)
    assert data.name == "mnist"
    assert (data.train_x.shape, data.test_x.shape) == ((30, 784), (10, 784))
    assert (data.train_x.dtype, data.train_y.dtype) == (np.float32, np.uint8)
    assert np.array_equal(data.train_x, raw / np.float32(255))
    assert np.array_equal(data.train_y, np.arange(30) % 10)
    assert (data.classes, data.shape) == (10, (28, 28))


@pytest.mark.parametrize("pack", [dict, zipped], ids=["unpacked", "gz"])
@pytest.mark.parametrize("dot", [False, True], ids=["hyphen", "dot"])
@pytest.mark.parametrize("below", ["", "mnist"], ids=["folder", "subfolder"])
def test_both_spellings_packed_or_not_in_the_folder_or_below_give_the_same_data(tmp_path, folder, pack, dot, below):
    contents = {k.replace("-idx", ".idx") if dot else k: v for k, v in small_files().items()}
    other = write(tmp_path / "other" / below, pack(contents))
    assert datasets.load(folder=tmp_path / "other").sha256 == datasets.load(folder=folder).sha256
    assert str(other) in datasets.load(folder=tmp_path / "other").origin


def test_given_folder_goes_before_the_variable_and_the_variable_before_the_cache(monkeypatch, tmp_path, cache):
    for place in (tmp_path / "option", tmp_path / "variable", cache):
        write(place, small_files())
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path / "variable"))
    assert str(tmp_path / "option") in datasets.load(folder=tmp_path / "option").origin
    assert str(tmp_path / "variable") in datasets.load().origin
    monkeypatch.delenv("ARCHSIM_DATA")
    assert str(cache) in datasets.load().origin


def test_files_that_are_not_the_original_mnist_are_used_and_said_to_be_others(folder):
    origin = datasets.load(folder=folder).origin
    assert origin == f"IDX files that are not the original MNIST, in {folder}"


def test_a_single_file_that_differs_is_named(mirror, tmp_path):
    folder = write(tmp_path / "given", mirror[1])
    assert datasets.load(folder=folder).origin == f"MNIST, IDX files in {folder}"
    write(folder, {TEST_LABELS: packed_idx(np.zeros(10))})
    assert f"({TEST_LABELS} differ)" in datasets.load(folder=folder).origin


def test_given_folder_without_mnist_is_an_error_that_says_what_was_looked_for(tmp_path):
    with pytest.raises(DataError, match=r"--data: .* holds no MNIST; expected .*train-images-idx3-ubyte") as caught:
        datasets.load(folder=tmp_path)
    assert caught.value.exit_code == 4
    with pytest.raises(DataError, match=r"--data: .*nowhere is no folder"):
        datasets.load(folder=tmp_path / "nowhere")


def test_variable_that_points_to_no_folder_is_an_error_that_names_it(monkeypatch, tmp_path):
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"ARCHSIM_DATA: .*nowhere is no folder"):
        datasets.load()


def test_some_of_the_four_files_is_an_error_that_names_the_others(folder, cache):
    (folder / TRAIN_LABELS).unlink()
    (folder / TEST_IMAGES).unlink()
    with pytest.raises(DataError, match=f"{TRAIN_LABELS}, {TEST_IMAGES}: missing") as caught:
        datasets.load(folder=folder)
    assert "fetch" not in str(caught.value)
    write(cache, {TRAIN_LABELS: b""})
    with pytest.raises(DataError, match="archsim data fetch mnist"):
        datasets.load()


def test_folder_that_may_not_be_read_is_a_data_error(monkeypatch, folder):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", denied)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        datasets.load(folder=folder)


def test_without_mnist_the_digits_are_used_and_the_origin_says_so(monkeypatch, tmp_path, cache):
    data = datasets.load()
    assert data.name == "digits"
    assert f"MNIST was not found in {cache}" in data.origin
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path))
    assert f"not found in {tmp_path} (ARCHSIM_DATA) or {cache}" in datasets.load().origin


def test_digits_are_given_when_asked_for_even_if_mnist_is_there(monkeypatch, folder):
    monkeypatch.setenv("ARCHSIM_DATA", str(folder))
    data = datasets.load("digits")
    assert data.name == "digits"
    assert "not found" not in data.origin


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(InputError, match=r"got 'mnits'; expected one of mnist, digits.* you mean 'mnist'") as caught:
        datasets.load("mnits")
    assert caught.value.exit_code == 2


def test_arrays_and_fields_cannot_be_changed(folder):
    for data in (datasets.load(folder=folder), datasets.load("digits")):
        for array in (data.train_x, data.train_y, data.test_x, data.test_y):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        with pytest.raises(FrozenInstanceError):
            data.name = "other"


def test_digest_is_that_of_the_four_arrays_in_order(folder):
    data = datasets.load(folder=folder)
    whole = b"".join(a.tobytes() for a in (data.train_x, data.train_y, data.test_x, data.test_y))
    assert data.sha256 == hashlib.sha256(whole).hexdigest()


# --- Broken IDX files

IMAGES, LABELS = small_files()[TRAIN_IMAGES], small_files()[TRAIN_LABELS]
BROKEN = {
    "empty file": (TRAIN_IMAGES, b"", "holds 0 bytes; expected at least an IDX header of 16 bytes"),
    "half a header": (TRAIN_LABELS, LABELS[:7], "holds 7 bytes; expected at least an IDX header of 8 bytes"),
    "no IDX": (TRAIN_IMAGES, b"<!DOCTYPE html><html>", "is no IDX file: its magic number is 0x3c21444f"),
    "floats": (TRAIN_IMAGES, b"\0\0\x0d" + IMAGES[3:], "elements of type 0x0d .*expected unsigned bytes in 3 dim"),
    "labels as images": (TRAIN_IMAGES, LABELS, "has 1 dimensions .*expected .*0x00000803.*This is a file of labels"),
    "images as labels": (TRAIN_LABELS, IMAGES, "has 3 dimensions .*expected .*0x00000801.*This is a file of images"),
    "one byte short": (TRAIN_IMAGES, IMAGES[:-1], "is truncated: found 23,535 bytes; expected 23,536 bytes"),
    "one byte more": (TRAIN_LABELS, LABELS + b"\0", "bytes after its end: found 39 bytes; expected 38 bytes"),
    "huge counts": (TRAIN_IMAGES, b"\0\0\x08\x03" + b"\xff" * 12, "is truncated: found 16 bytes"),
    "no images": (TRAIN_IMAGES, packed_idx(np.zeros((0, 28, 28))), "is empty: the header says 0 x 28 x 28"),
    "32x32": (TRAIN_IMAGES, packed_idx(np.zeros((30, 32, 32))), "holds images of 32x32; expected 28x28"),
    "a label less": (TRAIN_LABELS, packed_idx(np.zeros(29)), "holds 29 labels; expected 30, one for each image in"),
    "label 10": (TRAIN_LABELS, packed_idx(np.arange(30) % 11), "label 10 is 10; expected labels from 0 to 9"),
    "gz without .gz": (TRAIN_IMAGES, gzip.compress(IMAGES), "is gzip-compressed, but its name does not end in .gz"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_file_is_named_with_what_is_wrong(folder, case):
    name, data, what = BROKEN[case]
    (folder / name).write_bytes(data)
    with pytest.raises(DataError, match=what) as caught:
        datasets.load(folder=folder)
    assert str(caught.value).startswith(f"{folder / name}: ")
    assert "\n" not in str(caught.value)


PACKED = bytearray(gzip.compress(IMAGES))
BROKEN_GZ = {
    "not gzip": (IMAGES, "is not gzip-compressed"),
    "empty": (b"", "is not gzip-compressed"),
    "truncated": (PACKED[:-100], f"gzip data is truncated after {len(PACKED) - 100:,} bytes"),
    "wrong checksum": (PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], "gzip data is damaged .*CRC"),
    "damaged": (PACKED[:2000] + b"\xff" * 2000 + PACKED[4000:], "gzip data is damaged"),
    "followed by rubbish": (PACKED + b"rubbish", "gzip data is damaged"),
}


@pytest.mark.parametrize("case", BROKEN_GZ)
def test_broken_gzip_is_named_with_what_is_wrong(tmp_path, case):
    data, what = BROKEN_GZ[case]
    folder = write(tmp_path / "gz", {**zipped(small_files()), f"{TRAIN_IMAGES}.gz": data})
    with pytest.raises(DataError, match=what) as caught:
        datasets.load(folder=folder)
    assert f"{TRAIN_IMAGES}.gz: " in str(caught.value)


def test_file_that_vanishes_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        idx.content(tmp_path / "gone")


# --- The digits


def test_digits_are_split_into_1437_and_360_with_36_of_each_class_in_the_test():
    data = datasets.load("digits")
    assert (data.train_x.shape, data.test_x.shape) == ((1437, 784), (360, 784))
    assert np.array_equal(np.bincount(data.test_y), np.full(10, 36))
    assert np.bincount(data.train_y).min() >= 138


def test_digits_are_lit_like_mnist():
    x = datasets.load("digits").train_x  # MNIST's training images: 19.1 % of pixels not 0, mean 0.131
    assert (x > 0).mean() == pytest.approx(0.191, abs=0.003)
    assert x.mean() == pytest.approx(0.131, abs=0.003)
    assert (x.min(), x.max()) == (0, 1)


def test_digits_have_8_bit_pixels_and_their_centre_of_mass_in_the_middle():
    x = datasets.load("digits").train_x
    codes = np.round(x * 255)
    assert np.array_equal(x, codes.astype(np.float32) / np.float32(255))
    frames = x.reshape(-1, 28, 28).astype(float)
    mass = frames.sum((1, 2))
    for axis in (1, 2):
        centre = (frames.sum(axis) * (np.arange(28) + 0.5)).sum(1) / mass
        assert np.abs(centre - 14).max() <= 0.5 + 1e-6


def test_digits_are_the_same_bits_every_time_on_every_machine():
    first, second = datasets.load("digits"), datasets.load("digits")
    assert first.sha256 == second.sha256
    # Written down here so that a change of the resampling, which changes every run on the digits, is seen.
    assert first.sha256 == "507cfe4ff4ef53bcfc9fa00e8a4da8018d466424649eb6168c93fce1d1c683af"


def test_digits_show_what_their_labels_say():
    data = datasets.load("digits")
    means = np.stack([data.train_x[data.train_y == label].mean(0) for label in range(10)])
    distance = ((data.test_x[:, None] - means) ** 2).sum(2)
    assert (distance.argmin(1) == data.test_y).mean() > 0.85


def test_resampling_keeps_a_full_box_full_and_a_blank_one_blank():
    frames = datasets.resample(np.stack([np.full((8, 8), 16), np.zeros((8, 8), np.int64)]))
    assert (frames[0, 6:22, 6:22] == 255).all()
    assert not frames[0, :4].any()
    assert not frames[1].any()


# --- Fetching


def test_fetched_files_are_unpacked_into_the_cache_and_loaded_from_there(mirror, cache):
    address, contents = mirror
    assert datasets.fetch("mnist", mirrors=[address]) == cache
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == contents
    assert datasets.load().origin == f"MNIST, IDX files in {cache}"


def test_files_that_are_there_and_correct_are_not_fetched_again(mirror, cache):
    address, contents = mirror
    write(cache, {**contents, TEST_LABELS: b"wrong"})
    asked = []

    def opener(url, *, timeout):
        asked.append(url)
        return io.BytesIO(gzip.compress(contents[TEST_LABELS]))

    datasets.fetch(mirrors=[address], opener=opener)
    assert asked == [f"{address}/{TEST_LABELS}.gz"]
    assert (cache / TEST_LABELS).read_bytes() == contents[TEST_LABELS]
    datasets.fetch(mirrors=[])


def test_wrong_checksum_is_refused_and_the_next_mirror_tried(mirror, cache, tmp_path):
    address, contents = mirror
    changed = contents[TEST_LABELS][:-1] + b"\x07"
    bad = write(tmp_path / "bad", zipped({**contents, TEST_LABELS: changed})).as_uri()
    with pytest.raises(DataError, match=f"bad/{TEST_LABELS}.gz: sha256 of the unpacked file is .*; expected"):
        datasets.fetch(mirrors=[bad])
    assert not cache.exists()
    datasets.fetch(mirrors=[bad, address])
    assert (cache / TEST_LABELS).read_bytes() == contents[TEST_LABELS]


def test_when_all_mirrors_fail_each_reason_is_given_and_nothing_is_written(mirror, cache, tmp_path):
    short = write(tmp_path / "short", {name: data[:-20] for name, data in zipped(mirror[1]).items()}).as_uri()
    page = write(tmp_path / "page", dict.fromkeys(zipped(mirror[1]), b"<html>sign in</html>")).as_uri()
    with pytest.raises(DataError) as caught:
        datasets.fetch(mirrors=[(tmp_path / "nowhere").as_uri(), short, page, "nonsense"])
    text = str(caught.value)
    assert caught.value.exit_code == 4
    assert "\n" not in text
    assert text.startswith("could not fetch mnist: ")
    for reason in ("nowhere/.*No such file", "short/.*truncated", "page/.*not gzip", "nonsense/.*unknown url type"):
        caught.match(reason)
    with pytest.raises(DataError, match="no mirror given"):
        datasets.fetch(mirrors=[])
    assert not cache.exists()


def test_mirror_that_answers_not_found_is_named_with_its_code(mirror):
    def opener(url, *, timeout):
        raise urllib.error.HTTPError(url, 404, "Not Found", Message(), io.BytesIO())

    with pytest.raises(DataError, match=rf"http://gone/{TRAIN_IMAGES}\.gz: HTTP error 404 \(Not Found\)"):
        datasets.fetch(mirrors=["http://gone"], opener=opener)


@pytest.mark.parametrize("error", [TimeoutError("timed out"), ConnectionResetError(104, "reset by peer")])
def test_connection_that_breaks_midway_is_a_reason_to_try_the_next_mirror(mirror, cache, error):
    contents = mirror[1]

    class Broken(io.BytesIO):
        def read(self, _size):
            raise error

    def opener(url, *, timeout):
        assert 0 < timeout <= 60
        name = url.rsplit("/", 1)[1].removesuffix(".gz")
        return Broken() if "first" in url else io.BytesIO(gzip.compress(contents[name]))

    datasets.fetch(mirrors=["http://first/", "http://second/"], opener=opener)
    assert len(list(cache.iterdir())) == 4
    (cache / TEST_LABELS).unlink()
    with pytest.raises(DataError, match=r"http://first/t10k-labels-idx1-ubyte\.gz: .*(timed out|reset by peer)"):
        datasets.fetch(mirrors=["http://first/"], opener=opener)


def test_mirror_that_does_not_stop_sending_is_left(monkeypatch, mirror):
    monkeypatch.setattr(datasets, "_MOST_BYTES", 1000)
    with pytest.raises(DataError, match="does not stop sending"):
        datasets.fetch(mirrors=[mirror[0]])


def test_interrupted_fetch_leaves_nothing(mirror, cache):
    def progress(file, done, due):
        if file.startswith("t10k"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        datasets.fetch(mirrors=[mirror[0]], progress=progress)
    assert not cache.exists()


def test_progress_ends_at_the_bytes_due(mirror):
    calls = []
    datasets.fetch(mirrors=[mirror[0]], progress=lambda *call: calls.append(call))
    assert [name for name, done, due in calls if done == due] == [f"{name}.gz" for name in datasets.MNIST]


def test_cache_that_cannot_be_written_is_named(mirror, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=f"{cache}: the cache cannot be used: "):
        datasets.fetch(mirrors=[mirror[0]])


def test_digits_need_no_fetching_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="come with scikit-learn"):
        datasets.fetch("digits")
    with pytest.raises(InputError, match="Did you mean 'mnist'"):
        datasets.fetch("minst")


# --- The list


def test_list_says_what_is_found_where_and_how_big(monkeypatch, folder, cache):
    mnist, digits = datasets.sources()
    assert (mnist.name, mnist.found) == ("mnist", False)
    assert str(cache) in mnist.note
    assert (digits.name, digits.found, digits.where) == ("digits", True, "scikit-learn")
    assert digits.bytes > 10_000
    monkeypatch.setenv("ARCHSIM_DATA", str(folder))
    mnist = datasets.sources()[0]
    assert (mnist.found, mnist.where) == (True, str(folder))
    assert mnist.bytes == sum(path.stat().st_size for path in folder.iterdir())


def test_list_reports_an_incomplete_folder_instead_of_raising(monkeypatch, folder, tmp_path):
    (folder / TEST_LABELS).unlink()
    mnist = datasets.sources(folder=folder)[0]
    assert not mnist.found
    assert TEST_LABELS in mnist.note
    monkeypatch.setenv("ARCHSIM_DATA", str(tmp_path / "nowhere"))
    assert "ARCHSIM_DATA" in datasets.sources()[0].note


# --- The real thing

REAL = os.environ.get("ARCHSIM_DATA")


@pytest.mark.skipif(not REAL, reason="ARCHSIM_DATA is not set: no MNIST to read")
def test_real_mnist_is_recognised_and_read_quickly(monkeypatch):
    monkeypatch.setenv("ARCHSIM_DATA", REAL)
    start = time.perf_counter()
    data = datasets.load()
    seconds = time.perf_counter() - start
    if data.name != "mnist":
        pytest.skip(data.origin)
    assert data.origin.startswith("MNIST, IDX files in ")
    assert (data.train_x.shape, data.test_x.shape) == ((60000, 784), (10000, 784))
    assert (data.train_x > 0).mean() == pytest.approx(0.1912, abs=1e-4)
    assert list(data.train_y[:5]) == [5, 0, 4, 1, 9]
    assert seconds < 5  # 0.7 s on two cores of 2024; the margin is for a loaded machine
