"""Small files that stand in for CIFAR-10's: written, archived as it is, and made to pass for it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from archsim.data import cifar, known

PARTS = known.KNOWN["cifar10"].parts


def small_files(images: int = 7) -> dict[str, bytes]:
    rng = np.random.default_rng(8)
    made = {}
    for name in PARTS:
        table = rng.integers(0, 256, (images, cifar.RECORD), np.uint8)
        table[:, 0] %= 10
        made[name] = table.tobytes()
    return made


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def packed(contents: dict[str, bytes]) -> bytes:
    """Return an archive as CIFAR-10's is."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def passes_for_cifar(monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes]) -> bytes:
    """Make small files pass for CIFAR-10's; return their archive."""
    archive = packed(contents)
    monkeypatch.setattr(cifar, "MD5", tuple(md5(contents[name]) for name in PARTS))
    monkeypatch.setattr(cifar, "ARCHIVE_MD5", md5(archive))
    return archive
