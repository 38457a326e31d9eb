"""What a command refuses: a line that names the option, and nothing that is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_kit import Cli

from archsim.cli import commands

GRID = ("--set", "tile.adc.bits=4,6")
STUDIES = {
    "sweep": ("sweep", "mlp-mnist", "--steps", 3, *GRID),
    "search": ("search", "mlp-mnist", *GRID, "--minimise", "energy"),
    "rules": ("rules", "mlp-mnist", "--arch", "mixed-precision", "--learning", "backpropagation"),
    "ablate": ("ablate", "mlp-mnist", "--steps", 3),
    "costs": ("costs", "mlp-mnist", "--steps", 3),
    "run --seeds": ("run", "mlp-mnist", "--steps", 3, "--seeds", 2),
    "validate": ("validate", "haensch2018"),
}


def leaves(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in getattr(command, "commands", {}).items():
        yield from leaves(each, *path, name)
    if not hasattr(command, "commands"):
        yield path, command


def test_an_empty_value_is_refused_by_the_name_of_its_option_in_every_command(cli: Cli, tmp_path: Path) -> None:
    count = 0
    for path, command in leaves(commands()):
        before: list[str] = []
        for each in command.params:
            if getattr(each, "is_flag", False):
                continue
            option = next((name for name in each.opts if name.startswith("--")), None)
            refused = cli(*path, *([option] if option else before), "")
            before += [] if option else ["x"]
            name = option or each.metavar or each.name.upper()
            assert refused.code == 2, (path, name)
            assert refused.error.startswith(f"{name}: got ''; expected a value"), (path, refused.error)
            count += 1
    assert count > 200
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", STUDIES.values(), ids=STUDIES)
@pytest.mark.parametrize("on", ["foo", "processes:0", "dask://", "slurm:workers=x"])
def test_a_place_that_is_none_is_refused_and_nothing_is_left(
    cli: Cli, tmp_path: Path, words: tuple[object, ...], on: str
) -> None:
    refused = cli(*words, "--on", on)
    assert (refused.code, refused.out) == (2, "")
    assert "--on: " in refused.error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [each for each in STUDIES if each != "validate"])
def test_a_scheduler_that_is_not_there_leaves_nothing(cli: Cli, tmp_path: Path, name: str) -> None:
    quiet = () if name == "costs" else ("-q",)
    refused = cli(*STUDIES[name], "--on", "slurm", *quiet)
    assert refused.code == 2
    assert refused.err.splitlines()[-1].startswith("archsim: error: --on slurm: needs ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["nowhere/search.log", "sqlite:////nowhere/search.db"])
def test_a_storage_that_cannot_be_opened_leaves_nothing(cli: Cli, tmp_path: Path, place: str) -> None:
    pytest.importorskip("optuna")
    refused = cli(*STUDIES["search"], "--storage", place, "-q")
    assert refused.code == 2
    assert refused.error.startswith("--storage: cannot be opened")
    assert not list(tmp_path.iterdir())


def test_a_study_of_which_something_is_kept_stays_when_it_is_refused(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    words = (*STUDIES["search"], "--trials", 2, "--out", "kept", "-q", "--no-page")
    assert cli(*words).code == 0
    before = sorted((tmp_path / "kept/counts").rglob("*.json"))
    assert cli(*words, "--storage", "nowhere/search.log").code == 2
    assert sorted((tmp_path / "kept/counts").rglob("*.json")) == before


def test_a_folder_of_data_that_is_none_is_refused_where_none_are_read(cli: Cli, tmp_path: Path) -> None:
    refused = cli("sweep", "mlp-mnist", "--estimate", *GRID, "--data", "nowhere")
    assert refused.code == 4
    assert refused.error == "--data: nowhere is no folder; expected none: an estimate reads no data"
    assert not list(tmp_path.iterdir())
