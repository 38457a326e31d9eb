"""docs/cluster.md: its commands have the options named, its Python runs, its numbers are the program's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from archsim.base.errors import InputError
from archsim.studies.workers import clusters, finished
from archsim.studies.workers.pool import AHEAD, PLACES, pool

PAGE = (Path(__file__).parents[2] / "docs/cluster.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.mark.parametrize("command", [line for line in COMMANDS if not line.startswith("sbatch")])
def test_every_command_has_its_options(command: str) -> None:
    program, name, *words = shlex.split(command)
    if program == "dask":
        distributed = pytest.importorskip(f"distributed.cli.dask_{name}")
        known = {option for parameter in distributed.main.params for option in parameter.opts}
    else:
        from archsim.cli import commands as all_commands

        group: Any = all_commands()
        known = {option for parameter in group.commands[name].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_it_names_every_command_that_takes_a_place() -> None:
    from archsim.cli import commands as all_commands

    group: Any = all_commands()
    taking = {name for name, each in group.commands.items() if any("--on" in option.opts for option in each.params)}
    (told,) = re.findall(r"takes `--on`: (.*?)\. ", PAGE)
    assert {word.partition(" ")[0] for word in re.findall(r"`(.*?)`", told)} == taking


def test_the_words_of_on_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    table = re.findall(r"`([a-z]+[^`]*)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, flags=re.MULTILINE)))
    asked = [shlex.split(line)[-1] for line in COMMANDS if line.startswith("archsim")]
    jobs = [word for word in (*table, *asked) if word.startswith(("slurm", "flux"))]
    assert len(jobs) >= 5
    for word in jobs:
        with (
            pytest.raises(InputError, match=r"which is not here; expected a machine of a (slurm|flux) cluster"),
            pool(word, most=1),
        ):
            pass
    assert {word.partition(":")[0] for word in table} >= {place.partition(":")[0] for place in PLACES}


def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    shorter = example.replace("steps=50", "steps=3")
    assert shorter != example
    names: dict[str, Any] = {}
    exec(compile(shorter, "cluster.md", "exec"), names)  # noqa: S102  that is the test
    assert names["found"]["nonidealities"]["points"]


def test_its_numbers_are_those_of_the_program() -> None:
    assert f"for {clusters.ANSWER_S:g} s is not waited for" in PAGE
    assert f"died, {finished.TRIES} times" in PAGE
    assert (AHEAD, "two tasks a worker" in PAGE) == (2, True)
    assert (clusters.RESTARTS, "begins anew three times" in PAGE) == (3, True)
    assert f"`{clusters.FOLDER}`" in PAGE
