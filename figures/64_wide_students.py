"""Gap of one-step students to their teacher's steps against distillation time, and at its end against d and ψ_p."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, sequence, styled

STYLE = "paper"
PANELS = {"cubic-early": "(a)", "cubic-late": "(b)", "tanh-early": "(c)"}
MARKERS = "osD^v<>"


def wide_students(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.4)
    with styled(STYLE):
        for ax, (name, letter) in zip(axes[0], PANELS.items(), strict=True):
            _gaps(ax, results, name)
            ax.set_title(letter, loc="right")
        axes[0, 0].set_ylabel("gap to the teacher's steps")
        line = r"isotropic data, $\psi_n=2$; $\sigma=h_1+.2h_3$, (a) $\tau=30$, (b) $\tau=10^5$; (c) tanh, $\tau=30$"
        figure.suptitle(line + r"; $\tau_\mathrm{S}=\infty$ at the right end", x=0.01, ha="left")
    return figure


def _gaps(ax: Axes, results: Results, name: str) -> None:
    keys = [key.rsplit("-", 2) for key in results if key.startswith(f"{name}-")]
    sizes = sorted((int(d), int(p)) for _, d, p in keys)
    handles = []
    for (dim, psi_p), color, marker in zip(sizes, sequence(len(sizes)), MARKERS, strict=False):
        one = results[f"{name}-{dim}-{psi_p}"]
        values = ((one.student_sample - one.teacher_sample) ** 2).mean(["seed", "variant", "sample", "coordinate"])
        look = {"color": color, "marker": marker, "markersize": 3, "label": rf"$d={dim}$, $\psi_p={psi_p}$"}
        handles.append(_line(ax, one, values.values, look))
    limit = results[f"limit-{name}"]
    handles.append(_line(ax, limit, limit.map_gap.values[:, 0], {"color": "black", "label": "many features"}))
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel(r"distillation time $\tau_\mathrm{S}$")
    ax.set_ylim(1e-5, 1)
    legend_above(ax, handles)


def _line(ax: Axes, one: xr.Dataset, values: np.ndarray, look: dict):
    times = one.distill_time.values
    shown = np.isfinite(times)
    (line,) = ax.plot(times[shown], values[shown], **look)
    if not shown.all() and values[~shown][0] > 1e-5:
        color = look.get("color", MARKER_COLOR)
        ax.plot([1], values[~shown][:1], color=color, marker=">", transform=ax.get_yaxis_transform(), clip_on=False)
    return line


DRAW = {"wide-students": wide_students}
