"""Networks of frozen features with a read-out for each diffusion time (equations.md §1, §7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, namespace, pointwise_product

Function = Callable[[Numbers], Numbers]


class Network(NamedTuple):
    """Read-outs of frozen features over a grid of diffusion times: x ↦ M_k φ_k(x), φ_k(x) = σ(Wx/√d) − offset_k (§7).

    Attributes:
        weights: W, (features, dim).
        readouts: M_k, (grid, dim, features).
        offsets: What is taken off σ at each time, (grid,).
        times: Diffusion times, ascending, (grid,).
    """

    weights: Numbers  # W (features, dim)
    readouts: Numbers  # M_k (grid, dim, features)
    offsets: Numbers  # (grid,)
    times: NDArray[np.float64]  # (grid,) ascending


def features(weights: Numbers, x: Numbers, offset: Numbers | float, function: Function) -> Numbers:
    """Features φ(x) = function(Wx/√d) − offset (§1).

    Args:
        weights: W, (features, dim).
        x: Points, (rows, dim).
        offset: A number, the mean of σ at the diffusion time of x.
        function: σ, elementwise.

    Returns:
        φ, (rows, features).
    """
    blocks = _feature_blocks(weights, x, offset, function)
    if namespace(weights, x) is not np:
        return next(blocks)[1]
    found = np.empty((len(x), len(weights)))
    for here, phi in blocks:
        found[here] = phi
    return found


def _feature_blocks(
    weights: Numbers, x: Numbers, offset: Numbers | float, function: Function
) -> Iterator[tuple[slice, Numbers]]:
    """Features φ(x), some rows at a time where NumPy computes, as `pointwise_product` yields them."""
    return pointwise_product(function, x, (weights / math.sqrt(weights.shape[1])).T, offset)


def read_out(weights: Numbers, x: Numbers, offset: Numbers | float, function: Function, readouts: Numbers) -> Numbers:
    """φ(x)·Mᵀ, (rows, outputs), without all of φ at once where NumPy computes.

    Args:
        weights: W, (features, dim).
        x: Points, (rows, dim).
        offset: As `features` takes it.
        function: σ, elementwise.
        readouts: M, (outputs, features).

    Returns:
        The values.
    """
    blocks = _feature_blocks(weights, x, offset, function)
    if namespace(weights, x, readouts) is not np:
        return next(blocks)[1] @ readouts.T
    found = np.empty((len(x), len(readouts)))
    for here, phi in blocks:
        np.matmul(phi, readouts.T, out=found[here])
    return found


def readout(network: Network, k: int | Numbers, x: Numbers, function: Function) -> Numbers:
    """Read-out M_k φ_k(x) of one diffusion time (§7).

    Args:
        network: The read-outs.
        k: Index into the network's times; may be traced.
        x: Points, (rows, dim).
        function: σ, elementwise.

    Returns:
        The values, (rows, dim).
    """
    return read_out(network.weights, x, network.offsets[k], function, network.readouts[k])
