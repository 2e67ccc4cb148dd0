"""The flow's filter as a sum of resolvents (equations.md D17): one at τ = ∞, fourteen at any other time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.learning.filters import flow, flow_decay

# e^y ≈ 2 Re Σ α/(y − θ) on y ≤ 0, absolute error 4e-14: best rational approximation of order 14 (Cody, Meinardus, Varga
# 1969; coefficients in the form of Carpenter, Ruttan, Varga 1984); one of each conjugate pair
THETA = np.array(
    [
        -8.8977731864688888 + 16.630982619902085j,
        -3.7032750494234481 + 13.656371871483268j,
        -0.20875863825013013 + 10.991260561901261j,
        3.9933697105785685 + 6.0048316422350373j,
        5.0893450605806246 + 3.5888240290270065j,
        5.6231425727459771 + 1.1940690463439670j,
        2.2697838292311127 + 8.4617379730402214j,
    ]
)
ALPHA = np.array(
    [
        -7.1542880635890673e-5 + 1.4361043349541300e-4j,
        9.4390253107361689e-3 - 1.7184791958483018e-2j,
        -3.7636003878226969e-1 + 3.3518347029450104e-1j,
        -2.3498232091082701e1 - 5.8083591297142074j,
        4.6933274488831293e1 + 4.5643649768827761e1j,
        -2.7875161940145647e1 - 1.0214733999056451e2j,
        4.8071120988325089 - 1.3209793837428724j,
    ]
)


class Nodes(NamedTuple):
    """Σ weights/(u − points), each (nodes,); real, or in conjugate pairs."""

    points: NDArray
    weights: NDArray


class Trained(NamedTuple):
    """Training by the flow to train_time τ > 0, at rate κ and ridge γ; γ = 0 only where nothing lies at 0."""

    time: float
    kappa: float
    ridge: float

    @property
    def ended(self) -> bool:
        """Whether τ = ∞: the minimizer."""
        return math.isinf(self.time)

    def filter(self, z: ArrayLike) -> NDArray[np.complex128]:
        """f(z) = (1 − e^{−κτ(z+γ)})/(z + γ) itself, of any shape."""
        return np.asarray(flow(self.time, self.kappa, self.ridge)(np.asarray(z)))

    def decay(self, z: ArrayLike) -> NDArray[np.complex128]:
        """e^{−κτ(z+γ)}, what is left of the start."""
        return np.asarray(flow_decay(self.time, self.kappa, self.ridge)(np.asarray(z)))

    @property
    def filter_nodes(self) -> Nodes:
        """The filter f as resolvents, to 2e-12 of itself for κτ(u + γ) from 1e-4 on."""
        if self.ended:
            return Nodes(np.array([-float(self.ridge)]), np.ones(1))
        theta, alpha = _pairs()
        return Nodes(self._points(theta), -alpha / theta)

    @property
    def decay_nodes(self) -> Nodes | None:
        """e^{−κτ(u+γ)} as resolvents, to 4e-14 of 1; None at τ = ∞, where nothing is left."""
        if self.ended:
            return None
        theta, alpha = _pairs()
        return Nodes(self._points(theta), -alpha / (self.kappa * self.time))

    def _points(self, theta: NDArray) -> NDArray:
        return -self.ridge - theta / (self.kappa * self.time)


def _pairs() -> tuple[NDArray, NDArray]:
    return np.concatenate([THETA, THETA.conj()]), np.concatenate([ALPHA, ALPHA.conj()])
