"""The benchmark runs: its contestants train, and it prints a row for each. No second is asserted."""

from __future__ import annotations

import bench
import pytest


def test_every_contestant_trains_and_has_a_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ARCHSIM_DATA", raising=False)
    monkeypatch.setattr(bench, "STEPS", 20)
    monkeypatch.setattr(bench, "ROUNDS", 1)
    bench.main()
    said = capsys.readouterr().out
    for name in (bench.NUMPY, bench.BLAS, "functional kernels alone", "archsim mixed-precision", "archsim digital32"):
        assert name in said
    assert "digital32: 20.0 holds and" in said
