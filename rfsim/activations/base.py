"""What an activation is, and its values at points."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

PIECE = 16384


class Closed(NamedTuple):
    """Closed forms of an activation, where it has them.

    mean(Γ²): E σ(Γz). constants(signal_variance, noise_variance): a, v² and s² of (T9).
    orders(η, T, (wanted, first), offset): g_s (orders, features, centers) and E (σ − offset)² (features, centers) of
    the moments (equations.md T3) for η (features, centers), T (features,), s from `first`; None: by quadrature.
    """

    mean: Callable[[float], float]
    constants: Callable[[float, float], tuple[float, float, float]]
    orders: Callable[[Array, Array, tuple[Array, Array], Array], tuple[Array, Array]] | None = None


class Activation(NamedTuple):
    """A pointwise nonlinearity σ(x) = function(x) − offset, and what is known of it.

    function: of JAX arrays of any shape, written with jax.numpy; odd: σ(−x) = −σ(x); self_centering: its mean at each
    Γ is subtracted (`centered` sets the offset), where others must have E σ(Γz) = 0 as they are; kinks: where it is
    not smooth, so that quadrature is split there; degrees: those of a polynomial's monomials, which bound the rank of
    U. A plain callable in place of an Activation is none of these: smooth and centered as it is.
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
    """σ at points of any shape, in pieces of one size: a new shape would compile a new program for a few numbers.

    Raises ValueError where σ is NaN or infinite.
    """
    flat = np.ravel(points)
    padded = np.zeros((-(-flat.size // PIECE), PIECE))
    padded.ravel()[: flat.size] = flat
    values = np.concatenate([np.asarray(sigma.function(jnp.asarray(piece))) for piece in padded])[: flat.size]
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(
            f"activation {sigma.name!r} is {values[bad][0]:g} at {flat[bad][0]:.4g}; it must be finite wherever the "
            f"features are evaluated, here from {flat.min():.3g} to {flat.max():.3g}"
        )
    return values.reshape(points.shape) - sigma.offset
