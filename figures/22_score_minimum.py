"""The limit's smallest score error against ψ_n, its floor, and its local slope beside B25's exponent: B25 Fig. 13."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, MARKER_COLOR, canvas, legend_above, sequence, styled

STYLE = "paper"
PUBLISHED = -0.59
PUBLISHED_RANGE = (1.0, 64.0)  # ψ_n over which the exponent is drawn


def score_error(results: Results) -> Figure:
    result, floor = results["curve"], results["floor"]
    psi_n, psi_p = result.samples_per_dim.values, result.features_per_dim.values
    figure, (panels,) = canvas(1, 2, style=STYLE, width="double", aspect=0.72)
    error, slope = panels
    with styled(STYLE):
        handles = []
        for p, color in zip(psi_p, sequence(psi_p.size), strict=True):
            score = result.score.sel(features_per_dim=p).values
            (line,) = error.plot(psi_n, score, color=color, label=rf"$\psi_p={p:g}$")
            handles.append(line)
            error.axhline(float(floor.score.sel(features_per_dim=p)[0]), color=color, linestyle=":", linewidth=0.8)
            between = np.sqrt(psi_n[1:] * psi_n[:-1])
            slope.plot(between, np.diff(np.log(score)) / np.diff(np.log(psi_n)), color=color)
        middle = float(np.exp(np.log(PUBLISHED_RANGE).mean()))
        height = float(np.exp(np.interp(np.log(middle), np.log(psi_n), np.log(result.score.sel(features_per_dim=32)))))
        ends = np.array(PUBLISHED_RANGE)
        look = {"color": MARKER_COLOR, "linestyle": (0, (4, 2)), "label": rf"B25, exponent ${PUBLISHED}$"}
        error.plot(ends, height * (ends / middle) ** PUBLISHED, **look)
        slope.plot(ends, [PUBLISHED] * 2, **look)
        for ax in panels:
            ax.set_xscale("log")
            ax.set_xlim(psi_n[0], psi_n[-1])
            ax.set_xlabel(r"samples per dimension $\psi_n$")
        error.set_yscale("log")
        error.set_ylabel(rf"$\min_\tau$ {LOSS_LOOKS['score'].label} per dimension")
        slope.set_ylim(-1, 0)
        slope.set_ylabel(r"local slope in $\psi_n$")
        error.legend(handles=handles, loc="upper right")
        floors = Line2D([], [], color=MARKER_COLOR, linestyle=":", linewidth=0.8, label=r"$\psi_n=\infty$")
        legend_above(slope, [Line2D([], [], **look), floors])
        s = store.settings(result)
        line = rf"$t={s['diffusion_time']:g}$, $\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, $d\to\infty$"
        figure.suptitle(line, x=0.01, ha="left")
    return figure


DRAW = {"score-error-limit": score_error}
