"""Converters of the ADC survey: columns, bands, statistics, the written figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.accounting.technology import read_technology
from archsim.base.errors import InputError
from archsim.technologies.survey import Band, add_adc, choose, read_ends, read_survey

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
    found = read_survey(survey(tmp_path))
    assert [each.row for each in found] == [2, 3, 4, 5]
    assert [each.energy for each in found] == pytest.approx([2.55e-12, 4.61e-12, 11e-12, 1.48e-12])
    assert found[0].enob == pytest.approx((49.9 - 1.76) / 6.02)
    assert (found[0].node, found[0].area) == pytest.approx((32e-9, 1.5e-9))
    assert found[3].area is None


def test_headers_may_be_spelt_and_scaled_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("Technology (nm);p [mW];Fs,nyq [MHz];SNDR [dB];Area [um^2];doi\n14;6.915;1500;49.9;1600;10.1/x\n")
    (only,) = read_survey(path)
    assert (only.energy, only.node, only.area) == pytest.approx((4.61e-12, 14e-9, 1600e-12))
    assert only.doi == "10.1/x"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("P [W]", "Power", "has no column 'P'"), ("fsnyq [Hz]", "rate", "has no column 'fsnyq'"),
     ("SNDR_plot [dB],P", "x,P", None), ("P [W]", "P [hp]", "column 'P .hp.' states no unit that is known"),
     ("P [W]", "P", "states no unit that is known")],
)  # fmt: skip
def test_a_missing_column_or_unit_is_named(tmp_path: Path, old: str, new: str, message: str | None) -> None:
    path = survey(tmp_path, header=HEADER.replace(old, new))
    if message is None:  # another SNDR of the survey stands in
        assert read_survey(path)[0].enob == pytest.approx((50 - 1.76) / 6.02)
        return
    with pytest.raises(InputError, match=rf"adc.csv:1: .*{message}"):
        read_survey(path)


def test_a_band_takes_both_ends_and_what_has_no_node_is_out(tmp_path: Path) -> None:
    rows = [*ROWS, "2020,9,VLSI,SAR,,no node,,,50,49.9,0.003,1e9,1e9,3"]
    found = read_survey(survey(tmp_path, rows=rows))
    band = Band(enob=(7, 8.5), node=(10e-9, 32e-9), max_rate=2e9)
    assert [each.row for each in choose(found, band=band)] == [2, 3]
    assert [each.row for each in choose(found, band=Band(enob=(7, 8.5)))] == [2, 3, 5, 7]
    assert [each.row for each in choose(found, row=4)] == [4]
    with pytest.raises(InputError, match="none of 5 converters lies in 7 to 8 effective bits, at most 1 Hz"):
        choose(found, band=Band(enob=(7, 8), max_rate=1.0))
    with pytest.raises(InputError, match="--row: got 6; expected the number of a row with power, rate and SNDR"):
        choose(found, row=6)


def test_a_band_becomes_median_and_percentiles_with_its_converters_named(tmp_path: Path) -> None:
    chosen = choose(read_survey(survey(tmp_path)), band=Band(enob=(7, 8.5)))
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
    add_adc(BASE, choose(read_survey(survey(tmp_path)), row=3), "row 3", out)
    figure, own = read_technology(str(out)).figures["adc.conversion"], BASE.figures["adc.conversion"]
    assert (figure.value, figure.low, figure.high) == pytest.approx((4.61e-12, own.low, own.high))
    assert figure.origin.node == "14 nm"
    assert "one converter has none" in (figure.origin.where or "")


def test_rows_without_an_area_leave_the_area_alone(tmp_path: Path) -> None:
    out = tmp_path / "one.yaml"
    taken = add_adc(BASE, choose(read_survey(survey(tmp_path)), row=5), "row 5", out)
    assert taken.area is None
    assert read_technology(str(out)).areas["tile.adc"].value == BASE.areas["tile.adc"].value
    assert any("no area in these rows" in note for note in taken.notes)


def test_converters_of_another_resolution_need_it_said(tmp_path: Path) -> None:
    found = choose(read_survey(survey(tmp_path, rows=["2017,1,VLSI,SAR,0.014,t,,0.006,,85,0.0033,3e8,3e8,11"])), row=2)
    with pytest.raises(InputError, match=r"--bits: the converters have 13.8 effective bits \(median\)"):
        add_adc(BASE, found, "row 2", tmp_path / "x.yaml")
    assert add_adc(BASE, found, "row 2", tmp_path / "x.yaml", bits=14).bits == 14


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
