"""The density of a U that is only multiplied, by stochastic Lanczos quadrature, smoothed."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import part_look
from rfsim.plotting.style import in_style

LOWEST = 1e-6  # of mass per ln λ: what smoothing leaves far from every node is below


@in_style
def density_panel(ax: Axes, result: xr.Dataset) -> None:
    """Density of a U that is only multiplied: mass per unit ln λ on log axes, mean over seeds, colored by part.

    The legend gives each mass with its standard error over probes. Nodes are spread over `density_width` in ln λ, which
    the axis says.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.density`.

    Raises:
        ValueError: For a density at one eigenvalue.
    """
    result = ready(result, "density", "density_width", "mass", "mass_error", "mass_from", "mass_to")
    lam, height = result.eigenvalue.values, result.density.mean("seed").values
    if lam.size < 2:
        raise ValueError("a density is drawn over two eigenvalues or more; one is selected")
    handles = []
    for name in (str(one) for one in result.part.values):
        part, color = result.sel(part=name), part_look(name).color
        inside = (lam >= float(part.mass_from)) & (lam < float(part.mass_to))
        ax.fill_between(lam, height, LOWEST, where=inside.tolist(), color=color, linewidth=0)
        mass, error = float(part["mass"].mean("seed")), float(np.sqrt((part.mass_error**2).mean() / part.sizes["seed"]))
        handles.append(Patch(color=color, label=rf"{name} ${mass:.3g}\pm{error:.1g}$", linewidth=0))
    density_line(ax, result, color="#222222", width=0.5)
    ax.set(xscale="log", yscale="log", ylim=(0.3 * _smallest(result), 2 * height.max()), xlim=(lam[0], lam[-1]))
    ax.set_xlabel(r"eigenvalue $\lambda$ of $U$")
    ax.set_ylabel(rf"$\lambda\,\rho(\lambda)$, spread over {float(result.density_width):g} in $\ln\lambda$")
    legend_above(ax, handles, handle_length=1.4)


def density_line(ax: Axes, result: xr.Dataset, *, color: str = "black", width: float = 0.8, **look: Any) -> Line2D:
    """The smoothed density alone, as a line.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.density`.
        color: Of the line.
        width: Over a line's own.
        **look: Further settings of the line.

    Returns:
        The line.
    """
    result = ready(result, "density")
    width *= matplotlib.rcParams["lines.linewidth"]
    height = result.density.mean("seed").values
    shown = np.where(height > LOWEST, height, np.nan)
    (line,) = ax.plot(result.eigenvalue.values, shown, color=color, linewidth=width, **look)
    return line


def _smallest(result: xr.Dataset) -> float:
    """What the smallest part would be per ln λ, were it spread over one unit."""
    return max(float(result["mass"].mean("seed").min()), LOWEST)
