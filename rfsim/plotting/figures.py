"""Whole figures: what `rfsim.plot` draws of a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, Unpack

import xarray as xr
from matplotlib.axes import Axes

from rfsim import store
from rfsim.data import file_of, moved
from rfsim.plotting.curves import energy_panel, loss_panel
from rfsim.plotting.density import density_panel
from rfsim.plotting.distill import leakage_panel, quality_panel, steps_panel, suppression_panel
from rfsim.plotting.layout import wrap
from rfsim.plotting.limit import limit_spectrum_panel, ridge_panel
from rfsim.plotting.simulation import simulation_panel
from rfsim.plotting.spectra import spectrum_panel
from rfsim.plotting.style import CENTIMETER, STYLES, Drawing, centimeters, ems, number, styled
from rfsim.plotting.sweep import sweep_figure
from rfsim.sweeps.views import KIND as SWEEP


def plot(result: xr.Dataset, *, style: str = "paper", width: str | float = "double", **asked: Unpack[Asked]) -> Drawing:
    """Draw a result, of a sample or of the limit: a spectrum on a log and on linear axes; losses, gap, energies and
    spectrum of a training (losses and gap alone by the Krylov route), or bias² and variance; losses against the ridge;
    energies, leakage and samples of a distillation; losses and gap of a simulation against steps; a density by
    stochastic Lanczos; a sweep as a map over two axes or as curves along one.

    style: paper, talk or screen; width: single (8.6 cm), double (17.8 cm) or cm. `rfsim.plotting.save` writes it.

    asked, for sweeps only (`rfsim.sweeps.views.view`): x and y, the axes of a map, or x alone for curves; quantity, a
    variable (`gen`, `tau_mem[formula]`); facet, an axis of panels, or of curves; at, axis → value, for other axes; else
    seeds are averaged and the last value is taken, as the title says; contours, such as ["gen=0.1",
    "tau_mem=train_time"]; over, another sweep whose same quantity is drawn dashed.

    Raises ValueError for an unknown style or width, for a dataset that is none of these, and for what a sweep lacks.

    >>> import rfsim
    >>> figure = plot(rfsim.spectrum(rfsim.Problem(samples_per_dim=2, features_per_dim=4), dim=10))
    >>> [ax.get_xscale() for ax in figure.axes]
    ['log', 'linear', 'linear']
    """
    kind = result.attrs.get(store.KIND)
    if kind == SWEEP:
        return sweep_figure(result, style=style, width=width, **asked)
    if kind not in PAGES:
        kinds = ", ".join([*PAGES, SWEEP])
        raise ValueError(f"plot draws results of the kinds {kinds}; got {kind or 'an unlabelled dataset'}")
    if asked:
        raise ValueError(f"{', '.join(asked)} choose what is drawn of a sweep; this is a result of the kind {kind}")
    wide = ems(style, width) >= 44
    rows, panels, margins = PAGES[kind](result)
    if not wide:
        rows = [[name] for name in dict.fromkeys(name for row in rows for name in row)]
    size = STYLES[style]["font.size"]
    cell = ems(style, width) / len(rows[0])
    height = len(rows) * (max(9.0, (0.6 if wide else 0.5) * (cell - 6)) + margins) * size / CENTIMETER
    figure = Drawing(style, centimeters(width), height)
    with styled(style):
        axes = figure.subplot_mosaic([list(row) for row in rows])
        line = wrap(problem_line(result), size, 0.96 * centimeters(width) * CENTIMETER)
        figure.suptitle(line, x=0.01, ha="left")
    for name, panel in panels.items():
        panel(axes[name])
    return figure


class Asked(TypedDict, total=False):
    """What is drawn of a sweep."""

    x: str | None
    y: str | None
    quantity: str | None
    facet: str | None
    at: Mapping[str, Any] | None
    contours: Sequence[str]
    over: xr.Dataset | None


class Page(NamedTuple):
    """Panels of a figure by name: their rows where the figure is wide, what draws each, and the height of legends and
    labels in units of the font size."""

    rows: list[list[str]]
    panels: dict[str, Callable[[Axes], object]]
    margins: float = 10.0


def _spectrum(result: xr.Dataset) -> Page:
    return _spectrum_page(result, spectrum_panel)


def _limit_spectrum(result: xr.Dataset) -> Page:
    return _spectrum_page(result, limit_spectrum_panel)


def _spectrum_page(result: xr.Dataset, panel: Callable[..., object]) -> Page:
    names = [str(name) for name in result.bulk.values]
    below, top = names[:-1], names[-1]
    panels: dict[str, Callable[[Axes], object]] = {
        "log": lambda ax: panel(ax, result),
        "top": lambda ax: panel(ax, result, scale="linear", parts=(top,)),
    }
    if below:
        panels["below"] = lambda ax: panel(ax, result, scale="linear", parts=below)
    return Page([["log", "log"], ["below" if below else "top", "top"]], panels)


def _train(result: xr.Dataset) -> Page:
    panels = _losses(result)
    if "eigenvalue" not in result:  # the Krylov route knows no single eigenvalue
        return Page([["losses", "gap"]], panels)
    panels |= {"energy": lambda ax: energy_panel(ax, result), "log": lambda ax: spectrum_panel(ax, result)}
    return Page([["losses", "gap"], ["energy", "log"]], panels)


def _limit_curves(result: xr.Dataset) -> Page:
    panels = _losses(result)
    if _known(result):
        panels["bias"] = lambda ax: loss_panel(ax, result, ("score", "bias2", "variance"), flags=())
    if "energy" in result:
        panels["energy"] = lambda ax: energy_panel(ax, result)
    panels["log"] = lambda ax: limit_spectrum_panel(ax, result)
    names = [*panels, *(["log"] if len(panels) % 2 else [])]
    return Page([names[k : k + 2] for k in range(0, len(names), 2)], panels)


def _limit_ridge(result: xr.Dataset) -> Page:
    panels: dict[str, Callable[[Axes], object]] = {
        "losses": lambda ax: ridge_panel(ax, result, ("train", "train_penalized", "test", "emp"))
    }
    if not _known(result):
        return Page([["losses", "losses"]], panels)
    panels["bias"] = lambda ax: ridge_panel(ax, result, ("bias2", "variance"))
    return Page([["losses", "bias"]], panels)


def _distill(result: xr.Dataset) -> Page:
    panels: dict[str, Callable[[Axes], object]] = {
        "energy": lambda ax: suppression_panel(ax, result),
        "leakage": lambda ax: leakage_panel(ax, result),
        "memorized": lambda ax: quality_panel(ax, result),
        "memorized-steps": lambda ax: steps_panel(ax, result),
        "quality": lambda ax: quality_panel(ax, result, "frechet_per_dim"),
        "quality-steps": lambda ax: steps_panel(ax, result, "frechet_per_dim"),
    }
    names = list(panels)
    return Page([names[k : k + 2] for k in range(0, len(names), 2)], panels, margins=12.0)


def _simulate(result: xr.Dataset) -> Page:
    panels: dict[str, Callable[[Axes], object]] = {
        "losses": lambda ax: simulation_panel(ax, result),
        "gap": lambda ax: simulation_panel(ax, result, ("gen",)),
    }
    return Page([["losses", "gap"]], panels)


def _density(result: xr.Dataset) -> Page:
    return Page([["density"]], {"density": lambda ax: density_panel(ax, result)})


def _losses(result: xr.Dataset) -> dict[str, Callable[[Axes], object]]:
    return {
        "losses": lambda ax: loss_panel(ax, result),
        "gap": lambda ax: loss_panel(ax, result, ("gen",), flags=("tau_mem",)),
    }


def _known(result: xr.Dataset) -> bool:
    """Whether bias² and variance are defined."""
    return bool(result.bias2.notnull().any())


PAGES: dict[str, Callable[[xr.Dataset], Page]] = {
    "spectrum": _spectrum,
    "train": _train,
    "theory-spectrum": _limit_spectrum,
    "theory-curves": _limit_curves,
    "theory-ridge": _limit_ridge,
    "distill": _distill,
    "simulate": _simulate,
    "density": _density,
}


def problem_line(result: xr.Dataset) -> list[str]:
    """What a result was made of, in the papers' symbols, as pieces of a title."""
    s = store.settings(result)
    name = str(s["data"])
    name = name if (path := file_of(name)) is None else moved(name, Path(path.name)).removeprefix("eigenvalues:")
    # file names may hold anything: what the fonts lack becomes "?", and "$" must not open mathtext
    name = name.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    name = (name if len(name) <= 28 else name[:27] + "…").replace("$", r"\$")
    activation = s["activation"].rpartition(":")[2].replace("_", r"\_")
    if "dim" in s:
        seeds = f"seeds {s['seed']}–{s['seed'] + s['seeds'] - 1}" if s["seeds"] > 1 else f"seed {s['seed']}"
        sizes = [rf"$d={s['dim']}$", seeds]
    else:
        sizes = [r"$d\to\infty$"]
    return [
        rf"$\psi_n={number(s['samples_per_dim'])}$",
        rf"$\psi_p={number(s['features_per_dim'])}$",
        *([rf"$t={number(s['diffusion_time'])}$"] if "diffusion_time" in s else _levels(s)),
        rf"$m={number(s['noise_copies'])}$",
        *([rf"$\gamma={number(s['ridge'])}$"] if "ridge" in s else []),
        *(_steps(result, s) if "optimizer" in s else []),
        rf"$\sigma=\mathrm{{{activation}}}$",
        f"{name} data",
        *sizes,
    ]


def _steps(result: xr.Dataset, s: dict[str, Any]) -> list[str]:
    """What a simulation descends by."""
    name = s["optimizer"].replace("_", r"\_")
    average = [f"EMA {number(s['ema'])}"] if s["ema"] else []
    return [rf"{name}, $\eta={float(result.rate):.3g}$", f"batch {s['batch']}, {s['noise']} noise", *average]


def _levels(s: dict[str, Any]) -> list[str]:
    """The diffusion times of a distillation, its teacher and its first student."""
    student = s["variants"][0]
    return [
        rf"$t={number(s['time_min'])}$–${number(s['time_max'])}$ in {s['levels']} levels",
        rf"teacher $\tau={number(s['teacher_time'])}$",
        f"{student['parameterization']} from {student['start']}",
    ]
