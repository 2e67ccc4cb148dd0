"""The exact flow of one level towards a target that does not move (equations.md T16, T17)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike

from rfsim.computing.arrays import Numbers, compiled, namespace
from rfsim.learning.filters import flow, flow_decay
from rfsim.sample.spectra.eigen import eigh, resolution


class System(NamedTuple):
    """Level k's flow (T16): dB̄/dτ_S = −κ [B̄(U + γ) − R] with R = F + g B̄⁻C and B̄⁻ the weights of the level below.

    points: eigenvalues of the sampled U, exactly 0 where it is flat (features,); basis: its eigenvectors Q (features,
    features); fixed: F = (c_skip,k−1 P_k − c_skip,k X_k)/c_out,k (dim, features); carried:
    C_k = E φ(Φ_k(x))φ(x)ᵀ (features, features); gain: g = c_out,k−1/c_out,k, 0 at k = 1; kappa: 2c_out,k²/ψ_p; ridge γ;
    start: B̄_k(0) (dim, features). R has no component where U is flat: the weights stay there as they begin.
    """

    points: Numbers
    basis: Numbers
    fixed: Numbers
    carried: Numbers
    gain: float
    kappa: float
    ridge: float
    start: Numbers


def decomposed(second: Numbers) -> tuple[Numbers, Numbers]:
    """Eigenvalues and eigenvectors of a sampled U; what float64 cannot tell from 0 is 0."""
    points, basis = eigh(second)
    return namespace(points).where(points > resolution(len(points), float(points[-1])), points, 0.0), basis


def sequential(system: System, below: ArrayLike, distill_times: ArrayLike) -> Numbers:
    """Weights of level k where the level below has been trained for the same distill_time (T17).

    below: B̄_{k−1} (times, dim, features of the level below); distill_times (times,) may hold 0 and inf.
    Returns (times, dim, features).
    """
    return towards(system, system.fixed + system.gain * namespace(below).asarray(below) @ system.carried, distill_times)


def towards(system: System, target: ArrayLike, distill_times: ArrayLike) -> Numbers:
    """Weights (times, dim, features) of level k on their way to R = target, (dim, features) or one for each time."""
    return _towards(system, namespace(target).asarray(target), np.asarray(distill_times))


@compiled
def _towards(system: System, target: Numbers, tau: Numbers) -> Numbers:
    target = namespace(system.points).where(system.points == 0, 0.0, target @ system.basis)
    rising, left = (f(tau, system.kappa, system.ridge)(system.points) for f in (flow, flow_decay))
    if target.ndim == 2:
        target = target[None]
    found = target * rising[:, None] + (system.start @ system.basis) * left[:, None]
    return found @ system.basis.T
