"""Theorem 3.2's forms of the spectrum for large ψ_p and ψ_n (Bonnaire et al. 2025), to stand beside the exact one.

ρ = (1 − 1/ψ_p − μ) δ(λ − s²) + μ ρ_1(λ) + (1/ψ_p) ρ_2(λ), μ = min(ψ_n, ψ_p − 1)/ψ_p: an atom, a Marchenko–Pastur law
of v² shifted by s², and the bulk of Ũ, which is the engine's own spectrum at ψ_n = ∞. Densities here hold their masses.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning.timescales import largest_bulk_eigenvalue, smallest_bulk_eigenvalue
from rfsim.limit.bulks import density, masses
from rfsim.limit.intervals import Interval, support
from rfsim.limit.limits import Limit


class LargePart(NamedTuple):
    """One of the three parts of the form for large ψ_p and ψ_n (§5; B25 Thm 3.2).

    Attributes:
        mass: Its share of the eigenvalues.
        intervals: Where they lie; the atom's interval has equal ends, a part without mass has none.
    """

    mass: float
    intervals: tuple[Interval, ...]


class LargeForm(NamedTuple):
    """Form of the spectrum for large ψ_p and ψ_n (§5; B25 Thm 3.2); masses add up to 1.

    Attributes:
        atom: At s².
        mem: ρ_1, which memorizes.
        gen: ρ_2, which generalizes.
    """

    atom: LargePart
    mem: LargePart
    gen: LargePart


@in_complex128
def large_form(limit: Limit) -> LargeForm:
    """Masses and edges of the form for large ψ_p and ψ_n (§5; B25 Thm 3.2).

    Args:
        limit: What the equations depend on; noise is averaged exactly, whatever its noise_copies.

    Returns:
        The three parts.

    Raises:
        NotConverged: Where an edge of ρ_2 is not found.
    """
    psi_n, psi_p, s2 = limit.samples_per_dim, limit.features_per_dim, float(limit.s2)
    rank = masses(limit._replace(copies_inverse=0.0))
    atom, mem, gen = rank["zero"] + rank["null"], rank["mini"] + rank["main"], rank["gen"]
    edges = Interval(smallest_bulk_eigenvalue(limit, psi_n, psi_p), largest_bulk_eigenvalue(limit, psi_n, psi_p))
    return LargeForm(
        LargePart(atom, (Interval(s2, s2),) if atom else ()),
        LargePart(mem, (edges,) if mem else ()),
        LargePart(gen, tuple(support(population_limit(limit))) if gen else ()),
    )


@in_complex128
def large_densities(
    limit: Limit, lam: ArrayLike, form: LargeForm | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Densities ρ_1 and ρ_2 of the form for large ψ_p and ψ_n, without the atom (§5; B25 Thm 3.2).

    Args:
        limit: What the equations depend on.
        lam: λ, (points,).
        form: `large_form`, if at hand.

    Returns:
        ρ_1 and ρ_2 with their masses, per unit λ, (points,) each.

    Raises:
        NotConverged: Where a point does not converge.
    """
    form, lam = form or large_form(limit), np.asarray(lam, dtype=float)
    mem = np.zeros(lam.shape)
    for lower, upper in form.mem.intervals:
        inside = (lam > lower) & (lam < upper)
        at, ratio = lam[inside], min(limit.features_per_dim / limit.samples_per_dim, 1.0)
        height = np.sqrt((upper - at) * (at - lower)) / (2 * math.pi * limit.v2 * ratio * (at - limit.s2))
        mem[inside] = form.mem.mass * height
    return mem, density(population_limit(limit), lam) if form.gen.intervals else np.zeros(lam.shape)


def population_limit(limit: Limit) -> Limit:
    """The limit whose U is the population's Ũ = a²WΣ_tWᵀ/d + v² + s², n = ∞ (§5).

    Args:
        limit: What the equations depend on.

    Returns:
        The limit; its atom, if any, lies at v² + s².
    """
    return limit._replace(samples_per_dim=math.inf, copies_inverse=0.0, v2=0.0, s2=limit.v2 + limit.s2)
