"""Figures from stored results: panels `(ax, result)` that experiments reuse, and `plot`, which draws any result.

Reads datasets made by `rfsim.spectrum`, `rfsim.train` and `rfsim.theory`; computes nothing but histograms and means
over seeds. The only room that knows matplotlib, which it uses without pyplot and without touching its settings.
"""

from rfsim.plotting.curves import energy_panel, family_panel, loss_panel
from rfsim.plotting.figures import plot, problem_line
from rfsim.plotting.layout import legend_above
from rfsim.plotting.limit import DOTS, DOTTED, limit_density, limit_losses, limit_spectrum_panel, ridge_panel
from rfsim.plotting.multiples import collapse_grid, part_legend, spectrum_strip
from rfsim.plotting.spectra import Histograms, part_histograms, spectrum_panel
from rfsim.plotting.style import (
    LOSS_LOOKS,
    MARKER_COLOR,
    PART_LOOKS,
    STYLES,
    WIDTHS,
    Drawing,
    Look,
    canvas,
    centimeters,
    save,
    sequence,
    style_of,
    styled,
)

__all__ = [
    "DOTS",
    "DOTTED",
    "LOSS_LOOKS",
    "MARKER_COLOR",
    "PART_LOOKS",
    "STYLES",
    "WIDTHS",
    "Drawing",
    "Histograms",
    "Look",
    "canvas",
    "centimeters",
    "collapse_grid",
    "energy_panel",
    "family_panel",
    "legend_above",
    "limit_density",
    "limit_losses",
    "limit_spectrum_panel",
    "loss_panel",
    "part_histograms",
    "part_legend",
    "plot",
    "problem_line",
    "ridge_panel",
    "save",
    "sequence",
    "spectrum_panel",
    "spectrum_strip",
    "style_of",
    "styled",
]
