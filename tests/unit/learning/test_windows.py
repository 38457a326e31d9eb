"""Windows of images and their sums: against plain NumPy, place by place, and as adjoints of each other."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.base.errors import ModelError
from archsim.learning.functions import FREE, Cost
from archsim.learning.images.windows import Fold, Window, Windows

SHAPE = (7, 6, 3)
KINDS = [
    Window(3, 3),
    Window(3, 2, 2, 1),
    Window(3, 3, 1, 2, 2),
    Window(2, 5, 3, 4),
    Window(2, 2, 1, 0, 3),
    Window(3, 2, 2, 1, 1, 0, 1),
]


def images(samples: int = 2) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((samples * 42, 3)).astype(np.float32)


@pytest.mark.parametrize("window", KINDS, ids=str)
def test_a_window_sees_the_zeros_and_elements_under_it_channels_fastest(window: Window) -> None:
    edge, step = window.padding, window.dilation
    padded = np.pad(images().reshape(-1, *SHAPE), ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    down, along = window.places(*SHAPE[:2])
    lines = [
        [*padded[s, p + step * np.arange(window.rows)][:, q + step * np.arange(window.columns)].ravel(), 1]
        for s in range(2)
        for p in window.strides[0] * np.arange(down)
        for q in window.strides[1] * np.arange(along)
    ]
    assert (Windows(SHAPE, window, one=True)(images()) == np.array(lines, np.float32)).all()
    assert (Windows(SHAPE, window)(images()) == np.array(lines, np.float32)[:, :-1]).all()


@pytest.mark.parametrize("one", [False, True])
@pytest.mark.parametrize("window", KINDS, ids=str)
def test_a_fold_is_the_adjoint_of_the_windows(window: Window, one: bool) -> None:
    seen = Windows(SHAPE, window, one=one)
    adjoint = seen.adjoint(0)
    assert adjoint is not None
    y = seen(images())
    d = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    lines = slice(None, -1 if one else None)
    folded = adjoint.function(d)
    assert not adjoint.needs
    assert folded.shape == images().shape
    assert float((folded * images()).sum()) == pytest.approx(float((d[:, lines] * y[:, lines]).sum()), rel=1e-5)


def test_windows_are_free_and_a_fold_adds_every_word_of_a_window_to_its_element() -> None:
    window = Window(3, 3, 1, 1)
    assert Windows((8, 8, 4), window).cost == FREE
    n = 8 * 8 * 9 * 4
    assert Fold((8, 8, 4), window, one=True).cost == Cost(adds=n, reads=2 * n, writes=n)


def test_a_window_larger_than_its_image_is_refused() -> None:
    with pytest.raises(ModelError, match=r"a window of 5x2 .* does not fit into an image of 4x6"):
        Window(5, 2).places(4, 6)
