"""Activations by Hermite coefficients, σ = Σ c_s h_s with the orthonormal h_s = He_s/√s! (equations.md §4)."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.checking.scalars import real, whole
from rfsim.checking.text import number, shown
from rfsim.checking.text import whole as whole_text
from rfsim.checking.written import short
from rfsim.computing.numerics import log_share
from rfsim.problem.activations.base import Activation, Closed

PREFIX = "hermite:"
HIGHEST = 20  # order: beyond it a polynomial of typical pre-activations says little in float64
EXAMPLE = "hermite:1=1,4=0.2887"


@dataclass(frozen=True)
class Series:
    """Σ c_s h_s as a function, and its averages at every scale Γ.

    Attributes:
        terms: (s, c_s), ascending in s ≥ 1, no coefficient 0.
    """

    terms: tuple[tuple[int, float], ...]

    def __call__(self, x: Array) -> Array:
        """σ(x) by the recurrence of the h_s."""
        coefficients = dict(self.terms)
        before, here, total = jnp.zeros_like(x), jnp.ones_like(x), jnp.zeros_like(x)
        for s in range(self.terms[-1][0]):
            before, here = here, (x * here - math.sqrt(s) * before) / math.sqrt(s + 1)
            if s + 1 in coefficients:
                total = total + coefficients[s + 1] * here
        return total

    @property
    def degrees(self) -> tuple[int, ...]:
        """Those of its monomials."""
        return tuple(sorted({k for s, _ in self.terms for k in range(s, -1, -2)}))

    def at(self, gamma2: float, excess: float) -> NDArray[np.float64]:
        """c_j(Γ) = E h_j(z) σ(Γz) = Γ^j Σ_k c_{j+2k} √((j+2k)!/j!) (Γ² − 1)^k/(2^k k!), j = 0 … the degree.

        `excess` is Γ² − 1, which the caller may know without a difference.
        """
        found = np.zeros(self.terms[-1][0] + 1)
        for s, c in self.terms:
            for j in range(s % 2, s + 1, 2):
                k = (s - j) // 2
                size = math.sqrt(math.factorial(s) // math.factorial(j)) / (2**k * math.factorial(k))
                found[j] += c * size * excess**k * math.sqrt(gamma2) ** j
        return found

    def mean(self, gamma2: float) -> float:
        """E σ(Γz)."""
        return float(self.at(gamma2, gamma2 - 1.0)[0])

    def constants(self, signal: float, noise: float) -> tuple[float, float, float]:
        """The sums of (T9), which end."""
        excess = math.fsum([signal, noise, -1.0])
        if abs(excess) <= 4 * np.finfo(float).eps:  # the rounding of Δ, not a scale of data
            excess = 0.0
        gamma2 = signal + noise
        c = self.at(gamma2, excess)
        s, energy = np.arange(2, c.size), c[2:] ** 2
        log_x = log_share(signal, noise)
        return (
            float(c[1]) / math.sqrt(gamma2),
            float(energy @ np.exp(s * log_x)),
            float(-energy @ np.expm1(s * log_x)),
        )


def Hermite(coefficients: Mapping[int, float]) -> Activation:
    """The activation σ = Σ c_s h_s of orthonormal Hermite polynomials h_s = He_s/√s! (§4).

    At Γ = 1, where x_t has the variance 1 that isotropic data keep, c_s are its coefficients; at another Γ they mix, in
    closed form, and the mean that even orders have there is taken out.

    Args:
        coefficients: s ↦ c_s, orders from 1 to 20; those that are 0 are left out.

    Returns:
        The activation; settings tell it as `hermite:S=C,…`, which the command line and sweeps read.

    Raises:
        ValueError: In one line, for other orders, for coefficients that are not finite, or where none is left.

    >>> str(Hermite({1: 1, 4: 0.25}))
    'hermite:1=1,4=0.25'
    """
    terms = {}
    for given, value in coefficients.items():
        order, c = whole("an order of Hermite", given, 1, HIGHEST), real(f"Hermite's coefficient {given}", value)
        if not math.isfinite(c):
            raise ValueError(f"Hermite's coefficient of order {order} must be finite; got {c:g}")
        if c != 0:
            terms[order] = c
    if not terms:
        raise ValueError(f"Hermite needs one coefficient that is not 0, as Hermite({{1: 1}}) has; got {coefficients}")
    return _activation(tuple(sorted(terms.items())))


def written(name: str) -> bool:
    """Whether a text means coefficients: `hermite:…` that is no `module:attribute`.

    Args:
        name: Of an activation.

    Returns:
        Whether it does.
    """
    return name.startswith(PREFIX) and not name.removeprefix(PREFIX).isidentifier()


def from_text(text: str) -> Activation:
    """The activation of `hermite:S=C,…`.

    Args:
        text: Orders S and coefficients C, separated by commas.

    Returns:
        The activation.

    Raises:
        ValueError: In one line, for anything else.
    """
    found: dict[int, float] = {}
    for item in text.removeprefix(PREFIX).split(","):
        order, sign, value = item.partition("=")
        try:
            if not sign:
                raise ValueError("an order, =, and its coefficient are needed")
            s = whole_text(order.strip(), 1, HIGHEST)
            if s in found:
                raise ValueError(f"order {s} is given twice")
            found[s] = number(value)
        except ValueError as error:
            raise ValueError(
                f"activation {shown(text)} cannot be read at {shown(item)} ({error}); write it as {EXAMPLE}"
            ) from None
    return Hermite(found)


def briefly(text: str) -> str:
    """The text with coefficients to four digits, for titles.

    >>> briefly("hermite:1=1,4=0.28867513459481287")
    'hermite:1=1,4=0.2887'
    """
    items = (item.partition("=") for item in text.removeprefix(PREFIX).split(","))
    return PREFIX + ",".join(f"{order}={number(value):.4g}" for order, _, value in items)


@functools.lru_cache(maxsize=256)
def _activation(terms: tuple[tuple[int, float], ...]) -> Activation:
    series = Series(terms)
    odd = all(s % 2 for s, _ in terms)
    return Activation(
        PREFIX + ",".join(f"{s}={short(c)}" for s, c in terms),
        series,
        odd=odd,
        self_centering=not odd,
        degrees=series.degrees,
        closed=Closed(series.mean, series.constants),
    )
