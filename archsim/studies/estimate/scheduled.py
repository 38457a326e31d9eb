"""A whole training whose learning rate is not the same all through, where no run says how it goes.

What arrays are pulsed follows the rate: in closed form where devices are written in place, in proportion where chi
comes first. That is assumed. Measured, half the rate had 0.37 to 0.62 of the pulses in as many steps (mixed-precision:
mlp-mnist 300 steps at 0.3, 0.15, 0.075; lenet-mnist 40 at 0.1, 0.05, 0.025; in-array: mlp-mnist 0.42 and 0.50).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from statistics import fmean

from archsim.chips.activity import Activity
from archsim.chips.architecture import Architecture
from archsim.chips.crossbars.crossbar_file import CrossbarArchitecture
from archsim.runs.training import Training
from archsim.studies.estimate.whole import Part

STRETCHES, LOOKS = 12, 64
"""Parts of a training, each with the mean rate of its steps; at how many of these steps the rate is looked up."""


def shares(training: Training, steps: int, batch: int) -> list[tuple[int, float]]:
    """Return a training as stretches: their steps, and the mean learning rate over that of the workload.

    So many steps are taken as the workload's epochs, unless it says how many samples an epoch has.
    """
    count = min(STRETCHES, steps)
    edges = [round(k * steps / count) for k in range(count + 1)]
    epoch = training.samples_per_epoch
    per_epoch = -(-steps // max(training.epochs, 1)) if epoch is None else -(-epoch // batch)
    found = []
    for begin, end in pairwise(edges):
        every = max((end - begin) / LOOKS, 1.0)
        looked = [begin + math.floor((k + 0.5) * every) for k in range(math.ceil((end - begin) / every))]
        rates = [training.rate(min(step, end - 1), per_epoch, steps) for step in looked]
        found.append((end - begin, fmean(rates) / training.learning_rate if training.learning_rate else 1.0))
    if len({share for _, share in found}) == 1:
        return [(steps, found[0][1])]
    return found


def followed(
    training: Training, samples: float, batch: int, architecture: Architecture, of: Callable[[float], Activity]
) -> list[Part]:
    """Return a training of so many samples as parts, each with the activity at its share of the learning rate.

    Parameters
    ----------
    of : share -> activity
    """
    steps = max(math.ceil(samples / batch), 1)
    if not isinstance(architecture, CrossbarArchitecture):
        return [Part(samples, of(1.0))]
    return [Part(samples * mine / steps, of(share)) for mine, share in shares(training, steps, batch)]
