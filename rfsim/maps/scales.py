"""Which axes and values of a sweep are logarithmic, where the cells of a grid end, and levels worth a line."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

WIDE = 1.5  # decades from which on a positive quantity is shown as a logarithm


def logarithmic(values: ArrayLike) -> bool:
    """Whether an axis is a log axis: positive numbers in geometric progression, as two are, or over a decade and more;
    0 and inf, which stand beside such an axis, aside.

    >>> logarithmic([1, 2, 4]), logarithmic([0, 0.1, 1, 20]), logarithmic([1, 2, 3]), logarithmic(["tanh", "erf"])
    (True, True, False, False)
    >>> logarithmic([2, 3]), logarithmic([0, 3])
    (True, False)
    """
    found = np.asarray(values)
    if found.dtype.kind not in "fiu":
        return False
    finite = np.sort(found[np.isfinite(found) & (found != 0)].astype(float))
    if finite.size < 2 or finite[0] <= 0:
        return False
    ratios = finite[1:] / finite[:-1]
    geometric = np.ptp(ratios) <= 1e-6 * ratios[0]
    return bool(geometric or finite[-1] >= 10 * finite[0])


def wide(values: ArrayLike) -> bool:
    """Whether a quantity is shown as a logarithm: nowhere negative and over more than 1.5 decades; 0 and inf aside."""
    found = np.asarray(values, dtype=float)
    finite = found[np.isfinite(found)]
    positive = finite[finite > 0]
    return bool(positive.size and finite.min() >= 0 and positive.max() > 10**WIDE * positive.min())


def edges(centers: ArrayLike, *, log: bool) -> NDArray[np.float64]:
    """The (cells + 1,) ends of cells around increasing `centers`: half way between, geometrically where log.

    >>> edges([1, 10], log=True).round(3).tolist(), edges([1, 2], log=False).tolist()
    ([0.316, 3.162, 31.623], [0.5, 1.5, 2.5])
    """
    at = np.asarray(centers, dtype=float)
    at = np.log(at) if log else at
    if at.size == 1:
        half = math.log(2) / 2 if log else 0.5
        ends = at[0] + np.array([-half, half])
    else:
        middle = (at[1:] + at[:-1]) / 2
        ends = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(ends) if log else ends


def along(at: ArrayLike, axis: ArrayLike, values: ArrayLike, *, log: bool) -> NDArray[np.float64]:
    """`values` along `axis` (increasing, the same shape) at other points, straight on beyond the ends; log: in both."""
    x, y, to = (np.asarray(one, dtype=float) for one in (axis, values, at))
    if log:
        x, y, to = np.log(x), np.log(y), np.log(to)
    found = np.interp(to, x, y)
    if x.size > 1:
        for outside, a, b in ((to < x[0], 0, 1), (to > x[-1], -2, -1)):
            found = np.where(outside, y[a] + (to - x[a]) * (y[b] - y[a]) / (x[b] - x[a]), found)
    return np.exp(found) if log else found


def levels(values: ArrayLike, *, log: bool) -> list[float]:
    """A few round levels inside the range of the finite `values`.

    >>> levels([0.02, 30.0], log=True), levels([0.0, 1.0], log=False)
    ([0.1, 1.0, 10.0], [0.2, 0.4, 0.6, 0.8])
    """
    found = np.asarray(values, dtype=float)
    found = found[np.isfinite(found) & ((found > 0) | (not log))]
    if not found.size or found.min() == found.max():
        return []
    low, high = float(found.min()), float(found.max())
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        steps = (1.0, 3.0) if high < 100 * low else (1.0,)
        every = max(1, (last - first) // 6)
        grid = [float(f"{digit * 10.0**k:.1g}") for k in range(first, last + 1, every) for digit in steps]
        return [one for one in grid if low < one < high]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda digit: abs(digit - rough / power))
    return [float(f"{step * k:.12g}") for k in range(math.floor(low / step), math.ceil(high / step) + 1)
            if low < step * k < high]  # fmt: skip
