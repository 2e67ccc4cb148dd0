"""The real model beside the Gaussian-equivalent one at growing d: curves, and the difference of the losses."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import (
    LOSS_LOOKS,
    MARKER_COLOR,
    canvas,
    family_panel,
    legend_above,
    legend_below,
    limit_handle,
    limit_losses,
    problem_line,
    styled,
)

STYLE = "paper"
DASHED = (0, (4, 2))  # the Gaussian-equivalent model


def equivalence(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=0.95)
    dims = sorted({int(name.rpartition("-d")[2]) for name in sampled(results)})
    gaussian = results[f"gaussian-d{dims[-1]}"]
    with styled(STYLE):
        for ax, loss in zip(axes[0], ("train", "test"), strict=False):
            family_panel(ax, {f"$d={d}$": results[f"real-d{d}"] for d in dims}, (loss,))
            finite = np.isfinite(gaussian.train_time.values)
            ax.plot(
                gaussian.train_time.values[finite],
                gaussian[loss].mean("seed").values[finite],
                color=MARKER_COLOR,
                linestyle=DASHED,
            )
            limit_losses(ax, next(iter(limits(results).values())), loss)
        ax = axes[0, 2]
        handles = []
        for loss in ("train", "test"):
            look, rows = LOSS_LOOKS[loss], []
            for d in dims:
                values = np.abs((results[f"real-d{d}"][loss] - results[f"gaussian-d{d}"][loss]).values[:, -1])
                rows.append((values.mean(), values.std(ddof=1) / np.sqrt(values.size)))
            mean, error = np.array(rows).T
            ax.errorbar(dims, mean, error, color=look.color, marker=look.marker, linestyle="")
            handles.append(Line2D([], [], color=look.color, marker=look.marker, linestyle="", label=look.label))
            (guide,) = ax.plot(dims, mean[-1] * dims[-1] / np.array(dims), color="black", linewidth=0.5)
        guide.set_label("$1/d$")
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_xticks(dims, [f"{d}" for d in dims])
        ax.set_xticks([], minor=True)
        ax.set_xlabel("dimension $d$")
        ax.set_ylabel(r"|difference| at $\tau=\infty$")
        legend_above(ax, [*handles, guide])
        line = [piece for piece in problem_line(gaussian) if not piece.startswith(("$d=", "seed"))]
        figure.suptitle(", ".join([*line, "means over seeds"]), x=0.01, ha="left")
        dashed = Line2D([], [], color=MARKER_COLOR, linestyle=DASHED, label=f"Gaussian-equivalent, $d={dims[-1]}$")
        legend_below(figure, [dashed, limit_handle()])
    return figure


DRAW = {"gaussian-equivalence": equivalence}
