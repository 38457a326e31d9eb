from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from archsim.accounting.ledger import Action, Entry, Row
from archsim.records.recorded import Recorded, RecordedChip
from archsim.studies.explain.sparsity import Sparsity, sparsity

# A layer of 299 inputs and a bias to 10 outputs: two column bands of 8 columns, four row bands of 100 rows.
RUN: dict[str, Any] = {
    "workload": {
        "training": {"batch": 2},
        "network": {
            "inputs": 5, "initial_std": 0.1,
            "layers": [
                {"name": "fc0", "kind": "dense", "units": 299, "activation": "sigmoid"},
                {"name": "fc1", "kind": "dense", "units": 10, "activation": "sigmoid"},
            ],
        },
    },
    "architectures": [
        {
            "name": "mine", "chip": "mixed-precision", "tile": {"rows": 100, "columns": 8},
            "outer_product": {"x_bits": 8, "error_bits": 3, "skip_zeros": True},
        },
        {"name": "base", "chip": "digital32", "mac_array": {"lanes": 1}},
        {"name": "narrow", "chip": "digital32", "mac_array": {"lanes": 16, "format": "fp8"}},
    ],
}  # fmt: skip
ROWS = [  # (chip, phase, key, amount a step of two samples)
    ("mine", "forward", "tile.dac.convert", 2 * 60 * 2),
    ("mine", "backward", "tile.dac.convert", 2 * 5 * 3),
    ("mine", "update", "outer_product_unit.chi.read", 2 * 60 * 4),
    ("mine", "update", "outer_product_unit.multiply", 2 * (60 * 4 + 60)),
    ("base", "update", "mac_array.multiply", 2 * 1500),
    ("narrow", "update", "fp8_array.multiply", 2 * 750),
]


def found(
    *, skip: bool = True, network: dict[str, Any] | None = None, chips: tuple[str, ...] = ("mine", "base")
) -> dict[tuple[str, str], Sparsity]:
    run = copy.deepcopy(RUN)
    run["workload"]["network"] = network or run["workload"]["network"]
    run["architectures"][0]["outer_product"]["skip_zeros"] = skip
    return {(one.phase, one.what): one for one in sparsity(Recorded(Path(), run, {}, (), {
        name: chip(name) for name in chips
    }))}  # fmt: skip


def chip(name: str) -> RecordedChip:
    """A chip of ten steps of two samples."""
    keys = [(phase, key, amount) for of, phase, key, amount in ROWS if of == name]
    return RecordedChip(
        name, name, 10, tuple(Row(phase, "fc1", *key.split(".", 1), 10 * amount) for phase, key, amount in keys),
        tuple(Entry(key.partition(".")[0], key, Action("made up", "arithmetic", part="other", circuit="any"), {}) for _, key, _ in keys),
        (), {}, {}, {}, {}, (),
    )  # fmt: skip


def test_shares_are_derived_from_the_counts_of_one_sample() -> None:
    by = found()
    inputs = by["forward", "inputs with a non-zero DAC code"]
    assert (inputs.count, inputs.most, inputs.share) == (60, 300, 0.2)  # the bias is one of 300
    errors = by["backward", "errors with a non-zero DAC code"]
    assert (errors.count, errors.most) == (5, 10)
    assert by["update", "non-zero inputs of 8 bits"].share == 0.2
    assert by["update", "non-zero errors of 3 bits"].share == 0.4
    assert by["update", "elements of chi changed"].share == pytest.approx(0.2 * 0.4)
    assert by["update", "weights that took part"].share == 0.5


def test_a_chip_that_skips_nothing_tells_nothing_of_its_update() -> None:
    assert [phase for phase, what in found(skip=False) if "took part" not in what] == ["forward", "backward"]


def test_a_matrix_that_several_vectors_of_a_sample_meet_could_have_so_many_times_its_lines() -> None:
    """A convolution at 9 places: its inputs, errors and multiply-accumulates are counted over all of them."""
    conv = {"name": "fc1", "kind": "conv2d", "units": 10, "window": [13, 23], "activation": "sigmoid"}
    layers = [{"name": "a", "kind": "activation", "activation": "sigmoid"}, conv, {"name": "f", "kind": "flatten"}]
    network = {"inputs": [15, 25, 1], "initial_std": 0.1, "layers": layers}
    by = found(network=network)
    assert by["forward", "inputs with a non-zero DAC code"].most == 9 * 300
    assert by["update", "multiply-accumulates of 9 vectors that took part"].most == 9 * 3000
    assert by["update", "elements of chi changed"].most == 9 * 3000


def test_an_array_of_another_format_counts_its_own_products() -> None:
    assert found(chips=("narrow",))["update", "weights that took part"].share == 0.25
