"""The one map from steps of plain descent to train_time, and to the time of B25's public script (equations.md §3).

Ours: A ← A − η∇_A L on the loss of (T1) with Ā = A/√p; the flow A' = −d²∇_A L makes k steps train_time τ = kη/d².
The script's: no 1/√p, so its weights are Ā itself, with the same loss, a mean over n samples and d components, and a
rate η_script: Ā ← Ā − η_script ∇_Ā L. As ∇_A L = ∇_Ā L/√p, ours moves Ā by (η/p)∇_Ā L: the two are one descent at
η = p η_script. The script's time is kη_script = kη/p, so that τ_script = τ d²/p = τ d/ψ_p.

Another optimizer has no such map: its kη/d² is a label of the step, not a time of the flow.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.learning.descent import descent_step

Number = TypeVar("Number", float, NDArray[np.float64])


class Clock(NamedTuple):
    """Times of given steps of plain descent, each of the steps' shape (§3).

    Attributes:
        train_time: τ = kη/d², the flow's.
        script_time: kη/p = τ d/ψ_p, the time of B25's public script.
    """

    train_time: NDArray[np.float64]
    script_time: NDArray[np.float64]


def clock(steps: ArrayLike, rate: float, dim: int, features: int) -> Clock:
    """Both times of steps of plain descent (§3; B25's public script).

    Args:
        steps: k, of any shape (...); inf stays inf.
        rate: η, on the loss of (T1).
        dim: d.
        features: p.

    Returns:
        train_time and script_time of each step count.

    >>> clock(1000, rate=50.0, dim=10, features=40)
    Clock(train_time=array(500.), script_time=array(1250.))
    """
    k = np.asarray(steps, dtype=np.float64)
    return Clock(np.asarray(k * step_time(rate, dim)), np.asarray(k * script_rate(rate, features)))


def step_time(rate: float, dim: int) -> float:
    """Flow time η/d² of one step of plain descent, in train_time or distill_time (§3, §7).

    Args:
        rate: η, on the loss of (T1); the flow is A' = −d² ∇_A L.
        dim: d.

    Returns:
        The time of one step.
    """
    return rate / dim**2


def script_rate(rate: float, features: int) -> float:
    """Rate η_script = η/p at which B25's public script takes the same steps, and its time per step (§3).

    Args:
        rate: η of ours.
        features: p.

    Returns:
        η_script.
    """
    return rate / features


def largest_stable_rate(largest: Number, ridge: float, noise_variance: Number, features: int, dim: int) -> Number:
    """The η with c(λ_max + γ) = 2, c = 2Δη/(pd): descent in the mean diverges above it (§3).

    In train_time a step is then 2/(κ(λ_max + γ)).

    Args:
        largest: λ_max of U, above −γ; a number or an array.
        ridge: γ.
        noise_variance: Δ, or c_out² at a level of distillation (T16); a number or an array.
        features: p.
        dim: d.

    Returns:
        The rate, of the shape to which largest and noise_variance broadcast.
    """
    return 2 / (descent_step(1.0, noise_variance, features, dim) * (largest + ridge))
