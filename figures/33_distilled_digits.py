"""Teachers of digits and their students over training time; generated images beside their nearest training images."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.distillation.memorization import RATIO
from rfsim.plotting import canvas, legend_below, problem_line, styled, teachers_panel
from rfsim.plotting.style import number
from rfsim.problem import populations

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein")
MEMORIZED = "teacher-1e+08"
COLUMNS = 6  # of each kind of start
FRAME = {"color": "#C04F00", "linewidth": 2.5}  # of memorized samples


def _components(results: Results) -> list[int]:
    return sorted({int(name.split("-")[1]) for name in results if name.startswith("digits-")})


def _family(results: Results, components: int) -> dict[float, xr.Dataset]:
    start = f"digits-{components}-teacher-"
    return {float(name.removeprefix(start)): one for name, one in results.items() if name.startswith(start)}


def teachers(results: Results) -> Figure:
    counts = _components(results)
    figure, axes = canvas(2 * len(counts), 3, style=STYLE, width="double", aspect=0.85)
    with styled(STYLE):
        for place, count in enumerate(counts):
            family = _family(results, count)
            most = int(next(iter(family.values())).steps.max())
            for row, many in zip(axes[2 * place : 2 * place + 2], (False, True), strict=True):
                for ax, measure in zip(row, MEASURES, strict=True):
                    teachers_panel(ax, family, measure, many=many)
                row[0].set_title(f"digits:{count}, {f'{most} steps' if many else '1 step'}", loc="left")
        for ax in axes[:-1].flat:
            ax.set_xlabel("")
        legend_below(figure, axes[0, 0].get_legend_handles_labels()[0])
        kept = ("t=", "m=", "gamma", "sigma", "seed", "from")
        pieces = [one for one in problem_line(next(iter(results.values()))) if any(word in one for word in kept)]
        figure.suptitle(f"8 × 8 digits, {', '.join(pieces)}", x=0.01, ha="left")
    return figure


def _nearest(samples: NDArray, points: NDArray) -> tuple[NDArray, NDArray]:
    """For each sample the index of the nearest training point, and its distance over that of the second nearest."""
    distances = np.linalg.norm(samples[:, None] - points, axis=-1)
    order = np.argsort(distances, axis=1)
    first, second = (np.take_along_axis(distances, order[:, [k]], axis=1)[:, 0] for k in (0, 1))
    return order[:, 0], first / second


def _image(ax: Axes, image: NDArray, *, framed: bool) -> None:
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=16)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(visible=True, **(FRAME if framed else {"color": "#C8C8C8", "linewidth": 0.5}))
        if framed:  # whole beside the image, whose dark pixels would hide it
            spine.set_position(("outward", 0.5 * FRAME["linewidth"]))


def images(results: Results) -> Figure:
    counts = _components(results)
    figure, axes = canvas(4 * len(counts), 2 * COLUMNS, style=STYLE, width="double", aspect=1.1)
    with styled(STYLE):
        framed = [
            _block(axes[4 * place : 4 * place + 4], results[f"digits-{count}-{MEMORIZED}"], count)
            for place, count in enumerate(counts)
        ]
        result = results[f"digits-{counts[0]}-{MEMORIZED}"]
        time = number(float(result.distill_time[-1]))
        words = [
            "The memorized teacher's first samples (left) and those nearest to training images (right);",
            f"below, its one-step student's, $\\tau_S={time}$, from the same noise",
        ]
        who = f"nearest training image at less than {RATIO:.2g} of the distance of the second"
        label = f"memorized: {who}" if any(framed) else f"none is memorized, which is: {who}"
        frame = Patch(facecolor="white", edgecolor=FRAME["color"], linewidth=FRAME["linewidth"], label=label)
        legend_below(figure, [frame], handle_length=1.2)
        figure.suptitle("\n".join(words), x=0.01, ha="left")
    return figure


def _block(axes: np.ndarray, result: xr.Dataset, count: int) -> int:
    """Rows: teacher's samples, their nearest training images, the student's, theirs; returns how many are framed."""
    own = result.isel(seed=0, variant=0, distill_time=-1)
    data, points = populations.read(store.settings(result)["data"]), own.training_point.values
    by_model = [own[f"{name}_sample"].transpose("sample", "coordinate").values for name in ("teacher", "student")]
    _, ratio = _nearest(by_model[0], points)
    closest = [k for k in np.argsort(ratio) if k >= COLUMNS][:COLUMNS]
    shown = [*range(COLUMNS), *closest]
    memorized = 0
    for pair, samples, name in zip((axes[:2], axes[2:]), by_model, ("teacher", "student"), strict=True):
        nearest, ratio = _nearest(samples[shown], points)
        memorized += int(np.sum(ratio < RATIO))
        for row, values, words, framed in (
            (pair[0], samples[shown], name, ratio < RATIO),
            (pair[1], points[nearest], "nearest", np.zeros_like(ratio)),
        ):
            for ax, image, one in zip(row, data.images(values), framed, strict=True):
                _image(ax, image, framed=bool(one))
            row[0].set_ylabel(words)
    axes[0, 0].set_title(f"digits:{count}", loc="left")
    return memorized


DRAW = {"digits-distillation": teachers, "digits-images": images}
