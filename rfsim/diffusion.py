"""The Ornstein–Uhlenbeck forward process: the only home of e^{−t} (equations.md §1).

x_t = e^{−t} x + √Δ ξ with Δ = 1 − e^{−2t}, ξ ~ N(0, I_d).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from rfsim.numerics import hermite_rule

ODE_SOLVERS = ("ddim", "euler", "heun")


class Law(NamedTuple):
    """A balanced mixture of Gaussians that share one diagonal covariance.

    centers: (components, dim); variances: (dim,). A sampled data set is the law with its points as centers and
    no variance; N(0, diag(l)) has one center at 0; both diffuse by the same rule.
    """

    centers: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def power(self) -> float:
        """σ_x² = E‖x‖²/d, dimensionless."""
        return float(self.variances.mean() + (self.centers**2).mean(axis=0).mean())


class Step(NamedTuple):
    """One sampling step from t to an earlier time: x1 = x·x_t + score·s_t(x_t) + noise·z, z ~ N(0, I).

    x, score, noise: the coefficients. half: Heun's share of what the slope x + s gains along the step, so that the
    step ends at x1 + half·[(x1 + s_to(x1)) − (x_t + s_t(x_t))]; 0 for the others.
    """

    x: float
    score: float
    half: float = 0.0
    noise: float = 0.0


def signal(diffusion_time: float) -> float:
    """e^{−t}."""
    return math.exp(-diffusion_time)


def noise_variance(diffusion_time: float) -> float:
    """Δ_t = 1 − e^{−2t}, accurate at small t."""
    return -math.expm1(-2 * diffusion_time)


def total_variance(power: float, diffusion_time: float) -> float:
    """Γ_t² = e^{−2t}σ_x² + Δ, for σ_x² = power."""
    return signal(diffusion_time) ** 2 * power + noise_variance(diffusion_time)


def diffuse(law: Law, diffusion_time: float) -> Law:
    """The law of x_t for x from `law`: centers e^{−t}μ, variances e^{−2t}l + Δ."""
    shrink = signal(diffusion_time)
    return Law(shrink * law.centers, shrink**2 * law.variances + noise_variance(diffusion_time))


def forward(x: ArrayLike, noise: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """x_t = e^{−t} x + √Δ ξ; x and noise of one shape (..., dim)."""
    return signal(diffusion_time) * np.asarray(x) + math.sqrt(noise_variance(diffusion_time)) * np.asarray(noise)


def score_to_noise(score: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Noise prediction ξ̂ = −√Δ s(x_t) (equations.md T15)."""
    return -math.sqrt(noise_variance(diffusion_time)) * np.asarray(score)


def noise_to_score(noise: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Score s = −ξ̂/√Δ, the inverse of `score_to_noise`."""
    return -np.asarray(noise) / math.sqrt(noise_variance(diffusion_time))


def noise_to_clean(x_t: ArrayLike, noise: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Clean-data prediction x̂_0 = e^t (x_t − √Δ ξ̂) (equations.md T15), the inverse of `forward` in x."""
    residual = np.asarray(x_t) - math.sqrt(noise_variance(diffusion_time)) * np.asarray(noise)
    return residual / signal(diffusion_time)


def clean_to_noise(x_t: ArrayLike, clean: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Noise ξ̂ = (x_t − e^{−t} x̂_0)/√Δ, the inverse of `noise_to_clean`."""
    residual = np.asarray(x_t) - signal(diffusion_time) * np.asarray(clean)
    return residual / math.sqrt(noise_variance(diffusion_time))


def time_grid(lower: float, upper: float, levels: int, *, spacing: str = "geometric") -> NDArray[np.float64]:
    """levels + 1 increasing diffusion times from `lower` > 0 to `upper`, spaced "geometric" or "linear".

    >>> time_grid(0.01, 1.0, 2).tolist()
    [0.01, 0.1, 1.0]
    """
    if not 0 < lower < upper:
        raise ValueError(f"a time grid needs 0 < lower < upper; got {lower:g} and {upper:g}")
    if levels < 1:
        raise ValueError(f"levels must be at least 1; got {levels}")
    if spacing not in ("geometric", "linear"):
        raise ValueError(f"spacing must be 'geometric' or 'linear'; got {spacing!r}")
    return (np.geomspace if spacing == "geometric" else np.linspace)(lower, upper, levels + 1)


def ode_step(solver: str, t: float, to: float) -> Step:
    """One step of the probability-flow ODE dx/dt = −x − s, from t to 0 ≤ to ≤ t (equations.md T15).

    "euler" and "heun" are of order 1 and 2 in t − to; "ddim" is exact given the noise.
    """
    if solver not in ODE_SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(ODE_SOLVERS)}; got {solver!r}")
    h = _length(t, to)
    if solver == "ddim":
        # e^hΔ_t − √(Δ_tΔ_to) without its cancellation at short steps, by e^{2h}Δ_t − Δ_to = e^{2h} − 1
        here, there = math.sqrt(noise_variance(t)), math.sqrt(noise_variance(to))
        return Step(math.exp(h), here * math.expm1(2 * h) / (math.exp(h) * here + there))
    return Step(1 + h, h, half=h / 2 if solver == "heun" else 0.0)


def reverse_sde_step(t: float, to: float) -> Step:
    """One Euler–Maruyama step of dx = −(x + 2s)dt + √2 dW run backwards, from t to 0 ≤ to ≤ t."""
    h = _length(t, to)
    return Step(1 + h, 2 * h, noise=math.sqrt(2 * h))


def renoise(x: ArrayLike, noise: ArrayLike, t: float, to: float) -> NDArray[np.float64]:
    """x_to = e^{−(to − t)} x_t + √(1 − e^{−2(to − t)}) ξ at to ≥ t, by `forward` (multi-step sampling of S23)."""
    if not 0 <= t <= to:
        raise ValueError(f"noise is added from an earlier to a later time; got {t:g} to {to:g}")
    return forward(x, noise, to - t)


def score(law: Law, x: ArrayLike) -> NDArray[np.float64]:
    """∇ log P at x (rows, dim) for a law with positive variances l: Σ_c w_c(x) (μ_c − x)/l, w the softmax of −dist²/2.

    Memory of rows × components. Raises ValueError for a law without variance along some direction.
    """
    if np.any(law.variances <= 0):
        raise ValueError("a law without variance along some direction has no score; diffuse it first")
    x, middle = np.asarray(x, dtype=np.float64), law.centers.mean(axis=0)
    centers = (law.centers - middle) / law.variances
    # differences of squared distances: what the components share drops out of the softmax
    shares = softmax((x - middle) @ centers.T - (centers * (law.centers - middle)).sum(axis=1) / 2, axis=1)
    return (shares @ law.centers - x) / law.variances


def score_power(law: Law) -> float | None:
    """(1/d) E‖∇ log P‖², the Fisher information per dimension of a law with positive variances.

    For N(0, Σ_t) it is Tr Σ_t^{−1}/d. For two components the means' axis is a one-dimensional integral:
    with whitened half-distance h, E(−u_x + h tanh(h x))² over x = h + u. None for more components or no variance.
    """
    if np.any(law.variances <= 0):
        return None
    inverse = float((1 / law.variances).mean())
    if len(law.centers) == 1:
        return inverse
    if len(law.centers) != 2:
        return None
    half = (law.centers[0] - law.centers[1]) / 2
    along = np.flatnonzero(half)
    if along.size == 0:
        return inverse
    if along.size > 1:
        return None  # two means along one coordinate axis is the only mixture built here
    k = int(along[0])
    h = abs(half[k]) / math.sqrt(law.variances[k])
    rule = hermite_rule(1, step=0.2 / max(h, 1.0))
    x = h + rule.nodes
    information = float(rule.weights[0] @ (x - h * np.tanh(h * x)) ** 2)
    return inverse + (information - 1) / law.variances[k] / law.variances.size


def _length(t: float, to: float) -> float:
    if not 0 <= to <= t or t <= 0:
        raise ValueError(f"a sampling step needs 0 <= to <= t and t > 0; got t {t:g} and to {to:g}")
    return t - to
