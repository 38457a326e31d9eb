"""Schema of the architecture files of chips that update their weights in the array."""

from __future__ import annotations

from typing import ClassVar, Literal

from archsim.base.quantities import Bits, Count, Switch
from archsim.base.yamlfile import Record
from archsim.chips.crossbar_file import CrossbarArchitecture, Positive, Share, TileFile


class InArrayTileFile(TileFile):
    """Crossbar tiles of one device a weight.

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


class UpdateFile(Record):
    """How an outer product is written.

    `rounding` of the number of pulses; `rows` one after the other or all at once; `columns_per_driver` of a tile's
    write drivers; `lanes` of the unit that finds the numbers. A pulse is taken to make the mean step that the device's
    file says, or an equal part of the range, where `levels` are given.
    """

    rounding: Literal["nearest", "stochastic"]
    rows: Literal["serial", "parallel"]
    columns_per_driver: Count
    lanes: Count
    levels: LevelsFile | None = None


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
    nonidealities: InArrayNonIdealities
