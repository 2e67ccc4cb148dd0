"""Distances between the samples of two halves against n: the linear law, its samples in steps, and tanh."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, MODEL_LOOKS, canvas, legend_above, sequence, styled

STYLE = "paper"
DASH = (0, (4, 2))
MARKERS = ("o", "s", "^")


def splits(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.7)
    with styled(STYLE):
        _law(axes[0, 0], results)
        _linear(axes[0, 1], results)
        _tanh(axes[1, 0], results)
        _seen(axes[1, 1], results)
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
            ax.set_xscale("log", base=2)
        for ax in axes.ravel()[:3]:
            ax.set_ylabel(r"between halves, $\Vert x_1-x_2\Vert^2/d$")
        axes[1, 1].set_ylabel(r"to the nearest point, $\Vert\cdot\Vert^2/d$")
        (_, shown), *_ = _halves(results)
        s, t = store.settings(shown), store.settings(next(iter(_of(results, "linear-").values())))
        linear, tanh = (rf"$t={one['time_min']:g}$–${one['time_max']:g}$ in {one['levels']} steps" for one in (t, s))
        figure.suptitle(
            r"(a): $\sigma(x)=x$, $\lambda_j\propto1/j$, $d=128$, $\sigma_T=80$, limit; "
            rf"(b): $\sigma(x)=x$, {linear}"
            "\n"
            rf"(c), (d): tanh, isotropic data, $\psi_p={s['features_per_dim']:g}$, $d={s['dim']}$, "
            rf"{tanh}, teacher $\tau=10^8$",
            x=0.01,
            ha="left",
        )
    return figure


def _law(ax: Axes, results: Results) -> None:
    found = {
        int(name.removeprefix("law-")): one for name, one in results.items() if name.count("-") == 1 and "law" in name
    }
    n = sorted(found)
    handles = [
        *ax.plot(n, [float(found[k].across_all) for k in n], color="black", marker="o", label="between halves"),
        *ax.plot(
            n,
            [float(found[k].population_all) for k in n],
            color=MARKER_COLOR,
            linestyle=DASH,
            marker="s",
            label="to the population's",
        ),
    ]
    ax.set_yscale("log")
    ax.set_xlabel("samples $n$ of each half")
    legend_above(ax, handles)


def _of(results: Results, begin: str) -> dict[str, xr.Dataset]:
    return {name.removeprefix(begin): one for name, one in results.items() if name.startswith(begin)}


def _linear(ax: Axes, results: Results) -> None:
    sampled = _of(results, "linear-")
    ratios = sorted({float(name.split("-")[0]) for name in sampled})
    dims = sorted({int(name.split("-")[1]) for name in sampled})
    handles = []
    for dim, color, marker in zip(dims, sequence(len(dims)), MARKERS, strict=False):
        law = [float(results[f"law-{psi_n:g}-{dim}"].across_all) for psi_n in ratios]
        ax.plot(ratios, law, color=color)
        rows = [sampled[f"{psi_n:g}-{dim}"].split_teacher.values for psi_n in ratios]
        handles.append(_bars(ax, ratios, rows, color, marker, f"$d={dim}$"))
    handles.append(Line2D([], [], color=MARKER_COLOR, label="law in steps"))
    ax.set_yscale("log")
    ax.set_xlabel(r"$\psi_n=n/d$ of each half")
    legend_above(ax, handles)


def _halves(results: Results) -> list[tuple[float, xr.Dataset]]:
    found = {float(name): one for name, one in _of(results, "tanh-").items() if not name.startswith("law")}
    return sorted(found.items(), key=lambda one: one[0])


def _tanh(ax: Axes, results: Results) -> None:
    found = _halves(results)
    ratios = [psi_n for psi_n, _ in found]
    ends = found[0][1].distill_time.values
    ridge = max(float(one["ridge"]) for one in store.settings(found[0][1])["variants"])
    black, orange, blue = (MODEL_LOOKS[name] for name in ("teacher", "student", "early_teacher"))
    several = {
        "teacher": ([one.split_teacher.values for _, one in found], black.color, black.marker, "-"),
        "teacher, 1 step": (
            [one.split_teacher_steps.isel(steps=0).values for _, one in found], black.color, black.marker, DASH
        ),
        "early teacher": ([one.split_early_teacher.values for _, one in found], blue.color, blue.marker, blue.dash),
    }  # fmt: skip
    for time, dash in zip(ends, (DASH, "-"), strict=True):
        rows = [one.split_student.isel(variant=0).sel(distill_time=time).values for _, one in found]
        label = rf"student, $\tau_S=10^{{{math.log10(time):.0f}}}$"
        several[label] = rows, orange.color, orange.marker, dash
    rows = [one.split_student.isel(variant=1).sel(distill_time=ends[-1]).values for _, one in found]
    several[rf"student, $\gamma={ridge:g}$"] = rows, "#F2B38A", "v", "-"
    handles = [
        _bars(ax, ratios, rows, color, marker, label, dash) for label, (rows, color, marker, dash) in several.items()
    ]
    law = [float(results[f"tanh-law-{psi_n:g}"].across_all) for psi_n in ratios]
    handles += ax.plot(ratios, law, color=MARKER_COLOR, linestyle=(0, (1, 1)), label="linear scores")
    ax.set_yscale("log")
    ax.set_xlabel(r"$\psi_n=n/d$ of each half")
    legend_above(ax, handles)


def _seen(ax: Axes, results: Results) -> None:
    """To the nearest training point of a model's own half, and of the other."""
    found, handles = _halves(results), []
    ratios = [psi_n for psi_n, _ in found]
    for model in ("teacher", "student"):
        look = MODEL_LOOKS[model]
        for half, dash in (("own", "-"), ("other", DASH)):
            values = [one[f"{model}_to_{half}"] for _, one in found]
            rows = [one.values if model == "teacher" else one.isel(variant=0, distill_time=-1).values for one in values]
            handles.append(_bars(ax, ratios, rows, look.color, look.marker, f"{model}, {half} half", dash))
    ax.set_ylim(bottom=0)
    ax.set_xlabel(r"$\psi_n=n/d$ of each half")
    legend_above(ax, handles)


def _bars(
    ax: Axes, at: ArrayLike, rows: list[NDArray[np.float64]], color: str, marker: str, label: str, dash: object = "none"
) -> Line2D:
    mean = [one.mean() for one in rows]
    error = [one.std(ddof=1) / math.sqrt(one.size) for one in rows]
    ax.errorbar(at, mean, error, color=color, marker=marker, linestyle=dash)
    return Line2D([], [], color=color, marker=marker, linestyle=dash, label=label)


DRAW = {"splits": splits}
