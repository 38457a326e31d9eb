"""Whatever the system does, or a damaged file says: one line, an exit code, no traceback, nothing half written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base import files
from archsim.base.errors import InputError, SystemFault
from archsim.base.yamlfile import MOST, read


def test_a_full_disk_is_the_system_s_fault_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(SystemFault, match=r"table\.csv: cannot be written: no space left on device"):
        files.write_text(tmp_path / "table.csv", "a,b\n")
    assert list(tmp_path.iterdir()) == []


def test_a_bug_is_told_as_one_with_its_traceback_in_a_file(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr("archsim.accounting.technology.list_technologies", wrong)
    done = cli("tech", "list")
    assert done.code == 5
    line = done.err.strip()
    assert line.startswith(
        "archsim: a bug, please report it: ZeroDivisionError: nobody thought of this; the traceback is in "
    )
    kept = Path(line.rpartition(" ")[2])
    assert "Traceback" in kept.read_text()
    kept.unlink()


@pytest.mark.parametrize(
    ("error", "told"), [(MemoryError(), "not enough memory"), (OSError(5, "Input/output error"), "Input/output")]
)
def test_memory_and_disk_are_told_as_the_system_s(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr("archsim.accounting.technology.list_technologies", fails)
    done = cli("tech", "list")
    assert done.code == 6
    assert told in done.error


@pytest.mark.parametrize(
    ("words", "code"),
    [("device list >&-", 0), ("device list 2>&-", 0), ("device list >/dev/full", 6), ("nonsense 2>&-", 2)],
)
def test_a_stream_that_is_closed_or_full_ends_nothing_in_a_traceback(tmp_path: Path, words: str, code: int) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m archsim {words}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, "Traceback" in done.stderr, "Exception ignored" in done.stderr) == (code, False, False)


@pytest.mark.parametrize(
    "words", [("tech", "show", "bottom-up-14nm"), ("tech", "list"), ("device", "list"), ("--help",)]
)
def test_a_terminal_of_ascii_and_forty_columns_without_a_home_is_enough(tmp_path: Path, words: tuple[str, ...]) -> None:
    surroundings = {key: value for key, value in os.environ.items() if key not in ("HOME", "COLUMNS")}
    surroundings |= {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "TERM": "dumb", "COLUMNS": "40"}
    done = subprocess.run(
        [sys.executable, "-m", "archsim", *words], capture_output=True, check=False, cwd=tmp_path, env=surroundings
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii")


def test_a_name_that_no_file_can_have_is_refused_in_a_line(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 1, "--out", "x" * 300)
    assert done.code == 2
    assert "--out: got" in done.error
    assert len(done.error) < 500


@pytest.mark.parametrize("words", [("estimate", f"{'x' * 300}.yaml"), ("tech", "lint", f"{'x' * 300}.yaml")])
def test_an_input_of_a_name_that_no_file_can_have_is_bad_input(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = _archsim(tmp_path, *words)
    assert (done.returncode, done.stderr.count("\n"), "expected" in done.stderr) == (2, 1, True)
    assert len(done.stderr) < 500


def test_the_user_s_backend_of_matplotlib_need_not_be_there(tmp_path: Path) -> None:
    done = _archsim(
        tmp_path,
        "device",
        "show",
        "table-example",
        "--plot",
        "--devices",
        "100",
        "--out",
        "charts",
        MPLBACKEND="nonsense",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_matplotlibrc_that_is_no_text_is_a_fault_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_bytes(b"axes.facecolor: red\n# \xe9\xe8\n")
    done = _archsim(tmp_path, "device", "show", "table-example", "--plot", "--devices", "100", "--out", "charts")
    assert done.returncode == SystemFault.exit_code
    assert "the user's matplotlibrc, which is no text in UTF-8" in done.stderr
    assert "a bug" not in done.stderr
    assert not list(tmp_path.glob("charts/*"))


def test_links_in_a_circle_are_no_bug(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "mlp-mnist", "--steps", 3, "--out", "run", "-q").code == 0
    state = tmp_path / "run" / "state-digital32.npz"
    state.unlink()
    state.symlink_to(state.name)
    done = cli("endurance", "run")
    assert done.code == 2
    assert "state-digital32.npz: is missing" in done.error


def _archsim(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "archsim", *words], capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, **environment},
    )  # fmt: skip


def test_an_alias_bomb_is_refused_at_once(tmp_path: Path) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join(['*' + before] * 9)}]")
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    begin = time.monotonic()
    with pytest.raises(InputError, match=rf"bomb\.yaml: holds .* expected at most {MOST:,}"):
        read(tmp_path / "bomb.yaml")
    assert time.monotonic() - begin < 1


def test_words_from_files_are_printed_as_they_stand(cli: Cli, tmp_path: Path) -> None:
    text = "schema: 1\nkind: technology\nname: mine\ntitle: 'Mine [/] in [mW] and [bold]'\nextends: bottom-up-14nm\n"
    (tmp_path / "mine.yaml").write_text(text)
    done = cli("tech", "show", "mine.yaml")
    assert done.code == 0
    assert "Mine [/] in [mW] and [bold]" in done.out


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("training.learning_rate=true", "got True; expected a number"),
        ("training.learning_rate=1e300", "less than or equal to 1000000"),
        ("tile.dac.full_scale=true", "got True; expected a number"),
        ("weight.unit=1.2e13 uS", "more than any chip has"),
        ("bus.length=100 m", "more than any chip has"),
        ("tile.adc.tiles_per_bank=1000000000", "at most tile.count"),
        ("bus.arbitration_cycles=999999999999", "less than or equal to"),
    ],
)
def test_values_that_cannot_be_are_refused(cli: Cli, setting: str, told: str) -> None:
    done = cli("run", "mlp-mnist", "--steps", 1, "--arch", "mixed-precision", "--set", setting)
    assert done.code == 2
    assert told in done.error


def test_a_figure_that_no_chip_has_is_refused(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 1, "--figure", "adc.conversion=1e9 J")
    assert (done.code, "adc.conversion.value: got '1e9 J'" in done.error) == (2, True)


def test_a_seed_that_run_and_summary_do_not_share_is_refused(cli: Cli, tmp_path: Path) -> None:
    assert cli("run", "mlp-mnist", "--steps", 2, "--arch", "digital32", "--out", "r", "-q").code == 0
    file = tmp_path / "r" / "run.yaml"
    file.write_text(file.read_text().replace("seed: 1", "seed: 2", 1))
    done = cli("report", "r")
    assert (done.code, "seed: got 2; expected 1, as in summary.json" in done.error) == (2, True)


def test_a_training_that_learns_nothing_says_so(cli: Cli) -> None:
    done = cli("run", "mlp-mnist", "--steps", 1, "--arch", "digital32", "--set", "training.learning_rate=99999")
    assert "digital32 has learnt next to nothing: accuracy 10 % is chance" in done.out


def test_without_a_place_for_its_cache_numba_does_without(tmp_path: Path) -> None:
    script = (
        "from numba.core import caching\n"
        "for one in caching.CacheImpl._locator_classes: one.from_function = classmethod(lambda *_: None)\n"
        "from archsim.base.jit import kernel\n"
        "import archsim.base.jit as j\n"
        "f = kernel()(lambda x: x + 1)\n"
        "print(f(1))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr


def test_a_damaged_cache_is_mended(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from archsim.base.jit import kernel\n@kernel()\ndef f(x):\n    return x + 1\nprint(f(1))\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def again() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, tmp_path / "mine.py"], capture_output=True, text=True, check=False, env=environment
        )

    assert again().stdout == "2\n"
    index, code = ([*(tmp_path / "cache").rglob(f"*{suffix}")] for suffix in (".nbi", ".nbc"))
    assert (len(index), len(code)) == (1, 1)
    for path, left in ((index[0], 0), (code[0], code[0].stat().st_size // 2)):
        path.write_bytes(path.read_bytes()[:left])
        done = again()
        assert (done.stdout, done.stderr) == ("2\n", "")
        assert path.stat().st_size > left
