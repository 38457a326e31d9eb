"""Learning rules as a user sees them: shown, run, estimated, refused in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Cli

from archsim.base.files import shipped

DFA = "network.learning=direct-feedback-alignment"


def test_what_a_rule_needs_is_shown_with_the_network(cli: Cli) -> None:
    done = cli("workloads", "show", "mlp-mnist", "--set", DFA)
    assert (done.code, done.err) == (0, "")
    assert (
        "# It learns by direct-feedback-alignment; a training step keeps 1,554 words of a sample at once." in done.out
    )
    assert "#   fc1-feedback  10x250 feedback, in 1 tile of mixed-precision" in done.out
    assert "It learns by" not in cli("workloads", "show", "mlp-mnist").out
    signs = cli("workloads", "show", "mlp-mnist", "--set", "network.learning=sign-symmetric")
    assert "fc2-signs  10x251 signs, in a memory, a bit each" in signs.out


def test_its_program_and_its_json_are_those_of_the_rule(cli: Cli) -> None:
    text = cli("workloads", "show", "mlp-mnist", "--program", "--set", DFA).out
    assert "multiply    fc1-feedback" in text
    assert "multiply_transposed" not in text
    told = json.loads(cli("workloads", "show", "mlp-mnist", "--json", "--set", DFA).out)
    assert told["learning"] == "direct-feedback-alignment"
    assert told["matrices_beside"] == [{"name": "fc1-feedback", "shape": [10, 250], "role": "feedback"}]


@pytest.mark.usefixtures("undrawn")
def test_a_rule_is_run_explained_and_verified(cli: Cli, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    settings = ("--set", "network.learning=local-losses", "--set", "feedback.at=tiles")
    assert cli("run", "mlp-mnist", "--steps", "20", "--arch", "mixed-precision", "--out", out, *settings).code == 0
    assert cli("explain", out, "--no-reruns", "--arch", "mixed-precision").code == 0
    assert cli("report", out).code == 0
    assert cli("verify", out).code == 0


@pytest.mark.usefixtures("undrawn")
def test_the_time_line_of_a_step_whose_phases_come_again_is_whole(cli: Cli, tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    settings = ("--set", "network.learning=local-losses")
    assert cli("run", "mlp-mnist", "--steps", "5", "--arch", "mixed-precision", "--out", out, *settings).code == 0
    assert cli("trace", out, "--steps", "1").code == 0


def test_estimates_take_rules_and_refuse_signs_in_a_line(cli: Cli) -> None:
    taken = {}
    for rule in ("backpropagation", "direct-feedback-alignment"):
        done = cli("estimate", "lenet-mnist", "--json", "--set", f"network.learning={rule}")
        assert done.code == 0
        taken[rule] = json.loads(done.out)["architectures"]["digital32-deep"]["training"]["energy_per_step_J"]
    direct, back = taken["direct-feedback-alignment"], taken["backpropagation"]
    assert direct["forward"] == pytest.approx(back["forward"], rel=0.01)  # the memory of random matrices leaks
    assert direct["backward"] < 0.7 * back["backward"]
    refused = cli("estimate", "lenet-mnist", "--set", "network.learning=sign-symmetric")
    assert refused.code == 2
    assert "network.learning" in refused.error
    assert "how often signs of weights change is not known" in refused.error


def test_what_a_rule_is_not_defined_for_is_refused_where_it_stands(cli: Cli) -> None:
    written = (shipped("workloads") / "lstm-text.yaml").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(written, 1) if "kind: lstm" in text)
    lstm = cli("workloads", "show", "lstm-text", "--set", DFA)
    assert lstm.code == 2
    assert f"lstm-text.yaml:{line}: network.layers[1]: direct-feedback-alignment of lstm" in lstm.error
    typo = cli("workloads", "show", "mlp-mnist", "--set", "network.learning=feedback-aligment")
    assert typo.code == 2
    assert "Did you mean 'feedback-alignment'?" in typo.error
    tiles = cli("run", "mlp-mnist", "--steps", "1", "--set", "network.learning=feedback-alignment", "--set",
                "digital32.feedback.at=tiles")  # fmt: skip
    assert tiles.code == 2
    assert "expected memory or generator" in tiles.error
