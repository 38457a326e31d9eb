"""Technology files: every rule of the schema with its file, line and key; extends, lint, references, the shipped file."""

import re
from pathlib import Path

import pytest
import yaml

from archsim.accounting.ledger import Action, Entry
from archsim.accounting.technology import lint, list_technologies, read_technology
from archsim.base.bibtex import read_references
from archsim.base.errors import InputError
from archsim.base.files import shipped

TOY = """\
schema: 1
kind: technology
name: toy
title: a toy
times:
  digital.cycle: {value: 1 ns, range: [0.5 ns, 2 ns], basis: assumed, why: a round number}
figures:
  adc:
    value: 5 pJ/conversion
    range: [1 pJ/conversion, 9 pJ/conversion]
    prices: [tile.adc.convert]
    law: per-2^bits
    at: {bits: 8}
    basis: measured
    source: murmann2025
    where: table 1
  memory:
    value: 8 pJ/word
    range: [4 pJ/word, 16 pJ/word]
    prices: [unit.read]
    law: sram-capacity
    at: {capacity: 64 KiB, word: 32 bit}
    points: [[1 KiB, 1 pJ/word], [64 KiB, 8 pJ/word]]
    basis: derived
    source: [cacti7, stillmaker2017]
    where: own run
    derived_by: scaling
  idle: {value: 0 W, prices: [tile.powered], basis: assumed, why: the array is non-volatile}
"""
COUNT = Action("one of them", "arithmetic", part="other", circuit="any")


@pytest.fixture(autouse=True)
def _at_the_top_of_the_repository(monkeypatch):
    """Errors print paths relative to the current folder; the temporary files of these tests lie outside it."""
    monkeypatch.chdir(Path(__file__).parents[3])


def write(folder, text, name="toy"):
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def edited(old, new):
    assert TOY.count(old) == 1, old
    return TOY.replace(old, new)


def refusal(path):
    with pytest.raises(InputError) as caught:
        read_technology(str(path))
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.exit_code == 2
    return message


def test_file_becomes_figures_in_si_units(tmp_path):
    toy = read_technology(str(write(tmp_path, TOY)))
    adc, memory, idle = toy.figures["adc"], toy.figures["memory"], toy.figures["idle"]
    assert (adc.value, adc.low, adc.high, adc.unit) == (5e-12, 1e-12, 9e-12, "J")
    assert (adc.at, adc.origin.sources, adc.line) == ({"bits": 8}, ("murmann2025",), 8)
    assert memory.points == ((8192, pytest.approx(1e-12)), (524288, pytest.approx(8e-12)))
    assert (idle.value, idle.low, idle.high, idle.unit, idle.price_unit) == (0, 0, 0, "W", "W")
    assert toy.pricing == {"tile.adc.convert": "adc", "unit.read": "memory", "tile.powered": "idle"}
    assert list(toy.references) == ["cacti7", "murmann2025", "stillmaker2017"]


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5 pJ", "J"), ("5 pJ/op", "J"), ("4 pJ/bit", "J/bit"), ("4 pJ/byte", "J/bit"), ("0.3 uW/KiB", "W/bit"),
        ("2 mW", "W"), ("0.04 V^2", "V^2"), ("67 fJ/bit/mm", "J/bit/m"), ("67 fJ/(mm*bit)", "J/bit/m"),
    ],
)  # fmt: skip
def test_unit_of_a_figure_is_read_from_its_value(tmp_path, text, unit):
    law = "wire" if unit == "J/bit/m" else "constant"
    figure = f"  x: {{value: {text}, range: [{text}, {text}], prices: [], law: {law}, basis: assumed, why: test}}\n"
    assert read_technology(str(write(tmp_path, TOY + figure))).figures["x"].unit == unit


# what, old text, new text, line, key, beginning of the message
BAD = [
    ("unknown key of the file", "title: a toy", "title: a toy\nnodes: 14 nm", 5, "nodes", "unknown key; expected one of areas, extends, "),
    ("unknown key of a figure", "    where: table 1", "    were: table 1", 16, "figures.adc.were", "unknown key; expected"),
    ("duplicate key", "    law: per-2^bits", "    law: constant\n    law: per-2^bits", 13, "figures.adc.law", "duplicate key"),
    ("missing title", "title: a toy\n", "", None, "title", "is missing"),
    ("other kind", "kind: technology", "kind: device", 2, "kind", "got 'device'; expected 'technology'"),
    ("other schema", "schema: 1", "schema: 2", 1, "schema", "got 2; expected 1"),
    ("name unlike the file's", "name: toy", "name: joy", 3, "name", "got 'joy'; expected 'toy', the file's name"),
    ("number without unit", "value: 5 pJ/conversion", "value: 5", 9, "figures.adc.value", "got 5, a number without a unit"),
    ("no dimension of a price", "value: 5 pJ/conversion", "value: 5 mV", 9, "figures.adc.value", "got '5 mV', which is no price"),
    ("unknown unit", "value: 5 pJ/conversion", "value: 5 pJJ", 9, "figures.adc.value", "got '5 pJJ', whose unit is unknown"),
    ("energy per length", "value: 5 pJ/conversion", "value: 5 pJ/mm", 9, "figures.adc.value", "got '5 pJ/mm', which is no price"),
    ("bits above the line", "value: 5 pJ/conversion", "value: 5 pJ*bit", 9, "figures.adc.value", "got '5 pJ*bit'; expected a price"),
    ("negative value", "value: 5 pJ/conversion", "value: -5 pJ", 9, "figures.adc.value", "got '-5 pJ'; expected a value"),
    ("range in another unit", "[1 pJ/conversion,", "[1 pJ/bit,", 10, "figures.adc.range[0]", "got '1 pJ/bit'; expected a quantity in J"),
    ("negative range", "[1 pJ/conversion,", "[-1 pJ,", 10, "figures.adc.range[0]", "got '-1 pJ'; expected a value that"),
    ("range out of order", "[1 pJ/conversion, 9", "[9 pJ, 1", 10, "figures.adc.range", "is not in order; expected low before high"),
    ("range beside the value", "[1 pJ/conversion,", "[6 pJ,", 10, "figures.adc.range", "does not contain the value"),
    ("range of one", "[1 pJ/conversion, 9 pJ/conversion]", "[1 pJ]", 10, "figures.adc.range", "has 1 values; expected two"),
    ("no range", "    range: [1 pJ/conversion, 9 pJ/conversion]\n", "", 8, "figures.adc.range", "is missing; expected [low, high]"),
    ("no basis", "    basis: measured\n", "", 8, "figures.adc.basis", "is missing; expected the key 'basis'"),
    ("unknown basis", "basis: measured", "basis: guessed", 14, "figures.adc.basis", "got 'guessed'; expected"),
    ("no source", "    source: murmann2025\n", "", 8, "figures.adc", "basis is 'measured' but `source` or `where` is missing"),
    ("no place in the source", "    where: table 1\n", "", 8, "figures.adc", "basis is 'measured' but `source` or `where`"),
    ("no derivation", "    derived_by: scaling\n", "", 17, "figures.memory", "basis is 'derived' but `derived_by` is missing"),
    ("no reason of an assumption", ", why: a round number", "", 6, "times.digital.cycle", "basis is 'assumed' but `why`"),
    ("calibrated to nothing", "basis: measured", "basis: calibrated", 8, "figures.adc", "basis is 'calibrated' but `source` or"),
    ("calibrated, but measured", "    where: table 1", "    where: table 1\n    calibrated: {to: x, was: 1 pJ}", 17, "figures.adc.calibrated", "given, but the basis is 'measured'"),
    ("unknown source", "source: murmann2025", "source: murman2025", 15, "figures.adc.source", "got 'murman2025'; expected a key of references.bib. Did you mean 'murmann2025'?"),
    ("zero without a reason", "value: 5 pJ/conversion\n    range: [1 pJ/conversion, 9 pJ/conversion]", "value: 0 pJ", 8, "figures.adc.why", "is missing, which a value of zero demands"),
    ("priced twice", "prices: [unit.read]", "prices: [unit.read, tile.adc.convert]", 20, "figures.memory.prices[1]", "'tile.adc.convert' is already priced by 'adc'"),
    ("priced and covered", "prices: [unit.read]", "prices: [unit.read]\n    covers: [tile.adc.convert]", 21, "figures.memory.covers[0]", "'tile.adc.convert' is already priced by 'adc'"),
    ("no action", "prices: [unit.read]", "prices: [read]", 20, "figures.memory.prices[0]", "got 'read'; expected an action KIND.ACTION"),
    ("unknown law", "law: per-2^bits", "law: per-2^bit", 12, "figures.adc.law", "got 'per-2^bit'; expected one of constant, "),
    ("law of another unit", "law: per-2^bits", "law: wire", 12, "figures.adc.law", "is wire, but the value is in J; expected a value in J/bit/m"),
    ("no reference size", "    at: {bits: 8}\n", "", 8, "figures.adc.at", "lacks 'bits'; expected bits for the law per-2^bits"),
    ("extra reference size", "at: {bits: 8}", "at: {bits: 8, word: 32 bit}", 13, "figures.adc.at.word", "unknown key; expected only bits for the law"),
    ("reference of a law without", "law: per-2^bits", "law: constant", 13, "figures.adc.at.bits", "unknown key; expected no reference size"),
    ("reference outside the law", "at: {bits: 8}", "at: {bits: 14}", 13, "figures.adc.at", "law per-2^bits holds for bits from 3 to 12, not for 14"),
    ("reference not whole", "at: {bits: 8}", "at: {bits: 8 bit}", 13, "figures.adc.at.bits", "got '8 bit'; expected a whole number of bits"),
    ("capacity without unit", "{capacity: 64 KiB,", "{capacity: '64',", 22, "figures.memory.at.capacity", "got '64'; expected a quantity in bit"),
    ("capacity outside the points", "{capacity: 64 KiB,", "{capacity: 65 KiB,", 22, "figures.memory.at", "the points span 8192 to 524288 bit, not 532480"),
    ("no points", "    points: [[1 KiB, 1 pJ/word], [64 KiB, 8 pJ/word]]\n", "", 17, "figures.memory.points", "law sram-capacity needs at least two points"),
    ("unwanted points", "at: {bits: 8}", "at: {bits: 8}\n    points: [[1 KiB, 1 pJ]]", 14, "figures.adc.points", "law per-2^bits takes no points"),
    ("points out of order", "[[1 KiB, 1 pJ/word], [64 KiB,", "[[128 KiB, 1 pJ/word], [64 KiB,", 23, "figures.memory.points", "points are not positive and in order"),
    ("point of one", "[[1 KiB, 1 pJ/word],", "[[1 KiB],", 23, "figures.memory.points[0]", "has 1 values; expected a pair"),
    ("point in another unit", "[[1 KiB, 1 pJ/word],", "[[1 KiB, 1 pJ/bit],", 23, "figures.memory.points[0][1]", "got '1 pJ/bit'; expected a quantity in J"),
    ("time in another unit", "value: 1 ns", "value: 1 nm", 6, "times.digital.cycle.value", "got '1 nm', which is no quantity in s"),
    ("negative time", "value: 1 ns", "value: -1 ns", 6, "times.digital.cycle.value", "got '-1 ns'; expected a value that is not negative"),
    ("time outside its range", "[0.5 ns, 2 ns]", "[2 ns, 3 ns]", 6, "times.digital.cycle.range", "does not contain the value"),
    ("law in a time", "range: [0.5 ns, 2 ns]", "law: constant", 6, "times.digital.cycle.law", "unknown key; expected one of"),
    ("figure that is no mapping", "  idle: {value", "  other: 5 pJ\n  idle: {value", 28, "figures.other", "got '5 pJ'; expected a mapping"),
    ("unknown ancestor", "title: a toy", "title: a toy\nextends: bottom-up-14", 5, "extends", "got 'bottom-up-14'; expected a file, or one of "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "expected"), [(case[1], case[2], case[3:]) for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_file_is_refused_with_file_line_and_key(tmp_path, old, new, expected):
    line, key, says = expected
    path = write(tmp_path, edited(old, new))
    where = f"{path}:{line}" if line else f"{path}(:1)?"
    assert re.match(f"{where}: {re.escape(key)}: {re.escape(says)}", refusal(path)), refusal(path)


CHILD = """\
schema: 1
kind: technology
name: child
title: a child
extends: toy
figures:
  adc:
    value: 7 pJ/conversion
    range: [5 pJ/conversion, 9 pJ/conversion]
    prices: [tile.adc.convert]
    law: per-2^bits
    at: {bits: 8}
    basis: calibrated
    source: murmann2025
    calibrated: {to: a measured chip, was: 5 pJ/conversion}
"""


def test_child_replaces_whole_figures_and_keeps_the_others(tmp_path):
    parent, path = write(tmp_path, TOY), write(tmp_path, CHILD, "child")
    child, toy = read_technology(str(path)), read_technology(str(parent))
    assert (child.name, child.ancestors) == ("child", (parent,))
    assert (child.figures["adc"].value, child.figures["adc"].file) == (7e-12, path)
    assert child.figures["adc"].origin.calibrated.was == "5 pJ/conversion"
    assert child.figures["adc"].origin.where is None
    assert (child.figures["memory"], child.times, child.pricing) == (toy.figures["memory"], toy.times, toy.pricing)


def test_calibration_from_a_value_in_another_unit_is_refused(tmp_path):
    write(tmp_path, TOY)
    path = write(tmp_path, CHILD.replace("was: 5 pJ/conversion", "was: 5 pJ/bit"), "child")
    assert refusal(path).startswith(f"{path}:15: figures.adc.calibrated.was: got '5 pJ/bit'; expected a quantity in J")


def test_new_figure_of_a_child_may_not_price_an_action_of_its_parent(tmp_path):
    write(tmp_path, TOY)
    path = write(tmp_path, CHILD.replace("  adc:", "  adc2:"), "child")
    assert refusal(path).startswith(f"{path}:10: figures.adc2.prices[0]: 'tile.adc.convert' is already priced by 'adc'")


def test_figure_of_a_child_may_cover_an_action_that_its_parent_s_figure_gives_up(tmp_path):
    write(tmp_path, TOY)
    more = "  idle: {value: 0 W, prices: [], basis: assumed, why: part of adc}\n"
    text = CHILD.replace("    law: per-2^bits", "    covers: [tile.powered]\n    law: per-2^bits") + more
    child = read_technology(str(write(tmp_path, text, "child")))
    assert child.covering == {"tile.powered": "adc"}
    assert child.figure_for("tile.powered").name == "adc"


def test_circle_of_ancestors_is_refused_and_named(tmp_path):
    path = write(tmp_path, TOY.replace("title: a toy", "title: a toy\nextends: child"))
    write(tmp_path, CHILD, "child")
    circle = f"{tmp_path / 'child.yaml'}:5: extends: runs in a circle: toy -> child -> toy"
    assert refusal(path) == circle


def test_shipped_name_may_be_extended_from_any_folder(tmp_path):
    path = write(
        tmp_path,
        CHILD.replace("extends: toy", "extends: bottom-up-14nm").replace("  adc:", "  adc.conversion:"),
        "child",
    )
    child = read_technology(str(path))
    assert child.figures["adc.conversion"].value == 7e-12
    assert child.ancestors == (shipped("tech_params") / "bottom-up-14nm.yaml",)


def test_bibliography_beside_the_file_is_read_too(tmp_path):
    (tmp_path / "references.bib").write_text("@misc{mine, title = {Our own measurement}}")
    toy = read_technology(str(write(tmp_path, edited("source: murmann2025", "source: mine"))))
    assert toy.references["mine"].fields == {"title": "Our own measurement"}


def test_hash_covers_the_ancestors(tmp_path):
    write(tmp_path, TOY)
    path = write(tmp_path, CHILD, "child")
    before = read_technology(str(path)).sha256
    write(tmp_path, TOY + "# a remark\n")
    assert read_technology(str(path)).sha256 != before


def test_times_hash_follows_the_times_alone(tmp_path):
    before = read_technology(str(write(tmp_path, TOY))).times_hash
    assert (
        read_technology(str(write(tmp_path, edited("value: 5 pJ/conversion", "value: 6 pJ/conversion")))).times_hash
        == before
    )
    assert read_technology(str(write(tmp_path, edited("value: 1 ns", "value: 2 ns")))).times_hash != before


def test_time_is_in_seconds_and_an_unknown_one_lists_the_known(tmp_path):
    path = write(tmp_path, TOY)
    toy = read_technology(str(path))
    assert toy.time_s("digital.cycle") == 1e-9
    with pytest.raises(InputError) as caught:
        toy.time_s("digital.cycles")
    expected = "gives no time 'digital.cycles'; expected one of digital.cycle. Did you mean 'digital.cycle'?"
    assert str(caught.value) == f"{path}: times: {expected}"


def test_lint_names_unpriced_actions_units_and_sizes_and_notes_idle_figures(tmp_path):
    path = write(tmp_path, TOY)
    toy = read_technology(str(path))
    entries = [
        Entry("tile0", "tile.adc.convert", COUNT, {"bits": 8}),
        Entry("tile1", "tile.adc.convert", COUNT, {"bits": 14}),
        Entry("tile0", "tile.adc.converts", COUNT),
        Entry("tile0", "tile.powered", COUNT),
    ]
    lines = lint(toy, entries)
    assert lines[0] == (
        f"{path}: figure 'adc' for 'tile.adc.convert' of 'tile1': law per-2^bits holds for bits from 3 to 12, not for 14"
    )
    assert lines[1] == f"{path}: no figure prices 'tile.adc.converts' (one of them). Did you mean 'tile.adc.convert'?"
    assert lines[2].endswith(
        "figures.idle: prices 'tile.powered', counted in a plain count, in W; expected a price in J"
    )
    assert lines[3] == f"note: {path}:17: figures.memory: prices nothing that these chips do"
    assert len(lines) == 4  # the shipped bibliography serves many files: what this one leaves out is no news


def test_lint_names_sources_of_a_bibliography_beside_the_file_that_nothing_names(tmp_path):
    path = write(tmp_path, TOY)
    (tmp_path / "references.bib").write_text("@misc{mine2026, title = {Mine}}\n")
    note = f"note: {path}: names none of these sources of its references.bib: mine2026"
    assert note in lint(read_technology(str(path)))


@pytest.mark.parametrize("name", list_technologies())
def test_shipped_technology_is_free_of_problems(name):
    problems = [line for line in lint(read_technology(name)) if not line.startswith("note: ")]
    assert problems == []


def test_bottom_up_technology_gives_all_times_of_the_chips():
    technology = read_technology("bottom-up-14nm")
    expected = {
        "digital.cycle", "sram.access", "tile.dac.period", "tile.settle", "tile.adc.conversion", "bus.cycle", "host.cycle",
        "programmer.set_pulse", "programmer.reset_pulse", "programmer.read", "writer.up_pulse", "writer.down_pulse",
        "link.cycle", *(f"{kind}.{what}" for kind in ("lpddr5", "hbm2e", "hbm3") for what in ("burst", "latency")),
    }  # fmt: skip
    assert set(technology.times) == expected


def test_bottom_up_technology_uses_nothing_of_the_system_study():
    technology = read_technology("bottom-up-14nm")
    assert all("nandakumar" not in key for key in technology.references)
    assert all(figure.origin.basis != "calibrated" for figure in technology.figures.values())


def sources(data):
    if isinstance(data, list):
        return {source for item in data for source in sources(item)}
    if not isinstance(data, dict):
        return set()
    own = data.get("source", [])
    return set([own] if isinstance(own, str) else own) | sources(list(data.values()))


def test_every_source_is_in_the_bibliography_and_every_entry_is_used():
    folder = shipped("tech_params")
    named = {key for path in sorted(folder.rglob("*.yaml")) for key in sources(yaml.safe_load(path.read_text()))}
    assert named == set(read_references(folder / "references.bib"))


def test_every_entry_of_the_bibliography_has_title_and_year():
    for reference in read_references(shipped("tech_params") / "references.bib").values():
        assert {"title", "year"} <= set(reference.fields), reference.key


def test_bib_reader_joins_lines_and_drops_braces(tmp_path):
    path = tmp_path / "x.bib"
    path.write_text(
        '% remark\n@Article{key1,\n  title = {A {B}\n    C},\n  year = 2020, doi = "10.1/x",\n}\n@misc{key2, note={n}}'
    )
    found = read_references(path)
    assert found["key1"].fields == {"title": "A B C", "year": "2020", "doi": "10.1/x"}
    assert (found["key1"].kind, found["key1"].line, found["key2"].line) == ("article", 2, 7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@misc{a, title={x}}\n@misc{a, title={y}}", "{path}:2: a: key given before, in line 1"),
        ("@misc{a, title={x}", "{path}:1: a: entry is not closed; expected }"),
        (
            "\n@misc{, title={x}}",
            "{path}:2: entry without a key of letters, digits and :.+/-; expected @kind{key, ...}",
        ),
    ],
)
def test_broken_bibliography_is_refused_with_its_line(tmp_path, text, message):
    path = Path(tmp_path) / "x.bib"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_references(path)
    assert str(caught.value) == message.replace("{path}", str(path))
