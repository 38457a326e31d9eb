from __future__ import annotations

from pathlib import Path

import numpy as np

from archsim.base.frames import read_csv


def test_numbers_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).uniform(1e-12, 1e-6, 5000)
    (tmp_path / "a.csv").write_text("x\n" + "\n".join(map(repr, numbers.tolist())) + "\n")
    assert (read_csv(tmp_path / "a.csv")["x"].to_numpy() == numbers).all()
