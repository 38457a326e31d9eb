"""`--figure-rule` and `archsim tech rules`: one switch for all scaled figures, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from cli_kit import Cli

OLDER = "stillmaker-baas-older"


def energy(folder: Path, chip: str) -> float:
    summary = json.loads((folder / "summary.json").read_text())
    return float(summary["technologies"][0]["energy_per_step_J"][chip]["total"])


@pytest.mark.usefixtures("undrawn")
def test_a_run_by_another_rule_is_the_same_run_with_other_prices_and_rules_of_a_run_say_so(
    cli: Cli, tmp_path: Path
) -> None:
    common = ("run", "mlp-mnist", "--steps", 40, "--tech", "bottom-up-14nm", "--quiet")
    assert cli(*common, "--out", "own").code == 0
    assert cli(*common, "--out", "older", "--figure-rule", OLDER).code == 0
    told = yaml.safe_load((tmp_path / "older" / "run.yaml").read_text())
    assert told["figures"] == {"scaling": OLDER}
    assert told["technologies"][0]["name"] == f"bottom-up-14nm+{OLDER}"
    found = json.loads(cli("tech", "rules", "--run", "own", "--json").out)
    assert found["own"] == "table-interpolation"
    for chip in ("mixed-precision", "digital32"):
        energies = found["energies"][chip]
        assert energies["table-interpolation"] == pytest.approx(energy(tmp_path / "own", chip), rel=1e-12)
        assert energies[OLDER] == pytest.approx(energy(tmp_path / "older", chip), rel=1e-4)  # written in six digits
        assert energies[OLDER] < 0.8 * energies["table-interpolation"]
    assert cli("verify", "older").code == 0

    done = cli("explain", "own", "--figure-rule", OLDER, "--samples", 500, "--no-reruns", "--json")
    content = json.loads(done.out)
    ratio = energy(tmp_path / "older", "digital32") / energy(tmp_path / "older", "mixed-precision")
    assert content["figures"]["ratio"] == pytest.approx(ratio, rel=1e-4)
    assert content["note"].startswith(f"Priced by {OLDER} in place of table-interpolation; times stay, for the tables")
    assert (tmp_path / "own" / f"explain-{OLDER}" / "explain.html").is_file()


def test_a_run_is_compared_with_itself_by_another_rule(cli: Cli, tmp_path: Path) -> None:
    common = ("run", "mlp-mnist", "--steps", 40, "--quiet")
    assert cli(*common, "--out", "own").code == 0
    assert cli(*common, "--out", "older", "--figure-rule", OLDER).code == 0
    content = json.loads(cli("compare", "own", "--figure-rule", OLDER, "--json").out)
    assert content["compares"] == "technologies"
    assert any(
        note.startswith(f"Priced by {OLDER} in place of table-interpolation; times stay") for note in content["notes"]
    )
    for panel in content["panels"]:
        for side, folder in zip(panel["sides"], ("own", "older"), strict=True):
            told = energy(tmp_path / folder, panel["title"])
            assert side["energy_per_step_J"]["total"] == pytest.approx(told, rel=1e-4)
    both = json.loads(cli("compare", "own", "older", "--figure-rule", OLDER, "--json").out)
    for panel in both["panels"]:
        mine, other = (side["energy_per_step_J"]["total"] for side in panel["sides"])
        assert mine == pytest.approx(other, rel=1e-4), "by one rule the two are one run"
    assert (
        "--figure-rule: given together with --tech"
        in cli("compare", "own", "--tech", "digital-7nm", "--figure-rule", OLDER).err
    )


@pytest.mark.usefixtures("undrawn")
def test_a_report_by_another_rule_stands_beside_the_run_s_own_and_says_so(cli: Cli, tmp_path: Path) -> None:
    common = ("run", "mlp-mnist", "--steps", 40, "--quiet")
    assert cli(*common, "--out", "own").code == 0
    assert cli(*common, "--out", "older", "--figure-rule", OLDER).code == 0
    assert cli("report", "own", "--figure-rule", OLDER).code == 0
    assert cli("report", "own", "--figure-rule", OLDER, "--html").code == 0
    done = cli("report", "own", "--figure-rule", OLDER, "--paper")
    assert f"Note: Priced by {OLDER}" in done.out
    assert not (tmp_path / "own" / "report").exists()
    folder = tmp_path / "own" / f"report-{OLDER}"
    drawn = json.loads((folder / "intervals.json").read_text())["intervals"]
    (own,) = json.loads((tmp_path / "older" / "summary.json").read_text())["intervals"].values()
    assert set(drawn) == {f"bottom-up-14nm+{OLDER}"}
    for chip, each in own["architectures"].items():
        told = drawn[f"bottom-up-14nm+{OLDER}"]["architectures"][chip]
        for key in ("energy_per_step_J", "latency_per_step_s", "area_m2"):
            for place, interval in each[key].items():
                assert told[key][place] == pytest.approx(interval, rel=1e-3), (chip, key, place)
    for file in (folder / "report.md", folder / "report.html", tmp_path / "own" / f"paper-{OLDER}" / "methods.md"):
        assert f"Priced by {OLDER} in place of table-interpolation; times stay" in file.read_text(encoding="utf-8")
    assert cli("report", "own", "--figure-rule", "table-interpolation", "--out", "same").code == 0
    assert "Priced by" not in (tmp_path / "same" / "report.md").read_text(encoding="utf-8")


def test_tech_rules_shows_every_scaled_figure_under_every_rule(cli: Cli) -> None:
    done = cli("tech", "rules")
    assert (done.code, done.err) == (0, "")
    for text in ("table-interpolation", "fp32.multiply", "1.929 pJ", "509.4 fJ", "2.636 pJ", "sram.write", "12.69 pJ",
                 "Times stay, for the tables print energies alone"):  # fmt: skip
        assert text in done.out


@pytest.mark.usefixtures("undrawn")
def test_cases_take_the_rule_too_and_nothing_is_recorded_of_it(cli: Cli) -> None:
    done = cli("validate", "hermes-core2022", "--figure-rule", OLDER, "--out", "out")
    assert (done.code, done.err) == (0, "")
    done = cli("validate", "hermes-core2022", "--figure-rule", OLDER, "--record", "--out", "out")
    assert done.code == 2
    assert "--record: given together with --figure-rule" in done.err


@pytest.mark.parametrize("command", [("run", "mlp-mnist", "--steps", 1), ("validate",)])
def test_a_rule_that_is_not_there_is_named(cli: Cli, command: tuple[str, ...]) -> None:
    done = cli(*command, "--figure-rule", "moore")
    assert done.code == 2
    assert "--figure-rule: got 'moore'; expected one of table-interpolation, stillmaker-baas" in done.err
