"""Double descent over noise copies and features: L_test over (m, ψ_p), its ridge along p = n m, in samples and limit.

Claims (Urfin et al. 2026; George et al. 2502.00336; equations.md T12, §9.5, §9.7): n samples with m frozen noises each
are n m noisy points. Where p features just interpolate them, p = n m, L_test has a peak, which more copies move to more
features: over the plane of m and ψ_p it is a ridge along a straight line. More copies help where p < n and harm where
p ≫ n m. Experiments/23 has the curves of the limit at ψ_n = 8; here is the plane at ψ_n = 4, every cell of it up to
m = 8 from samples too.

The end of the flow with γ = 1e-3, t = 0.1, tanh, isotropic data. Samples are compared with the limit cell by cell as in
experiments/50: at d = 25 and 50, the 1/d term taken away.

Two sweeps: the TOML files beside this one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from rfsim.claims import Claim, Judgment, Results, agreement, complete, decide, extrapolated
from rfsim.disk import store
from rfsim.reproduce import Cell, sweep_cell

FIGURES = {"copies-and-features": "Urfin et al. 2026, Figs. 3, 5, as a map: L_test over noise copies and features"}
SECONDS = {"quick": 13, "paper": 400}

SAMPLES, SAME, FINE = "samples", "limit", "limit-map"
ERRORS, RELATIVE = 3.0, 0.01  # of agreement in one cell, as in experiments/50


def cells(size: str) -> list[Cell]:
    ending = "" if size == "paper" else f"-{size}"
    files = {name: Path(__file__).with_name(f"53_copies_and_features{name}{ending}.toml") for name in ("", "-limit")}
    sampled = sweep_cell(SAMPLES, files[""])
    axes = {name: one for name, one in sampled.options["spec"]["axes"].items() if name not in ("dim", "seed")}
    return [sampled, sweep_cell(SAME, files["-limit"], axes=axes), sweep_cell(FINE, files["-limit"])]


def full(results: Results) -> bool:
    """The claims are made of d = 50 and more."""
    return bool(results[SAMPLES].dim.max() >= 50)


def samples_per_dim(results: Results) -> float:
    return float(store.settings(results[FINE])["problem"]["samples_per_dim"])


def loss(result: xr.Dataset) -> xr.DataArray:
    return result.test.squeeze("train_time", drop=True) if "train_time" in result.test.dims else result.test


def peaks(values: xr.DataArray) -> dict[float, float]:
    """m → ψ_p of the largest loss, of values over noise_copies and features_per_dim."""
    return {
        m: float(values.sel(noise_copies=m).idxmax("features_per_dim")) for m in values.noise_copies.values.tolist()
    }


def along_line(results: Results) -> Judgment:
    n = samples_per_dim(results)
    ratios = {m: p / (n * m) for m, p in peaks(loss(results[FINE])).items()}
    heights = {m: float(loss(results[FINE]).sel(noise_copies=m).max()) for m in ratios}
    words = ", ".join(f"{ratio:.3f} (m = {m:g}, {heights[m]:.2f})" for m, ratio in ratios.items())
    holds = all(abs(ratio - 1) < 0.1 for ratio in ratios.values())
    return Judgment(f"p/(n m) at the peak, and its L_test: {words}", None, decide(holds))


def along_line_in_samples(results: Results) -> Judgment:
    n = samples_per_dim(results)
    values = loss(results[SAMPLES]).isel(dim=-1)
    found = peaks(values.mean("seed"))
    each = [peaks(values.isel(seed=k)) for k in range(values.sizes["seed"])]
    agreeing = sum(one[m] == n * m for one in each for m in one)
    words = ", ".join(f"ψ_p = {p:g} for m = {m:g}" for m, p in found.items())
    holds = all(p == n * m for m, p in found.items())
    words = f"{words}; so in {agreeing} of {len(each) * len(found)} seeds and m"
    return Judgment(words, None, decide(holds, decidable=full(results)))


def agrees(results: Results) -> Judgment:
    found = agreement(extrapolated(loss(results[SAMPLES])), loss(results[SAME]), ERRORS, RELATIVE)
    near = np.abs(loss(results[SAMPLES]).isel(dim=-1).mean("seed") / loss(results[SAME]) - 1)
    words = (
        f"{found.words}; at d = {int(results[SAMPLES].dim.max())} itself {100 * float(near.median()):.1f}% in the "
        f"median, {100 * float(near.max()):.1f}% at most"
    )
    return Judgment(words, None, decide(found.share >= 0.95, decidable=full(results)))


def copies(results: Results) -> Judgment:
    values, n = loss(results[FINE]), samples_per_dim(results)
    few = values.sel(features_per_dim=values.features_per_dim <= n / 2)
    most = values.isel(features_per_dim=-1)
    falls, rises = bool((few.diff("noise_copies") < 0).all()), bool((most.diff("noise_copies") > 0).all())
    words = (
        f"up to ψ_p = n/2 L_test {'falls' if falls else 'does not always fall'} with m; at ψ_p = "
        f"{float(most.features_per_dim):g} it is {', '.join(f'{one:.2f}' for one in most.values)} for m = "
        f"{', '.join(f'{m:g}' for m in most.noise_copies.values)}"
    )
    return Judgment(words, None, decide(falls and rises))


CLAIMS = (
    Claim(
        "u26-map-peak",
        "over the plane of noise copies and features L_test has its peak along p = n m",
        "Urfin et al. 2026; equations.md §9.5",
        "p/(n m) of the largest L_test within 10% of 1 at every m = 1 … 32; as d → ∞",
        along_line,
    ),
    Claim(
        "u26-map-peak-samples",
        "so it has in samples",
        "Urfin et al. 2026; equations.md §9.5",
        "mean over seeds largest at p = n m, of the ψ_p sampled, at every m = 1 … 8 (d = 50)",
        along_line_in_samples,
    ),
    Claim(
        "ours-map-peak-agreement",
        "L_test of samples is that of the d → ∞ theory in every cell, at the peak too, the 1/d term taken away [ours]",
        "equations.md T8, T12",
        "2 L_test(d = 50) − L_test(d = 25) within 3 standard errors + 1% of the limit in 95% of cells",
        agrees,
        by_errors=True,
    ),
    Claim(
        "g26-map-copies",
        "more noise copies help where p < n and harm where p ≫ n m",
        "George et al. 2502.00336 (equations.md §9.7)",
        "L_test falls with m at every ψ_p ≤ ψ_n/2 and rises with m at the largest ψ_p, 1024; as d → ∞",
        copies,
    ),
    Claim(
        "ours-map-peak-complete",
        "every cell is computed [ours]",
        "a check of this experiment",
        "no cell unfinished",
        complete,
    ),
)
