"""Print the table of docs/baselines.md: energy of a training step on each baseline over that of the analog chip."""

from __future__ import annotations

import argparse

from archsim.base.units import show
from archsim.studies.estimate.estimate import estimate

TRAINED = ("mlp-mnist", "lenet-mnist", "cnn-cifar10", "lstm-text", "gpt-text")
SHAPES = (
    "resnet18:64", "resnet50:64", "vgg16:64", "mobilenet-v2:64", "vit-b16:64", "bert-base:64", "gpt2-small:8",
    "lstm-ptb:16",
)  # fmt: skip
NARROW = ("digital-bf16", "digital-fp8", "digital-int8")


def chips(network: str) -> list[str]:
    """Return the analog chip that a network is compared on, and its baselines: two of 32 bits first."""
    if network.partition(":")[0] in TRAINED:
        return ["mixed-precision-deep", "digital32-deep", "digital32-strong", *NARROW]
    return ["mixed-precision-large", "digital32-large", *NARROW]


def row(network: str) -> str:
    """Return one line of the table; "NETWORK:BATCH" names another batch than the workload's."""
    name, _, batch = network.partition(":")
    archs = chips(network)
    content = estimate(name, batch=int(batch) if batch else None, archs=archs)
    joules = [content["architectures"][arch]["training"]["energy_per_sample_J"]["total"] for arch in archs]
    ratios = [f"{each / joules[0]:.2g}" for each in joules[1:]]
    wide = ratios if len(ratios) > 4 else [ratios[0], "-", *ratios[1:]]
    return f"| {name}, {content['batch']} | {show(joules[0], 'J', 3)} | {' | '.join(wide)} |"


def main() -> None:
    """Print the rows of the networks asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=[*TRAINED, *SHAPES], help="NETWORK or NETWORK:BATCH")
    print("| network, batch | analog chip, a sample | 32 bit | 32 bit, strong | bf16 | fp8 | int8 |\n|" + " --- |" * 7)
    for network in parser.parse_args().networks:
        print(row(network), flush=True)


if __name__ == "__main__":
    main()
