"""Callables as a user would write them, found by `tests.activations.callables:NAME`, good ones and bad ones."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from rfsim.problem.activations import Activation


def hard_tanh(x):
    return jnp.clip(x, -1.0, 1.0)


def leaky_relu(x):
    return jnp.where(x > 0, x, 0.2 * x)


def swish(x):
    return x / (1 + jnp.exp(-x))


def double(x):
    return 2 * x


def damped(x):
    return x * jnp.exp(-(x**2) / 8)


HARD_TANH = Activation("hard_tanh", hard_tanh, odd=True, kinks=(-1.0, 1.0))
LEAKY_RELU = Activation("leaky", leaky_relu, self_centering=True, kinks=(0.0,))
SWISH = Activation("swish", swish, self_centering=True)
SQUARE = Activation("square", lambda x: x**2, self_centering=True, degrees=(2,))
ABSOLUTE = Activation("absolute", jnp.abs, self_centering=True, kinks=(0.0,))
RIPPLED = Activation("rippled", lambda x: jnp.tanh(x) + 1e-3 * jnp.sin(20 * x), odd=True)
LISTED = Activation("listed", hard_tanh, odd=True, kinks=[-1.0, 1.0])
NO_NUMBERS = Activation("no_numbers", hard_tanh, kinks="ab")
ONE_NUMBER = Activation("one_number", hard_tanh, kinks=0.0)
NO_POLYNOMIAL_FAR_OUT = Activation("far_out", jnp.tanh, odd=True, degrees=tuple(range(1, 40, 2)))
NOT_ODD = Activation("not_odd", swish, odd=True)
NOT_A_POLYNOMIAL = Activation("not_a_polynomial", damped, degrees=(1, 3))
UNSORTED = Activation("unsorted", hard_tanh, kinks=(1.0, -1.0))


def with_nan(x):
    return jnp.sqrt(x)


def overflows_late(x):
    return jnp.where(jnp.abs(x) > 60, jnp.nan, jnp.tanh(x))


def wrong_shape(x):
    return x.sum(-1)


def single(x):
    return x.astype(jnp.float32)


def in_numpy(x):
    return np.tanh(np.asarray(x))


def normalizing(x):
    return x - x.mean()


def constant(x):
    return 0 * x + 1


def raises_two_lines(x):
    raise RuntimeError("first line\nsecond line")


number = 3
