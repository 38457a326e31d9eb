"""Schema of the architecture files of chips that update their weights in the array."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from archsim.base.quantities import Bits, Count, Switch
from archsim.base.yamlfile import Record
from archsim.chips.crossbars.crossbar_file import Conductance, CrossbarArchitecture, Positive, Share, TileFile
from archsim.devices.base import Switches
from archsim.devices.library import build, device_file, input_files, memory_of
from archsim.devices.pcm import NotNegative


class InArrayTileFile(TileFile):
    """Crossbar tiles of devices that are not in pairs.

    `backward_bits` is the precision of both converters when the columns are driven, that of the forward direction if
    not given. `full_scale_of` is what the ADCs' full scales are for: the tile, or one line that is driven, of which
    there are as many as the layer has on the tile.
    """

    backward_bits: Bits | None = None
    full_scale_of: Literal["tile", "line"] = "tile"


class LevelsFile(Record):
    """Pulses from bound to bound that the digital unit counts with, in each direction."""

    up: Positive
    down: Positive


class TrainsFile(Record):
    """Trains of pulses on rows and columns: the longest, whether each is as long as it need be, phases of an update.

    31 is the longest of aihwkit's presets. The probabilities of a line's pulses are sent to its tiles as `bits` bits;
    the comparison with random numbers is taken to be exact.
    """

    length: Count = 31
    managed: Switch = True
    phases: Literal[2, 4] = 4
    bits: Bits = 8


class UpdateFile(Record):
    """How an outer product is written.

    `rounding` of it to the number of pulses of each weight; or by coincidences of `trains` on all lines of a tile at
    once. Of the former: `rows` one after the other or all at once; `columns_per_driver` of a tile's write drivers;
    `lanes` of the unit that finds the numbers. A pulse is taken to make the mean step that the device's file says, or
    an equal part of the range, where `levels` are given; in trains it is the mean step at the device's symmetry point.
    """

    rounding: Literal["nearest", "stochastic", "trains"]
    rows: Literal["serial", "parallel"]
    columns_per_driver: Count
    lanes: Count
    levels: LevelsFile | None = None
    trains: TrainsFile | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.rounding == "trains" and self.levels is not None:
            raise ValueError("levels: expected none where trains are given, whose pulses make the device's mean step")
        if self.rounding != "trains" and self.trains is not None:
            raise ValueError(f"trains: expected none with the rounding {self.rounding!r}, or the rounding 'trains'")
        return self


class TransferFile(Record):
    """A fast array that learns in place of the weights' own, and is taken over line by line through a digital buffer.

    Parameters
    ----------
    rule : buffered (Tiki-Taka v2), chopped (c-TTv2), dynamic (AGAD)
    every : samples between two transfers of one line
    share, gamma : as `archsim.learning.transfer.Follow` has them
    keep, forgets : what stays in the buffer behind the pulses
    flip : probability that a line's sign flips after its transfer (chopped)
    period, tail : transfers of a line between two flips, and how much of its past counts (dynamic)
    reference : what the fast array is read against: the line of fixed devices in the `middle` of the range, or an
        `array` of devices programmed to the symmetry point, read beside it
    reference_error : standard deviation of what the array of references is off, in weights
    full_scale : of the ADCs when a line of the fast array is read, in weights
    lanes, banks : of the unit with the buffer, and of its memory
    """

    rule: Literal["buffered", "chopped", "dynamic"]
    every: Count
    share: Positive = 1.0
    gamma: Positive = 10.0
    keep: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.1
    forgets: Switch = True
    flip: Annotated[FiniteFloat, Field(ge=0, le=1)] = 0.1
    period: Count = 10
    tail: Positive = 5.0
    reference: Literal["middle", "array"] = "middle"
    reference_error: NotNegative = 0.0
    full_scale: Positive = 1.0
    lanes: Count = 1
    banks: Count = 1

    @property
    def arrays(self) -> int:
        """Arrays of devices a matrix, the weights' own among them."""
        return 3 if self.reference == "array" else 2


class PairsFile(Record):
    """Pairs of another device under each weight's own, which is volatile and of lower significance.

    Parameters
    ----------
    device : of the pairs, which hold what is passed on
    gain : significance of a pair's difference over that of the volatile device's, F
    every : samples between two transfers of a matrix
    loop : whether pairs are read after every pulse (`closed`), or get the pulses that a change is worth (`blind`)
    inverts : whether the sign under which volatile devices count changes with each transfer
    saturated : reading of a device above which its pair is RESET before it is programmed further
    most_pulses : SET pulses of a device in one transfer
    parallel : devices of pairs pulsed or read at once
    """

    device: str
    gain: Positive = 3.0
    every: Count
    loop: Literal["closed", "blind"] = "closed"
    inverts: Switch = True
    saturated: Conductance
    most_pulses: Count = 20
    parallel: Count = 1


class SidesFile(Record):
    """Each weight a pair of devices that are pulsed up only, to G+ or G- by sign; how saturated pairs are refreshed.

    Parameters
    ----------
    every : samples between two refreshes of a matrix, each of which reads all of its pairs
    saturated, difference : a pair with a device above the one and a difference below the other starts anew
    most_pulses : SET pulses of a device in one refresh
    parallel : devices pulsed or read at once
    """

    every: Count
    saturated: Conductance
    difference: Conductance
    most_pulses: Count = 20
    parallel: Count = 1


class InArrayNonIdealities(Record):
    """Switches; all on describes the hardware. The devices' bounds always hold: the reference is their middle."""

    state_dependence: Switch
    programming_noise: Switch
    read_noise: Switch
    drift: Switch
    dac_quantisation: Switch
    adc_quantisation: Switch
    adc_clipping: Switch


class InArrayArchitecture(CrossbarArchitecture):
    """Structure of a chip that updates its weights in the array."""

    UNIT_SHARE: ClassVar[Share] = Share(usual=0.5, least=0.25, most=1.0)
    chip: Literal["in-array"]
    tile: InArrayTileFile
    update: UpdateFile
    transfer: TransferFile | None = None
    pairs: PairsFile | None = None
    sides: SidesFile | None = None
    nonidealities: InArrayNonIdealities

    @model_validator(mode="after")
    def _by_trains(self) -> Self:
        if self.transfer is not None and (self.update.rounding != "trains" or not self.trains.managed):
            raise ValueError("transfer: expected none, or trains that are managed as update.rounding: a fast array's")
        return self

    @model_validator(mode="after")
    def _one_store(self) -> Self:
        if self.pairs is None:
            return self
        if self.transfer is not None or self.update.rounding != "trains":
            raise ValueError("pairs: expected none, or trains as update.rounding and no transfer")
        if self.weight.copies > 1 or self.weight.selection:
            raise ValueError(f"weight.copies: got {self.weight.copies}; expected 1, without a selection, over pairs")
        return self

    @model_validator(mode="after")
    def _up_only(self) -> Self:
        if self.sides is None:
            return self
        if self.transfer is not None or self.pairs is not None or self.update.rounding != "trains":
            raise ValueError("sides: expected none, or trains as update.rounding, and neither transfer nor pairs")
        if self.weight.copies > 1 or self.weight.selection:
            raise ValueError(f"weight.copies: got {self.weight.copies}; expected 1, without a selection, with sides")
        return self

    @property
    def wearing(self) -> tuple[tuple[str, ...], Path]:
        """What the devices of a weight that wear out are called, and their file."""
        if self.pairs:
            return ("G+", "G-"), self.pair_file()
        return (("G+", "G-") if self.sides else ("G",)), self.device_file()

    def pair_file(self) -> Path:
        """Return the file of the pairs' device of a hybrid cell."""
        assert self.pairs is not None  # noqa: S101  whoever asks has seen to it
        return device_file(self.pairs.device, option="pairs.device", near=self.home)

    def files(self) -> list[Path]:
        """Return the device files, of the pairs, too."""
        return [*super().files(), *(input_files(self.pair_file()) if self.pairs else ())]

    def written(self, device: Path | None = None) -> dict[str, str | None]:
        """Return the same of the drivers in the array, for pulses by number and for trains, and of those of pairs."""
        memory = memory_of(device or self.device_file())
        found = {"writer": memory, "train_writer": memory}
        if self.sides:
            found["programmer"] = memory
        return found | ({"programmer": memory_of(self.pair_file())} if self.pairs else {})

    def absent(self) -> list[str]:
        """Return what neither of the devices has."""
        found = super().absent()
        effects = build(self.pair_file(), Switches()).effects if self.pairs else ()
        return [name for name in found if name not in effects]

    @model_validator(mode="after")
    def _at_once(self) -> Self:
        at_once = self.transfer is None and (self.update.rounding == "trains" or self.update.rows == "parallel")
        if at_once and self.weight.selection and self.weight.selection.per == "weight":
            raise ValueError("weight.selection.per: got 'weight'; expected 'write' where all rows are written at once")
        return self

    @property
    def trains(self) -> TrainsFile:
        """How trains are sent."""
        return self.update.trains or TrainsFile()
