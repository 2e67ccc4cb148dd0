"""How far consistency training is from two distillations over the number of levels, and what all three memorize."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rfsim.claims import Results, measured
from rfsim.disk import store
from rfsim.plotting import (
    MODEL_LOOKS,
    canvas,
    categories,
    legend_below,
    log_axis,
    measure_axis,
    places,
    problem_line,
    seeds_line,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
NAMES = {
    "consistency-training": "consistency training",
    "empirical-teacher": "distillation, empirical score",
    "consistency": "distillation, memorized features",
}


def empirical(results: Results) -> Figure:
    family = dict(sorted((int(name.removeprefix("levels-")), one) for name, one in results.items()))
    levels, several = list(family), list(family.values())
    methods = [one.get("method", "consistency") for one in store.settings(several[0])["variants"]]
    looks = dict(zip(methods, categories(4)[1:], strict=True))
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        for method, place in zip(methods[1:], places(2), strict=True):
            rows = np.array([_apart(one, methods, method) for one in several])
            look = looks[method]._replace(label=NAMES[method])
            seeds_line(axes[0, 0], levels, rows, look, place=place)
        log_axis(axes[0, 0], "y")
        axes[0, 0].set_ylabel("gap to training")
        for ax, measure in zip(axes[0, 1:], ("memorized_fraction", "sliced_wasserstein"), strict=True):
            rows = np.array([measured(one, "teacher", measure) for one in several])
            own = MODEL_LOOKS["teacher"]._replace(label="memorized features, all steps")
            handles = [seeds_line(ax, levels, rows, own)]
            for method, place in zip(methods, places(3), strict=True):
                for many, dash in ((False, (0, (4, 2))), (True, "-")):
                    rows = np.array([_samples(one, methods.index(method), measure, many) for one in several])
                    name = f"{NAMES[method]}, {'all steps' if many else '1 step'}"
                    line = seeds_line(ax, levels, rows, looks[method]._replace(label=name, dash=dash), place=place)
                    line.set_fillstyle("full" if many else "none")
                    handles.append(line)
            measure_axis(ax, measure)
        for ax in axes[0]:
            ax.set_xscale("log", base=2)
            ax.set_xticks(levels, [str(one) for one in levels])
            ax.minorticks_off()
            ax.set_xlabel("levels $N$")
        legend_below(figure, handles)
        left_out = ("levels", r"\gamma", "from")
        pieces = [one for one in problem_line(several[0]) if not any(word in one for word in left_out)]
        time = number(float(several[0].distill_time[-1]))
        figure.suptitle(", ".join([*pieces, rf"$\tau_S={time}$"]), x=0.01, ha="left")
    return figure


def _apart(result, methods: list[str], method: str) -> np.ndarray:
    """Mean square gap of one-step samples, over those of consistency training."""
    found = result.student_sample.isel(distill_time=-1)
    one, other = (found.isel(variant=methods.index(name)) for name in (methods[0], method))
    rest = ("sample", "coordinate")
    return (((one - other) ** 2).mean(rest) / (one**2).mean(rest)).values


def _samples(result, variant: int, measure: str, many: bool) -> np.ndarray:
    asked = {"steps": int(result.steps.max())} if many else {}
    name = result.variant.values[variant]
    return measured(result, "student_steps" if many else "student", measure, variant=name, **asked)


DRAW = {"empirical-teacher": empirical}
