"""What a training is judged by."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    name: str
    higher_is_better: bool
    share: bool = False


METRICS = {
    metric.name: metric for metric in (
        Metric("accuracy", higher_is_better=True, share=True),
        Metric("bits per character", higher_is_better=False),
        Metric("Frechet distance", higher_is_better=False),
        Metric("discriminator accuracy", higher_is_better=True, share=True),
    )
}  # fmt: skip
"""By name."""
