from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from archsim.base.errors import InputError
from archsim.studies.sparsity import Sparsity, sparsity

# A layer of 299 inputs and a bias to 10 outputs: two column bands of 8 columns, four row bands of 100 rows.
RUN = {
    "workload": {
        "training": {"batch": 2},
        "network": {
            "inputs": 299, "initial_std": 0.1,
            "layers": [{"name": "fc1", "kind": "dense", "units": 10, "activation": "sigmoid"}],
        },
    },
    "architectures": [
        {
            "name": "mine", "chip": "mixed-precision", "tile": {"rows": 100, "columns": 8},
            "outer_product": {"x_bits": 8, "error_bits": 3, "skip_zeros": True},
        },
        {"name": "base", "chip": "digital32"},
    ],
}  # fmt: skip
ROWS = [  # (chip, phase, key, amount a step of two samples)
    ("mine", "forward", "tile.dac.convert", 2 * 60 * 2),
    ("mine", "backward", "tile.dac.convert", 2 * 5 * 3),
    ("mine", "update", "outer_product_unit.chi.read", 2 * 60 * 4),
    ("mine", "update", "outer_product_unit.multiply", 2 * (60 * 4 + 60)),
    ("base", "update", "mac_array.multiply", 2 * 1500),
]


def written(folder: Path, *, skip: bool = True) -> Path:
    run = {**RUN, "architectures": [*RUN["architectures"]]}
    run["architectures"][0] = {
        **RUN["architectures"][0],  # type: ignore[dict-item]
        "outer_product": {"x_bits": 8, "error_bits": 3, "skip_zeros": skip},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(run))
    columns = ["architecture", "phase", "key", "amount_per_step"]
    pd.DataFrame(ROWS, columns=columns).assign(layer="fc1").to_csv(folder / "activity.csv", index=False)
    return folder


def found(folder: Path, **options: bool) -> dict[tuple[str, str], Sparsity]:
    return {(one.phase, one.what): one for one in sparsity(written(folder, **options))}


def test_shares_are_derived_from_the_counts_of_one_sample(tmp_path: Path) -> None:
    by = found(tmp_path)
    inputs = by["forward", "inputs with a non-zero DAC code"]
    assert (inputs.count, inputs.most, inputs.share) == (60, 300, 0.2)  # the bias is one of 300
    errors = by["backward", "errors with a non-zero DAC code"]
    assert (errors.count, errors.most) == (5, 10)
    assert by["update", "non-zero inputs of 8 bits"].share == 0.2
    assert by["update", "non-zero errors of 3 bits"].share == 0.4
    assert by["update", "elements of chi changed"].share == pytest.approx(0.2 * 0.4)
    assert by["update", "weights that took part"].share == 0.5


def test_a_chip_that_skips_nothing_tells_nothing_of_its_update(tmp_path: Path) -> None:
    assert [phase for phase, what in found(tmp_path, skip=False) if "took part" not in what] == ["forward", "backward"]


def test_a_directory_without_counts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"activity\.csv"):
        sparsity(tmp_path)
