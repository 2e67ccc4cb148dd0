"""Loss curves of the gradient flow from zero, over either spectrum: compiled once, any number of times (T7, T8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.filters import flow
from rfsim.protocol import Spectrum, Target
from rfsim.training import losses

FEW, MANY = 32, 256  # times per call: two shapes, so two compiled programs per size


class FlowCurves(NamedTuple):
    """L_train, L_test and cross(f), the overlap with the target's Ṽ; each (times,)."""

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    cross: NDArray[np.float64]

    @property
    def gen(self) -> NDArray[np.float64]:
        """L_gen = L_test − L_train."""
        return self.test - self.train


def flow_curves(
    spectrum: Spectrum, target: Target, train_times: ArrayLike, kappa: float, ridge: float = 0.0
) -> FlowCurves:
    """The curves at train_times (times,), which may hold 0 and inf."""
    return FlowCurves(*_in_batches(train_times, lambda tau: _flow_values(spectrum, target, tau, kappa, ridge)))


def flow_energies(
    spectrum: Spectrum, train_times: ArrayLike, kappa: float, ridge: float, noise_variance: float, parts: ArrayLike
) -> NDArray[np.float64]:
    """Energy of the score by part over time (equations.md §8), (parts, times); parts: (parts, points) of 0 and 1."""
    keep = jnp.asarray(parts)
    rows = _in_batches(train_times, lambda tau: _flow_energies(spectrum, tau, kappa, ridge, noise_variance, keep))
    return np.stack(rows)


def flow_parts(
    spectrum: Spectrum, target: Target, train_times: ArrayLike, kappa: float, ridge: float, parts: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`losses.train_parts` (parts, times) and `losses.target_pairs` (parts, parts, times) of the flow."""
    keep = jnp.asarray(parts)
    size = len(keep)
    rows = _in_batches(train_times, lambda tau: _flow_parts(spectrum, target, tau, kappa, ridge, keep))
    return np.stack(rows[:size]), np.stack(rows[size:]).reshape(size, size, -1)


def _in_batches(train_times: ArrayLike, values: Callable[[NDArray], Iterable[Array]]) -> list[NDArray[np.float64]]:
    """`values` (rows of times) over any number of times, in padded batches: memory and compiled programs stay few."""
    tau = np.asarray(train_times, dtype=np.float64)
    size = FEW if tau.size <= FEW else MANY
    batches = []
    for lo in range(0, tau.size, size):
        batch = tau[lo : lo + size]
        padded = np.pad(batch, (0, size - batch.size))
        batches.append([np.asarray(row)[: batch.size] for row in values(padded)])
    return [np.concatenate(row) for row in zip(*batches, strict=True)]


@jax.jit
def _flow_values(spectrum, target, tau: Array, kappa, ridge) -> tuple[Array, Array, Array]:
    f = flow(tau, kappa, ridge)
    cross = target.cross(f(spectrum.points))
    return losses.train_loss(spectrum, [f]), losses.target_loss(spectrum, target, [f]), cross


@jax.jit
def _flow_energies(spectrum, tau, kappa, ridge, noise_variance, parts):
    f = flow(tau, kappa, ridge)
    return jax.vmap(lambda keep: losses.feature_energy(spectrum, [f], noise_variance, keep))(parts)


@jax.jit
def _flow_parts(spectrum, target, tau, kappa, ridge, parts):
    f = flow(tau, kappa, ridge)
    pairs = losses.target_pairs(spectrum, target, f, parts)
    return jnp.concatenate([losses.train_parts(spectrum, f, parts), pairs.reshape(-1, tau.size)])
