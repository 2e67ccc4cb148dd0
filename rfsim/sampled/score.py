"""`rfsim.score`: the score of a stored training as a function, for a sampler of one's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_float64
from rfsim.disk import store
from rfsim.problem.activations import Activation, evaluate, runs_code
from rfsim.problem.activations import read as read_activation

READOUT, FEATURES, OFFSET = "readout", "weights", "offset"
DIMS = {"seed", "component", "neuron"}  # of a read-out; what else there is chooses one


@dataclass(frozen=True, eq=False)
class Score:
    """s(x) = Ā σ(Wx/√d) of one read-out at one diffusion time (equations.md §1).

    Attributes:
        readout: Ā, (dim, features).
        weights: W, (features, dim).
        sigma: σ, centered as in training.
        diffusion_time: t at which it was trained.
    """

    readout: NDArray[np.float64]
    weights: NDArray[np.float64]
    sigma: Activation
    diffusion_time: float

    @in_float64
    def __call__(self, x: ArrayLike) -> NDArray[np.float64]:
        """The score at points x_t, in units of the prepared data.

        Args:
            x: (rows, dim), or one point (dim,).

        Returns:
            s(x), of the shape of x.

        Raises:
            ValueError: For points of another dimension.
        """
        points = np.asarray(x, dtype=np.float64)
        dim = self.weights.shape[1]
        if points.ndim not in (1, 2) or points.shape[-1] != dim:
            raise ValueError(f"the score takes points (rows, {dim}); got shape {points.shape}")
        phi = evaluate(self.sigma, points @ (self.weights.T / math.sqrt(dim)))
        return phi @ self.readout.T


def score(result: xr.Dataset | str | Path, *, activation: Any = None, seed: int | None = None, **at: float) -> Score:
    """The score function of a training that kept its read-outs (`keep_weights`), as something to call.

    s(x) = Ā σ(Wx/√d) at the result's diffusion_time (equations.md §1, T7), in units of the data as they were prepared:
    those of an array centered and scaled as the settings say.

    Args:
        result: Of `rfsim.train` or `rfsim.simulate` with keep_weights, or a file of one.
        activation: σ, where the result was computed by one of another process or module; nothing is imported because a
            file says so.
        seed: The draw, the first unless given.
        **at: Where there are several, the train_time and the ridge; the last train_time unless given.

    Returns:
        The score, a function of points (rows, dim) or (dim,).

    Raises:
        ValueError: For a result without read-outs, for values that are not there, and for an unknown activation.

    >>> import rfsim
    >>> result = rfsim.train(rfsim.Problem(2, 4), [10.0, 1e3], dim=4, keep_weights=True)
    >>> s = rfsim.score(result, train_time=1e3)
    >>> s([0.1, -0.2, 0.3, 0.4]).shape
    (4,)
    """
    data = store.load(Path(result)) if isinstance(result, str | Path) else result
    if READOUT not in data:
        raise ValueError("the result has no read-outs: train or simulate with keep_weights (--keep-weights)")
    settings = store.settings(data)
    chosen: dict[str, float | None] = {"seed": int(data.seed[0]) if seed is None else seed}
    for dim in data[READOUT].dims:
        if dim not in DIMS:
            chosen[str(dim)] = at.pop(str(dim), float(data[dim][-1]) if dim == "train_time" else None)
    if at:
        raise ValueError(f"the result's read-outs have no {', '.join(at)}; they have {', '.join(chosen)}")
    for dim, value in chosen.items():
        there = data[dim].values
        if value is None or value not in there:
            listed = ", ".join(f"{one:g}" for one in there[:8]) + ", …" * (len(there) > 8)
            raise ValueError(f"{dim} must be one of {listed}; got {value}")
    one = data[[READOUT, FEATURES, OFFSET]].sel(chosen)
    sigma = _activation(settings["activation"], activation)._replace(offset=float(one[OFFSET]))
    readout = one[READOUT].transpose("component", "neuron").values
    weights = one[FEATURES].transpose("neuron", "component").values
    return Score(readout, weights, sigma, float(settings["diffusion_time"]))


def _activation(name: str, given: Any) -> Activation:
    """σ as given, or by the name that the result has for it."""
    if given is not None:
        return read_activation(given)
    if runs_code(name):
        raise ValueError(f"activation {name!r} is not imported because a result says so: give it as activation")
    return read_activation(name)
