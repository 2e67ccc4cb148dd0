"""What a plain callable is, found by trying it: whether it is odd, and where it is not smooth."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.computing.precision import float64

Function: TypeAlias = Callable[[Array], Array]

# Chebyshev panels over [−40.01…, 40.4…]. A kink that meets an end of theirs would be missed, since both sides of it
# are smooth: no short number is an odd multiple of 2^−47
START, WIDTH, PANELS, NODES = -(round(40.0137591 * 2**47) | 1) / 2**47, 0.5, 161, 16
DERIVATIVES = 3  # a jump in a higher one leaves quadrature its digits
TAIL = 1e-11  # of the largest value: the last coefficients of a panel on which a function is smooth
NARROWEST = 1e-13  # panels that are no smoother than this are kinks
BATCH = 512  # panels of one program
MOST_PANELS = 16 * BATCH  # at once: more is no function with some kinks
MOST_KINKS = 200


class Probe(NamedTuple):
    """What was found by trying a function.

    Attributes:
        odd: Whether σ(−x) = −σ(x) to the last bit.
        kinks: Where σ or one of its first three derivatives jumps, ascending, to about 1e-13.
    """

    odd: bool
    kinks: tuple[float, ...]


def probe(function: Function) -> Probe:
    """Try a pointwise function from −40 to 40, in panels that are halved wherever it is not smooth.

    Where it has too many kinks, or what it does is narrower than a fiftieth and nowhere near a panel's nodes, none are
    found: the error of the constants says what that costs.
    """
    with float64(), np.errstate(all="ignore"):
        tried = _tried(function)
        left: NDArray = START + WIDTH * np.arange(PANELS)
        width = WIDTH
        scale, odd = np.zeros(DERIVATIVES + 1), True
        while True:
            tails, sizes, here = _tails(tried, left, width)
            scale, odd = np.maximum(scale, sizes), odd and here
            left = left[(tails > TAIL * scale).any(axis=1)]
            if 2 * left.size > MOST_PANELS:
                return Probe(odd, ())
            if not left.size or width <= NARROWEST:
                break
            width /= 2
            left = np.sort(np.concatenate([left, left + width]))
    found = _joined(left + width / 2, width)
    return Probe(odd, found if len(found) <= MOST_KINKS else ())


def _tried(function: Function) -> Function:
    """σ and its derivatives at points, and σ at their negatives, stacked and compiled."""

    def all_of(x: Array) -> Array:
        found, one = [function(-x)], function
        for _ in range(DERIVATIVES + 1):
            found.append(one(x))
            one = slope(one)
        return jnp.stack(found)

    return jax.jit(all_of)


def slope(function: Function) -> Function:
    """σ'."""
    return lambda x: jax.jvp(function, (x,), (jnp.ones_like(x),))[1]


def _tails(tried: Function, left: NDArray, width: float) -> tuple[NDArray, NDArray, bool]:
    """The last Chebyshev coefficients of σ and its derivatives on panels, (panels, derivatives).

    Beside them the largest values of each over all panels (derivatives,), and whether σ is odd there. 0 where a
    derivative is not finite, which then tells nothing.
    """
    angles = (np.arange(NODES) + 0.5) * np.pi / NODES
    last = np.cos(np.outer(np.arange(NODES - 3, NODES), angles)) * 2 / NODES
    tails, sizes, odd = np.zeros((left.size, DERIVATIVES + 1)), np.zeros(DERIVATIVES + 1), True
    for start in range(0, left.size, BATCH):
        here = left[start : start + BATCH]
        padded = np.pad(here, (0, BATCH - here.size), constant_values=START)
        nodes = padded[:, None] + width * (1 + np.cos(angles)) / 2
        found = np.asarray(tried(jnp.asarray(nodes)))[:, : here.size]
        negative, values = found[0], found[1:]
        odd = odd and np.array_equal(negative, -values[0])
        usable = np.asarray(np.isfinite(values).all(axis=2))
        values = np.where(usable[..., None], values, 0.0)
        tails[start : start + here.size] = np.abs(values @ last.T).max(axis=2).T
        sizes = np.maximum(sizes, np.abs(values).max(axis=(1, 2)))
    return tails, sizes, odd


def _joined(places: NDArray, width: float) -> tuple[float, ...]:
    """Panels side by side as one place, told as shortly as its error allows: 0.5, not 0.49999999999999994."""
    found = set()
    for group in np.split(places, np.flatnonzero(np.diff(places) > 64 * width) + 1) if places.size else []:
        middle, error = float(group.mean()), float(np.ptp(group)) + 2 * width
        short = (one for digits in range(13) if abs((one := round(middle, digits)) - middle) <= error)
        found.add(next(short, middle) + 0.0)  # without the sign of −0
    return tuple(sorted(found))
