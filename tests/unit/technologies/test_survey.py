"""Converters of the ADC survey: columns, bands, statistics, the written figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.technologies.survey import Wanted, add_adc, choose, read_ends, read_survey

HEADER = "YEAR,ID,TYPE,ARCHITECTURE,TECHNOLOGY,TITLE,DOI,AREA [mm^2],SNDR_lf [dB],SNDR_plot [dB],P [W],fs [Hz],fsnyq [Hz],P/fsnyq [pJ]"
ROWS = [
    "2013,27.7,ISSCC,SAR,0.032,title,10.1109/ISSCC.2013.6487818,0.0015,50,49.9,0.00306,1.2e9,1.2e9,2.55",
    '2017,28.5,ISSCC,"Pipe, SAR",0.014,title,10.1109/ISSCC.2017.7870467,0.0016,50,49.9,0.006915,1.5e9,1.5e9,4.61',
    "2017,1,VLSI,SAR,0.014,title,,0.006,61,60.2,0.0033,3e8,3e8,11",
    "2022,2,ISSCC,TI,0.014,title,,,41,49.9,0.0148,1e10,1e10,1.48",
    "2014,3,ISSCC,SAR,0.04,no power,,0.065,,55.6,,2e5,2e5,",
]  # fmt: skip
BASE = read_technology("bottom-up-14nm")


def survey(folder: Path, *, header: str = HEADER, rows: list[str] = ROWS, name: str = "adc.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_energy_is_power_over_nyquist_rate_and_bits_follow_from_sndr(tmp_path: Path) -> None:
    found = read_survey(survey(tmp_path)).converters
    assert [each.row for each in found] == [2, 3, 4, 5]
    assert [each.energy for each in found] == pytest.approx([2.55e-12, 4.61e-12, 11e-12, 1.48e-12])
    assert found[0].enob == pytest.approx((49.9 - 1.76) / 6.02)
    assert (found[0].node, found[0].area) == pytest.approx((32e-9, 1.5e-9))
    assert found[3].area is None


def test_headers_may_be_spelt_and_scaled_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Technology (nm);p [mW];Fs,nyq [MHz];SNDR [dB];Area [um^2];doi\n14;6.915;1500;49.9;1600;10.1/x\n")
    (only,) = read_survey(path).converters
    assert (only.energy, only.node, only.area) == pytest.approx((4.61e-12, 14e-9, 1600e-12))
    assert only.doi == "10.1/x"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("P [W]", "Power", "has no column 'P'"), ("fsnyq [Hz]", "rate", "has no column 'fsnyq'"),
     ("SNDR_plot [dB],P", "x,P", None), ("P [W]", "P [kg]", "has the unit 'kg'; expected one of W"), ("P [W]", "P [mw]", "may be mW or MW"),
     ("P [W]", "P", 'P: has no unit in its name; expected a name such as "P .mW."')],
)  # fmt: skip
def test_a_missing_column_or_unit_is_named(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    path = survey(tmp_path, header=HEADER.replace(old, new))
    if message is None:  # another SNDR of the survey stands in
        assert read_survey(path).converters[0].enob == pytest.approx((50 - 1.76) / 6.02)
        return
    with pytest.raises(InputError, match=rf"adc.csv:1: .*{message}"):
        read_survey(path)


def test_a_band_takes_both_ends_and_what_has_no_node_is_out(tmp_path: Path) -> None:
    rows = [*ROWS, "2020,9,VLSI,SAR,,no node,,,50,49.9,0.003,1e9,1e9,3"]
    found = read_survey(survey(tmp_path, rows=rows)).converters
    band = Wanted(enob=(7, 8.5), node=(10e-9, 32e-9), max_rate=2e9)
    assert [each.row for each in choose(found, band=band)] == [2, 3]
    assert [each.row for each in choose(found, band=Wanted(enob=(7, 8.5)))] == [2, 3, 5, 7]
    assert [each.row for each in choose(found, row=4)] == [4]
    with pytest.raises(InputError, match="none of 5 converters lies in 7 to 8 effective bits, at most 1 Hz"):
        choose(found, band=Wanted(enob=(7, 8), max_rate=1.0))
    with pytest.raises(InputError, match="--row: got 6; expected the number of a row with power, rate and SNDR"):
        choose(found, row=6)


def test_a_band_becomes_median_and_percentiles_with_its_converters_named(tmp_path: Path) -> None:
    chosen = choose(read_survey(survey(tmp_path)).converters, band=Wanted(enob=(7, 8.5)))
    out = tmp_path / "mine.yaml"
    taken = add_adc(BASE, chosen, "three converters", out)
    made = read_technology(str(out))
    figure, energies = made.figures["adc.conversion"], [2.55e-12, 4.61e-12, 1.48e-12]
    expected = tuple(np.percentile(energies, (50, 10, 90)))
    assert taken.energy == pytest.approx(expected)
    assert (figure.value, figure.low, figure.high) == pytest.approx(expected, rel=1e-5)
    assert (figure.law, figure.at, figure.prices) == ("per-2^bits", {"bits": 8}, ("tile.adc.convert",))
    assert figure.origin.source == "murmann2025"
    for text in ("n = 3", "10.1109/ISSCC.2013.6487818", "8.00 effective bits", "32 nm", "adc.csv (sha256 "):
        assert text in (figure.origin.where or "")
    area = made.areas["tile.adc"]
    assert (area.value, area.low, area.high) == pytest.approx(
        np.percentile([1500e-12, 1600e-12], (50, 10, 90)), rel=1e-5
    )
    assert any("device.read" in note for note in taken.notes)


def test_one_row_keeps_the_range_of_the_figure_it_replaces(tmp_path: Path) -> None:
    out = tmp_path / "one.yaml"
    add_adc(BASE, choose(read_survey(survey(tmp_path)).converters, row=3), "row 3", out)
    figure, own = read_technology(str(out)).figures["adc.conversion"], BASE.figures["adc.conversion"]
    assert (figure.value, figure.low, figure.high) == pytest.approx((4.61e-12, own.low, own.high))
    assert figure.origin.node == "14 nm"
    assert "one converter has none" in (figure.origin.where or "")


def test_rows_without_an_area_leave_the_area_alone(tmp_path: Path) -> None:
    out = tmp_path / "one.yaml"
    taken = add_adc(BASE, choose(read_survey(survey(tmp_path)).converters, row=5), "row 5", out)
    assert taken.area is None
    assert read_technology(str(out)).areas["tile.adc"].value == BASE.areas["tile.adc"].value
    assert any("no area in these rows" in note for note in taken.notes)


def test_converters_of_another_resolution_need_it_said(tmp_path: Path) -> None:
    rows = ["2017,1,VLSI,SAR,0.014,t,,0.006,,85,0.0033,3e8,3e8,11"]
    found = choose(read_survey(survey(tmp_path, rows=rows)).converters, row=2)
    with pytest.raises(InputError, match=r"--bits: the converters have 13.8 effective bits \(median\)"):
        add_adc(BASE, found, "row 2", tmp_path / "x.yaml")
    with pytest.raises(
        InputError, match=r"x.yaml:14: figures.adc.conversion.at: law per-2\^bits holds for bits from 3"
    ):
        add_adc(BASE, found, "row 2", tmp_path / "x.yaml", bits=14)
    assert not (tmp_path / "x.yaml").exists()
    found = choose(read_survey(survey(tmp_path)).converters, row=4)
    assert add_adc(BASE, found, "row 4", tmp_path / "x.yaml", bits=10).bits == 10


@pytest.mark.parametrize("text", ["7", "8..7", "a..b", "7-8"])
def test_a_band_is_two_numbers_in_order(text: str) -> None:
    assert read_ends("7..8.5", "--enob") == (7.0, 8.5)
    with pytest.raises(InputError, match='two numbers in order, such as "7..8.5"'):
        read_ends(text, "--enob")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_survey(tmp_path / "none.csv")
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(InputError, match="save each sheet"):
        read_survey(tmp_path / "book.xlsx")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_survey(tmp_path / "empty.csv")


PLAIN = """YEAR,ID,ARCHITECTURE,TECHNOLOGY,AREA [mm^2],SNDR_plot [dB],P [W],fsnyq [Hz]
2014,22.5,"SAR, TI",0.04,0.83,48,0.093,1620000000
2015,26.7,"Pipe, SAR, TI",0.028,0.45,46.1,0.15,5000000000
2023,17.1,"SAR, TI",0.028,0.0097,51.8,0.01805,2800000000
"""


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("0.093", "93 mW").replace("0.01805", "18.05mW"),
        "\ufeff"
        + PLAIN.replace('"SAR, TI"', "TI").replace('"Pipe, SAR, TI"', "TI").replace(",", ";").replace(".", ","),
        PLAIN.replace('"SAR, TI"', "TI").replace('"Pipe, SAR, TI"', "TI").replace(",", "\t").replace("\n", "\r\n"),
        '"ADC survey, sheet ISSCC",,,,,,,\n\n' + PLAIN,
        PLAIN.replace("P [W]", "p (W)").replace("AREA", "area").replace("fsnyq [Hz]", "Fs_nyq Hz"),
        PLAIN.replace("[Hz]", "[S/s]").replace("[mm^2]", "[mm\u00b2]"),
    ],
    ids=["plain", "cell units", "decimal comma", "tabs", "title rows", "other names", "other units"],
)
def test_the_same_rows_saved_in_another_way_give_the_same_converters(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.csv").write_text(text, newline="")
    found = read_survey(tmp_path / "s.csv")
    assert [each.energy for each in found.converters] == pytest.approx([57.4074e-12, 30e-12, 6.44643e-12], rel=1e-5)
    assert [each.area for each in found.converters] == pytest.approx([0.83e-6, 0.45e-6, 0.0097e-6])
    assert found.notes == ()


def test_rows_that_cannot_be_read_are_named_and_empty_cells_counted_apart(tmp_path: Path) -> None:
    rows = PLAIN + "\n".join([
        "2016,1,SAR,0.04,0.8,50,0.01,2e9,9", "2016,2,SAR,0.04,0.8,nan,0.01,2e9", "2e9,3,SAR,0.04,0.8,50,0.01,2016",
        "2016,4,SAR,0.04,0.8,50,-0.01,2e9", "2016,5,SAR,0.04,0.8,50,n/a,2e9", "2016,6,SAR,0.04,0.8,50", "2016,7,,,,,,",
    ])  # fmt: skip
    (tmp_path / "s.csv").write_text(rows + "\n")
    found = read_survey(tmp_path / "s.csv")
    assert (len(found.converters), len(found.left_out), found.empty) == (3, 6, 1)
    left, empty = found.notes
    for words in ("6 rows that cannot be read are left out: line 5: has 9 cells; expected 8", "line 6: SNDR_plot [dB]: got 'nan'",
                  "line 7: YEAR: got '2e9'; expected a year", "line 8: P [W]: got '-0.01'; expected a number above zero",
                  "line 9: P [W]: got 'n/a'; expected a number; and 1 more"):  # fmt: skip
        assert words in left
    assert empty.endswith("s.csv: 1 row has no power, rate or SNDR")


def test_a_survey_without_a_row_to_read_is_not_answered_with_a_wider_band(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(PLAIN.splitlines()[0] + "\n2016,1,SAR,0.04,0.8,50,much,2e9\n")
    with pytest.raises(
        InputError, match="holds no converter: 1 row that cannot be read is left out: line 2: P .W.: got 'much'"
    ):
        read_survey(tmp_path / "s.csv")


def test_a_technology_that_is_no_length_leaves_the_node_open(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(PLAIN.replace("0.04,", "InP HBT,").replace("0.028,0.45", "1.00 BiCMOS,0.45"))
    assert [each.node for each in read_survey(tmp_path / "s.csv").converters] == [None, None, pytest.approx(28e-9)]
