"""How figures look: legends read row by row and hold every line, nothing hides another, and a column fits a page."""

from __future__ import annotations

import ast
import importlib.util
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

import rfsim
from rfsim import Problem, plotting
from rfsim.disk import store
from rfsim.plotting import canvas, families, legends, levels, samples, styled
from tests.distillation.synthetic import dataset
from tests.plotting.reading import faults, legends_of, read

FIGURES = Path(__file__).resolve().parents[2] / "figures"
TIMES = [*np.geomspace(0.1, 1e7, 40), np.inf]
PROBLEM = Problem(samples_per_dim=4, features_per_dim=8)
NAMES = ("tanh", "erf", "relu", "softplus", "sine", "hermite3", "linear", "gelu", "silu")


@pytest.fixture(scope="module")
def trained():
    return rfsim.train(PROBLEM, TIMES, dim=10, seeds=2)


@pytest.fixture(scope="module")
def limit(trained):
    """What figures read of the limit: one draw in its place, and a density of one interval in each part."""
    lam = np.geomspace(0.01, 0.03, 5)
    spectrum = xr.Dataset(
        {
            "density": ("eigenvalue", np.tile([0.0, 1.0, 2.0, 1.0, 0.0], 3)),
            "interval_lower": ("interval", [0.01, 0.1, 1.0]),
            "interval_upper": ("interval", [0.03, 0.3, 3.0]),
            "interval_part": ("interval", [0, 1, 2]),
            "mass": ("part", [0.1, 0.3, 0.1]),
            "lower": ("part", [0.01, 0.1, 1.0]),
            "upper": ("part", [0.03, 0.3, 3.0]),
        },
        {"eigenvalue": np.concatenate([lam, 10 * lam, 100 * lam]), "part": ["mini", "main", "gen"]},
    )
    curves = trained.isel(seed=0, drop=True)[["gen", "train", "test", "score", "tau_mem"]]
    return curves.merge(spectrum).assign_attrs(trained.attrs | {store.KIND: "theory-curves"})


@pytest.fixture(scope="module")
def distilled():
    return dataset(dim=10, seeds=2, levels=4, instability=True, transfer=True)


def figures(name):
    """DRAW of a file of figures/."""
    spec = importlib.util.spec_from_file_location(f"drawing_{name}", FIGURES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def dashes(line):
    """What tells a line from others without color: its pattern, in widths of the line."""
    return str(pattern(line)) if line.is_dashed() else line.get_linestyle()


def pattern(line):
    return line._unscaled_dash_pattern[1]


def contrast(one, other):
    """WCAG's contrast of two colors, 1 to 21."""

    def luminance(color):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# legends


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 9, 13])
def test_a_legend_is_read_row_by_row(count, width):
    figure, axes = canvas(width=width)
    labels = [f"entry {k} " + "x" * (3 * (k % 4)) for k in range(count)]
    with styled("paper"):
        legends.legend_above(axes[0, 0], [Line2D([], [], label=label) for label in labels])
        rows = legends.legend_below(figure, [Line2D([], [], label=label) for label in labels])
    assert [read(legend) for legend in legends_of(figure)] == [labels, labels]
    assert not faults(figure)
    assert rows == 1 or len(labels) > 2


def test_how_far_a_legend_rises_is_known_before_anything_is_drawn(trained):
    _, axes = canvas()
    with styled("paper"):
        rise = plotting.loss_panel(axes[0, 0], trained)
        assert legends.legend_rise(axes[0, 0]) == pytest.approx(rise, rel=0.15)
        assert legends.legend_rise(canvas()[1][0, 0]) == 0


LOOK = r"\b(dashed|dotted|solid|orange|gr[ae]y|black|white|hatched|lines?|marks|triangles)\b"


@pytest.mark.parametrize("file", sorted(FIGURES.glob("*.py")), ids=lambda file: file.stem)
def test_no_title_tells_what_a_line_looks_like(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    said -= {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
    assert not [text for text in said if re.search(LOOK + r"[^:;]{0,30}:", text)]


DOCUMENTED = (ast.Module, ast.FunctionDef, ast.ClassDef)


def families_drawn(trained, limit):
    """Figures of families of trainings and their limit, with a few results under the names of all."""
    both = {"": trained, "limit-": limit}
    times = {f"{kind}psi_n-{n}": one for kind, one in both.items() for n in (4, 8)}
    scales = {f"{kind}sigma_x-{x}-psi_n-{n}": one for kind, one in both.items() for x in (1, 2) for n in (4, 8)}
    activations = {f"{kind}{name}": one for kind, one in both.items() for name in NAMES}
    yield "b25-fig5", figures("11_memorization_time").losses(times)
    yield "b25-fig12", figures("14_data_scale").data_scale(scales)
    yield "activations", figures("19_activations").activations(activations)


@pytest.mark.slow
def test_families_tell_every_line_in_a_legend_and_only_once(trained, limit):
    for name, figure in families_drawn(trained, limit):
        assert not faults(figure), name
        told = [read(legend) for legend in legends_of(figure)]
        entries = list(itertools.chain(*told))
        assert len(set(entries)) == len(entries), name
        assert any(r"$d\to\infty$" in entry for entry in entries), name
        drawn = {dashes(line) for ax in figure.axes for line in ax.lines if len(line.get_xdata()) > 2}
        shown = {dashes(line) for legend in legends_of(figure) for line in legend.get_lines()}
        assert drawn <= shown, name
        if name == "b25-fig5":
            assert len(told) == 1
        if name == "activations":
            assert set(NAMES) <= set(entries)


# lines told apart


def test_what_has_no_order_is_told_apart_without_color():
    for count in (7, 9, 15):
        looks = plotting.categories(count)
        assert len({look.marker for look in looks}) == count
        assert len({(look.color, str(look.dash)) for look in looks}) == count
        assert max(contrast(look.color, "white") for look in looks) > 1.5
    with pytest.raises(ValueError, match="at most 15 lines are told apart in one panel; got 16"):
        plotting.categories(16)


def test_nine_activations_have_nine_looks_and_their_limits_the_same_markers(trained, limit):
    _, axes = canvas()
    ax = axes[0, 0]
    handles = plotting.family_panel(ax, dict.fromkeys(NAMES, trained), ordered=False)
    plotting.limit_losses(ax, dict.fromkeys(NAMES, limit), ordered=False)
    assert read(ax.get_legend()) == list(NAMES) == [one.get_label() for one in handles]
    mine, theirs = ax.lines[:9], ax.lines[9:]
    assert len({(line.get_color(), dashes(line), line.get_marker()) for line in mine}) == 9
    assert [line.get_marker() for line in mine] == [line.get_marker() for line in theirs]
    assert {line.get_fillstyle() for line in theirs} == {"none"}
    assert len({line.get_markevery()[0] for line in mine}) == 9  # equal curves show each other's markers
    with pytest.raises(ValueError, match="dashes tell losses or results apart, not both; got train, test"):
        plotting.family_panel(ax, {"a": trained}, ("train", "test"), ordered=False)


def test_lines_that_agree_show_each_other_and_their_bars(distilled):
    same = distilled.assign(suppression=distilled.suppression * 0 + 1.2)
    same.suppression[..., 0] += 0.5  # of one level: the range of all parts is the same
    for draw in (plotting.suppression_panel, plotting.level_panel):
        _, axes = canvas()
        draw(axes[0, 0], same)
        lines = [line for line in axes[0, 0].lines if line.get_label() in ("null", "mini", "main", "gen")]
        assert [line.get_label() for line in lines] == ["null", "mini", "main", "gen"]
        widths = [line.get_linewidth() for line in lines]
        assert np.all(np.diff(widths) < -0.1 * widths[-1])
        assert np.all(np.diff([line.get_markersize() for line in lines]) < 0)
        bars = [one for one in axes[0, 0].collections if one.get_segments()]
        places = {round(one.get_transform().transform((10.0, 1.2))[0], 3) for one in bars}
        assert len(places) == len(bars) >= 4
        assert not any(hasattr(one, "get_facecolor") and one.get_alpha() for one in axes[0, 0].collections)  # no bands


def test_bars_that_stand_aside_are_within_the_limits():
    _, axes = canvas()
    look = plotting.PART_LOOKS["mini"]
    found = samples.Bars(np.array([1.0, 2.0]), np.array([-7.0, 1.0]), np.array([1.0, 9.0]))
    with styled("paper"):
        samples.bars_line(axes[0, 0], np.array([1.0, 2.0]), found, look, "a", marker="o", place=samples.places(3)[0])
    low, high = axes[0, 0].get_ylim()
    assert low < -7
    assert high > 9


def test_numbers_on_a_transfer_matrix_stand_out_from_their_cells():
    for share in np.geomspace(1e-5, 1, 40):
        cell = levels.SHADES(levels.SHARES(max(share, levels.FAINTEST)))
        assert contrast(levels._legible(cell), cell[:3]) > 4.5
    wide = dataset(dim=10, seeds=2, levels=4, instability=True, transfer=True)
    figure = figures("32_leakage").DRAW["transfer"]({"memorized": wide})
    assert not faults(figure)
    assert "median share" in [ax.get_ylabel() for ax in figure.axes]


def test_the_frame_of_a_memorized_image_is_seen():
    drawing = figures("33_distilled_digits")
    _, axes = canvas(1, 2)
    for ax, framed in zip(axes[0], (True, False), strict=True):
        drawing._image(ax, np.full((8, 8), 16.0), framed=framed)
    memorized, other = (ax.spines["left"] for ax in axes[0])
    assert memorized.get_linewidth() >= 4 * other.get_linewidth()
    assert contrast(memorized.get_edgecolor(), "white") > 4.5
    assert memorized.get_position() == ("outward", 0.5 * memorized.get_linewidth())  # beside the image's dark pixels


def test_the_true_law_is_no_dotted_line_among_dotted_ones(distilled):
    for many in (False, True):
        _, axes = canvas()
        plotting.teachers_panel(axes[0, 0], {1e3: distilled, 1e8: distilled}, "frechet_per_dim", many=many)
        dotted = [line.get_label() for line in axes[0, 0].lines if line.is_dashed() and max(pattern(line)) <= 1]
        assert dotted == ["true law"]


def test_white_lines_are_seen_in_the_legend_on_paper():
    with styled("paper"):
        assert legends.on_colors("$p=n$").get_path_effects()
        assert not legends.on_colors("border", "#FF7F3F").get_path_effects()


# pages


@pytest.mark.parametrize("name", ["trained", "distilled"])
def test_a_figure_of_one_column_fits_a_page(name, request):
    result = request.getfixturevalue(name)
    figure = rfsim.plot(result, width="single")
    assert figure.get_figheight() * 2.54 < (26.5 if name == "distilled" else 24)  # A4 with its margins is 24.7
    assert not faults(figure)
    lowest = min(ax.get_window_extent().height for ax in figure.axes) * 72 / figure.dpi
    assert lowest > 7.5 * plotting.STYLES["paper"]["font.size"]
    labelled = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel()]
    assert len(labelled) < len(figure.axes)  # panels over one axis share its name


def test_spread_of_markers_is_over_the_points_of_each_line():
    look = {"color": "k", "marker": "o"}
    assert families.sparse(look, 0, 3, 40)["markevery"] == (0, 10)
    assert families.sparse(look, 2, 3, 2)["markevery"] == (0, 1)
    assert families.sparse({"color": "k"}, 0, 3, 40) == {"color": "k"}
