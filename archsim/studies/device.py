"""Sample a device model: pulse trains, distributions, drift, read noise; plain arrays for figures and tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.analog.cells import read_devices
from archsim.base.arrays import I64
from archsim.base.errors import InputError
from archsim.base.streams import Normals, Streams
from archsim.devices import library
from archsim.devices.base import Device, DeviceArray, Switches

F64 = NDArray[np.float64]
PS_PER_S = 10**12
PULSES = 20
SHOWN = (1, 2, 5, 10, 20)
"""Numbers of pulses whose distributions are shown."""
TIMES_S = np.logspace(0, 6, 13)


@dataclass(frozen=True, slots=True)
class Course:
    """Mean and standard deviation [S] of the conductance after numbers of pulses, and the upper bound [S] they know."""

    pulses: I64
    mean: F64
    std: F64
    high: float


@dataclass(frozen=True, slots=True)
class DriftSample:
    """Mean read [S] of devices over the time since programming [s]; exponent of the law and as fitted to the reads."""

    times_s: F64
    mean: F64
    exponent: float
    fitted: float
    error: float
    devices: int


@dataclass(frozen=True, slots=True)
class NoiseSample:
    """Standard deviation [S] of `reads` reads at levels of conductance [S]: as sampled, and as the law says."""

    levels: F64
    sampled: F64
    law: F64
    reads: int


@dataclass(frozen=True, slots=True)
class Staircase:
    """Up pulses, then as many down: mean and standard deviation [S] over devices, and the courses of a few."""

    pulses: I64
    mean: F64
    std: F64
    examples: F64
    turn: int


@dataclass(frozen=True, slots=True)
class DeviceStudy:
    """What sampling a device model gave; `published` are points to hold it against, `at_published` its own there.

    `samples` are conductances [S] of all devices after numbers of pulses.
    """

    name: str
    title: str
    low: float
    high: float
    devices: int
    course: Course
    published: Course | None
    at_published: Course | None
    samples: dict[int, F64]
    drift: DriftSample | None
    noise: NoiseSample | None
    staircase: Staircase | None


def study(path: Path, *, devices: int = 100_000, seed: int = 1) -> DeviceStudy:
    """Sample the device of a file.

    Parameters
    ----------
    path : path of the device file
    devices : int
        Devices in each pulse train.
    seed : int

    Raises
    ------
    InputError
        If the file cannot be used, or there are too few devices.
    """
    if devices < 100:
        raise InputError(key="--devices", value=devices, expected="at least 100")
    device: Any = library.build(path, Switches())
    file, streams = device.file, Streams(seed)
    course, samples = pulse_course(device, devices, streams.normals("study/pulses"))
    checked = getattr(file, "after_pulses", None)
    published = at_published = None
    if checked:
        points = sorted(checked.points.items())
        published = Course(
            np.array([n for n, _ in points]), np.array([point.mean for _, point in points]),
            np.array([point.std for _, point in points]), checked.high,
        )  # fmt: skip
        other = library.build(path, Switches())
        other.high = checked.high
        at_published, _ = pulse_course(other, devices, streams.normals("study/published"))
    reading = device.reading
    return DeviceStudy(
        file.name, file.title, device.low, device.high, devices, course, published, at_published, samples,
        drift_sample(device, streams.normals("study/drift")) if reading.exponent else None,
        noise_sample(device, streams.normals("study/noise")) if reading.noisy else None,
        staircase(device, streams.normals("study/staircase")) if device.bidirectional else None,
    )  # fmt: skip


def fresh(device: Device, devices: int, normals: Normals) -> DeviceArray:
    """Return devices after one RESET."""
    array = DeviceArray.blank(devices)
    device.reset(array, np.arange(devices), 0, normals)
    return array


def give(pulse: Callable[..., None], array: DeviceArray, pulses: int, normals: Normals) -> None:
    """Give every device so many pulses by a method of its model."""
    n = array.conductance.size
    pulse(array, np.arange(n), np.full(n, pulses), n * pulses, 0, normals)


def pulse_course(device: Device, devices: int, normals: Normals) -> tuple[Course, dict[int, F64]]:
    """Return the course over 0 to 20 SET pulses from RESET, and the conductances after the numbers `SHOWN`."""
    array, kept = fresh(device, devices, normals), {}
    mean, std = np.empty(PULSES + 1), np.empty(PULSES + 1)
    for n in range(PULSES + 1):
        if n:
            give(device.set_pulses, array, 1, normals)
        g = array.conductance.astype(float)
        mean[n], std[n] = g.mean(), g.std()
        if n in SHOWN:
            kept[n] = g
    return Course(np.arange(PULSES + 1), mean, std, device.high), kept


def reads(device: Device, array: DeviceArray, index: I64, time_s: float, normals: Normals) -> F64:
    """Return one read [S] of each of the devices `index`, `time_s` after time 0."""
    now_ps = round(time_s * PS_PER_S)
    return read_devices(device, array, index, now_ps, normals.standard_normal(index.size)).astype(float)


def drift_sample(device: Device, normals: Normals, devices: int = 20_000) -> DriftSample:
    """Read devices after ten SET pulses at 1 to 1e6 s and fit the exponent to the logarithms of the mean reads."""
    from scipy import stats

    array = fresh(device, devices, normals)
    give(device.set_pulses, array, 10, normals)
    index = np.arange(devices)
    mean = np.array([reads(device, array, index, t, normals).mean() for t in TIMES_S])
    line = stats.linregress(np.log(TIMES_S), np.log(mean))
    return DriftSample(TIMES_S, mean, device.reading.exponent, -float(line.slope), float(line.stderr), devices)


def noise_sample(device: Device, normals: Normals, repeats: int = 20_000, levels: int = 12) -> NoiseSample:
    """Read devices between the bounds again and again, at the reference time, when drift does not scale them."""
    law = device.reading
    conductance = np.linspace(device.low, device.high, levels)
    array = DeviceArray.blank(levels)
    array.conductance[:] = conductance
    found = reads(device, array, np.repeat(np.arange(levels), repeats), law.reference_s, normals)
    sampled = found.reshape(levels, repeats).std(axis=1, ddof=1)
    return NoiseSample(conductance, sampled, law.noise_slope * conductance + law.noise_offset, repeats)


def staircase(device: Device, normals: Normals, devices: int = 1000, points: int = 60) -> Staircase:
    """Give up pulses for one and a half times the range, then as many down, looking `points` times on either way."""
    each = max(1, math.ceil(1.5 * (device.high - device.low) / device.epsilon / points))
    array, pulses = fresh(device, devices, normals), [0]
    seen = [array.conductance.astype(float)]
    for way in (device.set_pulses, device.down_pulses):
        for _ in range(points):
            give(way, array, each, normals)
            pulses.append(pulses[-1] + each)
            seen.append(array.conductance.astype(float))
    courses = np.array(seen)
    return Staircase(
        np.array(pulses), courses.mean(axis=1), courses.std(axis=1), courses[:, :3].T.copy(), each * points
    )
