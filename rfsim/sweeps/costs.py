"""What a group costs before it is computed: decompositions, bytes, lengths of dimensions; from parameters alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.jackknife import GROUPS
from rfsim.distillation.methods import INTEGRATED
from rfsim.distillation.sampling import step_counts
from rfsim.distillation.targets import read_draws
from rfsim.problem import origins, populations
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import Quantity
from rfsim.quantities.density import DENSITY
from rfsim.quantities.distill import DISTILL
from rfsim.quantities.posterior import POSTERIOR
from rfsim.quantities.simulate import SIMULATE
from rfsim.results import runs
from rfsim.sample.spectra import Method
from rfsim.sampled import density, distill_memory, spectrum, train
from rfsim.simulation import options
from rfsim.simulation.stochastic import recorded_steps

Parameters: TypeAlias = Mapping[str, Any]


class GroupSizes(NamedTuple):
    """d, n, p and m, numbers or arrays that broadcast."""

    dim: Any
    samples: Any
    features: Any
    copies: Any


def sizes(values: Parameters) -> GroupSizes:
    """Of a problem's parameters, with the defaults of those not given; dim as data of an array have it."""
    d = values.get("dim")
    if d is None:
        d = _dim(str(values.get("data", Problem.data)))
    n, p = (
        np.round(np.asarray(values.get(name, getattr(Problem, name)), dtype=float) * d)
        for name in ("samples_per_dim", "features_per_dim")
    )
    return GroupSizes(d, n, p, values.get("noise_copies", Problem.noise_copies))


@cache
def _dim(spec: str) -> int:
    found = populations.read(spec).rows()
    return origins.DIM if found is None else found.values.shape[1]


Formula = Callable[[Parameters, Any], NDArray[np.float64]]


def vectorized(formula: Formula, lists: Sequence[str] = (), words: Sequence[str] = ()) -> Callable[..., NDArray]:
    """A formula of parameters, of which numbers may be arrays (groups,), for texts that are arrays too.

    lists: parameters that are lists, and so no arrays of groups; words: numbers that the formula takes one at a time.
    """

    @wraps(formula)
    def bytes_of(values: Parameters, cells: Any = 1) -> NDArray[np.float64]:
        arrays = {
            name: np.asarray(value)
            for name, value in (*values.items(), ("cells", cells))
            if name not in lists and np.ndim(value) == 1
        }
        if not arrays:
            return np.asarray(formula(values, cells))
        size = len(next(iter(arrays.values())))
        split = {name: one for name, one in arrays.items() if one.dtype.kind not in "iuf" or name in words}
        codes = np.zeros(size, dtype=np.int64)
        for one in split.values():
            _, code = np.unique(one if one.dtype.kind in "iuf" else one.astype(str), return_inverse=True)
            _, codes = np.unique(codes * (code.max() + 1) + code, return_inverse=True)
        found = np.empty(size)
        for code in range(codes.max() + 1):
            here = np.flatnonzero(codes == code)
            chosen = {name: one[here[0]] if name in split else one[here] for name, one in arrays.items()}
            chosen = {name: one.item() if isinstance(one, np.generic) else one for name, one in chosen.items()}
            found[here] = formula({**values, **chosen}, chosen.get("cells", cells))
        return found

    return bytes_of


def value(quantity: Quantity, values: Parameters, name: str) -> Any:
    """Of a parameter, by its default where it is not given."""
    return values.get(name, quantity.defaults[name])


# --- decompositions of U, over all seeds --------------------------------------------------------------------------


def spectra(values: Parameters) -> int:
    """One for each seed, and one for each of its Monte Carlo replicates."""
    draws = _method(values).draws
    return values.get("seeds", 1) * (1 if draws is None else 1 + min(GROUPS, draws))


def simulations(values: Parameters) -> int:
    """One for each seed where the filter's losses are wanted."""
    return values.get("seeds", 1) if values.get("exact", True) else 0


def distillations(values: Parameters) -> int:
    """For each seed the exact U at every time of the grid, of the student's features too where it has its own, and at
    every level the sampled U of half of the draws and of all of them."""
    levels, found = _levels(values), sizes(values)
    own = _student_features(values, found) != found.features
    return values.get("seeds", 1) * _halves(values) * ((levels + 1) * (1 + int(own)) + 2 * levels)


def ladders(values: Parameters) -> int:
    """For each seed the exact U at every time of the grid."""
    return values.get("seeds", 1) * (value(POSTERIOR, values, "levels") + 1)


def none(values: Parameters) -> int:
    """U is only multiplied, or there is none."""
    return 0


# --- bytes at the peak --------------------------------------------------------------------------------------------


def train_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    copies = train.TRAIN_COPIES + bool(values.get("fresh_noise", False))
    return runs.needed_bytes(*sizes(values), method=_method(values), copies=copies)


def spectrum_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    return runs.needed_bytes(*sizes(values), method=_method(values), copies=spectrum.SPECTRUM_COPIES)


def density_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    given = {name: value(DENSITY, values, name) for name in ("model", "probes", "steps")}
    return density.needed_bytes(*sizes(values), **given)


def simulation_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    """NaN where noise and batch do not go together: such a group computes nothing."""
    found = sizes(values)
    given = {name: values[name] for name in ("batch", "noise", "precision") if name in values}
    try:
        setting = options.setting(Problem(noise_copies=found.copies), **given)
    except ValueError:
        return np.full(np.broadcast_shapes(*(np.shape(one) for one in found)), np.nan)
    return options.needed_bytes(*found, setting=setting, exact=values.get("exact", True))


def distillation_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    found, models = sizes(values), np.asarray(cells) * len(value(DISTILL, values, "distill_times"))
    method = np.asarray(value(DISTILL, values, "method"))
    several = {kind.replace("-", "_"): models * (method == kind) for kind in distill_memory.FURTHER}
    own = _student_features(values, found)
    several |= {"integrated": models * np.isin(method, INTEGRATED), "draws": _draws(values, own)}
    return distill_memory.needed_bytes(
        found.dim,
        found.features,
        own,
        levels=_levels(values),
        models=models,
        generated=value(DISTILL, values, "generated"),
        halves=_halves(values),
        **several,
    )


def posterior_bytes(values: Parameters, cells: Any) -> NDArray[np.float64]:
    """Features of an array's inputs are read with its points; those of a population are known by its text."""
    found, data = sizes(values), populations.read(str(values.get("data", Problem.data)))
    beside = data.inputs(int(found.dim)) if isinstance(data, populations.Condition) else found.dim
    counts = {name: value(POSTERIOR, values, name) for name in ("inputs", "generated", "levels")}
    return distill_memory.needed_bytes(
        found.dim + beside,
        found.features,
        found.features,
        levels=counts["levels"],
        models=len(value(POSTERIOR, values, "train_times")),
        generated=counts["inputs"] * counts["generated"],
        kept=False,
    )


def _halves(values: Parameters) -> int:
    """Training sets that are distilled for each seed."""
    return 1 + bool(value(DISTILL, values, "split_pair"))


def nothing_large(values: Parameters, cells: Any) -> NDArray[np.float64]:
    """The limit holds no large matrices."""
    return np.zeros(np.broadcast_shapes(*(np.shape(one) for one in sizes(values))))


# --- lengths of dimensions ----------------------------------------------------------------------------------------


def features(values: Parameters) -> dict[str, int]:
    return {"feature": int(sizes(values).features)} if _method(values).labels else {}


def probes(values: Parameters) -> dict[str, int]:
    count, steps = (value(DENSITY, values, name) for name in ("probes", "steps"))
    return {"probe": count, "step": min(steps, int(sizes(values).features))}


def stops(values: Parameters) -> dict[str, int]:
    return {"step": len(recorded_steps(value(SIMULATE, values, "steps")))}


def levels(values: Parameters) -> dict[str, int]:
    found, count = sizes(values), _levels(values)
    own = {"level": count, "grid": count + 1, "steps": len(step_counts(count))}
    own["feature"] = int(_student_features(values, found))
    if samples := values.get("samples", 0):
        own |= {"sample": samples, "coordinate": found.dim, "point": int(found.samples)}
    return own


def fixed(values: Parameters) -> dict[str, int]:
    """The same whatever the parameters."""
    return {}


def _method(values: Parameters) -> Method:
    return Method(**{name: values[name] for name in ("model", "route", "moments") if name in values})


def _levels(values: Parameters) -> Any:
    return value(DISTILL, values, "levels")


def _draws(values: Parameters, features: Any) -> NDArray[np.float64]:
    """Per level, of so many features; NaN where a text says none."""

    def count(text: str, p: float) -> float:
        try:
            return float(np.round(read_draws(text).asked(p)))
        except ValueError:
            return np.nan

    return np.vectorize(count, otypes=[float])(np.asarray(value(DISTILL, values, "draws"), dtype=object), features)


def _student_features(values: Parameters, found: GroupSizes) -> Any:
    own = values.get("student_features_per_dim")
    if own is None:
        return found.features
    same = np.asarray(own) == values.get("features_per_dim", Problem.features_per_dim)
    return np.where(same, found.features, np.round(np.asarray(own, dtype=float) * found.dim))
