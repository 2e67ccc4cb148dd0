"""Whom teacher, baseline and students memorize, shares of these sets, and the two-sample test of one-step students."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import canvas, categories, legend_below, log_axis, problem_line, styled

STYLE = "paper"
SHARES = (
    ("student", "baseline", "of the\nbaseline's"),
    ("all", "student", "shared\nwith both"),
    ("student and teacher alone", "teacher alone", "inherited"),
)
PUBLISHED = ((0.13, 0.48), (0.70, 0.957), (0.009, 0.009))
MODELS = {
    "reference": "truth",
    "early_teacher": "early",
    "teacher": "T",
    "teacher_one": "T, 1",
    "student": "S, 1",
}


def _known(result, method: int, name: str) -> np.ndarray:
    """Points of all seeds by audited level."""
    found = result.audit_count.isel(variant=method, distill_time=-1).sel(audited=name)
    return found.sum("seed", skipna=False).dropna("level").values


def _memorized(ax: Axes, result, methods: list[str]) -> list:
    levels = result.teacher_loss_auc.isel(seed=0).dropna("level").level.values
    times = result.diffusion_time.values[levels]
    points = result.audit_count.attrs["training_points"] * result.sizes["seed"]
    handles = []
    names = ["teacher", "baseline", *methods]
    for name, look in zip(names, categories(len(names)), strict=True):
        method = methods.index(name) if name in methods else 0
        rows = _known(result, method, name if name in ("teacher", "baseline") else "student") / points
        label = {"score:noise-online": "soft", "score:population": "soft, fresh points"}.get(name, name)
        drawn = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "label": label}
        handles += ax.plot(times, rows, **drawn)
    ax.axhline(result.audit_count.attrs["quantile"], color="black", linewidth=0.5)
    log_axis(ax, "x")
    ax.set_yscale("symlog", linthresh=0.005)
    ax.set_ylim(0, 1.5)
    ax.set_xlabel("diffusion time $t$")
    ax.set_ylabel("share memorized")
    return handles


def _shares(ax: Axes, result, methods: list[str]) -> None:
    looks = categories(len(methods) + 2)[2:]
    for place, ((part, whole, _), (low, high)) in enumerate(zip(SHARES, PUBLISHED, strict=True)):
        ax.fill_between([place - 0.4, place + 0.4], [low, low], [high, high], color="0.8", linewidth=2, edgecolor="0.8")
        for number, look in enumerate(looks):
            of = _known(result, number, whole).sum()
            if of:
                value = _known(result, number, part).sum() / of
                ax.plot(place + 0.15 * (number - 1.5), value, color=look.color, marker=look.marker, linestyle="none")
    ax.set_xticks(range(len(SHARES)), [label for *_, label in SHARES])
    ax.set_xlim(-0.6, 2.6)
    ax.set_ylabel("share of training points")


def _tests(ax: Axes, result) -> None:
    for place, name in enumerate(MODELS):
        found = result[f"{name}_two_sample"].sel(two_sample="z")
        values = (found.isel(variant=0, distill_time=-1) if name == "student" else found).values
        ax.plot(np.full(len(values), place), values, color="0.6", marker="o", linestyle="none", markersize=3)
        if len(values) > 1:
            error = values.std(ddof=1) / np.sqrt(len(values))
            ax.errorbar(place, values.mean(), error, color="black", marker="D", capsize=3)
    ax.axhline(0, color="black", linewidth=0.5)
    ax.set_xticks(range(len(MODELS)), list(MODELS.values()))
    ax.set_xlabel("of teacher T, student S (1: in one step)")
    ax.set_ylabel("$z$ of the two-sample test")


def audits(results: Results) -> Figure:
    result = results["smaller"]
    methods = [one.get("method", "consistency") for one in store.settings(result)["variants"]]
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        handles = _memorized(axes[0, 0], result, methods)
        _shares(axes[0, 1], result, methods)
        _tests(axes[0, 2], results["one-step"])
        legend_below(figure, [*handles, Patch(color="0.8", label="Borkar et al.")])
        pieces = [one for one in problem_line(result) if r"\gamma" not in one and "from" not in one]
        figure.suptitle(", ".join(pieces), x=0.01, ha="left")
    return figure


DRAW = {"audits": audits}
