"""The ridge minimizer beside noise-free inputs against the features: its losses, and how its denoiser errs."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rfsim.disk import store
from rfsim.plotting.curves import MANY
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import Flag, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, sequence
from rfsim.plotting.style import in_style

ERRORS = {"mean_error": "ME", "predictive_variance": "PV", "residual_error": "RE"}
MARKERS = ("o", "s", "D")
DOTS = (0, (1, 1))


@in_style
def condition_loss_panel(ax: Axes, result: xr.Dataset) -> None:
    """L_train and L_test of the ridge minimizer against ψ_p on log axes; dotted the true score's L_test (§13).

    Args:
        ax: Axes to draw on.
        result: Of `theory.conditions`.
    """
    names = ("train", "test")
    result = ready(result, *names, "true_test")
    handles = []
    for name in names:
        look = LOSS_LOOKS[name]
        handles += _line(ax, result, name, look.label, look.color, look.dash, look.marker)
    handles.append(_level(ax, float(result.true_test), MARKER_COLOR, "true score"))
    ax.set_ylabel("loss per dimension")
    _finish(ax, result, handles)


@in_style
def condition_error_panel(ax: Axes, result: xr.Dataset) -> None:
    """ME, PV and RE of the denoised x against ψ_p on log axes; dotted PV and RE of the true denoiser (§13).

    Args:
        ax: Axes to draw on.
        result: Of `theory.conditions`.
    """
    result = ready(result, *ERRORS, "true_predictive_variance", "true_residual_error")
    handles, colors = [], sequence(len(ERRORS))
    for color, marker, (name, label) in zip(colors, MARKERS, ERRORS.items(), strict=True):
        handles += _line(ax, result, name, label, color, "-", marker)
        if f"true_{name}" in result:
            _level(ax, float(result[f"true_{name}"]), color, "")
    handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=DOTS, label="true denoiser"))
    ax.set_ylabel("error per dimension")
    _finish(ax, result, handles)


def _line(ax: Axes, result: xr.Dataset, name: str, label: str, color: str, dash: object, marker: str) -> list[Line2D]:
    few = marker if result.sizes["feature_ratio"] < MANY else None
    how = {"label": label, "color": color, "linestyle": dash, "marker": few}
    return ax.plot(result.feature_ratio.values, result[name].values, **how)


def _level(ax: Axes, value: float, color: str, label: str) -> Line2D:
    return ax.axhline(value, color=color, linestyle=DOTS, zorder=0.5, label=label)


def _finish(ax: Axes, result: xr.Dataset, handles: list[Line2D]) -> None:
    """Log axes, and p = n flagged where it is among them."""
    ax.set(xscale="log", yscale="log", xlabel=r"features per dimension $\psi_p$")
    psi_n, psi_p = float(store.settings(result)["samples_per_dim"]), result.feature_ratio.values
    rise = flags_above(ax, [Flag(psi_n, "$p=n$", "-")]) if np.min(psi_p) < psi_n < np.max(psi_p) else 0.0
    legend_above(ax, handles, rise)
