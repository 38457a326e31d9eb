"""`archsim archs from-aihwkit` as a user runs it, on a recorded configuration."""

from __future__ import annotations

import json
from pathlib import Path

from cli_kit import Cli

RECORDED = Path(__file__).parents[1] / "unit" / "studies" / "aihwkit"


def test_a_recorded_configuration_becomes_a_chip_that_is_shown_and_linted(cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "mine.yaml"
    done = cli("archs", "from-aihwkit", str(RECORDED / "MixedPrecisionReRamSBPreset.json"), "--out", str(out))
    assert (done.code, done.err) == (0, "")
    assert f"Architecture: {out}" in done.out
    assert f"Device: {tmp_path / 'mine-device.yaml'}" in done.out
    assert "not mapped: forward.out_noise: 0.1; no such effect here" in done.out
    assert cli("archs", "show", str(out)).code == 0
    assert "mine: ok" in cli("archs", "lint", str(out)).out
    again = cli("archs", "from-aihwkit", str(RECORDED / "EcRamPreset.json"), "--out", str(out))
    assert again.code != 0
    assert "--force" in again.err


def test_what_is_no_configuration_is_told_with_its_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text('{"rpu_config": {"forward": {}}}')
    done = cli("archs", "from-aihwkit", "odd.json", "--out", "mine.yaml")
    assert done.code == 2
    assert done.error.startswith("odd.json: rpu_config: has no rpu_config with forward and mapping")
    told = json.loads((RECORDED / "EcRamPreset.json").read_text())
    for value, said in (("x", "rpu_config.device.dw_min: got 'x'; expected a number"), (-1.0, "got")):
        told["rpu_config"]["device"]["dw_min"] = value
        (tmp_path / "odd.json").write_text(json.dumps(told))
        done = cli("archs", "from-aihwkit", "odd.json", "--out", "mine.yaml")
        assert done.code == 2
        assert done.error.startswith("odd.json: ")
        assert said in done.error
    assert [path.name for path in tmp_path.iterdir()] == ["odd.json"]


def test_an_update_without_a_chip_is_told_in_a_line(cli: Cli, tmp_path: Path) -> None:
    done = cli("archs", "from-aihwkit", str(RECORDED / "TikiTakaEcRamPreset.json"), "--out", str(tmp_path / "a.yaml"))
    assert done.code != 0
    assert "has an update that is not mapped" in done.err
    assert len(done.err.splitlines()) == 1
