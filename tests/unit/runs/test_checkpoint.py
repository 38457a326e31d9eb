"""A training that was stopped and goes on gives the bits of one that was not: state, books, clock, streams, course."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.base.errors import InputError
from archsim.base.streams import Streams
from archsim.runs import checkpoint, train
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trained, Trainer

WALL = {"wall_s", "compile_s", "steps_per_s"}
WORKLOAD: dict[str, Any] = {
    "schema": 1, "kind": "workload", "name": "small", "title": "784-16-10 on mnist-5k", "dataset": "mnist-5k",
    "network": {"inputs": 784, "initial_std": 0.08, "loss": "squared", "layers": [
        {"name": "fc1", "kind": "dense", "units": 16, "activation": "sigmoid"},
        {"name": "fc2", "kind": "dense", "units": 10, "activation": "sigmoid"},
    ]},
    "training": {"batch": 1, "learning_rate": 0.3, "decay": 0.65, "epochs": 5, "samples_per_epoch": 60000,
                 "evaluations_per_epoch": 2},
}  # fmt: skip
"""The perceptron of mlp-mnist with fewer units: two layers, the first over several tiles."""
KINDS = {
    "digital32": ("digital32", ()),
    "mixed-precision": ("mixed-precision", ()),
    "in-array": ("in-array", ()),
    "stochastic rounding": ("in-array", ("update.rounding=stochastic",)),
    "trains": ("in-array-sgd", ()),
    "tiki-taka": ("tiki-taka", ()),
    "chopped signs": ("chopped-tiki-taka", ()),
    "devices in turn": ("multi-device", ("weight.selection.down_every=2",)),
    "pairs in turn": ("multi-pcm", ()),
    "hybrid": ("hybrid", ("pairs.every=25",)),
    "in-array-pcm": ("in-array-pcm", ("sides.every=25",)),
    "capacitors that leak": ("in-array-sgd", ("weight.device=capacitor", "weight.drift_tolerance=0.00003")),
    "agad": ("agad", ("transfer.every=3",)),
    "shared converters": ("mixed-precision", ("tile.adc.tiles_per_bank=4", "tile.rows=128")),
    "adam and a cosine": ("mixed-precision", (
        "training.optimiser=adam", "training.schedule={kind: cosine, warmup: 30}", "training.learning_rate=0.02",
    )),
    "adamw": ("digital32", ("training.optimiser={kind: adam, decay: 0.1}", "training.learning_rate=0.001")),
    "momentum": ("mixed-precision", ("training.optimiser=momentum", "training.learning_rate=0.05")),
    "batches of 3, the last of an epoch of 1": (
        "mixed-precision", ("training.batch=3", "digital_unit.buffer_words=8000", "training.samples_per_epoch=100"),
    ),
    "feedback alignment": ("mixed-precision", ("network.learning=feedback-alignment", "feedback.at=memory")),
    "sign-symmetric": ("mixed-precision", ("network.learning=sign-symmetric",)),
    "local losses": ("in-array", ("network.learning=local-losses",)),
    "weight perturbation": ("digital32", ("network.learning=weight-perturbation",)),
    "batches that flow": ("mixed-precision-pipelined", ("training.batch=3", "training.samples_per_epoch=100")),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "CHUNK", 10)


def spec_of(kind: str, steps: int = 60) -> RunSpec:
    arch, changes = KINDS[kind]
    settings_ = ("training.test_samples=50", *changes)
    return resolve(WORKLOAD, steps=steps, archs=(arch,), techs=("bottom-up-14nm",), settings=settings_)


def trained(spec: RunSpec, folder: Path, stops: list[int]) -> tuple[Trained, Trainer]:
    """Train, stopping after so many chunks each time and going on with a trainer built anew."""
    for chunks in [*stops, 0]:
        asked: list[int] = []

        def stop(asked: list[int] = asked, chunks: int = chunks) -> bool:
            asked.append(1)
            return len(asked) == chunks

        trainer = Trainer(spec, spec.architectures[0], stop=stop)
        checkpoint.take_up(folder, "run", trainer)
        trainer.keep = checkpoint.Keeper(folder, "run", None)
        done = trainer.run()
    return done, trainer


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_that_goes_on_is_the_training_that_was_never_stopped(kind: str, tmp_path: Path) -> None:
    spec = spec_of(kind)
    whole, alone = trained(spec, tmp_path / "whole", [])
    parts, other = trained(spec, tmp_path / "parts", [2, 3])
    for each in fields(Trained):
        if each.name not in WALL:
            assert repr(getattr(parts, each.name)) == repr(getattr(whole, each.name)), each.name
    ours, theirs = alone.chip.arrays(), other.chip.arrays()
    assert list(ours) == list(theirs)
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    assert alone.streams.positions()[0] == other.streams.positions()[0]


def test_wherever_it_was_stopped(tmp_path_factory: pytest.TempPathFactory) -> None:
    spec = spec_of("mixed-precision", 40)
    whole, _ = trained(spec, tmp_path_factory.mktemp("whole"), [])

    @settings(max_examples=5)
    @given(stops=st.lists(st.integers(1, 6), max_size=4))
    def stopped(stops: list[int]) -> None:
        parts, _ = trained(spec, tmp_path_factory.mktemp("anywhere"), stops)
        assert repr(parts.points) == repr(whole.points)
        assert parts.rows == whole.rows

    stopped()


def test_the_streams_go_on_where_they_were() -> None:
    one, other = Streams(3), Streams(3)
    for streams in (one, other):
        streams.generator("a"), streams.normals("b"), streams.word("c")
    one._given["a"].random(7)  # type: ignore[union-attr]
    one._given["b"].standard_normal(5000)  # type: ignore[union-attr]
    other.go_on(*one.positions())
    assert one._given["a"].random() == other._given["a"].random()  # type: ignore[union-attr]
    first, second = (each._given["b"].standard_normal(9000) for each in (one, other))  # type: ignore[union-attr]
    assert first.tobytes() == second.tobytes()


def test_jobs_are_whole_numbers_so_that_their_order_does_not_matter() -> None:
    for kind in ("digital32", "mixed-precision", "in-array"):
        trainer = Trainer(spec_of(kind, 3), spec_of(kind, 3).architectures[0])
        trainer.train(3)
        for account in trainer.chip.ledger._accounts.values():
            assert all(float(n).is_integer() for row in account.done().values() for n in row.values())


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: bytes) -> None:
    spec = spec_of("digital32", 5)
    checkpoint.file_of(tmp_path, "digital32").write_bytes(damage)
    with pytest.raises(InputError, match=r"checkpoint-digital32\.npz: is not readable; expected .*Remove it"):
        checkpoint.take_up(tmp_path, "run", Trainer(spec, spec.architectures[0]))


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    spec = spec_of("digital32", 5)
    checkpoint.save(tmp_path, "one", Trainer(spec, spec.architectures[0]))
    with pytest.raises(InputError, match="belongs to another run"):
        checkpoint.take_up(tmp_path, "another", Trainer(spec, spec.architectures[0]))


def test_a_training_that_diverges_stops_and_says_where() -> None:
    spec = spec_of("digital32")
    trainer = Trainer(spec, spec.architectures[0])
    next(iter(trainer.chip.arrays().values()))[0, 0] = np.nan
    with pytest.raises(
        InputError, match=r"training\.learning_rate: training diverged: .* of digital32 .*holds no finite"
    ):
        trainer.train(1)


def test_a_last_batch_of_one_sample_is_a_batch(tmp_path: Path) -> None:
    spec = resolve(
        "mlp-mnist", steps=60, archs=("digital32",), settings=("training.batch=4", "digital_unit.buffer_words=9000")
    )
    assert spec.dataset.train_x.shape[0] % 4 in (0, 1)
    done = Trainer(spec, spec.architectures[0]).run()
    assert 0 <= done.points[-1].running <= 1
    del tmp_path
