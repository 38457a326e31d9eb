"""BLAS on one thread."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from archsim.base.blas import libraries, one_thread
from archsim.runs.machine import description


def threads() -> set[int]:
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


def test_within_the_context_blas_has_one_thread_and_afterwards_as_many_as_before() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_thread():
            assert threads() == {1}
            with one_thread():
                assert threads() == {1}
            assert threads() == {1}, "leaving an inner context sets nothing free"
        assert threads() == before


def test_a_product_has_the_same_bits_whatever_the_number_of_cores() -> None:
    rng = np.random.default_rng(1)
    x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((512, 300), (300, 200)))
    found = []
    for count in (1, 4):
        with threadpool_limits(count, user_api="blas"), one_thread():
            found.append(x @ w)
    assert (found[0] == found[1]).all()


def test_what_a_run_records_is_the_blas_as_chips_use_it() -> None:
    with one_thread():
        used = libraries()
    assert used
    assert all(text.endswith(", threads 1") for text in used)
    assert description()["blas"] == "; ".join(used)
