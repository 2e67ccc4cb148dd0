"""The law of generated samples in the wide limit: its distance from the truth, and the variances of samples."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.disk import store
from rfsim.plotting.curves import MANY
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import MARKER_COLOR, MODEL_LOOKS, sequence
from rfsim.plotting.style import in_style, number

BAND = 0.2  # opacity
DOTS = (0, (1, 1))


@in_style
def generated_distance_panel(ax: Axes, result: xr.Dataset) -> None:
    """W2²/d of samples and truth against the teacher's training time; where Σ is not isotropic LV26's KL (W8).

    The sampler's steps, dashed one DDIM jump, and a line for the one-step student of each distillation time. A schedule
    that is each level's own has no training time: its values are marks.

    Args:
        ax: Axes to draw on.
        result: Of `theory.generated`.
    """
    result = ready(result, "frechet_per_dim", "kl_mean_per_dim")
    isotropic = bool(result.frechet_per_dim.notnull().any())
    name = "frechet_per_dim" if isotropic else "kl_mean_per_dim"
    settings = store.settings(result)
    teacher, early = MODEL_LOOKS["teacher"], MODEL_LOOKS["early_teacher"]
    looks = {
        "steps": (f"{settings['sampler']} steps", teacher.color, "-", "o"),
        "one_jump": ("one jump", early.color, early.dash, "s"),
    }
    drawn = [
        (label, result[name].sel(way=way).values, *look)
        for way, (label, *look) in looks.items()
        if way in result.way.values
    ]
    if "distill_time" in result.dims and "one_step" in result.student_way.values:
        students = ready(result, f"student_{name}")[f"student_{name}"]
        for color, one in zip(
            sequence(students.sizes["distill_time"]), students.sel(student_way="one_step"), strict=True
        ):
            time = _short(float(one.distill_time))
            drawn.append((rf"student, $\tau_\mathrm{{S}}={time}$", one.values, color, "-", "D"))
    handles = [
        _line(ax, result.train_time.values, values, label, color, dash, marker)
        for label, values, color, dash, marker in drawn
    ]
    ax.set_ylabel(r"$W_2^2/d$ to the true law" if isotropic else r"KL$/d$ to the mean law of samples")
    ax.set_yscale("log")
    legend_above(ax, handles)


@in_style
def generated_variance_panel(ax: Axes, result: xr.Dataset) -> None:
    """Mean variance of the sampler's samples, and where nine tenths and half of their covariance's eigenvalues lie.

    Args:
        ax: Axes to draw on.
        result: Of `theory.generated`.
    """
    result = ready(result, "variance_mean", "variance_quantile", "truth")
    if "steps" not in result.way.values:
        raise ValueError("this result has no way 'steps', the sampler's; draw the whole result")
    result = result.sel(way="steps")
    look, band = MODEL_LOOKS["teacher"], MODEL_LOOKS["early_teacher"].color
    handles = [_line(ax, result.train_time.values, result.variance_mean.values, "mean", look.color, "-", "o")]
    bounds = result.variance_quantile
    shown = _shown(result.train_time.values)
    for low, high in ((0.05, 0.95), (0.25, 0.75)):
        if not {low, high} <= set(bounds["quantile"].values.tolist()):
            continue
        ends = [bounds.sel(quantile=q).values for q in (low, high)]
        if shown.sum() > 1:
            order = np.argsort(result.train_time.values[shown])
            at = result.train_time.values[shown][order]
            ax.fill_between(at, *(end[shown][order] for end in ends), color=band, alpha=BAND, linewidth=0)
        elif np.isnan(result.train_time.values).any():
            x = ax.get_yaxis_transform()
            ax.plot([0.5, 0.5], [ends[0][0], ends[1][0]], color=band, alpha=0.5, linewidth=6, transform=x)
    for value in np.unique(result.truth.values):
        ax.axhline(value, color=MARKER_COLOR, linestyle=DOTS, zorder=0.5)
    handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=DOTS, label="true variance"))
    ax.set_yscale("log")
    ax.set_ylabel("variance of samples, 50% and 90%")
    legend_above(ax, handles)


def _line(
    ax: Axes, times: NDArray[np.float64], values: NDArray[np.float64], label: str, color: str, dash: object, marker: str
) -> Line2D:
    """On a log axis of train_time, its end at τ = ∞ a triangle on the right edge; marks where there is none."""
    handle = Line2D([], [], color=color, linestyle=dash, marker=marker, label=label)  # pyright: ignore[reportArgumentType]
    shown, ended = _shown(times), np.isinf(times)
    if shown.any():
        order = np.argsort(times[shown])
        ax.set_xscale("log")
        ax.set_xlabel(r"training time $\tau$ of the teacher")
        few = marker if shown.sum() < MANY else None
        ax.plot(times[shown][order], values[shown][order], color=color, linestyle=dash, marker=few)  # pyright: ignore[reportArgumentType]
    elif not ended.any():
        ax.set_xlabel("each level at its lowest test loss")
        ax.set_xticks([])
        ax.plot([0.5], values[:1], color=color, marker=marker, transform=ax.get_yaxis_transform())
    if ended.any():
        ax.plot([1], values[ended][:1], color=color, marker=">", transform=ax.get_yaxis_transform(), clip_on=False)
    return handle


def _shown(times: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(times) & (times > 0)


def _short(time: float) -> str:
    return r"\infty" if np.isinf(time) else number(time)
