"""What a workload does to the images of a data set before anything sees them: crop, and black and white."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from archsim.data.datasets import Dataset


def prepare(data: Dataset, *, crop: int | None = None, threshold: float | None = None) -> Dataset:
    """Return a data set with its images prepared; the same one if there is nothing to do.

    Parameters
    ----------
    data : Dataset
    crop : int
        The middle crop x crop pixels of each image are kept.
    threshold : float
        A pixel becomes 1 from here on, and 0 below.

    Returns
    -------
    Dataset
        Its `origin` says what was done, its `sha256` is that of the prepared images.
    """
    if crop is None and threshold is None:
        return data
    done, shape = [], data.shape
    images = [data.train_x, data.test_x]
    if crop is not None:
        top, left = ((side - crop) // 2 for side in data.shape)
        images = [
            np.ascontiguousarray(x.reshape(-1, *data.shape)[:, top : top + crop, left : left + crop]).reshape(
                len(x), -1
            )
            for x in images
        ]
        shape = (crop, crop)
        done.append(f"the middle {crop}x{crop} pixels")
    if threshold is not None:
        images = [(x >= threshold).astype(np.float32) for x in images]
        done.append(f"black and white at {threshold:g}")
    digest = hashlib.sha256()
    for array in (images[0], data.train_y, images[1], data.test_y):
        digest.update(np.ascontiguousarray(array).data)
    for array in images:
        array.setflags(write=False)
    return replace(
        data, train_x=images[0], test_x=images[1], shape=shape, sha256=digest.hexdigest(),
        origin=f"{data.origin}; {', '.join(done)}",
    )  # fmt: skip
