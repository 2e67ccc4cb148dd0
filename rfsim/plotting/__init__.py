"""Figures from stored results: panels `(ax, result)` that experiments reuse, and `plot`, which draws any result.

Reads datasets made by `rfsim.spectrum` and `rfsim.train`; computes nothing but histograms and means over seeds. The
only room that knows matplotlib, which it uses without pyplot and without touching its global settings.
"""

from rfsim.plotting.curves import energy_panel, family_panel, loss_panel
from rfsim.plotting.figures import plot, problem_line
from rfsim.plotting.layout import legend_above
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
    "loss_panel",
    "part_histograms",
    "part_legend",
    "plot",
    "problem_line",
    "save",
    "sequence",
    "spectrum_panel",
    "spectrum_strip",
    "style_of",
    "styled",
]
