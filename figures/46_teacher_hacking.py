"""Golden loss against proxy, both over distill_time, and the proxy's local exponent, at two levels."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import canvas, categories, legend_below, log_axis, problem_line, styled

STYLE = "paper"
NEAR = 1e-4  # of the first proxy: from there on the student is its teacher, and comes nearer exponentially
NAMES = {"offline": "offline", "noise-online": "same points, fresh noise", "population": "fresh points"}


def hacking(results: Results) -> Figure:
    result = results["hacking"]
    methods = [one["method"].removeprefix("score:") for one in store.settings(result)["variants"]]
    times, level = result.distill_time.values, int(result.level[0])
    own = result.sel(level=level)
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    handles = []
    with styled(STYLE):
        for number, (name, look) in enumerate(zip(methods, categories(len(methods)), strict=True)):
            proxy, golden = (
                own[key].isel(variant=number).mean("seed").values for key in ("student_proxy", "student_test")
            )
            drawn = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "markevery": (2 * number, 6)}
            handles += axes[0, 0].plot(times, golden, label=NAMES[name], **drawn)
            axes[0, 1].plot(proxy, golden, **drawn)
            middle = np.sqrt(times[1:] * times[:-1])
            slope = -np.diff(np.log(proxy)) / np.diff(np.log(times))
            axes[0, 2].plot(middle, np.where(proxy[1:] > NEAR * proxy.max(), slope, np.nan), **drawn)
        level_of_teacher = float(own.teacher_test.mean("seed"))
        for ax in axes[0, :2]:
            ax.axhline(level_of_teacher, color="black", linewidth=0.5)
            log_axis(ax, "y")
            ax.set_ylabel(r"golden: $L_\mathrm{test}$")
        for ax in (axes[0, 0], axes[0, 2]):
            ax.set_xscale("log")
            ax.set_xlabel(r"distillation time $\tau_S$")
        axes[0, 1].set_xscale("log")
        axes[0, 1].invert_xaxis()
        axes[0, 1].set_xlim(right=NEAR * float(own.student_proxy.max()))
        axes[0, 1].set_xlabel("proxy: distance from the teacher")
        axes[0, 2].set_ylabel("local exponent of the proxy")
        legend_below(figure, handles)
        pieces = [one for one in problem_line(result) if r"\gamma" not in one and "from" not in one]
        figure.suptitle(", ".join([*pieces, f"$t={result.diffusion_time.values[level]:.3g}$"]), x=0.01, ha="left")
    return figure


DRAW = {"teacher-hacking": hacking}
