"""A run for tests of what networks cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.runs.run import execute
from archsim.runs.spec import resolve


@pytest.fixture(scope="session")
def recorded_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a short run of LeNet on its chips."""
    out = tmp_path_factory.mktemp("costs") / "lenet"
    execute(resolve("lenet-mnist", steps=3, settings=["training.test_samples=200", "dataset=mnist-5k"]), out)
    return out
