"""Adam at several n: losses against steps and L_gen against steps/n, with fresh noise and with noise averaged."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, adam_clock, final_gap
from rfsim.disk import store
from rfsim.plotting import (
    LOSS_LOOKS,
    MARKER_COLOR,
    canvas,
    legend_below,
    problem_line,
    sequence,
    simulation_family,
    styled,
)

STYLE = "paper"
KINDS = {"fresh": "fresh noise", "averaged": "noise averaged"}
DOTS = (0, (1, 1))


def adam(results: Results) -> Figure:
    figure, axes = canvas(2, 3, style=STYLE, width="double", aspect=0.95)
    flows = _family(results, "flow")
    with styled(STYLE):
        for row, kind in zip(axes, KINDS, strict=True):
            found = _family(results, kind)
            unit = {label: float(final_gap(flows[label]).mean()) for label in found}
            _losses(row[0], found)
            for ax, clock in zip(row[1:], ("step", "step_per_sample"), strict=True):
                simulation_family(ax, found, "gen", clock=clock, unit=unit, legend=False)
                if kind == "fresh":
                    _foretold(ax, found, flows, unit, per_sample=clock != "step")
                ax.axhline(0.25, color="black", linewidth=0.5)
                ax.set_yscale("log")
                ax.set_ylim(1e-3, 1.5)
                ax.set_ylabel(r"$L_\mathrm{gen}/L_\mathrm{gen}(\tau=\infty)$")
            row[0].set_title(_how(next(iter(found.values())), kind), loc="left")
        lines = [
            *_lines(list(flows)),
            Line2D([], [], color=MARKER_COLOR, linestyle=DOTS, label="flow, on Adam's clock"),
        ]
        lines += [
            Line2D([], [], color=MARKER_COLOR, linestyle=LOSS_LOOKS[name].dash, label=LOSS_LOOKS[name].label)
            for name in ("train", "test")
        ]
        legend_below(figure, lines)
        pieces = problem_line(next(iter(flows.values())))[1:]
        figure.suptitle(", ".join(["Adam", *pieces]), x=0.01, ha="left")
    return figure


def _family(results: Results, kind: str) -> dict[str, xr.Dataset]:
    return {
        rf"$\psi_n={name.removeprefix(kind + '-')}$": one
        for name, one in results.items()
        if name.startswith(kind + "-")
    }


def _how(result: xr.Dataset, kind: str) -> str:
    s = store.settings(result)
    return rf"{KINDS[kind]}, batch {s['batch']}, rate {s['rate']:g}"


def _lines(labels: list[str]) -> list[Line2D]:
    return [
        Line2D([], [], color=color, label=label) for label, color in zip(labels, sequence(len(labels)), strict=True)
    ]


def _losses(ax: Axes, found: dict[str, xr.Dataset]) -> None:
    """L_train and L_test, told apart by dash."""
    simulation_family(ax, found, "train", legend=False)
    for line, result in zip(_lines(list(found)), found.values(), strict=True):
        later = result.step.values > 0
        test = result.test.values.mean(0)[later]
        ax.plot(result.step.values[later], test, color=line.get_color(), linestyle=LOSS_LOOKS["test"].dash)
    ax.set_ylim(0, 3)
    ax.set_ylabel(r"$L_\mathrm{train}$, $L_\mathrm{test}$ per dimension")


def _foretold(
    ax: Axes, found: dict[str, xr.Dataset], flows: dict[str, xr.Dataset], unit: dict[str, float], *, per_sample: bool
) -> None:
    """L_gen of the flow at the steps at which Adam should be there."""
    for line, (label, result) in zip(_lines(list(found)), found.items(), strict=True):
        flow = flows[label]
        steps = adam_clock(result, flow) / (store.settings(result)["n"] if per_sample else 1)
        shown = (steps > ax.get_xlim()[0]) & (steps < ax.get_xlim()[1])
        gen = flow.gen.values.mean(0)[:-1] / unit[label]
        ax.plot(steps[shown], gen[shown], color=line.get_color(), linestyle=DOTS)


DRAW = {"b25-fig15": adam}
