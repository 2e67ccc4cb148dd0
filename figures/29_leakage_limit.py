"""Leakage of one step over the ridge at several dims and in the limit, and by part over 1/d."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import PART_LOOKS, canvas, legend_above, ridge_axis, seeds_line, sequence, styled
from rfsim.plotting.looks import Look

STYLE = "paper"
STEP = 0.1
DOTS = (0, (1, 1))


def leakage_limit(results: Results) -> Figure:
    """(a) Outside gen over the ridge by dim, and the limit; (b) by part at γ = 0 over 1/d, and the limit at 0."""
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    found = {int(label.removeprefix("step-")): one for label, one in results.items() if label.startswith("step-")}
    limit, samples = _at_step(results["limit"], "step"), {d: _at_step(found[d], "level") for d in sorted(found)}
    with styled(STYLE):
        left, right = axes[0]
        at, handles = ridge_axis(left, limit.ridge.values), []
        for (dim, one), color in zip(samples.items(), sequence(len(samples)), strict=True):
            rows = one.leakage.sel(part="gen").transpose("ridge", "seed").values
            handles.append(seeds_line(left, at, rows, Look(f"$d={dim}$", color, "-", "o")))
        handles += left.plot(at, limit.leakage.values, color="black", linestyle=DOTS, label=r"$d\to\infty$")
        left.set_yscale("log")
        left.set_ylabel("leaked share of gen")
        legend_above(left, handles)
        handles = []
        for name in ("null", "mini", "main"):
            look, inverse = PART_LOOKS[name], 1 / np.array(list(samples))
            values = np.stack([one.leakage.sel(ridge=0.0, part=name).values.mean() for one in samples.values()])
            own = float(limit.share.sel(ridge=0.0, part=name))
            handles += right.plot(inverse, values, color=look.color, marker=look.marker, linestyle="-", label=name)
            right.plot([0, inverse[-1]], [own, values[-1]], color=look.color, marker=look.marker, linestyle=DOTS)
        right.set(xlabel="$1/d$", ylabel=r"share of what gen hands up, $\gamma=0$")
        legend_above(right, handles)
        figure.suptitle(r"$\psi_n=8$, $\psi_p=32$, $t=0.1\to0.05$, a memorized teacher", x=0.01, ha="left")
    return figure


def _at_step(result: xr.Dataset, along: str) -> xr.Dataset:
    """A result at the step from t = 0.1."""
    return result.sel({along: int(np.argmin(np.abs(result.diffusion_time.values[1:] - STEP))) + 1})


DRAW = {"leakage-limit": leakage_limit}
