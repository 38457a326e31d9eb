"""summary.json: the contract that others script against."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")


class TechnologyFile(_Part):
    """A technology file by name and content."""

    name: str
    sha256: str = Field(description="SHA-256 over the technology file and those it extends")


class ByPhase(_Part):
    """A quantity of one training step, by phase."""

    forward: float
    backward: float
    update: float
    refresh: float
    total: float


class Span(_Part):
    """A value between the ends that the ranges of its figures give, all at once."""

    value: float
    low: float
    high: float


class AreaSummary(_Part):
    """A chip's area, the sum of its parts, without wires between components, floorplan and pads."""

    total: Span = Field(description="Of the parts that have a figure; a lower bound if `unpriced` is not empty [m^2]")
    by_component: dict[str, Span]
    unpriced: list[str] = Field(description="Parts (KIND.PART) without an area figure, in no sum")


class Reached(_Part):
    """What a chip's training had taken at the first test that was as good as was asked for."""

    steps: int
    samples: int
    energy_J: float = Field(description="Of all training steps, by the run's own technology [J]")  # noqa: N815
    time_s: float = Field(description="On the chip's clock [s]")


class ChipSummary(_Part):
    """One chip's training."""

    steps: int = Field(description="Training steps done")
    samples: int = Field(description="Training samples seen; a step takes a batch of them, the last of an epoch fewer")
    energy_per_step_J: ByPhase = Field(description="Energy inside the boundary, by phase, mean over the steps [J]")  # noqa: N815
    latency_per_step_s: ByPhase = Field(description="Simulated time, by phase, mean over the steps [s]")
    energy_per_sample_J: ByPhase = Field(description="The same energy, over the samples [J]")  # noqa: N815
    latency_per_sample_s: ByPhase = Field(description="The same time, over the samples [s]")
    test: float = Field(description="The metric on the test set, at the end, read through the chip's converters")
    pulses_per_step: float = Field(description="SET pulses, those of refresh included")
    programmed_pairs_per_step: float = Field(
        description="Device pairs that got pulses because chi crossed the threshold"
    )
    outer_product_updates_per_step: float = Field(description="Accumulator elements (or weights) changed in the update")
    simulated_time_s: float = Field(description="On the chip's clock, all steps")
    clipped_shares: dict[str, float] = Field(
        default_factory=dict, description="By matrix: conversions of the training that the ADCs clipped, over all"
    )
    reached: Reached | None = Field(
        default=None, description="null if no test was as good as `until`, or it was not asked for"
    )
    area_m2: AreaSummary | None = Field(
        default=None, description="Area by component; null if the technology gives no part of the chip an area"
    )


class Interval(_Part):
    """A value, and the ends of its 90 % interval: percentiles of joint draws of all figures, areas and times."""

    value: float
    low: float
    high: float


class ChipIntervals(_Part):
    """What is known of one chip."""

    energy_per_step_J: dict[str, Interval] = Field(description='By phase, and in "total" [J]')  # noqa: N815
    latency_per_step_s: dict[str, Interval] = Field(
        description='By phase, and in "total": they hold 90 % of the draws or more [s]'
    )
    area_m2: dict[str, Interval] = Field(
        description='By component, and in "total", of the parts that have a figure [m^2]'
    )


class Intervals(_Part):
    """The intervals of all chips by one technology; one draw serves all, so ratios keep what chips share."""

    samples: int = Field(description="Joint draws, by the run's seed")
    percent: int = Field(description="Of the draws, that lie in an interval")
    architectures: dict[str, ChipIntervals]
    energy_ratios: dict[str, Interval] = Field(description="The baseline's energy of a step over every other chip's")


class Ratio(_Part):
    """The baseline over another chip; null without both."""

    energy: float | None
    latency: float | None


class TechnologySummary(TechnologyFile):
    """The chips' energies by one technology."""

    energy_per_step_J: dict[str, ByPhase] = Field(description="By chip and phase, as in `architectures` [J]")  # noqa: N815
    ratio: Ratio
    ratios: dict[str, Ratio] = Field(default_factory=dict)


class Published(_Part):
    """What was published of just this network, data set and batch, by kind of chip."""

    source: str
    energy_per_sample_J: dict[str, float]  # noqa: N815
    energy_ratio: float | None
    test_accuracy: dict[str, float]


class MetricSummary(_Part):
    """What the training is judged by: the values of `test` and, in training.csv, of `running` and `test`."""

    name: str
    higher_is_better: bool
    share: bool = Field(description="Whether it is a part of 1, shown in per cent")
    chance: float | None = Field(description="What guessing gives; null where that is not known")


class SampleSummary(_Part):
    """What a sample is called."""

    name: str
    part: str | None = Field(description="What a sample is a sequence of; null if of nothing")
    parts: int = Field(description="So many of them")


class Summary(_Part):
    """A run's results, version 3. Further keys may join; these stay."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    schema_version: Literal[3] = Field(alias="schema")
    workload: str
    dataset: str
    seed: int
    metric: MetricSummary
    sample: SampleSummary
    until: float | None = Field(default=None, description="The test at which the training of a chip was to end")
    steps: int = Field(description="Training steps done (of the chip that did the most)")
    technology: TechnologyFile
    architectures: dict[str, ChipSummary]
    batch: int
    baseline: str | None = Field(
        description="The chip over which the others are compared: --over, or the first digital"
    )
    ratio: Ratio = Field(description="Of the first chip that is not the baseline")
    ratios: dict[str, Ratio] = Field(description="Of every other chip")
    intervals: dict[str, Intervals] = Field(
        default_factory=dict,
        description="By technology; one whose ranges cannot be drawn, since one begins at zero, is left out",
    )
    published: Published | None = Field(description="null where network, data set or batch are not the published ones")
    wall_time_s: float
    steps_per_s: float | None = Field(
        description="Training steps of the first chip that is not the baseline over wall seconds in steady state: "
        "median over chunks of some hundred steps, without the first (compilation) and without evaluation"
    )
    state: Literal["finished", "partial"] = Field(description="partial: interrupted, results up to there")
    technologies: list[TechnologySummary] = Field(description="All of them, the run's own first")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of summary.json."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Summary.model_json_schema(by_alias=True)}
