"""The figure of `rfsim.advise`: losses of the limit and of samples, and the times that are answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR
from rfsim.plotting.pages import Page
from rfsim.plotting.style import in_style

MARKED = {0: ("generalizes", ":"), 2: ("stop", "-"), 1: ("memorizes", "--")}  # questions: words and dashes
LOSSES = "train", "test"
MOST = 4  # panels
EVERY = 4  # times, of which the samples' losses are drawn
HIGHEST = 3.0  # of the axis: what a training to the end loses at small t would leave nothing else to see


def page(result: xr.Dataset) -> Page:
    """A panel for each of the first diffusion times.

    Args:
        result: Of `rfsim.advise`.

    Returns:
        Its panels.
    """
    count = min(MOST, result.sizes["diffusion_time"])
    names = [f"advice {k}" for k in range(count)]
    panels: dict[str, Callable[[Axes], object]] = {
        name: partial(advice_panel, result=result, number=k) for k, name in enumerate(names)
    }
    shown = [*names, *names[-1:] * (count % 2)]  # the last of an odd number is as wide as two
    return Page([shown[k : k + 2] for k in range(0, len(shown), 2)], panels)


@in_style
def advice_panel(ax: Axes, result: xr.Dataset, number: int = 0) -> None:
    """Losses against training time at one diffusion time, with when to stop and when it memorizes.

    Args:
        ax: Where to draw.
        result: Of `rfsim.advise`.
        number: Of the diffusion time.
    """
    one = result.isel(diffusion_time=number)
    tau, mean = one.train_time.values, one.sample_test.values
    error = np.nan_to_num(one.sample_test_error.values)
    handles: list[Any] = []
    for name in LOSSES:
        look = LOSS_LOOKS[name]
        handles += ax.plot(tau, one[name], color=look.color, linestyle=look.dash, label=f"{look.label}, limit")
    if not np.array_equal(one.test.values, one.check_test.values):
        own = {"color": LOSS_LOOKS["test"].color, "linestyle": (0, (1, 1)), "label": "at the samples' size"}
        handles += ax.plot(tau, one.check_test, **own)
    ax.errorbar(tau[::EVERY], mean[::EVERY], error[::EVERY], color=MARKER_COLOR, linestyle="none", marker=".")
    handles.append(Line2D([], [], color=MARKER_COLOR, linestyle="none", marker=".", label="samples"))
    for question, (words, dash) in MARKED.items():
        at = float(one.value[question])
        if np.isfinite(at):
            handles.append(ax.axvline(at, color="0.4", linestyle=dash, linewidth=0.8, label=words))
    highest = np.nanmax(np.concatenate([one.test.values, mean, [1.0]]))
    ax.set(xscale="log", xlim=(tau[0], tau[-1]), ylim=(0, min(1.05 * highest, HIGHEST)))
    ax.set(xlabel=rf"training time $\tau$, at $t={float(one.diffusion_time):g}$", ylabel="loss per dimension")
    legend_above(ax, handles)
