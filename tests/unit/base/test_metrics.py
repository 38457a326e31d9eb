"""What a metric says of its values, and what may be asked of it."""

from __future__ import annotations

import pytest

from archsim.base.errors import InputError
from archsim.base.metrics import ACCURACY, METRICS, Metric, metric_of, target

BITS = METRICS["bits per character"]


def test_a_share_is_shown_in_per_cent_and_any_other_metric_as_it_is() -> None:
    assert ACCURACY.text(0.97714) == "accuracy 97.71 %"
    assert BITS.text(2.3154) == "bits per character 2.315"
    assert (ACCURACY.axis, BITS.axis) == ("test accuracy [%]", "test bits per character")
    assert (ACCURACY.number(None), BITS.number(float("nan"))) == ("-", "-")
    assert (ACCURACY.size(-0.0061), BITS.size(-0.012)) == ("0.61 points", "0.012")


def test_what_is_better_follows_the_metric() -> None:
    assert ACCURACY.reaches(0.97, 0.97)
    assert not ACCURACY.reaches(0.96, 0.97)
    assert BITS.reaches(2.4, 2.5)
    assert not BITS.reaches(2.6, 2.5)
    assert not BITS.reaches(None, 2.5)
    assert (ACCURACY.best([0.1, 0.9]), BITS.best([2.0, 3.0])) == (0.9, 2.0)
    assert ACCURACY.worse_by(0.8, 0.9) == pytest.approx(0.1)
    assert BITS.worse_by(2.8, 2.5) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [
        ("accuracy=97%", ACCURACY, 0.97), ("Accuracy = 97.5 %", ACCURACY, 0.975), ("test=0.97", ACCURACY, 0.97),
        ("bits per character=2.5", BITS, 2.5), ("test=2.5", BITS, 2.5),
    ],
)  # fmt: skip
def test_a_target_is_the_metrics_name_and_a_value_of_it(text: str, metric: Metric, value: float) -> None:
    assert target(text, metric) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "metric", "told"),
    [
        ("accuracy=97", ACCURACY, "--until accuracy: got '97'; expected a per cent"),
        ("97%", ACCURACY, '--until: got .97%.; expected "METRIC=VALUE"'),
        ("accuracy=2.5", BITS, "--until: got 'accuracy'; expected bits per character"),
        ("test=97%", BITS, "--until test: got '97%'; expected a plain number"),
        ("bits per character=-1", BITS, "got '-1'"),
        ("bits per character=nan", BITS, "got 'nan'"),
        ("bits per charakter=2.5", BITS, "Did you mean 'bits per character'"),
    ],
)
def test_a_target_of_another_metric_or_unit_is_refused_by_name(text: str, metric: Metric, told: str) -> None:
    with pytest.raises(InputError, match=told):
        target(text, metric)


def test_a_metric_that_this_version_does_not_know_is_read_from_what_was_written() -> None:
    written = {"metric": {"name": "Frechet distance", "higher_is_better": False, "share": False, "chance": None}}
    assert metric_of(written).text(12.0) == "Frechet distance 12.000"
