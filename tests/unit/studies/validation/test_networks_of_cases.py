"""Networks of cases, estimated: tiles, weights and multiply-accumulates from shapes, energy and time of a sample."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archsim.base.errors import InputError
from archsim.base.files import shipped
from archsim.studies.estimate.estimate import estimate
from archsim.studies.estimate.reference import macs
from archsim.studies.validation import standing
from archsim.studies.validation.cases import read_case, shipped_cases
from archsim.studies.validation.estimated import Networks
from archsim.studies.validation.validate import validate

CASES = [name for name in shipped_cases() if read_case(name).file.networks]
BURR = shipped("tech_params") / "designs" / "burr2023"


def copied(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    folder = tmp_path / "burr2023"
    shutil.copytree(BURR, folder)
    text = (folder / "case.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "case.yaml").write_text(text)
    return folder / "case.yaml"


@pytest.mark.parametrize("name", CASES)
def test_every_shipped_network_stands_as_recorded_and_misses_only_what_is_known(name: str, tmp_path: Path) -> None:
    results = validate([name], folder=tmp_path)
    assert [f"{result.name} {result.problem}" for result in results if result.problem] == []
    assert {result.name for result in results} == set(standing.results(read_case(name)))


def test_tiles_are_those_of_bands_of_512_lines_with_queries_keys_and_values_side_by_side() -> None:
    """ceil(768/512) = 2 bands of rows; 3 x 768, 768, 4 x 768 and 768 columns: 2 x 5 + 2 x 2 + 2 x 6 + 6 x 2."""
    networks = Networks(read_case("burr2023"))
    check = read_case("burr2023").file.published["bert-base"].check
    assert check is not None
    assert networks.value(check) == 10 + 4 + 12 + 12


def test_an_energy_is_that_of_a_sample_and_its_parts_add_up() -> None:
    case = read_case("burr2023")
    networks, check = Networks(case), case.file.published["products"].check
    assert check is not None
    whole = networks.value(check.model_copy(update={"component": None}))
    said = estimate(str(BURR / "bert-base-layer.yaml"), batch=8, archs=[str(BURR / "tiles.yaml")])
    passed = said["architectures"]["tiles"]["inference"]
    assert whole == pytest.approx(passed["energy_per_sample_J"]["total"], rel=1e-9)
    parts = sum(passed["by_part_J"][part] for part in check.parts) / 8
    assert networks.value(check) == pytest.approx(parts, rel=1e-9)
    per_mac = networks.value(check.model_copy(update={"component": None, "quantity": "energy_per_mac"}))
    assert per_mac == pytest.approx(whole / (128 * 12 * 768**2), rel=1e-9)


def test_a_training_step_has_three_products_a_weight_but_one_less_in_the_first_layer() -> None:
    case = read_case("burr2023")
    network = Networks(case)._network("bert-large").spec.network
    forward = macs(network, training=False)
    first = 128 * 3 * 1024**2  # queries, keys and values of what comes from outside
    assert forward == 128 * 12 * 1024**2
    assert macs(network, training=True) == 3 * forward - first


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("of: [bert-base], quantity: tiles", "of: [bert-bass], quantity: tiles", "Did you mean 'bert-base'"),
        ("of: [bert-base], quantity: tiles", "of: [bert-base, gpt3], quantity: tiles", "one network"),
        ("of: [bert-base], quantity: tiles", "of: [bert-base], quantity: ratio", "no ratio"),
        ("component: [ADC, DAC and cells]", "component: [ADCs]", "Did you mean 'ADC'"),
        ("component: [ADC, DAC and cells]", "phase: forward", "names a phase"),
        ("work: inference", "work: inferring", "'training' or 'inference'"),
    ],
)
def test_what_is_wrong_in_a_network_s_check_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_case(str(copied(tmp_path, (old, new))))
    assert "case.yaml" in str(caught.value)


def test_a_count_is_of_a_network_alone(tmp_path: Path) -> None:
    folder = tmp_path / "eyeriss2017"
    shutil.copytree(shipped("tech_params") / "designs" / "eyeriss2017", folder)
    text = (folder / "case.yaml").read_text()
    old = "value: 16.5 ms, role: check, where: Table V, check: {of: [conv1], quantity: latency}"
    assert old in text
    new = old.replace("16.5 ms", '"16"').replace("latency", "tiles")
    (folder / "case.yaml").write_text(text.replace(old, new))
    with pytest.raises(InputError, match="expected a network"):
        read_case(str(folder / "case.yaml"))


def test_a_count_is_no_prediction_and_a_wrong_one_misses(tmp_path: Path) -> None:
    path = copied(tmp_path, ('value: "38"', 'value: "40"'))  # with separate maps for queries, keys and values
    found = {result.name: result for result in validate([str(path)], folder=tmp_path / "points")}
    assert found["bert-base"].kind == "arithmetic"
    assert "outside x1.001" in found["bert-base"].problem
    assert found["bert-large"].ok


WORK = "architecture: tiles, work: inference, batch: 8"


def test_weights_that_stand_in_several_places_take_more_tiles_and_less_time(tmp_path: Path) -> None:
    once = read_case("burr2023")
    name = next(iter(Networks(once)._network("bert-base").spec.network.shapes))
    twice = read_case(str(copied(tmp_path, (WORK, f"{WORK}, copies: {{{name}: 2}}"))))
    check = once.file.published["bert-base"].check
    assert check is not None
    tiles, seconds = (
        [Networks(case).value(check.model_copy(update={"quantity": quantity})) for case in (once, twice)]
        for quantity in ("tiles", "latency")
    )
    assert tiles == [38, 48]  # queries, keys and values side by side: 2 x 5 tiles more
    assert seconds[1] < seconds[0]


@pytest.mark.parametrize(
    ("copies", "message"),
    [("{atention: 2}", "copies.atention: no such matrix; expected one of "), ("{NAME: 1000000}", "takes 10,?000,?028 tiles, and tiles has"),
     ("{NAME: 0}", "greater than or equal to 1|from 1|at least 1"), ("[NAME]", "copies")],
)  # fmt: skip
def test_copies_that_cannot_be_are_told(tmp_path: Path, copies: str, message: str) -> None:
    name = next(iter(Networks(read_case("burr2023"))._network("bert-base").spec.network.shapes))
    path = copied(tmp_path, (WORK, f"{WORK}, copies: {copies.replace('NAME', name)}"))
    with pytest.raises(InputError, match=message) as caught:
        validate([str(path)], folder=tmp_path / "points")
    assert "case.yaml" in str(caught.value)


def test_copies_are_of_chips_with_tiles(tmp_path: Path) -> None:
    path = copied(tmp_path, (WORK, "architecture: digital32-large, work: inference, batch: 8, copies: {up: 2}"))
    with pytest.raises(InputError, match="case.yaml: networks.bert-base.copies: no tiles in digital32-large"):
        validate([str(path)], folder=tmp_path / "points")


def test_tiles_are_asked_of_chips_that_have_them() -> None:
    with pytest.raises(InputError, match="^--tiles: no tiles in digital32-large"):
        estimate("lenet-mnist", archs=["digital32-large"], tiles=50)
