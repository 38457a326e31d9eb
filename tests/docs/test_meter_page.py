"""The page on the meter: its example runs and prints what the page shows; its options are the function's."""

from __future__ import annotations

import inspect
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import archsim

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "meter.md").read_text(encoding="utf-8")


def test_every_option_is_named_and_no_other() -> None:
    [table] = re.findall(r"\| option \|.*?\n\n", PAGE, flags=re.DOTALL)
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == {name for name in inspect.signature(archsim.meter).parameters if name != "model"}


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
@pytest.mark.filterwarnings("ignore")  # of torch.export, about itself
def test_the_example_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(example, "docs/meter.md", "exec"), {})  # noqa: S102  the page's own
    [shown] = re.findall(r"prints \(torch .*?\):\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    assert capsys.readouterr().out.splitlines() == shown.splitlines()
