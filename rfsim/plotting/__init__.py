"""Figures from stored results: panels `(ax, result)` that experiments reuse, and `plot`, which draws any result.

Reads datasets made by `rfsim.spectrum`, `rfsim.train`, `rfsim.theory`, `rfsim.distill`, `rfsim.simulate` and
`rfsim.sweep`; computes nothing but histograms and means over seeds. The only room that knows matplotlib, which it uses
without pyplot and without touching its settings.
"""

from rfsim.plotting import backend  # noqa: F401 - before anything of matplotlib
from rfsim.plotting.cloud import cloud_legend, cloud_panel
from rfsim.plotting.curves import energy_panel, loss_panel
from rfsim.plotting.distill import (
    bars,
    quality_panel,
    steps_panel,
    suppression_panel,
    teachers_panel,
)
from rfsim.plotting.drawing import Drawing, canvas, save
from rfsim.plotting.families import categories, family_panel
from rfsim.plotting.figures import plot, problem_line
from rfsim.plotting.layout import plain, plain_text, wrap
from rfsim.plotting.leakage import leakage_panel
from rfsim.plotting.learned import Moving, learned_panel, marked_loss_panel
from rfsim.plotting.legends import legend_above, legend_below, on_colors
from rfsim.plotting.levels import instability_panel, level_panel, transfer_bar, transfer_panel
from rfsim.plotting.limit import DOTS, limit_density, limit_handle, limit_losses, limit_spectrum_panel, ridge_panel
from rfsim.plotting.limit_distill import (
    level_energy_panel,
    step_instability_panel,
    step_leakage_panel,
    student_panel,
)
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, MODEL_LOOKS, PART_LOOKS, Look, sequence
from rfsim.plotting.multiples import collapse_grid, part_legend, spectrum_strip
from rfsim.plotting.planes import BORDER_COLOR, color_bar, diagonal, plane_line, plane_panel
from rfsim.plotting.samples import log_axis, measure_axis, places, ridge_axis, seeds_line
from rfsim.plotting.simulation import simulation_family, simulation_panel
from rfsim.plotting.spectra import Histograms, part_histograms, spectrum_panel
from rfsim.plotting.style import STYLES, WIDTHS, centimeters, style_of, styled
from rfsim.plotting.sweep import sweep_figure
from rfsim.plotting.sweep_maps import mark_handles

__all__ = [
    "BORDER_COLOR",
    "DOTS",
    "LOSS_LOOKS",
    "MARKER_COLOR",
    "MODEL_LOOKS",
    "PART_LOOKS",
    "STYLES",
    "WIDTHS",
    "Drawing",
    "Histograms",
    "Look",
    "Moving",
    "bars",
    "canvas",
    "categories",
    "centimeters",
    "cloud_legend",
    "cloud_panel",
    "collapse_grid",
    "color_bar",
    "diagonal",
    "energy_panel",
    "family_panel",
    "instability_panel",
    "leakage_panel",
    "learned_panel",
    "legend_above",
    "legend_below",
    "level_energy_panel",
    "level_panel",
    "limit_density",
    "limit_handle",
    "limit_losses",
    "limit_spectrum_panel",
    "log_axis",
    "loss_panel",
    "mark_handles",
    "marked_loss_panel",
    "measure_axis",
    "on_colors",
    "part_histograms",
    "part_legend",
    "places",
    "plain",
    "plain_text",
    "plane_line",
    "plane_panel",
    "plot",
    "problem_line",
    "quality_panel",
    "ridge_axis",
    "ridge_panel",
    "save",
    "seeds_line",
    "sequence",
    "simulation_family",
    "simulation_panel",
    "spectrum_panel",
    "spectrum_strip",
    "step_instability_panel",
    "step_leakage_panel",
    "steps_panel",
    "student_panel",
    "style_of",
    "styled",
    "suppression_panel",
    "sweep_figure",
    "teachers_panel",
    "transfer_bar",
    "transfer_panel",
    "wrap",
]
