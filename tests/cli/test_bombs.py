"""What has no end, or unpacks to more than any real file holds, is refused in a line, at once and in little memory."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_kit import Cli

from archsim.base.arrays import unpacked
from archsim.base.errors import DataError, InputError
from archsim.base.files import read_text
from archsim.base.yamlfile import read
from archsim.data import arrays, idx

MOST = 200_000_000
"""Bytes of memory that a refusal may take."""


def refused(act: Callable[[], object], told: str, kind: type[InputError] = InputError) -> None:
    tracemalloc.start()
    with pytest.raises(kind, match=told):
        act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST


def header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def archive(path: Path, shape: tuple[int, ...], zeros: int) -> Path:
    """Write an .npz with one array x whose header says `shape`, and so many zeros after it."""
    block = bytes(1 << 24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made, made.open("x.npy", "w") as stream:
        stream.write(header(shape))
        for _ in range(zeros // len(block)):
            stream.write(block)
    return path


def test_an_archive_of_zeros_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    size = 20 << 24
    bomb = archive(tmp_path / "bomb.npz", (size,), size)
    assert bomb.stat().st_size < 2_000_000
    refused(lambda: unpacked(bomb, what="a state", most=1 << 28), "holds arrays of 335,544,320 bytes")
    refused(lambda: arrays.read(bomb, ["x"]), "holds arrays of", DataError)


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    bomb = archive(tmp_path / "bomb.npz", (10**12,), 0)
    refused(lambda: unpacked(bomb, what="a state", most=1 << 62), "the header of x does not fit its length")


@pytest.mark.parametrize(
    "head", [b"\0\0\x08\x03" + b"\0\0\xff\xff\0\0\0\x1c\0\0\0\x1c", b"", b"\0\0\x08\x01\0\0\0\x0a"]
)
def test_a_gzip_bomb_is_refused_by_its_header(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "train-images-idx3-ubyte.gz"
    with gzip.open(path, "wb", compresslevel=1) as stream:
        stream.write(head)
        for _ in range(20):
            stream.write(bytes(1 << 24))
    refused(lambda: idx.images(idx.content(path), shape=(28, 28), file="x"), ".", DataError)


@pytest.mark.parametrize(
    "text",
    ["a: " + "[" * 3000 + "]" * 3000, "".join(f"{' ' * n}a:\n" for n in range(3000)), "- " * 3000, "a" * (1 << 24)],
)
def test_a_yaml_file_that_is_too_deep_or_too_long_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "deep.yaml").write_text(text)
    refused(lambda: read(tmp_path / "deep.yaml"), "deep.yaml")


def test_a_file_of_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as stream:
        stream.truncate(1 << 33)
    refused(
        lambda: read(tmp_path / "huge.yaml"), "holds 8,589,934,592 bytes; expected a YAML file of at most 8,388,608"
    )


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_device_is_no_file() -> None:
    refused(lambda: read_text(Path("/dev/zero"), "yaml", "a YAML file"), "/dev/zero: is a device or a pipe")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
@pytest.mark.parametrize(
    "words",
    [
        ("tech", "show", "/dev/zero"), ("run", "/dev/stdin"), ("run", "mlp-mnist", "--arch", "/dev/zero"),
        ("run", "mlp-mnist", "--data", "/dev/zero"), ("report", "/dev/zero"), ("device", "/dev/zero"),
        ("workloads", "show", "/dev/zero"), ("validate", "/dev/zero"), ("archs", "lint", "/dev/zero"),
        ("device", "fit", "/dev/zero", "--out", "x.yaml"),
        ("tech", "add-adc", "bottom-up-14nm", "--survey", "/dev/zero", "--enob", "7..9", "--out", "x.yaml"),
        ("tech", "import", "/dev/zero", "--source", "murmann2025", "--out", "x.yaml"),
    ],
)  # fmt: skip
def test_endless_input_ends_a_command_in_a_line(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert done.code in (2, 4)
    assert done.error


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").unlink(missing_ok=True)
    subprocess.run(["mkfifo", tmp_path / "mine.yaml"], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "archsim", "tech", "show", tmp_path / "mine.yaml"], capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_deep_json_in_a_run_is_refused(tmp_path: Path) -> None:
    from archsim.records.tables import mapping

    (tmp_path / "summary.json").write_text("[" * 100_000)
    refused(lambda: mapping(tmp_path / "summary.json"), "is not readable")
    (tmp_path / "summary.json").write_text(json.dumps({}))
    assert mapping(tmp_path / "summary.json") == {}
