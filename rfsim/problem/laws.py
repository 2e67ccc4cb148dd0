"""Laws of data and of x_t: points, mixtures and classes of Gaussians, and their exact scores (equations.md §1, §12)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.numerics import hermite_rule

REACH = 40.0  # e-foldings beyond which a density is left out: less than float64's rounding


class Law(NamedTuple):
    """A balanced mixture of Gaussians that share one diagonal covariance (§1).

    A sampled data set is the law with its points as centers and no variance; N(0, diag(l)) has one center at 0; both
    diffuse by the same rule.

    Attributes:
        centers: μ, (components, dim), all of equal weight.
        variances: l along each coordinate, (dim,), ≥ 0.
    """

    centers: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def power(self) -> float:
        """σ_x² = E‖x‖²/d, dimensionless (§1)."""
        return float(self.variances.mean() + (self.centers**2).mean(axis=0).mean())

    @property
    def gaussian(self) -> NDArray[np.float64] | None:
        """Of one Gaussian around 0, whose flow is linear, that by coordinate, (dim,); None for any other law."""
        one = len(self.centers) == 1 and not self.centers.any() and bool(self.variances.any())
        return self.variances if one else None

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of x, (dim,)."""
        return self.centers.mean(axis=0)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Of x, (dim, dim)."""
        spread = self.centers - self.mean
        return np.diag(self.variances) + spread.T @ spread / len(spread)

    @property
    def second(self) -> NDArray[np.float64]:
        """E xxᵀ, (dim, dim)."""
        return np.diag(self.variances) + self.centers.T @ self.centers / len(self.centers)

    @property
    def isotropic(self) -> bool:
        """Whether it is one Gaussian of one variance in all directions."""
        return len(self.centers) == 1 and np.ptp(self.variances) == 0

    def in_turn(self, first: int, count: int) -> NDArray[np.int64]:
        """The components of `count` draws that are taken in order, from number `first` on."""
        return np.arange(first, first + count) % len(self.centers)

    def at_random(self, generator: np.random.Generator, count: int) -> NDArray[np.int64]:
        """The components of independent draws."""
        return generator.integers(len(self.centers), size=count)

    def points(self, components: NDArray[np.int64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draws x of these components, made of standard normal values, both (draws, dim) but for the components."""
        return normal * np.sqrt(self.variances) + self.centers[components]


class ClassLaw(NamedTuple):
    """Gaussian classes, each with its share, its own mean and its own diagonal covariance (§12).

    Attributes:
        shares: π_c, (classes,), positive, adding up to 1.
        variances: l of each class along each coordinate, (classes, dim), ≥ 0.
        centers: μ of each class, (classes, dim).
    """

    shares: NDArray[np.float64]
    variances: NDArray[np.float64]
    centers: NDArray[np.float64]

    @property
    def laws(self) -> list[Law]:
        """Each class by itself."""
        return [Law(center[None], one) for center, one in zip(self.centers, self.variances, strict=True)]

    @property
    def powers(self) -> NDArray[np.float64]:
        """σ_c² = E‖x‖²/d of each class, (classes,) (§12)."""
        return self.variances.mean(axis=1) + (self.centers**2).mean(axis=1)

    @property
    def power(self) -> float:
        """σ_x² = E‖x‖²/d, dimensionless (§1)."""
        return float(self.shares @ self.powers)

    @property
    def gaussian(self) -> NDArray[np.float64] | None:
        """The variances (dim,) of classes that are one Gaussian around 0, whose flow is linear; None for any others."""
        one = not (np.ptp(self.variances, axis=0).any() or self.centers.any()) and bool(self.variances.any())
        return self.variances[0] if one else None

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of x, (dim,)."""
        return self.shares @ self.centers

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Of x, (dim, dim)."""
        spread = self.centers - self.mean
        return np.diag(self.shares @ self.variances) + (self.shares * spread.T) @ spread

    @property
    def second(self) -> NDArray[np.float64]:
        """E xxᵀ, (dim, dim)."""
        return np.diag(self.shares @ self.variances) + (self.shares * self.centers.T) @ self.centers

    @property
    def isotropic(self) -> bool:
        """Whether it is one Gaussian around 0 of one variance in all directions."""
        return np.ptp(self.variances) == 0 and not self.centers.any()

    def in_turn(self, first: int, count: int) -> NDArray[np.int64]:
        """The classes of `count` draws that are taken in order, from number `first` on.

        Draw k of class c comes at time (k + ½)/π_c, so that any number of draws in a row has the classes' shares to
        within a draw or so, and a larger sample begins with the smaller one.
        """
        upto = first + count
        # the first `upto` of all are over by the time upto + classes: rounding to whole draws costs half of one each
        most = np.ceil((upto + len(self.shares)) * self.shares).astype(int) + 1
        classes = np.repeat(np.arange(len(self.shares)), most)
        arrivals = np.concatenate([(np.arange(k) + 0.5) / share for k, share in zip(most, self.shares, strict=True)])
        return classes[np.argsort(arrivals, kind="stable")][first:upto]

    def at_random(self, generator: np.random.Generator, count: int) -> NDArray[np.int64]:
        """The classes of independent draws."""
        return generator.choice(len(self.shares), size=count, p=self.shares)

    def points(self, components: NDArray[np.int64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Draws x of these classes, made of standard normal values, both (draws, dim) but for the classes."""
        return normal * np.sqrt(self.variances)[components] + self.centers[components]


AnyLaw = Law | ClassLaw


def score(law: AnyLaw, x: ArrayLike) -> NDArray[np.float64]:
    """Exact score ∇ log P of a law: Σ_c w_c(x) (μ_c − x)/l_c, w the components' shares at x (§1, §12).

    Of equal shares and one covariance the softmax of −dist²/2, of classes that of ln π_c − ½Σ(ln l_c + (x−μ_c)²/l_c).

    Args:
        law: The law, with positive variances l; diffuse a data set first.
        x: Points, (rows, dim). Memory grows with rows × components.

    Returns:
        The score at each point, (rows, dim).

    Raises:
        ValueError: For a law without variance along some direction.
    """
    if np.any(law.variances <= 0):
        raise ValueError("a law without variance along some direction has no score; diffuse it first")
    from scipy.special import softmax  # slow to load, and the law of one quantity's points alone

    if isinstance(law, ClassLaw):
        x, inverse = np.asarray(x, dtype=np.float64), 1 / law.variances
        along = law.centers * inverse
        sizes = np.log(law.shares) - (np.log(law.variances) + law.centers * along).sum(axis=1) / 2
        shares = softmax(sizes + x @ along.T - x**2 @ inverse.T / 2, axis=1)
        return shares @ along - (shares @ inverse) * x
    x, middle = np.asarray(x, dtype=np.float64), law.centers.mean(axis=0)
    centers = (law.centers - middle) / law.variances
    # differences of squared distances: what the components share drops out of the softmax
    shares = softmax((x - middle) @ centers.T - (centers * (law.centers - middle)).sum(axis=1) / 2, axis=1)
    return (shares @ law.centers - x) / law.variances


def score_power(law: AnyLaw) -> float | None:
    """Fisher information per dimension of a law, (1/d) E‖∇ log P‖², the constant in the identity under (T2).

    For N(0, Σ_t) it is Tr Σ_t^{−1}/d. For two components along one axis it is a one-dimensional integral: with whitened
    half-distance h, E(−u_x + h tanh(h x))² over x = h + u. Of isotropic classes it is one over the radius (§12).

    Args:
        law: The law of x_t.

    Returns:
        The information per dimension; None for more than two components, two that differ along more than one
        coordinate, classes that are not isotropic around 0, or a law without variance along some direction.
    """
    if np.any(law.variances <= 0):
        return None
    if isinstance(law, ClassLaw):
        if law.gaussian is not None:
            return float((1 / law.variances[0]).mean())
        return None if np.ptp(law.variances, axis=1).any() or law.centers.any() else _class_power(law)
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


def _class_power(law: ClassLaw) -> float:
    """(1/d) E r² g(r)² with g = Σ_c w_c(r)/l_c, over u = ln(r/√(d l_c)) of each class in turn.

    Its density is e^{d(u − e^{2u}/2)} but for a factor, and the trapezoid rule is exact to rounding where that falls to
    e^{−REACH} at both ends.
    """
    dim, reach = law.variances.shape[1], math.sqrt(REACH / law.variances.shape[1])
    u = np.linspace(-reach - reach**2, reach, 2001)
    density = np.exp(dim * (u - np.expm1(2 * u) / 2))
    density /= density.sum()
    variances, total = law.variances[:, 0], 0.0
    for share, own in zip(law.shares, variances, strict=True):
        squares = dim * own * np.exp(2 * u)[:, None]  # r²
        exponents = np.log(law.shares) - dim / 2 * np.log(variances) - squares / (2 * variances)
        weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
        inverse = weights @ (1 / variances) / weights.sum(axis=1)
        total += share * float(density @ (squares[:, 0] * inverse**2)) / dim
    return total
