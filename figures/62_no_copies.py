"""Overfitting of the loss, distance of samples and memorized fraction against training time by d; f_mem against d."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, canvas, legend_above, sequence, styled

STYLE = "paper"
FEWEST = 1e-4  # of f_mem that is drawn


def no_copies(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.62)
    loss, distance, copies, along = axes.ravel()
    dims = sorted(int(name.split("-")[1]) for name in results if name.startswith("samples-"))
    with styled(STYLE):
        handles = []
        for dim, color in zip(dims, sequence(len(dims)), strict=True):
            own, samples = results[f"losses-{dim}"], results[f"samples-{dim}"]
            (line,) = loss.plot(own.train_time, own.test.mean("seed"), color=color, label=f"$d={dim}$")
            handles.append(line)
            far = (samples.frechet_per_dim - samples.frechet_bias).mean("seed")
            distance.plot(samples.train_time, far, color=color)
            copies.plot(samples.train_time, samples.memorized_fraction.mean("seed"), color=color)
        wide = results["limit"]
        (line,) = loss.plot(wide.train_time, wide.test, color=MARKER_COLOR, linestyle=":", label="many features")
        last = [_latest(results[f"samples-{dim}"]) for dim in dims]
        shown = [(dim, mean, error) for dim, (mean, error) in zip(dims, last, strict=True) if mean > 0]
        along.errorbar(
            *np.transpose([one[:2] for one in shown]),
            yerr=[one[2] for one in shown],
            marker="o",
            markersize=4,
            color="black",
        )
        rows = results[f"samples-{dims[-1]}"].sizes["seed"] * 1000
        for dim, (mean, _) in zip(dims, last, strict=True):
            if not mean:  # an upper limit, 95%
                along.plot([dim], [3 / rows], marker="v", color=MARKER_COLOR)
        for ax, words in zip(
            (loss, distance, copies),
            (r"$L_\mathrm{test}$, $t=0.1$", r"$W_2^2/d$ of samples", r"$f_\mathrm{mem}$"),
            strict=True,
        ):
            ax.set_xscale("log")
            ax.set_xlabel(r"training time $\tau$")
            ax.set_ylabel(words)
        distance.set_yscale("log")
        along.set(xlabel="dimension $d$", ylabel=r"$f_\mathrm{mem}$ at the latest time", yscale="log")
        along.set_ylim(FEWEST, 1)
        legend_above(loss, [*handles, line])
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(results[f"samples-{dims[0]}"])
        line = rf"$\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, $n=2d$, $p=32d$"
        figure.suptitle(line, x=0.01, ha="left")
    return figure


def _latest(result: xr.Dataset) -> tuple[float, float]:
    """f_mem of the last teacher over seeds, and its standard error."""
    values = result.memorized_fraction.isel(train_time=-1).values
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size))


DRAW = {"no-copies": no_copies}
