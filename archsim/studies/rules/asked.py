"""What is asked of a study of rules: its axes, the search of learning rates, the trainings, the target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim.accounting.technology import read_technology
from archsim.base import registry
from archsim.base.errors import InputError, nearest
from archsim.base.metrics import Metric
from archsim.base.yamlfile import Document
from archsim.chips import architecture as architectures
from archsim.devices.library import device_file, shipped_devices
from archsim.networks.file import NetworkFile
from archsim.runs import workload as workloads
from archsim.runs.training import HIGHEST_RATE, MOST_STEPS
from archsim.studies.sweeps.study import Named, called
from archsim.studies.sweeps.values import check_once
from archsim.studies.sweeps.values import read as read_values

RULES = (
    "mixed-precision", "multi-pcm", "in-array-sgd", "tiki-taka", "chopped-tiki-taka", "agad", "hybrid", "in-array",
    "multi-device", "digital32",
)  # fmt: skip
"""Update rules, each an architecture; the last has no devices: the line that the others are held against."""
LEARNINGS = ("backpropagation", "direct-feedback-alignment")
SEEDS, FIRST_SEED = 3, 1
MOST = 1000
"""Seeds, or learning rates that are tried, of a combination."""
LEAST_STEPS = 60
"""Of a training whose samples a preset limits."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How much is done.

    Parameters
    ----------
    factors : tuple of float
        Learning rates that are tried, over that of the workload.
    of : str
        Preset of the workload whose steps are taken; empty for its own training.
    share : float
        Of these steps that each training has.
    samples : int or None
        That a training has at most, where that leaves `LEAST_STEPS`: batches are costly to pulse vector by vector.
    trial : float
        Share of a training's steps that each rate is tried for.
    tests : int
        Tests that are spaced evenly over a training; further ones lie at its begin.
    test_samples : int or None
        Samples of the test set that are tested on; None for all.
    devices : names of devices that each rule is tried with, beside its own
    """

    factors: tuple[float, ...]
    of: str
    share: float
    samples: int | None
    trial: float
    tests: int
    test_samples: int | None
    devices: tuple[str, ...]

    def steps(self, whole: int, batch: int) -> int:
        """Return the steps of a training, of the steps and of the batch of the workload's own."""
        steps = max(round(whole * self.share), 1)
        return steps if self.samples is None else min(steps, max(self.samples // batch, LEAST_STEPS))


def thirds(least: int, most: int) -> tuple[float, ...]:
    """Return the powers of three from one exponent to another."""
    return tuple(3.0**k for k in range(least, most + 1))


PRESETS = {
    "quick": Preset(
        thirds(-2, 1), "quick", 2 / 3, 2000, 1 / 3, 5, 1000, ("pcm-nandakumar2018", "reram-array")
    ),
    "full": Preset(
        thirds(-4, 2), "", 1.0, None, 0.05, 20, None,
        ("pcm-nandakumar2018", "reram-array", "reram-soft-bounds", "ecram-soft-bounds", "ecram-metal-oxide",
         "capacitor", "idealised"),
    ),
}  # fmt: skip
"""By name; `full` takes hours."""


@dataclass(frozen=True)
class Asked:
    """What is asked.

    Parameters
    ----------
    workload, rules : name, path or content
    devices : tuple of str or None
        Names or paths; None: each rule's own, and those of the preset.
    learnings : names of learning rules
    rates : tuple of float or None
        Learning rates that are tried; None: those of the preset around the workload's own.
    budget : int or None
        Steps of a combination's search, the same for all, shared evenly by its rates; None: as the preset says.
    steps : int or None
        Of each training; None: as the preset says.
    first_seed, seeds : int
    target : str or None
        A value of the metric, "90%"; None: what the worst of the rules that learn reaches.
    tech : str or None
        Technology of all; None: that of each device.
    preset : a name of `PRESETS`
    settings : further settings of workload and chips, as `--set` takes them
    data : folder of data sets
    """

    workload: Named
    rules: tuple[Named, ...] = RULES
    devices: tuple[str, ...] | None = None
    learnings: tuple[str, ...] = LEARNINGS
    rates: tuple[float, ...] | None = None
    budget: int | None = None
    steps: int | None = None
    first_seed: int = FIRST_SEED
    seeds: int = SEEDS
    target: str | None = None
    tech: str | None = None
    preset: str = "quick"
    settings: tuple[str, ...] = ()
    data: Path | None = None

    @property
    def how_much(self) -> Preset:
        """The preset."""
        return PRESETS[self.preset]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The seeds of the trainings."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))

    @property
    def search_seed(self) -> int:
        """The seed of the search: none of the trainings' own."""
        return self.first_seed - 1 if self.first_seed else self.first_seed + self.seeds


_CHOSEN = {"weight.device": "--device", "network.learning": "--learning"}
"""What a combination sets itself -> the option that says to what."""


def asked(
    workload: Named, *, archs: Sequence[Named] | None = None, devices: Sequence[str] | None = None,
    learnings: Sequence[str] | None = None, rates: str | Sequence[float] | None = None, **told: Any,
) -> Asked:  # fmt: skip
    """Return what options ask for, every name checked.

    Parameters
    ----------
    workload : as for `archsim.resolve`
    archs : update rules, by name, file or content
    devices, learnings : by name, devices also by file
    rates : learning rates, or a text: "0.01,0.1", "0.01..1:log:5"
    **told : further fields of `Asked`; None is not told

    Raises
    ------
    InputError
        For the first thing wrong: a name, an empty list, a number.
    """
    for option, given in (("--arch", archs), ("--device", devices), ("--learning", learnings), ("--rates", rates)):
        if given is not None and not isinstance(given, str) and not len(given):
            raise InputError("an empty list", key=option, expected="at least one, or the option left out")
    lists = {
        "rules": tuple(archs) if archs else None, "devices": tuple(devices) if devices else None,
        "learnings": tuple(learnings) if learnings else None, "rates": None if rates is None else _rates(rates),
    }  # fmt: skip
    told["settings"] = tuple(told.get("settings") or ())
    found = Asked(workload, **{key: value for key, value in {**lists, **told}.items() if value is not None})
    _check_numbers(found)
    _check_settings(found)
    _check_names(found)
    return found


def _rates(told: str | Sequence[float]) -> tuple[float, ...]:
    texts = read_values(told, key="--rates") if isinstance(told, str) else [str(each) for each in told]
    found = []
    for text in texts:
        try:
            rate = float(text)
        except ValueError:
            rate = math.nan
        if not 0 < rate <= HIGHEST_RATE:
            expected = f'learning rates above 0, up to {HIGHEST_RATE:,.0f}: "0.1,0.3", "0.01..1:log:5"'
            raise InputError(key="--rates", value=text, expected=expected)
        found.append(rate)
    check_once([str(each) for each in texts], found, key="--rates")
    return tuple(sorted(found))


def _check_numbers(study: Asked) -> None:
    for option, value, least in (("--seeds", study.seeds, 1), ("--seed", study.first_seed, 0),
                                 ("--steps", study.steps, 1), ("--budget", study.budget, 1)):  # fmt: skip
        if value is not None and not (isinstance(value, int) and value >= least):
            raise InputError(key=option, value=value, expected=f"a whole number from {least} on")
    for option, value in (("--steps", study.steps), ("--budget", study.budget)):
        if value is not None and value > MOST_STEPS:
            raise InputError(key=option, value=value, expected=f"a whole number up to {MOST_STEPS:,}")
    for option, count in (("--seeds", study.seeds), ("--rates", len(study.rates or ()))):
        if count > MOST:
            raise InputError(f"{count:,} of them", key=option, expected=f"at most {MOST:,} for each combination")
    if study.preset not in PRESETS:
        raise InputError(key="--preset", value=study.preset, expected=f"one of {', '.join(PRESETS)}",
                         hint=nearest(study.preset, PRESETS))  # fmt: skip


def _check_settings(study: Asked) -> None:
    for text in study.settings:
        key = text.partition("=")[0].strip()
        if option := next((_CHOSEN[each] for each in _CHOSEN if f".{key}".endswith(f".{each}")), None):
            raise InputError(key="--set", value=key, expected=f"{option}, repeated: the study has one for each")


def _check_names(study: Asked) -> None:
    for option, given in (
        ("--arch", [called(each) for each in study.rules]), ("--device", list(study.devices or ())),
        ("--learning", list(study.learnings)),
    ):  # fmt: skip
        if twice := next((each for each in given if given.count(each) > 1), None):
            raise InputError(f"{twice!r} is given twice", key=option, expected="each once")
    if study.tech is not None:
        read_technology(study.tech)
    for each in study.rules:
        architectures.document(each)
    for device in study.devices or ():
        try:
            device_file(device, option="--device")
        except InputError as error:
            raise InputError(
                key="--device", value=device, expected=f"a file, or one of {', '.join(shipped_devices())}",
                hint=nearest(device, shipped_devices()),
            ) from error  # fmt: skip
    known = registry.names("rule")
    for learning in study.learnings:
        if learning not in known:
            raise InputError(key="--learning", value=learning, expected=f"one of {', '.join(known)}",
                             hint=nearest(learning, known))  # fmt: skip


def target_of(told: str | None, metric: Metric) -> float | None:
    """Return the target as a value of the metric; None if none is told.

    Raises
    ------
    InputError
        If it is none.
    """
    return None if told is None else metric.read(told, "--target")


def document_of(study: Asked) -> Document:
    """Return the workload's file, one that can be trained.

    Raises
    ------
    InputError
        If it cannot be read, says nothing of training, or is of two networks against each other.
    """
    document = workloads.document(study.workload)
    told = workloads.parse(document)
    workloads.trainable(document, told)
    if not isinstance(told.network, NetworkFile):
        raise InputError(
            key="WORKLOAD", value=called(study.workload), expected="a network with a loss of its own: a generator "
            "against a discriminator has one learning rule, and no metric while it learns",
        )  # fmt: skip
    return document
