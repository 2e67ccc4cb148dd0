"""Whole figures: what `rfsim.plot` draws of a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from rfsim import store
from rfsim.data import is_array_spec
from rfsim.plotting.curves import energy_panel, loss_panel
from rfsim.plotting.layout import wrap
from rfsim.plotting.spectra import spectrum_panel
from rfsim.plotting.style import CENTIMETER, STYLES, Drawing, centimeters, ems, number, styled


def plot(result: xr.Dataset, *, style: str = "paper", width: str | float = "double") -> Drawing:
    """Draw a result: a spectrum on a log and on linear axes, or losses, gap, energies and spectrum of a training.

    A training by the Krylov route has losses and gap alone.

    style: paper, talk or screen; width: single (8.6 cm), double (17.8 cm) or cm. `rfsim.plotting.save` writes it.

    Raises ValueError for an unknown style or width and for a dataset that is neither kind of result.

    >>> import rfsim
    >>> figure = plot(rfsim.spectrum(rfsim.Problem(samples_per_dim=2, features_per_dim=4), dim=10))
    >>> [ax.get_xscale() for ax in figure.axes]
    ['log', 'linear', 'linear']
    """
    kind = result.attrs.get(store.KIND)
    if kind not in ("spectrum", "train"):
        raise ValueError(f"plot draws results of the kinds spectrum and train; got {kind or 'an unlabelled dataset'}")
    labelled = "eigenvalue" in result  # the Krylov route knows no single eigenvalue
    below = [str(name) for name in result.bulk.values if name != "gen"] if labelled else []
    wide = ems(style, width) >= 44
    if kind == "train":
        rows: list[Any] = [["losses", "gap"], ["energy", "log"]][: 2 if labelled else 1]
    else:
        rows = [["log", "log"], ["below" if below else "gen", "gen"]]
    if not wide:
        rows = [[name] for name in dict.fromkeys(name for row in rows for name in row)]
    size = STYLES[style]["font.size"]
    cell = ems(style, width) / len(rows[0])
    height = len(rows) * (max(9.0, (0.6 if wide else 0.5) * (cell - 6)) + 10) * size / CENTIMETER
    figure = Drawing(style, centimeters(width), height)
    with styled(style):
        axes = figure.subplot_mosaic(rows)
        line = wrap(problem_line(result), size, 0.96 * centimeters(width) * CENTIMETER)
        figure.suptitle(line, x=0.01, ha="left")
    if kind == "train":
        loss_panel(axes["losses"], result)
        loss_panel(axes["gap"], result, ("gen",), flags=("tau_mem",))
        if labelled:
            energy_panel(axes["energy"], result)
    else:
        spectrum_panel(axes["gen"], result, scale="linear", parts=("gen",))
        if below:
            spectrum_panel(axes["below"], result, scale="linear", parts=below)
    if labelled:
        spectrum_panel(axes["log"], result)
    return figure


def problem_line(result: xr.Dataset) -> list[str]:
    """What a result was made of, in the papers' symbols, as pieces of a title."""
    s = store.settings(result)
    name = str(s["data"])
    if "data_digest" in s:
        name = Path(name).name if is_array_spec(name) else "array"
    # file names may hold anything: what the fonts lack becomes "?", and "$" must not open mathtext
    name = name.encode("latin-1", "replace").decode("latin-1").replace("\n", " ")
    name = (name if len(name) <= 28 else name[:27] + "…").replace("$", r"\$")
    activation = s["activation"].rpartition(":")[2].replace("_", r"\_")
    seeds = f"seeds {s['seed']}–{s['seed'] + s['seeds'] - 1}" if s["seeds"] > 1 else f"seed {s['seed']}"
    return [
        rf"$\psi_n={number(s['samples_per_dim'])}$",
        rf"$\psi_p={number(s['features_per_dim'])}$",
        rf"$t={number(s['diffusion_time'])}$",
        rf"$m={number(s['noise_copies'])}$",
        rf"$\gamma={number(s['ridge'])}$",
        rf"$\sigma=\mathrm{{{activation}}}$",
        f"{name} data",
        rf"$d={s['dim']}$",
        seeds,
    ]
