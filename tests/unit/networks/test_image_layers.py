"""Layers of images: shapes, matrices, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from network_kit import chain, conv, dense
from pydantic import ValidationError

FLAT = {"name": "f", "kind": "flatten"}


def shape(inputs: list[int], *layers: dict[str, Any]) -> tuple[int, ...]:
    """Return the shape of what the last layer gives."""
    net = chain(inputs, *layers, std=1.0)
    return net.graph.tensors[net.inference.results[0][0]].shape


def test_a_convolution_has_a_row_an_element_of_its_window_and_channel_and_one_for_the_bias() -> None:
    net = chain([28, 28, 1], conv("a", 6, 5, padding=2), conv("b", 16, [5, 3], stride=2, bias=False), std=1.0)
    assert net.shapes == {"a": (26, 6), "b": (90, 16)}
    assert net.graph.macs() == {"a": 28 * 28 * 26 * 6, "b": 12 * 13 * 90 * 16}


def test_places_of_a_window_follow_stride_padding_and_dilation() -> None:
    assert shape([28, 28, 1], conv("a", 6, 5)) == (24, 24, 6)
    assert shape([28, 28, 1], conv("a", 6, 5, padding=2, stride=2)) == (14, 14, 6)
    assert shape([9, 8, 2], conv("a", 6, 3, dilation=2, padding=1)) == (7, 6, 6)
    assert shape([4, 3, 2], FLAT, dense("d", 5, "linear")) == (5,)


def test_each_group_has_a_matrix_of_its_channels_and_its_part_of_the_units() -> None:
    net = chain([4, 4, 6], conv("a", 12, 3, groups=3), std=1.0)
    assert net.shapes == {f"a.{g}": (3 * 3 * 2 + 1, 4) for g in range(3)}
    assert {call.layer for call in net.training[0].calls} == {"a"}


@pytest.mark.parametrize(
    ("inputs", "layer", "said"),
    [
        ([9], conv("a", 4, 3), r"a \(conv2d\) is given the input x, 9; expected an image: rows x columns x channels"),
        ([2, 4, 1], conv("a", 4, 3), r"given the input x, 2x4x1; expected a larger image: a window of 3x3"),
        (
            [4, 4, 3],
            conv("a", 4, 3, groups=2),
            r"given the input x, 4x4x3; expected channels, and 4 units, that 2 groups",
        ),
        ([4, 4, 2], conv("a", 3, 3, groups=2), r"expected channels, and 3 units, that 2 groups divide"),
    ],
)
def test_what_does_not_suit_a_layer_is_refused_with_the_shape_and_what_would(
    inputs: list[int], layer: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        chain(inputs, layer, std=1.0)


def test_a_pool_without_a_stride_tiles_the_image() -> None:
    assert shape([7, 6, 2], {"name": "p", "kind": "max-pool", "window": 2}) == (3, 3, 2)
    assert shape([7, 6, 2], {"name": "p", "kind": "average-pool", "window": 3, "stride": 2, "padding": 1}) == (4, 3, 2)
    assert shape([7, 6, 2], {"name": "p", "kind": "global-average"}) == (2,)
    assert shape([7, 6, 2], {"name": "p", "kind": "upsample", "factor": 2}) == (14, 12, 2)


@pytest.mark.parametrize(
    ("inputs", "told", "said"),
    [
        ([8], {"kind": "max-pool", "window": 2}, "given the input x, 8; expected an image"),
        ([8, 8, 1], {"kind": "average-pool", "window": 3, "padding": 2}, "expected padding 2 of at most half"),
        ([2, 2, 1], {"kind": "average-pool", "window": 3}, "a window of 3x3 .* does not fit into an image of 2x2"),
        ([8], {"kind": "global-average"}, "expected an image or a sequence"),
        ([8, 2], {"kind": "upsample", "factor": 2}, "expected an image"),
    ],
)
def test_a_pool_refuses_what_it_cannot_take(inputs: list[int], told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        chain(inputs, {"name": "p", **told}, dense("d", 2, "linear"), std=1.0)


def transposed(units: int, window: Any, **more: Any) -> dict[str, Any]:
    return conv("t", units, window, kind="conv2d-transposed", **more)


def test_a_transposed_convolution_makes_the_image_that_a_convolution_would_have_been_given() -> None:
    assert shape([7, 7, 8], transposed(4, 4, stride=2, padding=1)) == (14, 14, 4)
    assert shape([14, 14, 4], conv("c", 8, 4, stride=2, padding=1)) == (7, 7, 8)
    assert shape([3, 4, 8], transposed(4, 3, stride=2, padding=1, output_padding=1)) == (6, 8, 4)
    net = chain([7, 7, 8], transposed(4, 4, stride=2), std=1.0)
    assert net.shapes == {"t": (4 * 4 * 4, 8)}
    assert net.graph.macs() == {"t": 7 * 7 * 4 * 4 * 4 * 8}
    assert [call.verb for call in net.training[0].calls if call.target == "t"] == [
        "multiply_transposed", "accumulate", "apply", "maintain"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "layer", "said"),
    [
        ([8], transposed(4, 3), "given the input x, 8; expected an image"),
        ([1, 1, 8], transposed(4, 3, padding=2), "expected a larger image: padding 2 leaves -1x-1 of the result"),
        ([2, 2, 8], transposed(4, 3, output_padding=1), "t: output_padding 1; expected less than the stride, 1"),
    ],
)
def test_a_transposed_convolution_refuses_what_it_cannot_make(
    inputs: list[int], layer: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        chain(inputs, layer, std=1.0)


def test_what_is_combined_has_one_shape_and_some_activations_have_a_slope() -> None:
    layers = [dense("a", 3, "relu"), dense("b", 4, "relu")]
    with pytest.raises(
        ValidationError, match=r"c \(add\) is given the result of a, 3; expected 4, as the result of b has"
    ):
        chain(5, *layers, {"name": "c", "kind": "add", "of": ["a", "b"]}, std=1.0)
    with pytest.raises(
        ValidationError, match="a: a slope for relu; expected one for leaky-relu, elu, hard-sigmoid only"
    ):
        chain(5, dense("a", 3, "relu", slope=0.1), std=1.0)
