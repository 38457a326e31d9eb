"""A run directory is whole: everything works from it alone, elsewhere, for a user's own files too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cli_kit import Cli
from explain_kit import small_run

from archsim.base import files


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a chip, a device, a technology and a workload of one's own, all gone since."""
    home = tmp_path_factory.mktemp("home")
    shipped = files.shipped("architectures") / "mixed-precision.yaml"
    (home / "my-chip.yaml").write_text(shipped.read_text().replace("name: mixed-precision", "name: my-chip"))
    devices = files.shipped("tech_params") / "devices"
    (home / "gst.yaml").write_text((devices / "table-example.yaml").read_text().replace("table-example", "gst"))
    shutil.copy(devices / "table-example.csv", home / "gst.csv")
    (home / "my-tech.yaml").write_text(
        "schema: 1\nkind: technology\nname: my-tech\ntitle: Mine\nextends: bottom-up-14nm\n"
    )
    work = files.shipped("workloads") / "mlp-mnist.yaml"
    (home / "my-net.yaml").write_text(work.read_text().replace("name: mlp-mnist", "name: my-net"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        small_run(
            home / "run", workload="my-net.yaml", archs=("my-chip.yaml", "digital32"), techs=("my-tech.yaml",),
            steps=20, settings=("my-chip.weight.device=gst.yaml",),
        )  # fmt: skip
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "run"
    shutil.move(home / "run", elsewhere)
    shutil.rmtree(home)
    return elsewhere


@pytest.fixture
def moved(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run in another folder."""
    shutil.copytree(made, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


def test_a_run_keeps_a_copy_of_every_file_that_it_read(moved: Path) -> None:
    names = {str(path.relative_to(moved / "inputs")) for path in (moved / "inputs").rglob("*") if path.is_file()}
    assert names == {
        "workload/my-net.yaml", "architectures/my-chip/my-chip.yaml", "architectures/my-chip/devices/gst.yaml",
        "architectures/my-chip/devices/gst.csv", "architectures/my-chip/devices/references.bib",
        "architectures/digital32/digital32.yaml", "technologies/my-tech/my-tech.yaml",
        "technologies/my-tech/bottom-up-14nm.yaml", "technologies/my-tech/references.bib",
    }  # fmt: skip


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    "command",
    [
        ("report", "run"), ("report", "run", "--html"), ("report", "run", "--paper"), ("verify", "run"),
        ("hold", "run", "--for", "10s", "--repeats", 1), ("endurance", "run"),
        ("compare", "run", "--arch", "my-chip", "--arch", "digital32"), ("trace", "run", "--steps", 1),
        ("explain", "run", "--samples", 200, "--no-reruns"),
    ],
    ids=lambda command: " ".join(map(str, command[:3])),
)  # fmt: skip
def test_every_command_works_from_the_directory_alone(cli: Cli, moved: Path, command: tuple[str, ...]) -> None:
    done = cli(*command)
    assert done.code == 0, done.err
