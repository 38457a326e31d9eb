"""The whole of an estimate, from a network's name to its content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from archsim.base.errors import InputError
from archsim.chips.activity import Activity
from archsim.chips.architecture import Architecture
from archsim.studies.estimate.assumed import assumed, way
from archsim.studies.estimate.books import estimate_chip
from archsim.studies.estimate.content import content, priced
from archsim.studies.estimate.course import Course, courses
from archsim.studies.estimate.scheduled import followed
from archsim.studies.estimate.spec import EstimateSpec, resolve
from archsim.studies.estimate.whole import Part, checked, parts, whole

Known = Callable[[Architecture], Activity]


def estimate(
    network: Any, *, activity: Path | None = None, window: tuple[int, int] | None = None,
    samples: float | None = None, **options: Any,
) -> dict[str, Any]:  # fmt: skip
    """Estimate one training step and one inference of a network on each chip.

    Parameters
    ----------
    network : str or mapping
        A workload, by path, shipped name or content; its data are not read.
    activity : Path, optional
        Directory of a run, whose activity is taken: of the layers that have the same names, and of all together for
        others. By default it is assumed (`archsim.studies.estimate.assumed`).
    window : (from, to), optional
        Steps of that run; by default all.
    samples : float, optional
        Of a whole training: what it takes in all, by chip, comes as "whole". With a run's activity it goes as the run
        went, and on as the run ended, unless a window is given; without one pulses follow the workload's schedule of
        the learning rate.
    options
        Those of `archsim.studies.estimate.spec.resolve`.

    Returns
    -------
    dict
        What `archsim.studies.estimate.content` describes.

    Raises
    ------
    InputError
        If something is wrong with the network, an option or the run.
    """
    spec = resolve(network, **options)
    trained = _trained(activity) if activity is not None else []
    told = known(spec, trained, window)
    chips = [estimate_chip(spec, architecture, told(architecture)) for architecture in spec.architectures]
    found = content(spec, priced(spec, chips))
    if samples is not None:
        for architecture in spec.architectures:
            several = _parts(spec, architecture, checked(samples), _course(trained, architecture), told, window)
            found["architectures"][architecture.name]["whole"] = whole(spec, architecture, several)
    return found


def _parts(
    spec: EstimateSpec, architecture: Architecture, samples: float, course: Course | None, told: Known,
    window: tuple[int, int] | None,
) -> list[Part]:  # fmt: skip
    """Return a whole training as parts: of a run's activity, of a window of it, or assumed by the learning rate."""
    if course is None:
        of = partial(assumed, spec, architecture)
        return followed(spec.workload.training, samples, spec.batch, architecture, of)
    return parts(samples, course) if window is None else [Part(samples, told(architecture))]


def known(spec: EstimateSpec, trained: Sequence[Course], window: tuple[int, int] | None = None) -> Known:
    """Return what is known of each chip's activity: from a trained chip of its name, or of its kind; or assumed."""
    if window is not None and not trained:
        raise InputError(
            key="--window", value=f"{window[0]}:{window[1]}", expected="a run with --activity whose steps these are"
        )

    def told(architecture: Architecture) -> Activity:
        course = _course(trained, architecture)
        return assumed(spec, architecture) if course is None else _of_others(spec, course, course.activity(window))

    return told


def _of_others(spec: EstimateSpec, course: Course, activity: Activity) -> Activity:
    """Return an activity that says how many matrices the network that was trained does not have, if any."""
    mine, known = ({matrix.name for matrix in each.network.matrices} for each in (spec, course.spec))
    if not (strange := mine - known):
        return activity
    how = f"{len(strange)} of {len(mine)} matrices are not in that network and have the mean of its layers"
    return replace(activity, origin=f"{activity.origin}; {how}")


def _trained(run: Path) -> list[Course]:
    try:
        return courses(run)
    except InputError as error:
        raise (error.of(key="--activity") if error.key == "DIR" else error) from error


def _course(trained: Sequence[Course], architecture: Architecture) -> Course | None:
    """Return the training of a chip of this name, or else of this kind, whose devices are written in the same way."""
    alike = [one for one in trained if way(one.architecture) == way(architecture)]
    return next((one for one in alike if one.architecture.name == architecture.name), alike[0] if alike else None)
