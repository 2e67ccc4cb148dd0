"""What an activation is, and its values at points."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jax import Array

from rfsim.computing.arrays import pointwise


class Closed(NamedTuple):
    """Closed forms of an activation, where it has them (T9, T3).

    Attributes:
        mean: Γ² ↦ E σ(Γz).
        constants: signal_variance, noise_variance ↦ a, v² and s² of (T9).
        orders: η (features, centers), T (features,), (wanted, first), offset ↦ g_s (orders, features, centers), s from
            `first`, and E (σ − offset)² (features, centers) of the moments (T3); None: by quadrature.
    """

    mean: Callable[[float], float]
    constants: Callable[[float, float], tuple[float, float, float]]
    orders: Callable[[Array, Array, tuple[Array, Array], Array], tuple[Array, Array]] | None = None


class Activation(NamedTuple):
    """A pointwise nonlinearity σ(x) = function(x) − offset, and what is known of it (§2).

    A plain callable in place of an Activation is odd nowhere and has no kinks: smooth and centered as it is.

    Attributes:
        name: By which settings tell it.
        function: Of JAX arrays of any shape, written with jax.numpy.
        odd: Whether σ(−x) = −σ(x).
        self_centering: Whether its mean at each Γ is subtracted (`centered` sets the offset), where others must have
            E σ(Γz) = 0 as they are.
        kinks: Where it is not smooth, so that quadrature is split there.
        degrees: Those of a polynomial's monomials, which bound the rank of U; None for any other.
        closed: Closed forms, if any.
        offset: What is subtracted.
    """

    name: str
    function: Callable[[Array], Array]
    odd: bool = False
    self_centering: bool = False
    kinks: tuple[float, ...] = ()
    degrees: tuple[int, ...] | None = None
    closed: Closed | None = None
    offset: float = 0.0

    def __str__(self) -> str:
        """Its name: the text by which settings tell it."""
        return self.name


def evaluate(sigma: Activation, points: np.ndarray) -> np.ndarray:
    """Values of σ at points, in pieces of one size: a new shape would compile a new program for a few numbers (§2).

    Args:
        sigma: The activation.
        points: Of any shape.

    Returns:
        σ, of the shape of points.

    Raises:
        ValueError: Where σ is NaN or infinite.
    """
    values = pointwise(sigma.function, points)
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(
            f"activation {sigma.name!r} is {values[bad][0]:g} at {points[bad][0]:.4g}; it must be finite wherever the "
            f"features are evaluated, here from {points.min():.3g} to {points.max():.3g}"
        )
    return values - sigma.offset
