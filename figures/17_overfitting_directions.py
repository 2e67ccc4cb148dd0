"""L_test with one part's filter off over training time, its share of the late rise, and shares at growing d."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, limits, sampled
from rfsim.disk import store
from rfsim.plotting import MARKER_COLOR, PART_LOOKS, canvas, legend_above, styled

STYLE = "paper"
OFF = ("mini", "main", "null")


def _case(result: xr.Dataset) -> tuple[float, float, float]:
    settings = store.settings(result)
    return settings["samples_per_dim"], settings["features_per_dim"], settings["diffusion_time"]


def _words(result: xr.Dataset) -> str:
    psi_n, psi_p, t = _case(result)
    model = {"real": "real model", "gaussian": "Gaussian-equivalent"}[store.settings(result)["model"]]
    return rf"{model}, $\psi_n={psi_n:g}$, $\psi_p={psi_p:g}$, $t={t:g}$, $d={store.settings(result)['dim']}$"


def _curves(ax: Axes, result: xr.Dataset) -> None:
    """L_test over τ, whole, with one part off, and with gen alone; means over seeds."""
    finite = np.isfinite(result.train_time.values)
    tau = result.train_time.values[finite]

    def line(values: xr.DataArray, **look) -> Line2D:
        return ax.plot(tau, values.mean("seed").values[finite], **look)[0]

    handles = [line(result.test, color="black", linewidth=2.2, alpha=0.35, label="all")]
    for name in OFF:
        look = PART_LOOKS[name]
        handles.append(
            line(result.test_without.sel(part=name), color=look.color, linestyle=look.dash, label=f"{name} off")
        )
    look = PART_LOOKS["gen"]
    alone = 1 + result.test_pair.sel(part="gen", other="gen")
    handles.append(line(alone, color=look.color, linestyle=look.dash, label="gen alone"))
    ax.set_xscale("log")
    ax.set_xlabel(r"training time $\tau$")
    ax.set_ylabel(r"$L_\mathrm{test}$ per dimension")
    ax.set_ylim(bottom=min(0.75, float(alone.min()) - 0.05))
    ax.text(0.02, 0.98, _words(result).replace(", $\\psi_n", ",\n$\\psi_n"), transform=ax.transAxes, va="top")
    legend_above(ax, handles)


def _removed(ax: Axes, results: Results) -> None:
    """Share of the excess over gen alone at τ = ∞ that goes with one part off, over (ψ_n, ψ_p, t)."""
    known = limits(results)
    cases = {name.removeprefix("gaussian-"): result for name, result in sampled(results).items() if "gaussian" in name}
    for k, name in enumerate(cases):
        for model, filled in (("gaussian", True), ("real", False)):
            end = results[f"{model}-{name}"].isel(train_time=-1)
            excess = end.test - 1 - end.test_pair.sel(part="gen", other="gen")
            for part in OFF:
                values = ((end.test - end.test_without.sel(part=part)) / excess).values
                look = PART_LOOKS[part]
                ax.errorbar(
                    k + (0.14 if filled else -0.14),
                    values.mean(),
                    values.std(ddof=1) / np.sqrt(values.size),
                    fmt=look.marker,
                    color=look.color,
                    markerfacecolor=look.color if filled else "white",
                )
        exact = known[f"gaussian-{name}"].isel(train_time=-1)
        for part in OFF:
            if part not in exact.part:  # merged with its neighbor
                continue
            left = exact.test - exact.test_without.sel(part=part)
            share = float(left / (exact.test - 1 - exact.test_pair.sel(part="gen", other="gen")))
            ax.plot([k - 0.3, k + 0.3], [share, share], color=PART_LOOKS[part].color, linewidth=0.9)
    ax.set_xticks(range(len(cases)), [f"{a:g}\n{b:g}\n{t:g}" for a, b, t in map(_case, cases.values())])
    ax.text(-0.02, -0.045, "$\\psi_n$\n$\\psi_p$\n$t$", transform=ax.transAxes, va="top", ha="right")
    ax.set_ylabel("share of the late excess\nthat goes when the part is off")
    ax.axhline(0, color="black", linewidth=0.5)
    ax.axhline(1, color="black", linewidth=0.5)
    closed = next(k for k, result in enumerate(cases.values()) if _case(result) == (4, 16, 0.1))
    ax.axvline(closed - 0.5, color="black", linewidth=0.5, linestyle=(0, (4, 2)))
    ax.set_ylim(-0.06, 1.22)
    ax.text(closed - 0.6, 1.2, r"gap of mini open as $d\to\infty$", va="top", ha="right")
    ax.text(closed - 0.4, 1.2, "closed or nearly", va="top")
    handles = [
        Line2D([], [], color=PART_LOOKS[part].color, marker=PART_LOOKS[part].marker, linestyle="", label=f"{part} off")
        for part in OFF
    ]
    handles.append(Line2D([], [], color=MARKER_COLOR, label=r"$d\to\infty$"))
    for filled, words in ((True, "Gaussian-equivalent"), (False, "real model")):
        face = MARKER_COLOR if filled else "white"
        handles.append(Line2D([], [], color=MARKER_COLOR, marker="o", markerfacecolor=face, linestyle="", label=words))
    legend_above(ax, handles)


def _shares(ax: Axes, results: Results) -> None:
    """Each part's share of the fall of L_train that is not gen's, over d; lines: d → ∞."""
    at_d = {name: result for name, result in sampled(results).items() if "-d" in name}
    handles = []
    for part in OFF:
        look, rows = PART_LOOKS[part], []
        for result in at_d.values():
            falls = -result.train_part.isel(train_time=-1)
            values = (falls.sel(part=part) / falls.sel(part=list(OFF)).sum("part")).values
            rows.append((store.settings(result)["dim"], values.mean(), values.std(ddof=1) / np.sqrt(values.size)))
        d, mean, error = np.array(rows).T
        handles.append(ax.errorbar(d, mean, error, color=look.color, marker=look.marker, label=part).lines[0])
        limit = -limits(results)["gaussian-4-32-0.1"].train_part.isel(train_time=-1)
        share = float(limit.sel(part=part) / limit.sel(part=list(OFF)).sum("part"))
        ax.axhline(share, color=look.color, linestyle=(0, (4, 2)), linewidth=0.8)
    for handle, part in zip(handles, OFF, strict=True):
        handle.set_label(part)
    ax.set_xscale("log", base=2)
    ax.set_xticks(d, [f"{value:g}" for value in d])
    ax.set_xlabel("dimension $d$")
    ax.set_ylabel("share of the fall of $L_\\mathrm{train}$\nthat is not gen's")
    ax.set_ylim(-0.02, 1)
    handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=(0, (4, 2)), label=r"$d\to\infty$"))
    legend_above(ax, handles)


def directions(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.8)
    largest = max((name for name in sampled(results) if "-d" in name), key=lambda name: int(name.rpartition("-d")[2]))
    with styled(STYLE):
        _curves(axes[0, 0], results["gaussian-8-64-0.1"])
        _curves(axes[0, 1], results[largest])
        _removed(axes[1, 0], results)
        _shares(axes[1, 1], results)
        figure.suptitle(r"tanh, isotropic data, $m=\infty$, $\gamma=0$; means over seeds", x=0.01, ha="left")
    return figure


DRAW = {"overfitting-directions": directions}
