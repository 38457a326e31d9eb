"""What a workload does to the images of a data set before anything sees them: crop, and black and white."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from archsim.base.errors import InputError
from archsim.data.dataset import Dataset, digest


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

    Raises
    ------
    InputError
        If the images are smaller than what is to be kept of them.
    """
    if crop is None and threshold is None:
        return data
    done, shape = [], data.shape
    images = [data.train_x, data.test_x]
    if crop is not None:
        if crop > min(shape):
            raise InputError(key="images.crop", value=crop, expected=f"at most {min(shape)}, the side of an image")
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
    for array in images:
        array.setflags(write=False)
    sha256 = digest((images[0], data.train_y, images[1], data.test_y))
    return replace(
        data, train_x=images[0], test_x=images[1], shape=shape, sha256=sha256,
        origin=f"{data.origin}; {', '.join(done)}",
    )  # fmt: skip
