"""The ways in: help, version, home folders, what is no workload; every command shows a whole example that is one."""

from __future__ import annotations

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from cli_kit import Cli

from archsim.cli import app
from archsim.cli.examples import EXAMPLES


def commands(group: typer.Typer = app, before: str = "") -> Iterator[str]:
    for command in group.registered_commands:
        yield f"{before} {command.name}".strip()
    for each in group.registered_groups:
        assert each.typer_instance is not None
        yield from commands(each.typer_instance, str(each.name))


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    assert set(commands()) == set(EXAMPLES)


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_example_in_a_command_s_help_stands_on_one_line_and_names_only_what_there_is(
    cli: Cli, command: str
) -> None:
    shown = cli(*command.split(), "--help")
    assert shown.code == 0
    assert f"Example:\n    {EXAMPLES[command]}\n" in shown.out
    words = shlex.split(EXAMPLES[command])
    assert words[: 1 + len(command.split())] == ["archsim", *command.split()]
    for option in (word for word in words if word.startswith("--")):
        assert option in shown.out


@pytest.mark.parametrize("words", [(), ("-h",), ("--help",), ("tech",), ("tech", "-h"), ("device",), ("data",)])
def test_help_is_shown_alone_and_when_asked_and_is_no_fault(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Usage: archsim")


def test_no_summary_in_the_list_of_commands_is_cut_short(cli: Cli) -> None:
    for group in ((), ("tech",), ("workloads",), ("archs",), ("data",), ("device",)):
        table = cli(*group, "--help").out.partition("Commands:")[2].partition("Exit codes")[0]
        assert "..." not in table


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out.startswith(f"archsim {version('archsim')} (Python 3")


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "archsim", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("archsim ")


@pytest.mark.parametrize("option", [("--out=~/mine.yaml",), ("--out", "~/mine.yaml")])
def test_a_tilde_is_the_home_of_the_user(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli("tech", "new", "--arch", "digital32", *option).code == 0
    assert (tmp_path / "mine.yaml").is_file()


@pytest.mark.parametrize(
    ("name", "what"),
    [("net.onnx", "an ONNX model"), ("layers.csv", "a CSV table"), ("net.zzz", "a file of another kind")],
)
def test_a_workload_that_is_no_yaml_is_told_what_it_is(cli: Cli, tmp_path: Path, name: str, what: str) -> None:
    (tmp_path / name).write_text("")
    found = cli("run", tmp_path / name)
    assert found.code == 2
    assert f"expected a YAML file (.yaml), but it is {what}. archsim workloads show mlp-mnist" in found.error


def test_a_study_says_how_long_it_took_and_will_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from archsim import display

    times = (0.0, 10.0, 20.0, 30.0, 32.0, 33.0, 40.0, 640.0)
    clock = iter(times)
    monkeypatch.setattr(display.time, "perf_counter", lambda: next(clock))
    with display.counting("re-run", silent=False) as done:
        for finished in (3, 4, 5):  # two were kept from before
            done("a", finished, 5)
        for finished in (1, 50, 386):  # another row of work, whose workers took 2 s to begin
            done("b", finished, 800)
        done("c", 1, 2)
    assert capsys.readouterr().err.splitlines() == [
        "re-run 3 of 5: a [10 s, 6.0 a minute, about 20 s left]",
        "re-run 4 of 5: a [20 s, 6.0 a minute, about 10 s left]", "re-run 5 of 5: a [30 s, 6.0 a minute]",
        "re-run 1 of 800: b [2 s, 30 a minute, about 27 min left]",
        "re-run 50 of 800: b [3 s, 17 a second, about 45 s left]",
        "re-run 386 of 800: b [10 s, 48 a second, about 9 s left]",
        "re-run 1 of 2: c [10 min, 6.0 an hour, about 10 min left]",
    ]  # fmt: skip


def test_on_a_terminal_a_study_s_bar_says_its_rate_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim import display

    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    clock = iter(10.0 * k for k in range(100))
    monkeypatch.setattr(display.sys, "stderr", screen := Screen())
    monkeypatch.setenv("COLUMNS", "150")
    with display.counting("training", silent=False) as done:
        monkeypatch.setattr(display, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
        for finished in (1, 2, 3):
            done("digital32", finished, 1000)
    assert "3/1000" in screen.getvalue()
    assert re.search(r"6\.0 a minute, about 3 h left", screen.getvalue())


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (119, "119 s"), (600, "10 min"), (7_300, "2 h"), (864_000, "10 days")]
)
def test_times_that_are_known_roughly_are_told_in_a_unit_of_their_size(seconds: float, words: str) -> None:
    from archsim.display import lasting

    assert lasting(seconds) == words
