"""Hold archsim's PCM training against an independent implementation: aihwkit's mixed-precision PCM preset.

Both train 784-250-10 in pairs of trainings, like with like: the same initial weights in the same pairs of conductances,
the same images in the same order (archsim's stream `data/order`), half the squared error of sigmoids, rate 0.3, batch
1, a threshold of 0.0957 in weight (the mean of ten pulses) with one blind pulse a crossing, refresh every 100 images,
one tile a layer with its biases on it, 7-bit DACs, 9-bit ADCs over +-20, inputs driven as they are and errors over
their largest. Both are tested on all test images through their own converters. `NOTES` says what stays different.

Usage: python tools/compare_aihwkit.py [--pairs NAME ...] [--images N [N ...]] [--seeds N [N ...]] [--data DIR]
       [--keep FILE] [--archsim-only]

Needs archsim, and for its other half aihwkit and torch. With `--archsim-only` that half is taken from
docs/aihwkit.json, which an earlier run with `--keep` left. Written for aihwkit 1.2.0 and run with it.

Two traps of the preset: a compound whose `granularity` is 0 takes it from its device, which averages the down step at
weight 0 with itself: 0.01 (1 + 2.235) = 0.03235, where ten SET pulses move 0.09 each; and aihwkit gives granularity x
transfer_lr / 0.03235 pulses a crossing, three at 0.0957: with the granularity, transfer_lr has to be set for one pulse.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from archsim.base.arrays import F32
from archsim.base.errors import ArchsimError, InputError
from archsim.base.files import check_file, write_text
from archsim.base.streams import Streams
from archsim.data.sampler import Sampler
from archsim.display import console
from archsim.report.sheet import Sheet, terminal
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Trainer

NEEDS = "needs aihwkit 1.2 and torch; --archsim-only runs without them"
RECORD = Path(__file__).parents[1] / "docs/aihwkit.json"


@dataclass(frozen=True)
class Pair:
    """Two trainings, one in each program.

    Parameters
    ----------
    name, what : str
    bits : (inputs, errors)
        Precision of the operands of the outer product, sign included; 16 stands for unrounded.
    noisy : bool
        Whether reading is noisy, and devices drift in archsim.
    """

    name: str
    what: str
    bits: tuple[int, int]
    noisy: bool

    @property
    def settings(self) -> tuple[str, ...]:
        """Return archsim's settings."""
        bits = zip(("x", "error"), self.bits, strict=True)
        return (
            "training.decay=1", "tile.rows=1024", "tile.dac.bits=7", "tile.adc.bits=9", "refresh.every=100",
            "tile.adc.forward_full_scale=20.0", "tile.adc.backward_full_scale=20.0",
            "outer_product.chi.bits=32",
            *(f"outer_product.{operand}_bits={each}" for operand, each in bits),
            *(f"nonidealities.{name}={str(self.noisy).lower()}" for name in ("read_noise", "drift")),
        )  # fmt: skip


PAIRS = (
    Pair("unrounded", "operands of the outer product unrounded", (16, 16), True),
    Pair("sparse", "inputs of 8 and errors of 3 bits in the outer product", (8, 3), True),
    Pair("quiet", "as sparse, without noise of reading and drift", (8, 3), False),
)


@dataclass(frozen=True)
class Row:
    """What one training reached after so many images; the counts are means an image since the number before.

    `chi` : elements of chi updated, of both layers; `changed` : weights changed by pulses.
    """

    pair: str
    program: str
    seed: int
    images: int
    accuracy: float
    chi: float
    changed: float

    @property
    def training(self) -> tuple[str, str, int]:
        """Return of which training it is: pair, program without its version, seed."""
        return self.pair, self.program.split()[0], self.seed


NOTES = """
Devices: archsim has the PCM model of Nandakumar et al. 2018 with pulse memory; aihwkit a fit of exponential steps with
spread between devices. Weights reach +-1.5 in archsim (12 uS on 8 uS), +-2 there. Refresh has other criteria.

Noise of reading: archsim draws it from the conductances of both devices of every pair, and lets them drift, so that
in the first second after writing they read up to 16 % more; aihwkit gets noise of every weight, of archsim's mean at
the start, and has no drift. Its own noise at the ADC, 0.1, is off.

Operands: unrounded in aihwkit means 16 bits in archsim. aihwkit rounds inputs over their largest, archsim over 1.

Weights changed: archsim counts pairs pulsed in updates; of aihwkit, weights that differ after an image from those
before it, so that a pulse that does not move its device is not seen and a refresh is (every hundredth image).

The seed fixes archsim's training to the bit; aihwkit draws some of its noise from generators that it does not reach.
"""


# --- archsim ----------------------------------------------------------------------------------------------------------
def specification(options: argparse.Namespace, pair: Pair, seed: int) -> RunSpec:
    """Return archsim's spec of a pair: batch 1, a constant rate of 0.3."""
    return resolve(
        "mlp-mnist", archs=("mixed-precision",), techs=("bottom-up-14nm",), seed=seed, data=options.data,
        steps=max(options.images), settings=pair.settings,
    )  # fmt: skip


def archsim_rows(options: argparse.Namespace, pair: Pair, seed: int) -> Iterator[Row]:
    """Train archsim's chip; yield a row after each number of images."""
    spec = specification(options, pair, seed)
    trainer, done, before = Trainer(spec, spec.architectures[0]), 0, np.zeros(2)
    for images in options.images:
        trainer.train(images - done)
        now = np.array([counted(trainer, "chi.read"), counted(trainer, "log.write")])
        chi, changed = ((now - before) / (images - done)).tolist()
        done, before = images, now
        yield Row(pair.name, "archsim", seed, images, 100 * trainer.evaluate(), chi, changed)


def counted(trainer: Trainer, action: str) -> float:
    """Return how often an action of updates was done so far, in all layers."""
    return sum(row.amount for row in trainer.chip.ledger.rows() if (row.phase, row.action) == ("update", action))


# --- aihwkit ----------------------------------------------------------------------------------------------------------
def library() -> SimpleNamespace:
    """Return what is used of torch and aihwkit; ImportError if they are not there."""
    names = ("torch", "aihwkit.nn", "aihwkit.optim", "aihwkit.simulator.presets", "aihwkit.simulator.parameters.enums")
    return SimpleNamespace(**{name.rpartition(".")[2]: import_module(name) for name in names})


def preset(kit: SimpleNamespace, pair: Pair, threshold: float, noise: float) -> Any:
    """Return the preset made like archsim's chip.

    Parameters
    ----------
    threshold : float
        Of chi, in weight; one pulse a crossing.
    noise : float
        Standard deviation of one read of a weight.
    """
    config = kit.presets.MixedPrecisionPCMPreset()
    compound = config.device
    compound.device.refresh_every = 100
    device = compound.device.unit_cell_devices[0]
    step = device.dw_min * (1 - device.A_down)  # what aihwkit takes for a pulse, 0.03235
    compound.granularity = threshold
    compound.transfer_lr = step / threshold * (1 - 1e-6)  # just below one pulse: the count is rounded up
    if max(pair.bits) < 16:
        compound.n_x_bins, compound.n_d_bins = (2**bits - 1 for bits in pair.bits)
        compound.stoc_round_x = compound.stoc_round_d = False
    config.mapping.digital_bias = False
    config.mapping.max_input_size = config.mapping.max_output_size = 0  # one tile a layer
    for io in (config.forward, config.backward):
        io.bound_management = kit.enums.BoundManagementType.NONE
        io.out_noise, io.w_noise = 0.0, noise
        io.w_noise_type = kit.enums.WeightNoiseType.ADDITIVE_CONSTANT if noise else kit.enums.WeightNoiseType.NONE
    config.forward.noise_management = kit.enums.NoiseManagementType.NONE
    return config


def network(kit: SimpleNamespace, pair: Pair, trainer: Trainer) -> list[Any]:
    """Return the two layers in aihwkit with the conductances of archsim's chip, which was not trained yet."""
    chip: Any = trainer.chip
    layers = []
    for layer in trainer.spec.network.layers:
        cells = chip.cells()[f"{layer.name}/0,0"]
        noise = float(np.sqrt(cells.variance).mean()) if pair.noisy else 0.0
        threshold = cells.device.epsilon / cells.scale
        made = kit.nn.AnalogLinear(layer.inputs, layer.units, bias=True, rpu_config=preset(kit, pair, threshold, noise))
        (tile,) = made.analog_tiles()
        parameters = tile.get_hidden_parameters()
        for name, devices in zip(("hidden_weights_1", "hidden_weights_0"), cells.pairs, strict=True):  # G+, G-
            weights = (devices.conductance / cells.scale).reshape(cells.shape).T  # (units, inputs and bias)
            parameters[name] = kit.torch.from_numpy(np.ascontiguousarray(weights, np.float32))
        tile.set_hidden_parameters(parameters)
        layers.append(made)
    return layers


def operands(values: F32, bits: int) -> int:
    """Return how many elements of an operand, (1, size), are not zero after rounding over their largest."""
    size = np.abs(values)
    if bits < 16 and (top := size.max()):
        size = np.rint(size * ((2 ** (bits - 1) - 1) / top))
    return int(np.count_nonzero(size))


class Twin:
    """aihwkit's half of a pair: its network, its optimiser, and what was counted so far."""

    def __init__(self, kit: SimpleNamespace, pair: Pair, trainer: Trainer) -> None:
        kit.torch.manual_seed(trainer.spec.seed)
        self.kit, self.pair, self.layers = kit, pair, network(kit, pair, trainer)
        self.model = kit.nn.AnalogSequential(*self.layers)
        self.optimizer = kit.optim.AnalogSGD(self.model.parameters(), lr=trainer.spec.training.learning_rate)
        self.optimizer.regroup_param_groups(self.model)
        self.chi = self.changed = 0
        self._weights = self._read()

    def _read(self) -> list[Any]:
        return [tile.tile.get_weights() for layer in self.layers for tile in layer.analog_tiles()]

    def step(self, image: F32, target: F32) -> None:
        """Train on one image, (1, inputs), and count."""
        torch, signal, seen = self.kit.torch, self.kit.torch.tensor(image), []
        self.model.train()
        self.optimizer.zero_grad()
        for layer in self.layers:
            z = layer(signal)
            z.retain_grad()
            seen.append((signal, z))
            signal = torch.sigmoid(z)
        (0.5 * ((signal - torch.tensor(target)) ** 2).sum()).backward()
        self.optimizer.step()
        inputs, errors = self.pair.bits
        for x, z in seen:
            driven = operands(x.detach().numpy(), inputs) + 1  # the bias
            self.chi += driven * operands(z.grad.numpy(), errors)
        before, self._weights = self._weights, self._read()
        self.changed += sum(int((old != new).sum()) for old, new in zip(before, self._weights, strict=True))

    def accuracy(self, spec: RunSpec) -> float:
        """Return the accuracy [%] on the whole test set, through the converters."""
        torch, images, labels, hits = self.kit.torch, spec.dataset.test_x, spec.dataset.test_y, 0
        self.model.eval()
        with torch.no_grad():
            for k in range(0, len(labels), 500):
                signal = torch.tensor(images[k : k + 500])
                for layer in self.layers:
                    signal = torch.sigmoid(layer(signal))
                hits += int((signal.argmax(dim=1).numpy() == labels[k : k + 500]).sum())
        return 100 * hits / len(labels)


def aihwkit_rows(options: argparse.Namespace, pair: Pair, seed: int) -> Iterator[Row]:
    """Train aihwkit's half; yield a row after each number of images."""
    spec = specification(options, pair, seed)
    twin = Twin(library(), pair, Trainer(spec, spec.architectures[0]))
    sampler, done, before = Sampler(spec.dataset, 1, Streams(seed)), 0, np.zeros(2)
    for images in options.images:
        for _ in range(images - done):
            x, target, _ = sampler.batch()
            twin.step(x, target)
        now = np.array([twin.chi, twin.changed])
        chi, changed = ((now - before) / (images - done)).tolist()
        done, before = images, now
        yield Row(pair.name, f"aihwkit {version('aihwkit')}", seed, images, twin.accuracy(spec), chi, changed)


# --- command line -----------------------------------------------------------------------------------------------------
def trained(options: argparse.Namespace) -> Iterator[list[Row]]:
    """Yield the rows of each training asked for, from the file that keeps them or else trained, and kept, now."""
    rows: list[Row] = []
    if options.keep:
        check_file(options.keep, option="--keep", force=True)
        rows = kept(options.keep)
    recorded = kept(RECORD) if options.archsim_only else []
    for pair in (each for each in PAIRS if each.name in options.pairs):
        for seed in options.seeds:
            for program, half in (("archsim", archsim_rows), ("aihwkit", aihwkit_rows)):
                training = (pair.name, program, seed)
                found = chosen(rows, training, options.images)
                if program == "aihwkit" and options.archsim_only:
                    found = chosen(recorded, training, options.images)
                elif len(found) < len(options.images):
                    found = list(half(options, pair, seed))
                    rows = [row for row in rows if row.training != training] + found
                    if options.keep:
                        keep(options.keep, rows, specification(options, pair, seed).dataset.origin)
                yield found


def chosen(rows: Sequence[Row], training: tuple[str, str, int], images: Sequence[int]) -> list[Row]:
    """Return the rows of one training after those numbers of images."""
    return [row for row in rows if row.training == training and row.images in images]


def kept(path: Path) -> list[Row]:
    """Return the rows of a file that an earlier run kept; none if there is no file.

    Raises
    ------
    InputError
        If it is no such file.
    """
    if not path.is_file():
        return []
    try:
        return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]
    except (ValueError, KeyError, TypeError) as error:
        text, expected = f"cannot be read ({type(error).__name__})", "a file that --keep wrote"
        raise InputError(text, file=path, key="rows", expected=expected) from error


def keep(path: Path, rows: Sequence[Row], origin: str) -> None:
    """Write rows with what they come from."""
    found = {"python": platform.python_version()}
    for name in ("archsim", "aihwkit", "torch", "numpy"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    content = {
        "command": "python tools/compare_aihwkit.py", "data": origin, "versions": found,
        "rows": [asdict(row) for row in rows],
    }  # fmt: skip
    write_text(path, json.dumps(content, indent=1) + "\n")


def show(rows: Sequence[Row], origin: str) -> None:
    """Print the table, means over seeds, and what differs by construction."""
    heads = ("pair", "images", "program", "seeds", "accuracy", "lowest", "highest", "chi an image", "changed an image")
    lines, names = [], [pair.name for pair in PAIRS]
    ordered = sorted(rows, key=lambda row: (names.index(row.pair), row.images, row.program))
    for pair, images, program in dict.fromkeys((row.pair, row.images, row.program) for row in ordered):
        found = [row for row in rows if (row.pair, row.images, row.program) == (pair, images, program)]
        accuracy = [row.accuracy for row in found]
        lines.append(
            (
                pair, f"{images:,}", program, f"{len(found)}", f"{np.mean(accuracy):.2f} %", f"{min(accuracy):.2f} %",
                f"{max(accuracy):.2f} %", f"{np.mean([row.chi for row in found]):,.0f}",
                f"{np.mean([row.changed for row in found]):.3f}",
            )
        )  # fmt: skip
    console().print(terminal(Sheet("Like with like, batch 1", heads, tuple(lines))))
    print("\n".join(f"{pair.name}: {pair.what}" for pair in PAIRS))
    print(f"Data: {origin}")
    print(NOTES.rstrip())


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; the numbers of images in rising order."""
    parser = argparse.ArgumentParser(description="Hold archsim's PCM training against aihwkit's preset.")
    names = [pair.name for pair in PAIRS]
    parser.add_argument("--pairs", choices=names, nargs="+", default=names)
    parser.add_argument("--images", type=int, nargs="+", default=[3_000, 10_000], help="test after so many")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--data", type=Path, help="folder with MNIST's four IDX files")
    parser.add_argument("--keep", type=Path, help="file that keeps each training; those in it are not done again")
    parser.add_argument("--archsim-only", action="store_true", help="take aihwkit's half from docs/aihwkit.json")
    options = parser.parse_args(arguments)
    if min(options.images) < 1 or min(options.seeds) < 0:
        parser.error("--images have to be above 0, --seeds from 0 on")
    options.images, options.seeds = sorted(set(options.images)), sorted(set(options.seeds))
    return options


def main(arguments: Sequence[str]) -> int:
    """Train, print, and return an exit code."""
    options = parse(arguments)
    if not options.archsim_only:
        try:
            library()
        except ImportError as error:
            print(f"compare_aihwkit: {NEEDS} ({error})", file=sys.stderr)
            return 2
    rows: list[Row] = []
    try:
        for found in trained(options):
            rows += found
            for row in found:
                print(*row.training, f"{row.images:,} images: {row.accuracy:.2f} %", file=sys.stderr)
        show(rows, specification(options, PAIRS[0], options.seeds[0]).dataset.origin)
    except ArchsimError as error:
        print(f"compare_aihwkit: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
