"""The signal buffer holds what is alive for the whole batch, and a network that does not fit hears of everything at once."""

from __future__ import annotations

import re

import pytest

from archsim.base import registry
from archsim.base.errors import DoesNotFitError
from archsim.base.files import shipped_names
from archsim.base.streams import Streams
from archsim.base.yamlfile import Key
from archsim.chips import architecture as architectures
from archsim.chips.buffers import words_alive
from archsim.chips.demands import Demand, require
from archsim.learning.network import Dense, Network
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer

MNIST = Network((Dense("fc1", 784, 250, "sigmoid"), Dense("fc2", 250, 10, "sigmoid")), 0.1)
ONE_SAMPLE = (785 + 250 + 250) + (251 + 10 + 10)
"""Inputs with the bias element, sums and outputs of both layers of 784-250-10."""


class Times:
    """Times of one nanosecond."""

    def time_s(self, key: str) -> float:
        del key
        return 1e-9


@pytest.mark.parametrize("samples", [1, 7, 64])
def test_the_words_of_every_sample_of_a_batch_are_alive_until_the_update(samples: int) -> None:
    assert words_alive(MNIST, samples) == samples * ONE_SAMPLE


@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_without_bias_keeps_a_word_less_a_sample(bias: bool) -> None:
    assert words_alive(Network((Dense("a", 5, 3, "linear", bias=bias),), 0.1), 2) == 2 * (5 + bias + 3 + 3)


@pytest.mark.parametrize("name", shipped_names("architectures"))
@pytest.mark.parametrize("samples", [1, 7, 64])
def test_a_chip_with_one_word_less_than_its_batch_needs_is_refused(name: str, samples: int) -> None:
    def start(words: int) -> None:
        settings: dict[Key, str] = {("digital_unit", "buffer_words"): str(words)}
        parsed = architectures.parse(architectures.document(name, settings))
        chip = registry.load("chip", parsed.chip)
        chip.start(parsed, MNIST, Times(), Streams(1), samples=samples)

    start(samples * ONE_SAMPLE)
    with pytest.raises(DoesNotFitError, match=rf"{samples * ONE_SAMPLE} words .*: 1 short.*at least") as caught:
        start(samples * ONE_SAMPLE - 1)
    assert str(caught.value).endswith(f"--set digital_unit.buffer_words={samples * ONE_SAMPLE} makes it fit")


def test_the_batch_of_a_run_decides_its_buffer() -> None:
    spec = resolve("mlp-mnist", steps=1, settings=["training.batch=64"])
    for architecture in spec.architectures:
        with pytest.raises(DoesNotFitError, match=f"a batch of 64 samples .* take {64 * ONE_SAMPLE} words"):
            Trainer(spec, architecture)
    spec = resolve("mlp-mnist", steps=1, settings=["training.batch=64", f"digital_unit.buffer_words={64 * ONE_SAMPLE}"])
    for architecture in spec.architectures:
        Trainer(spec, architecture).train(1)


def test_tiles_and_buffer_are_told_at_once_with_one_remedy_that_makes_both_fit() -> None:
    wide = Network((Dense("fc1", 784, 2048, "sigmoid"), Dense("fc2", 2048, 10, "sigmoid")), 0.1)

    def start(settings: dict[Key, str]) -> None:
        parsed = architectures.parse(architectures.document("mixed-precision", settings))
        registry.load("chip", parsed.chip).start(parsed, wide, Times(), Streams(1))

    with pytest.raises(DoesNotFitError) as caught:
        start({})
    text = str(caught.value)
    assert caught.value.exit_code == 3
    assert "\n" not in text
    assert "tile.count: needs 41 tiles of 256x256 (fc1 785x2048: 32, fc2 2049x10: 9), the chip has 16: 25 short" in text
    assert "digital_unit.buffer_words: one sample's signals" in text
    assert "take 6950 words of the signal buffer, the chip has 2048: 4902 short" in text
    assert text.endswith("--set tile.count=41 --set digital_unit.buffer_words=6950 makes it fit")
    start({tuple(key.split(".")): value for key, value in re.findall(r"--set (\S+)=(\d+)", text)})


def test_a_demand_that_is_met_is_not_told() -> None:
    met, unmet = Demand("a", 4, 4, "needs 4", "4"), Demand("b", 5, 3, "needs 5", "at least 5")
    require([met])
    with pytest.raises(DoesNotFitError) as caught:
        require([met, unmet])
    assert str(caught.value) == "b: needs 5, the chip has 3: 2 short; expected at least 5. --set b=5 makes it fit"
