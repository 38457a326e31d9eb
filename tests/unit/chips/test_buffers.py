"""Memories that a network asks words of: the signal buffer holds what is alive for the whole batch."""

from __future__ import annotations

import pytest
from network_kit import chain, dense

from archsim.base import registry
from archsim.base.errors import DoesNotFitError
from archsim.base.files import shipped_names
from archsim.base.streams import Streams
from archsim.base.yamlfile import Key
from archsim.chips import architecture as architectures
from archsim.chips.fitting.buffers import words_alive

MNIST = chain(784, dense("fc1", 250, "sigmoid"), dense("fc2", 10, "sigmoid"), std=0.1)
ONE_SAMPLE = 784 + 250 + 10 + 251 + 250 + 10
"""784-250-10 when the error reaches the first layer: input, hidden results, error of the output, what came back, the
error made of it, and the output."""


class Times:
    """Times of one nanosecond."""

    def time_s(self, key: str, capacity_bit: float | None = None) -> float:
        del key, capacity_bit
        return 1e-9


@pytest.mark.parametrize("samples", [1, 7, 64])
def test_the_words_of_every_sample_of_a_batch_are_alive_until_the_update(samples: int) -> None:
    assert words_alive(MNIST, samples) == samples * ONE_SAMPLE


ALONE = [name for name in shipped_names("architectures") if "dram" not in architectures.document(name).data]
"""Chips with no memory below, to which signals could spill."""


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("samples", [1, 7, 64])
def test_a_chip_with_one_word_less_than_its_batch_needs_is_refused(name: str, samples: int) -> None:
    if architectures.parse(architectures.document(name)).flow is not None:
        samples = 1  # whose samples flow one behind the other needs room for one

    def start(words: int) -> None:
        settings: dict[Key, str] = {("digital_unit", "buffer_words"): str(words)}
        parsed = architectures.parse(architectures.document(name, settings))
        chip = registry.load("chip", parsed.chip)
        chip.start(parsed, MNIST, Times(), Streams(1), samples=samples)

    start(samples * ONE_SAMPLE)
    with pytest.raises(DoesNotFitError, match=rf"{samples * ONE_SAMPLE} words .*: 1 short.*at least") as caught:
        start(samples * ONE_SAMPLE - 1)
    assert f"--set digital_unit.buffer_words={samples * ONE_SAMPLE} makes it fit" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key", "needed"),
    [("digital32", "mac_array.operand_words", 785 + 250), ("mixed-precision", "programmer.log_words", 2)],
)
@pytest.mark.parametrize("samples", [1, 7])
def test_a_memory_that_passes_vectors_one_by_one_asks_the_same_at_every_batch(
    name: str, key: str, needed: int, samples: int
) -> None:
    def fit(words: int) -> None:
        settings: dict[Key, str] = {("digital_unit", "buffer_words"): "99999", tuple(key.split(".")): str(words)}
        parsed = architectures.parse(architectures.document(name, settings))
        registry.load("chip", parsed.chip).fit(parsed, MNIST, samples)

    fit(needed)
    with pytest.raises(DoesNotFitError, match=f"{key}: .*: 1 short; .* --set {key}={needed} makes it fit"):
        fit(needed - 1)


def test_banks_that_a_batch_does_not_fill_are_off() -> None:
    """Of 64 banks of 256 words, one sample of 784-250-10 (1,555 words) needs 7, four samples 25."""
    settings: dict[Key, str] = {("digital_unit", "buffer_words"): "16384", ("digital_unit", "buffer_banks"): "64"}
    parsed = architectures.parse(architectures.document("digital32", settings))
    for samples, banks in ((1, 7), (4, 25)):
        chip = registry.load("chip", parsed.chip).start(parsed, MNIST, Times(), Streams(1), samples=samples)
        assert chip.digital_unit.powered()["buffer.powered"] == banks * chip.digital_unit.buffer.capacity_bit / 64
        assert chip.twin().digital_unit.parts() == chip.digital_unit.parts()
