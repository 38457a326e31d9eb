"""Schema of the architecture files of mixed-precision chips."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, FiniteFloat

from archsim.base.yamlfile import Record, quantity
from archsim.chips.architecture import Architecture, Bits, Count, Switch, positive
from archsim.devices.library import device_file

Positive = Annotated[FiniteFloat, Field(gt=0)]
Conductance = Annotated[float, quantity("S"), AfterValidator(positive)]


class DacFile(Record):
    """DACs of a tile: a pulse width of up to 2^(bits-1) - 1 periods; `full_scale` is the input of the longest pulse."""

    bits: Bits
    style: Literal["pulse-width"]
    full_scale: Positive


class AdcFile(Record):
    """ADCs of a tile; `tiles_per_bank` tiles contend for one bank of `count`.

    The full scales are sums of input (over the DAC's full scale) times weight.
    """

    bits: Bits
    count: Count
    tiles_per_bank: Count
    forward_full_scale: Positive
    backward_full_scale: Positive


class TileFile(Record):
    """Crossbar tiles: how many, pairs in rows and columns, converters."""

    count: Count
    rows: Count
    columns: Count
    dac: DacFile
    adc: AdcFile


class WeightFile(Record):
    """How pairs stand for weights: the device, the conductance difference of a weight of 1, drift cache tolerance."""

    device: str
    unit: Conductance
    drift_tolerance: Annotated[FiniteFloat, Field(gt=0, lt=0.5)]


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError(f"got {value}; expected a power of two, so that one epsilon is a whole number of steps of chi")
    return value


class ChiFile(Record):
    """The accumulator: bits of an element, saturation in epsilons, banks of its memory."""

    bits: Annotated[int, Field(ge=4, le=32, strict=True)]
    limit: Annotated[int, Field(ge=2, strict=True), AfterValidator(_power_of_two)]
    banks: Count


class OuterProductFile(Record):
    """Precision of both operands (sign included), lanes, zero skipping, chi."""

    x_bits: Bits
    error_bits: Bits
    lanes: Count
    skip_zeros: Switch
    chi: ChiFile


class ProgrammerFile(Record):
    """Devices pulsed at once, and pairs the log holds; when a layer's equal part is full, refresh is due early."""

    parallel: Count
    log_words: Count


class RefreshFile(Record):
    """Every so many samples: pairs with a device above `saturated` and a difference below `difference` start anew."""

    every: Count
    saturated: Conductance
    difference: Conductance
    most_pulses: Count


class NonIdealities(Record):
    """Switches; all on describes the hardware."""

    state_dependence: Switch
    programming_noise: Switch
    pulse_memory: Switch
    read_noise: Switch
    drift: Switch
    dac_quantisation: Switch
    adc_quantisation: Switch
    adc_clipping: Switch
    device_saturation: Switch


class MixedPrecisionArchitecture(Architecture):
    """Structure of a mixed-precision chip."""

    chip: Literal["mixed-precision"]
    tile: TileFile
    weight: WeightFile
    outer_product: OuterProductFile
    programmer: ProgrammerFile
    refresh: RefreshFile
    nonidealities: NonIdealities

    def files(self) -> list[Path]:
        """Return the device file."""
        return [device_file(self.weight.device, option="weight.device")]

    def switched_on(self) -> list[str]:
        """Return the names of the non-idealities that are on."""
        return [name for name, on in self.nonidealities.model_dump().items() if on]

    def switched_off(self) -> list[str]:
        """Return the names of the non-idealities that are off."""
        return [name for name, on in self.nonidealities.model_dump().items() if not on]
