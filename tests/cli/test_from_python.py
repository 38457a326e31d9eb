"""Everything that the command line does, from Python: the same numbers, tables as DataFrames, dicts for files."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from cli_kit import Cli

import archsim
from archsim import api
from archsim.base import files, registry
from archsim.base.errors import InputError
from archsim.cli import app

COMMANDS = {command.name: command for command in app.registered_commands}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[api.Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield api.run(out=tmp_path_factory.mktemp("api") / "run", steps=40, seed=3)


def shipped(kind: str, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((files.shipped(kind) / f"{name}.yaml").read_text())
    return content


def test_every_command_is_a_function_of_its_name() -> None:
    for name in COMMANDS:
        assert inspect.isfunction(getattr(api, str(name))), name
    for group in app.registered_groups:
        module = getattr(api, str(group.name))
        assert isinstance(group.typer_instance, typer.Typer)
        for command in group.typer_instance.registered_commands:
            name = str(command.name).replace("-", "_")
            assert inspect.isfunction(getattr(module, {"import": "import_"}.get(name, name))), (group.name, name)


def test_the_public_names_are_there_and_import_nothing_before_they_are_asked_for() -> None:
    assert all(hasattr(archsim, name) for name in archsim.__all__)
    assert archsim.run is api.run
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        archsim.nothing  # noqa: B018


def test_a_run_holds_its_tables_and_its_summary(done: api.Run) -> None:
    assert archsim.load(done.path).summary == done.summary
    energy = done.energy
    own = energy[(energy.technology == done.recorded.technology) & energy.in_step & energy.inside_boundary]
    for name, chip in done.summary["architectures"].items():
        total = own[own.architecture == name].energy_per_step_J.sum()
        assert total == pytest.approx(chip["energy_per_step_J"]["total"], rel=1e-12)
    assert set(done.activity.architecture) == set(done.training.architecture) == set(done.area.architecture)
    assert done.training.step.max() == 40


def test_it_shows_itself_on_a_screen_and_in_a_notebook(done: api.Run) -> None:
    lines = repr(done).splitlines()
    assert len(lines) < 25
    assert all(len(line) < 130 for line in lines[1:])
    assert "mixed-precision" in repr(done)
    assert "<table>" in done._repr_html_()
    assert "mixed-precision" in done._repr_html_()


def test_a_run_of_python_is_the_run_of_the_command_line(cli: Cli, done: api.Run, tmp_path: Path) -> None:
    assert cli("run", "mlp-mnist", "--steps", 40, "--seed", 3, "--out", tmp_path / "run", "--quiet").code == 0
    for name in ("activity.csv", "energy.csv", "training.csv", "area.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (done.path / name).read_bytes()


def test_workload_architecture_and_settings_may_be_mappings(done: api.Run, tmp_path: Path) -> None:
    by_name = api.run(
        "mlp-mnist", archs=("digital32",), steps=5, settings=("training.learning_rate=0.2",), out=tmp_path / "a"
    )
    by_content = api.run(
        shipped("workloads", "mlp-mnist"), archs=(shipped("architectures", "digital32"),), steps=5,
        settings={"training.learning_rate": 0.2}, out=tmp_path / "b",
    )  # fmt: skip
    for name in ("activity.csv", "energy.csv", "training.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    kept = tmp_path / "b" / "inputs"
    assert yaml.safe_load((kept / "workload" / "mlp-mnist.yaml").read_text()) == shipped("workloads", "mlp-mnist")
    assert by_content.verify().equal
    assert by_name.summary["seed"] == by_content.summary["seed"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "../x"}, "workload: name: got '../x'; expected a name of letters"),
        ({"schema": 1}, "workload: name: got None"),
        ({"name": "mine", "schema": 1, "kind": "workload", "titel": "x"}, "mine.yaml:4: titel: unknown key"),
        ({"name": "mine", "x": object()}, "workload mine: holds what YAML does not"),
    ],
)
def test_a_mapping_that_is_no_workload_is_refused_in_one_line(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        archsim.resolve(given)
    assert told in str(caught.value)


def test_figures_are_returned(done: api.Run) -> None:
    from matplotlib.figure import Figure

    assert isinstance(done.figure("energy"), Figure)
    with pytest.raises(InputError, match="energi"):
        done.figure("energi")
    assert set(registry.names("chart")) >= {"energy", "latency", "metric"}


@pytest.mark.usefixtures("undrawn")
def test_what_a_run_is_asked_is_answered(done: api.Run, tmp_path: Path) -> None:
    assert done.verify().equal
    found = done.compare(techs=("bottom-up-14nm", "digital-7nm"))
    assert json.dumps(found.content())
    assert done.explain(reruns=False, samples=200).spread.interval[0] > 0
    assert done.page(tmp_path / "page.html").is_file()
    assert {path.suffix for path in done.report(tmp_path / "report")} >= {".png", ".md", ".tex"}
    assert done.endurance(out=tmp_path / "endurance")[0].devices > 0
    assert done.hold("10s", repeats=1, out=tmp_path / "hold")["duration_s"] == 10
    assert len(done.trace(steps=1, skip=2).chips) == 2
    assert api.tech.show("bottom-up-14nm").name in api.tech.list()
    assert api.device.show("pcm-nandakumar2018")[0].basis
    assert api.archs.show("digital32").name in api.archs.list()
    assert api.workloads.show("mlp-mnist").name in api.workloads.list()
