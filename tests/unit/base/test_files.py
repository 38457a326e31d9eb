"""Files: found by name or path, hashed, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archsim.base import files, finding
from archsim.base.errors import InputError

KINDS = ("architectures", "workloads", "tech_params", "tech_params/devices")


@pytest.mark.parametrize("kind", KINDS)
def test_every_shipped_file_is_found_by_its_name(kind: str) -> None:
    names = files.shipped_names(kind)
    assert names == sorted(names)
    assert names
    for name in names:
        assert finding.find(name, kind, option="X") == files.shipped(kind) / f"{name}.yaml"


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.touch()
    assert finding.find(str(path), "workloads", option="WORKLOAD") == path


def test_a_path_is_looked_for_beside_the_file_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "mine.yaml").touch()
    assert finding.find("d/mine.yaml", "workloads", option="X", near=tmp_path) == tmp_path / "d" / "mine.yaml"
    assert finding.find("mine", "workloads", option="X", near=tmp_path / "d") == tmp_path / "d" / "mine.yaml"
    monkeypatch.chdir(tmp_path)
    assert finding.find("d/mine.yaml", "workloads", option="X").resolve() == tmp_path / "d" / "mine.yaml"


def test_a_name_beside_goes_before_a_shipped_one(tmp_path: Path) -> None:
    name = files.shipped_names("workloads")[0]
    (tmp_path / f"{name}.yaml").touch()
    assert finding.find(name, "workloads", option="X", near=tmp_path) == tmp_path / f"{name}.yaml"


def test_an_unknown_name_lists_the_shipped_ones_and_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        finding.find("digitl32", "architectures", option="--arch")
    known = ", ".join(files.shipped_names("architectures"))
    assert str(caught.value) == f"--arch: got 'digitl32'; expected a file, or one of {known}. Did you mean 'digital32'?"


@pytest.mark.parametrize("name", ["none.yaml", "none.yml", "here/none"])
def test_a_path_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"--arch: got '.*'; expected an existing YAML file"):
        finding.find(name, "architectures", option="--arch")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(InputError, match="an existing YAML file"):
        finding.find(str(tmp_path / "folder.yaml"), "workloads", option="X")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as aside:
        aside.write_text("half")
        assert path.read_text() == "old"
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_an_interrupt_leaves_no_temporary_file_either(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), files.replacing(tmp_path / "new.txt") as aside:
        aside.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_write_replaces_the_whole_file_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    files.write_text(path, "a much longer text")
    files.write_text(path, "µ")
    assert path.read_text(encoding="utf-8") == "µ"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_the_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    """Matplotlib chooses its format by it."""
    with files.replacing(tmp_path / "a.svg") as aside:
        assert aside.suffix == ".svg"
        assert aside.parent == tmp_path


def test_a_written_file_has_the_rights_the_user_gives_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\0\r\n" * 100_000)
    assert files.sha256(tmp_path / "a") == hashlib.sha256(b"\0\r\n" * 100_000).hexdigest()


def test_a_path_is_printed_from_the_current_folder_where_it_lies_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert files.display(tmp_path / "b" / "c.yaml") == str(Path("b") / "c.yaml")
    assert files.display(tmp_path.parent / "d.yaml") == str(tmp_path.parent / "d.yaml")


def test_a_file_in_place_of_a_folder_is_refused_by_the_option_that_gave_it(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("kept")
    with pytest.raises(InputError, match="--folder: got .*out.*; expected a directory, but it is a file"):
        files.check_folder(tmp_path / "out", option="--folder")
    files.check_folder(tmp_path)
    files.check_folder(tmp_path / "new")
    assert (tmp_path / "out").read_text() == "kept"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("below", ["file/x", "file/deep/x"])
def test_nothing_can_be_written_below_a_file(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="cannot be written; expected a place that can be written to"):
        files.write_text(tmp_path / below, "text")
    with pytest.raises(InputError, match="--out: got .*; expected a directory, but .*/file is a file"):
        files.check_folder(tmp_path / below)
    with pytest.raises(InputError, match="--here: got .*; expected a file, but .*/file is a file"):
        files.check_file(tmp_path / below, option="--here", force=True)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_directory_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory; expected a file to write"):
        files.write_text(tmp_path, "text")
    with pytest.raises(InputError, match="expected a file, but it is a directory"):
        files.check_file(tmp_path, force=True)


def test_a_file_that_is_there_needs_force(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    files.check_file(mine, force=False)
    mine.write_text("mine")
    with pytest.raises(InputError, match="expected a file that does not exist, or --force"):
        files.check_file(mine, force=False)
    files.check_file(mine, force=True)


def test_files_that_belong_together_come_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    with pytest.raises(KeyboardInterrupt), files.together(tmp_path) as aside:
        (aside / "one").write_text("new")
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert (tmp_path / "one").read_text() == "old"
    with files.together(tmp_path) as aside:
        (aside / "one").write_text("new")
        (aside / "deep").mkdir()
        (aside / "deep" / "two").write_text("new")
    assert (tmp_path / "one").read_text() == (tmp_path / "deep" / "two").read_text() == "new"


def test_what_a_dead_process_left_in_the_making_is_removed_and_nothing_else(tmp_path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom archsim.base import files\n"
        "folder = Path(sys.argv[1])\n"
        "with files.replacing(folder / 'table.csv') as aside:\n    aside.write_text('half'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    [left] = tmp_path.iterdir()
    assert left.name.startswith(".table.")
    own = tmp_path / ".table.notes@home-x.csv"
    own.write_text("the user's")
    with files.replacing(tmp_path / "table.csv") as aside:
        aside.write_text("whole")
        with files.replacing(tmp_path / "table.csv") as other:  # of a process that lives
            other.write_text("whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [own.name, "table.csv"]
