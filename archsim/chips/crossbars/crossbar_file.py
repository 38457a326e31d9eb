"""What the architecture files of chips with crossbar tiles have in common: tiles, converters, devices as weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, cast

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from archsim.analog.selection import Turns
from archsim.base.quantities import Bits, Count, positive
from archsim.base.units import show
from archsim.base.yamlfile import Key, Record, quantity
from archsim.chips.architecture import Architecture, FeedbackFile
from archsim.devices.base import Device, Switches
from archsim.devices.library import build, device_file, input_files, memory_of

Positive = Annotated[FiniteFloat, Field(gt=0)]
Conductance = Annotated[float, quantity("S"), AfterValidator(positive)]


class DacFile(Record):
    """DACs of a tile: a pulse width of up to 2^(bits-1) - 1 periods; `full_scale` is the input of the longest pulse.

    By what signals are divided so that they fill it: inputs that are known to stay within full scale by nothing and
    others by the largest element of the burst (`bounded`), or all by that of the burst or of each vector; errors by
    that of the burst or of each vector. A scale of each vector goes through the products and into the outer products.
    """

    bits: Bits
    style: Literal["pulse-width"]
    full_scale: Positive
    input_scale: Literal["bounded", "vector", "burst"] = "bounded"
    error_scale: Literal["burst", "vector"] = "burst"


class TrackedFile(Record):
    """Full scales that follow the results: `deviations` times their root mean square, looked at every so many samples.

    The first so many samples are all looked at, and converted at the stated full scales or what has been found so far.
    """

    deviations: Positive
    every: Count


class AdcFile(Record):
    """ADCs of a tile; `tiles_per_bank` tiles contend for one bank of `count`.

    The full scales are sums of input (over the DAC's full scale) times weight; `tracked`, each matrix has its own.
    """

    bits: Bits
    count: Count
    tiles_per_bank: Count
    forward_full_scale: Positive
    backward_full_scale: Positive
    tracked: TrackedFile | None = None


class TileFile(Record):
    """Crossbar tiles: how many, pairs in rows and columns, converters."""

    count: Count
    rows: Count
    columns: Count
    dac: DacFile
    adc: AdcFile

    @model_validator(mode="after")
    def _shared(self) -> Self:
        if self.adc.tiles_per_bank > self.count:
            raise ValueError(
                f"adc.tiles_per_bank is {self.adc.tiles_per_bank}; expected at most tile.count, {self.count}"
            )
        return self


class SelectionFile(Record):
    """By which counters one of a weight's copies at a time is written, as `archsim.analog.selection.Turns` has them."""

    per: Literal["weight", "write"] = "weight"
    stride: Count = 1
    up_every: Count = 1
    down_every: Count = 1


class WeightFile(Record):
    """How devices stand for weights: which, the conductance difference of a weight of 1, drift cache tolerance.

    The `unit` is one for all matrices; or each has its own, so that its initial weights have the `spread` as the
    standard deviation of their conductance differences. `copies` of the devices, or of pairs of them, stand for a
    weight side by side and are read together; `unit` and `spread` are those of one. All of them are written together,
    or, by a `selection`, one at a time.
    """

    device: str
    copies: Count = 1
    selection: SelectionFile | None = None
    unit: Conductance | None = None
    spread: Conductance | None = None
    drift_tolerance: Annotated[FiniteFloat, Field(gt=0, lt=0.5)]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.unit is None) == (self.spread is None):
            raise ValueError("unit and spread: expected one of the two")
        return self

    @model_validator(mode="after")
    def _reaches_all(self) -> Self:
        if self.selection and math.gcd(self.selection.stride, self.copies) > 1:
            raise ValueError(
                f"selection.stride: got {self.selection.stride}; expected no factor in common with copies, "
                f"{self.copies}, so that every device has its turn"
            )
        return self

    @property
    def turns(self) -> Turns | None:
        """By which the copies are written one at a time, if they are."""
        given = self.selection
        return Turns(given.per, given.stride, given.up_every, given.down_every) if given else None

    @property
    def parts(self) -> int:
        """Into how many parts of its size a device's step in weight falls: those devices that a write passes over."""
        return self.copies if self.selection else 1

    def unit_of(self, initial_std: float) -> float:
        """Return the conductance difference [S] of a weight of 1 in a matrix of so much initial spread."""
        return self.unit if self.unit is not None else cast("float", self.spread) / initial_std


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the device's range: the usual one, and the ends beyond which a value does not suit the device.

    The usual ones are about those of the shipped chips; how far off is worth a note is archsim's own judgement.
    """

    usual: float
    least: float
    most: float

    def suits(self, part: float) -> bool:
        """Whether a share is within the ends."""
        return self.least <= part <= self.most


def setting(key: str, conductance: float) -> str:
    """Return the option that sets a conductance [S]."""
    return f"--set {key}={show(conductance, 'S', 3).replace(' ', '')}"


class CrossbarArchitecture(Architecture):
    """Structure of a chip with crossbar tiles; its kinds add their own blocks and their `nonidealities`."""

    UNIT_SHARE: ClassVar[Share]
    """Share of the device's range that a weight of 1 takes."""
    NAMES_FILES: ClassVar[Key] = ("weight", "device")
    tile: TileFile
    weight: WeightFile
    feedback: FeedbackFile = FeedbackFile(at="tiles")

    @property
    def wearing(self) -> tuple[tuple[str, ...], Path]:
        """What the devices of a weight that wear out are called, and their file."""
        return ("G+", "G-"), self.device_file()

    def files(self) -> list[Path]:
        """Return the device file, and the files its model reads beside it."""
        return input_files(self.device_file())

    def device_file(self) -> Path:
        """Return the file of the device that the architecture names."""
        return device_file(self.weight.device, option="weight.device", near=self.home)

    def written(self, device: Path | None = None) -> dict[str, str | None]:
        """Return kind of component that writes devices -> which kind of memory they are, None if their file says none.

        Of the architecture's own device, or of that of another file in its place.
        """
        return {"programmer": memory_of(device or self.device_file())}

    def switched_on(self) -> list[str]:
        """Return the names of the non-idealities that are on, and in the chip's devices."""
        absent = self.absent()
        return [name for name, on in self._switches().items() if on and name not in absent]

    def switched_off(self) -> list[str]:
        """Return the names of the non-idealities that are off."""
        return [name for name, on in self._switches().items() if not on]

    def notes(self) -> list[str]:
        """Return what does not suit the range of the device, with the options that would."""
        device = build(self.device_file(), Switches())
        span, unit = device.high - device.low, self.weight.unit
        if unit is None or self.UNIT_SHARE.suits(unit / span):
            return []
        note = (
            f"weight.unit is {show(unit, 'S')}, {unit / span:.2g} of the range of {self._ranged(device)}; "
            f"{self.UNIT_SHARE.usual:g} of it is usual: {setting('weight.unit', self.UNIT_SHARE.usual * span)}"
        )
        return [note]

    def _ranged(self, device: Device) -> str:
        name = self.weight.device.rpartition("/")[2].removesuffix(".yaml")
        return f"{name}, {show(device.low, 'S')} to {show(device.high, 'S')}"

    def absent(self) -> list[str]:
        """Return the names of the non-idealities that have a switch, but are not in the device: drift of a table."""
        of_devices = {each.name for each in fields(Switches)}
        found = build(self.device_file(), Switches()).effects
        return [name for name in self._switches() if name in of_devices and name not in found]

    def _switches(self) -> dict[str, bool]:
        switches: dict[str, bool] = self.model_dump(include={"nonidealities"})["nonidealities"]
        return switches
