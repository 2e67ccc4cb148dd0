"""What distillation does to the parts of U's spectrum: energies, suppression, transfer, leakage, instability (§8).

Parts, eigenvalues and directions are those of the exact U; what is handed up is regressed on the draws' own U.
`slices` names where each part lies in the ascending eigenvalues (`spectra.part_slices`), and results follow its order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, namespace
from rfsim.computing.jackknife import jackknife_error
from rfsim.sample.spectra.eigen import resolution

ESTIMATOR = "regression"  # of what is handed up, times the exact U; before, "draws": C and the U inverted with it
ROWS = 4096  # rows of features in memory at once: inputs times ridges

Slices = Mapping[str, slice]


class Estimate(NamedTuple):
    """A measure and its standard error, arrays of one shape; NaN where it is not defined."""

    value: NDArray[np.float64]
    error: NDArray[np.float64]


def row_energies(weights: ArrayLike, points: ArrayLike, basis: ArrayLike, slices: Slices) -> Numbers:
    """What every output row of weights M holds in each part: the diagonal of M P U P Mᵀ (..., dim, parts).

    weights (..., dim, features); points (features,) and basis (features, features) of the exact U.
    """
    weights, lam, q = _arrays(weights, points, basis)
    return (weights @ q) ** 2 * lam @ _members(slices, len(lam))


def energies(weights: ArrayLike, points: ArrayLike, basis: ArrayLike, slices: Slices) -> Numbers:
    """Energies by part (1/d) Tr M P U P Mᵀ (..., parts) of weights (..., dim, features), in all E‖Mφ‖²/d (§8)."""
    return row_energies(weights, points, basis, slices).mean(axis=-2)


def suppression(student: ArrayLike, teacher: ArrayLike) -> Estimate:
    """Student's energy over the teacher's by part (..., parts), from `row_energies` of both, (..., dim, parts) (§8).

    Its error is the jackknife over the d output rows, √((d − 1)/d Σ_i (r_i − r̄)²), r_i the ratio without row i: what
    other output coordinates would change at the same W and data. NaN where the teacher has no energy.
    """
    given, reference = np.broadcast_arrays(np.asarray(student), np.asarray(teacher))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = given.sum(axis=-2) / reference.sum(axis=-2)
        without = [(a.sum(axis=-2, keepdims=True) - a) for a in (given, reference)]
        error = jackknife_error(np.moveaxis(without[0] / without[1], -2, 0))
    return Estimate(*(np.where(reference.sum(axis=-2) > 0, a, np.nan) for a in (value, error)))


def map_error(
    skip: float, out: float, test: ArrayLike, along: ArrayLike, variances: tuple[ArrayLike, ArrayLike], delta: float
) -> NDArray[np.float64]:
    """(1/d)E‖f(x) − x_ε‖² of f(x) = skip·x + out·Mφ(x) against the flow's own end x_ε, over a Gaussian population (…).

    skip, out: of the form at level k, where the noise variance is delta; test (…), along (…, dim): L_test of M and
    E (Mφ)_i ξ_i; variances: S_t of x_k and S_ε of x_ε along each coordinate (dim,). The flow is √(S_ε/S_t) x, and
    E (Mφ)_i x_i = S_t,i E (Mφ)_i ξ_i/√Δ by Stein's lemma (equations.md T15, D16).
    """
    here, end = (np.asarray(each, dtype=float) for each in variances)
    own = np.asarray(along)
    power = (np.asarray(test) - 1 - 2 * math.sqrt(delta) * own.mean(-1)) / delta  # (1/d)E‖Mφ‖²
    off = skip - np.sqrt(end / here)
    return (off**2 * here).mean() + 2 * out * (off * here * own).mean(-1) / math.sqrt(delta) + out**2 * power


def landing(
    handed: ArrayLike,
    points: ArrayLike,
    basis: ArrayLike,
    ridges: ArrayLike,
    exact_points: ArrayLike,
    exact_basis: ArrayLike,
    slices: Slices,
) -> Numbers:
    """Fractions of ‖qᵀC(U + γ)^{−1}‖² that land in each part of level k, (ridges, inputs, parts) (§8, ours).

    C = C_s U_s^{−1} U, the regression of what draws hand up, times the exact U (`ESTIMATOR`): 20p draws give what 100p
    give to half a percent. handed: qᵀC_s (inputs, features) for coefficient rows qᵀ of level k − 1, of unit length;
    points, basis: of the U_s of these draws, points exactly 0 where it is flat, which nothing reaches
    (pseudo-inverse); exact_points, exact_basis, slices: of the exact U. Fractions add up to 1; NaN where qᵀC_s is
    nothing but rounding. As γ grows what is handed up falls like 1/γ, and the fractions tend to those of qᵀC, not to 0
    outside of q's own part.
    """
    given, gamma, q, lam, exact, last = _arrays(handed, ridges, basis, points, exact_points, exact_basis)
    floor = resolution(len(lam), float(lam.max()))
    # few rows go through both bases, many through their product
    turn = (q.T, last) if len(given) < len(lam) else (q.T @ last,)
    reached = _reached(given, lam, q, turn, floor)
    members = _members(slices, len(lam))
    step = max(1, ROWS // len(gamma))
    found = [_landed(reached[i : i + step], exact, gamma, members) for i in range(0, len(given), step)]
    return namespace(found).concatenate(found, axis=1)


def transfer(fractions: ArrayLike, sources: Slices) -> NDArray[np.float64]:
    """Median share from each part of level k − 1 to each part of level k (..., sources, parts), from `landing` (§8).

    fractions (..., features, parts): of every eigenvector of the exact U_{k−1} in ascending order; sources: its parts.
    """
    given = np.asarray(fractions)
    return np.stack([np.median(given[..., where, :], axis=-2) for where in sources.values()], axis=-2)


def leakage(fractions: ArrayLike, gen: int) -> Estimate:
    """Medians over Gen inputs of what lands where it should not (..., parts), from `landing` (equations.md §8, ours).

    fractions (..., inputs, parts); gen: which part is gen. At gen stands the fraction landing outside of gen, at the
    other parts the fraction landing there. Its error is half the distance of the quantiles ½ ± 1/(2√inputs), the
    order statistics one standard error around the median (no law is assumed, and inputs count as independent); NaN
    for one input.
    """
    given = np.array(fractions)
    given[..., gen] = np.delete(given, gen, axis=-1).sum(axis=-1)
    inputs = given.shape[-2]
    half = 0.5 / math.sqrt(inputs)
    low, value, high = np.quantile(given, [0.5 - half, 0.5, 0.5 + half], axis=-2)
    return Estimate(value, (high - low) / 2 if inputs > 1 else np.full_like(value, np.nan))


def gamma_star(ridges: ArrayLike, leakage: ArrayLike, threshold: float) -> float | None:
    """γ⋆, the smallest ridge of the grid whose leakage is below the threshold; None where there is none (§8, ours)."""
    below = np.asarray(ridges, dtype=float)[np.asarray(leakage) < threshold]
    return float(below.min()) if below.size else None


def instability(difference: ArrayLike, points: ArrayLike, basis: ArrayLike) -> Numbers:
    """qᵀDq/λ_q of every direction (features,), D = E[(φ(x_k) − φ(Φ_k(x_k)))(·)ᵀ] (§8, ours); NaN where λ_q = 0."""
    difference, lam, q = _arrays(difference, points, basis)
    moved, where = ((difference @ q) * q).sum(axis=0), namespace(difference, lam, q).where
    return where(lam == 0, np.nan, moved / where(lam == 0, 1.0, lam))


@compiled
def _reached(handed: Numbers, lam: Numbers, basis: Numbers, turn: tuple[Numbers, ...], floor: float) -> Numbers:
    """Rows qᵀC_s U_s^{−1} in the exact eigenbasis, NaN where nothing but rounding arrives."""
    xp = namespace(lam, handed)
    arriving = xp.where(lam == 0, 0.0, handed @ basis)
    nothing = xp.linalg.norm(arriving, axis=1) <= floor
    found = arriving / xp.where(lam == 0, 1.0, lam)
    for factor in turn:
        found = found @ factor
    return xp.where(nothing[:, None], np.nan, found)


@compiled
def _landed(reached: Numbers, exact: Numbers, gamma: Numbers, members: Numbers) -> Numbers:
    xp = namespace(reached, exact)
    # U(U + γ)^{−1}, with what is flat kept out at γ = 0
    kept = exact / xp.where(exact + gamma[:, None] > 0, exact + gamma[:, None], 1.0)
    parts = (reached * kept[:, None]) ** 2 @ members
    return parts / parts.sum(axis=-1, keepdims=True)


def _members(slices: Slices, features: int) -> NDArray[np.float64]:
    """1 where a direction is in a part, (features, parts)."""
    found = np.zeros((features, len(slices)))
    for column, where in enumerate(slices.values()):
        found[where, column] = 1.0
    return found


def _arrays(*given: ArrayLike) -> list[Numbers]:
    """As float64 arrays of NumPy's, or of JAX's where one of them is."""
    xp = namespace(given)
    return [xp.asarray(one, dtype=float) for one in given]
