"""Hold archsim's stochastic trains, its devices after presets and its transfers against aihwkit's own, in distribution.

Trains: the same vectors and rate, thousands of times, on devices of equal exact steps; mean and variance of the steps
of each weight. Devices: 4,000 of each preset from the weight 0, single pulses up, then as many down; mean and standard
deviation of the weights after each. What archsim's models leave out is off in aihwkit, too: the spread of bounds and
of asymmetry between devices, and write noise. Transfers: Tiki-Taka v2, c-TTv2 and AGAD, many small matrices that learn
from one sequence of errors of either sign, on exact devices and on those of the preset that the rules are for; mean and
variance of fast array and weights in the end. Automatic scales are off in aihwkit, and archsim's are those of operands
whose largest never change. A transfer gives one pulse at most, so that aihwkit's own trains, which are sent by chance,
give it for certain. AGAD of aihwkit leaves weights alone while its first choppers are open: counted from then on.

Usage: python tools/compare_rules.py [--archsim-only] [--keep FILE]

Needs archsim, and for its other half aihwkit and torch; with `--archsim-only` that half is taken from
docs/aihwkit-rules.json, which an earlier run with `--keep` left. Written for aihwkit 1.2.0 and run with it.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from archsim.base.streams import Normals
from archsim.devices.base import DeviceArray, Switches
from archsim.devices.library import build, device_file
from archsim.learning.trains.sending import PulseTrains
from archsim.learning.transfer import Buffered, Chopped, Dynamic, Follow

RECORD = Path(__file__).parents[1] / "docs/aihwkit-rules.json"
ROWS, COLUMNS, STEP, RATE, SENDINGS, DEVICES = 6, 4, 0.002, 0.05, 4000, 4000
TRAINS = {"trains of 31": 31, "clipped trains of 3": 3}
PRESETS = {
    "gokmen-vlasov": ("GokmenVlasovPresetDevice", -1.0, 1.0, 100),
    "idealised": ("IdealizedPresetDevice", -1.0, 1.0, 100),
    "reram-soft-bounds": ("ReRamSBPresetDevice", -0.75, 1.25, 100),
    "reram-array": ("ReRamArrayOMPresetDevice", -1.0, 1.0, 5),
    "ecram-soft-bounds": ("EcRamPresetDevice", -0.8276, 1.1724, 200),
    "ecram-metal-oxide": ("EcRamMOPresetDevice", -0.8286, 1.1714, 1000),
    "capacitor": ("CapacitorPresetDevice", -1.0, 1.0, 60),
}
"""archsim's device: aihwkit's preset, the weights at its bounds, pulses."""
EXACT = {"w_max_dtod": 0.0, "w_min_dtod": 0.0, "up_down_dtod": 0.0}
SHARED = 0.06
"""Part of the deviation after the first train that aihwkit's noise leaves between runs, taken as a standard error.

Its devices draw from one table: 4,000 ReRamSB devices without spread ended at 0.178 and 0.195 in two runs where without
noise they end at 0.1850, six and nine times what independent noise leaves.
"""
OTHERS = ("write_noise_std", "gamma_up_dtod", "gamma_down_dtod", "lifetime", "lifetime_dtod", "reference_std")
"""What archsim's models leave out, where a preset has it."""
RULES = {"tiki-taka": Buffered, "chopped-tiki-taka": Chopped, "agad": Dynamic}
MATRICES, VECTORS, SLOTS, PASSED, KEEP, FLIP, PERIOD, TAIL = 400, 132, 5, 0.05, 0.1, 0.1, 10, 5.0
"""Of transfers: matrices, errors, slots of a train, pulses that a step of the fast array is worth when read; the
part that stays in the buffer, the chance of a flip, and AGAD's reads between two flips and weight of the last ones."""
OPENED = (PERIOD + 1) * ROWS
"""Vectors until aihwkit's AGAD first writes weights (transfer_counter_ > n_samples in its source)."""
STEPPED = {"exact": (STEP, 200.0), "reram-array": (0.0949, 1.0)}
"""Devices of transfers: mean step and bound in weight."""
TRANSFERS = {f"{rule}, {device}": (rule, device) for rule in RULES for device in STEPPED}
Found = dict[str, list[float]]


def vectors() -> tuple[Any, Any]:
    """Return the inputs and the errors that are sent."""
    rng = np.random.default_rng(2)
    x, d = rng.uniform(-1, 1, ROWS), 0.5 * rng.uniform(-1, 1, COLUMNS)
    return x.astype(np.float32), d.astype(np.float32)


def signs() -> Any:
    """Return the sign of the errors of each vector that transfers learn from."""
    return np.where(np.random.default_rng(4).random(VECTORS) < 0.55, 1.0, -1.0).astype(np.float32)


def passed(fast_rate: float) -> float:
    """Return gamma for which a step of the fast array is worth `PASSED` pulses when it is read."""
    return RATE * ROWS / (PASSED * fast_rate)


class Arrays:
    """Weights of one array in devices that step exactly, or of a preset, (rows, columns)."""

    def __init__(self, name: str, source: Normals) -> None:
        self.step, self.bound, self.source = *STEPPED[name], source
        self.device = None if name == "exact" else build(device_file(name), Switches())
        self.exact, self.array = np.zeros(ROWS * COLUMNS), DeviceArray.blank(ROWS * COLUMNS)
        if self.device:
            self.middle, self.span = (self.device.low + self.device.high) / 2, self.device.high - self.device.low
            self.device.load(self.array, np.full(ROWS * COLUMNS, self.middle, np.float32), 0)

    def pulse(self, index: Any, pulses: Any) -> None:
        """Give signed pulses."""
        if self.device is None:
            self.exact[index] += self.step * pulses
            return
        for give, here in ((self.device.set_pulses, pulses > 0), (self.device.down_pulses, pulses < 0)):
            if here.any():
                due = abs(pulses[here])
                give(self.array, index[here], due, int(due.sum()), 0, self.source)

    @property
    def weights(self) -> Any:
        """What the devices hold, flat."""
        if self.device is None:
            return self.exact.copy()
        return (self.array.conductance - self.middle) / self.span * 2 * self.bound


def transferred(rule: str, device: str) -> list[float]:
    """Return mean and variance, in steps, of fast arrays and weights of many matrices in the end."""
    (x, d), step = vectors(), STEPPED[device][0]
    x_max, d_max, ends = float(abs(x).max()), float(abs(d).max()), []
    gamma = passed(SLOTS * step / (x_max * d_max))
    for k in range(MATRICES):
        source = Normals(np.random.default_rng([5, k]))
        trains = PulseTrains((ROWS, COLUMNS), length=SLOTS, managed=True, random=np.random.default_rng([6, k]))
        given: dict[str, Any] = {
            "follow": Follow(every=1, share=float(SLOTS), gamma=gamma), "steps": (step, step), "length": 1,
            "keep": KEEP, "forgets": True,
        }  # fmt: skip
        own = {"tiki-taka": {}, "chopped-tiki-taka": {"flip": FLIP, "random": np.random.default_rng([7, k])},
               "agad": {"period": PERIOD, "tail": TAIL}}[rule]  # fmt: skip
        made = RULES[rule]((ROWS, COLUMNS), **given, **own)
        fast, slow = Arrays(device, source), Arrays(device, source)
        begun = slow.weights
        for n, sign in enumerate(signs()):
            asked = made.see(np.array([x_max]), np.array([d_max]))
            fast.pulse(*met(trains, made.signs(x) / x_max, sign * d / d_max, asked))
            for line in made.due(1):
                read = fast.weights.reshape(ROWS, COLUMNS)[line].astype(np.float32)
                pulses = made.take(line, read, RATE).pulses
                slow.pulse(line * COLUMNS + np.flatnonzero(pulses), pulses[pulses != 0])
            if rule == "agad" and n + 1 == OPENED:
                begun = slow.weights
        ends.append(np.concatenate([fast.weights, slow.weights - begun]) / step)
    return [*summed(np.array(ends)), *_fourth(np.array(ends))]


def met(trains: PulseTrains, x: Any, d: Any, k: Any) -> tuple[Any, Any]:
    """Return where the trains of a vector meet, and the signed coincidences."""
    sent = trains.send(np.float32(x)[None], np.float32(d)[None], k)
    return sent.to(slice(0, ROWS), slice(0, COLUMNS)).met(0)


def _fourth(ends: Any) -> list[float]:
    """Return the fourth central moment of each column, which says how well its variance is known."""
    found: list[float] = np.mean((ends - ends.mean(axis=0)) ** 4, axis=0).tolist()
    return found


def summed(steps: Any) -> list[float]:
    """Return the mean of each weight's steps, then the variance of each."""
    return [*np.mean(steps, axis=0).tolist(), *np.var(steps, axis=0).tolist()]


def ours(transfers: Sequence[str] = tuple(TRANSFERS)) -> Found:
    """Return what archsim gives, by case; of the transfers some."""
    x, d = vectors()
    x_max, d_max, found = float(abs(x).max()), float(abs(d).max()), {}
    for name, longest in TRAINS.items():
        trains = PulseTrains((ROWS, COLUMNS), length=longest, managed=True, random=np.random.default_rng(1))
        steps = np.zeros((SENDINGS, ROWS * COLUMNS))
        for row in steps:
            index, pulses = met(trains, x / x_max, d / d_max, np.array([RATE * x_max * d_max / STEP]))
            row[index] = pulses
        found[name] = summed(steps)
    found |= {name: transferred(*TRANSFERS[name]) for name in transfers}
    for name, (_, low, high, pulses) in PRESETS.items():
        device = build(device_file(name), Switches())
        span = device.high - device.low
        array, index = DeviceArray.blank(DEVICES), np.arange(DEVICES)
        device.load(array, np.full(DEVICES, device.low - low / (high - low) * span, np.float32), 0)
        source = Normals(np.random.default_rng(3))
        found[name] = []
        for give in (device.set_pulses, device.down_pulses):
            give(array, index, np.full(DEVICES, pulses), DEVICES * pulses, 0, source)
            weights = low + (array.conductance - device.low) / span * (high - low)
            found[name] += [float(weights.mean()), float(weights.std())]
    return found


def theirs() -> Found:
    """Return what aihwkit gives, by case.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    torch = import_module("torch")
    configs, parameters = import_module("aihwkit.simulator.configs"), import_module("aihwkit.simulator.parameters")
    devices, tiles = import_module("aihwkit.simulator.presets.devices"), import_module("aihwkit.simulator.tiles")
    stochastic = import_module("aihwkit.simulator.parameters.enums").PulseType.STOCHASTIC_COMPRESSED

    def tile(outputs: int, inputs: int, device: Any, longest: int, rate: float) -> Any:
        update = parameters.UpdateParameters(
            desired_bl=longest, update_bl_management=True, update_management=True, pulse_type=stochastic
        )
        made = tiles.AnalogTile(outputs, inputs, configs.SingleRPUConfig(device=device, update=update))
        made.set_learning_rate(rate)
        made.set_weights(torch.zeros(outputs, inputs))
        return made

    (x, d), found = vectors(), {}
    for name, longest in TRAINS.items():
        exact = configs.ConstantStepDevice(
            dw_min=STEP, dw_min_dtod=0, dw_min_std=0, up_down=0, w_max=200, w_min=-200, **EXACT
        )  # fmt: skip
        one, before, steps = tile(COLUMNS, ROWS, exact, longest, RATE), np.zeros((COLUMNS, ROWS)), []
        for _ in range(SENDINGS):
            one.update(torch.tensor(x)[None], torch.tensor(-d)[None])
            weights = one.get_weights()[0].numpy()
            steps.append(((weights - before) / STEP).T.reshape(-1))
            before = weights.copy()
        found[name] = summed(np.rint(steps))
    found |= {name: _transferred(*case) for name, case in TRANSFERS.items()}
    for name, (preset, _, _, pulses) in PRESETS.items():
        made = getattr(devices, preset)(**EXACT)
        for other in OTHERS:
            if hasattr(made, other):
                setattr(made, other, 0.0)
        one = tile(DEVICES, 1, made, 1, made.dw_min)  # k = 1: one slot, all lines pulsed
        found[name] = []
        for sign in (-1.0, 1.0):
            for _ in range(pulses):
                one.update(torch.ones(1, 1), torch.full((1, DEVICES), sign))
            weights = one.get_weights()[0].numpy()
            found[name] += [float(weights.mean()), float(weights.std())]
    return found


def _transferred(rule: str, device: str) -> list[float]:
    """Return what aihwkit gives of the transfers."""
    torch = import_module("torch")
    configs, parameters = import_module("aihwkit.simulator.configs"), import_module("aihwkit.simulator.parameters")
    presets, tiles = import_module("aihwkit.simulator.presets.devices"), import_module("aihwkit.simulator.tiles")
    (x, d), (step, bound), ends = vectors(), STEPPED[device], []
    fast_rate = SLOTS * step / float(abs(x).max() * abs(d).max())
    given = {
        "fast_lr": fast_rate, "scale_fast_lr": False, "transfer_lr": PASSED, "scale_transfer_lr": False,
        "transfer_every": 1, "units_in_mbatch": False, "momentum": KEEP, "forget_buffer": True,
        "transfer_forward": parameters.IOParameters(is_perfect=True),
        "transfer_update": parameters.UpdateParameters(
            desired_bl=1, update_bl_management=False, update_management=False
        ),
    }  # fmt: skip
    kinds = {
        "tiki-taka": (configs.BufferedTransferCompound, {"thres_scale": 1.0}),
        "chopped-tiki-taka": (configs.ChoppedTransferCompound, {"in_chop_prob": FLIP, "in_chop_random": True}),
        "agad": (configs.DynamicTransferCompound,
                 {"in_chop_prob": 1 / PERIOD, "in_chop_random": False, "tail_weightening": TAIL}),
    }  # fmt: skip
    kind, own = kinds[rule]
    if rule != "tiki-taka":
        own = {**own, "out_chop_prob": 0.0, "auto_scale": False, "auto_granularity": 0.0, "buffer_granularity": 1.0,
               "correct_gradient_magnitudes": False}  # fmt: skip
    for k in range(MATRICES):
        cells = []
        for _ in range(2):
            if device == "exact":
                cells.append(configs.ConstantStepDevice(
                    dw_min=STEP, dw_min_dtod=0, dw_min_std=0, up_down=0, w_max=bound, w_min=-bound, **EXACT
                ))  # fmt: skip
                continue
            cells.append(presets.ReRamArrayOMPresetDevice(**EXACT))
            for other in OTHERS:
                if hasattr(cells[-1], other):
                    setattr(cells[-1], other, 0.0)
        update = parameters.UpdateParameters(
            desired_bl=SLOTS, update_bl_management=True, update_management=True,
            pulse_type=import_module("aihwkit.simulator.parameters.enums").PulseType.STOCHASTIC_COMPRESSED,
        )  # fmt: skip
        torch.manual_seed(k)
        config = configs.UnitCellRPUConfig(device=kind(unit_cell_devices=cells, **given, **own), update=update)
        one = tiles.AnalogTile(COLUMNS, ROWS, config)
        one.set_learning_rate(RATE)
        one.set_weights(torch.zeros(COLUMNS, ROWS))
        begun = np.zeros((COLUMNS, ROWS))
        for n, sign in enumerate(signs()):
            one.update(torch.tensor(x)[None], torch.tensor(-sign * d)[None])
            if rule == "agad" and n + 1 == OPENED:
                begun = one.get_weights()[0].numpy().copy()
        fast = one.get_hidden_parameters()["hidden_weights_0"].numpy()
        slow = one.get_weights()[0].numpy() - begun
        ends.append(np.concatenate([fast.T.reshape(-1), slow.T.reshape(-1)]) / step)
    return [*summed(np.array(ends)), *_fourth(np.array(ends))]


def errors(name: str, mine: Sequence[float], other: Sequence[float]) -> list[float]:
    """Return the standard error of the difference of each number of a case that is compared.

    Steps of a train are taken as normal; the ends of transfers are as they were found, since devices that differ by
    lognormal factors leave long tails.
    """
    if name in TRANSFERS:
        n, both = len(mine) // 3, (mine, other)
        means = [math.sqrt(max(a, 0.05) / MATRICES + max(b, 0.05) / MATRICES)
                 for a, b in zip(*(each[n : 2 * n] for each in both), strict=True)]  # fmt: skip
        fourths = [[max(each[2 * n + k] - each[n + k] ** 2, 0.05) for k in range(n)] for each in both]
        return [*means, *(math.sqrt((a + b) / MATRICES) for a, b in zip(*fourths, strict=True))]
    if name in PRESETS:
        chance = [math.sqrt(2 / DEVICES) * mine[1 + k // 2 * 2] * (1.0, 0.71)[k % 2] for k in range(len(mine))]
        return [math.hypot(each, SHARED * mine[1]) for each in chance]
    half = len(mine) // 2
    spread = [max(variance, 0.05) for variance in mine[half:]]
    return [
        *(math.sqrt(2 * each / SENDINGS) for each in spread), *(2 * each / math.sqrt(SENDINGS) for each in spread)
    ]  # fmt: skip


def compared(mine: Found, other: Found) -> dict[str, float]:
    """Return the largest difference of each case in standard errors."""
    return {
        name: max(
            abs(a - b) / error
            for a, b, error in zip(mine[name], other[name], errors(name, mine[name], other[name]), strict=False)
        )
        for name in mine
    }


def main(arguments: Sequence[str], their: Callable[[], Found] = theirs) -> int:
    """Compare, print a line a case, and return 1 if one is off by more than five standard errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archsim-only", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args(arguments)
    try:
        other = json.loads(RECORD.read_text(encoding="utf-8"))["cases"] if options.archsim_only else their()
    except ImportError as error:
        print(
            f"compare_rules: needs aihwkit 1.2 and torch; --archsim-only runs without them ({error})", file=sys.stderr
        )
        return 2
    if options.keep:
        versions = {
            "python": platform.python_version(),
            **{each: version(each) for each in ("aihwkit", "torch", "numpy")},
        }
        content = {"command": "python tools/compare_rules.py --keep", "versions": versions, "cases": other}
        options.keep.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    mine = ours()
    found = compared(mine, other)
    for name, off in found.items():
        shown = ", ".join(f"{a:.4g} / {b:.4g}" for a, b in zip(mine[name][:4], other[name][:4], strict=True))
        print(f"{name}: {off:.1f} standard errors at most; first archsim / aihwkit: {shown}")
    return int(max(found.values()) > 5)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
