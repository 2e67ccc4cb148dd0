"""Consistency functions f_k(x) = c_skip,k x + c_out,k B̄_k φ(x) with f_0(x) = x exactly (equations.md §7; S23)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.text import nearest
from rfsim.problem.diffusion import ode_step

PARAMETERIZATIONS = ("ddim", "edm")


class Consistency(NamedTuple):
    """c_skip and c_out at every time of a grid, (grid,) each; 1 and 0, exactly, at its first time ε.

    jumps: whether f_k is a DDIM jump, so that its weights are those of a score.
    """

    skip: NDArray[np.float64]
    out: NDArray[np.float64]
    jumps: bool

    def gain(self, level: int) -> float:
        """c_out,k−1/c_out,k: how the weights of the level below enter the target of level k (T16)."""
        return float(self.out[level - 1] / self.out[level])


def consistency(parameterization: str, times: NDArray[np.float64], power: float) -> Consistency:
    """The coefficients of a parameterization over ascending diffusion `times` (grid,).

    ddim: f_k is one DDIM jump t_k → ε with the score B̄_k φ, so that a teacher's weights are a valid start. edm: the
    shape of Karras and S23, c_skip = σ_d²/((t−ε)² + σ_d²), c_out = σ_d (t−ε)/√(t² + σ_d²), σ_d² = power of the data.

    >>> consistency("edm", np.array([0.1, 1.0]), 1.0).skip.round(6).tolist()
    [1.0, 0.552486]
    """
    require_parameterization(parameterization)
    if parameterization == "ddim":
        jumps = [ode_step("ddim", float(t), float(times[0])) for t in times]
        return Consistency(np.array([jump.x for jump in jumps]), np.array([jump.score for jump in jumps]), True)
    gap = times - times[0]
    return Consistency(power / (gap**2 + power), math.sqrt(power) * gap / np.sqrt(times**2 + power), False)


def require_parameterization(name: str) -> None:
    """ValueError, with the nearest name, for a parameterization that is none."""
    if name not in PARAMETERIZATIONS:
        hint = nearest(str(name), PARAMETERIZATIONS)
        raise ValueError(f"parameterization must be one of {', '.join(PARAMETERIZATIONS)}; got {name!r}{hint}")
