"""Double descent of the ridge minimizer in the number of features, and whether overfitting is benign.

Claims (Urfin et al. 2026; equations.md T12, §9.5): the minimizer of the training loss with a small ridge, on n samples
with m frozen noises each, has its worst test loss where the p features just interpolate the n m noisy points, p = n m;
it starts to rise near p = n; and what is left as p → ∞ is benign, below the minimum before the peak, at m = 1 alone.
At small diffusion times t that plateau grows as 1/t, bias² as t^{−2}; at t = 1 a ridge only harms.

Here: the d → ∞ equations over whole grids of p, with p = ∞ by their own limit (`theory.wide`), and beside them sampled
tanh features with Gaussian data at finite d. ψ_n = 8, t = 0.1, γ = 1e-3 unless told otherwise. L_train is the loss on
the frozen noises (dashed: with the ridge's penalty, the papers' L_train), L_emp that on the same samples with fresh
noise, L_test that on fresh samples.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {
    "u26-fig3": "Urfin et al. 2026, Fig. 3",
    "u26-fig4": "Urfin et al. 2026, Fig. 4",
    "u26-fig5": "Urfin et al. 2026, Fig. 5",
    "u26-fig6": "Urfin et al. 2026, Figs. 6 and 14",
    "u26-fig16": "Urfin et al. 2026, Fig. 16",
    "u26-fig17": "Urfin et al. 2026, Fig. 17",
}
SECONDS = {"quick": 11, "paper": 150}

SAMPLES, TIME, RIDGE = 8.0, 0.1, 1e-3
COPIES = (1, 2, 4, 16, math.inf)
FAMILY = (2.0, 8.0, 32.0, 128.0)  # ψ_n of the figures that vary it
OTHER_TIMES = (0.01, 0.3, 1.0)
SMALL_TIMES = (1e-4, 1e-3, 1e-2)
RIDGES = (1e-5, 1e-3, 1e-1, 1e1)
SCALED_RIDGES = (1e-5, 1e-3, 1e-1)  # over features_per_dim
AT_ONE = (0.5, 2.0, 8.0, 32.0, 128.0, 512.0)  # ψ_p at which the ridge is varied at t = 1
MAP = {"quick": 41, "paper": 161}

DRAWN = {"quick": (16, 2, (1.0, 8.0, 32.0)), "paper": (40, 4, (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0))}
SAMPLED = (1, 4, 16)  # copies of the samples


def features(copies: float) -> list[float]:
    """ψ_p: five decades, finer around the minima and the peak at p = n m, and what the claims name; inf last."""
    grid = [*np.geomspace(0.05, 1e4, 213), *np.linspace(0.5, 2, 151), 33.0]
    if math.isfinite(copies):
        grid += [*(copies * np.linspace(6, 10, 81)), *(n * copies for n in FAMILY)]
    return [*np.unique(grid).tolist(), math.inf]


def problem(copies: float = 4, ridge: float = RIDGE, time: float = TIME) -> Problem:
    return Problem(samples_per_dim=SAMPLES, diffusion_time=time, noise_copies=copies, ridge=ridge)


def limit(copies: float) -> str:
    return f"limit-m-{copies:g}"


def sample(copies: float, psi_p: float) -> str:
    return f"sample-m-{copies:g}-p-{psi_p:g}"


def at_time(time: float, copies: float) -> str:
    return f"limit-t-{time:g}-m-{copies:g}"


def ridged(time: float, ridge: float, *, scaled: bool) -> str:
    return f"{'scaled' if scaled else 'fixed'}-t-{time:g}-ridge-{ridge:g}"


def over_ridges(copies: float, psi_p: float) -> str:
    return f"ridges-m-{copies:g}-p-{psi_p:g}"


def cells(size: str) -> list[Cell]:
    dim, seeds, ratios = DRAWN[size]
    side = MAP[size]
    plane = "theory.ridge_plane"
    return [
        *(
            Cell(limit(m), plane, problem(m), {"features_per_dim": features(m), "samples_per_dim": list(FAMILY)})
            for m in COPIES
        ),
        *(
            Cell(at_time(t, m), plane, problem(m, time=t), {"features_per_dim": features(m)})
            for t in OTHER_TIMES
            for m in SAMPLED
        ),
        *(
            Cell(at_time(t, m), plane, problem(m, time=t), {"features_per_dim": [math.inf]})
            for t in SMALL_TIMES
            for m in SAMPLED
            if t not in OTHER_TIMES
        ),
        *(
            Cell(
                ridged(t, ridge, scaled=scaled),
                plane,
                problem(ridge=ridge, time=t),
                {"features_per_dim": features(4), "ridge_per_feature": scaled},
            )
            for t in (TIME, 1.0)
            for scaled, ridges in ((False, RIDGES), (True, SCALED_RIDGES))
            for ridge in ridges
        ),
        *(
            Cell(
                over_ridges(m, psi_p),
                "theory.ridge",
                Problem(samples_per_dim=SAMPLES, features_per_dim=psi_p, diffusion_time=1.0, noise_copies=m),
                {"ridges": np.geomspace(1e-6, 1e2, 33).tolist()},
            )
            for m in SAMPLED
            for psi_p in AT_ONE
        ),
        Cell(
            "map",
            plane,
            problem(16),
            {
                "features_per_dim": np.geomspace(0.1, 1e4, side).tolist(),
                "samples_per_dim": np.geomspace(0.1, 1e3, side).tolist(),
            },
        ),
        *(
            Cell(
                sample(m, psi_p),
                "train",
                Problem(**vars(problem(m)) | {"features_per_dim": psi_p}),
                {"train_times": [math.inf], "dim": dim, "seeds": seeds, "fresh_noise": True},
            )
            for m in SAMPLED
            for psi_p in ratios
        ),
    ]


# L_test along the features


def curve(result: xr.Dataset, psi_n: float = SAMPLES) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """ψ_p and L_test at finite ψ_p."""
    row = result.sel(samples_per_dim=psi_n)
    return row.features_per_dim.values[:-1], row.test.values[:-1]


def plateau(result: xr.Dataset, name: str = "test") -> float:
    """The value at ψ_p = ∞."""
    return float(result[name].sel(samples_per_dim=SAMPLES)[-1])


def first_minimum(result: xr.Dataset, psi_n: float = SAMPLES) -> tuple[float, float]:
    """(ψ_p, L_test) at the first minimum along ψ_p, its start where L_test rises from there."""
    x, y = curve(result, psi_n)
    falls = np.flatnonzero(np.diff(y) >= 0)
    k = int(falls[0]) if falls.size else y.size - 1
    return float(x[k]), float(y[k])


def minima(results: Results) -> Judgment:
    found = [first_minimum(results[limit(m)]) for m in SAMPLED]
    published = [(0.75, 0.977), (1.28, 0.895), (1.53, 0.869)]
    holds = all(
        abs(x - at) <= 0.011 and abs(y - low) <= 6e-4 for (x, y), (at, low) in zip(found, published, strict=True)
    )
    return Judgment("; ".join(f"{y:.3f} at ψ_p = {x:.2f}" for x, y in found), None, decide(holds))


def peaks(results: Results) -> Judgment:
    words, holds = [], True
    for m, at_nm, highest in ((1, 2.798, 2.809), (4, 2.842, 2.846), (16, 3.434, 3.441)):
        x, y = curve(results[limit(m)])
        here, top = float(y[np.flatnonzero(x == SAMPLES * m)[0]]), int(np.argmax(y))
        words.append(f"{here:.3f} and {y[top]:.3f} at p = {x[top] / SAMPLES / m:.2f} n m")
        holds &= abs(here - at_nm) <= 6e-4 and abs(y[top] - highest) <= 6e-4 and abs(x[top] / SAMPLES / m - 1) < 0.1
    return Judgment("; ".join(words), None, decide(holds))


def rise_near_n(results: Results) -> Judgment:
    words, ratios = [], []
    for m in SAMPLED:
        found = [first_minimum(results[limit(m)], n)[0] for n in FAMILY]
        ratios += [x / n for x, n in zip(found, FAMILY, strict=True)]
        words.append(f"m = {m}: {', '.join(f'{x:.2f}' for x in found)}")
    holds = min(ratios) > 0.5 and max(ratios) < 2
    return Judgment(f"the minimum sits at ψ_p = ({'; '.join(words)}) for ψ_n = 2, 8, 32, 128", None, decide(holds))


def plateaus(results: Results) -> Judgment:
    found = [plateau(results[limit(m)]) for m in SAMPLED]
    holds = all(abs(v - w) <= e for v, w, e in zip(found, (0.933, 1.385, 2.85), (6e-4, 6e-4, 6e-3), strict=True))
    return Judgment(", ".join(f"{value:.3f}" for value in found), None, decide(holds))


def benign(result: xr.Dataset) -> bool:
    """Whether ψ_p = ∞ is at least as good as anything before the rise."""
    return plateau(result) <= first_minimum(result)[1]


def benign_here(results: Results) -> Judgment:
    found = {m: results[limit(m)] for m in SAMPLED}
    words = (f"m = {m}: {plateau(one):.3f} against {first_minimum(one)[1]:.3f}" for m, one in found.items())
    return Judgment("; ".join(words), None, decide([m for m in SAMPLED if benign(found[m])] == [1]))


def benign_always(results: Results) -> Judgment:
    words, holds = [], True
    for t in sorted((TIME, *OTHER_TIMES)):
        found = [m for m in SAMPLED if benign(results[limit(m) if t == TIME else at_time(t, m)])]
        words.append(f"t = {t:g}: m = {', '.join(map(str, found)) or 'none of them'}")
        holds &= found == [1]
    return Judgment(f"benign at {'; '.join(words)} (of 1, 4, 16)", None, decide(holds))


def growth(name: str, expected: float, results: Results) -> Judgment:
    words, holds = [], True
    for m in SAMPLED:
        values = [plateau(results[at_time(t, m)], name) for t in SMALL_TIMES]
        slope = float(np.polyfit(np.log(SMALL_TIMES), np.log(values), 1)[0])
        words.append(f"{slope:.2f} at m = {m}")
        holds &= abs(slope - expected) < 0.05 or m == 1
    return Judgment(f"exponent {', '.join(words)}", None, decide(holds))


def ridge_harms(results: Results) -> Judgment:
    words, harms = [], []
    for m in SAMPLED:
        found = [results[over_ridges(m, psi_p)] for psi_p in AT_ONE]
        gains = [float(one.test[0] / one.best_test) - 1 for one in found]
        harms += [gain <= 0 for gain in gains]
        words.append(f"m = {m}: {', '.join(f'{float(one.best_ridge):.2g}' for one in found)}")
    words = f"best ridge {'; '.join(words)} at ψ_p = {', '.join(f'{p:g}' for p in AT_ONE)}, always better than 1e-6"
    return Judgment(words, None, decide(all(harms)))


def copies_out_of_order(results: Results) -> Judgment:
    found = [float(results[limit(m)].test.sel(samples_per_dim=SAMPLES, features_per_dim=33.0)) for m in COPIES]
    holds = [f"{value:.2f}" for value in found] == ["1.19", "1.75", "2.85", "1.93", "1.73"]
    return Judgment(", ".join(f"{value:.2f}" for value in found), None, decide(holds))


def more_copies(results: Results) -> Judgment:
    few = [float(np.interp(4.0, *curve(results[limit(m)]))) for m in COPIES]
    many = [plateau(results[limit(m)]) for m in COPIES]
    words = f"ψ_p = 4: {', '.join(f'{v:.3f}' for v in few)}; ψ_p = ∞: {', '.join(f'{v:.3f}' for v in many)}"
    return Judgment(words, None, decide(few == sorted(few, reverse=True) and many == sorted(many)))


# gaps


def gap(result: xr.Dataset, upper: str, lower: str, psi_n: float, ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """The difference of two losses at p = ratio × n."""
    row = result.sel(samples_per_dim=psi_n)
    x = row.features_per_dim.values[:-1]
    return np.interp(np.log(ratio * psi_n), np.log(x), (row[upper] - row[lower]).values[:-1])


def gaps_collapse(upper: str, lower: str, results: Results) -> Judgment:
    """Between the two largest ψ_n, over three decades of p/n, against the largest gap."""
    words, holds = [], True
    ratio = np.geomspace(0.05, 50, 61)
    for m in SAMPLED:
        one, two = (gap(results[limit(m)], upper, lower, n, ratio) for n in FAMILY[2:])
        apart = float(np.max(np.abs(one - two)) / np.max(np.abs(two)))
        words.append(f"{100 * apart:.1f}% at m = {m}")
        holds &= apart < 0.1
    return Judgment(f"ψ_n = 32 and 128 differ by {', '.join(words)}", None, decide(holds))


# samples


def ratios(results: Results, copies: float) -> list[float]:
    """ψ_p of the samples at hand, ascending."""
    start = sample(copies, 0).removesuffix("0")
    return sorted(float(name.removeprefix(start)) for name in results if name.startswith(start))


def samples_agree(loss: str, results: Results) -> Judgment:
    errors = []
    for m in SAMPLED:
        row = results[limit(m)].sel(samples_per_dim=SAMPLES)
        at = np.array(ratios(results, m))
        exact = np.interp(np.log(at), np.log(row.features_per_dim.values[:-1]), row[loss].values[:-1])
        found = np.array([results[sample(m, p)][loss].values[:, 0].mean() for p in at])
        errors += np.abs(found - exact).tolist()
    dim = results[sample(1, 8.0)].sizes["feature"] // 8
    words = f"largest difference {max(errors):.3f}, median {np.median(errors):.3f} at d = {dim}"
    return Judgment(words, None, decide(float(np.median(errors)) < 0.05, decidable=dim >= 40))


U26 = "Urfin et al. 2026"
CLAIMS = (
    Claim(
        "u26-peak",
        "L_test peaks at p = n m; there and at its maximum it is 2.798, 2.809 (m = 1), 2.842, 2.846 (4), 3.434, 3.441",
        f"{U26}, Fig. 3; equations.md §9.5",
        "values to the digits given; maximum within 10% of p = n m",
        peaks,
    ),
    Claim(
        "u26-minimum",
        "before the peak L_test is lowest, 0.977, 0.895, 0.869, at ψ_p = 0.75, 1.28, 1.53 for m = 1, 4, 16",
        "equations.md §9.5",
        "to the digits given",
        minima,
    ),
    Claim(
        "u26-rise-at-n",
        "L_test starts to rise near p = n",
        f"{U26}; equations.md §9.5",
        "minimum between n/2 and 2 n at ψ_n = 2, 8, 32, 128",
        rise_near_n,
    ),
    Claim(
        "u26-plateau",
        "as ψ_p → ∞ at a fixed ridge L_test is 0.933, 1.385, 2.85 for m = 1, 4, 16",
        f"{U26}, Prop. C.3; equations.md §9.5",
        "to the digits given",
        plateaus,
    ),
    Claim(
        "u26-benign",
        "overfitting is benign, L_test at ψ_p = ∞ below its minimum before the rise, at m = 1 alone",
        f"{U26}; equations.md §9.5",
        "of m = 1, 4, 16 only m = 1, at t = 0.1",
        benign_here,
    ),
    Claim(
        "u26-benign-times",
        "the same at t = 0.01, 0.1, 0.3 and 1",
        "equations.md §9.5: it holds at t = 0.1 only",
        "of m = 1, 4, 16 only m = 1 at every t",
        benign_always,
    ),
    Claim(
        "u26-plateau-growth",
        "the plateau of L_test grows as 1/t at small t for m > 1",
        f"{U26}; equations.md §9.5",
        "exponent −1 within 0.05 over t = 1e-4 … 1e-2 at m = 4 and 16",
        lambda results: growth("test", -1, results),
    ),
    Claim(
        "u26-bias-growth",
        "bias² at ψ_p = ∞ grows as t^−2 at small t for m > 1",
        f"{U26}; equations.md §9.5",
        "exponent −2 within 0.05 over t = 1e-4 … 1e-2 at m = 4 and 16",
        lambda results: growth("bias2", -2, results),
    ),
    Claim(
        "u26-ridge-at-t-1",
        "at t = 1 L_test increases with the ridge for every ψ_p",
        f"{U26}; equations.md §9.5",
        "no ridge is better than 1e-6 at ψ_p = 0.5 … 512, m = 1, 4, 16",
        ridge_harms,
    ),
    Claim(
        "g26-more-copies",
        "more noise copies are better for p < n and worse for p ≫ n m",
        "George et al.; equations.md §9.7",
        "L_test falls with m at ψ_p = 4 and rises with m at ψ_p = ∞, m = 1, 2, 4, 16, ∞",
        more_copies,
    ),
    Claim(
        "g26-copies-between",
        "and in no order in between: 1.19, 1.75, 2.85, 1.93, 1.73 at ψ_p = 33 for m = 1, 2, 4, 16, ∞",
        "equations.md §9.7",
        "to the digits given",
        copies_out_of_order,
    ),
    *(
        Claim(
            f"u26-gap-{upper}-{lower}",
            f"L_{upper} − L_{lower} depends on p and n through p/n alone, once both are large [gaps chosen by us]",
            f"{U26}, Fig. 17",
            "ψ_n = 32 and 128 within 10% of the largest gap, at m = 1, 4, 16",
            lambda results, upper=upper, lower=lower: gaps_collapse(upper, lower, results),
        )
        for upper, lower in (("test", "emp"), ("emp", "train"))
    ),
    *(
        Claim(
            f"ours-ridge-{loss}",
            f"sampled tanh features have the {symbol} of the d → ∞ equations [ours]",
            "equations.md T12",
            "median difference below 0.05 over ψ_p and m, at d ≥ 40",
            lambda results, loss=loss: samples_agree(loss, results),
        )
        for loss, symbol in (("train", "L_train"), ("test", "L_test"), ("emp", "L_emp"))
    ),
)
