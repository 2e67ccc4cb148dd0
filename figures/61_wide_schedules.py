"""Training times over levels: variance recovered in each eigenspace, KL and the summed error of the score by stop."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, sequence, styled

STYLE = "paper"
SCHEDULES = {"best": r"$\theta^\star(t)$", "constant": r"$\theta^\star(t_0)$", "exponential": "exponential"}
SHARE = 0.7  # of the large eigenvalue
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)))


def wide_schedules(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.62)
    schedule, variance, distance, summed = axes.ravel()
    with styled(STYLE):
        handles = []
        for (name, label), color, dash in zip(SCHEDULES.items(), sequence(len(SCHEDULES)), DASHES, strict=True):
            own = sorted((one for key, one in results.items() if key.startswith(f"{name}-")), key=_stop)
            stops, look = [_stop(one) for one in own], {"color": color, "linestyle": dash}
            first, steps = own[0].isel(train_time=0), [one.sel(way="steps").isel(train_time=0) for one in own]
            rate = 2 * -np.expm1(-2 * first.level.values)
            (line,) = schedule.plot(first.level, first.level_time * rate, label=label, **look)
            handles.append(line)
            for k, marker in zip(np.argsort(first.direction.values), "so", strict=True):
                ratio = [float(one.recovered[k] / one.truth[k]) for one in steps]
                variance.plot(stops, ratio, marker=marker, markersize=3, **look)
            distance.plot(stops, [_kl(one) for one in steps], marker=".", **look)
            summed.plot(first.level[:-1], _summed(first), **look)
        variance.axhline(1.0, color=MARKER_COLOR, linestyle=":", linewidth=0.8)
        for ax, words in zip(
            axes.ravel(),
            (r"$\theta=2\Delta a^2\tau$", "variance of samples over truth", r"KL$/d$", r"$\int_t^T E_\mathrm{score}$"),
            strict=True,
        ):
            ax.set(xscale="log", yscale="log")
            ax.set_ylabel(words)
        schedule.set_ylim(1, 1e3)
        for ax in (schedule, summed):
            ax.set_xlabel("diffusion time $t$")
        for ax in (variance, distance):
            ax.set_xlabel("diffusion time where the SDE stops")
        legend_above(schedule, handles)
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(next(iter(results.values())))
        line = rf"$\psi_n={s['samples_per_dim']:.3g}$, $\psi_p\to\infty$ after $d\to\infty$, $h(x)=x+.005x^5$"
        figure.suptitle(line + "; (b): circles: variance 17/12, squares: 1/36", x=0.01, ha="left")
    return figure


def _stop(one: xr.Dataset) -> float:
    """t where the SDE stops."""
    return float(store.settings(one)["time_min"])


def _summed(one: xr.Dataset) -> np.ndarray:
    """∫E_score from each level but the last up to T."""
    score, at = one.level_score.values, one.level.values
    return np.cumsum(((score[1:] + score[:-1]) / 2 * np.diff(at))[::-1])[::-1]


def _kl(one: xr.Dataset) -> float:
    """Of the law of x to the mean law of samples."""
    ratio = one.recovered.values / one.direction.values
    weights = np.where(one.direction.values > 1, SHARE, 1 - SHARE)
    return math.fsum((1 / ratio - 1 + np.log(ratio)) * weights) / 2


DRAW = {"wide-schedules": wide_schedules}
