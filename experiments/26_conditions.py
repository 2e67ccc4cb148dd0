"""Noise-free inputs beside x_t: what more features do to the denoised mean and to its variance.

Claims (Kim & Lee 2026, arXiv 2610.11288, Figs 2 and 3, known to us by formulas and not by their text): beyond p = n the
error of the mean (ME) falls, while the predictive variance (PV) falls below the true denoiser's: overfitting is malign.
L_train falls with the signal-to-noise ratio of the inputs; as ψ_p → ∞ it and PV go to 0.

Here (equations.md §13): tanh, t = 0.01, ψ_n = 32, γ = 1e-5, as many inputs as directions, each of which tells one; the
ridge minimizer in the limit, and in samples of two sizes where a decomposition is small enough.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Condition, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"conditions": "Kim & Lee 2026, Figs 2 and 3: errors of mean and variance against the features"}
SECONDS = {"quick": 12, "paper": 300}

RATIOS = (4.0, 16.0, 64.0)  # signal to noise
SAMPLES, DIFFUSION_TIME, RIDGE = 32, 0.01, 1e-5
DRAWN = {"quick": 41, "paper": 121}
FEATURES = (0.25, 1e5)  # ends of ψ_p
SAMPLED_AT = {"quick": (16.0,), "paper": RATIOS}
SAMPLED = {  # d → ψ_p; beyond p = n a sample of d = 24 is not yet within 1/d of the limit, and one of 48 is large
    "quick": {8: (8.0, 32.0), 16: (8.0, 32.0)},
    "paper": {24: (2.0, 8.0, 32.0, 64.0), 48: (2.0, 8.0, 32.0)},
}
SEEDS = 4


def problem(ratio: float, features_per_dim: float | None = None) -> Problem:
    own = {} if features_per_dim is None else {"features_per_dim": features_per_dim}
    data = Condition(ratio, 1.0)
    return Problem(samples_per_dim=SAMPLES, diffusion_time=DIFFUSION_TIME, ridge=RIDGE, data=data, **own)


def cells(size: str) -> list[Cell]:
    grid = np.unique([*np.geomspace(*FEATURES, DRAWN[size]), *SAMPLED["paper"][24]]).tolist()
    return [
        *(Cell(f"limit-{r:g}", "theory.conditions", problem(r), {"feature_ratios": grid}) for r in RATIOS),
        *(
            Cell(
                f"snr-{r:g}-dim-{d}-{p:g}",
                "train",
                problem(r, p),
                {"train_times": [math.inf], "dim": d, "seeds": SEEDS},
            )
            for r in SAMPLED_AT[size]
            for d, several in SAMPLED[size].items()
            for p in several
        ),
    ]


def limits(results: Results) -> dict[float, xr.Dataset]:
    """By signal-to-noise ratio."""
    return {r: results[f"limit-{r:g}"] for r in RATIOS}


def samples(results: Results, ratio: float) -> dict[int, dict[float, xr.Dataset]]:
    """The samples of a ratio, by d and ψ_p."""
    found: dict[int, dict[float, xr.Dataset]] = {}
    for name, one in results.items():
        if name.startswith(begin := f"snr-{ratio:g}-dim-"):
            d, p = name.removeprefix(begin).split("-")
            found.setdefault(int(d), {})[float(p)] = one.isel(train_time=0)
    return {d: dict(sorted(found[d].items())) for d in sorted(found)}


def beyond(one: xr.Dataset) -> xr.Dataset:
    """Where there are more features than samples."""
    return one.sel(feature_ratio=one.feature_ratio >= SAMPLES)


def mean_falls(results: Results) -> Judgment:
    """ME over its peak at the most features, and where it peaks."""
    told, good = [], []
    for r, one in limits(results).items():
        error = one.mean_error
        peak = float(one.feature_ratio[int(error.values.argmax())])
        share = float(error[-1] / error.max())
        late = beyond(one).mean_error.sel(feature_ratio=slice(peak, None)).values
        good.append(SAMPLES / 2 <= peak <= 2 * SAMPLES and bool(np.all(np.diff(late) < 0)) and share < 0.5)
        told.append(f"SNR {r:g}: peak at ψ_p = {peak:.3g}, at the most features {share:.3g} of it")
    return Judgment(f"ME, {'; '.join(told)}", None, decide(all(good)))


def variance_below(results: Results) -> Judgment:
    """PV over the true denoiser's beyond p = n."""
    found = {r: beyond(one).predictive_variance / one.true_predictive_variance for r, one in limits(results).items()}
    told = "; ".join(f"SNR {r:g}: {float(one[0]):.3g} at p = n, {float(one[-1]):.2g} last" for r, one in found.items())
    good = all(bool((one < 1).all()) and bool(np.all(np.diff(one.values) < 0)) for one in found.values())
    return Judgment(f"PV over the true denoiser's: {told}", None, decide(good))


def train_by_ratio(results: Results) -> Judgment:
    """L_train at every ψ_p, by signal-to-noise ratio."""
    train = np.stack([one.train.values for one in limits(results).values()])
    falls = np.all(np.diff(train, axis=0) < 0, axis=0)
    at = limits(results)[RATIOS[0]].feature_ratio.values
    n = int(np.argmin(np.abs(at - SAMPLES)))
    told = ", ".join(f"{one:.3g}" for one in train[:, n])
    where = "everywhere" if falls.all() else f"not at ψ_p = {', '.join(f'{one:.3g}' for one in at[~falls])}"
    return Judgment(f"L_train at p = n: {told}; falls with SNR {where}", None, decide(bool(falls.all())))


def vanishing(results: Results) -> Judgment:
    """L_train and PV at the most features, and the powers of ψ_p with which they fall there."""
    told, good = [], []
    for r, one in limits(results).items():
        late = one.sel(feature_ratio=slice(1e4, None))
        for name, word in (("train", "L_train"), ("predictive_variance", "PV")):
            power = float(np.polyfit(np.log(late.feature_ratio), np.log(late[name]), 1)[0])
            good.append(float(late[name][-1]) < 1e-3 and abs(power + 1) < 0.2)
            told.append(f"SNR {r:g}: {word} {float(late[name][-1]):.2g}, power {power:.2f}")
    return Judgment("; ".join(told), None, decide(all(good)))


def _gaps(results: Results, ratio: float, name: str) -> np.ndarray:
    """Relative gaps from the limit at both d, at the ψ_p of both, (2, ψ_p)."""
    found, limit = samples(results, ratio), limits(results)[ratio][name]
    both = sorted(set.intersection(*(set(one) for one in found.values())))
    means = np.array([[float(one[p][name].mean("seed")) for p in both] for one in found.values()])
    return means / limit.sel(feature_ratio=both, method="nearest").values - 1


def approached(results: Results) -> Judgment:
    """Root mean square relative gaps of samples from the limit over ψ_p, at both sizes, and their exponent."""
    told, good, ratios = [], [], [r for r in RATIOS if samples(results, r)]
    dims = list(samples(results, ratios[0]))
    for name, word in (("mean_error", "ME"), ("predictive_variance", "PV"), ("train", "L_train")):
        gaps = np.array([_gaps(results, r, name) for r in ratios])
        near, far = np.sqrt((gaps**2).mean(axis=(0, 2)))[::-1]
        exponent = math.log(near / far) / math.log(dims[1] / dims[0])
        told.append(f"{word} {far:.3f} and {near:.3f}, exponent {exponent:.2f}")
        good.append(abs(exponent + 1) < 0.5)
    return Judgment(f"relative gaps at d = {dims[0]} and {dims[1]}: {'; '.join(told)}", None, decide(all(good)))


SOURCE = "Kim & Lee 2026, Figs 2 and 3 (equations.md §13)"
CLAIMS = (
    Claim(
        "kim26-mean-falls",
        "the error of the mean given the inputs falls beyond p = n",
        SOURCE,
        "in the limit, at every SNR: ME peaks between ψ_n/2 and 2ψ_n, falls from there on, to less than half",
        mean_falls,
    ),
    Claim(
        "kim26-variance-below",
        "beyond p = n the predictive variance falls below the true denoiser's: overfitting is malign",
        SOURCE,
        "in the limit, at every SNR and all ψ_p ≥ ψ_n: PV below that of the true denoiser, and falling",
        variance_below,
    ),
    Claim(
        "kim26-train-falls-with-snr",
        "the training loss falls with the signal-to-noise ratio of the inputs",
        SOURCE,
        "in the limit, at every ψ_p that is drawn",
        train_by_ratio,
    ),
    Claim(
        "kim26-many-features",
        "with many features the training loss and the predictive variance go to 0",
        SOURCE,
        "in the limit, at every SNR: both below 1e-3 at ψ_p = 1e5, and falling as ψ_p to a power within 0.2 of −1",
        vanishing,
    ),
    Claim(
        "ours-conditions-limit",
        "ME, PV and L_train of samples approach their limit as 1/d",
        "equations.md §13",
        "exponents of root mean square relative gaps over what is sampled, of means of four seeds, within 0.5 of −1",
        approached,
    ),
)
