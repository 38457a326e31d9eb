from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from archsim.base import files, registry, units, yamlfile
from archsim.base.errors import InputError, ModelError, nearest
from archsim.base.rounding import Quantiser
from archsim.base.streams import Normals, Streams


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("250 ns", "s", 250e-9), ("1.2 pJ/conversion", "J", 1.2e-12), ("67 fJ/bit/mm", "J/bit/m", 67e-12),
        ("8 uS", "S", 8e-6), ("0.04 V^2", "V^2", 0.04), ("1 MiB", "bit", 2**23), ("1e-9 s", "s", 1e-9), ("3 op", "", 3),
    ],
)  # fmt: skip
def test_a_quantity_becomes_its_si_value(text: str, unit: str, value: float) -> None:
    assert units.parse(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (3, "a number without a unit"), (True, "got True"), (None, "got None"), ("3", "a number without a unit"),
        ("3 V", "no quantity in s"), ("8 bananas", "unit is unknown"), ("nan s", "not finite"), ("inf s", "not finite"),
        ("1 ns (", "cannot be read"), ("", "cannot be read"), ([1], "got [1]"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_an_example(text: object, words: str) -> None:
    with pytest.raises(InputError) as caught:
        units.parse(text, "s")
    assert words in str(caught.value)
    assert '"250 ns"' in str(caught.value)


@given(st.floats(1e-17, 1e13), st.sampled_from(["J", "s", "S", "W", "J/bit"]))
def test_what_is_shown_can_be_read_back(value: float, unit: str) -> None:
    assert units.parse(units.show(value, unit, digits=12), unit) == pytest.approx(value, rel=1e-10)


def test_no_prefix_stands_before_a_power() -> None:
    assert units.show(0.0353, "V^2") == "0.0353 V^2"


@pytest.mark.parametrize(("seconds", "ps"), [(1e-9, 1000), (2.5e-12 * 400, 1000), (0, 0), (1.0, 10**12)])
def test_durations_become_whole_picoseconds(seconds: float, ps: int) -> None:
    assert units.picoseconds(seconds) == ps


@pytest.mark.parametrize("seconds", [1.4e-12, 1.6e-12, 0.4e-12, 99.6e-12, 100.4e-12])
def test_rounding_that_distorts_is_refused_up_and_down(seconds: float) -> None:
    with pytest.raises(ModelError, match="not a whole number of picoseconds"):
        units.picoseconds(seconds, "a hold")


def test_an_error_is_one_line_with_file_line_key_value_and_what_would_be_right() -> None:
    error = InputError(file="a.yaml", line=3, key="x.y", value=7, expected="8", hint=nearest("bitz", ["bits", "rows"]))
    assert str(error) == "a.yaml:3: x.y: got 7; expected 8. Did you mean 'bits'?"
    assert isinstance(error, ValueError)


def write(folder: Path, text: str) -> Path:
    path = folder / "t.yaml"
    path.write_text(text)
    return path


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    data = yamlfile.read(write(tmp_path, "a: 1e-9\nb: no\nc: on\nd: true\ne: 0x1F\nf: 1_000\ng: .5\nh: null\n")).data
    assert data == {"a": 1e-9, "b": "no", "c": "on", "d": True, "e": "0x1F", "f": "1_000", "g": 0.5, "h": None}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "t.yaml:3: a: duplicate key, first given in line 1"),
        ("a:\n  b: 1\n  b: 2\n", "t.yaml:3: a.b: duplicate key, first given in line 2"),
        ("a: [1, 2\n", "is not valid YAML"), ("- 1\n", "holds no mapping"), ("", "holds no mapping"),
    ],
)  # fmt: skip
def test_bad_yaml_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match="t.yaml") as caught:
        yamlfile.read(write(tmp_path, text))
    assert words in str(caught.value)


class Inner(yamlfile.Record):
    """A part of a file."""

    time: Annotated[float, yamlfile.quantity("s")]


class Outer(yamlfile.FileRecord):
    """A file."""

    parts: dict[str, Inner]
    rows: list[Inner] = []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema: 1\nparts:\n  a: {tme: 1 s}\n", "t.yaml:3: parts.a.tme: unknown key; expected one of time. Did you mean 'time'?"),
        ("schema: 1\nparts:\n  a:\n    time: 5\n", "t.yaml:4: parts.a.time: got 5, a number without a unit"),
        ("schema: 1\nparts: {}\nrows:\n- time: 1 s\n- time: 1 V\n", "t.yaml:5: rows[1].time: got '1 V'"),
        ("parts: {}\n", "schema: is missing"),
        ("schema: 2\nparts: {}\n", "t.yaml:1: schema: got 2; expected 1"),
    ],
)  # fmt: skip
def test_what_breaks_a_schema_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        yamlfile.validate(yamlfile.read(write(tmp_path, text)), Outer)
    assert words in str(caught.value)


def test_a_setting_is_laid_over_the_file_and_named_when_it_is_wrong(tmp_path: Path) -> None:
    document = yamlfile.read(write(tmp_path, "schema: 1\nparts:\n  a: {time: 1 s}\n"))
    changed = document.with_settings({("parts", "a", "time"): "2 ms"})
    assert yamlfile.validate(changed, Outer).parts["a"].time == pytest.approx(2e-3)
    assert document.data["parts"]["a"]["time"] == "1 s"
    with pytest.raises(InputError, match=r"--set: parts.a.time: got 'soon'"):
        yamlfile.validate(document.with_settings({("parts", "a", "time"): "soon"}), Outer)
    with pytest.raises(InputError, match="the path of an existing key"):
        document.with_settings({("schema", "x"): "1"})


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.replacing(path) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_streams_know_their_name_and_nothing_of_each_other() -> None:
    alone = Streams(5).generator("a").standard_normal(4)
    streams = Streams(5)
    streams.generator("b").standard_normal(100)
    assert (streams.generator("a").standard_normal(4) == alone).all()
    assert (Streams(6).generator("a").standard_normal(4) != alone).all()
    assert Streams(5).word("a") != Streams(5).word("b")


@given(st.lists(st.integers(0, 6000), max_size=12))
def test_normals_drawn_ahead_are_the_same_numbers(sizes: list[int]) -> None:
    ahead = Normals(np.random.default_rng(1))
    drawn = np.concatenate([np.empty(0), *(ahead.standard_normal(n) for n in sizes)])
    plain = np.random.default_rng(1)
    blocks = np.concatenate([plain.standard_normal(4096) for _ in range(12 + 2 * sum(sizes) // 4096)])
    if max(sizes, default=0) <= 4096:
        assert (drawn == blocks[: drawn.size]).all()
    assert drawn.size == sum(sizes)


@given(hnp.arrays(np.float32, (2, 7), elements=st.floats(-30, 30, width=32)), st.integers(2, 12), st.floats(0.1, 20))
def test_quantisation_rounds_to_the_nearest_code_and_clips(x: np.ndarray, bits: int, scale: float) -> None:
    grid = Quantiser(bits)
    y, nonzero, clipped = grid.convert(x, scale)
    step = scale / grid.levels
    inside = np.abs(x) <= scale
    assert np.abs(y).max() <= scale * (1 + 1e-5)
    assert np.abs(y - x)[inside].max(initial=0) <= step / 2 * (1 + 1e-4) + 1e-6
    assert nonzero == np.count_nonzero(y)
    assert clipped <= np.count_nonzero(~inside)
    again, _, _ = grid.convert(y, scale)
    assert again == pytest.approx(y, rel=1e-5, abs=1e-6)
    mirrored, _, _ = grid.convert(-x, scale)
    assert (mirrored == -y).all()


def test_an_ideal_converter_changes_nothing() -> None:
    x = np.array([[1e9, -3.3, 0.0]], np.float32)
    y, nonzero, clipped = Quantiser(8, ideal=True).convert(x, 1.0)
    assert (y == x).all()
    assert (nonzero, clipped) == (2, 0)


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'digital32'"):
        registry.load("chip", "digital23")
