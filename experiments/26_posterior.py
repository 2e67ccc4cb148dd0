"""Samples beside noise-free inputs: how far from the posterior the reverse process ends, over the features.

Claims (Kim & Lee 2026, arXiv 2610.11288, Fig. 4, the reverse process at d_x = 64; known to us by name, not by its text,
so that what is measured is ours): as for a denoised x, beyond p = n the error of the mean (ME) falls while the variance
given y (PV) falls below the posterior's: overfitting is malign.

Here (equations.md C4): tanh, ψ_n = 2, γ = 1e-5, as many inputs as directions, each of which tells one; at each of 21
diffusion times the ridge minimizer, from N(0, I) at T = 3 down to ε = 0.02 by DDIM; fresh inputs, several samples of
each.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Condition, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"posterior": "Kim & Lee 2026, Fig. 4: errors of generated mean and variance against the features"}
SECONDS = {"quick": 35, "paper": 500}

RATIOS = (4.0, 16.0, 64.0)  # signal to noise
SAMPLES, RIDGE = 2.0, 1e-5
DIM = {"quick": 16, "paper": 64}
FEATURES = {"quick": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0), "paper": (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)}
SEEDS = {"quick": 2, "paper": 2}
ASKED = {"quick": {"inputs": 32, "generated": 16}, "paper": {"inputs": 64, "generated": 32}}


def cells(size: str) -> list[Cell]:
    found = []
    for ratio in RATIOS:
        for psi_p in FEATURES[size]:
            problem = Problem(samples_per_dim=SAMPLES, features_per_dim=psi_p, ridge=RIDGE, data=Condition(ratio, 1.0))
            asked = {"train_times": [math.inf], "dim": DIM[size], "seeds": SEEDS[size]} | ASKED[size]
            found.append(Cell(f"snr-{ratio:g}-{psi_p:g}", "posterior", problem, asked))
    return found


def over_features(results: Results, ratio: float) -> dict[float, xr.Dataset]:
    """Means over seeds by ψ_p, ascending."""
    begin = f"snr-{ratio:g}-"
    found = {float(name.removeprefix(begin)): one for name, one in results.items() if name.startswith(begin)}
    return {psi_p: found[psi_p].isel(train_time=0).mean("seed") for psi_p in sorted(found)}


def curve(results: Results, ratio: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """ψ_p and a variable there."""
    found = over_features(results, ratio)
    return np.array(list(found)), np.array([float(one[name]) for one in found.values()])


def mean_falls(results: Results) -> Judgment:
    """ME from p = n on."""
    told, good = [], []
    for ratio in RATIOS:
        psi_p, error = curve(results, ratio, "mean_error")
        late = error[psi_p >= SAMPLES]
        good.append(late[-1] < 0.5 * late[0])
        told.append(f"SNR {ratio:g}: {late[0]:.3g} at p = n, {late[-1]:.3g} at ψ_p = {psi_p[-1]:g}")
    return Judgment(f"ME, {'; '.join(told)}", None, decide(all(good)))


def of_the_posteriors(results: Results, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """ψ_p, and PV over the posterior's there."""
    psi_p, variance = curve(results, ratio, "predictive_variance")
    return psi_p, variance / curve(results, ratio, "true_predictive_variance")[1]


def variance_below(results: Results) -> Judgment:
    """PV over the posterior's beyond p = n."""
    told, good = [], []
    for ratio in RATIOS:
        psi_p, share = of_the_posteriors(results, ratio)
        late = share[psi_p > SAMPLES]
        good.append(bool(np.all(late < 1)) and bool(np.all(np.diff(late) < 0)))
        below = psi_p[share < 1]
        where = f"below 1 from ψ_p = {below[0]:g}" if below.size else "nowhere below 1"
        told.append(f"SNR {ratio:g}: {share[psi_p >= SAMPLES][0]:.3g} at p = n, {share[-1]:.3g} last, {where}")
    return Judgment(f"PV over the posterior's: {'; '.join(told)}", None, decide(all(good)))


def variance_falls(results: Results) -> Judgment:
    """PV over the posterior's at the most features, and whether it falls with them."""
    told, good = [], []
    for ratio in RATIOS:
        psi_p, share = of_the_posteriors(results, ratio)
        good.append(bool(np.all(np.diff(share[psi_p >= SAMPLES]) < 0)) and share[-1] < 1)
        told.append(f"SNR {ratio:g}: {share[-1]:.3g}")
    return Judgment(f"PV over the posterior's at the most features: {'; '.join(told)}", None, decide(all(good)))


def too_sure(results: Results) -> Judgment:
    """PV over the distance of the mean from x_ε at the most features."""
    told, good = [], []
    for ratio in RATIOS:
        share = curve(results, ratio, "calibration")[1]
        good.append(share[-1] < 0.9)
        told.append(f"SNR {ratio:g}: {share[-1]:.3g}")
    return Judgment(
        f"PV over the mean's distance from x_ε, at the most features: {'; '.join(told)}", None, decide(all(good))
    )


def not_the_steps(results: Results) -> Judgment:
    """What the true score leaves in the same steps."""
    told, good = [], []
    for ratio in RATIOS:
        one = next(iter(over_features(results, ratio).values()))
        share = float(one.steps_predictive_variance / one.true_predictive_variance)
        error = float(one.steps_mean_error)
        good.append(share > 0.9 and error < 2e-3)
        told.append(f"SNR {ratio:g}: PV {share:.3g} of the posterior's, ME {error:.2g}")
    return Judgment(f"the true score in the same steps, {'; '.join(told)}", None, decide(all(good)))


SOURCE = "Kim & Lee 2026, Fig. 4 (equations.md C4)"
CLAIMS = (
    Claim(
        "kim26-generated-mean-falls",
        "the error of the generated mean given the inputs falls beyond p = n",
        SOURCE,
        "at every SNR: ME at the most features below half of that at p = n",
        mean_falls,
    ),
    Claim(
        "kim26-generated-variance-below",
        "beyond p = n the variance of samples given the inputs is below the posterior's",
        SOURCE,
        "at every SNR and all ψ_p > ψ_n that are drawn: PV below the posterior's, and falling",
        variance_below,
    ),
    Claim(
        "ours-generated-variance-falls",
        "with enough features the variance of samples given the inputs falls below the posterior's",
        "equations.md C4",
        "at every SNR: PV falls with every ψ_p from ψ_n on, and is below the posterior's at the most features",
        variance_falls,
    ),
    Claim(
        "ours-generated-too-sure",
        "with enough features samples are too sure: they vary less than their mean is off",
        "equations.md C4",
        "at every SNR, at the most features: PV below 0.9 of the distance of the mean given y from x_ε",
        too_sure,
    ),
    Claim(
        "ours-generated-not-the-steps",
        "neither is what the steps of the sampler leave",
        "equations.md C4",
        "the true score in the same steps: PV above 0.9 of the posterior's, ME below 0.002",
        not_the_steps,
    ),
)
