"""The losses, written once over `own`, `cross` and `overlap` (equations.md T1, T2, T8).

`filters` holds one filter per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0. Every function
returns values of the filters' leading shape, for example (times,).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from rfsim.computing.arrays import Numbers, mapped, namespace, put
from rfsim.learning.filters import Filter, restricted
from rfsim.learning.protocol import Spectrum, Target

_AS_JAX = np.errstate(all="ignore")  # what diverges overflows in silence, as in JAX, and is judged by its caller


@_AS_JAX
def train_loss(spectrum: Spectrum, filters: Sequence[Filter]) -> Numbers:
    """Training loss L_train = constant + Σ_jk own_jk(λ f_j f_k) − 2 Σ_j own_0j(f_j) (T1, T8).

    Args:
        spectrum: U and its sources.
        filters: One per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0.

    Returns:
        L_train, of the filters' leading shape.
    """
    values = [f(spectrum.points) for f in filters]
    linear = _total(spectrum.own(f, 0, j) for j, f in enumerate(values))
    return spectrum.constant + _quadratic(spectrum, values, spectrum.points) - 2 * linear


@_AS_JAX
def target_loss(spectrum: Spectrum, target: Target, filters: Sequence[Filter]) -> Numbers:
    """Loss on a target L = constant + Σ_jk overlap_jk(f_j, f_k) − 2 Σ_j cross_j(f_j) (T1, T8).

    Args:
        spectrum: U and its sources.
        target: What the weights are judged on, such as the population (L_test).
        filters: One per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0.

    Returns:
        The loss, of the filters' leading shape.
    """
    values = [f(spectrum.points) for f in filters]
    quadratic = _total(target.overlap(f, g, j, k) for j, f in enumerate(values) for k, g in enumerate(values))
    linear = _total(target.cross(f, j) for j, f in enumerate(values))
    return target.constant + quadratic - 2 * linear


@_AS_JAX
def penalty(spectrum: Spectrum, filters: Sequence[Filter], ridge: float) -> Numbers:
    """What the ridge adds to L_train in the objective: (Δγ/d)‖Ā‖² = γ Σ_jk own_jk(f_j f_k) (T12).

    Args:
        spectrum: U and its sources.
        filters: One per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0.
        ridge: γ, in units of the eigenvalues of U.

    Returns:
        The penalty, of the filters' leading shape.
    """
    return ridge * _quadratic(spectrum, [f(spectrum.points) for f in filters], 1.0)


@_AS_JAX
def feature_energy(
    spectrum: Spectrum, filters: Sequence[Filter], noise_variance: float, keep: ArrayLike = 1.0
) -> Numbers:
    """Energy of the score in some directions, (1/d) Tr Ā P U Āᵀ (§8).

    Args:
        spectrum: U and its sources.
        filters: One per source of the spectrum: (f,) from zero, (f, decay) from a start Ā_0.
        noise_variance: Δ.
        keep: 1 on the points that P keeps and 0 elsewhere, (points,); all by default.

    Returns:
        The energy, of the filters' leading shape.
    """
    values = [f(spectrum.points) for f in filters]
    return _quadratic(spectrum, values, spectrum.points * namespace(keep).asarray(keep)) / noise_variance


@_AS_JAX
def train_parts(spectrum: Spectrum, f: Filter, keep: ArrayLike) -> Numbers:
    """Each part's term of L_train − constant, own(λf² − 2f) on the part; they add up to it (T8).

    Args:
        spectrum: U and its sources.
        f: The filter from zero.
        keep: 1 where a point belongs to the part and 0 elsewhere, (parts, points).

    Returns:
        The terms, (parts, ...), the filter's leading shape last.
    """
    return mapped(lambda one: train_loss(spectrum, [restricted(f, one)]) - spectrum.constant, keep)


@_AS_JAX
def target_pairs(spectrum: Spectrum, target: Target, f: Filter, keep: ArrayLike) -> Numbers:
    """Terms of the target's loss − constant by pairs of parts, which add up to it (T8).

    Off the diagonal stands overlap(f on a, f on b), on it the part's own overlap − 2 cross. Switching the filter off on
    one part takes away its row and its column.

    Args:
        spectrum: U and its sources.
        target: What the weights are judged on.
        f: The filter from zero.
        keep: 1 where a point belongs to the part and 0 elsewhere, (parts, points).

    Returns:
        The terms, symmetric, (parts, parts, ...), the filter's leading shape last.
    """
    values = f(spectrum.points)
    xp = namespace(values)
    kept: Numbers = xp.asarray(keep)
    upper = np.transpose(np.triu_indices(len(kept)))

    def pair(index: Numbers) -> Numbers:
        a, b = kept[index[0]], kept[index[1]]
        own = xp.where(index[0] == index[1], 2 * target.cross(values * a), 0.0)
        return target.overlap(values * a, values * b) - own

    terms = mapped(pair, xp.asarray(upper))
    table = xp.zeros((len(kept), len(kept), *terms.shape[1:]))
    return put(put(table, tuple(upper.T), terms), tuple(upper.T[::-1]), terms)


def score_error(test_loss: ArrayLike, noise_variance: float, score_power: float) -> Numbers:
    """Score error E_score = (L_test − 1 + Δ·(1/d)E‖∇ log P_t‖²)/Δ, by the identity under (T2) (B25 Eq. 8).

    Args:
        test_loss: L_test, of any shape.
        noise_variance: Δ.
        score_power: (1/d) E‖∇ log P_t‖², from `laws.score_power`; Tr Σ_t^{−1}/d for Gaussian data.

    Returns:
        E_score, of the shape of test_loss.
    """
    return (namespace(test_loss).asarray(test_loss) - 1) / noise_variance + score_power


def bias_squared(cross: ArrayLike, noise_variance: float, total_variance: float = 1.0) -> Numbers:
    """Squared bias Γ²(1/Γ² − cross(f)/Δ)² of isotropic data; the variance is E_score − bias² (T12; U26 §2.2).

    Args:
        cross: cross(f), of any shape. A bias is of a mean: average it over seeds before calling.
        noise_variance: Δ.
        total_variance: Γ² = e^{−2t}σ_x² + Δ; 1 for σ_x = 1.

    Returns:
        bias², of the shape of cross.
    """
    return total_variance * (1 / total_variance - namespace(cross).asarray(cross) / noise_variance) ** 2


def weights_loss(
    weights: Numbers, second: Numbers, noise: Numbers, noise_variance: ArrayLike, constant: float = 1.0
) -> Numbers:
    """Loss (T1) of explicit weights, 1 + (Δ/d) Tr Ā M Ā^T + (2√Δ/d) Tr Ā N.

    The gradient holds for a symmetric M, and takes no second product with it.

    Args:
        weights: Ā, (dim, features).
        second: M = E φφᵀ, (features, features); or, in its eigenbasis, its eigenvalues (features,).
        noise: N = E φξᵀ, (features, dim), in the basis of second.
        noise_variance: Δ.
        constant: The loss of the zero score, E‖ξ‖²/d over the noise of the moments.

    Returns:
        The loss, a scalar.
    """
    d, xp = weights.shape[0], namespace(weights, second, noise)
    applied = _held(weights * second if second.ndim == 1 else weights @ second)
    delta = xp.asarray(noise_variance)
    # twice the product less itself: Ā M Āᵀ, and the gradient 2ĀM of both factors through one of them
    along = xp.sum(applied * weights)
    quadratic = (delta / d) * (2 * along - _held(along))
    return constant + quadratic + (2 * xp.sqrt(delta) / d) * xp.sum(weights * noise.T)


def weights_score_error(weights: Numbers, second: Numbers, feature_data: Numbers, variances: ArrayLike) -> Numbers:
    """Score error (T2) of explicit weights for y ~ N(0, diag(variances)) (B25 Eq. 8).

    Args:
        weights: Ā, (dim, features).
        second: E φφᵀ over y, (features, features).
        feature_data: E φyᵀ, (features, dim), from `moments.feature_data`.
        variances: Of y = x_t along each coordinate, (dim,), > 0.

    Returns:
        E_score, a scalar.
    """
    inverse = 1 / jnp.asarray(variances)
    d = weights.shape[0]
    cross = jnp.sum(weights * (feature_data * inverse).T)
    return (jnp.sum((weights @ second) * weights) + 2 * cross + inverse.sum()) / d


def _quadratic(spectrum: Spectrum, values: Sequence[Numbers], factor: Numbers) -> Numbers:
    return _total(spectrum.own(factor * f * g, j, k) for j, f in enumerate(values) for k, g in enumerate(values))


def _held(values: Numbers) -> Numbers:
    """Without a gradient, which NumPy's arrays have none of."""
    return values if namespace(values) is np else jax.lax.stop_gradient(values)


def _total(terms: Iterable[Numbers]) -> Numbers:
    found = list(terms)
    return namespace(found).stack(found).sum(0)
