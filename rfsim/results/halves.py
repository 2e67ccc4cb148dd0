"""Arrays whose halves differ: L_gen that no memorization explains (equations.md §8).

The held-out half of an array plays the population. Where its covariance H is not the training half's C, the gap
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
from rfsim.results.runs import Run

SPLITS = 16  # other halves of the same array, by which the gap that sampling leaves is known
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


def differ(array: NDArray[np.float64], samples: int, seed: int, diffusion_time: float) -> bool:
    """Whether most of the linear gap between the halves of this seed is theirs, and not that of any two halves."""
    halves = split(array, seed)
    gap = linear_gap(halves.train[:samples], halves.held_out, diffusion_time)
    draws, half = stream(seed, "split/others"), len(array) // 2
    others = []
    for _ in range(SPLITS):
        order = draws.permutation(len(array))
        others.append(linear_gap(array[order[:samples]], array[order[half:]], diffusion_time))
    return gap - float(np.median(others)) > SHARE * gap > 0


def without_shifted_times(run: Run, data: xr.Dataset, ridge: float) -> xr.Dataset:
    """tau_mem by the curves is NaN where L_gen crosses before a direction of noise is learned, and the halves differ.

    Said, and noted in the variable's attribute `note`. Before: within the time 1/(κ(λ + γ)) of the upper edge λ of
    ρ_1, the first of the directions in which points are memorized.
    """
    array = run.origin.array
    if array is None:  # a population is no half
        return data
    edge = timescales.largest_bulk_eigenvalue(run.constants, run.settings["samples_per_dim"], run.features_per_dim)
    first = 1 / (run.kappa * (edge + ridge))
    times = data.tau_mem.sel(mem_route="curve").values
    shifted = [
        bool(time < first) and differ(array, run.sizes.samples, int(seed), run.problem.diffusion_time)
        for seed, time in zip(data.seed.values, times, strict=True)
    ]
    if not any(shifted):
        return data
    seeds = ", ".join(str(seed) for seed, one in zip(data.seed.values, shifted, strict=True) if one)
    note = (
        f"tau_mem by the curves is undefined (NaN) for seed {seeds}: the array's training and held-out half differ in "
        "their covariance, and L_gen shows that before anything is memorized"
    )
    notes.say(note)
    curve = (data.mem_route == "curve") & xr.DataArray(shifted, dims="seed")
    kept = data.tau_mem.where(~curve).transpose(*data.tau_mem.dims).assign_attrs(data.tau_mem.attrs, note=note)
    return data.assign(tau_mem=kept)
