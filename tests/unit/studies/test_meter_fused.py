"""The meter around fused modules of PyTorch: what is done once more is what was done, and counts are archsim's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archsim
from archsim.base.signal import STEP_PHASES
from archsim.base.streams import Streams
from archsim.networks.network import INPUT, TARGET
from archsim.runs.spec import resolve
from archsim.runs.train import Trainer, task_of
from archsim.studies.meter.replay import replayed

torch = pytest.importorskip("torch")
nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore")  # of torch.export, about itself
UNITS = 12

MODULES: dict[str, Any] = {
    "LSTM": lambda: nn.LSTM(4, 3, batch_first=True),
    "LSTM of two layers and directions, with dropout": lambda: nn.LSTM(4, 3, 2, bidirectional=True, dropout=0.4),
    "GRU of two layers, without biases": lambda: nn.GRU(4, 3, 2, bias=False, dropout=0.3),
    "GRU of both directions": lambda: nn.GRU(4, 3, batch_first=True, bidirectional=True),
    "RNN": lambda: nn.RNN(4, 3, 2, batch_first=True),
    "RNN by ReLU": lambda: nn.RNN(4, 3, nonlinearity="relu"),
    "attention": lambda: nn.MultiheadAttention(4, 2, batch_first=True),
    "attention, with dropout, without biases": lambda: nn.MultiheadAttention(4, 2, dropout=0.4, bias=False),
}


@pytest.mark.parametrize(
    ("name", "weights"), [(name, way) for name in MODULES for way in (True, False) if way or "attention" in name]
)
def test_what_is_done_once_more_gives_results_and_gradients_of_the_module(name: str, weights: bool) -> None:
    torch.manual_seed(0)
    module, x = MODULES[name](), torch.randn(5, 6, 4)
    attends = "attention" in name
    steps = x.shape[1 if module.batch_first else 0]
    causal = torch.triu(torch.ones(steps, steps, dtype=torch.bool), 1)
    args, named = ((x, x, x), {"need_weights": weights, "attn_mask": causal}) if attends else ((x,), {})
    state = torch.get_rng_state()
    wanted = module(*args, **named)
    torch.set_rng_state(state)
    made, used = replayed(module, args, named)
    found = [wanted[0]] if attends else [wanted[0], *(wanted[1] if isinstance(wanted[1], tuple) else [wanted[1]])]
    factors = [torch.randn_like(each) for each in found]
    for own, theirs in zip(made, found, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-5, atol=1e-6)
    sum((each * factor).sum() for each, factor in zip(found, factors, strict=True)).backward()
    errors = torch.autograd.grad(made, [use.z for use in used], factors)
    for parameter in {use.parameter for use in used}:
        mine = [(use, d) for use, d in zip(used, errors, strict=True) if use.parameter == parameter]
        outer = sum(d.flatten(0, -2).T @ use.x.flatten(0, -2) for use, d in mine)
        owner, _, last = parameter.rpartition(".")
        wanted_grad = getattr(module.get_submodule(owner), last).grad
        torch.testing.assert_close(outer[:, : wanted_grad.shape[1]], wanted_grad, rtol=1e-4, atol=1e-5)


def workload(kind: str, **more: Any) -> dict[str, Any]:
    """Return a workload of digits, four rows at a time."""
    layers = [{"name": "mix", "kind": kind, "units": UNITS, "returns": "last", **more},
              {"name": "head", "kind": "dense", "units": 10, "activation": "softmax"}]  # fmt: skip
    return {
        "schema": 1, "kind": "workload", "name": "rows", "title": "Rows of digits", "dataset": "mnist-5k",
        "architectures": ["digital32-deep"],
        "network": {"inputs": [7, 112], "initial_std": "lecun", "layers": layers, "loss": "cross-entropy"},
        "training": {"batch": 4, "learning_rate": 0.1, "epochs": 1},
    }  # fmt: skip


class Rows(nn.Module):
    """The same in PyTorch."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.mix, self.head = getattr(nn, kind.upper())(112, UNITS, batch_first=True), nn.Linear(UNITS, 10)

    def forward(self, x: Any) -> Any:
        return self.head(self.mix(x)[0][:, -1])

    def load(self, kind: str, values: dict[str, Any]) -> None:
        """Take over the weights of archsim's network."""
        mix = {name: torch.from_numpy(each.T.copy()) for name, each in values.items()}
        parts = {}
        if kind == "gru":
            n, r, z = mix["mix-input"].chunk(3)
            given, state = torch.cat([r, z, n]), mix["mix-state"]
            parts = {"weight_ih_l0": given[:, :-1], "bias_ih_l0": given[:, -1],
                     "weight_hh_l0": state[:, :-1], "bias_hh_l0": state[:, -1]}  # fmt: skip
        else:
            whole = mix["mix"]
            if kind == "lstm":
                i, f, o, g = whole.chunk(4)
                whole = torch.cat([i, f, g, o])
            parts = {"weight_hh_l0": whole[:, :UNITS], "weight_ih_l0": whole[:, UNITS:-1], "bias_ih_l0": whole[:, -1],
                     "bias_hh_l0": torch.zeros(len(whole))}  # fmt: skip
        with torch.no_grad():
            for name, each in parts.items():
                getattr(self.mix, name).copy_(each)
            self.head.weight.copy_(mix["head"][:, :-1])
            self.head.bias.copy_(mix["head"][:, -1])


def amounts(rows: Any, names: dict[str, str]) -> dict[Any, float]:
    """Return what units did, but for conductances, which are assumed, by the names of layers that archsim's own workload has."""
    found: dict[Any, float] = {}
    for row in rows:
        if row.phase in STEP_PHASES and row.layer != "chip" and row.amount and row.action != "cells.conduct":
            key = row.phase, names.get(row.layer, row.layer), row.component, row.action
            found[key] = found.get(key, 0.0) + row.amount
    return found


@pytest.mark.parametrize(
    ("kind", "arch", "units", "within"),
    [("lstm", "digital32-strong", {"mac_array", "digital_unit"}, 0.02), ("rnn", "digital32-strong", {"mac_array", "digital_unit"}, 0.02),
     ("lstm", "mixed-precision-deep", {"tile", "pulse_unit"}, 0.05), ("gru", "mixed-precision-deep", {"tile", "pulse_unit"}, 0.05)],
)  # fmt: skip
def test_counts_are_those_of_archsims_own_training(kind: str, arch: str, units: set[str], within: float) -> None:
    steps = 2
    spec = resolve(workload(kind), archs=[arch], steps=steps)
    trainer = Trainer(spec, spec.architectures[0])
    trainer.train(steps)
    model = Rows(kind)
    model.load(kind, dict(spec.network.initial_weights(Streams(1))))
    optimiser, task = torch.optim.SGD(model.parameters(), lr=0.1), task_of(spec, Streams(1))
    with archsim.meter(model, arch=arch, loss="cross-entropy") as m:
        for _ in range(steps):
            feeds = task.batch().feeds
            x, y = (torch.from_numpy(np.ascontiguousarray(feeds[name])) for name in (INPUT, TARGET))
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x.reshape(4, 7, 112)), y).backward()
            optimiser.step()
    [trained] = m._told().made()[1]
    names = {
        "linear": "head",
        kind: "mix",
        "rnn_tanh": "mix",
        **{f"{kind}-{part}": f"mix-{part}" for part in ("input", "state")},
    }
    own, found = amounts(trainer.chip.ledger.rows(), {}), amounts(trained.rows, names)
    own, found = ({key: n for key, n in each.items() if key[2] in units} for each in (own, found))
    assert found.keys() == own.keys()
    assert found == pytest.approx(own, rel=within)
    assert f"operands of {len(spec.network.shapes)} of {len(spec.network.shapes)} products" in m.summary()["told"][0]


class Mixed(nn.Module):
    """Attention between a recurrent layer with dropout and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.GRU(6, 4, 2, batch_first=True, dropout=0.5)
        self.look, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        y = self.mix(x)[0]
        return self.head(self.look(y, y, y, need_weights=False)[0][:, 0])


def loop(model: Any) -> None:
    optimiser, made = torch.optim.SGD(model.parameters(), lr=0.5), torch.Generator().manual_seed(3)
    torch.manual_seed(5)
    for _ in range(3):
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(torch.rand(2, 5, 6, generator=made)), torch.tensor([0, 2])).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        model(torch.rand(2, 5, 6, generator=made))


def test_a_model_of_fused_modules_trains_to_the_same_bits_and_all_its_products_are_measured() -> None:
    torch.manual_seed(1)
    bare = Mixed()
    metered = Mixed()
    metered.load_state_dict(bare.state_dict())
    loop(bare)
    with archsim.meter(metered, arch=("mixed-precision-deep", "in-array-sgd")) as m:
        loop(metered)
        m.test(0.5)
    assert all(torch.equal(a, b) for a, b in zip(bare.parameters(), metered.parameters(), strict=True))
    assert "operands of 7 of 7 products in 3 of 3 steps" in m.summary()["told"][0]
    rows = {(row.phase, row.layer, row.action): row.amount for row in m._told().made()[1][0].rows}
    assert rows["forward", "linear", "adc.convert"] == pytest.approx(3 * 2 * 5 * 12)  # queries, keys and values in one
    assert rows["evaluation", "gru-1-state", "adc.convert"] == pytest.approx(2 * 5 * 12)
    outer = {layer for (phase, layer, action), n in rows.items() if (phase, action) == ("update", "multiply") and n}
    assert outer >= {"linear", "linear_1", "linear_2", *(f"gru-{k}-{of}" for k in (0, 1) for of in ("input", "state"))}
