"""Sweeps of the stored form without a computation, for what reads them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim.disk import store

STATUS = {"flag_values": [0, 1, 2, 3], "flag_meanings": "waiting done unconverged failed"}
LONG = {
    "samples_per_dim": "samples per dimension ψ_n",
    "features_per_dim": "features per dimension ψ_p",
    "train_time": "training time τ",
    "noise_copies": "noise copies m",
    "seed": "seed",
    "ridge": "ridge γ",
    "activation": "activation σ",
}


def gap(psi_n, psi_p, tau):
    """Smooth, positive, over decades, and falling with ψ_n: shaped like L_gen."""
    return 3 * tau / (tau + 40 * psi_n * (1 + psi_n / psi_p)) / (1 + psi_n / psi_p) / (1 + 0.05 * psi_n)


def coordinate(name, values, dims=None):
    return (name if dims is None else dims, values, {"long_name": LONG.get(name, name), "units": "1"})


def labelled(data, command="train", axes=(), problem=None, **tables):
    """`data` as a stored sweep: status, reason, residual, seconds over its cell dimensions, and settings."""
    cell = [dim for dim in axes if dim in data.dims and dim not in ("train_time", "ridge")]
    shape = [data.sizes[dim] for dim in cell]
    marks = {
        "status": (cell, np.ones(shape, np.int8), STATUS),
        "reason": (cell, np.full(shape, "", dtype=object)),
        "residual": (cell, np.full(shape, 1e-15), {"long_name": "of the decomposition"}),
        "seconds": (cell, np.full(shape, 0.1)),
    }
    settings = {"command": command, "problem": problem or {}, **tables}
    settings["axes"] = {
        {"train_time": "train_times"}.get(name, name): data[name].values.tolist()
        for name in axes
        if name in data.coords
    }
    return store.label(data.assign(marks), "sweep", settings, wall_time=1.0)


def sampled(psi_n=5, psi_p=4, times=(1e3, 1e4), seeds=3, noise=0.1):
    """train over (ψ_n, ψ_p, seed) with train_times in one run, two parts, routes of τ_mem."""
    x, y = np.geomspace(1, 64, psi_n), np.geomspace(1, 64, psi_p)
    tau = np.array(times)
    rng = np.random.default_rng(0)
    dims = ("samples_per_dim", "features_per_dim", "seed", "train_time")
    grid = np.broadcast_to(gap(x[:, None, None, None], y[:, None, None], tau), (x.size, y.size, seeds, tau.size))
    gen = grid * np.exp(noise * rng.standard_normal(grid.shape[:-1]))[..., None]
    memory = np.broadcast_to((40 * x)[:, None, None, None] * [1.0, 2.0], (x.size, y.size, seeds, 2))
    data = xr.Dataset(
        {
            "gen": (dims, gen, {"long_name": "L_gen", "units": "1"}),
            "test": (dims, gen + 0.1, {"long_name": "L_test", "units": "1"}),
            "energy": ((*dims[:3], "part", "train_time"), np.stack([gen, 2 * gen], axis=3), {"long_name": "energy"}),
            "tau_mem": ((*dims[:3], "mem_route"), memory.copy(), {"long_name": "τ_mem", "units": "1"}),
            "eigenvalue": ((*dims[:3], "feature"), np.ones((x.size, y.size, seeds, 70)), {"long_name": "eigenvalue λ"}),
        },
        coords={
            "samples_per_dim": coordinate("samples_per_dim", x),
            "features_per_dim": coordinate("features_per_dim", y),
            "seed": coordinate("seed", np.arange(seeds)),
            "train_time": coordinate("train_time", tau),
            "part": ["main", "gen"],
            "mem_route": ["formula", "curve"],
        },
    )
    return labelled(data, axes=dims, problem={"dim": 50, "diffusion_time": 0.1})


def theory(psi_n=9, psi_p=8, times=(1e3, 1e4)):
    """theory.curves over the same plane."""
    return labelled(
        sampled(psi_n, psi_p, times, 1, 0.0).isel(seed=0, drop=True)[["gen", "tau_mem"]],
        "theory.curves",
        ("samples_per_dim", "features_per_dim", "train_time"),
        {"diffusion_time": 0.1},
    )


def marked(data, states):
    """`data` with cells that are not done: states maps a status to the indices of cells, a tuple per cell."""
    data = data.copy(deep=True)
    cell = data.status.dims
    for status, places in states.items():
        for place in places:
            here = dict(zip(cell, place, strict=False))
            data.status[here] = status
            data.reason[here] = "" if status == 0 else "ValueError: no such thing"
            for name in data.data_vars:
                if name not in ("status", "reason", "seconds"):
                    data[name][here] = np.nan
    return data
