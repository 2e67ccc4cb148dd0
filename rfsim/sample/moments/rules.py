"""How g_s(i,ν) = E h_s(u) σ(η_iν + T_i u) and E σ² are computed for a block of features and centers (T3).

On one grid for a smooth σ, on panels that end at σ's kinks, or by σ's closed form. Each rule has a `kernel`, compiled
into the loop over blocks and hashable so that equal rules share a program, and `window(first, orders)`, the arrays that
pick orders first…first+orders−1; the first of these arrays has one row per order computed. What is compiled takes a
window `filled` up: runs that need 9 to 12 orders, or 33 to 48, share one program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from rfsim.computing.arrays import PIECE, Numbers, pointwise
from rfsim.computing.numerics import HermiteRule, hermite_step
from rfsim.problem.activations import Activation
from rfsim.problem.activations.base import Closed

REACH = 12.0
SCAN_ARRAYS = 6  # of one block's size that the panels' loop over orders holds
TILE = 32, 16  # features and centers that a kernel with a loop over orders takes at once on the host

Kernel = Callable[[Numbers, Numbers, Any, Numbers], tuple[Numbers, Numbers]]


class HostRule(Protocol):
    """How g_s and E σ² of NumPy's arrays are computed."""

    @property
    def host(self) -> Kernel:
        """From η (features, centers), T (features,), window and offset: g_s (orders, features, centers) and E σ².

        Arrays of any size, without a program for each size.
        """
        ...

    @property
    def doubles(self) -> int:
        """Held per feature and center meanwhile."""
        ...

    def window(self, first: int, orders: int) -> tuple[Any, ...]:
        """What the kernel takes for orders from `first` on."""
        ...


class Rule(HostRule, Protocol):
    """How g_s and E σ² are computed, compiled too."""

    @property
    def kernel(self) -> Kernel:
        """As `host`, of JAX's arrays, and of as many orders as a `filled` window has."""
        ...


class _OnGrid(NamedTuple):
    """For arrays of NumPy and of JAX."""

    function: Callable[[Array], Array]

    def __call__(self, eta: Array, deviation: Array, window: Any, offset: Array) -> tuple[Array, Array]:
        weights, nodes, square_weights = window
        values = pointwise(self.function, eta[..., None] + deviation[:, None, None] * nodes) - offset
        values = values.reshape(-1, nodes.size)
        return (weights @ values.T).reshape(-1, *eta.shape), (values**2 @ square_weights).reshape(eta.shape)


class _InPieces(NamedTuple):
    """`_OnGrid` of NumPy's arrays, as many pre-activations at once as stay in the cache."""

    function: Callable[[Array], Array]

    def __call__(
        self, eta: NDArray[np.float64], deviation: NDArray[np.float64], window: Any, offset: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        weights, nodes, square_weights = window
        flat, spread = eta.reshape(-1), np.repeat(deviation, eta.shape[1])
        g, square = np.empty((len(weights), flat.size)), np.empty(flat.size)
        pairs = max(PIECE // nodes.size, 1)
        for lo in range(0, flat.size, pairs):
            here = slice(lo, lo + pairs)
            points = np.multiply.outer(spread[here], nodes)
            points += flat[here, None]
            values = pointwise(self.function, points)
            values -= offset
            np.matmul(weights, values.T, out=g[:, here])
            values *= values
            np.matmul(values, square_weights, out=square[here])
        return g.reshape(-1, *eta.shape), square.reshape(eta.shape)


class _Tiled(NamedTuple):
    """A compiled kernel on tiles of one size, those at the edges filled up with features and centers of zeros."""

    kernel: Kernel

    def __call__(
        self, eta: NDArray[np.float64], deviation: NDArray[np.float64], window: Any, offset: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        (features, centers), orders, window = eta.shape, len(window[0]), filled(window)
        g, square = np.empty((orders, features, centers)), np.empty((features, centers))
        for i in range(0, features, TILE[0]):
            spread = np.zeros(TILE[0])
            spread[: features - i] = deviation[i : i + TILE[0]]
            for j in range(0, centers, TILE[1]):
                part = eta[i : i + TILE[0], j : j + TILE[1]]
                whole = np.zeros(TILE)
                whole[: part.shape[0], : part.shape[1]] = part
                found = _averages(whole, spread, window, offset, self.kernel)
                where = slice(i, i + TILE[0]), slice(j, j + TILE[1])
                rows, columns = part.shape
                g[:, *where] = np.asarray(found[0])[:orders, :rows, :columns]
                square[where] = np.asarray(found[1])[:rows, :columns]
        return g, square


@partial(jax.jit, static_argnames=("kernel",))
def _averages(eta: Array, deviation: Array, window: Any, offset: Array, kernel: Kernel) -> tuple[Array, Array]:
    return kernel(eta, deviation, window, offset)


class GridRule(NamedTuple):
    """One trapezoid rule for all pre-activations."""

    function: Callable[[Array], Array]
    rule: HermiteRule

    @property
    def kernel(self) -> Kernel:
        """As `Rule` has it."""
        return _OnGrid(self.function)

    @property
    def host(self) -> Kernel:
        """As `Rule` has it."""
        return _InPieces(self.function)

    @property
    def doubles(self) -> int:
        """As `Rule` has it."""
        return self.rule.nodes.size

    def window(self, first: int, orders: int) -> tuple[Any, ...]:
        """As `Rule` has it."""
        return self.rule.weights[first : first + orders], self.rule.nodes, self.rule.weights[0]


class _OnPanels(NamedTuple):
    function: Callable[[Array], Array]

    def __call__(self, eta: Array, deviation: Array, window: Any, offset: Array) -> tuple[Array, Array]:
        wanted, first, kinks, x, w = window
        spread = jnp.where(deviation > 0, deviation, 1.0)[:, None, None]  # rows of padding have none
        cuts = jnp.clip((kinks - eta[..., None]) / spread, -REACH, REACH)
        end = jnp.full((*eta.shape, 1), REACH)
        edges = jnp.concatenate([-end, cuts, end], axis=-1)
        half, middle = jnp.diff(edges)[..., None] / 2, ((edges[..., 1:] + edges[..., :-1]) / 2)[..., None]
        shape = (*eta.shape, -1)
        u = (middle + half * x).reshape(shape)
        root = jnp.exp(-(u**2) / 4) / (2 * jnp.pi) ** 0.25
        weighted = root * (self.function(eta[..., None] + spread * u) - offset)
        weight = (half * w).reshape(shape)
        square = (weight * weighted**2).sum(-1)
        weighted = weight * weighted

        def order(state, s):
            before, row = state
            return (row, hermite_step(u, s, before, row)), (row * weighted).sum(-1)

        start = jnp.zeros_like(root), root
        start = lax.fori_loop(0, first, lambda s, state: order(state, s * 1.0)[0], start)
        _, g = lax.scan(order, start, 1.0 * (first + jnp.arange(wanted.shape[0])))
        return g * wanted[:, None, None], square


class PanelRule(NamedTuple):
    """Gauss–Legendre panels in u between the kinks, `per_panel` nodes each: a rule of its own per pre-activation.

    room: places for nodes, those beyond `per_panel` without weight, so that rules of many counts share one program.
    """

    function: Callable[[Array], Array]
    kinks: tuple[float, ...]
    per_panel: int
    room: int = 0

    @property
    def kernel(self) -> Kernel:
        """As `Rule` has it."""
        return _OnPanels(self.function)

    @property
    def host(self) -> Kernel:
        """As `Rule` has it."""
        return _Tiled(self.kernel)

    @property
    def doubles(self) -> int:
        """As `Rule` has it."""
        return SCAN_ARRAYS * self.per_panel * (len(self.kinks) + 1)

    def window(self, first: int, orders: int) -> tuple[Any, ...]:
        """As `Rule` has it."""
        x, w = (
            np.pad(v, (0, max(self.room - self.per_panel, 0))) for v in np.polynomial.legendre.leggauss(self.per_panel)
        )
        return *_counted(first, orders), np.asarray(self.kinks, dtype=np.float64), x, w


class ClosedRule(NamedTuple):
    """σ's own closed form of g_s."""

    orders: Kernel
    doubles: int = 8

    @property
    def kernel(self) -> Kernel:
        """As `Rule` has it."""
        return self.orders

    @property
    def host(self) -> Kernel:
        """As `Rule` has it."""
        return _Tiled(self.kernel)

    def window(self, first: int, orders: int) -> tuple[Any, ...]:
        """As `Rule` has it."""
        return _counted(first, orders)


def without_grid(sigma: Activation, per_panel: int) -> PanelRule | ClosedRule | None:
    """σ's rule where it needs no grid: closed form, or panels of `per_panel` nodes where it has kinks."""
    if isinstance(sigma.closed, Closed) and sigma.closed.orders is not None:
        return ClosedRule(sigma.closed.orders)
    return PanelRule(sigma.function, sigma.kinks, per_panel) if sigma.kinks else None


def _counted(first: int, orders: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return np.ones(orders), np.asarray(first)


def filled(window: tuple[Any, ...]) -> tuple[Any, ...]:
    """A rule's window with rows of zeros up to a rounded number of orders."""
    wanted, *others = window
    extra = rounded(len(wanted)) - len(wanted)
    return np.pad(wanted, [(0, extra)] + [(0, 0)] * (wanted.ndim - 1)), *others


def rounded(orders: int) -> int:
    """The number of orders that a compiled kernel computes where this many are asked for."""
    step = 4 if orders <= 16 else 16
    return -(-orders // step) * step
