from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from archsim.report.latex import latex_sheet
from archsim.report.studies import ablate


def point(name: str, accuracies: list[float], **more: Any) -> dict[str, Any]:
    return {
        "name": name, "switch": None, "converters": None, "bits": None, "settings": ["a=1"],
        "tests": accuracies, "test": sum(accuracies) / len(accuracies), "pulses_per_step": 5.2,
        "forward_energy_J": 1e-8, "backward_energy_J": 4e-9, "total_energy_J": 1.9e-7, "total_latency_s": 5e-5,
        "difference": 0.0, "half_width": 0.01, "energy_ratio": 1.0, "latency_ratio": 1.0, "pulses_ratio": 1.0, **more,
    }  # fmt: skip


@pytest.fixture
def content() -> dict[str, Any]:
    blocks = {
        "method": "randomised blocks", "confidence": 0.95, "differences": 2, "seeds": 2, "residual": 0.005,
        "degrees_of_freedom": 2, "critical": 6.2,
    }  # fmt: skip
    first = point("all on", [0.90, 0.91], half_width=0.0)
    return {
        "workload": "mlp-mnist", "dataset": "mnist", "dataset_origin": "MNIST", "architecture": "mixed-precision",
        "technology": "bottom-up-14nm", "steps": 10_000, "epochs": 5, "learning_rate": 0.3, "answers_tested": 10_000,
        "metric": {"name": "accuracy", "higher_is_better": True, "share": True, "chance": 0.1},
        "sample": {"name": "image", "part": None, "parts": 1},
        "tested_after": [9500, 9750, 10_000],
        "bits": {"dac": 8, "adc": 8}, "laws": {"dac": "per-bit", "adc": "per-2^bits"},
        "nonidealities": {
            "interval": blocks,
            "points": [
                first, point("read_noise off", [0.905, 0.915], difference=0.005, switch="read_noise"),
                point("all off", [0.95, 0.96], difference=0.05),
            ],
        },
        "converters": {
            "interval": blocks,
            "points": [
                first,
                *(
                    point(f"{which} {bits} bit", [0.89 + bits / 1000, 0.9 + bits / 1000], converters=which, bits=bits,
                          total_energy_J=1e-7 * bits)
                    for which in ("both", "DAC", "ADC") for bits in (4, 8, 10)
                ),
            ],
        },
    }  # fmt: skip


def test_tables_say_every_point_with_interval_energy_time_and_pulses(content: dict[str, Any]) -> None:
    sheets = ablate.sheets(content)
    rows = {row[0]: row for row in sheets["nonidealities"].rows}
    assert rows["all on"][1:4] == ("90.50 %", "90.00 to 91.00", "-")
    assert rows["read_noise off"][3] == "+0.50 +- 1.00"
    assert rows["all off"][3:] == ("+5.00 +- 1.00 *", "190 nJ", "1.000", "50 us", "1.000", "5.2", "1.00")
    assert len(sheets["converters"].rows) == 10


def test_the_words_say_what_the_intervals_are_and_leave_out(content: dict[str, Any]) -> None:
    said = "\n".join(ablate.words(content))
    for words in (
        "95 % for all 2 differences",
        "Student's t with 2 degrees",
        "0.50 points",
        "per-2^bits",
        "double a bit",
    ):
        assert words in said
    assert "more than 3 points" not in said.lower()
    content["nonidealities"]["interval"] |= {"method": "two proportions", "seeds": 1}
    assert "too narrow" in "\n".join(ablate.words(content))


def test_trainings_far_below_the_others_are_named(content: dict[str, Any]) -> None:
    content["nonidealities"]["points"][2]["tests"][1] = 0.5
    said = "\n".join(ablate.words(content))
    assert "Worse by more than 5 points than the median of all trainings: all off seed 2 (50.00 %)." in said


def test_files_hold_tables_and_charts(content: dict[str, Any], tmp_path: Path) -> None:
    written = ablate.write(content, tmp_path)
    assert {path.name for path in written} == {
        "nonidealities.png", "nonidealities.svg", "nonidealities.csv", "converters.png", "converters.svg",
        "converters.csv", "ablate.md", "ablate.tex",
    }  # fmt: skip
    table = pd.read_csv(tmp_path / "nonidealities.csv")
    assert list(table["test_seed_2"]) == [0.91, 0.915, 0.96]
    text = (tmp_path / "ablate.md").read_text()
    assert "![" in text
    assert "| all off | 95.50 % |" in text
    assert r"read\_noise off" in (tmp_path / "ablate.tex").read_text()


def test_without_the_converters_their_old_files_go(content: dict[str, Any], tmp_path: Path) -> None:
    ablate.write(content, tmp_path)
    del content["converters"]
    ablate.write(content, tmp_path)
    assert not list(tmp_path.glob("converters.*"))
    assert "converters" not in (tmp_path / "ablate.md").read_text()


def test_charts_have_units_a_shared_axis_and_no_twin(content: dict[str, Any]) -> None:
    above, below = ablate.draw_bits(content).axes
    assert above.get_shared_x_axes().joined(above, below)
    assert (above.get_ylabel(), below.get_ylabel()) == ("test accuracy [%]", "energy per step (log axis)")
    assert below.get_yscale() == "log"
    (axes,) = ablate.draw_differences(content).axes
    assert "percentage points" in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["read_noise off", "all off"]


def test_one_seed_draws_as_well(content: dict[str, Any]) -> None:
    for group in ("nonidealities", "converters"):
        content[group]["interval"] |= {"method": "two proportions", "seeds": 1}
        for each in content[group]["points"]:
            each["tests"] = each["tests"][:1]
            each["test"] = each["tests"][0]
    assert ablate.draw_bits(content).axes[0].get_title() == "one seed"
    assert "seeds" not in ablate.draw_differences(content).axes[0].get_title()
    assert latex_sheet(ablate.sheets(content)["nonidealities"]).count(r"\\") == 4
