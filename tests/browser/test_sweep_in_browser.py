"""The page of a sweep in a real Chromium: what is left and what is the front against pandas and archsim."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser_kit
import numpy as np
import pandas as pd
import pytest
import sweep_kit

from archsim.records.sweeps.fronts import front
from archsim.records.sweeps.sweep import Axis, Sweep, read_sweep
from archsim.report.sweeps.page import PAGE, render
from archsim.report.sweeps.view import view

pytestmark = browser_kit.needed

HARM = '</script><img src="http://example.org/x" onerror="window.harm = 1">'


def page_of(folder: Path) -> str:
    file = folder / PAGE
    file.write_text(render(view(read_sweep(folder))), encoding="utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    """A search of 300 designs, one of its words meaning harm, some failed."""
    table, axes = sweep_kit.random_table(300, np.random.default_rng(5))
    table.loc[table["device"] == "linear", "device"] = HARM
    axes = (*axes[:-1], Axis("device", "set", "", ("pcm", HARM, "ideal")))
    return read_sweep(sweep_kit.write(tmp_path_factory.mktemp("sweep"), sweep_kit.failing(table, 7), axes=axes))


@pytest.fixture(scope="module")
def address(sweep: Sweep) -> str:
    return page_of(sweep.path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_kit.started() as found:
        yield found


class Page(browser_kit.Page):
    """One of these pages."""

    def count(self, what: str = "#left") -> int:
        self.settle()
        return int(self.tab.inner_text(what).replace(",", ""))

    def slide(self, column: str, end: int, stop: int) -> None:
        """Move one end of a range to a stop of its slider."""
        self.tab.locator(f'[data-column="{column}"] input').nth(end).evaluate(
            browser_kit.MOVE,
            str(stop),
        )
        self.settle()

    def csv(self) -> pd.DataFrame:
        """Return what the button downloads."""
        with self.tab.expect_download() as found:
            self.tab.click("#download")
        text = Path(found.value.path()).read_text(encoding="utf-8")
        return pd.read_csv(io.StringIO(text))


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Page]:
    """The page at 1280 pixels; at the end it has asked for nothing but itself and said nothing."""
    opened = Page(browser, address)
    yield opened
    opened.close()


def test_at_first_all_finished_designs_are_left_and_their_front_is_archsim_s(page: Page, sweep: Sweep) -> None:
    mask = front(sweep.finished, [sweep.quantity("test"), sweep.quantity("energy")])
    assert (page.count(), page.count("#best")) == (293, int(mask.sum()))
    page.tab.check("#only")
    page.settle()
    assert set(page.csv()["point"]) == set(sweep.finished["point"][mask])
    assert "7 of 300 rows have no numbers" in page.tab.inner_text("header")


def test_ranges_leave_the_designs_that_pandas_leaves_with_the_very_numbers(page: Page, sweep: Sweep) -> None:
    bits = sorted(sweep.finished["tile.adc.bits"].unique())
    page.slide("tile.adc.bits", 0, 2)
    page.slide("tile.adc.bits", 1, len(bits) - 2)
    page.tab.locator('[data-column="device"] input').nth(1).uncheck()
    page.slide("energy_per_sample_J", 1, 100)
    energy = sweep.finished["energy_per_sample_J"]
    wanted = sweep.finished[
        sweep.finished["tile.adc.bits"].between(bits[2], bits[-2])
        & (sweep.finished["device"] != HARM)
        & (energy <= energy.min() * (energy.max() / energy.min()) ** 0.5)
    ].reset_index(drop=True)
    assert 10 < len(wanted) < 200
    found = page.csv().set_index("point").loc[wanted["point"]].reset_index()
    assert page.count() == len(page.csv()) == len(wanted)
    columns = ["tile.adc.bits", "adc.conversion [J]", "device", "test", "test.std", "energy_per_sample_J", "area_m2"]
    pd.testing.assert_frame_equal(found[columns], wanted[columns], check_dtype=False, check_exact=True)
    mask = front(wanted, [sweep.quantity("test"), sweep.quantity("energy")])
    assert page.count("#best") == mask.sum()
    page.tab.click("#reset-all")
    assert page.count() == 293
    assert page.tab.is_hidden("#reset-all")


def test_other_quantities_have_another_front(page: Page, sweep: Sweep) -> None:
    page.tab.select_option("#x", label="area")
    page.tab.select_option("#y", label="time per sample")
    mask = front(sweep.finished, [sweep.quantity("area"), sweep.quantity("time")])
    assert page.count("#best") == mask.sum()


def test_drawing_on_an_upright_sets_a_range_and_a_click_takes_it_away(page: Page, sweep: Sweep) -> None:
    page.tab.locator("#lines").scroll_into_view_if_needed()
    x, top, bottom = page.tab.evaluate(
        "(() => { const box = document.getElementById('lines').getBoundingClientRect();"
        " return [box.left + 46, box.top + 48, box.bottom - 24]; })()"
    )
    middle = (top + bottom) / 2
    page.tab.mouse.move(x, top)
    page.tab.mouse.down()
    page.tab.mouse.move(x, middle - 20)
    page.tab.mouse.move(x, middle)
    page.tab.mouse.up()
    bits = sweep.finished["tile.adc.bits"]  # 3 to 9 on the first upright: the upper half is 6 to 9
    assert page.count() == (bits >= 6).sum()
    page.tab.mouse.click(x, middle)
    assert page.count() == 293


def test_every_upright_has_its_title_and_both_ends_of_its_values_within_the_picture(page: Page) -> None:
    page.tab.evaluate(
        "() => { const own = CanvasRenderingContext2D.prototype.fillText; window.written = [];"
        " CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {"
        " window.written.push([text, x, y]); return own.call(this, text, x, y); };"
        " dispatchEvent(new Event('resize')); }"
    )
    page.settle()
    width = page.tab.evaluate("document.getElementById('lines').clientWidth")
    written = page.tab.evaluate("window.written")
    assert all(0 < x <= width for _, x, _ in written if x != 0)  # at 0: the title that stands upright
    words = [text for text, _, _ in written]
    for text in ("tile.adc.bits", "tile.rows", "adc.conversion", "device", "accuracy", "area", "energy per", "sample"):
        assert text in words
    areas = [text for text in words if text.endswith("mm²")]
    assert len(areas) == 2  # the largest and the smallest
    assert not any("m^2" in text for text in words)


def test_pointing_at_a_design_tells_its_parameters_and_a_click_marks_it(page: Page, sweep: Sweep) -> None:
    best = sweep.finished.loc[sweep.finished["test"].idxmax()]
    page.tab.focus("#scatter")
    page.tab.keyboard.press("End")
    words = page.tab.inner_text("#tip")
    assert f"tile.adc.bits {best['tile.adc.bits']}, tile.rows {best['tile.rows']}" in words
    assert f"accuracy {100 * best['test']:.4g} % ± 0.2 %" in words
    assert words == words.replace("NaN", "")
    page.tab.keyboard.press("Enter")
    page.settle()
    assert page.tab.inner_text("#pinned").startswith(f"Marked: point {best['point']}")
    page.tab.keyboard.press("Escape")
    assert page.tab.is_hidden("#tip")
    box = page.tab.locator("#scatter").bounding_box()
    for across in range(90, 700, 4):
        page.tab.mouse.move(box["x"] + across, box["y"] + 60)
        if page.tab.is_visible("#tip"):
            break
    assert page.tab.inner_text("#tip").startswith("tile.adc.bits")


def test_the_table_sorts_both_ways_from_the_keyboard_and_shows_more(page: Page, sweep: Sweep) -> None:
    head = page.tab.locator("#head th", has_text="energy per sample")
    head.locator("button").focus()
    page.tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    lowest = sweep.finished.sort_values("energy_per_sample_J")["point"].tolist()
    rows = page.tab.locator("#rows tr th").all_inner_texts()
    assert [row.removeprefix("● ") for row in rows] == [point[:8] for point in lowest[:50]]
    page.tab.keyboard.press("Enter")
    assert page.csv()["point"].tolist() == lowest[::-1]
    assert page.tab.inner_text("#more") == "200 more"
    page.tab.click("#more")
    assert page.tab.locator("#rows tr").count() == 250
    assert page.tab.inner_text("#more") == "43 more"


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_and_is_drawn_in_light_and_dark(
    browser: Any, address: str, width: int, scheme: str
) -> None:
    opened = Page(browser, address, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert opened.tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for canvas in ("scatter", "lines"):
        drawn = opened.tab.evaluate(
            f"(() => {{ const canvas = document.getElementById('{canvas}');"
            " const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
            " let n = 0; for (let k = 3; k < data.length; k += 4) n += data[k] > 0; return n / (data.length / 4); })()"
        )
        assert 0.01 < drawn < 0.9
    assert (opened.said, opened.asked) == ([], [address])
    opened.tab.close()


def test_ten_thousand_designs_answer_a_range_within_a_second(browser: Any, tmp_path: Path) -> None:
    table, axes = sweep_kit.random_table(10_000, np.random.default_rng(2))
    address = page_of(sweep_kit.write(tmp_path, table, axes=axes))
    assert (tmp_path / PAGE).stat().st_size < 6e6
    opened = Page(browser, address)
    begun = opened.tab.evaluate("performance.now()")
    for stop in range(5):
        opened.slide("energy_per_sample_J", 0, 20 * stop)
    assert (opened.tab.evaluate("performance.now()") - begun) / 5 < 1000  # 60 ms alone; other tests may run beside it
    assert 100 < opened.count() < 10_000
    opened.tab.close()
    assert opened.said == []


def test_a_chip_that_no_parameter_changes_stands_once_and_in_no_range(browser: Any, tmp_path: Path) -> None:
    address = page_of(sweep_kit.write(tmp_path, sweep_kit.frame(sweep_kit.CHIPS)))
    opened = Page(browser, address)
    assert opened.count() == 46
    opened.slide("tile.rows", 0, 1)
    assert opened.count() == 30
    assert opened.csv()["chip"].unique().tolist() == ["mixed-precision"]
    opened.tab.close()


def test_designs_that_break_a_search_s_constraints_are_set_apart_until_they_are_asked_for(
    browser: Any, tmp_path: Path
) -> None:
    table, limit = sweep_kit.frame(), "area <= 1.5 mm2"
    folder = sweep_kit.write(tmp_path, table, kind="search", search={"subject_to": [limit]})
    inside = table[table["area_m2"] <= 1.5e-6]
    opened = Page(browser, page_of(folder))
    assert (opened.count(), len(table)) == (len(inside), 45)
    sweep = read_sweep(folder)
    assert opened.count("#best") == front(inside, [sweep.quantity("test"), sweep.quantity("energy")]).sum()
    assert f"{45 - len(inside)} of 45 designs break a constraint" in opened.tab.inner_text("header")
    opened.tab.click("#reset-all")
    assert opened.count() == 45
    told = opened.csv().set_index("point")["constraints"]
    assert set(told[list(inside["point"])]) == {"fulfilled"}
    assert set(told.drop(list(inside["point"]))) == {f"breaks {limit}"}
    opened.close()
