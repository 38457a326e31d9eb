from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli

SMALL = ("ablate", "mlp-mnist", "--steps", 10, "--seeds", 1, "--no-bits")


@pytest.mark.usefixtures("undrawn")
def test_ablate_prints_a_line_a_training_and_a_table_and_keeps_them(cli: Cli, tmp_path: Path) -> None:
    first = cli(*SMALL)
    assert first.code == 0
    assert len(first.err.strip().splitlines()) == 11
    assert "11 of 11: " in first.err
    for word in ("all on", "read noise off", "all off", "pulses", "two proportions"):
        assert word in first.out
    folder = tmp_path / "reports/ablate-mlp-mnist"
    assert {"ablate.json", "ablate.md", "ablate.tex", "nonidealities.png", "nonidealities.csv", "points"} == {
        path.name for path in folder.iterdir() if path.suffix != ".svg"
    }
    again = cli(*SMALL)
    assert (again.code, again.out, again.err) == (0, first.out, "")  # nothing is trained again
    content = json.loads(cli(*SMALL, "--json").out)
    assert content == json.loads((folder / "ablate.json").read_text())
    assert cli(*SMALL, "--quiet").out == ""


def test_an_architecture_without_non_idealities_is_one_clear_error(cli: Cli, tmp_path: Path) -> None:
    done = cli("ablate", "--arch", "digital32")
    assert done.code == 2
    assert done.error.startswith("--arch: digital32 has no non-idealities to switch off; expected an architecture with")
    assert not list(tmp_path.glob("reports/*"))


def test_bad_options_are_refused(cli: Cli, tmp_path: Path) -> None:
    assert "--seeds: got 0" in cli("ablate", "--seeds", 0).error
    assert "--steps: got 0" in cli("ablate", "--steps", 0).error
    (tmp_path / "file").touch()
    assert "it is a file" in cli("ablate", "--out", "file").error
