from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from layout_kit import faults

from archsim.api import run as run_once
from archsim.base.errors import InputError
from archsim.records.recorded import read
from archsim.report import style
from archsim.report.explain import page, words
from archsim.report.explain.charts import distribution
from archsim.report.explain.decomposition import Chips, made
from archsim.studies.explain.designs import SPACE, Design, Designs, Space
from archsim.studies.explain.explain import Explanation, explain
from archsim.studies.explain.sensitivity import Spread
from archsim.studies.explain.totals import total
from archsim.studies.explain.variants import Outcome, Reruns, Variant


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Explanation:
    """The explanation of a small run of both chips, without re-runs."""
    folder = tmp_path_factory.mktemp("explained")
    run_once("mlp-mnist", out=folder / "run", steps=120)
    found = explain(folder / "run", steps=None, samples=2000)
    assert found.published is None  # these data are not the published ones
    return replace(found, published=172.0)


BASELINE, CHIP = "digital32", "mixed-precision"


def outcome(name: str, kind: str, *, ratio: float, accuracy: float = 0.8) -> Outcome:
    variant = Variant(name, (("a.b", "2"),), "why & <how>")
    baseline, chip = (ratio * 1e-7, 1e-7) if kind == BASELINE else (2e-6, 2e-6 / ratio)
    against = ratio / 2 if kind == BASELINE else None
    settings, energies = (f"{kind}.a.b=2",), (baseline, chip)
    return Outcome(variant, kind, settings, energies, (0.9, accuracy), ratio, ratio / 20 - 1, against)


@pytest.fixture(scope="module")
def full(bare: Explanation) -> Explanation:
    """The same with re-runs made by hand: a reference of 20, and four changes."""
    reference = Outcome(None, "", (), (2e-6, 1e-7), (0.9, 0.8), 20.0, 0.0, None)
    variants = (
        outcome("many lanes", BASELINE, ratio=5.0), outcome("wide", BASELINE, ratio=19.0),
        outcome("coarse errors", CHIP, ratio=70.0, accuracy=0.5), outcome("fine errors", CHIP, ratio=10.0),
    )  # fmt: skip
    sides = ((BASELINE, "mac_array.", 5.9e-6), (CHIP, ("outer_product.", "tile."), 5e-8))
    space = Space(3000, tuple(by_hand(chip, blocks, energy) for chip, blocks, energy in sides))
    pair = bare.spent
    totals = tuple(
        total(replace(pair, chips=(name,), energy=pair.energy[k : k + 1]), published, samples=500,
              distribution="log-triangular", seed=1)
        for k, (name, published) in enumerate(((BASELINE, 14.35e-6), (CHIP, 83.2e-9)))
    )  # fmt: skip
    return replace(bare, reruns=Reruns(3000, reference, variants), space=space, totals=totals)


def by_hand(chip: str, blocks: str | tuple[str, ...], energy: float) -> Designs:
    """Return designs over all real decisions of a chip, each later choice making it half as dear again."""
    axes = tuple(axis for axis in SPACE if axis.choices[0].settings[0][0].startswith(blocks))
    every = tuple(
        Design(choices, 1.5 ** sum(a.choices.index(c) for a, c in zip(axes, choices, strict=True)), 0.9, own=not k)
        for k, choices in enumerate(itertools.product(*(axis.choices for axis in axes)))
    )
    return Designs(chip, axes, every, energy, 0.9)


@pytest.fixture(scope="module")
def written(full: Explanation, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return page.write(full, tmp_path_factory.mktemp("page") / "out")


def test_the_page_stands_alone_and_the_files_beside_it_are_whole(written: list[Path]) -> None:
    assert written[0].name == "explain.html"
    assert all(path.is_file() for path in written)
    names = {path.name for path in written}
    assert {"explain.md", "explain.json", "tornado.png", "tornado.svg", "reruns.svg", "distribution.png"} <= names
    text = written[0].read_text(encoding="utf-8")
    outside = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.findall(r"https?://|src=\"(?!\")|url\(|@import|<script|<link", outside)
    assert outside.count("<img") == 6
    assert "why &amp; &lt;how&gt;" in outside
    assert "why & <how>" not in outside
    assert "color-scheme: light dark" in outside
    for path in written:
        if path.suffix == ".svg":
            ET.parse(path)  # noqa: S314  our own file
    document = (written[0].parent / "explain.md").read_text(encoding="utf-8")
    for figure in re.findall(r"!\[.*?\]\((.*?)\)", document):
        assert (written[0].parent / figure).is_file()


@pytest.mark.long
def test_the_same_explanation_gives_the_same_files(
    full: Explanation, written: list[Path], tmp_path: Path
) -> None:  # fmt: skip
    for one, other in zip(written, page.write(full, tmp_path / "again"), strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_json_holds_the_numbers_of_the_explanation(full: Explanation, written: list[Path]) -> None:
    content = json.loads((written[0].parent / "explain.json").read_text())
    assert content["figures"]["ratio"] == full.spent.nominal
    assert content["figures"]["interval_90"] == list(full.spread.interval)
    assert content["figures"]["published_inside"] == (full.spread.interval[0] <= 172 <= full.spread.interval[1])
    assert [row["name"] for row in content["reruns"]["variants"]] == [one.name for one in full.reruns.variants]  # type: ignore[union-attr]
    assert content["reruns"]["variants"][0]["ratio_against_run"] == 2.5


def test_the_parts_of_each_chip_add_up_and_the_identity_holds(bare: Explanation) -> None:
    run = read(bare.run)
    chips = [made(run, name, bare.technology.name) for name in bare.spent.chips]
    for chip, energy in zip(chips, bare.spent.energy, strict=True):
        assert chip.total == pytest.approx(energy.sum(), rel=1e-12)
        assert sum(chip.energy(part) for part in chip.parts) == pytest.approx(chip.total, rel=1e-12)
        assert sum(chip.energy(phase=phase) for phase in chip.phases) == pytest.approx(chip.total, rel=1e-12)
        heart = chip.heart
        assert heart.count * heart.price / heart.share == pytest.approx(chip.total, rel=1e-12)
    b, c = chips[0].heart, chips[1].heart
    product = b.count / c.count * (b.price / c.price) * (c.share / b.share)
    assert product == pytest.approx(bare.spent.nominal, rel=1e-12)
    assert (b.part, c.part) == ("weight memory", "chi memory")


def test_sentences_follow_the_numbers(bare: Explanation, full: Explanation) -> None:
    text = " ".join(words.together(bare))
    assert f"{bare.spread.percentile(50):.1f}" in text or f"{bare.spread.percentile(50):.2f}" in text
    assert "172 lies outside" in text
    assert "172 lies inside" in " ".join(words.together(replace(bare, spread=at(bare, 172.0))))
    assert "figures alone cannot give 1e+06" in " ".join(words.together(replace(bare, published=1e6)))
    assert "cannot give" not in " ".join(words.together(replace(bare, bounds=(1.0, 1000.0))))
    another = " ".join(words.for_another(full))
    assert "2.50 with “many lanes”" in another
    assert "“coarse errors” ×3.5 (accuracy 50.0 %)" in another
    assert "left out" in words.for_another(bare)[0]
    near = replace(full, published=bare.spent.nominal)
    assert "as it is" in words.for_another(near)[-1]


def at(found: Explanation, ratio: float) -> Spread:
    return replace(found.spread, values=np.full(100, ratio))


def test_designs_and_totals_are_told_by_the_numbers(full: Explanation) -> None:
    assert full.space is not None
    text = " ".join([*page.designs.over_designs(full, full.space), *page.designs.totals(full)])
    values = full.space.values
    assert "Over 288 pairs of designs" in text
    assert f"{values.min():.1f} to {values.max():.1f}" in text
    near = int(((values > 172 / 1.2) & (values < 172 * 1.2)).sum())
    assert f"{near} of them come within a factor of 1.2 of the paper's 172" in text
    assert "chi's memory of mixed-precision" in text, "three choices, so it decides most"
    assert f"{CHIP} spends" in text
    assert "Not varied: the memory cell; all designs have SRAM of low-standby-power cells, for no other cell" in text
    assert "(sources: giterman2020, isaac2016 and cacti7)" in text
    assert "Of 6 designs of digital32" in text
    axes = page.DRAWN["designs"][0](full, chips_of(full)).axes[0]
    drawn = [y for line in axes.lines for y in np.asarray(line.get_ydata()) if line.get_marker() == "o"]
    assert sorted(drawn) == pytest.approx(sorted(values.ravel()))


@pytest.mark.parametrize(
    ("chip", "blocks"), [(BASELINE, "mac_array."), (CHIP, ("outer_product.", "tile.")), (CHIP, "tile.")]
)
def test_designs_of_one_chip_are_drawn_however_few_decisions_it_has(
    bare: Explanation, chip: str, blocks: str | tuple[str, ...]
) -> None:
    space = Space(100, (by_hand(chip, blocks, 1e-7),))
    pair = bare.spent
    k = pair.chips.index(chip)
    alone = replace(
        bare, spent=replace(pair, chips=(chip,), energy=pair.energy[k : k + 1]), space=space, published=None
    )
    with style.applied():
        axes = page.DRAWN["designs"][0](alone, chips_of(alone)).axes[0]
    drawn = [y for line in axes.lines for y in np.asarray(line.get_ydata()) if line.get_marker() == "o"]
    assert sorted(drawn) == pytest.approx(sorted(space.values))
    assert "designs, every combination" in " ".join(page.designs.over_designs(alone, space))


def test_a_change_that_spoils_the_learning_is_told_apart(full: Explanation) -> None:
    assert full.reruns is not None
    worse = [one.name for one in full.reruns.variants if words.learns_worse(one, full.reruns, full.recorded.metric)]
    assert worse == ["coarse errors"]


@pytest.mark.parametrize("narrow", [False, True])
def test_a_ratio_that_no_figure_moves_can_still_be_drawn(bare: Explanation, narrow: bool) -> None:
    run = read(bare.run)
    chips = tuple(made(run, name, bare.technology.name) for name in bare.spent.chips)
    still = replace(bare, spread=at(bare, 60.0), bounds=(60.0, 60.0))
    (axes,) = distribution(still, chips, narrow=narrow).axes
    assert sum(bar.get_height() for bar in axes.patches[:-1]) == pytest.approx(100)  # the last marks the interval


def test_the_short_form_says_what_matters(full: Explanation, bare: Explanation) -> None:
    text = "\n".join(page.terminal(full))
    assert "not varied: memory cell, SRAM of low-standby-power cells" in text
    for share in full.spread.shares[:3]:
        assert share.figure.name in text
    assert "median" in text
    assert "172 lies outside" in text
    assert text.index("many lanes") < text.index("wide")
    assert "many lanes" not in "\n".join(page.terminal(bare))
    assert page.terminal(replace(bare, note="changed"))[0] == "note: changed"


def test_a_file_in_the_way_is_refused(full: Explanation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="--out"):
        page.write(full, tmp_path / "file")


def chips_of(found: Explanation) -> Chips:
    run = read(found.run)
    return tuple(made(run, name, found.technology.name) for name in found.spent.chips)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("name", page.DRAWN)
def test_no_words_of_an_explanation_s_figures_overlap(full: Explanation, name: str, narrow: bool) -> None:
    with style.applied():
        assert faults(page.DRAWN[name][0](full, chips_of(full), narrow=narrow)) == []


def test_a_published_ratio_far_off_stands_at_the_edge_and_leaves_the_axis_to_the_draws(bare: Explanation) -> None:
    far = replace(bare, published=1e6)
    axes = distribution(far, chips_of(far)).axes[0]
    assert axes.get_xlim()[1] < 2 * max(bare.bounds)
    assert "paper 1e+06 →" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("narrow", [False, True])
def test_one_chip_is_explained_by_its_energy(bare: Explanation, narrow: bool) -> None:
    alone = replace(explain(bare.run, archs=(CHIP,), steps=None, samples=500), published=83.2e-9)
    assert alone.spent.chips == (CHIP,)
    assert alone.spent.nominal == pytest.approx(bare.spent.energy[1].sum(), rel=1e-12)
    assert page.terminal(alone)[0].startswith("Energy per step ")
    assert "83.2 nJ lies" in " ".join(words.together(alone))
    heads = [sheet.heads for part in page.sections(alone, chips_of(alone)) for sheet in part.sheets]
    assert not [head for row in heads for head in row if re.search(r"\bratio\b", head)]
    with style.applied():
        for name in ("made-of", "tornado", "distribution", "shares"):
            assert faults(page.DRAWN[name][0](alone, chips_of(alone), narrow=narrow)) == [], name


def test_any_pair_of_a_run_s_chips_is_explained(bare: Explanation) -> None:
    turned = explain(bare.run, archs=(BASELINE,), over=CHIP, steps=None, samples=500)
    assert turned.spent.chips == (CHIP, BASELINE)
    assert turned.spent.nominal == pytest.approx(1 / bare.spent.nominal, rel=1e-12)
    with pytest.raises(InputError, match="--arch: got 'digital23'; expected one of the run's chips.*Did you mean"):
        explain(bare.run, archs=("digital23",), steps=None)
