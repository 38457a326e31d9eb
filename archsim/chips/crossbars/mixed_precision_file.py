"""Schema of the architecture files of mixed-precision chips."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from archsim.base.quantities import Bits, Count, Switch
from archsim.base.units import show
from archsim.base.yamlfile import Record
from archsim.chips.crossbars.crossbar_file import Conductance, CrossbarArchitecture, Share, setting
from archsim.devices.base import Switches
from archsim.devices.library import build


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError(f"got {value}; expected a power of two, so that one epsilon is a whole number of steps of chi")
    return value


class ChiFile(Record):
    """The accumulator: bits of an element, saturation in epsilons, banks of a unit's memory."""

    bits: Annotated[int, Field(ge=4, le=32, strict=True)]
    limit: Annotated[int, Field(ge=2, strict=True), AfterValidator(_power_of_two)]
    banks: Count


class OuterProductFile(Record):
    """Where units stand, precision of both operands (sign included), lanes of a unit, zero skipping, chi.

    One unit `at` the digital unit holds chi of all layers; units at the tiles have a lane or more and a memory each,
    with a word for every pair of their tile, and operands come over the bus. The products of a `burst` of vectors are
    summed in a register before chi is touched: their operands then lie in a memory beside the lanes. An optimiser's
    `states` lie beside its gradients, or below the chip, from where they pass through once a step.
    """

    at: Literal["digital-unit", "tiles"] = "digital-unit"
    x_bits: Bits
    error_bits: Bits
    lanes: Count
    skip_zeros: Switch
    burst: Count = 1
    states: Literal["beside", "below"] = "beside"
    chi: ChiFile


class ProgrammerFile(Record):
    """Devices pulsed at once, and pairs the log holds; when a layer's equal part is full, refresh is due early."""

    parallel: Count
    log_words: Count


class RefreshFile(Record):
    """Every so many samples: pairs with a device above `saturated` and a difference below `difference` start anew.

    `even` starts all pairs of such a weight anew, by their mean difference, each with an equal part of the weight.
    """

    every: Count
    saturated: Conductance
    difference: Conductance
    most_pulses: Count
    even: Switch = False


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


class MixedPrecisionArchitecture(CrossbarArchitecture):
    """Structure of a mixed-precision chip."""

    UNIT_SHARE: ClassVar[Share] = Share(usual=0.67, least=0.5, most=1.0)
    SATURATED_SHARE: ClassVar[Share] = Share(usual=0.8, least=0.6, most=0.98)
    """Share of the device's range at which a device counts as saturated."""
    chip: Literal["mixed-precision"]
    outer_product: OuterProductFile
    programmer: ProgrammerFile
    refresh: RefreshFile
    nonidealities: NonIdealities

    @model_validator(mode="after")
    def _has_below(self) -> Self:
        if self.outer_product.states == "below" and self.dram is None:
            raise ValueError("outer_product.states: got 'below'; expected 'beside', or dram below the chip")
        return self

    @model_validator(mode="after")
    def _loses_nothing(self) -> Self:
        for way in ("up_every", "down_every"):
            if self.weight.selection and (every := getattr(self.weight.selection, way)) > 1:
                raise ValueError(
                    f"weight.selection.{way}: got {every}; expected 1: chi has given away what is not let through"
                )
        return self

    @model_validator(mode="after")
    def _has_copies(self) -> Self:
        if self.refresh.even and self.weight.copies == 1:
            raise ValueError("refresh.even: got true; expected false, or weight.copies above 1, which it makes even")
        return self

    def notes(self) -> list[str]:
        """Return what does not suit the range of the device, with the options that would."""
        device = build(self.device_file(), Switches())
        span, saturated, usual = device.high - device.low, self.refresh.saturated, self.SATURATED_SHARE.usual
        part = (saturated - device.low) / span
        if self.SATURATED_SHARE.suits(part):
            return super().notes()
        difference = usual * self.refresh.difference / saturated * span
        note = (
            f"refresh.saturated is {show(saturated, 'S')}, at {part:.2g} of the range of {self._ranged(device)}; "
            f"{usual:g} is usual: {setting('refresh.saturated', device.low + usual * span)} "
            f"{setting('refresh.difference', difference)}"
        )
        return [*super().notes(), note]
