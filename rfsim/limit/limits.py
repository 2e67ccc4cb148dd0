"""What the d → ∞ equations depend on: a problem without dim or seed, and its ρ_Σ as atoms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rfsim.computing.arrays import Numbers, namespace
from rfsim.limit.populations import Population, population
from rfsim.problem import model
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.model import Problem


class Limit(NamedTuple):
    """What the d → ∞ equations depend on: scalars, and ρ_Σ as atoms (§5).

    Attributes:
        samples_per_dim: ψ_n.
        features_per_dim: ψ_p.
        copies_inverse: ε = 1/m, 0 where noise is averaged exactly.
        gain: a² of (T9).
        v2: v² of (T9).
        s2: s² of (T9).
        signal: e^{−2t}.
        noise: Δ.
        values: l, the eigenvalues of Σ, (atoms,).
        weights: Of the atoms, (atoms,), adding up to 1.
    """

    samples_per_dim: float
    features_per_dim: float
    copies_inverse: float
    gain: float
    v2: float
    s2: float
    signal: float
    noise: float
    values: Numbers
    weights: Numbers

    @property
    def floor(self) -> Numbers:
        """No eigenvalue lies below: s² where noise is averaged exactly, 0 at finite m."""
        return namespace(self).where(self.copies_inverse == 0, self.s2, 0.0)

    @property
    def noise_copies(self) -> float:
        """m, as a number of its own (not inside a compiled function)."""
        return 1 / self.copies_inverse if self.copies_inverse else math.inf

    @property
    def ceiling(self) -> Numbers:
        """No eigenvalue lies above: the squared sum of the norms of the three parts of the features."""
        xp, psi_n, psi_p = namespace(self), self.samples_per_dim, self.features_per_dim
        largest = xp.where(self.weights > 0, self.values, 0.0).max()
        weights = 1 + xp.sqrt(psi_p)
        linear = self.signal * largest * (1 + 1 / xp.sqrt(psi_n)) ** 2
        frozen = (1 + xp.sqrt(self.copies_inverse / psi_n)) ** 2 * self.noise
        kept = self.v2 * (1 + xp.sqrt(psi_p / psi_n)) ** 2
        left = self.s2 * (1 + xp.sqrt(self.copies_inverse * psi_p / psi_n)) ** 2
        root = weights * xp.sqrt(self.gain) * (xp.sqrt(linear) + xp.sqrt(frozen)) + xp.sqrt(kept) + xp.sqrt(left)
        return root**2


def limit(problem: Problem, rho: Population | None = None, *, wide: bool = False) -> Limit:
    """The limit of a problem (T9).

    Args:
        problem: What is asked.
        rho: Takes the place of the population that `problem.data` names.
        wide: Whether features_per_dim may be inf, for the equations that then ignore it.

    Returns:
        What the equations depend on.

    Raises:
        ValueError: Where σ is not centered, or the population has no limit (`populations.population`).
    """
    if not wide:
        model.require_finite_width(problem.features_per_dim)
    rho = population(problem.data) if rho is None else rho
    t = problem.diffusion_time
    c = model.constants(problem, rho.power)
    return Limit(
        float(problem.samples_per_dim),  # whole numbers would compile programs of their own
        float(problem.features_per_dim),
        1 / problem.noise_copies,
        c.a**2,
        c.v2,
        c.s2,
        signal(t) ** 2,
        noise_variance(t),
        np.asarray(rho.values),
        np.asarray(rho.weights),
    )


def padded(limit: Limit) -> Limit:
    """The same limit with as many atoms as a power of two: one compiled program serves all numbers of atoms up to it.

    Args:
        limit: What the equations depend on.

    Returns:
        The limit with further atoms of weight 0 at its last eigenvalue, which no equation knows from its own.
    """
    atoms = limit.values.size
    more = 2 ** (atoms - 1).bit_length() - atoms
    return limit._replace(values=np.pad(limit.values, (0, more), mode="edge"), weights=np.pad(limit.weights, (0, more)))


def reaches_zero(limit: Limit) -> str:
    """Words for a spectrum whose lowest edge is 0: at p = n m, and at p = d where σ is linear (no equation).

    Args:
        limit: What the equations depend on.

    Returns:
        The start of a message.
    """
    return (
        f"at features_per_dim {limit.features_per_dim:g}, samples_per_dim {limit.samples_per_dim:g} and noise_copies "
        f"{limit.noise_copies:g} eigenvalues reach down to 0"
    )
