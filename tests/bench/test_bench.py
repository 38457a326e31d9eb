"""The benchmark runs: its contestants train, and it prints a row for each. No second is asserted."""

from __future__ import annotations

import bench
import leaves
import meter
import pytest
import steps
import workers


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


def test_the_products_of_a_layer_are_the_bare_ones_and_have_a_factor_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(leaves, "SIZES", ((40, 30, 20), (130, 30, 20)))
    monkeypatch.setattr(leaves, "ROUNDS", 1)
    leaves.main()
    said = capsys.readouterr().out
    for name in (*leaves.NAMES, "together"):
        assert said.count(f"\n{name} ") == 2


def test_a_network_s_step_is_timed_on_both_chips_with_or_without_torch(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "BATCHES", {"gpt-text": (2,)})
    monkeypatch.setattr(steps, "ROUNDS", 1)
    steps.main()
    head, row = capsys.readouterr().out.strip().splitlines()
    assert [*head.split()] == ["training", "step", "PyTorch", "analog", "x", "PyTorch", "aim", "digital32"]
    assert row.startswith("gpt-text, batch 2")
    assert row.count(" ms") == 3


def test_what_the_meter_adds_is_told_for_every_model_or_that_torch_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(meter, "STEPS", 2)
    meter.main()
    said = capsys.readouterr().out
    assert "needs torch" in said or all(said.count(f"{name}; ") == 3 for name in (meter.PERCEPTRON, meter.LENET))


@pytest.mark.long
def test_a_study_on_two_processes_is_set_beside_the_sum_of_its_points(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workers, "POINTS", 3)
    monkeypatch.setattr(workers, "STEPS", 5)
    workers.main()
    said = capsys.readouterr().out
    for text in (
        "the first study of a program",
        "a later one",
        "over those of one process alone",
        "sending a task takes",
    ):
        assert text in said
