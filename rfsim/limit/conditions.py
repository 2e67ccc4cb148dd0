"""The ridge minimizer beside noise-free inputs as d → ∞ (equations.md §13; Kim & Lee 2026, Theorem 4.2).

Everything follows from K = (1/d) Tr W_1ᵀGW_1/(2d), G = (U + sources − z)^{-1}, and its derivatives by z and by two
sources. The equations are rational: derivatives come by complex steps, exact to rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.solver import NotConverged

FAR = 1e3  # in units of the largest energies: there G is −1/z to a relative 1e-3
STEP = 0.5  # of log(s² − z), on the way from there
NEWTON, ACCURACY = 60, 1e-12  # steps at each z; the residual that counts as solved, relative
LONGEST = 1.0  # of a Newton step, in logarithms
TINY = 1e-30  # a complex step: its square is nothing beside 1


class Conditional(NamedTuple):
    """What the equations depend on: scalars, or (points,) where said, and the directions of x as atoms (§13).

    Attributes:
        samples_per_dim: ψ_n, may be (points,).
        features_per_dim: ψ_p, may be (points,).
        inputs_per_dim: ψ_y = d_y/d.
        inputs_power: E‖y‖²/d_y.
        slope: μ_1 of the features, E σ'(Γz) at Γ² = (Γ_x² + E‖y‖²/d_y)/2.
        v2: v_0², the energy of what is not linear in a sample's x and y.
        s2: s_t², that of the noise.
        v2_inputs: v_y², that of y alone.
        signal: e^{−2t}.
        noise: Δ.
        residual: s, the variances of x that y leaves, (atoms,).
        explained: What y tells of them, (atoms,).
        weights: Of the atoms, adding up to 1, (atoms,).
    """

    samples_per_dim: float | NDArray[np.float64]
    features_per_dim: float | NDArray[np.float64]
    inputs_per_dim: float
    inputs_power: float
    slope: float
    v2: float
    s2: float
    v2_inputs: float
    signal: float
    noise: float
    residual: NDArray[np.float64]
    explained: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def left(self) -> float:
        """v_Σ² = (1/d) Tr Σ, the variance that y leaves."""
        return float(self.weights @ self.residual)

    @property
    def total(self) -> float:
        """v², the energy of all that is not linear in the features."""
        return self.v2 + self.s2


class ConditionalLosses(NamedTuple):
    """Of the ridge minimizer, each (points,), per dimension (§13).

    Attributes:
        train: L_train itself; the zero score has loss 1.
        train_penalized: With the penalty (Δγ/d)‖Ā‖².
        test: L_test.
        mean_error: ME, of the denoised mean given y.
        predictive_variance: PV, of the denoiser around that mean.
        residual_error: RE = v_Σ² + PV − 2RA.
        residual_alignment: RA, of the denoiser's deviation with what y leaves of x.
        mean_error_linear: The linear part of ME, ‖B̂ − B‖²/d.
        predictive_variance_linear: The linear part of PV.
        residual: Of the equations, relative.
    """

    train: NDArray[np.float64]
    train_penalized: NDArray[np.float64]
    test: NDArray[np.float64]
    mean_error: NDArray[np.float64]
    predictive_variance: NDArray[np.float64]
    residual_error: NDArray[np.float64]
    residual_alignment: NDArray[np.float64]
    mean_error_linear: NDArray[np.float64]
    predictive_variance_linear: NDArray[np.float64]
    residual: NDArray[np.float64]


class TrueDenoiser(NamedTuple):
    """E[x|x_t, y], whose ME is 0: what no learning passes (§13).

    Attributes:
        test: L_test, that of the true score.
        predictive_variance: PV.
        residual_error: RE.
        residual_alignment: RA = PV.
    """

    test: float
    predictive_variance: float
    residual_error: float
    residual_alignment: float


class _Sources(NamedTuple):
    """Where K is asked for: z, and the sources q_m of the mean given y and q_r of what is left, each (points,)."""

    z: NDArray
    mean: NDArray
    rest: NDArray


class _Terms(NamedTuple):
    """What both equations are made of at m = Tr G/p and ρ = 1/L."""

    beta: NDArray
    delta: NDArray
    energies: NDArray
    inverse: NDArray


def true_denoiser(limit: Conditional) -> TrueDenoiser:
    """What the true score of x_t given y leaves (§13).

    Args:
        limit: What the equations depend on.

    Returns:
        Its losses.
    """
    s = limit.residual
    along = limit.signal * s + limit.noise
    variance = float(limit.weights @ (limit.signal * s**2 / along))
    left = float(limit.weights @ (s * limit.noise / along))
    return TrueDenoiser(limit.signal / limit.noise * left, variance, left, variance)


def conditional_losses(limit: Conditional, ridges: ArrayLike) -> ConditionalLosses:
    """Losses of the ridge minimizer at m = ∞ (§13; Kim & Lee 2026, Theorem 4.2).

    Args:
        limit: What the equations depend on; its ratios broadcast against the ridges.
        ridges: γ ≥ 0 in units of the eigenvalues of U, (points,); positive for a linear σ.

    Returns:
        The losses, NaN where Newton did not solve the equations.

    Raises:
        ValueError: For a ridge of 0 of a linear σ, whose U has no lower edge.
        NotConverged: Where Newton solved them at no point.
    """
    gamma, psi_n, psi_p = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(one, dtype=float)) for one in (ridges, *limit[:2]))
    )
    limit = limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)
    if np.any(limit.s2 + gamma <= 0):
        raise ValueError("of a linear activation the ridge must be positive beside a condition; got 0")
    none = np.zeros(gamma.shape)
    at, state = _Sources(-gamma, none, none), _solved(limit, gamma)
    found = np.abs(_equations(limit, at, state)).max(axis=0)
    if not (found <= ACCURACY).any():
        raise NotConverged(f"the equations of a condition were not solved at ridge {gamma[0]:g}")

    def slope(**step: NDArray) -> NDArray[np.float64]:
        """K's derivative by one of the sources, the state following (implicit function theorem)."""
        moved = at._replace(**{name: getattr(at, name) + 1j * TINY * one for name, one in step.items()})
        direct = np.imag(_equations(limit, moved, state)) / TINY
        own = -np.linalg.solve(_jacobian(limit, at, state), direct.T[..., None])[..., 0].T
        return np.imag(_own(limit, moved, state + 1j * TINY * own)[0]) / TINY

    k, k_left = (np.real(one) for one in _own(limit, at, state))
    ones = np.ones(gamma.shape)
    by_z, by_mean, by_rest = slope(z=ones), slope(mean=ones), slope(rest=ones)
    h, a2, gain = limit.noise, limit.signal, limit.slope**2
    norm = gain * by_z  # ‖Ā‖²/d
    spread = h * h / a2 * norm  # of an energy of features, in the denoised x
    mean = -((h * gain) ** 2) / a2 * by_mean
    variance = limit.left + h / a2 - 2 * h * h * gain / a2 * k - 2 * h * gain * k_left - (h * gain) ** 2 / a2 * by_rest
    alignment = limit.left - h * gain * k_left
    predictive = variance + (limit.total - limit.v2_inputs) * spread
    error = mean + limit.v2_inputs * spread
    # v_Σ² + PV − 2RA, and the loss it and ME make, without what cancels between them at small t
    around = 1 - 2 * h * gain * k - h * gain**2 * by_rest + h * (limit.total - limit.v2_inputs) * norm
    penalized = 1 - h * gain * k
    values = (
        penalized - h * gamma * norm,
        penalized,
        around - h * gain**2 * by_mean + h * limit.v2_inputs * norm,
        error,
        predictive,
        h / a2 * around,
        alignment,
        mean,
        variance,
    )
    known = found <= ACCURACY
    return ConditionalLosses(*(np.where(known, one, np.nan) for one in values), residual=found)


def _terms(limit: Conditional, at: _Sources, state: NDArray) -> _Terms:
    m, rho = np.exp(state)
    gain, psi_p = limit.slope**2, limit.features_per_dim
    beta = at.mean + gain * rho
    delta = 1 + psi_p * m * beta * limit.inputs_power / (2 * limit.inputs_per_dim)
    s, told = limit.residual[:, None], limit.explained[:, None]
    energies = limit.noise * (gain + at.rest) + limit.signal * (gain * rho + at.rest) * s
    inverse = 1 / (2 + psi_p * m * (energies + limit.signal * beta * told / delta))
    return _Terms(beta, delta, energies, inverse)


def _equations(limit: Conditional, at: _Sources, state: NDArray) -> NDArray:
    """Both equations at (log m, log ρ) in units of their terms, (2, points); 0 where they hold."""
    m, rho = np.exp(state)
    x, gain = _terms(limit, at, state), limit.slope**2
    s, told = limit.residual[:, None], limit.explained[:, None]
    mean = limit.inputs_power / (2 * x.delta)
    own = limit.weights @ ((x.energies + limit.signal * x.beta * told / x.delta**2) * x.inverse)
    first = m * (limit.s2 - at.z + limit.v2 * rho + x.beta * mean + own) - 1
    seen = limit.signal * gain * (limit.weights @ ((s + told / x.delta**2) * x.inverse))
    ratio = limit.features_per_dim / limit.samples_per_dim
    second = rho * (1 + ratio * m * (limit.v2 + gain * mean + seen)) - 1
    return np.stack([first, second])


def _own(limit: Conditional, at: _Sources, state: NDArray) -> tuple[NDArray, NDArray]:
    """K, and K_Σ with what y leaves of each direction."""
    scale = limit.features_per_dim * np.exp(state[0])
    inverse = _terms(limit, at, state).inverse
    return scale * (limit.weights @ inverse), scale * ((limit.weights * limit.residual) @ inverse)


def _jacobian(limit: Conditional, at: _Sources, state: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of both equations by log m and log ρ, (points, 2, 2)."""
    columns = []
    for k in range(2):
        moved = state.astype(complex)
        moved[k] += 1j * TINY
        columns.append(np.imag(_equations(limit, at, moved)) / TINY)
    return np.stack(columns, axis=-1).transpose(1, 0, 2)


def _solved(limit: Conditional, gamma: NDArray[np.float64]) -> NDArray[np.float64]:
    """(log m, log ρ) at z = −γ, followed from far below the spectrum, (2, points)."""
    energies = limit.total + limit.slope**2 * (limit.noise + limit.signal + limit.inputs_power)
    start = FAR * energies * np.maximum(1.0, limit.features_per_dim) + gamma
    end = limit.s2 + gamma
    state = np.stack([-np.log(start), np.zeros(gamma.shape)])
    steps = int(np.ceil(np.log(start / end).max() / STEP)) + 1
    none = np.zeros(gamma.shape)
    for share in np.linspace(0, 1, steps):
        z = limit.s2 - start ** (1 - share) * end**share
        state = _newton(limit, _Sources(z, none, none), state, NEWTON if share == 1 else 4)
    return state


def _newton(limit: Conditional, at: _Sources, state: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    for _ in range(most):
        found = _equations(limit, at, state)
        step = np.linalg.solve(_jacobian(limit, at, state), found.T[..., None])[..., 0].T
        step *= np.minimum(1, LONGEST / np.maximum(np.abs(step).max(axis=0), LONGEST))
        state = state - step
        if np.abs(step).max() < 4 * np.finfo(float).eps:
            break
    return state
