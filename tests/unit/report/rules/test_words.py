"""Each sentence on a study of rules is said where its condition holds, and not where it does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rules_kit import BACK, DIRECT, failed, refused, result, results

from archsim.report.rules import sheets, words
from archsim.studies.rules.combine import NO_DEVICE

CHEAP, DEAR = (1.0e-6, 1.1e-6, 0.9e-6), (3.0e-6, 3.1e-6, 2.9e-6)
GOOD = (0.95, 0.96, 0.94)


def said(*all_of_it: object, **options: object) -> str:
    return " ".join(words.overview(results(*all_of_it, **options)))  # type: ignore[arg-type]


def test_the_cheapest_is_named_with_its_energy_and_how_many_times_the_next_takes() -> None:
    text = said(result("agad", GOOD, CHEAP), result("tiki-taka", GOOD, DEAR))
    assert (
        "Of the 2 combinations with devices that reach accuracy 90.00 % with every seed, agad with pcm needs the "
        in text
    )
    assert "least energy: 1 uJ; the next, tiki-taka with pcm, takes 3.0 times as much." in text
    assert "within the spread of the seeds" not in text


def test_what_lies_within_the_spread_of_seeds_is_called_that_and_no_ratio_is_told() -> None:
    text = said(result("agad", GOOD, CHEAP), result("tiki-taka", GOOD, (1.05e-6, 1.2e-6, 0.95e-6)))
    assert "least energy: 1 uJ; within the spread of the seeds of tiki-taka with pcm." in text
    assert "times as much" not in text


@pytest.mark.parametrize(("every", "told"), [(1001, True), (1000, False)])
def test_a_hybrid_cell_that_was_never_passed_on_is_said_to_lack_that_cost(every: int, told: bool) -> None:
    one = result("hybrid", GOOD, CHEAP)
    one.combination.spec.architectures = (SimpleNamespace(pairs=SimpleNamespace(every=every)),)  # type: ignore[union-attr,assignment]
    sentence = f"hybrid with pcm passes its capacitors on to pairs every {every:,} samples, and a training has 1,000: "
    assert (sentence in said(one, result("agad", GOOD, DEAR))) is told


def test_a_difference_just_beyond_the_deviations_together_is_a_difference() -> None:
    one, other = result("a", GOOD, (1.0, 2.0, 3.0)), result("b", GOOD, (3.1, 4.1, 5.1))  # 2 and 4.1, deviations of 1
    assert words.alike([one, other], lambda each: each.to_target) == ([], other)
    near = result("b", GOOD, (2.9, 3.9, 4.9))
    assert words.alike([one, near], lambda each: each.to_target) == ([near], None)


def test_a_combination_of_which_one_seed_missed_the_target_is_no_cheapest() -> None:
    text = said(result("agad", GOOD, (1e-9, 1e-9, None)), result("tiki-taka", GOOD, DEAR))
    assert "tiki-taka with pcm alone reaches accuracy 90.00 % with every seed, for 3 uJ." in text
    assert "1 of 2 did not reach accuracy 90.00 % with every seed: agad with pcm." in text


def test_nothing_is_cheapest_where_none_reaches_the_target() -> None:
    text = said(result("agad", GOOD), result("tiki-taka", GOOD))
    assert "least energy" not in text
    assert "2 of 2 did not reach" in text


@pytest.mark.parametrize(
    ("energy", "told"),
    [(1.7e-4, "takes 170 times the energy of the cheapest: 170 uJ"), (5e-7, "takes 1/2.0 of the cheapest")],
)
def test_the_chip_without_devices_is_set_beside_the_cheapest(energy: float, told: str) -> None:
    digital = result("digital32", GOOD, [energy] * 3, device=NO_DEVICE)
    assert f"digital32, without devices, {told}" in said(result("agad", GOOD, CHEAP), digital)
    assert "without devices," not in said(result("agad", GOOD, CHEAP), result("digital32", GOOD, device=NO_DEVICE))
    near = result("digital32", GOOD, CHEAP, device=NO_DEVICE)
    assert "digital32, without devices, is within the spread of the cheapest." in said(
        result("agad", GOOD, CHEAP), near
    )


def test_the_best_end_is_named_with_those_that_cannot_be_told_from_it() -> None:
    text = said(result("a", (0.95, 0.96, 0.94)), result("b", (0.93, 0.95, 0.94)), result("c", (0.7, 0.71, 0.72)))
    assert (
        "a with pcm ends best, at accuracy 95.00 %, within the spread of b with pcm; the next, c with pcm, at 71.00 %"
        in text
    )


def test_what_is_no_better_than_guessing_is_said_and_is_no_best() -> None:
    text = said(result("a", (0.95, 0.96, 0.94)), result("b", (0.11, 0.5, 0.5)), result("c", (0.94, 0.9, 0.92)))
    assert "Not clearly better than guessing with every seed: b with pcm." in text
    assert "Not clearly better" not in said(result("a", GOOD), result("c", GOOD))


def test_without_any_rule_that_learns_there_is_no_target_and_no_comparison() -> None:
    text = said(result("a", (0.1, 0.1, 0.12)), result("b", (0.1, 0.09, 0.1)), target=None)
    assert text == "No combination is clearly better than guessing with every seed: there is no target to cost."


def test_one_seed_is_said_first() -> None:
    assert said(result("a", [0.9], [1e-6]), seeds=1).startswith("There is one seed: no spread is known")
    assert "There is one seed" not in said(result("a", GOOD, CHEAP))


def test_rules_are_compared_on_each_device_that_several_reach_the_target_with() -> None:
    found = results(
        result("agad", GOOD, CHEAP, device="reram"), result("tiki-taka", GOOD, DEAR, device="reram"),
        result("mixed-precision", GOOD, CHEAP, device="pcm"),
    )  # fmt: skip
    assert words.by_device(found) == [
        "With reram, agad takes the least energy to accuracy 90.00 %; tiki-taka 3.0 times as much."
    ]
    near = results(result("agad", GOOD, CHEAP), result("tiki-taka", GOOD, (1e-6, 1.1e-6, 1.2e-6)))
    assert words.by_device(near) == [
        "With pcm, the least energy to accuracy 90.00 % is within the spread for agad and tiki-taka."
    ]


def test_learning_rules_are_counted_over_pairs_of_rule_and_device() -> None:
    pairs = [("a", CHEAP, DEAR), ("b", DEAR, CHEAP), ("c", CHEAP, CHEAP)]
    each = [
        result(name, GOOD, energies, learning=learning)
        for name, first, second in pairs
        for learning, energies in ((BACK, first), (DIRECT, second))
    ]
    [text] = words.learnings(results(*each))
    assert text == (
        "Direct feedback alignment in place of backpropagation took less energy to accuracy 90.00 % in 1 of 3 pairs of "
        "update rule and device in which both reach it, more in 1; in 1 the two are within the spread."
    )
    assert words.learnings(results(result("a", GOOD, CHEAP))) == []
    assert words.learnings(results(result("a", GOOD, CHEAP), result("a", GOOD, learning=DIRECT))) == []


def test_pulses_are_compared_where_they_differ_by_more_than_twice() -> None:
    many, few = result("tiki-taka", GOOD, pulses=0.4), result("mixed-precision", GOOD, pulses=0.01)
    [text] = words.pulses(results(many, few))
    assert text.startswith(
        "mixed-precision with pcm pulses a device 0.01 times a sample, 1/40 of what tiki-taka with pcm does (0.4)"
    )
    assert words.pulses(results(many, result("agad", GOOD, pulses=0.21))) == []
    assert words.pulses(results(many, result("agad", (0.1, 0.1, 0.1), pulses=0.001))) == []  # it does not learn


def test_endurance_is_said_of_what_states_one_alone() -> None:
    worn = result("mixed-precision", GOOD, worn=1e-10)
    [text] = words.endurance(results(worn, result("agad", GOOD)))
    assert text.startswith("mixed-precision with pcm is first to wear a device out, as far as device files state")
    assert text.endswith("an endurance (assumed): after 1e+10 samples, if the pace stayed.")
    assert words.endurance(results(result("agad", GOOD))) == [
        "No device file of these states an endurance: wear is told in pulses."
    ]


def test_a_rate_at_an_end_of_the_grid_is_said() -> None:
    assert words.edges(results(result("a", GOOD, rate=0.3))) == []
    [text] = words.edges(results(result("a", GOOD, rate=0.9), result("b", GOOD)))
    assert text.startswith("In 1 of 2 combinations the best rate lies at an end of the grid")
    assert sheets.overview(results(result("a", GOOD, rate=0.9))).rows[0][3] == "0.9 (highest tried)"


def test_what_a_training_costs_in_all_is_told_by_its_samples() -> None:
    assert words.in_all(results(result("a", GOOD), result("b", GOOD))) == [
        "Each training takes 1,000 images: in all it costs 1,000 times what a sample does."
    ]
    assert words.in_all(results(result("a", GOOD), result("b", GOOD, samples=999))) == []


def test_memory_is_compared_where_rules_differ_in_it() -> None:
    some, none = result("agad", GOOD, state_bytes=4 * 2**20), result("in-array", GOOD)
    assert words.memory(results(some, none)) == [
        "agad keeps the most numbers beside the weights, 4 MiB of memory; in-array keeps none."
    ]
    assert words.memory(results(none, result("in-array-sgd", GOOD))) == []


def test_a_target_that_is_missed_is_not_reached_and_no_number_stands_for_it() -> None:
    found = results(result("agad", GOOD, (1e-6, None, 1e-6)), result("tiki-taka", GOOD, CHEAP))
    assert [row[-2:] for row in sheets.overview(found).rows] == [
        ("not reached (2 of 3 seeds did)", "not reached"), ("1 uJ (100 nJ)", "100 us (10 us)"),
    ]  # fmt: skip


def test_what_is_not_possible_or_failed_stands_in_a_table_with_its_reason() -> None:
    found = results(
        refused("agad", "pcm"), refused("agad", "pcm", learning=DIRECT), failed("in-array"), result("a", GOOD)
    )
    sheet = sheets.left(found)
    assert sheet is not None
    assert sheet.rows == (
        ("agad", "pcm", "backpropagation, direct feedback alignment", "not possible", "no gradual pulses"),
        ("in-array", "pcm", "backpropagation", "failed", "diverged"),
    )
    assert sheets.left(results(result("a", GOOD))) is None


def test_the_table_by_device_says_which_rules_cannot_be_told_apart() -> None:
    found = results(
        result("agad", GOOD, CHEAP, device="reram", pulses=0.1), result("tiki-taka", GOOD, DEAR, device="reram"),
        refused("agad", "pcm"), result("mixed-precision", (0.1, 0.1, 0.1), device="pcm"),
    )  # fmt: skip
    assert sheets.devices(found).rows == (
        ("reram", "agad", "agad = tiki-taka", "tiki-taka", "-"),
        ("pcm", "none reaches it", "none learns", "none learns", "agad"),
    )
