"""What the figure of each kind of result consists of: its panels, and how they stand.

The catalog says which of these is whose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import xarray as xr
from matplotlib.axes import Axes

from rfsim.plotting.curves import energy_panel, loss_panel
from rfsim.plotting.density import density_panel
from rfsim.plotting.distill import quality_panel, steps_panel, suppression_panel
from rfsim.plotting.forms import ready
from rfsim.plotting.leakage import leakage_panel
from rfsim.plotting.limit import limit_spectrum_panel, ridge_panel
from rfsim.plotting.limit_conditions import condition_error_panel, condition_loss_panel
from rfsim.plotting.limit_distill import (
    STEPS,
    level_energy_panel,
    spread,
    step_instability_panel,
    step_leakage_panel,
    student_panel,
)
from rfsim.plotting.limit_generated import generated_distance_panel, generated_variance_panel
from rfsim.plotting.simulation import simulation_panel
from rfsim.plotting.spectra import spectrum_panel
from rfsim.plotting.splits import seen_panel, split_panel


class Page(NamedTuple):
    """Panels of a figure by name: their rows where the figure is wide, and what draws each."""

    rows: list[list[str]]
    panels: dict[str, Callable[[Axes], object]]


def spectrum(result: xr.Dataset) -> Page:
    """The eigenvalues of a sample, by part.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    return _spectrum_page(result, spectrum_panel)


def limit_spectrum(result: xr.Dataset) -> Page:
    """The density of the limit, by part.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    return _spectrum_page(result, limit_spectrum_panel)


def _spectrum_page(result: xr.Dataset, panel: Callable[..., object]) -> Page:
    names = [str(name) for name in ready(result, "mass").part.values]
    below, top = names[:-1], names[-1]
    panels: dict[str, Callable[[Axes], object]] = {
        "log": lambda ax: panel(ax, result),
        "top": lambda ax: panel(ax, result, scale="linear", parts=(top,)),
    }
    if below:
        panels["below"] = lambda ax: panel(ax, result, scale="linear", parts=below)
    return Page([["log", "log"], ["below" if below else "top", "top"]], panels)


def train(result: xr.Dataset) -> Page:
    """Losses and their gap over training time, and energies by part where they are known.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels = _losses(result)
    if not {"eigenvalue", "energy", "part"} & set(map(str, result.variables)):  # the Krylov route knows no parts
        return Page([["losses", "gap"]], panels)
    panels |= {"energy": lambda ax: energy_panel(ax, result), "log": lambda ax: spectrum_panel(ax, result)}
    return Page([["losses", "gap"], ["energy", "log"]], panels)


def limit_curves(result: xr.Dataset) -> Page:
    """Losses of the limit and their gap over training time, and energies by part where they are known.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels = _losses(result)
    if _known(result):
        panels["bias"] = lambda ax: loss_panel(ax, result, ("score", "bias2", "variance"), flags=())
    if "energy" in result:
        panels["energy"] = lambda ax: energy_panel(ax, result)
    panels["log"] = lambda ax: limit_spectrum_panel(ax, result)
    names = [*panels, *(["log"] if len(panels) % 2 else [])]
    return Page([names[k : k + 2] for k in range(0, len(names), 2)], panels)


def limit_ridge(result: xr.Dataset) -> Page:
    """Losses of the ridge minimizer over the ridge.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels: dict[str, Callable[[Axes], object]] = {
        "losses": lambda ax: ridge_panel(ax, result, ("train", "train_penalized", "test", "emp"))
    }
    if not _known(result):
        return Page([["losses", "losses"]], panels)
    panels["bias"] = lambda ax: ridge_panel(ax, result, ("bias2", "variance"))
    return Page([["losses", "bias"]], panels)


def limit_conditions(result: xr.Dataset) -> Page:
    """Losses and errors of the ridge minimizer beside inputs, over the features.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels: dict[str, Callable[[Axes], object]] = {
        "losses": lambda ax: condition_loss_panel(ax, result),
        "errors": lambda ax: condition_error_panel(ax, result),
    }
    return Page([["losses", "errors"]], panels)


def distill(result: xr.Dataset) -> Page:
    """Levels, suppression, quality of samples and leakage of a distillation.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    # the last row has the lines of the row above it, and so its legends
    panels: dict[str, Callable[[Axes], object]] = {
        "energy": lambda ax: suppression_panel(ax, result),
        "leakage": lambda ax: leakage_panel(ax, result),
        "memorized": lambda ax: quality_panel(ax, result),
        "memorized-steps": lambda ax: steps_panel(ax, result),
        "quality": lambda ax: quality_panel(ax, result, "frechet_per_dim", legend=False),
        "quality-steps": lambda ax: steps_panel(ax, result, "frechet_per_dim", legend=False),
    }
    if "split_teacher" in result:
        panels["split"] = lambda ax: split_panel(ax, result)
        panels["seen"] = lambda ax: seen_panel(ax, result)
    names = list(panels)
    return Page([names[k : k + 2] for k in range(0, len(names), 2)], panels)


def limit_distill(result: xr.Dataset) -> Page:
    """Leakage of steps, instability, and the students by level, of a distillation in the limit.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    result = ready(result, "leakage", "map_error")
    panels: dict[str, Callable[[Axes], object]] = {}
    for k in spread(result.sizes["step"], STEPS):
        step = int(result.step.values[k])
        panels[f"leakage-{step}"] = lambda ax, step=step: step_leakage_panel(ax, result, step)
        panels[f"energy-{step}"] = lambda ax, step=step: level_energy_panel(ax, result, step)
    panels["instability"] = lambda ax: step_instability_panel(ax, result)
    panels["test"] = lambda ax: student_panel(ax, result, "test")
    if result.map_error.notnull().any():
        panels["map"] = lambda ax: student_panel(ax, result, "map_error")
    names = list(panels)
    names += names[-1:] * (len(names) % 2)
    return Page([names[k : k + 2] for k in range(0, len(names), 2)], panels)


def limit_generated(result: xr.Dataset) -> Page:
    """How far generated samples are from the truth, and the spread of their variances, over training time or levels.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels: dict[str, Callable[[Axes], object]] = {
        "distance": lambda ax: generated_distance_panel(ax, result),
        "variance": lambda ax: generated_variance_panel(ax, result),
    }
    return Page([["distance", "variance"]], panels)


def simulate(result: xr.Dataset) -> Page:
    """Losses of stochastic training beside their filter, and their gap.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels: dict[str, Callable[[Axes], object]] = {
        "losses": lambda ax: simulation_panel(ax, result),
        "gap": lambda ax: simulation_panel(ax, result, ("gen",)),
    }
    return Page([["losses", "gap"]], panels)


def density(result: xr.Dataset) -> Page:
    """The density of a U that is only multiplied.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    return Page([["density"]], {"density": lambda ax: density_panel(ax, result)})


def _losses(result: xr.Dataset) -> dict[str, Callable[[Axes], object]]:
    return {
        "losses": lambda ax: loss_panel(ax, result),
        "gap": lambda ax: loss_panel(ax, result, ("gen",), flags=("tau_mem",)),
    }


def _known(result: xr.Dataset) -> bool:
    """Whether bias² and variance are defined."""
    return bool(ready(result, "bias2", "variance").bias2.notnull().any())
