"""What the d → ∞ equations depend on: a problem without dim or seed, and its ρ_Σ as atoms."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rfsim.computing.arrays import Numbers, namespace
from rfsim.disk.files.numbers import DataError
from rfsim.limit.populations import Population, population
from rfsim.problem import model
from rfsim.problem.activations import Constants
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.model import Problem


class Classes(NamedTuple):
    """What the points of each class have of their own, each (classes,) (§12).

    Attributes:
        shares: π_c, adding up to 1.
        slopes: a_c of (T9), at the class's own variance.
        v2: v_c².
        s2: s_c².
        scales: Of the class's covariance in units of Σ; 1 where it is no multiple of that.
        variances: l_c of each atom, (atoms, classes), of covariances that are no multiples of Σ; None where all are.
    """

    shares: Numbers
    slopes: Numbers
    v2: Numbers
    s2: Numbers
    scales: Numbers
    variances: Numbers | None = None

    @property
    def gains(self) -> Numbers:
        """a_c²."""
        return self.slopes**2


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
        classes: Of a population of classes, of which gain, v2 and s2 then are means by share; None for one covariance.
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
    classes: Classes | None = None

    @property
    def by_class(self) -> Classes:
        """The classes; a population without any is one."""
        if self.classes is not None:
            return self.classes
        xp = namespace(self)
        one = xp.ones(1)
        return Classes(one, xp.sqrt(self.gain) * one, self.v2 * one, self.s2 * one, one)

    @property
    def score_power(self) -> Numbers:
        """(1/d) E‖∇ log P_t‖²: Tr Σ_t^{−1}/d, of classes its mean by share, since points tell their class as d → ∞."""
        own = self.by_class
        variances = own.scales[:, None] * self.values if own.variances is None else own.variances.T
        along = self.signal * variances + self.noise
        return own.shares @ ((1 / along) @ self.weights)

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
        weights, own = 1 + xp.sqrt(psi_p), self.by_class
        if own.variances is None:
            largest = (own.gains * own.scales).max() * self.signal * xp.where(self.weights > 0, self.values, 0.0).max()
        else:
            largest = (own.gains * own.variances.max(0)).max() * self.signal
        linear = largest * (1 + 1 / xp.sqrt(psi_n)) ** 2
        frozen = own.gains.max() * self.noise * (1 + xp.sqrt(self.copies_inverse / psi_n)) ** 2
        kept = own.v2.max() * (1 + xp.sqrt(psi_p / psi_n)) ** 2
        left = own.s2.max() * (1 + xp.sqrt(self.copies_inverse * psi_p / psi_n)) ** 2
        return (weights * (xp.sqrt(linear) + xp.sqrt(frozen)) + xp.sqrt(kept) + xp.sqrt(left)) ** 2


def limit(problem: Problem, rho: Population | None = None, *, wide: bool = False, classes: bool = False) -> Limit:
    """The limit of a problem (T9).

    Args:
        problem: What is asked.
        rho: Takes the place of the population that `problem.data` names.
        wide: Whether features_per_dim may be inf, for the equations that then ignore it.
        classes: Whether a population of classes may come, for the equations that know them.

    Returns:
        What the equations depend on.

    Raises:
        ValueError: Where σ is not centered, or the population has no limit (`populations.population`); for classes
            where they are not known.
    """
    if not wide:
        model.require_finite_width(problem.features_per_dim)
    rho = population(problem.data) if rho is None else rho
    t = problem.diffusion_time
    if rho.classes is not None:
        _require_known(problem, rho, classes)
    c, own = constants(problem, rho)
    return Limit(
        float(problem.samples_per_dim),  # whole numbers would compile programs of their own
        float(problem.features_per_dim),
        1 / problem.noise_copies,
        c.a**2 if own is None else float(own.shares @ own.gains),
        c.v2,
        c.s2,
        signal(t) ** 2,
        noise_variance(t),
        np.asarray(rho.values),
        np.asarray(rho.weights),
        own,
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
    if limit.classes is not None and limit.classes.variances is not None:
        variances = np.pad(limit.classes.variances, ((0, more), (0, 0)), mode="edge")
        limit = limit._replace(classes=limit.classes._replace(variances=variances))
    return limit._replace(values=np.pad(limit.values, (0, more), mode="edge"), weights=np.pad(limit.weights, (0, more)))


def constants(problem: Problem, rho: Population) -> tuple[Constants, Classes | None]:
    """The constants (T9) of a problem, and those of each class (§12).

    Args:
        problem: What is asked.
        rho: The population.

    Returns:
        The constants, of classes their means by share, and the classes; None without any.
    """
    if rho.classes is None:
        return model.constants(problem, rho.power), None
    shares, scales = rho.classes
    several = [model.constants(problem, rho.power * scale) for scale in scales.tolist()]
    a, _, v2, s2, _ = np.transpose(several)
    if rho.by_class is not None:
        scales = np.ones(shares.size)
    return model.mean_constants(shares, several), Classes(shares, a, v2, s2, scales, rho.by_class)


def _require_known(problem: Problem, rho: Population, known: bool) -> None:
    """Raise ValueError where the equations for classes do not hold, or are not asked for."""
    text = str(problem.data)
    if not known:
        raise DataError(
            f"data {text!r}: of classes the limit knows theory curves, theory spectrum and theory ridge alone; use "
            "these by themselves, the sampled commands, or "
            f"isotropic:{rho.power:.12g}, of the same variance"
        )
    if math.isfinite(problem.noise_copies):
        raise ValueError(f"of classes noise is averaged; got noise_copies {problem.noise_copies:g}: leave them out")
    if math.isinf(problem.features_per_dim):
        raise ValueError("of classes features_per_dim must be finite; got inf, the limit of many features")
    if not problem.activation.odd:
        raise ValueError(
            f"of classes the limit knows odd activations; got {str(problem.activation)!r}, whose mean is another one "
            "in each class"
        )


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
