from __future__ import annotations

import gc
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest
import yaml
from sealed_kit import unseal

from archsim.accounting.technology import read_technology
from archsim.api import run
from archsim.base.errors import InputError
from archsim.base.signal import STEP_PHASES
from archsim.records.recorded import read
from archsim.runs import layout
from archsim.runs.run import execute, train_all
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.summarise import published, summarise
from archsim.runs.summary import Summary, json_schema
from archsim.runs.train import Trainer, evaluation_steps
from archsim.studies.calibrate import calibrate, energies, solve
from archsim.studies.seeds import run_seeds, statistics

TECH = ("bottom-up-14nm",)


def small(**options: Any) -> RunSpec:
    return resolve("mlp-mnist", **{"steps": 150, "techs": TECH, **options})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    path = tmp_path_factory.mktemp("done") / "run"
    summary = execute(small(settings=("dataset=mnist-5k",)), path)
    assert summary is not None
    return path, summary


@pytest.fixture
def finished(done: tuple[Path, Summary], tmp_path: Path) -> tuple[Path, Summary]:
    """Return a run and its summary, a copy of its own for each test."""
    shutil.copytree(done[0], tmp_path / "run")
    return tmp_path / "run", done[1]


def test_the_summary_is_the_contract(finished: tuple[Path, Summary]) -> None:
    path, summary = finished
    written = json.loads((path / "summary.json").read_text())
    jsonschema.validate(written, json_schema())
    assert set(written) >= {
        "schema", "workload", "dataset", "seed", "steps", "technology", "architectures", "ratio", "published",
        "wall_time_s", "steps_per_s",
    }  # fmt: skip
    for chip in written["architectures"].values():
        for quantity in ("energy_per_step_J", "latency_per_step_s"):
            values = chip[quantity]
            assert set(values) == {*STEP_PHASES, "total"}
            assert values["total"] == pytest.approx(sum(values[phase] for phase in STEP_PHASES), rel=1e-12)
    chips = written["architectures"]
    for name, key in (("energy", "energy_per_step_J"), ("latency", "latency_per_step_s")):
        expected = chips["digital32"][key]["total"] / chips["mixed-precision"][key]["total"]
        assert written["ratio"][name] == expected
    assert summary.state == "finished"


def test_the_tables_of_a_run_add_up_to_its_summary(finished: tuple[Path, Summary]) -> None:
    path, summary = finished
    energy, activity = pd.read_csv(path / "energy.csv"), pd.read_csv(path / "activity.csv")
    for name, chip in summary.architectures.items():
        lines = energy[(energy.architecture == name) & energy.in_step & energy.inside_boundary]
        assert lines.energy_per_step_J.sum() == pytest.approx(chip.energy_per_step_J.total, rel=1e-12)
        assert (lines.amount * lines.price_J_per_unit).sum() == pytest.approx(lines.energy_J.sum(), rel=1e-12)
        rows = activity[(activity.architecture == name) & (activity.phase == "update")]
        column = "chi.write" if name == "mixed-precision" else "weights.write"
        updates = rows[rows.action == column].amount_per_step.sum()
        assert updates == pytest.approx(chip.outer_product_updates_per_step)
    training = pd.read_csv(path / "training.csv")
    assert list(training[training.architecture == "digital32"].step) == [0, 100, 150]
    last = training[training.architecture == "digital32"].iloc[-1]
    total = summary.architectures["digital32"].energy_per_step_J.total * 150
    assert last["energy_J_bottom-up-14nm"] == pytest.approx(total, rel=1e-9)


def test_the_events_of_a_step_are_these(tmp_path: Path) -> None:
    """784-250-10 on the default chips: five tiles, each layer's products, no contention."""
    found = {}
    for eager in (True, False):
        for architecture in small().architectures:
            trainer = Trainer(small(settings=("training.learning_rate=1e-9",)), architecture)
            trainer.chip.clock.eager = eager
            trainer.train(50)
            found[architecture.name, eager] = trainer.chip.clock.holds / 50, trainer.chip.clock.events / 50
    # host 1; each of three products: bus, tiles, bus, collect; three activations or errors and one derivative;
    # two normalisations; two outer products, their operands over the bus before
    assert found["mixed-precision", True][0] == 1 + 3 * 4 + 4 + 2 + 2 * 2
    assert found["mixed-precision", True][1] == 2 / 50  # begin and end of the process
    # event by event: a timeout each, four tiles for the first layer's and a join
    assert found["mixed-precision", False][1] == pytest.approx(23 + 3 + 1, abs=0.05)
    assert found["digital32", True] == (20, 2 / 50)
    assert found["digital32", False][1] == pytest.approx(20, abs=0.05)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        execute(small(seed=seed, steps=60), tmp_path / name)
    for file in ("activity.csv", "energy.csv", "training.csv"):
        contents = [(tmp_path / name / file).read_bytes() for name in "abc"]
        assert contents[0] == contents[1] != contents[2]


def test_more_evaluations_change_no_training(tmp_path: Path) -> None:
    few = Trainer(small(), small().architectures[0])
    many = Trainer(small(), small().architectures[0])
    few.run()
    for _ in range(15):
        many.train(10)
        many.evaluate()
    for a, b in zip(few.chip.state.values(), many.chip.state.values(), strict=True):  # type: ignore[attr-defined]
        assert (a.accumulator.chi == b.accumulator.chi).all()
    rows = [[r for r in t.chip.ledger.rows() if r.phase in STEP_PHASES] for t in (few, many)]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("frozen", [True, False])
def test_what_a_caller_froze_stays_frozen_and_nothing_else_does(frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "get_freeze_count", gc.get_freeze_count.__wrapped__)  # type: ignore[attr-defined]
    before = gc.get_freeze_count()
    (gc.freeze if frozen else gc.unfreeze)()
    try:
        Trainer(small(steps=1), small().architectures[1]).run()
        assert (gc.get_freeze_count() > 0) == frozen
    finally:
        gc.unfreeze()
        if before:
            gc.freeze()


def test_batches_train_too(tmp_path: Path) -> None:
    summary = execute(
        small(steps=60, settings=("training.batch=8", "digital_unit.buffer_words=12448")), tmp_path / "run"
    )
    assert summary is not None
    assert summary.architectures["mixed-precision"].outer_product_updates_per_step > 10_000


def test_it_learns_the_digits(tmp_path: Path) -> None:
    summary = execute(small(steps=6000), tmp_path / "run")
    assert summary is not None
    assert summary.architectures["mixed-precision"].test > 0.85
    assert summary.architectures["digital32"].test > 0.88


def test_a_stopped_run_is_partial_and_keeps_what_was_done(tmp_path: Path) -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 2

    summary = execute(small(steps=5000), tmp_path / "run", stop=stop)
    assert summary is not None
    assert summary.state == layout.state(tmp_path / "run") == "partial"
    assert 0 < summary.steps < 5000
    assert list(summary.architectures) == ["mixed-precision"]
    assert summary.ratio.energy is None
    again = execute(small(), tmp_path / "run", force=True)
    assert again is not None
    assert layout.state(tmp_path / "run") == "finished"


def test_a_run_stopped_before_its_first_step_says_so(tmp_path: Path) -> None:
    assert execute(small(), tmp_path / "run", stop=lambda: True) is None
    assert layout.state(tmp_path / "run") == "partial"


def test_settings_go_where_their_key_is_at_home() -> None:
    spec: Any = small(
        settings=(
            "training.learning_rate=0.1", "bus.width=64 bit", "outer_product.error_bits=5",
            "digital32.digital_unit.lanes=4", "nonidealities.drift=false",
        )
    )  # fmt: skip
    mixed, digital = spec.architectures
    assert spec.training.learning_rate == 0.1
    assert (mixed.bus.width, digital.bus.width) == (64, 64)
    assert mixed.outer_product.error_bits == 5
    assert (mixed.digital_unit.lanes, digital.digital_unit.lanes) == (1, 4)
    assert mixed.switched_off() == ["drift"]


def test_a_setting_wins_over_a_preset_and_steps_over_both() -> None:
    spec = resolve("mlp-mnist", preset="full", settings=("training.decay=0.5",), steps=7, techs=TECH)
    assert (spec.training.epochs, spec.training.decay, spec.training.steps) == (30, 0.5, 7)


def test_a_technology_of_other_times_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "slow.yaml"
    other.write_text(
        "schema: 1\nkind: technology\nname: slow\ntitle: t\nnode: 14 nm\nextends: bottom-up-14nm\n"
        'times:\n  digital.cycle: {value: 2 ns, basis: assumed, why: "a test"}\nfigures: {}\n'
    )
    with pytest.raises(InputError, match="slow has other times than bottom-up-14nm"):
        small(techs=("bottom-up-14nm", str(other)))
    assert small(techs=(str(other),)).technologies[0].time_s("digital.cycle") == 2e-9


def test_evaluations_come_early_and_then_evenly() -> None:
    assert evaluation_steps(3000, 3000, 1) == [100, 300, 1000, 3000]
    assert evaluation_steps(2500, 1000, 1) == [100, 300, 1000, 2000, 2500]
    assert evaluation_steps(50, 1000, 2) == [50]


def test_the_run_file_says_what_went_in(finished: tuple[Path, Summary]) -> None:
    content = yaml.safe_load((finished[0] / "run.yaml").read_text())
    assert content["state"] == "finished"
    assert content["dataset"]["name"] == "mnist-5k"
    assert set(content["inputs"]) >= {"mlp-mnist.yaml", "mixed-precision.yaml", "digital32.yaml", "bottom-up-14nm.yaml"}
    assert content["technologies"][0]["sha256"] == read_technology("bottom-up-14nm").sha256


def test_seeds_side_by_side_are_seeds_alone(tmp_path: Path) -> None:
    options = {"workload": "mlp-mnist", "steps": 40, "techs": TECH}
    with ThreadPoolExecutor(1) as pool:
        results = run_seeds(options, [1, 2], tmp_path, done=lambda *_: None, on=pool)
    alone = run("mlp-mnist", out=tmp_path / "alone", steps=40, techs=TECH, seed=2)
    assert alone.summary["seed"] == 2
    assert (tmp_path / "seed-2/training.csv").read_bytes() == (tmp_path / "alone/training.csv").read_bytes()
    found = statistics(results)
    mean = np.mean(found["test"]["digital32"])
    assert found["mean_test"]["digital32"] == pytest.approx(mean)


def test_calibration_reaches_both_totals_by_the_least_move(finished: tuple[Path, Summary]) -> None:
    technology = read_technology("bottom-up-14nm")
    spent = energies(read(finished[0]), "bottom-up-14nm")
    totals = {chip: sum(figures.values()) for chip, figures in spent.items()}
    assert all(move.factor == pytest.approx(1, abs=1e-6) for move in solve(technology, spent, totals))
    targets = {"mixed-precision": totals["mixed-precision"] * 0.9, "digital32": totals["digital32"] * 1.2}
    factors = {move.figure.name: move.factor for move in solve(technology, spent, targets)}
    for chip, target in targets.items():
        reached = sum(energy * factors.get(figure, 1.0) for figure, energy in spent[chip].items())
        assert reached == pytest.approx(target, rel=1e-6)


def test_a_calibrated_technology_moved_only_figures_and_says_by_how_much(
    finished: tuple[Path, Summary], tmp_path: Path
) -> None:
    run, _ = finished
    summary = json.loads((run / "summary.json").read_text())
    totals = {name: chip["energy_per_sample_J"]["total"] for name, chip in summary["architectures"].items()}
    summary["published"] = {
        "source": "a test", "energy_ratio": None, "test_accuracy": {},
        "energy_per_sample_J": {"mixed-precision": 1.5 * totals["mixed-precision"], "digital32": totals["digital32"]},
    }  # fmt: skip
    (run / "summary.json").write_text(json.dumps(summary))
    unseal(run)
    moves = {move.figure.name: move for move in calibrate(run, "bottom-up-14nm", tmp_path / "mine.yaml")}
    base, calibrated = read_technology("bottom-up-14nm"), read_technology(str(tmp_path / "mine.yaml"))
    assert calibrated.times_hash == base.times_hash
    assert moves["adc.conversion"].factor > 1.1
    for name, figure in calibrated.figures.items():
        if figure.value != base.figures[name].value:
            assert figure.origin.basis == "calibrated"
            factor = figure.value / base.figures[name].value
            assert f"moved x{factor:.3g}" in str(figure.origin.note)


def test_nothing_of_the_bottom_up_technology_comes_from_the_paper() -> None:
    technology = read_technology("bottom-up-14nm")
    sources = {
        s for part in (technology.figures, technology.times) for one in part.values() for s in one.origin.sources
    }
    assert not {source for source in sources if "nandakumar" in source}


def test_a_sample_s_energy_and_time_are_the_step_s_over_its_batch() -> None:
    changes = ("training.batch=4", "digital_unit.buffer_words=9000", "training.samples_per_epoch=101")
    spec = small(steps=52, settings=changes)
    summary = summarise(spec, train_all(spec), 0.0)
    assert summary.batch == 4
    for chip in summary.architectures.values():
        assert 3 * chip.steps < chip.samples <= 4 * chip.steps
        for phase in (*STEP_PHASES, "total"):
            step, sample = (getattr(each, phase) for each in (chip.energy_per_step_J, chip.energy_per_sample_J))
            assert sample * chip.samples == pytest.approx(step * chip.steps, rel=1e-12)
            step, sample = (getattr(each, phase) for each in (chip.latency_per_step_s, chip.latency_per_sample_s))
            assert sample * chip.samples == pytest.approx(step * chip.steps, rel=1e-12)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ((), True),
        (("training.batch=2", "digital_unit.buffer_words=9000"), False),
        (("network.layers.0.units=100",), False),
    ],
)
def test_published_totals_stand_beside_the_published_network_data_and_batch_alone(
    real_data: Path, changes: tuple[str, ...], shown: bool
) -> None:
    spec = small(steps=2, settings=changes, data=real_data)
    assert (summarise(spec, train_all(spec), 0.0).published is not None) == shown
    assert published(small(steps=2, settings=("dataset=mnist-5k",))) is None


def test_any_chip_may_be_the_baseline() -> None:
    spec = small(steps=2, over="mixed-precision")
    summary = summarise(spec, train_all(spec), 0.0)
    assert (summary.baseline, list(summary.ratios)) == ("mixed-precision", ["digital32"])
    other = summarise(small(steps=2), train_all(small(steps=2)), 0.0)
    assert summary.ratio.energy == pytest.approx(1 / (other.ratio.energy or 0), rel=1e-12)
    with pytest.raises(
        InputError, match="--over: got 'digital'; expected one of mixed-precision, digital32. Did you mean"
    ):
        small(over="digital")
