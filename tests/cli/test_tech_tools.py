"""`archsim tech` scale, diff, new, add-adc, import, and `archsim schema`, as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli

SURVEY = (
    "YEAR,ID,ARCHITECTURE,TECHNOLOGY,DOI,AREA [mm^2],SNDR_plot [dB],P [W],fsnyq [Hz]\n"
    "2013,27.7,SAR,0.032,10.1109/ISSCC.2013.6487818,0.0015,49.9,0.00306,1.2e9\n"
    "2017,28.5,SAR,0.014,10.1109/ISSCC.2017.7870467,0.0016,49.9,0.006915,1.5e9\n"
)


def test_scale_shows_both_rules_and_what_stays_and_writes_a_file_that_lints(cli: Cli, tmp_path: Path) -> None:
    done = cli("tech", "scale", "bottom-up-14nm", "--node", "7nm")
    assert (done.code, done.err) == (0, "")
    for text in ("14 nm at 0.8 V -> 7 nm at 0.7 V", "x 0.679", "x 0.497", "x 0.766", "an analog block follows noise",
                 "--times scales it", "written: bottom-up-14nm-at-7nm.yaml"):  # fmt: skip
        assert text in done.out
    assert cli("tech", "lint", "bottom-up-14nm-at-7nm.yaml").code == 0


def test_scale_takes_rule_voltages_times_and_json(cli: Cli) -> None:
    done = cli("tech", "scale", "bottom-up-14nm", "--node", "28nm", "--rule", "stillmaker-baas", "--voltage", "0.8 V",
               "--times", "--keep", "wire", "--out", "mine.yaml", "--json")  # fmt: skip
    found = json.loads(done.out)
    figures = {each["name"]: each for each in found["figures"]}
    assert found["to"] == "28 nm at 0.8 V"
    assert figures["fp32.add"]["factor"] == pytest.approx(1 / 0.3319, rel=1e-3)
    assert figures["digital.cycle"]["factor"] > 1
    assert figures["wire"]["circuit"] == "kept"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--node", "65nm"), "node: got '65 nm'; expected 7 nm to 45 nm"),
        (("--node", "5nm", "--rule", "stillmaker-baas"), "node: got '5 nm'; expected 7 nm to 180 nm"),
        (("--node", "seven"), "--node: got 'seven'; expected one node"),
        (("--node", "7nm", "--rule", "moore"), "--rule: got 'moore'; expected one of table-interpolation"),
        (("--node", "7nm", "--voltage", "0.7"), "--voltage: got '0.7', a number without a unit"),
        (("--node", "7nm", "--voltage", "2 V"), "voltage: got '2 V'; expected within 0.3 V of 0.7 V"),
    ],
)
def test_scale_says_what_is_wrong(cli: Cli, options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = cli("tech", "scale", "bottom-up-14nm", *options)
    assert done.code == 2
    assert done.error.startswith(message)
    assert list(tmp_path.glob("*.yaml")) == []


def test_diff_shows_a_table_counts_and_hashes(cli: Cli) -> None:
    done = cli("tech", "diff", "bottom-up-14nm", "digital-7nm")
    assert done.code == 0
    for text in ("figures.sram.read", "x 0.481", "0 added, 0 removed, 25 changed", "files: different bytes",
                 "times: equal, one run can be priced by both"):  # fmt: skip
        assert text in done.out
    same = cli("tech", "diff", "bottom-up-14nm", "bottom-up-14nm")
    assert "0 changed" in same.out
    assert "files: equal" in same.out
    other = json.loads(cli("tech", "diff", "bottom-up-14nm", "reram-14nm", "--json").out)
    assert not other["same_times"]
    assert {change["name"] for change in other["changes"]} >= {"set.pulse", "programmer.set_pulse"}


def test_new_writes_a_skeleton_that_is_refused_and_not_overwritten(cli: Cli) -> None:
    done = cli("tech", "new", "--arch", "digital32")
    assert done.out.startswith("written: my-technology.yaml: ")
    assert cli("tech", "lint", "my-technology.yaml", "--arch", "digital32").error == (
        "my-technology.yaml:17: title: is still a placeholder; expected the technology's title"
    )
    assert "--force" in cli("tech", "new", "--arch", "digital32").error
    assert cli("tech", "new", "--arch", "digital32", "--force").code == 0


def test_add_adc_takes_a_band_and_a_row(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "adc.csv").write_text(SURVEY)
    band = cli("tech", "add-adc", "bottom-up-14nm", "--survey", "adc.csv", "--enob", "7..8.5", "--node", "10..32",
               "--max-rate", "2GHz", "--out", "band.yaml")  # fmt: skip
    assert band.code == 0
    assert "2 of 2 converters" in band.out
    assert "median 3.58 pJ, 10th to 90th percentile 2.76 pJ to 4.4 pJ" in band.out
    row = cli("tech", "add-adc", "bottom-up-14nm", "--survey", "adc.csv", "--row", 3, "--out", "row.yaml")
    assert "4.61 pJ" in row.out
    assert cli("tech", "lint", "band.yaml", "row.yaml").code == 0
    both = cli(
        "tech", "add-adc", "bottom-up-14nm", "--survey", "adc.csv", "--row", 3, "--enob", "7..8", "--out", "x.yaml"
    )
    assert both.error == "--row: given with a band; expected either a row or a band"


def test_import_says_what_it_could_not_map(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "isaac_adc.csv").write_text(
        "technology,resolution,energy,area,action\n32nm,8,1.67,1200,convert\n32nm,8,0,1200,idle\n"
    )
    refused = cli("tech", "import", "isaac_adc.csv", "--out", "mine.yaml")
    assert "energy: has no unit in its name" in refused.error
    units = ("--energy-unit", "pJ", "--area-unit", "um^2")
    done = cli("tech", "import", "isaac_adc.csv", *units, "--out", "mine.yaml", "--extends", "bottom-up-14nm", "--source",
               "isaac2016", "--arch", "mixed-precision")  # fmt: skip
    assert done.code == 0
    for text in ("mapped:     line 2, isaac_adc convert -> figures.adc.conversion",
                 "not mapped: line 3, isaac_adc idle: the mapping knows none of its actions",
                 "mixed-precision: every action has a price"):  # fmt: skip
        assert text in done.out
    assert cli("tech", "lint", "mine.yaml").code == 0
    alone = cli("tech", "import", "isaac_adc.csv", *units, "--out", "alone.yaml", "--arch", "digital32")
    assert "digital32: no price yet for bus.transfer, " in alone.out
    assert "still to be filled in" in alone.out
    wrong = cli("tech", "import", "isaac_adc.csv", *units, "--out", "x.yaml", "--where", "a")
    assert wrong.error.startswith("--where: got 'a'; expected")


def test_schema_writes_all_schemas(cli: Cli, tmp_path: Path) -> None:
    done = cli("schema", "--out", "here")
    assert done.code == 0
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert {"technology.schema.json", "architecture.schema.json", "workload.schema.json", "device.schema.json",
            "case.schema.json", "architecture-mixed-precision.schema.json"} <= names  # fmt: skip
    assert "yaml-language-server" in cli("schema", "--help").out


@pytest.mark.parametrize("command", [
    ("scale", "bottom-up-14nm", "--node", "7nm"), ("new", "--arch", "digital32"),
    ("add-adc", "bottom-up-14nm", "--survey", "none.csv", "--row", "2"), ("import", "none.csv"),
])  # fmt: skip
def test_no_file_is_written_over_unless_forced(cli: Cli, command: tuple[str, ...], tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("mine")
    done = cli("tech", *command, "--out", mine)
    assert (done.code, mine.read_text()) == (2, "mine")
    assert "expected a file that does not exist, or --force" in done.error
    below = cli("tech", *command, "--out", mine / "below.yaml")
    assert (below.code, mine.read_text()) == (2, "mine")
    assert "mine.yaml is a file" in below.error


def test_diff_tells_numbers_from_words(cli: Cli, tmp_path: Path) -> None:
    scaled = tmp_path / "scaled.yaml"
    assert cli("tech", "scale", "bottom-up-14nm", "--node", "7nm", "--out", scaled).code == 0
    done = cli("tech", "diff", "bottom-up-14nm", scaled)
    table, _, words = done.out.partition("changed in basis, source or note alone: ")
    assert "sram.read" in table
    assert "x 1 " not in table
    assert "adc.conversion" in words
