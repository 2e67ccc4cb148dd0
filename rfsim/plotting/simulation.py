"""Losses of stochastic training against steps, beside the filter that describes their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.disk import store
from rfsim.plotting.curves import rows, time_limits
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, sequence
from rfsim.plotting.style import in_style

CLOCKS = {
    "step": "step $k$",
    "step_per_sample": "$k/n$, steps over samples",
    "train_time": r"training time $\tau=k\eta/d^2$",
}
BAND = 0.25
FILTER = (0, (1, 1))
HIGH = 10.0  # ten times the zero score's loss: what runs off beyond it would leave nothing else to see


@in_style
def simulation_panel(
    ax: Axes, result: xr.Dataset, quantities: Sequence[str] = ("train", "test"), *, clock: str = "step"
) -> None:
    """Losses of a simulation, mean over seeds with a band of one standard error; the filter's are dotted (§3).

    Step 0 has no place on the log axis and is left out.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.simulate`.
        quantities: Of train, test and gen.
        clock: "step", "step_per_sample" (k/n) or "train_time".

    Raises:
        ValueError: For another clock, an unknown loss and a result that is no simulation.
    """
    if unknown := [name for name in quantities if name not in ("train", "test", "gen")]:
        raise ValueError(f"a simulation has the losses train, test and gen; got {unknown[0]!r}")
    result = _held(result, quantities)
    times, later = clock_of(result, clock)
    handles = [_curve(ax, times, rows(result[name])[:, later], **_look(name)) for name in quantities]
    exact = _filter(result)
    shown = [name for name in quantities if name in exact]
    for name in shown:
        color = LOSS_LOOKS[name].color
        ax.plot(times, exact[name][later], color=color, linestyle=FILTER, linewidth=2 * handles[0].get_linewidth())
    if shown:
        handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=FILTER, label="filter"))
    _axes(ax, times, clock)
    ax.set_ylabel(r"$L_\mathrm{gen}$ per dimension" if tuple(quantities) == ("gen",) else "loss per dimension")
    legend_above(ax, handles)


@in_style
def simulation_family(
    ax: Axes,
    results: Mapping[str, xr.Dataset],
    quantity: str = "gen",
    *,
    clock: str = "step",
    unit: Mapping[str, float] | None = None,
    exact: bool = False,
    legend: bool = True,
) -> None:
    """One loss of several simulations, a color per result, dark to light (§3).

    Args:
        ax: Axes to draw on.
        results: Of `rfsim.simulate` by their label in the legend.
        quantity: The loss.
        clock: As in `simulation_panel`.
        unit: By the same labels, what each one's loss is divided by.
        exact: Also draw the filter's, dotted, of the first result.
        legend: Whether to draw it.

    Raises:
        ValueError: For another clock, and for a result that is no simulation.
    """
    handles, ends = [], []
    results = {label: _held(result, (quantity,)) for label, result in results.items()}
    for color, (label, result) in zip(sequence(len(results)), results.items(), strict=True):
        times, later = clock_of(result, clock)
        values = rows(result[quantity])[:, later] / (unit[label] if unit else 1)
        handles.append(_curve(ax, times, values, color=color, linestyle="-", label=label))
        ends.append(times[[0, -1]])
    first = next(iter(results.values()))
    if exact and (known := _filter(first)):
        times, later = clock_of(first, clock)
        (line,) = ax.plot(times, known[quantity][later], color=MARKER_COLOR, linestyle=FILTER, label="filter")
        handles.append(line)
    _axes(ax, np.concatenate(ends), clock)
    ax.set_ylabel(f"{LOSS_LOOKS[quantity].label} per dimension")
    if legend:
        legend_above(ax, handles)


def clock_of(result: xr.Dataset, clock: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values of the clock after step 0, and where these are among the steps."""
    if result.attrs.get(store.KIND) != "simulate":
        raise ValueError("steps are those of a result of rfsim.simulate")
    if clock not in CLOCKS:
        raise ValueError(f"clock must be one of {', '.join(CLOCKS)}; got {clock!r}")
    later = result.step.values > 0
    times = result.train_time.values if clock == "train_time" else result.step.values.astype(float)
    return times[later] / (store.settings(result)["n"] if clock == "step_per_sample" else 1), later


def _curve(ax: Axes, times: NDArray, values: NDArray, **look: object) -> Line2D:
    """Mean over seeds, and one standard error of it where there are several."""
    mean = values.mean(0)
    (line,) = ax.plot(times, mean, **look)  # type: ignore[arg-type]
    if len(values) > 1:
        error = values.std(0, ddof=1) / np.sqrt(len(values))
        ax.fill_between(times, mean - error, mean + error, color=line.get_color(), alpha=BAND, linewidth=0)
    return line


def _held(result: xr.Dataset, quantities: Sequence[str]) -> xr.Dataset:
    known = (*quantities, "exact_train", "exact_test", "train_time")
    return ready(result, *(known if result.attrs.get(store.KIND) == "simulate" else ()))


def _look(name: str) -> dict[str, object]:
    look = LOSS_LOOKS[name]
    return {"color": look.color, "linestyle": "-", "label": look.label}


def _filter(result: xr.Dataset) -> dict[str, NDArray[np.float64]]:
    """The filter's losses where there are any, mean over seeds."""
    if not result.exact_train.notnull().any():
        return {}
    found = {name: rows(result[f"exact_{name}"]).mean(0) for name in ("train", "test")}
    return found | {"gen": found["test"] - found["train"]}


def _axes(ax: Axes, times: NDArray[np.float64], clock: str) -> None:
    ax.set_xscale("log")
    time_limits(ax, times)
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in ax.lines])
    if np.any(np.abs(values) > HIGH):
        near = np.append(values[np.abs(values) <= HIGH], [0, 1])  # the zero score's loss is there in any case
        margin = ax.get_ymargin() * np.ptp(near)
        ax.set_ylim(near.min() - margin, near.max() + margin)
    ax.set_xlabel(CLOCKS[clock])
