from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from archsim.api import run
from archsim.base import kept
from archsim.base.errors import InputError
from archsim.studies.workers.points import run_points

SMALL = {"workload": "mlp-mnist", "archs": ("mixed-precision",), "techs": ("bottom-up-14nm",), "steps": 60, "seed": 1}


def points() -> dict[str, dict[str, Any]]:
    return {"three": SMALL, "eight": {**SMALL, "settings": ("outer_product.error_bits=8",)}}


def test_a_point_gives_what_a_run_gives(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        found = run_points(points(), tmp_path / "points", on=pool)
    options = {**SMALL, "settings": ("outer_product.error_bits=8",)}
    whole = run(**options, out=tmp_path / "run").summary
    chip = found["eight"]["architectures"]["mixed-precision"]
    for key in ("energy_per_step_J", "latency_per_step_s", "test", "pulses_per_step"):
        assert chip[key] == whole["architectures"]["mixed-precision"][key]
    assert list(found) == ["three", "eight"]
    assert (
        chip["outer_product_updates_per_step"]
        > found["three"]["architectures"]["mixed-precision"]["outer_product_updates_per_step"]
    )


def test_a_sweep_that_died_goes_on_where_it_was(tmp_path: Path) -> None:
    told: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        first = run_points({"three": SMALL}, tmp_path, on=pool)
        (file,) = tmp_path.glob("*.json")
        content = kept.read(file)
        content["summary"]["wall_time_s"] = 123.0  # recognisable: read again, not run again
        kept.write(file, content)
        both = run_points(points(), tmp_path, done=lambda name, _: told.append(name), on=pool)
    assert both["three"]["wall_time_s"] == 123.0
    assert first["three"]["architectures"] == both["three"]["architectures"]
    assert sorted(told) == ["eight", "three"]


def test_a_wrong_point_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="error_bit"):
        run_points({**points(), "wrong": {**SMALL, "settings": ("outer_product.error_bit=8",)}}, tmp_path)
    assert not list(tmp_path.iterdir())
