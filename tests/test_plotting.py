"""rfsim.plotting: what figures show, that nothing overlaps, and that equal data give equal bytes."""

import itertools
import math
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import rfsim
from rfsim import Problem, plotting
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, MODEL_LOOKS, PART_LOOKS, STYLES
from rfsim.plotting.layout import Flag, flags_above
from rfsim.sample.spectra import PARTS
from tests.plotting.reading import read

TIMES = np.concatenate([[0.0], np.geomspace(0.1, 1e7, 40), [np.inf]])


@pytest.fixture(scope="module")
def trained():
    return rfsim.train(Problem(samples_per_dim=4, features_per_dim=8), TIMES, dim=10, seeds=2)


@pytest.fixture(scope="module")
def few(trained):
    return trained.isel(seed=[0], train_time=[10, 20, 30])


@pytest.fixture(scope="module")
def with_zero():
    return rfsim.train(Problem(samples_per_dim=2, features_per_dim=8, noise_copies=1), TIMES, dim=10)


@pytest.fixture(scope="module")
def real():
    array = np.random.default_rng(0).standard_normal((80, 10))
    return rfsim.train(Problem(samples_per_dim=4, features_per_dim=8), TIMES, array=array)


def panel(draw, *args, **kwargs):
    """One panel on a canvas of its own."""
    _, axes = plotting.canvas()
    draw(axes[0, 0], *args, **kwargs)
    return axes[0, 0]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def mass(histograms):
    binned = sum((values * np.diff(histograms.edges)).sum() for values in histograms.density.values())
    return binned + sum(share for _, _, share in histograms.atoms)


# histograms


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("name", ["trained", "with_zero", "real"])
def test_bins_and_atoms_hold_mass_one_and_each_part_its_own(name, scale, request):
    result = request.getfixturevalue(name)
    histograms = plotting.part_histograms(result, scale=scale)
    assert mass(histograms) == pytest.approx(1, abs=1e-12)
    for part in map(str, result.part.values):
        binned = (histograms.density[part] * np.diff(histograms.edges)).sum()
        atoms = sum(share for owner, _, share in histograms.atoms if owner == part)
        assert binned + atoms == pytest.approx(float(result.mass.sel(part=part)), abs=1e-12)


def test_some_parts_hold_their_share_and_one_seed_stands_alone(trained):
    gen = plotting.part_histograms(trained, parts=("gen",))
    assert mass(gen) == pytest.approx(1 / 8, abs=1e-12)
    first = plotting.part_histograms(trained, seed=1)
    lam = trained.eigenvalue.sel(seed=1).values
    assert (first.edges[0], first.edges[-1]) == pytest.approx((lam.min(), lam.max()))
    with pytest.raises(ValueError, match=r"has the seeds \[0, 1\]; got 5"):
        plotting.part_histograms(trained, seed=5)
    with pytest.raises(ValueError, match="has no part zero"):
        plotting.part_histograms(trained, parts=("zero",))


def test_chance_pair_stays_in_its_bin_but_a_real_atom_does_not(trained):
    pair = trained.copy(deep=True)
    pair.eigenvalue[0, 30] = pair.eigenvalue[0, 31]
    assert plotting.part_histograms(pair).atoms == []
    tied = trained.copy(deep=True)
    tied.eigenvalue[:, :20] = 0.0125
    assert plotting.part_histograms(tied).atoms == [("null", pytest.approx(0.0125), 0.25)]
    assert mass(plotting.part_histograms(tied)) == pytest.approx(1, abs=1e-12)


def test_zero_part_is_a_stem_left_of_the_break_with_its_mass_on_the_legend(with_zero):
    ax = panel(plotting.spectrum_panel, with_zero)
    stem = next(line for line in ax.lines if len(line.get_xdata()) == 2)
    assert list(stem.get_ydata()) == [0, 0.75]
    assert ax.get_xlim()[0] < stem.get_xdata()[0] < with_zero.eigenvalue.values[0, 60]
    assert all(tick >= with_zero.eigenvalue.values[0, 60] / 2 for tick in ax.get_xticks())
    assert legend_texts(ax)[0] == r"zero 0.75 at $\lambda=0$"
    linear = panel(plotting.spectrum_panel, with_zero, scale="linear")
    assert next(line for line in linear.lines if len(line.get_xdata()) == 2).get_xdata()[0] == 0


def test_spectrum_panel_areas_are_masses(trained):
    ax = panel(plotting.spectrum_panel, trained)
    areas = []
    for patch in ax.patches[:-1]:
        values, edges, base = patch.get_data()
        areas.append(((values - base) * np.diff(np.log(edges))).sum())
    assert areas == pytest.approx([float(m) for m in trained.mass.values], abs=1e-12)
    assert read(ax.get_legend()) == ["null 0.375", "mini 0.125", "main 0.375", "gen 0.125"]
    assert r"\lambda" in ax.get_xlabel()
    assert "mass per" in ax.get_ylabel()


# curves


def test_losses_leave_out_zero_and_mark_infinity(trained):
    ax = panel(plotting.loss_panel, trained)
    lines = {line.get_label(): line for line in ax.lines}
    for name in ("train", "test", "score"):
        line = lines[LOSS_LOOKS[name].label]
        assert line.get_xdata() == pytest.approx(TIMES[1:-1])
        assert line.get_ydata() == pytest.approx(trained[name].mean("seed").values[1:-1])
        assert line.get_marker() in (None, "None")
    ends = [line for line in ax.lines if line.get_marker() == ">"]
    expected = [trained[name].mean("seed").values[-1] for name in ("train", "test", "score")]
    assert [line.get_ydata()[0] for line in ends] == pytest.approx(expected)
    assert len(ax.collections) == 3  # bands of one standard error
    assert legend_texts(ax)[-1] == r"$\tau=\infty$"


def test_few_times_get_markers_and_no_band(few):
    ax = panel(plotting.loss_panel, few)
    drawn = [line for line in ax.lines if line.get_label() in {look.label for look in LOSS_LOOKS.values()}]
    assert [line.get_marker() for line in drawn] == ["o", "s", "^"]
    assert not ax.collections
    assert len(legend_texts(ax)) == 3


def test_score_that_is_unknown_is_absent(real):
    assert np.isnan(real.score).all()
    ax = panel(plotting.loss_panel, real)
    assert LOSS_LOOKS["score"].label not in legend_texts(ax)
    assert legend_texts(ax)[:2] == [LOSS_LOOKS["train"].label, LOSS_LOOKS["test"].label]
    alone = panel(plotting.loss_panel, real, ("score",))
    assert alone.get_legend() is None
    assert "not defined for these data" in [text.get_text() for text in alone.texts]


@pytest.mark.parametrize("kept", [[0, -1], [-1], [0], [20]])
def test_times_that_a_log_axis_cannot_show_still_draw(kept, trained):
    figure = rfsim.plot(trained.isel(train_time=kept))
    figure.draw_without_rendering()
    height = figure.axes[0].get_position().height
    assert height > 0.25


def test_flags_stand_at_the_timescales_in_the_axis_unit(trained):
    tau = {route: float(trained.tau_mem.sel(mem_route=route).mean()) for route in ("formula", "mini", "curve")}
    plain = panel(plotting.loss_panel, trained, ("gen",), flags=("tau_mem",))
    poles = sorted(line.get_xdata()[0] for line in plain.lines if line.get_transform() == plain.get_xaxis_transform())
    assert poles == pytest.approx(sorted(tau.values()))
    scaled = panel(plotting.loss_panel, trained, ("gen",), scale_time="mini", flags=("tau_mem",))
    assert r"\tau/\tau_\mathrm{mini}" in scaled.get_xlabel()
    (curve,) = [line for line in scaled.lines if line.get_label() == LOSS_LOOKS["gen"].label]
    assert curve.get_xdata() == pytest.approx(TIMES[1:-1] / tau["mini"])


@pytest.mark.parametrize("seed", range(3))
def test_no_flag_covers_another_or_its_pole(seed):
    figure, axes = plotting.canvas(width=17)
    ax = axes[0, 0]
    ax.set_xscale("log")
    ax.set_xlim(0.1, 1e7)
    places = 10 ** np.random.default_rng(seed).uniform(2, 6, 8)
    # at 600 the name fits below the one at 800, but not beside its pole
    crowd = [(1000, "a"), (800, "a long name"), (600, "cc"), (1e9, "outside"), (math.nan, "unknown")]
    crowd += [(x, "n" * (1 + 3 * (k % 4))) for k, x in enumerate(places)]
    rise = flags_above(ax, [Flag(x, name, "-") for x, name in crowd])
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    names = [text.get_window_extent(renderer).padded(-0.3) for text in ax.texts]
    poles = [line.get_window_extent(renderer) for line in ax.lines if line.get_transform() != ax.get_xaxis_transform()]
    assert len(names) == len(poles) == 11
    assert not any(one.overlaps(other) for one, other in itertools.combinations(names, 2))
    assert not any(name.overlaps(pole) for name in names for pole in poles)
    top = ax.get_window_extent(renderer).y1 + rise * figure.dpi / 72
    assert max(box.y1 for box in names + poles) <= top + 1


def test_energies_of_parts_that_carry_none_are_left_out(with_zero):
    ax = panel(plotting.energy_panel, with_zero)
    assert legend_texts(ax)[:-1] == ["main", "gen"]
    (gen,) = [line for line in ax.lines if line.get_label() == "gen"]
    assert gen.get_ydata() == pytest.approx(with_zero.energy.sel(part="gen").values[0, 1:-1])


def test_losses_that_pass_ten_get_a_log_axis(trained):
    assert panel(plotting.loss_panel, trained, ("train",)).get_yscale() == "linear"
    large = trained.assign(test=trained.test * 100)
    assert panel(plotting.loss_panel, large).get_yscale() == "log"


# small multiples


@pytest.fixture(scope="module")
def square():
    # n = p: main fills what gen leaves, and there is no mini
    return rfsim.train(Problem(samples_per_dim=8, features_per_dim=8), TIMES, dim=10)


def test_a_family_leaves_out_what_lacks_the_time_and_keeps_the_colors(trained, square):
    ax = panel(plotting.family_panel, {"4": trained, "8": square}, scale_time="mini")
    assert legend_texts(ax) == ["4"]
    swapped = panel(plotting.family_panel, {"8": square, "4": trained}, scale_time="mini")
    assert legend_texts(swapped) == ["4"]
    assert swapped.lines[0].get_color() == plotting.sequence(2)[1]
    assert legend_texts(panel(plotting.family_panel, {"4": trained, "8": square})) == ["4", "8"]
    assert panel(plotting.family_panel, {"4": trained}, legend=False).get_legend() is None
    with pytest.raises(ValueError, match="no finite tau_mem by the route 'mini'"):
        panel(plotting.family_panel, {"8": square}, scale_time="mini")


def test_collapse_grid_has_a_row_per_family_in_three_units_of_time(trained, square):
    figure, axes = plotting.canvas(2, 3, width="double")
    family = {"4": trained, "8": square}
    plotting.collapse_grid(axes, {"one": family, "two": family})
    assert [ax.get_legend() is not None for ax in axes.flat] == [True] + 5 * [False]
    assert [text.get_text() for ax in axes[:, 0] for text in ax.texts] == ["one", "two"]
    assert [len(ax.lines) for ax in axes[0]] == [2, 4, 3]  # the cross is two lines
    assert [ax.get_xlabel() for ax in axes[0]] == 3 * [""]
    units = [r"$\tau$", r"$\tau/\tau_\mathrm{mem}$", r"$\tau/\tau_\mathrm{mini}$"]
    assert [ax.get_xlabel() for ax in axes[1]] == [f"training time {unit}" for unit in units]
    curve = axes[0, 1].lines[0]
    assert curve.get_xdata() == pytest.approx(TIMES[1:-1] / float(trained.tau_mem.sel(mem_route="formula").mean()))
    gap = trained.gen.mean("seed").values
    assert curve.get_ydata() == pytest.approx(gap[1:-1] / gap[-1])
    figure.draw_without_rendering()
    with pytest.raises(ValueError, match=r"2 families need axes of shape \(2, 3\); got \(1, 3\)"):
        plotting.collapse_grid(axes[:1], {"one": family, "two": family})


def test_a_strip_has_the_areas_of_the_parts_its_name_and_its_marks(trained):
    ax = panel(plotting.spectrum_strip, trained, "a name", (1e-4, 1e2), marks=[0.5, 2.0])
    areas = []
    for patch in ax.patches[:-1]:
        values, edges, base = patch.get_data()
        areas.append(((values - base) * np.diff(np.log(edges))).sum())
    assert areas == pytest.approx([float(m) for m in trained.mass.values], abs=1e-12)
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlim()) == ("log", "log", (1e-4, 1e2))
    assert [text.get_text() for text in ax.texts] == ["a name"]
    assert list(ax.lines[0].get_xdata()) == [0.5, 2.0]
    plotting.part_legend(ax, trained)
    counts = dict(zip(trained.part.values, trained["count"].values, strict=True))
    assert legend_texts(ax) == [f"{name} {counts[name]}" for name in ("null", "mini", "main", "gen")]


# whole figures


@pytest.mark.parametrize("width", ["single", "double"])
@pytest.mark.parametrize(
    "style", [pytest.param(style, marks=() if style == "paper" else pytest.mark.slow) for style in STYLES]
)
def test_nothing_overlaps_and_all_is_labelled(style, width, trained):
    figure = rfsim.plot(trained, style=style, width=width)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    assert figure.get_size_inches()[0] * 2.54 == pytest.approx({"single": 8.6, "double": 17.8}[width])
    whole = figure.bbox.padded(1)
    outside = []
    for ax in figure.axes:
        assert ax.get_xlabel() or width == "single"  # where one below has the same axis
        assert ax.get_ylabel()
        legend = ax.get_legend()
        assert legend is not None
        outside += [legend.get_window_extent(renderer)] + [
            text.get_window_extent(renderer) for text in ax.texts if text.get_text()
        ]
        inside = ax.get_window_extent(renderer)
        assert inside.height > 7 * STYLES[style]["font.size"] * figure.dpi / 72
        assert not any(inside.padded(-1).overlaps(box) for box in outside)
    outside += [text.get_window_extent(renderer) for text in figure.texts]
    for one, other in itertools.combinations(outside, 2):
        assert not one.padded(-0.5).overlaps(other.padded(-0.5))
    assert all(whole.containsx(x) for box in outside for x in (box.x0, box.x1))
    assert all(whole.containsy(y) for box in outside for y in (box.y0, box.y1))


def test_title_states_the_problem(trained, real):
    line = ", ".join(plotting.problem_line(trained))
    for piece in (
        r"$\psi_n=4$",
        r"$\psi_p=8$",
        "$t=0.1$",
        r"$m=\infty$",
        r"$\gamma=0$",
        "{tanh}",
        "isotropic data",
        "$d=10$",
        "seeds 0–1",
    ):
        assert piece in line
    assert "array data" in plotting.problem_line(real)  # the problem's name says isotropic: the draw did not
    odd = trained.assign_attrs(settings=store.canonical(store.settings(trained) | {"data": "a$b数", "ridge": 1e-6}))
    assert r"a\$b? data" in plotting.problem_line(odd)
    assert r"$\gamma=10^{-6}$" in plotting.problem_line(odd)
    rfsim.plot(odd).draw_without_rendering()


def test_spectrum_draws_log_and_linear_axes(trained):
    result = trained.drop_dims("train_time").assign_attrs(rfsim_kind="spectrum")
    assert [ax.get_xscale() for ax in rfsim.plot(result).axes] == ["log", "linear", "linear"]
    only_gen = result.isel(feature=slice(-10, None), part=[-1])
    assert [ax.get_xscale() for ax in rfsim.plot(only_gen).axes] == ["log", "linear"]


def test_equal_data_give_equal_bytes_whatever_the_readers_settings(trained, tmp_path, monkeypatch):

    def draw():
        figure, axes = plotting.canvas(1, 2, width=12)
        plotting.loss_panel(axes[0, 0], trained)
        plotting.spectrum_panel(axes[0, 1], trained)
        return figure

    figure = draw()
    first = [path.read_bytes() for path in plotting.save(figure, tmp_path / "a.b")]
    again = [path.read_bytes() for path in plotting.save(figure, tmp_path / "again")]
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "pdf.fonttype": 3}):
        other = [path.read_bytes() for path in plotting.save(draw(), tmp_path / "other")]
    assert first == again == other
    assert dict(matplotlib.rcParams) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{stem}.{kind}" for stem in ("a.b", "again", "other") for kind in ("pdf", "png")
    ]
    pdf, png = first
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    assert not any(word in pdf + png for word in (b"CreationDate", b"/Producer", b"/Creator", b"Software"))


def test_unwritable_folder_passes_the_stores_error(tmp_path):
    (tmp_path / "file").write_text("")
    figure, _ = plotting.canvas()
    with pytest.raises(store.StoreError, match="cannot write"):
        plotting.save(figure, tmp_path / "file" / "figure")


def test_a_layout_is_solved_once_for_all_files_and_nothing_is_drawn_to_solve_it(trained, tmp_path, monkeypatch):
    figure = rfsim.plot(trained)
    engine, dpi, told = figure.get_layout_engine(), figure.dpi, []
    solve, draw = type(engine).execute, plotting.Drawing.draw

    def solved(self, one):
        solve(self, one)
        told.append("solved")

    def drawn(self, renderer):
        draw(self, renderer)
        told.append("drawn")

    monkeypatch.setattr(type(engine), "execute", solved)
    monkeypatch.setattr(plotting.Drawing, "draw", drawn)
    plotting.save(figure, tmp_path / "figure")
    assert told == ["solved", "drawn", "drawn"]
    assert figure.get_layout_engine() is engine
    assert figure.dpi == dpi


def test_figures_made_elsewhere_can_be_drawn_on_and_saved(trained, tmp_path):
    figure = Figure()
    plotting.loss_panel(figure.add_axes((0.2, 0.2, 0.7, 0.5)), trained)
    assert all(path.stat().st_size for path in plotting.save(figure, tmp_path / "plain", style="screen"))


@pytest.mark.slow
def test_pyplot_is_never_imported(trained, tmp_path):
    store.save(trained, tmp_path / "result.nc")
    code = (
        "import sys, rfsim; from rfsim import plotting; figure = rfsim.plot(rfsim.load(sys.argv[1]));"
        "plotting.save(figure, sys.argv[2]); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "result.nc"), str(tmp_path / "figure")]
    assert subprocess.run(command, check=False).returncode == 0


# looks


def lightness(color):
    """CIE L* of a color: what a grey print keeps of it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.00886 else 903.3 * luminance


def test_colors_survive_grey_print():
    assert list(PART_LOOKS) == list(PARTS)
    together = (
        ("train", "test", "score", "gen"),
        ("train", "train_penalized", "test", "emp"),
        ("score", "bias2", "variance"),
    )
    families = [{name: LOSS_LOOKS[name] for name in names} for names in together]
    models = {name: look for name, look in MODEL_LOOKS.items() if name != "reference"}  # a dotted level line
    for looks, apart in ((PART_LOOKS, 14), (models, 14), *((family, 10) for family in families)):
        levels = sorted(lightness(look.color) for look in looks.values())
        assert min(np.diff(levels)) > apart
        assert levels[-1] < 85
        assert len({look.marker for look in looks.values()}) == len(looks)
    assert len({LOSS_LOOKS[name].dash for name in ("train", "test", "score")}) == 3
    assert len({look.dash for look in PART_LOOKS.values()}) == 5


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_sequence_gets_lighter_in_even_steps(k):
    colors = plotting.sequence(k)
    steps = np.diff([lightness(color) for color in colors])
    assert len(colors) == k
    assert np.all(steps > 0)
    assert k < 2 or steps.max() < 1.5 * steps.min()


# refusals


@pytest.mark.parametrize("width", ["wide", "2", 61, math.nan, True, "inf", None])
def test_bad_widths_are_refused(width):
    with pytest.raises(ValueError, match=r"^width must be single, double or a number of cm from 6 to 60; got"):
        plotting.canvas(width=width)


def test_other_bad_input_is_refused(trained):
    assert plotting.centimeters("12.5") == plotting.centimeters(12.5) == 12.5
    with pytest.raises(ValueError, match="^style must be one of paper, talk, screen; got 'poster'$"):
        rfsim.plot(trained, style="poster")
    with pytest.raises(ValueError, match="^style must be one of"):
        plotting.canvas(style="poster")
    drawn = "advise, density, .*, train, train-ridges, sweep"
    with pytest.raises(ValueError, match=f"^plot draws results of the kinds {drawn}; got movie$"):
        rfsim.plot(trained.assign_attrs(rfsim_kind="movie"))
    with pytest.raises(ValueError, match="an unlabelled dataset"):
        rfsim.plot(trained.drop_attrs())
    with pytest.raises(ValueError, match="a loss is one of train, test, score, gen, .*; got 'loss'"):
        panel(plotting.loss_panel, trained, ("loss",))
    with pytest.raises(ValueError, match="scale_time must be one of formula, main, mini, curve"):
        panel(plotting.loss_panel, trained, scale_time="min")
    with pytest.raises(ValueError, match="no finite tau_mem by the route 'mini'"):
        panel(plotting.loss_panel, trained.assign(tau_mem=trained.tau_mem * math.nan), scale_time="mini")
    with pytest.raises(ValueError, match="at least one color"):
        plotting.sequence(0)
    spectrum_only = trained.drop_dims("train_time")
    with pytest.raises(ValueError, match="this result of the kind train lacks energy, train_time"):
        panel(plotting.energy_panel, spectrum_only)


def test_text_of_a_panel_is_in_the_font_of_its_style(trained):
    for style, font in (("paper", "STIXGeneral"), ("talk", "DejaVu Sans")):
        figure, axes = plotting.canvas(style=style, width=10)
        plotting.loss_panel(axes[0, 0], trained)
        figure.draw_without_rendering()
        assert {name for text in figure.findobj(Text) if text.get_text() for name in text.get_fontfamily()} == {font}
