"""Losses of samples less their limit: L_test against 1/d with the lines fitted, and |difference| against d."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Approach, Results, approach
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, MARKER_COLOR, canvas, legend_below, problem_line, styled
from rfsim.plotting.style import number

STYLE = "paper"


class Marks(NamedTuple):
    """How a model is told apart: its name, the filling of its markers, the line fitted to them."""

    name: str
    fill: Any
    dash: Any


MODELS = {"real": Marks("tanh", "full", "-"), "gaussian": Marks("Gaussian-equivalent", "none", (0, (4, 2)))}
LOSSES = ("test", "train")
LATE = 2  # the last of the three times


def _found(results: Results, case: str, model: str, loss: str) -> Approach:
    labels = [name for name in results if name.startswith(f"{case}-{model}-d")]
    samples = [results[name] for name in sorted(labels, key=lambda name: int(name.rpartition("-d")[2]))]
    return approach(results[f"{case}-theory"], samples, loss, LATE)


def _name(results: Results, case: str) -> str:
    told = store.settings(results[f"{case}-theory"])
    values = r"\Sigma=I" if told["data"] == "isotropic" else r"\Sigma:\ l=0.5, 1.5"
    m, ridge, when = (number(value) for value in (told["noise_copies"], told["ridge"], told["train_times"][LATE]))
    return f"${values}$, $m={m}$, $\\gamma={ridge}$\n{told['trainer']}, $\\tau={when}$"


def _values(ax: Axes, found: dict[str, Approach]) -> None:
    """L_test less its limit, in hundredths, against 1/d, and what the fitted line leaves at d = ∞."""
    look = LOSS_LOOKS["test"]
    for model, one in found.items():
        (slope, _), (rest, error) = one.line
        x = np.array([0, 1.08 / one.dims.min()])
        style = {"color": look.color, "marker": look.marker, "fillstyle": MODELS[model].fill, "capsize": 1.5}
        ax.plot(
            x,
            100 * (rest + slope * x),
            color=look.color,
            linewidth=0.6,
            linestyle="-" if model == "real" else (0, (4, 2)),
        )
        ax.errorbar(1 / one.dims, 100 * one.mean, 100 * one.error, linestyle="", **style)
        ax.errorbar(
            [0], [100 * rest], [100 * error], linestyle="", **(style | {"marker": "_", "color": "black"}), zorder=3
        )
    ax.axhline(0, color="black", linewidth=0.5)
    dims = next(iter(found.values())).dims
    ax.set_xticks([0, *1 / dims], [r"$\infty$", *map(str, dims)])
    ax.set_xlim(-0.06 / dims.min(), 1.12 / dims.min())
    ax.set_xlabel("$d$, linear in $1/d$")


def _sizes(ax: Axes, found: dict[str, dict[str, Approach]]) -> None:
    """|difference| from the limit against d, for both losses and models, each with its line 1/d."""
    for loss, models in found.items():
        look = LOSS_LOOKS[loss]
        for model, one in models.items():
            size = np.abs(one.mean)
            ax.errorbar(
                one.dims,
                size,
                np.minimum(one.error, 0.9 * size),
                color=look.color,
                marker=look.marker,
                fillstyle=MODELS[model].fill,
                linestyle="",
                capsize=1.5,
            )
            coefficient = np.exp(np.average(np.log(size * one.dims), weights=(size / one.error) ** 2))
            ax.plot(one.dims, coefficient / one.dims, color=look.color, linewidth=0.6, linestyle=MODELS[model].dash)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(one.dims, [f"{d}" for d in one.dims])
    ax.set_xticks([], minor=True)
    ax.yaxis.set_major_locator(LogLocator(10, numticks=6))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("dimension $d$")


def limit(results: Results) -> Figure:
    cases = [name.removesuffix("-theory") for name in results if name.endswith("-theory")]
    figure, axes = canvas(2, len(cases), style=STYLE, width="double", aspect=1.15)
    with styled(STYLE):
        for column, case in zip(axes.T, cases, strict=True):
            found = {loss: {model: _found(results, case, model, loss) for model in MODELS} for loss in LOSSES}
            _values(column[0], found["test"])
            column[0].set_title(_name(results, case), loc="left")
            _sizes(column[1], found)
        axes[0, 0].set_ylabel(r"$10^2\,[L_\mathrm{test}(d)-L_\mathrm{test}(\infty)]$")
        axes[1, 0].set_ylabel(r"$|L(d)-L(\infty)|$")
        handles = [
            Line2D(
                [], [], color=look.color, marker=look.marker, fillstyle=model.fill, linestyle=model.dash, linewidth=0.6,
                label=f"{look.label}, {model.name}",
            )
            for look in (LOSS_LOOKS[loss] for loss in LOSSES)
            for model in MODELS.values()
        ]  # fmt: skip
        handles.append(Line2D([], [], color=MARKER_COLOR, linewidth=0.6, label="fitted $1/d$"))
        rest = {"color": "black", "marker": "_", "linestyle": "", "label": r"what it leaves at $d=\infty$"}
        legend_below(figure, [*handles, Line2D([], [], **rest)])
        shared = ", ".join(problem_line(next(one for name, one in results.items() if "-real-d" in name))[:3])
        figure.suptitle(f"{shared}; means over seeds less the limit", x=0.01, ha="left")
    return figure


DRAW = {"limit-approach": limit}
