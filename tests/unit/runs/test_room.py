"""Whether the network of a run fits its chips: the batch counts, and all that is short is told before anything is built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archsim.base.errors import DoesNotFitError
from archsim.runs import workload as workloads
from archsim.runs.run import check_fit
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trainer

ONE_SAMPLE = 784 + 250 + 10 + 251 + 250 + 10
"""What is alive in a step of 784-250-10 when the error reaches the first layer."""


def test_the_batch_of_a_run_decides_its_buffer() -> None:
    spec = resolve("mlp-mnist", steps=1, settings=["training.batch=64"])
    for architecture in spec.architectures:
        with pytest.raises(DoesNotFitError, match=f"a batch of 64 samples .* take {64 * ONE_SAMPLE} words"):
            Trainer(spec, architecture)
    spec = resolve("mlp-mnist", steps=1, settings=["training.batch=64", f"digital_unit.buffer_words={64 * ONE_SAMPLE}"])
    for architecture in spec.architectures:
        Trainer(spec, architecture).train(1)


@pytest.mark.parametrize("archs", [("mixed-precision", "digital32"), ("digital32", "in-array")])
def test_tiles_and_buffer_are_told_at_once_and_the_remedy_as_printed_runs(
    archs: tuple[str, ...], tmp_path: Path
) -> None:
    """784-2048-10; whichever chip comes first, and whether or not it has tiles."""
    path = tmp_path / "wide.yaml"
    text = workloads.document("mlp-mnist").path.read_text()
    path.write_text(text.replace("name: mlp-mnist", "name: wide").replace("units: 250", "units: 2048"))

    def spec(settings: list[str]) -> RunSpec:
        return resolve(str(path), archs=archs, techs=("bottom-up-14nm",), steps=1, settings=settings)

    with pytest.raises(DoesNotFitError) as caught:
        check_fit(spec([]))
    said = str(caught.value)
    assert caught.value.exit_code == 3
    assert "\n" not in said
    assert "tile.count: needs 41 tiles of 256x256 (fc1 785x2048: 32, fc2 2049x10: 9), the chip has 16: 25 short" in said
    assert "digital_unit.buffer_words: one sample's signals" in said
    assert "take 6949 words of the signal buffer, the chip has 2048: 4901 short" in said
    remedy = re.findall(r"--set (\S+)", said)
    assert sorted(remedy) == ["digital_unit.buffer_words=6949", "mac_array.operand_words=2833", "tile.count=41"]
    fits = spec(remedy)
    check_fit(fits)
    for architecture in fits.architectures:
        Trainer(fits, architecture).train(1)
