"""Arrays whose parts differ: L_gen that no memorization explains (equations.md §8).

The held-out rows of an array play the population. Where their covariance H is not the training rows' C, the gap
L_gen = L_test − L_train opens while gen is learned: of the linear score −C_t^{-1}x, which knows of the training points
their covariance alone, it is Δe^{−2t} Tr C_t^{-2}(H − C)/d with C_t = e^{−2t}C + Δ. The time at which L_gen reaches
half of its end then is one of that difference, and not τ_mem.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking import notes
from rfsim.learning import timescales
from rfsim.problem.data import split, stream
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.origins import Source
from rfsim.results.runs import Run

SPLITS = 16  # other parts of the same rows, by which the gap that sampling leaves is known
SHARE = 0.5  # of the gap, which is no sampling's


def linear_gap(
    training: NDArray[np.float64],
    held_out: NDArray[np.float64],
    diffusion_time: float,
    seen: NDArray[np.float64],
) -> float:
    """L_gen of the linear score of the training points' covariance, all (rows, dim).

    seen: of the training points, those beside which held_out stand.
    """
    rows, d = training.shape
    delta, shrink = noise_variance(diffusion_time), signal(diffusion_time) ** 2
    covariance = training.T @ training / rows
    difference = held_out.T @ held_out / len(held_out) - seen.T @ seen / len(seen)
    lam, basis = np.linalg.eigh(covariance)
    along = np.einsum("ij,ij->j", basis, difference @ basis)
    return float(delta * shrink * (along / (shrink * lam + delta) ** 2).sum() / d)


def differ(origin: Source, samples: int, seed: int, diffusion_time: float, of: int | None = None) -> bool:
    """Whether most of the linear gap between the parts of this seed is theirs, and not that of any two such parts.

    of: between the rows of this class, all others staying where they are.
    """
    assert origin.array is not None
    parts = origin.split(seed)
    seen, unseen, rest = parts.train[:samples], parts.held_out, parts.train[:0]
    pool = origin.array if origin.held_out is None else np.concatenate([origin.array, origin.held_out])
    if of is not None and origin.labels is not None:
        codes = split(origin.labels.codes, seed, origin.training)
        own = codes.train[:samples] == of
        seen, unseen, rest = seen[own], unseen[codes.held_out == of], seen[~own]
        pool = origin.array[origin.labels.codes == of]

    def gap(seen: NDArray[np.float64], unseen: NDArray[np.float64]) -> float:
        return linear_gap(np.concatenate([rest, seen]), unseen, diffusion_time, seen)

    here, draws, others = gap(seen, unseen), stream(seed, "split/others"), []
    for _ in range(SPLITS):
        order = draws.permutation(len(pool))
        others.append(gap(pool[order[: len(seen)]], pool[order[len(pool) - len(unseen) :]]))
    return here - float(np.median(others)) > SHARE * here > 0


def without_shifted_times(run: Run, data: xr.Dataset, ridge: float) -> xr.Dataset:
    """tau_mem by the curves is NaN where L_gen crosses before a direction of noise is learned, and the parts differ.

    So is tau_mem_class where they do in the rows of the class. Said, and noted in the variable's attribute `note`.
    Before: within the time 1/(κ(λ + γ)) of the upper edge λ of ρ_1, the first of the directions in which points are
    memorized.
    """
    if run.origin.array is None:  # a population is no part
        return data
    edge = timescales.largest_bulk_eigenvalue(run.constants, run.settings["samples_per_dim"], run.features_per_dim)
    first = 1 / (run.kappa * (edge + ridge))
    n, t = run.sizes.samples, run.problem.diffusion_time
    times = data.tau_mem.sel(mem_route="curve").values
    shifted = [
        bool(time < first) and differ(run.origin, n, int(seed), t)
        for seed, time in zip(data.seed.values, times, strict=True)
    ]
    if any(shifted):
        of = "tau_mem by the curves is undefined (NaN)"
        curve = (data.mem_route == "curve") & xr.DataArray(shifted, dims="seed")
        data = _without(data, "tau_mem", curve, f"{of} for {_seeds(data, shifted)}", "")
    if run.origin.labels is None:
        return data
    for k, name in enumerate(data["class"].values):
        times = data.tau_mem_class.isel({"class": k}).values
        shifted = [
            bool(time < first) and differ(run.origin, n, int(seed), t, k)
            for seed, time in zip(data.seed.values, times, strict=True)
        ]
        if any(shifted):
            of = f"tau_mem_class of class {name} is undefined (NaN) for {_seeds(data, shifted)}"
            where = (data["class"] == name) & xr.DataArray(shifted, dims="seed")
            data = _without(data, "tau_mem_class", where, of, " of the class")
    return data


def _seeds(data: xr.Dataset, shifted: list[bool]) -> str:
    return "seed " + ", ".join(str(seed) for seed, one in zip(data.seed.values, shifted, strict=True) if one)


def _without(data: xr.Dataset, name: str, where: xr.DataArray, told: str, of: str) -> xr.Dataset:
    """The variable NaN there, which is said and noted."""
    note = (
        f"{told}: the array's training and held-out rows{of} differ in their covariance, and L_gen shows that before "
        "anything is memorized"
    )
    notes.say(note)
    one = data[name]
    noted = "; ".join([*([one.attrs["note"]] if "note" in one.attrs else []), note])
    kept = one.where(~where).transpose(*one.dims).assign_attrs(one.attrs, note=noted)
    return data.assign({name: kept})
