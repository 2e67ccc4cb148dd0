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
from rfsim.problem.data import stream
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.realization import Source
from rfsim.results.runs import Run

SPLITS = 16  # other parts of the same rows, by which the gap that sampling leaves is known
SHARE = 0.5  # of the gap, which is no sampling's


def linear_gap(training: NDArray[np.float64], held_out: NDArray[np.float64], diffusion_time: float) -> float:
    """L_gen of the linear score of the training points' covariance; both (rows, dim)."""
    rows, d = training.shape
    delta, shrink = noise_variance(diffusion_time), signal(diffusion_time) ** 2
    covariance = training.T @ training / rows
    difference = held_out.T @ held_out / len(held_out) - covariance
    lam, basis = np.linalg.eigh(covariance)
    along = np.einsum("ij,ij->j", basis, difference @ basis)
    return float(delta * shrink * (along / (shrink * lam + delta) ** 2).sum() / d)


def differ(origin: Source, samples: int, seed: int, diffusion_time: float) -> bool:
    """Whether most of the linear gap between the parts of this seed is theirs, and not that of any two such parts."""
    parts = origin.split(seed)
    gap = linear_gap(parts.train[:samples], parts.held_out, diffusion_time)
    assert origin.array is not None
    pool = origin.array if origin.held_out is None else np.concatenate([origin.array, origin.held_out])
    draws, others = stream(seed, "split/others"), []
    for _ in range(SPLITS):
        order = draws.permutation(len(pool))
        others.append(linear_gap(pool[order[:samples]], pool[order[origin.training :]], diffusion_time))
    return gap - float(np.median(others)) > SHARE * gap > 0


def without_shifted_times(run: Run, data: xr.Dataset, ridge: float) -> xr.Dataset:
    """tau_mem by the curves is NaN where L_gen crosses before a direction of noise is learned, and the parts differ.

    Said, and noted in the variable's attribute `note`. Before: within the time 1/(κ(λ + γ)) of the upper edge λ of
    ρ_1, the first of the directions in which points are memorized.
    """
    if run.origin.array is None:  # a population is no part
        return data
    edge = timescales.largest_bulk_eigenvalue(run.constants, run.settings["samples_per_dim"], run.features_per_dim)
    first = 1 / (run.kappa * (edge + ridge))
    times = data.tau_mem.sel(mem_route="curve").values
    shifted = [
        bool(time < first) and differ(run.origin, run.sizes.samples, int(seed), run.problem.diffusion_time)
        for seed, time in zip(data.seed.values, times, strict=True)
    ]
    if not any(shifted):
        return data
    seeds = ", ".join(str(seed) for seed, one in zip(data.seed.values, shifted, strict=True) if one)
    note = (
        f"tau_mem by the curves is undefined (NaN) for seed {seeds}: the array's training and held-out rows differ in "
        "their covariance, and L_gen shows that before anything is memorized"
    )
    notes.say(note)
    curve = (data.mem_route == "curve") & xr.DataArray(shifted, dims="seed")
    kept = data.tau_mem.where(~curve).transpose(*data.tau_mem.dims).assign_attrs(data.tau_mem.attrs, note=note)
    return data.assign(tau_mem=kept)
