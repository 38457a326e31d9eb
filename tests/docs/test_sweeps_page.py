"""The page on sweeps: its commands run as printed, in their order, and its numbers of points are so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs_kit import carried_out

from archsim.cli import commands as all_commands

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ archsim (.*?)(?: *#.*)?$", PAGE, flags=re.MULTILINE)


@pytest.mark.usefixtures("undrawn")
def test_the_page_runs_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    [study] = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (tmp_path / "converters.yaml").write_text(study)
    [told] = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)
    for command in COMMANDS:
        done = carried_out(f"archsim {command}")
        if "--dry-run" in command:
            assert told in done
    for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(code, {})  # noqa: S102  the page's own
    assert (tmp_path / "reports" / "two-converters" / "sweep.csv").is_file()


def test_every_option_named_is_one() -> None:

    [command] = [each for name, each in all_commands().commands.items() if name == "sweep"]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= known
