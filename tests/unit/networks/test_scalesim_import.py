"""Topologies of SCALE-Sim, with the oddities that its files have."""

from __future__ import annotations

from pathlib import Path

import pytest
from import_kit import macs, network

from archsim.base.errors import InputError
from archsim.networks.imports.files import read

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
LINES = [("Conv1", 224, 224, 7, 7, 3, 64, 2), ("Conv2_1a", 56, 56, 3, 3, 64, 64, 1), ("FC", 1, 1, 1, 1, 512, 1000, 1)]
"""Of ResNet-18, as its topology has them."""


def written(tmp_path: Path, lines: list[tuple[object, ...]], header: str = HEADER) -> Path:
    path = tmp_path / "net.csv"
    path.write_text(header + "".join(", ".join(map(str, line)) + ",\n" for line in lines), encoding="utf-8")
    return path


def counted(lines: list[tuple[str, int, int, int, int, int, int, int]]) -> int:
    """Return the multiply-accumulates as SCALE-Sim counts: windows within the image, their number rounded up."""
    return sum(
        (-(-(high - h + s) // s)) * (-(-(wide - w + s) // s)) * h * w * channels * filters
        for _, high, wide, h, w, channels, filters, s in lines
    )


def test_the_count_is_the_files_own(tmp_path: Path) -> None:
    draft = read(written(tmp_path, LINES))
    assert macs(network(draft)) == counted(LINES) == 110 * 110 * 147 * 64 + 54 * 54 * 576 * 64 + 512_000
    assert any("Counted as SCALE-Sim does" in note for note in draft.notes)


def test_padded_to_the_same_size_the_count_is_the_networks(tmp_path: Path) -> None:
    draft = read(written(tmp_path, LINES), same=True)
    assert macs(network(draft)) == 112 * 112 * 147 * 64 + 56 * 56 * 576 * 64 + 512_000


def test_unlike_windows_are_padded_and_rounded_up_side_by_side(tmp_path: Path) -> None:
    lines = [("a", 9, 8, 1, 3, 2, 4, 3), ("b", 7, 7, 1, 5, 4, 3, 1)]
    assert macs(network(read(written(tmp_path, lines)))) == counted(lines)
    assert macs(network(read(written(tmp_path, lines), same=True))) == 3 * 3 * 3 * 2 * 4 + 7 * 7 * 5 * 4 * 3


def test_one_filter_over_all_channels_is_a_depthwise_layer(tmp_path: Path) -> None:
    lines = [("dw", 10, 10, 3, 3, 8, 1, 1), ("pw", 8, 8, 1, 1, 8, 16, 1)]
    draft = read(written(tmp_path, lines))
    assert [layer["kind"] for layer in draft.content()] == ["depthwise", "conv2d"]
    assert macs(network(draft)) == counted(lines)


def test_products_of_matrices_are_dense_layers(tmp_path: Path) -> None:
    draft = read(written(tmp_path, [("up", 128, 3072, 768), ("down", 128, 768, 3072)], "Layer,M,N,K,\n"))
    assert [layer["kind"] for layer in draft.content()] == ["dense", "dense"]
    assert macs(network(draft)) == 2 * 128 * 768 * 3072


def test_a_byte_order_mark_empty_lines_and_further_columns_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "net.csv"
    text = "\ufeff" + HEADER.replace("Strides,", "Strides, Sparsity") + ",,,,,,,,,\n\nConv1,8,8,3,3,3,4,1,1:4,\n"
    path.write_text(text, encoding="utf-8")
    assert macs(network(read(path))) == 6 * 6 * 27 * 4


@pytest.mark.parametrize("mark", [";", "\t"])
def test_columns_may_stand_behind_other_marks(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "net.csv"
    path.write_text((HEADER + "Conv1,8,8,3,3,3,4,1,\n").replace(",", mark), encoding="utf-8")
    assert macs(network(read(path))) == 6 * 6 * 27 * 4


def test_strides_of_rows_and_of_columns_have_columns_of_their_own(tmp_path: Path) -> None:
    header = HEADER.replace("Strides", "Stride Height, Stride Width, Sparsity")
    draft = read(written(tmp_path, [("Conv1", 9, 8, 3, 3, 3, 4, 2, 1, "1:4")], header))
    assert macs(network(draft)) == 4 * 6 * 27 * 4
    assert "Columns that are not read: Sparsity." in draft.notes


def test_every_product_learns_and_passes_errors_on(tmp_path: Path) -> None:
    calls = network(read(written(tmp_path, LINES))).training[0].calls
    verbs = [call.verb for call in calls]
    assert (verbs.count("multiply"), verbs.count("multiply_transposed"), verbs.count("accumulate")) == (3, 2, 3)


@pytest.mark.parametrize(
    ("header", "line", "said"),
    [
        (
            HEADER,
            "Conv1, 8, 8, x, 3, 3, 4, 1,",
            r"net.csv:2: Conv1: 'x' in column 4; expected a whole number from 1 on",
        ),
        (HEADER, "Conv1, 8, 8,", r"Conv1: '' in column 4"),
        (HEADER, "", "has no layers"),
        (
            HEADER.replace("Strides", "Stride x"),
            "a, 8, 8, 3, 3, 3, 4, 2",
            "has the column 'Stride x'; expected one column",
        ),
        ("a, b\n", "1, 2", r"net.csv:1: has other columns, a, b; expected those of a topology of SCALE-Sim"),
    ],
)
def test_what_is_no_topology_is_told(tmp_path: Path, header: str, line: str, said: str) -> None:
    path = tmp_path / "net.csv"
    path.write_text(f"{header}{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read(path)
