"""Figures of sweeps: what is drawn is what is stored, what is missing is marked, every choice is said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import rfsim
from rfsim import plotting
from rfsim.maps.views import view
from rfsim.plotting import STYLES
from rfsim.plotting.sweep import sweep_title
from rfsim.plotting.sweep_axes import assigned, scale_of, words
from tests.sweeps.synthetic import coordinate, labelled, marked, sampled, theory

MAP = {"x": "samples_per_dim", "y": "features_per_dim"}


@pytest.fixture(scope="module")
def data():
    every = range(3)
    return marked(
        sampled(),
        {0: [(0, 0, k) for k in every], 2: [(4, 3, k) for k in every], 3: [*((2, 1, k) for k in every), (3, 1, 0)]},
    )


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def drawn_texts(figure):
    """All texts but the labels of ticks beyond the ends of an axis, which exist and are not drawn."""
    beyond = set()
    for ax in figure.axes:
        for axis, place in ((ax.xaxis, 0), (ax.yaxis, 1)):
            low, high = axis.get_view_interval()
            ticks = [*axis.get_ticklabels(minor=False), *axis.get_ticklabels(minor=True)]
            beyond |= {one for one in ticks if not low <= one.get_position()[place] <= high}
    seen = [one for one in figure.findobj(Text) if one.get_visible() and one.get_text().strip()]
    return [one for one in seen if one not in beyond and one.get_window_extent().width > 0]


def colored(ax):
    return next(one for one in ax.collections if hasattr(one, "get_coordinates") or one.get_array().ndim == 2)


def infinite():
    """One axis with 0 and ∞, values with 0 and ∞, over a text."""
    values = np.array([[0.0, 0.1, 1.0, 50.0], [np.inf, 0.2, 3.0, 9.0]])
    one = labelled(
        sampled(4, 2, seeds=1).isel(seed=0, train_time=0, drop=True)[["gen"]].drop_vars(["samples_per_dim"]),
        axes=(),
    )
    one = one.assign(gen=(("samples_per_dim", "features_per_dim"), values.T, {"long_name": "best ridge", "units": "1"}))
    one = one.drop_vars([name for name in one.data_vars if name != "gen"])
    one = one.rename(samples_per_dim="ridge", features_per_dim="activation", gen="best_ridge")
    one = one.assign_coords(ridge=coordinate("ridge", [0.0, 0.01, 1.0, np.inf]))
    one = one.assign_coords(activation=("activation", ["erf", "tanh"], {"long_name": "activation σ"}))
    return labelled(one, axes=("ridge", "activation"))


def test_a_map_shows_the_means_and_marks_what_has_none(data):
    figure = rfsim.plot(data, facet="train_time", **MAP)
    first, second, bar = figure.axes
    found = view(data, facet="train_time", **MAP)
    for ax, values in zip((first, second), found.main.values.values, strict=True):
        shown = colored(ax).get_array()
        np.testing.assert_allclose(shown.filled(np.nan), values, rtol=1e-14)
        assert np.ma.getmaskarray(shown).sum() == 3
        assert {one.get_hatch() for one in ax.collections if one.get_hatch()} == {"////", "xxxx"}
        assert ax.get_xscale() == ax.get_yscale() == "log"
    assert colored(first).norm.vmin == colored(second).norm.vmin  # one scale of colors
    edges = colored(first).get_coordinates()
    centers = data.samples_per_dim.values
    np.testing.assert_allclose(edges[0, :, 0][1:-1] ** 2, centers[1:] * centers[:-1])
    assert texts(figure.legends[0]) == ["$p=n$", r"$\tau_\mathrm{mem}=\tau$", "waiting", "unconverged", "failed"]
    assert [ax.get_title(loc="left") for ax in (first, second)] == [r"$\tau=10^{3}$", r"$\tau=10^{4}$"]
    assert bar.get_ylabel() == r"$L_\mathrm{gen}$ per dimension"
    assert first.get_ylabel() == r"features per dimension $ψ_{p}$"
    assert second.get_ylabel() == ""
    assert figure.get_suptitle().endswith("$d=50$, means of 2–3 seeds")


def test_every_choice_is_in_the_title(data):
    def title(**asked):
        return sweep_title(data, view(data, **asked))

    assert title(**MAP) == [
        "$t=0.1$", r"$m=\infty$", r"$\sigma=\mathrm{tanh}$", "isotropic data", r"$\gamma=0$", "$d=50$",
        r"$\tau=10^{4}$ (last of 2)", "means of 2–3 seeds",
    ]  # fmt: skip
    told = title(x="train_time", quantity="energy", at={"samples_per_dim": 1, "features_per_dim": 64, "seed": 2})
    assert told[-4:] == [r"$\psi_n=1$", r"$\psi_p=64$", "seed 2", "part gen (last of 2)"]
    assert title(contours=["tau_mem[curve] = 1"], **MAP)[-1] == r"no line $\tau_{\mathrm{mem}}$ (curve) = 1"
    assert "mem route formula" in title(quantity="tau_mem", **MAP)
    limit = theory()
    assert r"$d\to\infty$" in sweep_title(limit, view(limit, **MAP))
    assert "$d=50$" not in sweep_title(limit, view(limit, **MAP))


@pytest.mark.slow
def test_curves_are_means_with_bands_and_a_theory_is_dashed(data):
    figure = rfsim.plot(data, x="samples_per_dim")
    (ax,) = figure.axes
    found = view(data, x="samples_per_dim").main.values.values
    curves = [line for line in ax.lines if line.get_linestyle() == "-"]
    for line, values in zip(curves, found, strict=True):
        np.testing.assert_allclose(line.get_ydata(), values, rtol=1e-14)
    assert len(ax.collections) >= 4  # a band each
    assert texts(figure.legends[0])[:4] == [rf"$\psi_p={n}$" for n in (1, 4, 16, 64)]
    assert texts(figure.legends[0])[4:] == ["waiting", "unconverged", "failed"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    over = rfsim.plot(data, x="samples_per_dim", over=theory(9, 4))
    dashed = [line for line in over.axes[0].lines if line.get_linestyle() == "--"]
    assert len(dashed) == 4
    assert texts(over.legends[0])[-1] == r"theory, $d\to\infty$"
    many = rfsim.plot(sampled(13, 4, seeds=1), x="features_per_dim", facet="samples_per_dim")
    assert len(many.axes) == 2  # a color bar in place of thirteen words
    assert not many.legends


@pytest.mark.slow
def test_theory_lines_over_sampled_cells_are_marked_on_the_color_bar(data):
    figure = rfsim.plot(data, over=theory(), contours=["gen=0.3", "tau_mem[curve]=train_time"], **MAP)
    bar = figure.axes[-1]
    assert 0.3 in [line.get_ydata()[0] for line in bar.lines]
    told = texts(figure.legends[0])
    assert r"$L_\mathrm{gen}$ = 0.3" in told
    assert told[-1] == r"theory, $d\to\infty$, levels marked on the color bar"
    other = theory()
    other.attrs["settings"] = other.attrs["settings"].replace('"diffusion_time": 0.1', '"diffusion_time": 0.2')
    told = texts(rfsim.plot(data, over=other, **MAP).legends[0])
    assert told[-1].startswith(r"theory, $d\to\infty$, diffusion time=0.2")


@pytest.mark.slow
def test_zero_and_infinity_stand_beside_the_axis_and_have_marks_of_their_own():
    data = infinite()
    scale = scale_of(data.ridge)
    assert list(scale.beside.values()) == ["$0$", r"$\infty$"]
    assert scale.edges.size - 1 == 6  # four cells, two gaps
    assert scale.cells.tolist() == [0, 2, 3, 5]
    assert np.all(np.diff(scale.edges) > 0)
    figure = rfsim.plot(data)
    ax = figure.axes[0]
    assert figure.axes[-1].get_ylabel() == "best ridge"
    assert {one.get_hatch() for one in ax.collections if one.get_hatch()} == {"----", "||||"}
    assert texts(figure.legends[0]) == ["0", r"$\infty$"]
    figure.draw_without_rendering()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["erf", "tanh"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.01", "1", "$0$", r"$\infty$"]
    for x in ("ridge", "activation"):
        FigureCanvasAgg(rfsim.plot(data, x=x)).draw()


@pytest.mark.slow
def test_nothing_done_is_said_and_not_white(data):
    empty = marked(data, {0: [(i, j, k) for i in range(5) for j in range(4) for k in range(3)]})
    figure = rfsim.plot(empty, **MAP)
    assert texts(figure.legends[0])[-1] == "waiting"
    FigureCanvasAgg(figure).draw()
    FigureCanvasAgg(rfsim.plot(empty, x="samples_per_dim")).draw()


def test_only_sweeps_have_axes_to_choose(data):
    other = data.assign_attrs(rfsim_kind="train")
    with pytest.raises(ValueError, match="x, at choose what is drawn of a sweep; this is a result of the kind train"):
        rfsim.plot(other, x="seed", at={"seed": 0})
    with pytest.raises(ValueError, match="style must be one of"):
        rfsim.plot(data, style="poster")
    with pytest.raises(ValueError, match="width must be"):
        rfsim.plot(data, width=3)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("width", ["single", "double"])
def test_nothing_overlaps_and_equal_data_give_equal_bytes(data, style, width, tmp_path):
    for asked in ({"facet": "train_time", "over": theory(), **MAP}, {"x": "samples_per_dim", "over": theory(9, 4)}):
        figure = rfsim.plot(data, style=style, width=width, **asked)
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw_without_rendering()
        insides = [ax.get_window_extent(renderer).padded(-1) for ax in figure.axes]
        boxes = [one.get_window_extent(renderer).padded(-1) for one in drawn_texts(figure)]
        assert len(boxes) > 20
        for one, other in itertools.combinations(boxes, 2):
            assert not one.overlaps(other)
        for box in boxes:
            assert not any(inside.overlaps(box) for inside in insides)
            assert all(figure.bbox.containsx(x) for x in (box.x0, box.x1))
            assert all(figure.bbox.containsy(y) for y in (box.y0, box.y1))
        assert all(inside.height > 12 * STYLES[style]["font.size"] * figure.dpi / 72 for inside in insides)
        files = [plotting.save(rfsim.plot(data, style=style, width=width, **asked), tmp_path / stem) for stem in "ab"]
        for one, other in zip(*files, strict=True):
            assert one.read_bytes() == other.read_bytes()


def test_words_and_symbols():
    assert words("τ_gen, the ridge's") == r"$τ_{\mathrm{gen}}$, the ridge's"
    assert words("samples_per_dim") == "samples_per_dim"
    assert words("training time τ of $x") == r"training time $τ$ of \$x"
    assert assigned("noise_copies", np.inf) == r"$m=\infty$"
    assert assigned("train_time", 2e5) == r"$\tau=2\times 10^{5}$"
    assert assigned("train_time", 12345.0) == r"$\tau=1.234\times 10^{4}$"
    assert assigned("trainer", "descent:0.5") == "trainer descent:0.5"
