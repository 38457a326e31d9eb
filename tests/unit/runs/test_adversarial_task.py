"""A generator's training: its metric, its samples, and that it goes on where it was stopped."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import sqrtm

from archsim.base.errors import InputError
from archsim.records.ruled import read
from archsim.report import style
from archsim.report.charts import samples as chart
from archsim.report.page.page import render
from archsim.runs import checkpoint, samples, train
from archsim.runs.run import execute
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.tasks import frechet
from archsim.runs.train import Trained, Trainer

SMALL = ("training.batch=4", "training.test_samples=80")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "STEPS", 20)
    monkeypatch.setattr(train, "CHUNK", 5)


def spec_of(arch: str = "digital32-deep", steps: int = 30, settings: tuple[str, ...] = ()) -> RunSpec:
    return resolve("gan-mnist", steps=steps, archs=(arch,), techs=("bottom-up-14nm",), settings=(*SMALL, *settings))


def features(mean: Any, covariance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return features whose mean and covariance are exactly these."""
    drawn = rng.standard_normal((500, len(covariance)))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def test_the_distance_of_two_gaussians_is_that_of_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    c, d = np.diag([1.0, 4.0, 9.0]), np.diag([4.0, 4.0, 1.0])
    one, other = features([1.0, 2.0, 3.0], c, rng), features([1.0, 0.0, 2.0], d, rng)
    assert frechet.distance(one, other) == pytest.approx(4 + 1 + 1 + 0 + 4)
    assert frechet.distance(one, one) == pytest.approx(0, abs=1e-9)


def test_the_distance_has_the_root_of_the_product_of_covariances() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((2, 5, 5))
    c, d = a @ a.T + np.eye(5), b @ b.T + np.eye(5)
    expected = np.trace(c + d - 2 * sqrtm(c @ d).real) + 5
    assert frechet.distance(features(np.zeros(5), c, rng), features(np.ones(5), d, rng)) == pytest.approx(expected)


def test_features_that_never_vary_are_no_trouble() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.standard_normal((2, 300, 4))
    one[:, 2], other[:, 2], one[:, 3], other[:, 3] = 3.0, 5.0, one[:, 0], other[:, 0]
    assert 4 < frechet.distance(one, other) < 4.2


def test_the_classifier_tells_digits_and_is_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "STEPS", 300)
    data = spec_of().dataset
    frechet.features_of.cache_clear()
    first = frechet.features_of(data)(data.test_x[:200])
    assert first.shape == (200, frechet.UNITS[-1])
    frechet.features_of.cache_clear()
    assert (frechet.features_of(data)(data.test_x[:200]) == first).all()
    labels = data.test_y[:200]
    means = np.stack([first[labels == k].mean(axis=0) for k in range(10)])
    nearest = ((first[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert np.mean(nearest == labels) > 0.8
    frechet.features_of.cache_clear()


def test_test_images_themselves_are_near_and_noise_is_far() -> None:
    data = spec_of().dataset
    of = frechet.features_of(data)
    noise = np.random.default_rng(0).uniform(0, 1, (500, 784)).astype(np.float32)
    real = of(data.test_x[:500])
    assert frechet.distance(of(data.test_x[500:1000]), real) < frechet.distance(of(noise), real) / 10


def test_a_generator_comes_nearer_to_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frechet, "STEPS", 300)
    frechet.features_of.cache_clear()
    spec = spec_of(steps=600, settings=("training.batch=16", "training.test_samples=500", "training.learning_rate=0.3"))
    trainer = Trainer(spec, spec.architectures[0])
    begin = trainer.evaluate()
    trainer.train(600)
    assert trainer.evaluate() < 0.75 * begin
    assert 0.4 < trainer.running <= 1
    frechet.features_of.cache_clear()


@pytest.mark.parametrize(
    ("arch", "settings"),
    [
        ("digital32-deep", ()),
        pytest.param("mixed-precision-deep", (), marks=pytest.mark.long),
        pytest.param(
            "mixed-precision-deep", ("training.optimiser=adam", "training.learning_rate=0.001"), marks=pytest.mark.long
        ),
    ],
)
def test_a_training_that_goes_on_is_the_training_that_was_never_stopped(
    arch: str, settings: tuple[str, ...], tmp_path: Path
) -> None:
    spec = spec_of(arch, settings=settings)
    runs = [trained(spec, tmp_path / "whole", [0]), trained(spec, tmp_path / "parts", [2, 3, 0])]
    (whole, alone), (parts, other) = runs
    for each in fields(Trained):
        if each.name not in {"wall_s", "compile_s", "steps_per_s"}:
            assert repr(getattr(parts, each.name)) == repr(getattr(whole, each.name)), each.name
    ours, theirs = alone.chip.arrays(), other.chip.arrays()
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    assert list(alone.samples) == list(other.samples)
    assert all((alone.samples[step] == other.samples[step]).all() for step in alone.samples)


def trained(spec: RunSpec, folder: Path, stops: list[int]) -> tuple[Trained, Trainer]:
    """Train, stopping after so many chunks each time and going on with a trainer built anew; 0 goes on to the end."""
    for chunks in stops:
        asked: list[int] = []

        def stop(asked: list[int] = asked, chunks: int = chunks) -> bool:
            asked.append(1)
            return len(asked) == chunks

        trainer = Trainer(spec, spec.architectures[0], stop=stop)
        checkpoint.take_up(folder, "run", trainer)
        trainer.keep = checkpoint.Keeper(folder, "run", None)
        done = trainer.run()
    return done, trainer


def test_samples_of_every_test_are_read_back_as_they_were_kept(tmp_path: Path) -> None:
    spec = spec_of(steps=10)
    trainer = Trainer(spec, spec.architectures[0])
    trainer.run()
    samples.save(tmp_path, "chip", trainer.samples)
    found = samples.read(tmp_path, "chip")
    assert list(found) == [0, 10]
    assert found[0].shape == (64, 28, 28)
    assert (found[10] == trainer.task.samples).all()
    assert found[0].std() > 0, "a start of chance"
    assert samples.read(tmp_path, "another") == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04"])
def test_damaged_samples_are_named(tmp_path: Path, content: bytes) -> None:
    samples.file_of(tmp_path, "chip").write_bytes(content)
    with pytest.raises(InputError, match=r"samples-chip\.npz"):
        samples.read(tmp_path, "chip")


def test_samples_that_are_no_images_are_refused(tmp_path: Path) -> None:
    samples.save(tmp_path, "chip", {"3": np.zeros(4, np.uint8)})
    with pytest.raises(InputError, match="holds no images"):
        samples.read(tmp_path, "chip")


def test_a_generator_of_another_size_than_the_data_is_refused() -> None:
    small = "[{name: g1, kind: dense, units: 9, activation: sigmoid}]"
    with pytest.raises(InputError, match=r"network\.generator\.layers.*ends in 9 elements.*expected 784"):
        spec_of(settings=(f"network.generator.layers={small}",))


def test_what_is_wrong_in_a_generator_says_where_it_stands() -> None:
    with pytest.raises(InputError, match=r"network\.generator\.inputs"):
        spec_of(settings=("network.generator.inputs=0",))


def test_samples_are_drawn_for_each_chip_and_stand_in_the_page(tmp_path: Path) -> None:
    spec = resolve(
        "gan-mnist",
        steps=5,
        archs=("mixed-precision-deep", "digital32-deep"),
        techs=("bottom-up-14nm",),
        settings=SMALL,
    )
    execute(spec, tmp_path / "run")
    run = read(tmp_path / "run")
    figure = chart.draw(run)
    assert figure is not None
    assert [axes.get_title(loc="left").split(":")[0] for axes in figure.axes] == [
        "mixed-precision-deep",
        "digital32-deep",
    ]
    assert all("Frechet distance" in axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes)
    shown = figure.axes[0].images[0].get_array()
    kept = samples.read(tmp_path / "run", "mixed-precision-deep")[5]
    assert (np.asarray(shown)[29 : 29 + 28, 58 : 58 + 28] == kept[10]).all(), "the third of the second row"
    page = render(run)
    assert 'src="data:image/png;base64,' in page
    assert "Generated samples" in page


def test_a_run_that_generates_nothing_has_no_such_chart(tmp_path: Path) -> None:
    spec = resolve("mlp-mnist", steps=3, archs=("digital32",), techs=("bottom-up-14nm",))
    execute(spec, tmp_path / "run")
    run = read(tmp_path / "run")
    assert "samples" not in style.charts(run)
    assert "Generated samples" not in render(run)
