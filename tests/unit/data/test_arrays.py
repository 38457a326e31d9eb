"""A user's own data: read where it is what was asked for, refused with a word where it is not."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.base.errors import ArchsimError, DataError
from archsim.data import arrays
from archsim.records.reopen import reopen
from archsim.records.verify import verify
from archsim.runs.run import execute
from archsim.runs.spec import resolve


def content(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    made = {
        "x": rng.random((30, 6, 5)), "y": np.arange(30) % 3, "test_x": rng.random((9, 6, 5)), "test_y": np.arange(9) % 3,
    }  # fmt: skip
    return {name: array for name, array in {**made, **changes}.items() if array is not None}


def write(path: Path, **changes: Any) -> Path:
    np.savez(path, **content(**changes))
    return path


def test_floats_are_kept_and_bytes_are_divided_by_255(tmp_path: Path) -> None:
    data = arrays.own(write(tmp_path / "my.npz"))
    assert (data.classes, data.shape, data.train_x.shape, data.test_x.shape) == (3, (1, 6, 5), (30, 30), (9, 30))
    assert np.array_equal(data.train_x, content()["x"].astype(np.float32).reshape(30, 30))
    assert (data.name, data.origin) == ("own data (my.npz)", "my.npz, 30 + 9 samples of 3 classes")
    grey = {name: np.full((n, 16), 51, np.uint8) for name, n in (("x", 30), ("test_x", 9))}
    data = arrays.own(write(tmp_path / "my.npz", **grey))
    assert (data.shape, data.train_x[0, 0]) == ((1, 4, 4), np.float32(0.2))
    assert np.array_equal(data.train_y, np.arange(30) % 3)


def test_images_of_several_channels_and_samples_that_are_no_images_have_their_shape(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    colour = {name: rng.integers(0, 256, (n, 3, 5, 4), np.uint8) for name, n in (("x", 30), ("test_x", 9))}
    data = arrays.own(write(tmp_path / "my.npz", **colour))
    assert (data.shape, data.train_x.shape) == ((3, 5, 4), (30, 60))
    assert data.test_x[8, 2 * 20 + 1 * 4 + 3] == np.float32(colour["test_x"][8, 2, 1, 3]) / np.float32(255)
    flat = {name: array[:, 0, :, 0] for name, array in colour.items()}
    assert arrays.own(write(tmp_path / "my.npz", **flat)).shape == (1, 1, 5)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"test_y": None}, r"lacks test_y; it holds x, y, test_x; expected x, y, test_x, test_y"),
        ({"x": np.full((30, 6, 5), 255.0)}, "x goes from 255 to 255; expected floats from 0 to 1, or uint8"),
        ({"test_x": np.full((9, 6, 5), np.nan)}, "test_x is not finite"),
        ({"x": np.zeros((30, 6, 5), np.int64)}, "x is int64; expected uint8, or floats from 0 to 1"),
        ({"x": np.zeros(30)}, r"x has the shape \(30,\); expected \(samples, elements\)"),
        ({"x": np.zeros((0, 6, 5))}, r"x has the shape \(0, 6, 5\)"),
        ({"test_x": np.zeros((9, 6, 6))}, r"test_x has samples of shape \(6, 6\); expected \(6, 5\), as x has"),
        ({"y": np.zeros(29)}, r"y has the shape \(29,\); expected \(30,\), a label for each sample"),
        ({"y": np.arange(30) - 1}, "y holds other labels; expected whole numbers from 0"),
        ({"y": np.arange(30) / 2}, "y holds other labels"),
        ({"y": np.full(30, np.nan)}, "y holds other labels"),
        ({"y": np.array(["a"] * 30)}, "y is <U1; expected whole numbers"),
        ({"test_y": np.arange(9)}, "test_y holds the label 8; expected labels from 0 to 2, as in y"),
        ({"y": np.array([{}] * 30)}, "y holds Python objects"),
    ],
)
def test_what_is_wrong_with_an_array_is_said(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    with pytest.raises(DataError, match=f"my.npz: {what}"):
        arrays.own(write(tmp_path / "my.npz", **changes))


def test_an_array_larger_than_the_limit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = write(tmp_path / "my.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 4)})
    made = content()
    del made["x"]
    np.savez(path, **made)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", header.getvalue())
    with pytest.raises(DataError, match="the header of x does not fit its length"):
        arrays.own(path)


def test_arrays_over_the_limit_in_all_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(arrays, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="holds arrays of .* bytes; expected at most 1,000"):
        arrays.own(write(tmp_path / "my.npz"))


@pytest.mark.parametrize("damage", [b"", b"PK\3\4", b"\x93NUMPY"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "my.npz").write_bytes(damage)
    with pytest.raises(DataError, match="my.npz: is not readable .*expected an .npz file"):
        arrays.own(tmp_path / "my.npz")


@pytest.mark.parametrize("cut", [40, 400, 4000])
def test_a_file_cut_short_or_altered_is_refused(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "my.npz")
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    with pytest.raises(DataError):
        arrays.own(path)
    path.write_bytes(whole[:cut] + bytes(byte ^ 255 for byte in whole[cut : cut + 60]) + whole[cut + 60 :])
    with pytest.raises(DataError):
        arrays.own(path)


WORKLOAD = """\
schema: 1
kind: workload
name: mine
title: own data
dataset: {file: my.npz}
network:
  inputs: 30
  initial_std: 0.1
  layers:
    - {name: out, kind: dense, units: 3, activation: sigmoid}
training: {batch: 1, learning_rate: 0.1, epochs: 2}
"""


def test_a_run_keeps_its_own_data_and_is_verified_when_they_are_gone(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)
    path = write(tmp_path / "my.npz")
    spec = resolve(str(tmp_path / "mine.yaml"), techs=("bottom-up-14nm",), archs=("digital32",))
    assert "my.npz" in spec.inputs
    assert execute(spec, tmp_path / "run") is not None
    path.unlink()
    (tmp_path / "run").rename(tmp_path / "moved")
    assert reopen(tmp_path / "moved").dataset.sha256 == spec.dataset.sha256
    done = verify(tmp_path / "moved")
    assert done is not None
    assert done.equal


def test_own_data_that_are_not_there_are_an_error_that_says_where_they_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(WORKLOAD)
    with pytest.raises(ArchsimError, match=r"dataset.file: got 'my.npz'; expected an existing .npz file, by its path"):
        resolve(str(tmp_path / "mine.yaml"))
