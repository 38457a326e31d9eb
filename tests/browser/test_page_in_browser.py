"""The page of a run in a real Chromium: what it computes against archsim's bill, and how it behaves."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser_kit
import pytest
from page_kit import CONTROL, Made, make_run

import archsim
from archsim.report.page.page import write
from archsim.report.style import quantity as show
from archsim.runs import rundir
from archsim.runs.run import train_all
from archsim.runs.spec import resolve

pytestmark = browser_kit.needed

SHIPPED = Path(archsim.__file__).parent / "chips" / "architectures"
FIGURES = ("sram.read", "sram.write", "fp32.multiply", "wire", "sram.leakage", "adc.conversion", "cells.conduct")
CLOSE = 1e-12  # the promise is 1e-9; what differs is the last bit of a product


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_run(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def address(made: Made) -> str:
    return write(made.path).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_kit.started() as found:
        yield found


class Page(browser_kit.Page):
    """One of these pages."""

    def value(self, selector: str) -> float:
        return float(self.tab.locator(selector).get_attribute("value"))

    @property
    def ratio(self) -> float:
        return self.value("#ratio")

    @property
    def energies(self) -> dict[str, float]:
        return {chip: self.value(f'#results data[data-chip="{chip}"]') for chip in ("mixed-precision", "digital32")}

    def put(self, selector: str, value: object) -> None:
        """Set a control as a user's input does."""
        self.tab.eval_on_selector(selector, browser_kit.MOVE, str(value))

    def slide(self, figure: str, stop: int) -> float:
        """Move a figure's slider and return the value [SI] that the page then has for it."""
        self.put(f'{card(figure)} input[type="range"]', stop)
        return self.value(f"{card(figure)} data.value")


def card(figure: str) -> str:
    return f'.card[data-figure="{figure}"]'


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    """The page at 1280 pixels; at the end it has asked for nothing but itself and said nothing."""
    opened = Page(browser, address)
    yield opened
    opened.close()


def test_ratio_and_energies_are_the_bill_s_before_and_after_sliders_move(page: Page, made: Made) -> None:
    assert page.ratio == pytest.approx(made.ratio(), rel=CLOSE)
    figures, factors = made.spec.technologies[0].figures, {}
    for k, name in enumerate(FIGURES):
        value = page.slide(name, (0, 500, 130, 371, 250, 499, 7)[k])
        assert figures[name].low <= value <= figures[name].high
        factors[name] = value / figures[name].value
        assert page.energies == pytest.approx(made.energies(factors=factors), rel=CLOSE)
        assert page.ratio == pytest.approx(made.ratio(factors=factors), rel=CLOSE)
    assert abs(math.log(page.ratio / made.ratio())) > 0.1
    assert page.tab.inner_text("#moved").startswith("7 figures moved")
    page.tab.click(f"{card('wire')} button")
    del factors["wire"]
    assert page.ratio == pytest.approx(made.ratio(factors=factors), rel=CLOSE)
    page.tab.click("#reset-all")
    assert page.ratio == pytest.approx(made.ratio(), rel=CLOSE)
    assert page.tab.is_hidden("#reset-all")


def test_a_typed_value_is_taken_as_written_and_one_that_is_none_is_left(page: Page, made: Made) -> None:
    field = f'{card("adc.conversion")} input[type="number"]'
    page.put(field, "81.92")
    assert page.value(f"{card('adc.conversion')} data.value") == 81.92e-12
    assert page.ratio == pytest.approx(made.ratio(factors={"adc.conversion": 16.0}), rel=CLOSE)
    assert page.tab.is_visible(f"{card('adc.conversion')} .outside")
    for bad in ("-1", ""):
        page.tab.fill(field, bad)
        assert page.tab.get_attribute(field, "aria-invalid") == "true"
        assert page.ratio == pytest.approx(made.ratio(factors={"adc.conversion": 16.0}), rel=CLOSE)


def test_the_inverse_gives_the_figure_that_gives_the_wanted_ratio_or_energy(page: Page, made: Made) -> None:
    page.slide("sram.write", 400)
    start = page.ratio
    for figure, target in (("adc.conversion", start * 0.9), ("fp32.multiply", start * 1.2), ("fp32.multiply", 300.0)):
        page.put("#inverse-figure", figure)
        page.put("#inverse-target", target)
        assert f"{figure} = " in page.tab.inner_text("#inverse-result")
        page.tab.click("#inverse-apply")
        assert page.ratio == pytest.approx(target, rel=1e-9)
    assert "outside its stated range" in page.tab.inner_text("#inverse-result")
    page.tab.click("#reset-all")
    page.tab.select_option("#inverse-quantity", label="a step of mixed-precision")
    assert page.tab.inner_text("#inverse-unit") == "nJ"
    page.put("#inverse-figure", "adc.conversion")
    page.put("#inverse-target", 1234.5)
    page.tab.click("#inverse-apply")
    assert page.energies["mixed-precision"] == pytest.approx(1234.5e-9, rel=1e-9)


def test_the_inverse_says_when_no_value_will_do(page: Page) -> None:
    page.put("#inverse-figure", "adc.conversion")
    page.put("#inverse-target", 1e6)
    found = page.tab.inner_text("#inverse-result")
    assert found.startswith("No value of adc.conversion gives it: with all other figures as they are set, it stays")
    assert page.tab.is_disabled("#inverse-apply")
    page.put("#inverse-target", "")
    assert page.tab.inner_text("#inverse-result") == "Give a positive number."


def test_pointing_at_a_bar_tells_amount_times_figure_and_the_source(page: Page, made: Made) -> None:
    bar = page.tab.locator("#bars svg").first.locator('.bar[aria-label^="update, outer_product_unit chi.read"]')
    bar.hover()
    line = made.trained[0]
    amount = sum(row.amount for row in line.rows if (row.phase, row.action) == ("update", "chi.read")) / line.steps
    sizes = next(entry.sizes for entry in line.entries if entry.key == "outer_product_unit.chi.read")
    price = made.spec.technologies[0].figures["sram.read"].price(sizes)  # of a bank at a tile, words of 16 bits
    words = page.tab.inner_text("#tip")
    assert "outer_product_unit: chi.read (chi memory), update" in words
    assert f"{amount:,.0f} × {show(price, 'J')} = {show(amount * price, 'J')}" in words
    assert "Figure sram.read = 9.38 pJ (derived)" in words
    assert "cacti7: " in words
    page.tab.keyboard.press("Escape")
    assert page.tab.is_hidden("#tip")


def test_keys_move_sliders_and_walk_through_the_bars(page: Page, made: Made) -> None:
    page.tab.focus(f'{card("fp32.multiply")} input[type="range"]')
    page.tab.keyboard.press("Home")
    low = made.spec.technologies[0].figures["fp32.multiply"].low
    assert page.value(f"{card('fp32.multiply')} data.value") == low
    page.tab.focus('#bars .bar[tabindex="0"]')
    first = page.tab.inner_text("#tip")
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.inner_text("#tip") != first
    assert page.tab.locator("#bars svg").first.locator('.bar[tabindex="0"]').count() == 1


def test_texts_read_as_archsim_s_own(page: Page, made: Made) -> None:
    figures = made.spec.technologies[0].figures
    shown = page.tab.eval_on_selector_all(
        ".card", "cards => cards.map(c => [c.dataset.figure, c.querySelector('data.value').textContent])"
    )
    assert len(shown) > 15
    assert dict(shown) == {name: show(figures[name].value, figures[name].unit) for name, _ in shown}
    for chip, energy in made.energies().items():
        assert page.tab.inner_text(f'#results data[data-chip="{chip}"]') == show(energy, "J")


def test_another_technology_brings_its_figures_its_assumptions_and_no_harm(page: Page, made: Made) -> None:
    page.slide("sram.read", 0)
    page.tab.select_option("#technology", label="toy")
    assert page.ratio == pytest.approx(made.ratio("toy"), rel=CLOSE)
    energies = made.energies("toy")
    without = made.energies("toy", {"adc.conversion": 0.0, **dict.fromkeys(CONTROL, 0.0)})
    shares = page.tab.eval_on_selector_all('[data-basis="assumed"] data', "nodes => nodes.map(n => Number(n.value))")
    assert shares == pytest.approx([1 - without[chip] / energies[chip] for chip in energies], abs=1e-12)
    assert page.tab.locator("#bars .hatch").count() >= 4
    assert page.tab.is_disabled(f'{card("control.cycle")} input[type="range"]')
    assert page.slide("adc.conversion", 250) == pytest.approx(1e-10, rel=1e-12)  # a linear scale, from zero
    assert page.tab.evaluate("window.harm") is None


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_light_and_dark(browser: Any, address: str, width: int, scheme: str) -> None:
    opened = Page(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert opened.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert opened.tab.evaluate(
        "[...document.querySelectorAll('svg text')].every(t => { const b = t.getBoundingClientRect();"
        " return b.left >= 0 && b.right <= innerWidth; })"
    )
    colour = opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 29)")
    assert (opened.said, opened.asked) == ([], [address])
    opened.tab.close()


def test_on_paper_sliders_give_way_to_their_values(page: Page, tmp_path: Path) -> None:
    page.slide("sram.read", 500)
    page.tab.emulate_media(media="print")
    assert page.tab.is_hidden(f'{card("sram.read")} input[type="range"]')
    assert page.tab.inner_text(f"{card('sram.read')} data.value") == "25.1 pJ"
    assert page.tab.evaluate("getComputedStyle(document.getElementById('now')).position") == "static"
    assert len(page.tab.pdf(format="A4")) > 50_000


@pytest.fixture(scope="module")
def short_run_of_an_own_chip(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("short")
    own = folder / "a-chip-with-a-long-name-of-its-own.yaml"
    shipped = (SHIPPED / "mixed-precision.yaml").read_text(encoding="utf-8")
    own.write_text(shipped.replace("name: mixed-precision", f"name: {own.stem}", 1), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        if real := os.environ.get("ARCHSIM_TESTS_DATA"):  # whose published values are drawn
            patch.setenv("ARCHSIM_DATA", real)
        spec = resolve("mlp-mnist", steps=10, archs=(str(own), "digital32"))
    run = folder / "run"
    run.mkdir()
    rundir.finish(run, spec, train_all(spec), 1.0)
    return write(run).as_uri()


@pytest.mark.parametrize("width", [1280, 400])
def test_accuracy_rises_upwards_and_nothing_of_it_leaves_the_plot(browser: Any, address: str, width: int) -> None:
    opened = Page(browser, address, viewport={"width": width, "height": 800})
    for svg in opened.tab.locator("#courses svg").all():
        heights = svg.evaluate(
            "svg => Object.fromEntries([...svg.querySelectorAll('.axis text')].filter(t => / %$/.test(t.textContent))"
            ".map(t => [t.textContent, t.getBoundingClientRect().top]))"
        )
        assert list(heights.values()) == sorted(heights.values(), reverse=True)
        assert len(heights) >= 2
        assert svg.locator(".axis text", has_text="accuracy (log axis of the error)").count() == 1
        assert svg.evaluate(
            "svg => { const plot = svg.querySelector('clipPath rect'), box = svg.getBoundingClientRect();"
            " const end = Number(plot.getAttribute('y')) + Number(plot.getAttribute('height'));"
            " return [...svg.querySelectorAll('.running, .tested')].every(p => p.closest('[clip-path]'))"
            " && [...svg.querySelectorAll('.dot')].every(d => d.getBoundingClientRect().top >= box.top"
            " && d.getBoundingClientRect().bottom <= box.top + end + 5); }"
        )
    opened.tab.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_short_run_of_an_own_chip_has_ticks_and_the_published_line_inside_the_plot(
    browser: Any, short_run_of_an_own_chip: str, width: int, real_data: Path
) -> None:
    opened = Page(browser, short_run_of_an_own_chip, viewport={"width": width, "height": 800})
    for svg in opened.tab.locator("#courses svg").all():
        words = svg.locator("text").all_text_contents()
        assert len([word for word in words if word[:1].isdigit() and not word.endswith("%")]) >= 2
        published = [word for word in words if word.startswith("paper")]
        assert [word[-7:] for word in published] == ["97.73 %", "98.30 %"]
        assert svg.evaluate(
            "svg => { const box = svg.getBoundingClientRect(); return [...svg.querySelectorAll('text')].every(t =>"
            " { const b = t.getBoundingClientRect(); return b.left >= box.left - 1 && b.right <= box.right + 1; }); }"
        )
    assert opened.said == []
    opened.tab.close()
