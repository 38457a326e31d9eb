"""What a training is judged by, and what its samples are called."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.base.errors import InputError, nearest


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of a trained network.

    Parameters
    ----------
    name : str
        In words, as tables and charts say it.
    higher_is_better : bool
    share : bool
        Whether it is a part of 1, shown in per cent.
    levels : tuple of float
        Values whose cost is told, the easiest first.
    clear : float
        What is worse by more is called worse, where trainings of few steps are compared.
    """

    name: str
    higher_is_better: bool
    share: bool = False
    levels: tuple[float, ...] = ()
    clear: float = 0.05

    @property
    def factor(self) -> float:
        """By what a value is multiplied where it is shown: per cent of a share."""
        return 100.0 if self.share else 1.0

    @property
    def unit(self) -> str:
        """What stands behind a value: " %" of a share, nothing else."""
        return " %" if self.share else ""

    @property
    def axis(self) -> str:
        """The label of an axis of tests."""
        return f"test {self.name} [%]" if self.share else f"test {self.name}"

    @property
    def change(self) -> str:
        """What a difference of two values is counted in."""
        return "percentage points" if self.share else self.name

    def number(self, value: float | None, digits: int | None = None) -> str:
        """Return a value without the metric's name: "97.71 %", "2.315"; "-" for none."""
        if value is None or not math.isfinite(value):
            return "-"
        places = (2 if self.share else 3) if digits is None else digits
        return f"{self.factor * value:.{places}f}{self.unit}"

    def text(self, value: float | None) -> str:
        """Return a value with the metric's name: "accuracy 97.71 %", "bits per character 2.315"."""
        return f"{self.name} {self.number(value)}"

    def difference(self, value: float) -> str:
        """Return a difference of two values without its unit: "+0.61" points, "-0.012"."""
        return f"{self.factor * value:+.2f}" if self.share else f"{value:+.3f}"

    def size(self, value: float) -> str:
        """Return the size of a difference with its unit: "0.61 points", "0.012"."""
        return self.difference(abs(value))[1:] + (" points" if self.share else "")

    def level(self, value: float) -> str:
        """Return a round value: "97 %", "2.5"."""
        return f"{self.factor * value:g}{self.unit}"

    @property
    def example(self) -> str:
        """A value as it may be typed."""
        return self.level(self.levels[-1] if self.levels else 1.0).replace(" ", "")

    def reaches(self, value: float | None, level: float) -> bool:
        """Whether a value is as good as a level, or better."""
        if value is None:
            return False
        return value >= level if self.higher_is_better else value <= level

    def best(self, values: Iterable[float]) -> float:
        """Return the best of some values."""
        return max(values) if self.higher_is_better else min(values)

    def worse_by(self, value: float, reference: float) -> float:
        """Return by how much a value is worse than a reference; below 0 where it is better."""
        return reference - value if self.higher_is_better else value - reference

    def fits(self, value: float) -> bool:
        """Whether a value can be one of this metric."""
        return 0 <= value <= 1 if self.share else 0 <= value < math.inf

    @property
    def expected(self) -> str:
        """What a value must be, for an error."""
        return "a number from 0 to 1" if self.share else "a number from 0 on"

    def read(self, text: str, key: str) -> float:
        """Return the value of a text: "97 %" or "0.97" of a share, "2.5" of any other metric.

        Raises
        ------
        InputError
            If it is none.
        """
        number, percent = text.strip().removesuffix("%").strip(), text.strip().endswith("%")
        expected = 'a per cent, such as "97 %", or a part of 1' if self.share else "a plain number from 0 on"
        try:
            found = float(number) / (100 if percent else 1)
        except ValueError:
            found = math.nan
        if not self.fits(found) or (percent and not self.share):
            raise InputError(key=key, value=text.strip(), expected=f"{expected}: a value of {self.name}")
        return found

    @property
    def worse(self) -> str:
        """What is clearly worse, in words: "accuracy 5 points or more lower"."""
        by = f"{self.factor * self.clear:g}{' points' if self.share else ''}"
        return f"{self.name} {by} or more {'lower' if self.higher_is_better else 'higher'}"

    def content(self, chance: float | None) -> dict[str, Any]:
        """Return what summary.json says of the metric; `chance` is the value of guessing."""
        return {
            "name": self.name, "higher_is_better": self.higher_is_better, "share": self.share, "chance": chance
        }  # fmt: skip


ACCURACY = Metric("accuracy", higher_is_better=True, share=True, levels=(0.90, 0.95, 0.97))
METRICS = {
    metric.name: metric for metric in (
        ACCURACY,
        Metric("bits per character", higher_is_better=False, clear=0.1, levels=(4.0, 3.5, 3.0, 2.5, 2.25, 2.0)),
        Metric("Frechet distance", higher_is_better=False, clear=5.0, levels=(60.0, 40.0, 20.0, 10.0, 5.0)),
        Metric("discriminator accuracy", higher_is_better=True, share=True),
    )
}  # fmt: skip
"""By name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample is called, and how many parts it has: an image; a sequence of so many characters."""

    name: str = "sample"
    part: str | None = None
    parts: int = 1

    @property
    def plural(self) -> str:
        """Several of them."""
        return f"{self.name}s"

    def content(self) -> dict[str, Any]:
        """Return what summary.json says of the samples."""
        return {"name": self.name, "part": self.part, "parts": self.parts}


IMAGE = Sample("image")


def target(text: str, metric: Metric, key: str = "--until") -> float:
    """Return the value of "METRIC=VALUE", METRIC being the metric's name or "test".

    Raises
    ------
    InputError
        If it is not of this form, of another metric, or the value is none of it.
    """
    name, equals, value = text.rpartition("=")
    if not equals:
        raise InputError(key=key, value=text, expected=f'"METRIC=VALUE", such as "{metric.name}={metric.example}"')
    names = (metric.name, "test")
    if name.strip().lower() not in names:
        raise InputError(
            key=key, value=name.strip(), expected=f"{metric.name}, by which this workload is judged, or test",
            hint=nearest(name.strip(), names),
        )  # fmt: skip
    return metric.read(value, f"{key} {name.strip()}")


def metric_of(content: Mapping[str, Any]) -> Metric:
    """Return the metric that a summary, or what a study wrote, names."""
    told = content["metric"]
    known = METRICS.get(told["name"])
    return known or Metric(told["name"], higher_is_better=told["higher_is_better"], share=told["share"])


def sample_of(content: Mapping[str, Any]) -> Sample:
    """Return what a summary calls its samples."""
    return Sample(**{key: content["sample"][key] for key in ("name", "part", "parts")})
