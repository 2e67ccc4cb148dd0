"""The one regression step of every distillation that is linear in the read-out (equations.md M0).

An anchor law of inputs x, a student F(x) = a x + c B̄φ(x), a target y that no gradient passes through: the flow of
(1/d) E‖F(x) − y‖² + c²γ‖B̄‖²/d ends at R(U + γ)⁻¹, R = (E yφᵀ − a E xφᵀ)/c. Methods differ by their anchor (which draws,
or which exact moments), their form (a, c) and their target.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.flow import System, towards
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.diffusion import Step, noise_variance, ode_step


class Regression(NamedTuple):
    """The form of one regression and what its flow begins at.

    skip, out: a and c; ridge: γ, in units of the eigenvalues of U; start: B̄(0), (dim, features).
    """

    skip: float
    out: float
    ridge: float
    start: Numbers

    def system(self, eigen: tuple[Numbers, Numbers], target: Numbers, own: Numbers) -> System:
        """The flow (M0) on the anchor's U (points, basis): E yφᵀ (…, dim, features) and E xφᵀ (dim, features)."""
        dim, p = self.start.shape
        kappa = learning_rate_constant(self.out**2, p / dim)
        fixed = (target - self.skip * own) / self.out
        return System(*eigen, fixed, np.zeros((p, 1)), 0.0, kappa, self.ridge, self.start)

    def weights(
        self, eigen: tuple[Numbers, Numbers], target: Numbers, own: Numbers, distill_times: NDArray[np.float64]
    ) -> Numbers:
        """Weights (times, dim, features) on the way to a target that stays where it is, one for all times or each."""
        system = self.system(eigen, target, own)
        return towards(system, system.fixed, distill_times)


class Forms(NamedTuple):
    """a and c of every jump of one student: to ε in its parameterization, between other levels by DDIM."""

    to_start: Consistency
    times: NDArray[np.float64]

    def jump(self, level: int, end: int) -> Step:
        """a_kj x + c_kj B̄φ(x), 1 and 0 where a level is its own end."""
        if end == 0:
            return Step(float(self.to_start.skip[level]), float(self.to_start.out[level]))
        return ode_step("ddim", float(self.times[level]), float(self.times[end]))

    def score(self, level: int) -> Step:
        """A score at the weight of its denoising loss, √Δ_k s: c² = Δ_k makes κ that of training."""
        return Step(0.0, float(np.sqrt(noise_variance(float(self.times[level])))))
