"""U and Ũ as operators: a factor and a shift instead of a matrix of features × features (equations.md §2).

Of the Gaussian-equivalent model U = s² + FFᵀ with F = [G/√n, b W/√d], and Ũ = v² + s² + HHᵀ with H = a W Σ_t^{1/2}/√d;
over frozen noise, of either model, U = ΦΦᵀ/(nm) with no shift.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, placed
from rfsim.computing.precision import require_float64
from rfsim.problem.activations import Constants
from rfsim.problem.activations.base import evaluate
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, frozen_draws
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.gaussian import frozen_features, gaussian_factor, noise_moment, population_covariance

ROWS = 64  # of frozen noise, whose features are computed at once


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Factored:
    """shift + FFᵀ, symmetric (features, features), with `factor` F (features, width) held once.

    It multiplies blocks of columns, operator @ (features, columns), and of rows, (rows, features) @ operator, by two
    matrix products each. Its memory is that of F.
    """

    __array_ufunc__ = None  # of a product with NumPy's rows: `__rmatmul__`, and not one for each row
    factor: Numbers
    shift: Numbers

    @property
    def shape(self) -> tuple[int, int]:
        """(features, features)."""
        return self.factor.shape[0], self.factor.shape[0]

    def __matmul__(self, columns: Numbers) -> Numbers:
        return self.shift * columns + self.factor @ (self.factor.T @ columns)

    def __rmatmul__(self, rows: Numbers) -> Numbers:
        return self.shift * rows + (rows @ self.factor) @ self.factor.T


class Implicit(NamedTuple):
    """`Moments` whose second moment is an operator.

    second (features, features), noise (features, dim), the loss of the zero score, orders and the error bound of Ũ or
    U.
    """

    second: Factored
    noise: Numbers
    constant: float
    orders: int = 0
    error_bound: float = 0.0


Seen = Moments | Implicit


def gaussian_operators(problem: Problem, draw: Instance, constants: Constants) -> Implicit:
    """U and V of one draw of the Gaussian-equivalent model, the numbers of `gaussian_spectrum`.

    s² + FFᵀ at m = ∞, ΦΦᵀ/(nm) over frozen noise. Raises RuntimeError in float32.
    """
    require_float64()
    if math.isfinite(problem.noise_copies):
        return frozen_operators(problem, draw, frozen_features(problem, draw, constants))
    second = Factored(gaussian_factor(problem, draw, constants), placed(constants.s2))
    return Implicit(second, placed(noise_moment(draw, constants)), 1.0)


def gaussian_population(problem: Problem, draw: Instance, constants: Constants) -> Implicit:
    """Ũ and Ṽ of the draw's population under the Gaussian-equivalent model."""
    variances, directions = np.linalg.eigh(population_covariance(problem, draw))
    root = directions * np.sqrt(np.maximum(variances, 0.0))
    factor = constants.a / math.sqrt(draw.sizes.dim) * draw.weights @ root
    second = Factored(placed(factor), placed(constants.v2 + constants.s2))
    return Implicit(second, placed(noise_moment(draw, constants)), 1.0)


def sampled_operators(problem: Problem, draw: Instance) -> Implicit:
    """U and V of one draw of the real model over its frozen noise, U = ΦΦᵀ/(nm) with Φ (features, samples · m) held."""
    require_float64()
    return frozen_operators(problem, draw, _features(problem, draw))


def frozen_operators(
    problem: Problem, draw: Instance, copies: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]
) -> Implicit:
    """U and V from φ (features, rows) and ξ (rows, dim), a few rows at a time."""
    d, n, p = draw.sizes
    count = n * int(problem.noise_copies)
    factor, noise, power, done = np.empty((p, count)), np.zeros((p, d)), 0.0, 0
    for phi, xi in copies:
        part = phi / math.sqrt(count)
        factor[:, done : done + len(xi)] = part
        noise += part @ xi / math.sqrt(count)
        power, done = power + float((xi**2).sum()), done + len(xi)
    return Implicit(Factored(placed(factor), placed(0.0)), placed(noise), power / count / d)


def _features(problem: Problem, draw: Instance) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """φ(x_t) (features, rows) and ξ (rows, dim) of the frozen copies, a few rows at a time."""
    w = draw.weights / math.sqrt(draw.sizes.dim)
    for x, xi in frozen_draws(draw, problem):
        for lo in range(0, len(x), ROWS):
            yield evaluate(draw.sigma, w @ x[lo : lo + ROWS].T), xi[lo : lo + ROWS]
