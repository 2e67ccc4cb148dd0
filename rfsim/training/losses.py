"""The losses, written once over `own`, `cross` and `overlap` (equations.md T1, T2, T8).

`filters` holds one filter per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0. Every function
returns values of the filters' leading shape, for example (times,).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from rfsim.filters import Filter, restricted
from rfsim.protocol import Spectrum, Target


def train_loss(spectrum: Spectrum, filters: Sequence[Filter]) -> Array:
    """L_train = constant + Σ_jk own_jk(λ f_j f_k) − 2 Σ_j own_0j(f_j) (T1, T8)."""
    values = [f(spectrum.points) for f in filters]
    linear = _total(spectrum.own(f, 0, j) for j, f in enumerate(values))
    return spectrum.constant + _quadratic(spectrum, values, spectrum.points) - 2 * linear


def target_loss(spectrum: Spectrum, target: Target, filters: Sequence[Filter]) -> Array:
    """L_target = constant + Σ_jk overlap_jk(f_j, f_k) − 2 Σ_j cross_j(f_j) (T1, T8)."""
    values = [f(spectrum.points) for f in filters]
    quadratic = _total(target.overlap(f, g, j, k) for j, f in enumerate(values) for k, g in enumerate(values))
    linear = _total(target.cross(f, j) for j, f in enumerate(values))
    return target.constant + quadratic - 2 * linear


def penalty(spectrum: Spectrum, filters: Sequence[Filter], ridge: float) -> Array:
    """(Δγ/d)‖Ā‖² = γ Σ_jk own_jk(f_j f_k), what the ridge adds to L_train in the objective that is minimized (T12)."""
    return ridge * _quadratic(spectrum, [f(spectrum.points) for f in filters], jnp.ones(()))


def feature_energy(
    spectrum: Spectrum, filters: Sequence[Filter], noise_variance: float, keep: ArrayLike = 1.0
) -> Array:
    """(1/d) Tr Ā P U Āᵀ for the directions with keep = 1: the energy of the score in one part (equations.md §8)."""
    values = [f(spectrum.points) for f in filters]
    return _quadratic(spectrum, values, spectrum.points * jnp.asarray(keep)) / noise_variance


def train_parts(spectrum: Spectrum, f: Filter, keep: ArrayLike) -> Array:
    """Each part's term of L_train − constant, own(λf² − 2f) on the part (T8); they add up. keep: (parts, points)."""
    return jax.lax.map(lambda one: train_loss(spectrum, [restricted(f, one)]) - spectrum.constant, jnp.asarray(keep))


def target_pairs(spectrum: Spectrum, target: Target, f: Filter, keep: ArrayLike) -> Array:
    """Terms of L_target − constant by pairs of parts (parts, parts, ...), which add up to it (T8).

    Off the diagonal overlap(f on a, f on b); on it the part's own overlap − 2 cross. Switching the filter off on one
    part takes away its row and its column. keep: (parts, points) of 0 and 1.
    """
    keep = jnp.asarray(keep)
    values = f(spectrum.points)
    upper = np.transpose(np.triu_indices(len(keep)))

    def pair(index: Array) -> Array:
        a, b = keep[index[0]], keep[index[1]]
        own = jnp.where(index[0] == index[1], 2 * target.cross(values * a), 0.0)
        return target.overlap(values * a, values * b) - own

    terms = jax.lax.map(pair, jnp.asarray(upper))
    table = jnp.zeros((len(keep), len(keep), *terms.shape[1:]))
    return table.at[upper[:, 0], upper[:, 1]].set(terms).at[upper[:, 1], upper[:, 0]].set(terms)


def score_error(test_loss: ArrayLike, noise_variance: float, score_power: float) -> Array:
    """E_score = (L_test − 1 + Δ·(1/d)E‖∇ log P_t‖²)/Δ, the identity under (T2); score_power is Tr Σ_t^{−1}/d there."""
    return (jnp.asarray(test_loss) - 1) / noise_variance + score_power


def bias_squared(cross: ArrayLike, noise_variance: float, total_variance: float = 1.0) -> Array:
    """bias² = Γ²(1/Γ² − cross(f)/Δ)², isotropic data; average cross over seeds before calling (design: (1 − cross/Δ)²).

    total_variance is Γ² = e^{−2t}σ_x² + Δ. The variance is E_score − bias².
    """
    return total_variance * (1 / total_variance - jnp.asarray(cross) / noise_variance) ** 2


def weights_loss(
    weights: Array, second: Array, noise: Array, noise_variance: ArrayLike, constant: float = 1.0
) -> Array:
    """(T1) of explicit weights Ā (dim, features), given M (features, features) and N (features, dim).

    In the eigenbasis of M its eigenvalues (features,) take the place of M. The gradient holds for a symmetric M, and
    takes no second product with it.
    """
    d = weights.shape[0]
    applied = jax.lax.stop_gradient(weights * second if second.ndim == 1 else weights @ second)
    delta = jnp.asarray(noise_variance)
    # twice the product less itself: Ā M Āᵀ, and the gradient 2ĀM of both factors through one of them
    along = jnp.sum(applied * weights)
    quadratic = (delta / d) * (2 * along - jax.lax.stop_gradient(along))
    return constant + quadratic + (2 * jnp.sqrt(delta) / d) * jnp.sum(weights * noise.T)


def weights_score_error(weights: Array, second: Array, feature_data: Array, variances: ArrayLike) -> Array:
    """(T2) of explicit weights for y ~ N(0, diag(variances)); feature_data = E φ yᵀ (features, dim)."""
    inverse = 1 / jnp.asarray(variances)
    d = weights.shape[0]
    cross = jnp.sum(weights * (feature_data * inverse).T)
    return (jnp.sum((weights @ second) * weights) + 2 * cross + inverse.sum()) / d


def _quadratic(spectrum: Spectrum, values: Sequence[Array], factor: Array) -> Array:
    return _total(spectrum.own(factor * f * g, j, k) for j, f in enumerate(values) for k, g in enumerate(values))


def _total(terms: Iterable[Array]) -> Array:
    return jnp.stack(list(terms)).sum(0)
