"""Spectra of U for anisotropic populations, as stacks of strips; spectrum, losses and onset for mixtures."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, limits, sampled
from rfsim.disk import store
from rfsim.learning.timescales import mini_eigenvalue
from rfsim.plotting import (
    canvas,
    family_panel,
    legend_below,
    limit_handle,
    limit_losses,
    part_legend,
    problem_line,
    spectrum_strip,
    styled,
)
from rfsim.problem.diffusion import noise_variance, total_variance
from rfsim.problem.populations import read

STYLE = "paper"


def _mini_marks(result: xr.Dataset) -> np.ndarray:
    """Where mini lies at large ψ for every level l of Σ."""
    told = store.settings(result)
    t, psi_n, psi_p = (told[name] for name in ("diffusion_time", "samples_per_dim", "features_per_dim"))
    levels = np.unique(read(told["data"]).law(told["dim"]).variances)
    share = noise_variance(t) / np.array([total_variance(float(level), t) for level in levels])
    return mini_eigenvalue(result, psi_n, psi_p, share)


def _name(result: xr.Dataset) -> str:
    told = store.settings(result)
    kind, _, argument = told["data"].partition(":")
    if kind == "subspace":
        return f"subspace of {round(float(argument) * told['dim'])} directions"
    return {"atoms": "two atoms, $l=0.5, 1.5$", "powerlaw": rf"power law, $l_k\propto k^{{-{argument}}}$"}.get(
        kind, kind
    )


def anisotropic(results: Results) -> Figure:
    columns: dict[float, dict[str, xr.Dataset]] = {}
    known = limits(results)
    for label, result in sampled(results).items():
        if not label.startswith("mixture"):
            columns.setdefault(store.settings(result)["diffusion_time"], {})[label] = result
    rows = len(next(iter(columns.values())))
    figure, axes = canvas(rows, 2, style=STYLE, width="double", aspect=0.19)
    for column, (t, shown) in zip(axes.T, columns.items(), strict=True):
        lam = np.concatenate([result.eigenvalue.values.ravel() for result in shown.values()])
        ends = (0.8 * lam.min(), 1.25 * lam.max())
        for ax, (label, result) in zip(column, shown.items(), strict=True):
            spectrum_strip(ax, result, _name(result), ends, marks=_mini_marks(result), limit=known[label])
            if ax is not column[-1]:
                ax.tick_params(axis="x", which="both", labelbottom=False)
        column[-1].set_xlabel(rf"eigenvalue $\lambda$ of $U$, $t={t:g}$")
        part_legend(column[0], next(iter(shown.values())))
    with styled(STYLE):
        figure.supylabel(r"$\lambda\,\rho(\lambda)$ (mass per $\ln\lambda$)")
        line = problem_line(result)
        shared = [line[0], line[1], *line[5:6], *line[7:]]
        figure.suptitle(", ".join(shared), x=0.01, ha="left")
        label = r"mini at large $\psi$, for each $l$ of $\Sigma$"
        mark = Line2D([], [], color="black", marker="^", markersize=2.5, linestyle="", label=label)
        legend_below(figure, [limit_handle(dash="-"), mark])
    return figure


def mixtures(results: Results) -> Figure:
    family, known = (
        {
            f"separation {label.removeprefix('mixture-')}": result
            for label, result in found.items()
            if label.startswith("mixture")
        }
        for found in (sampled(results), limits(results))
    )
    figure, axes = canvas(3, 2, style=STYLE, width="double", aspect=0.42)
    lam = np.concatenate([result.eigenvalue.values.ravel() for result in family.values()])
    for ax, (name, result) in zip(axes[:, 0], family.items(), strict=True):
        spectrum_strip(ax, result, name, (0.8 * lam.min(), 1.25 * lam.max()), limit=known[name])
        if ax is not axes[-1, 0]:
            ax.tick_params(axis="x", which="both", labelbottom=False)
    part_legend(axes[0, 0], result)
    losses, score, onset = axes[:, 1]
    family_panel(losses, family, ("train", "test"))
    losses.set_ylabel("loss per dimension")
    family_panel(score, family, ("score",), legend=False)
    # two means are one direction of d: all separations have one limit
    one = next(iter(known.values()))
    for ax, name in ((losses, "train"), (losses, "test"), (score, "score")):
        limit_losses(ax, one, name)
    score.set_yscale("log")
    family_panel(onset, family, ("gen",), scale_time="mini", relative=True, legend=False)
    limit_losses(onset, one, scale_time="mini", relative=True)
    onset.set_xlim(1e-3, 1e2)
    with styled(STYLE):
        onset.set_ylabel(r"$L_\mathrm{gen}(\tau)/L_\mathrm{gen}(\infty)$")
        axes[-1, 0].set_xlabel(r"eigenvalue $\lambda$ of $U$")
        axes[1, 0].set_ylabel(r"$\lambda\,\rho(\lambda)$ (mass per $\ln\lambda$)")
        line = problem_line(next(iter(family.values())))
        figure.suptitle(", ".join([*line[:6], *line[7:]]), x=0.01, ha="left")
        legend_below(figure, [limit_handle("density", dash="-"), limit_handle("losses")])
    return figure


DRAW = {"anisotropic": anisotropic, "mixtures": mixtures}
