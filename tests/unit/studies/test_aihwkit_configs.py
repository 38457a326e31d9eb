"""Configurations of aihwkit 1.2.0, recorded by `dump.py`, as architectures and devices."""

from __future__ import annotations

import copy
import enum
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from archsim.api.archs import from_aihwkit
from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.chips.architecture import document, parse
from archsim.devices.base import Switches
from archsim.devices.library import build
from archsim.studies.aihwkit.dump import whole
from archsim.studies.aihwkit.mapping import bits, mapped, tiles_alone

RECORDED = Path(__file__).with_name("aihwkit")


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())


def test_the_mixed_precision_preset_of_pcm_becomes_a_chip_of_its_tiles_and_converters(tmp_path: Path) -> None:
    done = from_aihwkit(RECORDED / "MixedPrecisionPCMPreset.json", tmp_path / "mine.yaml")
    chip: Any = parse(document(str(done.architecture)))
    assert (chip.chip, chip.tile.rows, chip.tile.columns) == ("mixed-precision", 512, 512)
    assert (chip.tile.dac.bits, chip.tile.adc.bits) == (7, 9)  # as the toolkit says of its presets
    assert (chip.tile.dac.input_scale, chip.tile.dac.error_scale) == ("vector", "vector")
    assert chip.tile.adc.forward_full_scale == chip.tile.adc.backward_full_scale == 20
    assert (chip.refresh.every, chip.weight.device) == (1, "pcm-nandakumar2018")
    assert chip.refresh.saturated == pytest.approx(0.1e-6 + 0.75 * 11.9e-6)
    assert chip.refresh.difference == pytest.approx(0.25 * 11.9e-6)
    assert done.device is None
    lost = "\n".join(done.lost)
    for line in ("forward.out_noise: 0.1", "bound_management: ITERATIVE", "mapping.digital_bias", "device.n_x_bins: 0",
                 "PCMPresetDevice has another law"):  # fmt: skip
        assert line in lost
    assert "# Not mapped:" in done.architecture.read_text()


def test_a_device_of_linear_steps_is_the_one_that_was_derived_by_hand(tmp_path: Path) -> None:
    """The shipped file of this preset was written from its numbers by a person."""
    done = from_aihwkit(RECORDED / "EcRamPreset.json", tmp_path / "mine.yaml")
    assert done.device is not None
    mine, shipped_ = (
        yaml.safe_load(path.read_text())
        for path in (done.device, shipped("tech_params") / "devices" / "ecram-soft-bounds.yaml")
    )
    for way in ("up", "down"):
        nano = float(shipped_[way]["step"].removesuffix(" nS"))
        assert float(mine[way]["step"].removesuffix(" uS")) * 1e3 == pytest.approx(nano, rel=1e-3)
        assert mine[way]["left"] == pytest.approx(shipped_[way]["left"], rel=1e-3)
    assert (mine["spread"]["of_step"], mine["spread"]["devices"]) == (0.3, 0.1)
    chip: Any = parse(document(str(done.architecture)))
    assert (chip.chip, chip.update.rows, chip.update.rounding) == ("in-array", "parallel", "trains")
    assert (chip.update.trains.length, chip.update.trains.managed) == (31, True)
    device = build(chip.device_file(), Switches())
    assert device.bidirectional
    assert chip.weight.unit == pytest.approx((device.high - device.low) / 2)


@pytest.mark.parametrize(
    ("update", "rounding"),
    [({"update_bl_management": False, "desired_bl": 7}, "trains"), ({"update_management": False}, "stochastic"),
     ({"pulse_type": "DETERMINISTIC_IMPLICIT"}, "stochastic")],
)  # fmt: skip
def test_pulses_that_are_no_managed_trains_are_told(update: dict[str, Any], rounding: str) -> None:
    config = recorded("EcRamPreset")
    config["rpu_config"]["update"] |= update
    found = mapped(config, "mine")
    assert found.architecture["update"]["rounding"] == rounding
    assert any("rounded by chance" in line for line in found.lost) == (rounding == "stochastic")
    if rounding == "trains":
        assert found.architecture["update"]["trains"] == {"length": 7, "managed": False}


def test_soft_bounds_die_out_at_the_bound_ahead() -> None:
    found = mapped(recorded("MixedPrecisionReRamSBPreset"), "mine")
    assert found.device is not None
    assert found.device["up"]["left"] == found.device["down"]["left"] == 0
    step = 0.002 * (1 + 0.75 / 1.25) / 2 * 11.9  # at w_min -0.75, over the range 2 of 11.9 uS
    assert float(found.device["up"]["step"].removesuffix(" uS")) == pytest.approx(step, rel=1e-4)
    assert any("a pair of them" in line for line in found.lost)


@pytest.mark.parametrize(
    ("name", "said"),
    [("TikiTakaEcRamPreset", "an update that is not mapped"), ("InferenceRPUConfig", "trains in digital")],
)
def test_what_has_no_chip_is_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        from_aihwkit(RECORDED / f"{name}.json", tmp_path / "mine.yaml")
    assert not list(tmp_path.iterdir())


def test_a_device_of_archsims_may_stand_in(tmp_path: Path) -> None:
    done = from_aihwkit(RECORDED / "EcRamPreset.json", tmp_path / "mine.yaml", device="reram-soft-bounds")
    assert done.device is None
    assert parse(document(str(done.architecture))).weight.device == "reram-soft-bounds"  # type: ignore[attr-defined]


def test_other_directions_and_unlimited_tiles_are_told() -> None:
    dump = copy.deepcopy(recorded("MixedPrecisionPCMPreset"))
    dump["rpu_config"]["backward"]["inp_res"] = 1 / 254
    dump["rpu_config"]["mapping"]["max_input_size"] = 0
    dump["rpu_config"]["forward"]["out_res"] = 0.0
    found = mapped(dump, "mine")
    assert "backward.inp_res: 8 bits; both directions have the forward ones here" in found.lost
    assert any(line.startswith("mapping.max_input_size: 0") for line in found.lost)
    assert found.architecture["nonidealities"] == {
        "dac_quantisation": True, "adc_quantisation": False, "adc_clipping": True
    }  # fmt: skip
    assert "rows" not in found.architecture["tile"]


@pytest.mark.parametrize(("resolution", "told"), [(1 / 126, 7), (1 / 254, 8), (1 / 510, 9), (0, 0), (-1, 0)])
def test_a_resolution_is_so_many_bits(resolution: float, told: int) -> None:
    assert bits(resolution) == told


def test_tiles_alone_can_be_taken_from_a_configuration_whose_update_has_no_chip() -> None:
    found = tiles_alone(recorded("TikiTakaEcRamPreset"), "mixed-precision-deep", "rpu-config")
    chip: Any = parse(document(found.architecture))
    assert (chip.chip, chip.tile.rows, chip.tile.dac.bits, chip.outer_product.burst) == ("mixed-precision", 512, 7, 64)


class Kind(enum.Enum):
    NONE = 0


@dataclass
class Part:
    size: int = 3
    kind: Kind = Kind.NONE


@dataclass
class Config:
    part: Part = field(default_factory=Part)
    several: list[Part] = field(default_factory=lambda: [Part(1), Part(2)])
    tile: type = Part


def test_a_dump_has_classes_and_enumerations_by_name() -> None:
    found = whole(Config())["rpu_config"]
    assert found["part"] == {"class": "Part", "bases": [], "size": 3, "kind": "NONE"}
    assert [each["size"] for each in found["several"]] == [1, 2]
    json.dumps(found)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("forward", "inp_res"), None, "rpu_config.forward.inp_res: got None; expected a number"),
        (
            ("mapping", "max_input_size"),
            -1,
            "rpu_config.mapping.max_input_size: got -1; expected a whole number from 0 on",
        ),
        (("device", "dw_min"), "small", "rpu_config.device.dw_min: got 'small'; expected a number"),
        (("backward", "out_bound"), float("nan"), "rpu_config.backward.out_bound: got nan; expected a number"),
        (("device", "w_max"), [], r"rpu_config.device.w_max: got \[\]; expected a number"),
    ],
)
def test_what_is_no_number_is_named_by_its_place(place: tuple[str, str], value: Any, said: str, tmp_path: Path) -> None:
    strange = recorded("EcRamPreset")
    strange["rpu_config"][place[0]][place[1]] = value
    (tmp_path / "strange.json").write_text(json.dumps(strange))
    with pytest.raises(InputError, match=said):
        from_aihwkit(tmp_path / "strange.json", tmp_path / "mine.yaml")
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [("none.json", "an existing FILE.json"), ("none.py:A", "an existing Python file"), ("bad.json", "is no JSON"),
     ("list.json", "holds no mapping"), ("empty.json", "has no rpu_config"), ("user.py:NONE", "a name in"),
     ("user.py:broken", "cannot be run: ZeroDivisionError"), ("torn.json", "lacks something")],
)  # fmt: skip
def test_what_is_no_configuration_is_told_in_a_line(source: str, said: str, tmp_path: Path) -> None:
    torn = recorded("MixedPrecisionPCMPreset")
    del torn["rpu_config"]["device"]["device"]
    for name, text in (("bad.json", "{"), ("list.json", "[]"), ("empty.json", "{}"), ("torn.json", json.dumps(torn)),
                       ("user.py", "def broken():\n    1 / 0\n")):  # fmt: skip
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        from_aihwkit(str(tmp_path / source), tmp_path / "mine.yaml")
    assert len(str(caught.value).splitlines()) == 1
