"""Workloads of ZigZag and AccelForge: products by their own loops, the rest named as left out."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from import_kit import macs, network

from archsim.base.errors import InputError
from archsim.networks.imports.files import read

ZIGZAG = """
- id: 0
  name: first
  operator_type: Conv
  equation: O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, K, C, OY, OX, FY, FX]
  loop_sizes: [1, 64, 3, 112, 111, 7, 5]
- id: 1
  operator_type: Pooling
  equation: O[b][g][oy][ox]+=W[fy][fx]*I[b][g][iy][ix]
  dimension_relations: [ix=2*ox+1*fx, iy=2*oy+1*fy]
  loop_dims: [B, G, OY, OX, FY, FX]
  loop_sizes: [1, 64, 56, 56, 2, 2]
- id: 2
  name: deep
  operator_type: Conv
  equation: O[b][g][oy][ox]+=W[g][fy][fx]*I[b][g][iy][ix]
  dimension_relations: [ix=1*ox+2*fx, iy=1*oy+2*fy]
  loop_dims: [B, G, OY, OX, FY, FX]
  loop_sizes: [1, 64, 56, 56, 3, 3]
- id: 3
  name: add
  operator_type: Add
  equation: O[b][g][oy][ox]=X[b][g][oy][ox]+Y[b][g][oy][ox]
  loop_dims: [B, G, OY, OX]
  loop_sizes: [1, 64, 56, 56]
- id: 4
  name: product
  operator_type: Gemm
  equation: O[a][k]+=I[a][c]*W[c][k]
  loop_dims: [A, C, K]
  loop_sizes: [16, 512, 100]
"""
ACCELFORGE = """
workload:
  rank_sizes: {B: {{BATCH_SIZE}}, P: 16, E: 4*8, D: 64}
  einsums:
  - einsum: "I[b, p, d] = I_in[b, p, d]"
    is_copy_operation: True
  - "Q[b, p, e] = I[b, p, d] * WQ[e, d]"
  - "QK[b, p, m] = Q[b, p, e] * I[b, M: m, e]"
  - name: deep
    tensor_accesses:
    - {name: T, projection: {P0: p1 * 2 + r0, Q0: q1 * 2 + s0, C: c0, B: b}}
    - {name: WT, projection: [r0, s0, c0]}
    - {name: U, projection: [p1, q1, c0, b], output: True}
    iteration_space_shape: [0 <= r0 < 3, 0 <= s0 < 3, 0 <= p1 < 8, 0 <= q1 < 9, 0 <= c0 < 5]
  - einsum: "V[p2, q2, b, m2] = U[b, c2, H: p2 + r2, W: q2 + s2] * WV[r2, s2, c2, m2]"
    iteration_space_shape: [0 <= r2 < 3, 0 <= s2 < 3, 0 <= p2 < 6, 0 <= q2 < 7, 0 <= c2 < 5, 0 <= m2 < 11]
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "net.yaml").write_text(text)
    return tmp_path / "net.yaml"


def test_products_of_zigzag_are_layers_of_as_many_multiply_accumulates(tmp_path: Path) -> None:
    draft = read(written(tmp_path, ZIGZAG))
    kinds = [layer["kind"] for layer in draft.content() if layer["kind"] != "fit"]
    assert kinds == ["conv2d", "depthwise", "dense"]
    assert macs(network(draft)) == 64 * 3 * 112 * 111 * 7 * 5 + 64 * 56 * 56 * 9 + 16 * 512 * 100
    assert "Left out: layer-1 is a pool; add is no product of I and W." in draft.notes


def test_products_of_accelforge_are_layers_of_as_many_multiply_accumulates(tmp_path: Path) -> None:
    draft = read(written(tmp_path, ACCELFORGE))
    kinds = [layer["kind"] for layer in draft.content() if layer["kind"] != "fit"]
    assert kinds == ["dense", "depthwise", "conv2d"]
    assert macs(network(draft)) == 16 * 32 * 64 + 8 * 9 * 5 * 9 + 6 * 7 * 5 * 11 * 9
    [note] = [note for note in draft.notes if note.startswith("Left out")]
    assert note == "Left out: I is no product of two tensors; QK is a product of two signals."


@pytest.mark.parametrize(
    ("name", "multiply_accumulates", "weights"),
    [
        # VGG-16: those of torchvision; ResNet-18, ResNet-50: weights without those of norms and biases (facts of
        # networks), multiply-accumulates the sum over the file's own ranges
        ("vgg16", 15_470_264_320, 138_344_128), ("resnet18", None, 11_678_912), ("resnet50", None, 25_502_912),
    ],
)  # fmt: skip
def test_a_workload_of_accelforge_has_the_published_weights(
    name: str, multiply_accumulates: int | None, weights: int
) -> None:
    try:
        path = Path(str(distribution("accelforge").locate_file(f"examples/workloads/compute_in_memory/{name}.yaml")))
    except PackageNotFoundError:
        pytest.skip("accelforge is not installed")
    net = network(read(path))
    assert net.weights == weights
    assert multiply_accumulates in (None, macs(net))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "net.yaml: is no workload of another tool; expected ZigZag's list of layers, [^;]*$"),
        ("b: 1\na: [", "net.yaml:2: is no YAML file"),
        (
            ZIGZAG.replace("[1, 64, 3, 112, 111, 7, 5]", "[1, 64, -3, 112, 111, 7, 5]"),
            "net.yaml: first: loop_sizes: C: got -3; expected a whole number from 1 on",
        ),
        ("workload: {einsums: []}", "holds no product"),
        (
            "workload: {rank_sizes: {A: many}, einsums: ['O[a] = I[b] * W[a, b]']}",
            "rank_sizes: A: got 'many'; expected a",
        ),
        (
            "workload: {rank_sizes: {A: 0}, einsums: ['O[a] = I[b] * W[a, b]']}",
            "rank_sizes: A: got 0; expected a whole",
        ),
        ("workload: {einsums: [5]}", "einsums: got 5; expected einsums"),
        (ACCELFORGE.replace(", output: True", ""), "deep: has no tensor, or several, with output: true"),
        (ZIGZAG[: ZIGZAG.index("- id: 1")].replace("FX]", "FZ]"), "first says no size of fx"),
        (ZIGZAG.replace("111, 7, 5]", "111.5, 7, 5]"), "first: loop_sizes: OX: got 111.5"),
        ("workload: {einsums: ['O[a] = I[b] * W[a, b]']}", "holds no product"),
        (
            ZIGZAG.replace("loop_sizes: [1, 64, 3, 112, 111, 7, 5]", "loop_sizes: [1]"),
            "first: loop_dims and loop_sizes do not fit",
        ),
    ],
)
def test_what_is_no_such_workload_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(written(tmp_path, text))
