"""The Ornstein–Uhlenbeck forward process: the only home of e^{−t} (equations.md §1).

x_t = e^{−t} x + √Δ ξ with Δ = 1 − e^{−2t}, ξ ~ N(0, I_d).
"""

from __future__ import annotations

import math
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.problem.laws import AnyLaw, ClassLaw, Law

ODE_SOLVERS = ("ddim", "euler", "heun")


class Step(NamedTuple):
    """One sampling step from t to an earlier time: x1 = x·x_t + score·s_t(x_t) + noise·z, z ~ N(0, I) (T15).

    Attributes:
        x: Coefficient of x_t.
        score: Coefficient of the score s_t(x_t).
        half: Heun's share of what the slope x + s gains along the step, so that the step ends at
            x1 + half·[(x1 + s_to(x1)) − (x_t + s_t(x_t))]; 0 for the others.
        noise: Coefficient of the fresh noise z; 0 for steps of the ODE.
    """

    x: float
    score: float
    half: float = 0.0
    noise: float = 0.0


def signal(diffusion_time: float) -> float:
    """Signal coefficient e^{−t} of the forward process (§1).

    Args:
        diffusion_time: t ≥ 0.

    Returns:
        e^{−t}, in (0, 1].
    """
    return math.exp(-diffusion_time)


def noise_variance(diffusion_time: float) -> float:
    """Noise variance Δ_t = 1 − e^{−2t}, accurate at small t (§1).

    Args:
        diffusion_time: t ≥ 0.

    Returns:
        Δ_t, in [0, 1].
    """
    return -math.expm1(-2 * diffusion_time)


def total_variance(power: float, diffusion_time: float) -> float:
    """Variance of x_t per dimension, Γ_t² = e^{−2t}σ_x² + Δ_t (§1).

    Args:
        power: σ_x² = E‖x‖²/d of the data (`Law.power`).
        diffusion_time: t ≥ 0.

    Returns:
        Γ_t².
    """
    return signal(diffusion_time) ** 2 * power + noise_variance(diffusion_time)


@overload
def diffuse(law: Law, diffusion_time: float) -> Law: ...
@overload
def diffuse(law: AnyLaw, diffusion_time: float) -> AnyLaw: ...
def diffuse(law: AnyLaw, diffusion_time: float) -> AnyLaw:
    """Law of x_t for x from `law`: centers e^{−t}μ, variances e^{−2t}l + Δ_t (§1).

    Args:
        law: The law of the data x.
        diffusion_time: t ≥ 0.

    Returns:
        The law of x_t, with as many components.
    """
    shrink = signal(diffusion_time)
    variances = shrink**2 * law.variances + noise_variance(diffusion_time)
    if isinstance(law, ClassLaw):
        return ClassLaw(law.shares, variances, shrink * law.centers)
    return Law(shrink * law.centers, variances)


def forward(x: ArrayLike, noise: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Noisy points x_t = e^{−t} x + √Δ_t ξ of the forward process (§1).

    Args:
        x: Data, (..., dim).
        noise: ξ, of the shape of x, with entries of variance 1.
        diffusion_time: t ≥ 0.

    Returns:
        x_t, of the shape of x.
    """
    return signal(diffusion_time) * np.asarray(x) + math.sqrt(noise_variance(diffusion_time)) * np.asarray(noise)


def score_to_noise(score: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Noise prediction ξ̂ = −√Δ_t s(x_t) (T15).

    Args:
        score: s(x_t), of any shape.
        diffusion_time: t > 0.

    Returns:
        ξ̂, of the shape of score, in units where ξ has variance 1.
    """
    return -math.sqrt(noise_variance(diffusion_time)) * np.asarray(score)


def noise_to_clean(x_t: ArrayLike, noise: ArrayLike, diffusion_time: float) -> NDArray[np.float64]:
    """Prediction of the clean data x̂_0 = e^t (x_t − √Δ_t ξ̂), the inverse of `forward` in x (T15).

    Args:
        x_t: Noisy points, (..., dim).
        noise: ξ̂, of the shape of x_t.
        diffusion_time: t ≥ 0.

    Returns:
        x̂_0, of the shape of x_t.
    """
    residual = np.asarray(x_t) - math.sqrt(noise_variance(diffusion_time)) * np.asarray(noise)
    return residual / signal(diffusion_time)


def time_grid(lower: float, upper: float, levels: int, *, spacing: str = "geometric") -> NDArray[np.float64]:
    """Grid of diffusion times ε = t_0 < t_1 < … < t_N = T, as distillation and sampling use it (§7).

    Args:
        lower: ε > 0, the first time.
        upper: T, above lower, the last time.
        levels: N ≥ 1.
        spacing: "geometric", of equal ratios, or "linear", of equal differences.

    Returns:
        The times, ascending, (levels + 1,).

    Raises:
        ValueError: For times out of order, no level, or another spacing.

    >>> time_grid(0.01, 1.0, 2).tolist()
    [0.01, 0.1, 1.0]
    """
    if not 0 < lower < upper < math.inf:
        raise ValueError(f"a time grid needs 0 < lower < upper, all finite; got {lower:g} and {upper:g}")
    if levels < 1:
        raise ValueError(f"levels must be at least 1; got {levels}")
    if spacing not in ("geometric", "linear"):
        raise ValueError(f"spacing must be 'geometric' or 'linear'; got {spacing!r}")
    return (np.geomspace if spacing == "geometric" else np.linspace)(lower, upper, levels + 1)


def ode_step(solver: str, t: float, to: float) -> Step:
    """One step of the probability-flow ODE dx/dt = −x − s backwards (T15).

    Args:
        solver: "euler" and "heun", of order 1 and 2 in t − to, or "ddim", exact given the noise.
        t: The diffusion time that the step leaves, > 0.
        to: The one that it reaches, 0 ≤ to ≤ t.

    Returns:
        The step's coefficients, without noise.

    Raises:
        ValueError: For another solver, or times out of order.
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
    """One Euler–Maruyama step of the reverse SDE dx = −(x + 2s)dt + √2 dW, run backwards (§7).

    Args:
        t: The diffusion time that the step leaves, > 0.
        to: The one that it reaches, 0 ≤ to ≤ t.

    Returns:
        The step's coefficients, with fresh noise of variance 2(t − to).

    Raises:
        ValueError: For times out of order.
    """
    h = _length(t, to)
    return Step(1 + h, 2 * h, noise=math.sqrt(2 * h))


def renoise(x: ArrayLike, noise: ArrayLike, t: float, to: float) -> NDArray[np.float64]:
    """Samples taken back to a later time, x_to = e^{−(to−t)} x_t + √(1 − e^{−2(to−t)}) ξ (§7; S23, Algorithm 1).

    Args:
        x: x_t, (..., dim).
        noise: ξ, of the shape of x, with entries of variance 1.
        t: The diffusion time of x, ≥ 0.
        to: The time to reach, ≥ t.

    Returns:
        x_to, of the shape of x.

    Raises:
        ValueError: For times out of order.
    """
    if not 0 <= t <= to:
        raise ValueError(f"noise is added from an earlier to a later time; got {t:g} to {to:g}")
    return forward(x, noise, to - t)


def noise_between(x: ArrayLike, later: ArrayLike, t: float, to: float) -> NDArray[np.float64]:
    """The noise ξ that takes samples to later ones, x_to = e^{−(to−t)} x_t + √(1 − e^{−2(to−t)}) ξ (§7).

    Args:
        x: x_t, (..., dim).
        later: x_to, of the shape of x.
        t: The diffusion time of x, ≥ 0.
        to: That of the later ones, > t.

    Returns:
        ξ, of the shape of x.

    Raises:
        ValueError: For times out of order.
    """
    if not 0 <= t < to:
        raise ValueError(f"noise lies between an earlier and a later time; got {t:g} and {to:g}")
    return (np.asarray(later) - signal(to - t) * np.asarray(x)) / math.sqrt(noise_variance(to - t))


def _length(t: float, to: float) -> float:
    if not 0 <= to <= t or t <= 0:
        raise ValueError(f"a sampling step needs 0 <= to <= t and t > 0; got t {t:g} and to {to:g}")
    return t - to
