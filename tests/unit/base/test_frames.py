from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from archsim.base.frames import read_csv, records


def test_numbers_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).uniform(1e-12, 1e-6, 5000)
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(repr, numbers.tolist())) + "\n")
    assert (read_csv(tmp_path / "a.csv")["x"].to_numpy() == numbers).all()


def test_records_are_json_to_the_last_bit_with_null_for_what_json_has_no_number_for() -> None:
    numbers = np.random.default_rng(1).uniform(1e-12, 1e-6, 500)
    frame = pd.DataFrame({"x": numbers, "n": np.arange(500), "name": "a", "left": [None, np.nan, np.inf, 1.5] * 125})
    told = json.loads(json.dumps(records(frame), allow_nan=False))
    assert [row["x"] for row in told] == numbers.tolist()
    assert [row["left"] for row in told[:4]] == [None, None, None, 1.5]
    assert told[3] == {"x": numbers[3], "n": 3, "name": "a", "left": 1.5}
    assert isinstance(told[3]["n"], int)
