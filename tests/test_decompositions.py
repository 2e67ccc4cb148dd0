"""The hook that counts decompositions of U."""

from __future__ import annotations

import threading

import jax
import jax.numpy as jnp
import numpy as np

from rfsim.computing.decompositions import counted, counting
from rfsim.sample.spectra.eigen import eigh


def test_blocks_count_what_lies_inside_of_them():
    counted()  # nobody listens
    with counting() as outer:
        counted()
        with counting() as inner:
            counted()
            counted(again=True)
        counted()
    counted()
    assert (outer.count, outer.again) == (3, 1)
    assert (inner.count, inner.again) == (1, 1)


def test_what_another_thread_decomposes_is_its_own():
    with counting() as here:
        other = threading.Thread(target=counted)
        other.start()
        other.join()
    assert here.count == 0


def test_a_block_that_ends_in_an_error_stops_counting():
    try:
        with counting() as done:
            raise ValueError
    except ValueError:
        counted()
    assert done.count == 0


def test_every_whole_decomposition_is_counted():
    with jax.enable_x64(True), counting() as done:
        for matrix in (np.eye(2), np.diag([3.0, 1.0])):
            lam, _ = eigh(jnp.asarray(matrix))
        eigh(jnp.eye(2), again=True)
    assert lam.tolist() == [1.0, 3.0]
    assert (done.count, done.again) == (2, 1)
