"""Bytes that each device holds, and seconds, against the number of devices."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, problem_line, styled
from rfsim.plotting.looks import Look

STYLE = "paper"
LOOKS = {
    "second": Look(r"$U$", "#00684C", "-", "o"),
    "step": Look("one step", "#B5568C", (0, (5, 1.5)), "s"),
}


def _panel(ax: Axes, results: Results, what: str, unit: float, label: str) -> None:
    result = results["scaling"]
    devices = result.devices.values
    handles = []
    for name, look in LOOKS.items():
        values = result[f"{name}_{what}"].values / unit
        handles += ax.plot(devices, values, color=look.color, linestyle=look.dash, marker=look.marker, label=look.label)
        if what == "held":
            (share,) = ax.plot(
                devices, values[0] / devices, color=MARKER_COLOR, linestyle=(0, (1, 1)), label="its share of one"
            )
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks(devices, [f"{count}" for count in devices])
    ax.set_xlabel(f"devices {'(virtual, of one CPU)' if np.all(result.virtual.values[1:]) else ''}".strip())
    ax.set_ylabel(label)
    legend_above(ax, [*handles, share] if what == "held" else handles)


def devices(results: Results) -> Figure:
    result = results["scaling"]
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        _panel(axes[0, 0], results, "held", 2**20, "MiB on each device")
        _panel(axes[0, 1], results, "seconds", 1, f"seconds on {result.attrs['cores']} cores")
        figure.suptitle(", ".join(problem_line(result)), x=0.01, ha="left")
    return figure


DRAW = {"devices": devices}
