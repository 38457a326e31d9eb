"""What a network is made of: layers and nodes with what they take; repeated steps told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.api import workloads
from archsim.base.errors import InputError
from archsim.runs.spec import resolve


def test_lenet_has_the_products_and_weights_of_the_paper_by_hand() -> None:
    found = workloads.network("lenet-mnist")
    by_name = {layer.name: layer for layer in found.layers}
    assert by_name["conv1"].macs == 28 * 28 * 26 * 6
    assert by_name["conv2"].macs == 10 * 10 * 151 * 16
    assert by_name["fc1"].weights == 401 * 120
    assert by_name["pool1"].shape == (14, 14, 6)
    assert sum(layer.weights for layer in found.layers) == 61706
    assert by_name["fc1"].tiles == 2  # 401 rows on tiles of 256
    assert not found.folds


def test_the_time_steps_of_an_lstm_are_one_and_read_what_the_step_before_wrote() -> None:
    found = workloads.network("lstm-text")
    ((first, last),) = found.folds
    steps = found.nodes[first : last + 1]
    assert {node.times for node in steps} == {32}
    (product,) = [node for node in steps if node.matrix]
    assert product.macs * product.times == next(layer.macs for layer in found.layers if layer.name == "lstm")
    back = [(k, read) for k, node in enumerate(found.nodes) for read in node.reads if read > k]
    assert len(back) == 2  # the output and the cell of the step before
    assert len(found.nodes) < 20


def test_a_chip_without_tiles_has_none() -> None:
    assert {layer.tiles for layer in workloads.network("mlp-mnist", arch="digital32").layers} == {None}


@pytest.mark.parametrize("name", ["lenet-mnist", "lstm-text"])
def test_a_network_is_drawn_with_every_node_and_nothing_beyond_the_picture(name: str, tmp_path: Path) -> None:
    from archsim.report import style
    from archsim.report.network import draw

    found = workloads.network(name)
    with style.applied():
        figure = draw(found, "title")
        figure.canvas.draw()
        texts = [text for text in figure.axes[0].texts if text.get_text()]
        assert {node.what for node in found.nodes} <= {text.get_text() for text in texts}
        whole = figure.bbox
        for text in texts:
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= whole.x1
            assert box.y0 >= 0
            assert box.y1 <= whole.y1
    file = workloads.picture(name, tmp_path / "network.svg")
    assert "× 32 steps" in file.read_text() or name == "lenet-mnist"
    with pytest.raises(InputError, match=r"--plot: got .*\.gif"):
        workloads.picture(name, tmp_path / "network.gif")


def test_the_program_of_a_workload_alone_is_that_of_its_run() -> None:
    for name in ("mlp-mnist", "lenet-mnist"):
        alone = workloads.show(name).network.build()
        assert [each.sha256 for each in alone.programs] == [each.sha256 for each in resolve(name).network.programs]
