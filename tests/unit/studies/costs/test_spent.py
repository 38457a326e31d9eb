"""What a network asks and what chips spent on it: counted by hand, and adding up to the whole."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from costs_kit import OVER, UNDER, chip, line, network
from network_kit import chain, conv, dense

from archsim.networks.file import NetworkFile
from archsim.records import recorded
from archsim.studies.costs import why
from archsim.studies.costs.asked import WHOLE, asked, kind_of
from archsim.studies.costs.spent import GROUPS, group, spent
from archsim.studies.costs.times import times


def test_products_and_outer_products_are_counted_as_by_hand() -> None:
    """Two layers with bias: the first gives no error to the input, so its transposed product is not asked."""
    found = asked(chain(4, dense("a", 3, "sigmoid"), dense("b", 2, "sigmoid"), std=0.1), batch=5)
    assert found.macs == {"forward": 5 * 3 + 4 * 2, "backward": 4 * 2, "update": 5 * 3 + 4 * 2}
    assert (found.vectors, found.matrices, found.weights, found.batch) == (2, 2, 23, 5)
    assert found.uses == (23 + 8 + 23) / 23


def test_a_convolution_asks_its_matrix_at_every_place() -> None:
    layers = conv("a", 2, 3), {"name": "f", "kind": "flatten"}, dense("b", 2, "sigmoid")
    found = asked(chain([5, 5, 1], *layers, std=0.1), batch=1)
    assert found.macs["forward"] == 9 * (10 * 2) + 19 * 2
    assert found.vectors == 9 + 1


def test_parts_of_a_block_have_kinds_of_their_own() -> None:
    block = {"name": "b1", "kind": "decoder-block", "heads": 1}
    code = {"name": "code", "kind": "embedding", "vocabulary": 5, "size": 4}
    told = NetworkFile.model_validate(
        {"inputs": [3, 1], "initial_std": 0.1, "layers": [code, block, dense("head", 5, "softmax")],
         "loss": "cross-entropy"}
    )  # fmt: skip
    names = {node.layer for node in told.build().graph.nodes}
    kinds = {name: kind_of(told, name) for name in names}
    assert kinds == {
        "code": "embedding", "b1": "add", "b1-norm1": "layer-norm", "b1-norm2": "layer-norm", "b1-up": "dense",
        "b1-down": "dense", "b1-attention": "attention", "b1-attention-qkv": "attention",
        "b1-attention-out": "attention", "head": "dense",
    }  # fmt: skip
    assert kind_of(told, "chip") == WHOLE


@pytest.mark.parametrize(
    ("component", "action", "phase", "expected"),
    [
        ("tile", "adc.convert", "forward", "products"), ("mac_array", "weights.read", "backward", "products"),
        ("mac_array", "weights.write", "update", "update"), ("digital_unit", "buffer.read", "update", "update"),
        ("outer_product_unit", "chi.read", "update", "update"), ("digital_unit", "buffer.read", "backward", "functions"),
        ("bus", "transfer", "forward", "functions"), ("programmer", "set.pulse", "update", "programming"),
        ("programmer", "device.read", "refresh", "programming"), ("mac_array", "weights.powered", "forward", "leakage"),
    ],
)  # fmt: skip
def test_every_action_is_in_one_group(component: str, action: str, phase: str, expected: str) -> None:
    assert group(line(component, action, 1.0, 1.0, phase)) == expected


def test_groups_kinds_and_phases_of_a_run_add_up_to_its_summary(recorded_run: Path) -> None:
    run = recorded.read(recorded_run)
    found = spent("net", run)
    for name, each in found.chips.items():
        total = run.summary["architectures"][name]["energy_per_sample_J"]["total"]
        assert math.isclose(each.total, total, rel_tol=1e-9)
        for parts in (each.groups(), each.by(found.kind), each.by(lambda x: x.phase), each.by(lambda x: x.part)):
            assert math.isclose(math.fsum(parts.values()), total, rel_tol=1e-9)
        assert list(each.groups()) == list(GROUPS)


def test_the_time_of_a_step_is_told_whole_by_kind_of_layer_and_by_unit(recorded_run: Path) -> None:
    found = spent("net", recorded.read(recorded_run))
    spans = times(found)
    assert list(spans) == list(found.chips)
    for name, span in spans.items():
        assert span.step == 3  # of three
        assert math.isclose(math.fsum(span.by_kind.values()), 1.0)
        assert math.isclose(math.fsum(span.by_unit.values()), 1.0)
        assert span.by_kind["conv2d"] > 0.5
        steps = found.run.summary["architectures"][name]["latency_per_step_s"]["total"]
        assert 0.5 * steps < span.seconds < 2 * steps
    assert {"tile", "outer product unit", "bus"} <= set(spans["mixed-precision-deep"].by_unit)


def test_actions_move_by_as_much_as_the_whole() -> None:
    was = chip(OVER, [line("mac_array", "read", 30, 2.0), line("mac_array", "add", 30, 1.0)])
    now = chip(OVER, [line("mac_array", "read", 30, 1.0), line("mac_array", "add", 60, 1.0)])
    before, after = network("a", was, was), network("b", now, now, macs=(20, 20, 20))
    moves = why.moves(before, was, after, now)
    assert math.isclose(math.fsum(m.change for m in moves), after.per_mac(now) - before.per_mac(was))
    [read] = why.telling(moves)
    assert (read.action, read.amounts, read.prices) == ("read", (1.0, 0.5), (2.0, 1.0))


def test_the_ratio_without_a_group_is_that_of_what_is_left() -> None:
    over = chip(OVER, [line("mac_array", "multiply", 1, 80.0), line("digital_unit", "add", 1, 20.0)])
    under = chip(UNDER, [line("tile", "adc.convert", 1, 2.0), line("digital_unit", "add", 1, 18.0)])
    found = {each.group: each.ratio for each in why.without(over, under)}
    assert found["functions"] == 40.0
    assert math.isclose(found["products"], 20 / 18)
    assert found["update"] == 5.0


def test_a_word_of_weights_serves_the_products_only() -> None:
    """Reads of the update are no reads of products."""
    over = chip(OVER, [
        line("mac_array", "weights.read", 5, 1.0), line("mac_array", "weights.read", 99, 1.0, phase="update"),
    ])  # fmt: skip
    one = network("a", over, over)
    assert why.weights_served(one, over) == 20 / 5
    assert why.weights_served(one, chip(UNDER, [line("tile", "adc.convert", 1, 1.0)])) is None


def test_functions_of_layers_without_products_are_told_apart() -> None:
    under = chip(UNDER, [
        line("tile", "adc.convert", 1, 10.0), line("digital_unit", "add", 1, 30.0),
        line("digital_unit", "add", 1, 60.0, layer="norm"),
    ])  # fmt: skip
    one = network("a", under, under, kinds={"norm": "layer-norm"})
    assert why.digital(one, under) == {"layer-norm": 0.6, "dense": 0.3}
    assert why.digital(one, under, bare=True) == {"layer-norm": 0.6}
