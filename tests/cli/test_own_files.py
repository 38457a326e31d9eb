"""Own chips, networks and technologies from the command line: begin, change, check, run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from cli_kit import Cli


@pytest.mark.usefixtures("undrawn")
def test_an_own_chip_network_and_technology_in_a_few_commands(cli: Cli, tmp_path: Path) -> None:
    assert cli("archs", "new", "--from", "mixed-precision", "--out", "my-chip.yaml").code == 0
    assert cli("workloads", "new", "--out", "my-network.yaml").code == 0
    assert cli("tech", "new", "--extends", "bottom-up-14nm", "--out", "my-tech.yaml").code == 0
    chip, tech = tmp_path / "my-chip.yaml", tmp_path / "my-tech.yaml"
    chip.write_text(chip.read_text().replace("# tile:", "tile:").replace("#   columns: 256", "  columns: 128"))
    tech.write_text(tech.read_text().replace("# figures:", "figures:").replace(
        "#   adc.conversion: 5.12 pJ", "  adc.conversion: 1.2 pJ"))  # fmt: skip
    assert "changes tile.columns 256 -> 128" in cli("archs", "lint", "my-chip.yaml", "--tech", "my-tech.yaml").out
    assert "kept from bottom-up-14nm: law per-2^bits, at bits=8" in cli("tech", "lint", "my-tech.yaml").out
    assert "#   tile.columns=128" in cli("archs", "show", "my-chip.yaml").out
    assert "1 differ" in cli("archs", "diff", "mixed-precision", "my-chip.yaml").out
    assert "training.batch=1" in cli("workloads", "show", "my-network.yaml").out
    done = cli("run", "my-network.yaml", "--arch", "my-chip.yaml", "--tech", "my-tech.yaml", "--steps", 10, "-q",
               "--out", "run", "--figure", "sram.read=3pJ")  # fmt: skip
    assert done.code == 0, done.err
    told = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert told["given"] == {"workload": "my-network.yaml", "archs": ["my-chip.yaml"], "techs": ["my-tech.yaml"]}
    kit = cli("report", "run", "--paper", "-q")
    assert kit.code == 0, kit.err
    command = (tmp_path / "run" / "paper" / "README.txt").read_text().partition("The run again:  archsim ")[2]
    words = command.splitlines()[0].split()
    assert words[:6] == ["run", "my-network.yaml", "--steps", "10", "--arch", "my-chip.yaml"]
    assert cli(*words[:-1], "again", "-q").code == 0  # after --out, in place of DIR
    for path in (chip, tech, tmp_path / "my-network.yaml"):
        path.unlink()
    assert cli("verify", "run").code == 0
    assert cli("report", "run", "--html", "-q").code == 0


def test_no_file_is_written_over(cli: Cli, tmp_path: Path) -> None:
    for words in (("archs", "new"), ("workloads", "new"), ("tech", "new", "--extends", "bottom-up-14nm")):
        assert cli(*words, "--out", "mine.yaml").code == 0
        assert "--force" in cli(*words, "--out", "mine.yaml").error
        assert cli(*words, "--out", "mine.yaml", "--force").code == 0
        (tmp_path / "mine.yaml").unlink()


def test_lint_of_a_shipped_technology_says_nothing_of_sources(cli: Cli) -> None:
    assert "sources of" not in cli("tech", "lint").out


def test_tech_new_tells_that_a_file_may_extend_another(cli: Cli, tmp_path: Path) -> None:
    assert cli("tech", "new").error == (
        "--extends, --arch: neither is given; expected one of them, such as --extends bottom-up-14nm"
    )
    assert "--extends" in cli("tech", "new", "--arch", "digital32", "--out", "long.yaml").out
    assert "archsim tech new --extends bottom-up-14nm" in (tmp_path / "long.yaml").read_text()


def test_a_chip_that_no_figure_prices_fails_the_lint(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schema: 1\nkind: architecture\nextends: mixed-precision\ntile: {adc: {bits: 14}}\n"
    )
    done = cli("archs", "lint", "mine.yaml")
    assert done.code == 1
    assert "mine: 1 problems for bottom-up-14nm" in done.out
