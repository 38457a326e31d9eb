"""Hold archsim's PCM training against an independent implementation: aihwkit's mixed-precision PCM preset.

Both train 784-250-10 from the same initial weights, one image a step, on the same images in the same order (archsim's
stream `data/order`), and are tested on all test images through their own noisy converters.

Usage: python tools/compare_aihwkit.py [--images N [N ...]] [--granularity G] [--seed S] [--data DIR] [--archsim-only]

Needs archsim, and for its other half aihwkit and torch. With `--archsim-only`, archsim's half is run and printed beside
numbers recorded earlier with aihwkit 1.1.0. Written against the source text of IBM/aihwkit of the releases 1.0 to 1.2
(simulator/presets, simulator/configs/compounds.py, nn, optim, rpucuda/rpu_mixedprec_device_base.cpp and
rpu_expstep_device.h); not run with it by its author.

The trap: a compound whose `granularity` is 0 takes it from its device, and that of the preset averages the down step at
weight 0 with itself: 0.01 (1 + 2.235) = 0.03235 of a range of 2, where ten SET pulses move 0.09 each on average. The
paper's threshold is 0.096 in weight, the mean of ten pulses. And aihwkit gives granularity x transfer_lr / 0.03235
pulses a crossing, three at 0.096; so with the granularity, transfer_lr has to be set for one pulse, as in the paper.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from archsim.base.errors import ArchsimError
from archsim.base.streams import Streams
from archsim.display import console
from archsim.report.sheet import Sheet, terminal
from archsim.runs.spec import RunSpec, resolve
from archsim.runs.train import Sampler, Trainer

EPSILON = 0.096
"""The paper's threshold in weight; archsim's is the same, 0.766 uS on 8 uS."""
NEEDS = "needs aihwkit (pip install aihwkit) and torch; --archsim-only runs without them"
NLL, MSE, HALF = "log-softmax, NLL", "sigmoid, MSE", "sigmoid, half squared error"


@dataclass(frozen=True)
class Row:
    """One training: implementation, setup, loss, rate, threshold, converters, images -> accuracy [%]."""

    implementation: str
    setup: str
    loss: str
    rate: float
    granularity: str
    converters: str
    accuracy: dict[int, float]


RECORDED = (
    Row("aihwkit 1.1.0, recorded", "refresh every 100", NLL, 0.02, "?", "7 / 9 bit", {10_000: 91.9, 60_000: 94.7}),
    Row("aihwkit 1.1.0, recorded", "refresh every 100", MSE, 0.03, "?", "7 / 9 bit", {60_000: 93.9}),
    Row("aihwkit 1.1.0, recorded", "as shipped", NLL, 0.02, "0.03235", "7 / 9 bit", {10_000: 91.0}),
)
"""Measured once on MNIST with a source build; few learning rates were tried, so lower bounds."""

AIHWKIT = ((NLL, 0.02, False), (MSE, 0.03, False), (NLL, 0.02, True), (MSE, 0.03, True), (HALF, 0.3, True))
"""Loss, rate, and whether the granularity is set."""

_BITS = ("tile.dac.bits=7", "tile.adc.bits=9")
_NEAR = (
    *_BITS, "tile.adc.forward_full_scale=20.0", "tile.adc.backward_full_scale=20.0", "outer_product.x_bits=16",
    "outer_product.error_bits=16",
)  # fmt: skip
ARCHSIM = (
    ("as shipped", "8 / 8 bit", ()), ("the preset's bits", "7 / 9 bit", _BITS),
    ("near the preset", "7 / 9 bit, +-20", _NEAR),
)  # fmt: skip
"""Setup, converters, settings. The last also has the preset's ADC range and an outer product of 16 by 16 bits."""

NOTES = """
archsim has no softmax and no NLL; its loss is half the squared error of sigmoids, summed over the classes. Torch's MSE
is the mean over 10 classes, so that a rate of 0.03 there acts as 0.006 here.

Devices: archsim has the PCM model of Nandakumar et al. 2018 with pulse memory, drift on the simulated clock and read
noise of every pair; aihwkit a fit of exponential steps with noise and spread between devices, without drift and read
noise, and output noise of 0.1 at the ADC. Weights reach +-1.5 in archsim (12 uS on 8 uS), +-2 there.

Pulses: archsim gives one blind SET pulse a crossing of the threshold. At the preset's own granularity aihwkit does so
too, but takes a pulse for a third of what it moves on average; where 0.096 is set, transfer_lr keeps it at one pulse.

aihwkit keeps biases in digital, archsim as one more row of pairs. Refresh has other criteria. Tiles have 256 rows in
archsim, at most 512 there. The preset does not quantise the operands of its outer product.

The recorded runs do not say their granularity, order of images or reduction of the MSE; few rates were tried.
"""


# --- archsim ----------------------------------------------------------------------------------------------------------
def specification(options: argparse.Namespace, settings: Sequence[str] = ()) -> RunSpec:
    """Return archsim's spec: batch 1, a constant rate of 0.3."""
    return resolve(
        "mlp-mnist", archs=("mixed-precision",), techs=("bottom-up-14nm",), seed=options.seed, data=options.data,
        steps=max(options.images), settings=("training.decay=1", *settings),
    )  # fmt: skip


def archsim_rows(options: argparse.Namespace) -> Iterator[Row]:
    """Train archsim's chip in each setup and test after each number of images."""
    for setup, converters, settings in ARCHSIM:
        spec = specification(options, settings)
        trainer, done, accuracy = Trainer(spec, spec.architectures[0]), 0, {}
        for images in options.images:
            trainer.train(images - done)
            done, accuracy[images] = images, 100 * trainer.evaluate()
        rate = spec.training.learning_rate
        yield Row("archsim", setup, HALF, rate, f"{EPSILON}", converters, accuracy)


# --- aihwkit ----------------------------------------------------------------------------------------------------------
def library() -> SimpleNamespace:
    """Return what is used of torch and aihwkit; ImportError if they are not there."""
    names = {
        "torch": "torch", "nn": "aihwkit.nn", "optim": "aihwkit.optim", "presets": "aihwkit.simulator.presets",
    }  # fmt: skip
    return SimpleNamespace(**{short: import_module(name) for short, name in names.items()})


def preset(kit: SimpleNamespace, granularity: float | None) -> Any:
    """Return the preset with refresh every 100 images and, if given, a granularity with one pulse a crossing."""
    config = kit.presets.MixedPrecisionPCMPreset()
    compound = config.device
    compound.device.refresh_every = 100
    if granularity is not None:
        device = compound.device.unit_cell_devices[0]
        step = device.dw_min * (1 - device.A_down)  # what aihwkit takes for a pulse, 0.03235
        compound.granularity = granularity
        compound.transfer_lr = step / granularity * (1 - 1e-6)  # just below one pulse: the count is rounded up
    return config


def network(kit: SimpleNamespace, spec: RunSpec, loss: str, granularity: float | None) -> Any:
    """Return the network in aihwkit, with archsim's initial weights."""
    weights = spec.network.initial_weights(Streams(spec.seed))
    layers: list[Any] = []
    for layer in spec.network.layers:
        analog = kit.nn.AnalogLinear(layer.inputs, layer.units, bias=True, rpu_config=preset(kit, granularity))
        matrix = kit.torch.from_numpy(weights[layer.name])  # (inputs and bias, units)
        analog.set_weights(matrix[:-1].T.contiguous(), matrix[-1].contiguous())
        layers += [analog, kit.torch.nn.Sigmoid()]
    if loss == NLL:
        layers[-1] = kit.torch.nn.LogSoftmax(dim=1)
    return kit.nn.AnalogSequential(*layers)


def criterion(kit: SimpleNamespace, loss: str, output: Any, target: Any, label: Any) -> Any:
    """Return the loss of one image."""
    functional = kit.torch.nn.functional
    if loss == NLL:
        return functional.nll_loss(output, label)
    return functional.mse_loss(output, target) if loss == MSE else 0.5 * ((output - target) ** 2).sum()


def aihwkit_rows(options: argparse.Namespace) -> Iterator[Row]:
    """Train aihwkit's preset in each setup and test after each number of images."""
    kit, spec = library(), specification(options)
    for loss, rate, explicit in AIHWKIT:
        kit.torch.manual_seed(options.seed)
        granularity = options.granularity if explicit else None
        model, sampler = network(kit, spec, loss, granularity), Sampler(spec, Streams(options.seed))
        optimizer = kit.optim.AnalogSGD(model.parameters(), lr=rate)
        optimizer.regroup_param_groups(model)
        done, accuracy = 0, {}
        for images in options.images:
            model.train()
            for _ in range(images - done):
                x, target, label = sampler.batch()
                optimizer.zero_grad()
                output = model(kit.torch.tensor(x))
                criterion(kit, loss, output, kit.torch.tensor(target), kit.torch.tensor([int(label)])).backward()
                optimizer.step()
            done, accuracy[images] = images, test(kit, model, spec)
        shown = f"{granularity}" if explicit else "0.03235"
        name = f"aihwkit {version('aihwkit')}"
        yield Row(name, "refresh every 100", loss, rate, shown, "7 / 9 bit", accuracy)


def test(kit: SimpleNamespace, model: Any, spec: RunSpec) -> float:
    """Return the accuracy [%] on the whole test set, through the preset's converters."""
    images, labels, hits = spec.dataset.test_x, spec.dataset.test_y, 0
    model.eval()
    with kit.torch.no_grad():
        for k in range(0, len(labels), 500):
            classes = model(kit.torch.tensor(images[k : k + 500])).argmax(dim=1).numpy()
            hits += int((classes == labels[k : k + 500]).sum())
    return 100 * hits / len(labels)


# --- command line -----------------------------------------------------------------------------------------------------
def show(rows: Sequence[Row], images: Sequence[int], origin: str) -> None:
    """Print the table and what differs by construction."""
    heads = ("implementation", "setup", "loss", "rate", "threshold", "DAC / ADC", *(f"{n:,} images" for n in images))
    lines = tuple(
        (
            row.implementation, row.setup, row.loss, f"{row.rate:g}", row.granularity, row.converters,
            *(f"{row.accuracy[n]:.2f} %" if n in row.accuracy else "-" for n in images),
        )
        for row in rows
    )  # fmt: skip
    console().print(terminal(Sheet("Test accuracy after as many training images, batch 1", heads, lines)))
    print(f"Data: {origin}. The recorded numbers are of MNIST.")
    print(NOTES.rstrip())


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; the numbers of images in rising order."""
    parser = argparse.ArgumentParser(description="Hold archsim's PCM training against aihwkit's preset.")
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 60_000], help="test after so many")
    parser.add_argument("--granularity", type=float, default=EPSILON, help="threshold where it is set [weight]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, help="folder with MNIST's four IDX files")
    parser.add_argument("--archsim-only", action="store_true", help="print recorded numbers instead of aihwkit's")
    options = parser.parse_args(arguments)
    if min(options.images) < 1 or options.granularity <= 0:
        parser.error("--images and --granularity have to be above 0")
    options.images = sorted(set(options.images))
    return options


def main(arguments: Sequence[str]) -> int:
    """Train, print, and return an exit code."""
    options = parse(arguments)
    halves = [archsim_rows]
    if not options.archsim_only:
        try:
            library()
        except ImportError as error:
            print(f"compare_aihwkit: {NEEDS} ({error})", file=sys.stderr)
            return 2
        halves.append(aihwkit_rows)
    rows = []
    try:
        for half in halves:
            for row in half(options):
                rows.append(row)
                print(f"{row.implementation}, {row.setup}, {row.loss}: {row.accuracy}", file=sys.stderr)
        show([*rows, *RECORDED], options.images, specification(options).dataset.origin)
    except ArchsimError as error:
        print(f"compare_aihwkit: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
