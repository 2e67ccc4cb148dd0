"""Over (ψ_n, ψ_p), a row for each t: best training time, best ridge, their product, and which of the two errs less."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.learning.filters import learning_rate_constant
from rfsim.plotting import (
    BORDER_COLOR,
    canvas,
    color_bar,
    diagonal,
    legend_below,
    mark_handles,
    on_colors,
    plane_line,
    plane_panel,
    styled,
)
from rfsim.plotting.style import number
from rfsim.plotting.sweep_maps import color_norm
from rfsim.problem.diffusion import noise_variance

STYLE = "paper"
PLANE = ("features_per_dim", "samples_per_dim")


def optimal_stopping(results: Results) -> Figure:
    columns = _columns(results)
    times = results["stopping"].diffusion_time.values.tolist()
    marks: set[int] = set()
    figure, axes = canvas(len(times), len(columns), style=STYLE, width="double", aspect=1.0 + 0.7 / len(times))
    with styled(STYLE):
        for k, (label, values) in enumerate(columns.items()):
            norm = color_norm(values.values)
            for row, t in enumerate(times):
                ax = axes[row, k]
                here = values.sel(diffusion_time=t).transpose(*PLANE)
                marks |= plane_panel(ax, here, norm, left=k == 0, below=row == len(times) - 1)
                if k >= 2:
                    plane_line(ax, here, 1.0)
                diagonal(ax)
                if k == 0:
                    ax.text(0.05, 0.95, f"$t={number(t)}$", transform=ax.transAxes, ha="left", va="top", color="white")
            color_bar(figure, axes[:, k].tolist(), norm, label, above=True)
        s = store.settings(results["stopping"])["problem"]
        line = rf"$\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, $d\to\infty$"
        figure.suptitle(line, x=0.01, ha="left")
        lines = [on_colors("1, of the two on the right", BORDER_COLOR), on_colors("$p=n$", dash=(0, (2, 1.2)))]
        legend_below(figure, [*lines, *mark_handles(marks)])
    return figure


def _columns(results: Results) -> dict[str, xr.DataArray]:
    """What is drawn, by its label; over the plane and diffusion time."""
    stopping, ridged = results["stopping"], results["ridge"]
    t, psi_p = stopping.diffusion_time, stopping.features_per_dim
    delta = t.copy(data=[noise_variance(one) for one in t.values.tolist()])
    kappa = xr.concat([psi_p.copy(data=learning_rate_constant(one, psi_p.values)) for one in delta.values.tolist()], t)
    error = (ridged.best_test - np.exp(-2 * t)) / delta
    return {
        r"best time $\tau_\star$": stopping.train_time,
        r"best ridge $\gamma_\star$": ridged.best_ridge,
        r"$\kappa\gamma_\star\tau_\star$": kappa * ridged.best_ridge * stopping.train_time,
        r"$E_\mathrm{score}$ at $\tau_\star$ over at $\gamma_\star$": stopping.score / error,
    }


DRAW = {"optimal-stopping": optimal_stopping}
