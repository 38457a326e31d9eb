from __future__ import annotations

import json
import shutil
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from explain_kit import STEPS, small_run

from archsim.accounting.technology import read_technology
from archsim.api import run as run_once
from archsim.base.errors import InputError
from archsim.base.files import shipped_names
from archsim.chips.architecture import document, parse
from archsim.records.recorded import read
from archsim.studies.explain.sensitivity import read_spent
from archsim.studies.explain.variants import VARIANTS, Reruns, Variant, applies, rerun, usual_steps
from archsim.studies.repeat import chosen, options_of

TECH = "bottom-up-14nm"
BASELINE, CHIP = CHIPS = "digital32", "mixed-precision"
ERRORS = Variant("8-bit errors", (("outer_product.error_bits", "8"),), "")
SKIP = Variant("skips", (("mac_array.skip_zero_inputs", "true"),), "")
OWN = Variant("what the run has", (("outer_product.chi.banks", "2"),), "")
SETTINGS = ("outer_product.chi.banks=2", "digital32.mac_array.weight_banks=2", "training.learning_rate=0.2")


class Refusing(Executor):
    """Runs nothing."""

    def submit(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is to be run")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with settings of its own, for the workload and for either chip."""
    return small_run(tmp_path_factory.mktemp("variants") / "run", settings=SETTINGS, techs=(TECH,))


def again(
    recorded: Path, folder: Path, executor: Executor, variants: tuple[Variant, ...], steps: int = STEPS
) -> Reruns:  # fmt: skip
    technology = read_technology(TECH)
    made = read_spent(read(recorded), technology, (BASELINE, CHIP))
    return rerun(
        recorded, folder, spent=made, technology=technology, steps=steps, variants=variants, on=executor
    )  # fmt: skip


def test_the_reference_of_as_many_steps_is_the_run_itself_and_a_changed_chip_is_that_of_a_run_of_both(
    recorded: Path, tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        found = again(recorded, tmp_path / "points", pool, (ERRORS, SKIP, OWN))
    summary = json.loads((recorded / "summary.json").read_text())
    assert found.reference.value == summary["ratio"]["energy"]
    assert found.reference.tests == tuple(summary["architectures"][c]["test"] for c in (BASELINE, CHIP))
    assert [one.name for one in found.variants] == ["skips", "8-bit errors"]  # the run's own value is no variant
    for one, setting in zip(
        found.variants, ("mac_array.skip_zero_inputs=true", "outer_product.error_bits=8"), strict=True
    ):
        both = run_once(
            "mlp-mnist", out=tmp_path / one.name, steps=STEPS, seed=1, techs=(TECH,), settings=(*SETTINGS, setting)
        )
        assert one.value == both.summary["ratio"]["energy"]  # to the last bit: only the changed chip was run
        assert one.energies == tuple(
            both.summary["architectures"][chip]["energy_per_step_J"]["total"] for chip in (BASELINE, CHIP)
        )
        assert one.change == pytest.approx(one.value / found.reference.value - 1)
    skips, errors = found.variants
    assert errors.against_run is None
    assert skips.against_run == pytest.approx(skips.energies[0] / found.reference.energies[1], rel=1e-12)
    assert errors.value < found.reference.value  # finer errors touch more of chi
    assert skips.value < found.reference.value
    assert found.largest(1) == [max(found.variants, key=lambda one: max(one.factor, 1 / one.factor))]
    same = again(recorded, tmp_path / "points", Refusing(), (ERRORS, SKIP, OWN))
    assert same == found
    with pytest.raises(AssertionError, match="nothing is to be run"):
        again(recorded, tmp_path / "points", Refusing(), (ERRORS, SKIP), STEPS + 1)  # other steps, another point


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_every_variant_can_be_set_and_changes_a_shipped_chip(variant: Variant) -> None:
    changed = 0
    for name in shipped_names("architectures"):
        shipped = parse(document(name))
        if applies(variant, shipped.model_dump(by_alias=True)):
            changed += 1
            assert parse(document(name, {tuple(key.split(".")): value for key, value in variant.settings})) != shipped
    assert changed
    assert variant.why


def test_variants_have_names_of_their_own() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_steps_that_are_none_are_refused(recorded: Path, tmp_path: Path) -> None:
    technology = read_technology(TECH)
    made = read_spent(read(recorded), technology, (BASELINE, CHIP))
    with pytest.raises(InputError, match="--steps"):
        rerun(recorded, tmp_path, spent=made, technology=technology, steps=0)


# --- finding a run's files again --------------------------------------------------------------------------------------
@pytest.fixture
def copy(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "copy"))


def edit(run: Path, change: Any) -> None:
    content = yaml.safe_load((run / "run.yaml").read_text())
    change(content)
    (run / "run.yaml").write_text(yaml.safe_dump(content))


def test_a_run_whose_architecture_file_has_changed_is_not_repeated(copy: Path) -> None:
    def change(content: Any) -> None:
        content["architectures"][1]["mac_array"]["operand_words"] = 4096

    edit(copy, change)
    with pytest.raises(InputError, match=r"digital32\.mac_array\.operand_words was 4096, is 2048"):
        options_of(copy, BASELINE, technology=read_technology(TECH))
    options_of(copy, CHIP, technology=read_technology(TECH))  # the other chip's is as it was


def test_a_key_that_joined_since_the_run_is_at_its_default(copy: Path) -> None:
    edit(copy, lambda content: content["architectures"][1]["mac_array"].pop("weights_per_access"))
    options, _ = options_of(copy, BASELINE, technology=read_technology(TECH))
    assert options["settings"] == ("digital32.mac_array.weight_banks=2", "training.learning_rate=0.2")


def test_a_run_on_other_data_is_not_repeated(copy: Path) -> None:
    edit(copy, lambda content: content["dataset"].update(sha256="0" * 64, name="mnist", origin="elsewhere"))
    with pytest.raises(InputError, match="mnist, elsewhere.*mnist-5k"):
        options_of(copy, CHIP, technology=read_technology(TECH))


def test_the_chips_that_are_looked_at_are_the_baseline_and_the_first_other_or_what_is_asked_for(tmp_path: Path) -> None:
    summary = {"architectures": dict.fromkeys(("mine", "other", "base")), "baseline": "base"}
    look = partial(chosen, tmp_path, summary)
    assert look() == ("base", "mine")
    assert look(["other"]) == ("other",)
    assert look(["mine", "other"]) == ("mine", "other")
    assert look(["other", "base"]) == ("base", "other")  # the run's baseline is the one over the other
    assert look([], "mine") == ("mine", "other")
    assert look(["base"], "other") == ("other", "base")
    assert chosen(tmp_path, {"architectures": {"alone": {}}, "baseline": None}) == ("alone",)
    with pytest.raises(InputError, match="--over: got 'mien'; expected one of the run's chips.*Did you mean 'mine'"):
        look([], "mien")
    with pytest.raises(InputError, match="expected one chip, or two"):
        look(["mine", "other", "base"])


def test_numbers_of_the_other_chip_do_not_move_with_the_changed_one(recorded: Path) -> None:
    """What makes it right to run the changed chip alone: its streams, clock and start are its own."""
    alone = small_run(recorded.parent / "alone", settings=SETTINGS[1:], archs=(BASELINE,), techs=(TECH,))
    both, one = (json.loads((run / "summary.json").read_text())["architectures"][BASELINE] for run in (recorded, alone))
    assert one["energy_per_step_J"] == both["energy_per_step_J"]
    assert np.isclose(one["test"], both["test"], rtol=0)


@pytest.mark.parametrize(
    ("steps", "batch", "expected"), [(300_000, 1, 3000), (40, 1, 40), (600, 16, 187), (300, 5000, 1)]
)
def test_re_runs_take_some_thousand_samples_and_no_more_steps_than_the_run(
    steps: int, batch: int, expected: int
) -> None:
    assert usual_steps({"steps": steps, "batch": batch}) == expected
