"""The page on searches: its commands run as printed, in their order, and what it names is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_kit import carried_out

from archsim.cli import commands as all_commands

pytest.importorskip("optuna")
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ archsim (.*?)(?: *#.*)?$", PAGE, flags=re.MULTILINE)


@pytest.mark.usefixtures("undrawn")
def test_the_page_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [told] = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    for command in COMMANDS:
        done = carried_out(f"archsim {command}")
        if "--dry-run" in command:
            assert told in done
    assert (tmp_path / "reports" / "search-mlp-mnist" / "report" / "sweep.html").is_file()
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, {})  # noqa: S102  the page's own
    assert (tmp_path / "reports" / "from-python" / "sweep.csv").is_file()


def test_every_option_named_is_one() -> None:
    [command] = [each for name, each in all_commands().commands.items() if name == "search"]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= known


def test_the_sampler_s_numbers_are_those_of_the_page() -> None:
    from archsim.studies.search import asking, loop, space, stages

    assert (asking.STARTUP, asking.LEAST_POPULATION, space.DIGITS, stages.CLEAR) == (10, 4, 4, 0.1)
    assert loop.AGAIN == {"tpe": 2, "nsga2": 1}
