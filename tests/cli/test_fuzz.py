"""Whatever a file says: an exit code that is documented, one line where it is refused, no traceback, nothing left."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_kit import Cli
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archsim.api import run as do_run
from archsim.base import files
from archsim.base.errors import EXIT_CODES
from archsim.cli import main

TECHNOLOGY = files.shipped("tech_params") / "bottom-up-14nm.yaml"
ARCHITECTURE = files.shipped("architectures") / "mixed-precision.yaml"
WORKLOAD = files.shipped("workloads") / "mlp-mnist.yaml"
DEVICE = files.shipped("tech_params") / "devices" / "pcm-nandakumar2018.yaml"
FITTING = "pulse,direction,conductance_uS\n" + "".join(f"{k},up,{0.1 * k}\n" for k in range(40))
STRANGE = (
    "-1", "0", "1e999", "nan", ".inf", "true", "null", "[]", "{a: 1}", "1.2e13 uS", "-3 pJ", "3 parsec", "'=1+1'",
    "\x1b[2J", "[/red]", "x" * 5000, "!!python/object:os.system x", "&a [*a]", "../../etc/passwd", "99999999999999999999",
    "\\write18{x}", "\u2028", "1_000", "0x10", "~", "|", "%s{0}",
)  # fmt: skip

SHORT = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
)
LONG = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def mutated(source: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """Return a file's bytes with one to three changes, each of one of eight kinds."""
    found = source
    for _ in range(draw(st.integers(1, 3))):
        lines = found.split(b"\n")
        at, kind = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, 7))
        value = STRANGE[draw(st.integers(0, len(STRANGE) - 1))].encode()
        if kind == 0:
            lines.pop(at)
        elif kind == 1:
            lines.insert(at, lines[at])
        elif kind == 2 and b":" in lines[at]:
            lines[at] = lines[at].partition(b":")[0] + b": " + value
        elif kind == 3:
            cells = lines[at].split(b",")
            cells[draw(st.integers(0, len(cells) - 1))] = value
            lines[at] = b",".join(cells)
        elif kind == 4:
            lines[at] = b"  " + lines[at]
        elif kind == 5:
            found = found[: draw(st.integers(0, len(found)))]
            continue
        elif kind == 6:
            place = draw(st.integers(0, max(len(found) - 1, 0)))
            found = found[:place] + bytes([draw(st.integers(0, 255))]) + found[place + 1 :]
            continue
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        found = b"\n".join(lines)
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished run."""
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ARCHSIM_DATA", raising=False)
        patch.setenv("XDG_CACHE_HOME", str(folder))
        do_run("mlp-mnist", out=folder / "run", steps=3)
    return folder / "run"


KINDS: dict[str, tuple[Callable[[Path], bytes], str, tuple[str, ...]]] = {
    "technology": (lambda _: TECHNOLOGY.read_bytes(), "bottom-up-14nm.yaml", ("tech", "lint", "FILE")),
    "technology shown": (lambda _: TECHNOLOGY.read_bytes(), "bottom-up-14nm.yaml", ("tech", "show", "FILE")),
    "architecture": (lambda _: ARCHITECTURE.read_bytes(), "mixed-precision.yaml", ("archs", "lint", "FILE")),
    "workload": (lambda _: WORKLOAD.read_bytes(), "mlp-mnist.yaml", ("workloads", "show", "FILE")),
    "device": (lambda _: DEVICE.read_bytes(), "pcm-nandakumar2018.yaml", ("device", "FILE")),
    "pulses": (lambda _: FITTING.encode(), "pulses.csv", ("device", "fit", "FILE", "--out", "made.yaml")),
    "bibliography": (
        lambda _: (files.shipped("tech_params") / "references.bib").read_bytes(), "references.bib",
        ("tech", "show", "bottom-up-14nm"),
    ),
    **{
        f"run's {name}": (lambda run, name=name: (run / name).read_bytes(), f"run/{name}", ("compare", "run", "--quiet"))
        for name in ("run.yaml", "summary.json", "energy.csv", "activity.csv", "training.csv", "area.csv")
    },
}  # fmt: skip


def check(kind: str, cli: Cli, done: Path, content: bytes, folder: Path) -> None:
    _, name, words = KINDS[kind]
    shutil.rmtree(folder / "case", ignore_errors=True)
    case = folder / "case"
    case.mkdir()
    if name.startswith("run/"):
        shutil.copytree(done, case / "run")
    (case / name).write_bytes(content)
    args = [str(case / name) if word == "FILE" else str(case / word) if word in ("made.yaml", "run") else word
            for word in words]  # fmt: skip
    if args[-1] == "bottom-up-14nm":  # the bibliography stands beside a technology
        shutil.copy(TECHNOLOGY, case)
        args[-1] = str(case / TECHNOLOGY.name)
    found = cli(*args)
    assert found.code in EXIT_CODES
    assert found.code != 5, found.err
    assert "Traceback" not in found.out + found.err
    if found.code in (2, 3, 4, 6):
        assert len(found.error) < 5000
        assert (case / name).read_bytes() == content
        written = {path.name for path in case.rglob("*") if path.is_file()} - {Path(name).name, TECHNOLOGY.name}
        assert not {each for each in written if each.startswith(".")}
        assert name.startswith("run/") or not written
    assert not list(case.rglob(".*"))


def test_the_command_line_that_is_fuzzed_is_the_real_one() -> None:
    assert main.__module__ == "archsim.cli"


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_is_read_or_refused_in_a_line(kind: str, cli: Cli, done: Path, tmp_path: Path) -> None:
    source = KINDS[kind][0](done)

    @SHORT
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        check(kind, cli, done, mutated(source, data.draw), tmp_path)

    attack()


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_four_hundred_mutated_files_are_read_or_refused_in_a_line(
    kind: str, cli: Cli, done: Path, tmp_path: Path
) -> None:
    source = KINDS[kind][0](done)

    @LONG
    @given(st.data())
    def attack(data: st.DataObject) -> None:
        check(kind, cli, done, mutated(source, data.draw), tmp_path)

    attack()
