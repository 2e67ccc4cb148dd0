"""Memorization, quality and membership over distill_time: a row for each data set, a line for each method and ridge."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, measured
from rfsim.disk import store
from rfsim.plotting import MODEL_LOOKS, canvas, categories, legend_below, measure_axis, styled

STYLE = "paper"
MEASURES = ("memorized_fraction", "sliced_wasserstein", "membership_auc")
DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))


def over_time(results: Results) -> Figure:
    variants = store.settings(next(iter(results.values())))["variants"]
    methods = list(dict.fromkeys(one.get("method", "consistency") for one in variants))
    ridges = sorted({float(one["ridge"]) for one in variants})
    looks = dict(zip(methods, categories(len(methods) + 1)[1:], strict=True))
    figure, axes = canvas(len(results), 3, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        for row, (data, result) in zip(axes, results.items(), strict=True):
            times = result.distill_time.values
            for ax, measure in zip(row, MEASURES, strict=True):
                teacher = measured(result, "teacher", measure).mean()
                ax.axhline(teacher, color=MODEL_LOOKS["teacher"].color, linewidth=0.8)
                for one, name in zip(variants, result.variant.values, strict=True):
                    look = looks[one.get("method", "consistency")]
                    values = [measured(result, "student", measure, variant=name, distill_time=t).mean() for t in times]
                    dash = DASHES[ridges.index(float(one["ridge"]))]
                    ax.plot(times, values, color=look.color, linestyle=dash, marker=look.marker, markersize=3)
                ax.set_xscale("log")
                ax.set_xlabel(r"distillation time $\tau_S$")
                measure_axis(ax, measure)
            row[0].set_title(data, loc="left")
        handles = [Line2D([], [], color=look.color, marker=look.marker, label=name) for name, look in looks.items()]
        handles += [
            Line2D([], [], color="black", linestyle=dash, label=rf"$\gamma={ridge:g}$")
            for ridge, dash in zip(ridges, DASHES, strict=True)
        ]
        handles.append(Line2D([], [], color=MODEL_LOOKS["teacher"].color, label="teacher, all steps"))
        legend_below(figure, handles)
    return figure


DRAW = {"transfer-over-time": over_time}
