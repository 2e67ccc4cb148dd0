"""The smallest score error over training against ψ_n, its local slopes, and the curves it is read off: B25 Fig. 13."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Results, limits, sampled
from rfsim.disk import store
from rfsim.plotting import (
    DOTS,
    LOSS_LOOKS,
    canvas,
    family_panel,
    legend_above,
    limit_handle,
    limit_losses,
    problem_line,
    styled,
)

STYLE = "paper"
PUBLISHED = -0.59
ERROR_BAR = {"color": "black", "linestyle": "", "marker": "o", "markersize": 3, "capsize": 2}
LOWEST = {"color": "black", "linestyle": "", "marker": "o", "markersize": 2.5}


def score_error(results: Results) -> Figure:
    found, known = sampled(results), limits(results)
    psi_n = np.array([store.settings(result)["samples_per_dim"] for result in found.values()])
    smallest = np.array([result.score.values.min(axis=1) for result in found.values()])  # (ψ_n, seeds)
    lowest = np.array([result.score.values.min() for result in known.values()])
    slopes = np.diff(np.log(smallest), axis=0) / np.diff(np.log(psi_n))[:, None]
    exponent = np.polyfit(np.log(psi_n), np.log(smallest), 1)[0].mean()
    figure, (panels,) = canvas(1, 3, style=STYLE, width="double", aspect=1.05)
    curves, error, slope = panels
    with styled(STYLE):
        names = [f"{value:g}" for value in psi_n]
        names[0] = rf"$\psi_n={names[0]}$"
        family = dict(zip(names, found.values(), strict=True))
        family_panel(curves, family, ("score",), also=[limit_handle(), Line2D([], [], label="lowest", **LOWEST)])
        limit_losses(curves, known, "score")
        means = [result.score.mean("seed").values for result in found.values()]
        curves.set_yscale("log")
        curves.set_xlim(20, 2e3)
        curves.set_ylim(0.5 * smallest.min(), 1.5)
        curves.plot(
            [float(result.train_time[int(mean.argmin())]) for result, mean in zip(found.values(), means, strict=True)],
            [mean.min() for mean in means],
            **LOWEST,
        )
        points = error.errorbar(psi_n, smallest.mean(axis=1), _error(smallest), label="simulated", **ERROR_BAR)
        middle, height = np.exp(np.log(psi_n).mean()), np.exp(np.log(smallest).mean())
        looks = [(exponent, "-", f"fit, exponent ${exponent:.2f}$"), (PUBLISHED, "--", rf"B25, exponent ${PUBLISHED}$")]
        lines = [
            error.plot(psi_n, height * (psi_n / middle) ** power, dash, color="#666666", label=label)[0]
            for power, dash, label in looks
        ]
        error.set_xscale("log", base=2)
        error.set_yscale("log")
        error.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        error.yaxis.set_major_formatter("{x:g}")
        error.yaxis.set_minor_formatter(NullFormatter())
        error.set_xlabel(r"samples per dimension $\psi_n$")
        error.set_ylabel(rf"$\min_\tau$ {LOSS_LOOKS['score'].label} per dimension")
        (line,) = error.plot(psi_n, lowest, color="black", linestyle=DOTS, label=r"$d\to\infty$")
        legend_above(error, [points, line, *lines])
        between = np.sqrt(psi_n[1:] * psi_n[:-1])
        local = slope.errorbar(between, slopes.mean(axis=1), _error(slopes), label="between neighbors", **ERROR_BAR)
        levels = [
            slope.axhline(power, color="#666666", linestyle=dash, label=label)
            for (power, dash, label) in ((exponent, "-", "fit"), (PUBLISHED, "--", "B25"))
        ]
        slope.set_xscale("log", base=2)
        slope.set_xlim(error.get_xlim())
        slope.set_ylim(-1, 0)
        slope.set_xlabel(r"samples per dimension $\psi_n$")
        slope.set_ylabel(r"local slope in $\psi_n$")
        exact = np.diff(np.log(lowest)) / np.diff(np.log(psi_n))
        (line,) = slope.plot(between, exact, color="black", linestyle=DOTS, label=r"$d\to\infty$")
        legend_above(slope, [local, line, *levels])
        figure.suptitle(", ".join(problem_line(next(iter(found.values())))[1:]), x=0.01, ha="left")
    return figure


def _error(values: np.ndarray) -> np.ndarray:
    return values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])


DRAW = {"b25-fig13": score_error}
