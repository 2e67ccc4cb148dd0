"""How each quantity is drawn, everywhere: labels, dashes, markers, and colors that survive grey print."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.colors import to_hex


class Look(NamedTuple):
    """How one quantity is drawn, everywhere.

    Attributes:
        label: In legends, mathtext.
        color: In hexadecimal.
        dash: A matplotlib line style.
        marker: A matplotlib marker.
    """

    label: str
    color: str
    dash: Any
    marker: str


# Okabe & Ito's hues, shifted to lightness L* = 0, 32, 48, 64, 81 so that grey print keeps the parts apart.
PART_LOOKS = {
    "zero": Look("zero", "#000000", (0, (1, 1)), "v"),
    "null": Look("null", "#C8C8C8", (0, (4, 1, 1, 1, 1, 1)), "s"),
    "mini": Look("mini", "#C04F00", "-", "o"),
    "main": Look("main", "#3FA4DC", (0, (5, 1.5)), "D"),
    "gen": Look("gen", "#00507F", (0, (6, 1.5, 1, 1.5)), "^"),
}


LOSS_LOOKS = {
    "train": Look(r"$L_\mathrm{train}$", "#00684C", "-", "o"),
    "test": Look(r"$L_\mathrm{test}$", "#B5568C", (0, (5, 1.5)), "s"),
    "score": Look(r"$E_\mathrm{score}$", "#E69F00", (0, (6, 1.5, 1, 1.5)), "^"),
    "gen": Look(r"$L_\mathrm{gen}$", "#000000", "-", "D"),
    "train_penalized": Look(r"$L_\mathrm{train}+\mathrm{penalty}$", "#A8D5BC", (0, (3, 1)), "v"),
    "emp": Look(r"$L_\mathrm{emp}$", "#3FA4DC", (0, (1, 1)), "x"),
    "bias2": Look(r"$B^2$", "#00507F", "-", "o"),
    "variance": Look(r"$V$", "#C04F00", (0, (5, 1.5)), "s"),
}


# what samples come from, told apart like the parts; L* = 0, 32, 48, 64, 81
MODEL_LOOKS = {
    "teacher": Look("teacher", "#000000", "-", "o"),
    "early_teacher": Look("early teacher", "#00507F", (0, (6, 1.5, 1, 1.5)), "s"),
    "student": Look("student", "#C04F00", "-", "D"),
    "early_student": Look("early student", "#3FA4DC", (0, (6, 1.5, 1, 1.5)), "v"),
    "regression": Look("regression", "#C9C94F", (0, (5, 1.5)), "^"),
    "reference": Look("true law", "#666666", (0, (1, 1)), "x"),
}


MARKER_COLOR = "#666666"


def part_look(name: str) -> Look:
    """The look of a part; parts that merge in the limit ("mini+main") have that of the highest."""
    return PART_LOOKS[name.rpartition("+")[2]]._replace(label=name)


def sequence(k: int) -> list[str]:
    """Colors for an ordered family of curves (ψ_n, say), dark to light with even steps in lightness.

    Args:
        k: How many.

    Returns:
        Colors in hexadecimal.

    Raises:
        ValueError: For fewer than one.

    >>> sequence(3)
    ['#440154', '#26828e', '#b0dd2f']
    """
    if k < 1:
        raise ValueError(f"a sequence needs at least one color; got {k}")
    # viridis is even in lightness; its last tenth is too light for a line on white
    return [to_hex(color) for color in matplotlib.colormaps["viridis"](np.linspace(0, 0.88, k))]
