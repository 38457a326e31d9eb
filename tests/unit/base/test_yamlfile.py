"""YAML read strictly: scalars of YAML 1.2, no key twice, every error with file, line and key."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.base import yamlfile
from archsim.base.errors import InputError


def write(folder: Path, text: str) -> Path:
    path = folder / "t.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, text: str) -> dict[str, Any]:
    return yamlfile.read(write(folder, text)).data


def refused(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        yamlfile.validate(yamlfile.read(write(folder, text)), Outer)
    return str(caught.value)


class Inner(yamlfile.Record):
    """A part of a file."""

    time: Annotated[float, yamlfile.quantity("s")]


class Outer(yamlfile.FileRecord):
    """A file."""

    parts: dict[str, Inner]
    rows: list[Inner] = []
    either: Inner | None = None
    some: dict[str, str | list[str]] = {}


# --- Scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-9", 1e-9), ("1E5", 1e5), (".5", 0.5), ("1.", 1.0), ("-3", -3), ("+5", 5), ("007", 7), (".inf", math.inf),
        ("-.inf", -math.inf), ("true", True), ("False", False), ("null", None), ("~", None), ("no", "no"), ("on", "on"),
        ("yes", "yes"), ("off", "off"), ("y", "y"), ("1_000", "1_000"), ("1:30", "1:30"), ("2026-01-01", "2026-01-01"),
        ("'1'", "1"), ('"true"', "true"), ("1 s", "1 s"), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(tmp_path: Path, text: str, value: object) -> None:
    found = read(tmp_path, f"a: {text}\n")["a"]
    assert found == value
    assert type(found) is type(value)


def test_a_key_without_a_value_is_null(tmp_path: Path) -> None:
    assert read(tmp_path, "a:\nb: 1\n") == {"a": None, "b": 1}


@given(st.floats(allow_nan=False))
def test_a_number_as_python_writes_it_is_that_number(value: float) -> None:
    node = yamlfile.yaml.compose(f"a: {str(value).replace('inf', '.inf')}", Loader=yamlfile._Loader)
    assert yamlfile._built(node, (), {}, Path("t.yaml")) == {"a": value}


def test_an_anchor_stands_for_its_value(tmp_path: Path) -> None:
    assert read(tmp_path, "a: &x {p: 1}\nb: *x\n") == {"a": {"p": 1}, "b": {"p": 1}}


# --- What is no file of ours


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", "t.yaml:3: a: duplicate key, first given in line 1"),
        ("a:\n  b: 1\n  b: 2\n", "t.yaml:3: a.b: duplicate key, first given in line 2"),
        ("a:\n- {b: 1,\n   b: 2}\n", "t.yaml:3: a[0].b: duplicate key, first given in line 2"),
        ("a: [1, 2\n", "is not valid YAML"), ("a: 1\n---\nb: 2\n", "t.yaml:2: is not valid YAML"),
        ("- 1\n", "t.yaml:1: holds no mapping; expected keys and values"), ("", "holds no mapping"),
        ("just text\n", "holds no mapping"), ("a: *x\n", "is not valid YAML"), ("\tb: 1\n", "t.yaml:1: is not valid YAML"),
    ],
)  # fmt: skip
def test_bad_yaml_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match="t.yaml") as caught:
        read(tmp_path, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a: \x00\n", "? [1]\n: 2\n", "? {a: 1}\n: 2\n", "a: !foo x\n", "a: !!binary x\n", "a: !!int x\n",
        "a: !!float x\n", "a: &x [*x]\n", "a: !!python/object:os.system x\n",
    ],
)  # fmt: skip
def test_whatever_a_file_holds_the_error_is_one_line_that_names_it(tmp_path: Path, text: str) -> None:
    """Complex keys, unknown tags, control characters and an anchor inside itself are bad input, not a traceback."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert "t.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_opened_or_decoded_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none.yaml: no such file"):
        yamlfile.read(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="is a directory; expected a YAML file"):
        yamlfile.read(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("a: µ\n".encode("latin-1"))
    with pytest.raises(InputError, match="latin.yaml: is not UTF-8 text"):
        yamlfile.read(tmp_path / "latin.yaml")


# --- Schemas


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("schema: 1\nparts:\n  a: {tme: 1 s}\n", "t.yaml:3: parts.a.tme: unknown key; expected one of time. Did you mean 'time'?"),
        ("schema: 1\nparts:\n  a:\n    time: 5\n", "t.yaml:4: parts.a.time: got 5, a number without a unit"),
        ("schema: 1\nparts: {}\nrows:\n- time: 1 s\n- time: 1 V\n", "t.yaml:5: rows[1].time: got '1 V'"),
        ("schema: 1\nparts: {}\npart: {}\n", "t.yaml:3: part: unknown key; expected one of either, parts, rows, schema, some. Did"),
        ("schema: 1\nparts: {}\neither: {tim: 1 s}\n", "t.yaml:3: either.tim: unknown key; expected one of time. Did you mean 'time'?"),
        ("schema: 1\nparts: {}\nrows:\n- {zebra: 1, time: 1 s}\n", "t.yaml:4: rows[0].zebra: unknown key; expected one of time"),
        ("schema: 1\nparts: 3\n", "t.yaml:2: parts: got 3; expected a block of keys"),
        ("schema: 1\n", "parts: is missing; expected the key 'parts', a block of keys"),
        ("parts: {}\n", "schema: is missing; expected the key 'schema', 1"),
        ("schema: 1\nparts:\n  a: {}\n", "t.yaml:3: parts.a.time: is missing; expected the key 'time', a quantity in s with its unit, such as \"250 ns\""),
        ("schema: 1\nparts: {}\nsome: {a: {b: 1}}\n", "t.yaml:3: some.a: got {'b': 1}; expected a valid string"),
        ("schema: 2\nparts: {}\n", "t.yaml:1: schema: got 2; expected 1"),
    ],
)  # fmt: skip
def test_what_breaks_a_schema_is_named_by_line(tmp_path: Path, text: str, words: str) -> None:
    assert words in refused(tmp_path, text)


def test_of_two_mistakes_the_first_in_the_file_is_named(tmp_path: Path) -> None:
    assert ":2: parts.a.time" in refused(tmp_path, "parts:\n  a: {time: 1}\nrows:\n- {time: 2}\nschema: 1\n")


def test_a_validated_piece_does_not_change(tmp_path: Path) -> None:
    model = yamlfile.validate(yamlfile.read(write(tmp_path, "schema: 1\nparts: {a: {time: 2 ms}}\n")), Outer)
    assert model.parts["a"].time == pytest.approx(2e-3)
    with pytest.raises(ValueError, match="frozen"):
        model.rows = []  # type: ignore[misc]


# --- Lines


def test_the_line_of_a_key_is_that_of_the_nearest_key_above_it(tmp_path: Path) -> None:
    document = yamlfile.read(write(tmp_path, "# comment\na:\n  b:\n  - 1\n  - c: 2\n\nd: {e: 1,\n  f: 2}\n"))
    lines = {("a",): 2, ("a", "b"): 3, ("a", "b", 0): 4, ("a", "b", 1, "c"): 5, ("d", "e"): 7, ("d", "f"): 8}
    assert {key: document.line(key) for key in lines} == lines
    assert document.line(("d", "nowhere", "x")) == 7


def test_a_path_is_written_with_dots_and_brackets() -> None:
    assert yamlfile.dotted(("layers", 0, "units")) == "layers[0].units"
    assert yamlfile.dotted(()) == ""


# --- Settings

PLAIN = "schema: 1\nparts:\n  a: {time: 1 s}\nrows:\n- time: 3 s\n"


def changed(folder: Path, key: yamlfile.Key, text: str) -> Outer:
    return yamlfile.validate(yamlfile.read(write(folder, PLAIN)).with_settings({key: text}), Outer)


def test_a_setting_is_laid_over_the_file_and_leaves_the_document_alone(tmp_path: Path) -> None:
    document = yamlfile.read(write(tmp_path, PLAIN))
    settled = document.with_settings({("parts", "a", "time"): "2 ms", ("rows", "0", "time"): "5 ns"})
    model = yamlfile.validate(settled, Outer)
    assert (model.parts["a"].time, model.rows[0].time) == pytest.approx((2e-3, 5e-9))
    assert document.data["parts"]["a"]["time"] == "1 s"
    assert settled.settings.keys() == {("parts", "a", "time"), ("rows", 0, "time")}


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        (("parts", "a", "time"), "soon", "--set: parts.a.time: got 'soon'"),
        (("parts", "a", "tme"), "1 s", "--set: parts.a.tme: unknown key; expected one of time. Did you mean 'time'?"),
        (("rows", "0", "time"), "1 V", "--set: rows[0].time: got '1 V'"),
        (("schema", "x"), "1", "--set: schema.x: got '1'; expected the path of an existing key"),
        (("rows", "1", "time"), "1 s", "expected the path of an existing key"),
        (("parts", "a", "time"), "[", "--set: parts.a.time: got '['; expected a YAML value"),
        (("schema",), "no", "--set: schema: got 'no'; expected 1"),
    ],
)
def test_a_wrong_setting_names_the_option(tmp_path: Path, key: yamlfile.Key, text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        changed(tmp_path, key, text)
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["!!int x", "!!float x", "? [1]\n: 2", "&x [*x]", "{time: 1 s, time: 2 s}"])
def test_a_setting_obeys_the_rules_of_a_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"--set: parts\.a: "):
        changed(tmp_path, ("parts", "a"), text)


def test_an_error_beside_a_setting_still_names_the_file(tmp_path: Path) -> None:
    document = yamlfile.read(write(tmp_path, "schema: 1\nparts:\n  a: {time: 1 s}\n  b: {time: 7}\n"))
    with pytest.raises(InputError, match=r"t\.yaml:4: parts\.b\.time: got 7"):
        yamlfile.validate(document.with_settings({("parts", "a", "time"): "2 s"}), Outer)
