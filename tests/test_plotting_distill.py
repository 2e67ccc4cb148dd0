"""Figures of a distillation: what is drawn is what is stored, with every control, and nothing overlaps."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import rfsim
from rfsim import Problem, plotting
from rfsim.disk import store
from rfsim.plotting import MODEL_LOOKS, PART_LOOKS, STYLES, canvas
from rfsim.plotting.cloud import LOOKS
from rfsim.plotting.leakage import CHOSEN
from rfsim.plotting.samples import MEASURES
from tests.distillation.synthetic import dataset
from tests.plotting.reading import read

WIDE = Problem(samples_per_dim=2, features_per_dim=100)
TIMES = (1e5, 0.0, 10.0, 1e3, np.inf)


@pytest.fixture(scope="module")
def one():
    return dataset(WIDE, dim=10, levels=20, distill_times=TIMES)


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Read from disk, as `rfsim plot` does."""
    path = tmp_path_factory.mktemp("stored") / "result.nc"
    store.save(dataset(WIDE, dim=10, levels=20, seeds=3, distill_times=(10, 1e3), variants=("a", "b")), path)
    return rfsim.load(path)


def panel(draw, *arguments, **named):
    _, axes = canvas(width="double")
    draw(axes[0, 0], *arguments, **named)
    return axes[0, 0]


def lines(ax):
    return {line.get_label(): line for line in ax.lines if line.get_label() and line.get_label()[0] != "_"}


def test_suppression_is_the_median_over_levels_of_each_part(one, several):
    ax = panel(plotting.suppression_panel, one)
    found = lines(ax)
    assert list(found) == ["null", "mini", "main", "gen"]
    for name, line in found.items():
        assert line.get_xdata() == pytest.approx([10, 1e3, 1e5])
        median = one.suppression.sel(part=name, seed=0).isel(variant=0, distill_time=[2, 3, 0]).median("level")
        assert line.get_ydata() == pytest.approx(median.values)
        assert line.get_color() == PART_LOOKS[name].color
    edge = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == ">"]
    last = one.suppression.isel(seed=0, variant=0, distill_time=-1).median("level")
    assert edge == pytest.approx(last.values.tolist())
    assert len(ax.collections) == 4
    assert ax.get_yscale() == "log"
    null = lines(panel(plotting.suppression_panel, several, variant=1))["null"]
    assert null.get_ydata() == pytest.approx(
        several.suppression.sel(part="null").isel(variant=1).mean("seed").median("level").values
    )
    mild = one.assign(suppression=one.suppression * 0 + 1.1)
    assert panel(plotting.suppression_panel, mild).get_yscale() == "linear"
    without = one.assign(suppression=one.suppression.where(one.part != "null"))
    assert "null" not in lines(panel(plotting.suppression_panel, without))


@pytest.mark.parametrize("times", [[0.0], [np.inf], [10.0]])
def test_times_that_a_log_axis_cannot_show_still_draw(times, one):
    result = one.sel(distill_time=times)
    for draw in (plotting.suppression_panel, plotting.quality_panel, plotting.steps_panel):
        assert panel(draw, result).get_legend() is not None


def test_a_student_with_features_of_its_own_says_so(one):
    own = one.assign(suppression=one.suppression * np.nan)
    for draw in (plotting.suppression_panel, plotting.level_panel):
        assert "not defined for this student" in [text.get_text() for text in panel(draw, own).texts]


def test_error_bars_are_the_results_own_or_those_over_seeds(one, several):
    found = plotting.bars(one, "teacher", "memorized_fraction")
    stored = one.teacher.isel(seed=0)
    assert [found.mean, found.low, found.high] == pytest.approx(stored.values[:3])
    found = plotting.bars(one, "student", "frechet_per_dim")
    half = (found.high - found.low) / 2
    assert half == pytest.approx(one.student_error.sel(quality="frechet_per_dim").values[0])
    assert np.isnan(plotting.bars(one, "regression", "frechet_per_dim").low).all()
    found = plotting.bars(several, "teacher_steps", "memorized_fraction")
    values = several.teacher_steps.sel(quality="memorized_fraction").values
    assert found.high - found.mean == pytest.approx(values.std(0, ddof=1) / np.sqrt(3))


@pytest.mark.parametrize("measure", MEASURES)
def test_samples_stand_beside_every_control(measure, one):
    ax = panel(plotting.quality_panel, one, measure)
    found = lines(ax)
    assert set(found) == {
        "teacher, 20 steps", "teacher, 1 step", "early teacher", "true law", "student", "early student", "regression",
    }  # fmt: skip
    values = one.sel(quality=measure).isel(seed=0, variant=0)
    assert found["teacher, 20 steps"].get_ydata()[0] == float(values.teacher)
    assert found["teacher, 1 step"].get_ydata()[0] == float(values.teacher_steps.sel(steps=1))
    assert found["true law"].get_ydata()[0] == float(values.reference)
    for name in ("student", "early_student", "regression"):
        line = found[MODEL_LOOKS[name].label]
        assert line.get_ydata() == pytest.approx(values[name].isel(distill_time=[2, 3, 0]).values)
    texts = read(ax.get_legend())
    assert texts[:4] == ["teacher, 20 steps", "teacher, 1 step", "early teacher", "true law"]
    assert texts[-1] == r"$\tau_S=\infty$"
    assert ax.get_ylabel() == MEASURES[measure]


def test_the_axis_of_fractions_shows_zero_and_small_shares_apart(one):
    ax = panel(plotting.quality_panel, one)
    ax.figure.draw_without_rendering()  # the layout decides how far ticks are apart
    assert ax.get_ylim()[0] == 0
    ticks = ax.get_yticks()
    assert ticks[0] == 0
    assert 0.01 in ticks
    heights = ax.transData.transform([[10, tick] for tick in ticks])[:, 1]
    assert np.diff(heights).min() > 0.09 * ax.bbox.height
    none = one.assign({name: one[name] * 0 for name in ("teacher", "student", "regression", "teacher_steps")})
    assert panel(plotting.quality_panel, none).get_ylim()[1] < 0.02


def test_steps_of_both_against_each_other(several):
    ax = panel(plotting.steps_panel, several, "frechet_per_dim", variant=1)
    found = lines(ax)
    assert list(found) == ["teacher", r"student, $\tau_S=1000$", "early teacher", "true law"]
    own = several.sel(quality="frechet_per_dim").isel(variant=1, distill_time=-1)
    assert found["teacher"].get_xdata() == pytest.approx([1, 2, 4, 8, 16, 20])
    assert found["teacher"].get_ydata() == pytest.approx(own.teacher_steps.mean("seed").values)
    assert found[r"student, $\tau_S=1000$"].get_ydata() == pytest.approx(own.student_steps.mean("seed").values)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "4", "8", "20"]  # 16 is too near to 20


def test_leakage_shows_a_ridge_of_zero_and_the_one_that_is_enough(one):
    ax = panel(plotting.leakage_panel, one)
    found = lines(ax)
    assert list(found) == ["outside gen", "in main", "in mini", "in null", "threshold 0.01"]
    outside = found["outside gen"]
    assert outside.get_xdata()[1:] == pytest.approx(one.ridge.values[1:])
    assert ax.get_xlim()[0] < outside.get_xdata()[0] < 0.1
    assert outside.get_ydata() == pytest.approx(one.leakage_all.sel(part="gen").values[0])
    assert rf"$\gamma^\star={float(one.gamma_star[0]):g}$" in [text.get_text() for text in ax.texts]
    never = one.assign(gamma_star=one.gamma_star * np.nan)
    assert not any("star" in text.get_text() for text in panel(plotting.leakage_panel, never).texts)
    for ridges in ([0], [2], [1, 2]):
        assert lines(panel(plotting.leakage_panel, one.isel(ridge=ridges)))["in null"].get_ydata().size == len(ridges)


def test_a_chosen_ridge_is_a_stripe_that_moves(one):
    _, axes = canvas(width="double")
    move = plotting.leakage_panel(axes[0, 0], one, chosen=0.5)
    outside = lines(axes[0, 0])["outside gen"].get_xdata()
    (stripe,) = [line for line in axes[0, 0].lines if line.get_color() == CHOSEN]
    for ridge, place in ((0.5, 0.5), (0.0, outside[0]), (10.0, 10.0)):
        move(ridge)
        assert list(stripe.get_xdata()) == pytest.approx([place, place])
        assert rf"chosen, $\gamma={ridge:g}$" in read(axes[0, 0].get_legend())
    unmarked = panel(plotting.leakage_panel, one)
    assert not any(line.get_color() == CHOSEN and line.get_visible() for line in unmarked.lines)
    assert not any("chosen" in text.get_text() for text in unmarked.get_legend().get_texts())


def test_a_cloud_tells_memorized_samples_from_others_and_counts_what_it_leaves_out():
    samples = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, -3.0], [0.5, 0.0]])
    points = np.array([[1.0, 1.0], [0.0, -1.0]])
    _, axes = canvas()
    move = plotting.cloud_panel(axes[0, 0], mirrored=True)
    assert move(samples, [False, True, True, False], points, 2.0) == 1
    found = dict(zip(LOOKS, axes[0, 0].lines, strict=True))
    expected = {
        "other sample": samples[[0, 3]],
        "memorized sample": samples[[1]],
        "its mirror image": -points,
        "training point": points,
    }
    for name, rows in expected.items():
        assert np.transpose(found[name].get_data()).tolist() == rows.tolist()
    assert axes[0, 0].get_xlim() == axes[0, 0].get_ylim() == (-2, 2)
    assert axes[0, 0].get_aspect() == 1
    # told apart without color: by marker, or filled and open
    assert len({(look["marker"], look.get("fillstyle")) for look in LOOKS.values()}) == len(LOOKS)
    assert move(samples[:1], [True], points[:1], 5.0) == 0
    assert found["other sample"].get_xdata().size == 0
    plain = plotting.cloud_panel(canvas()[1][0, 0])
    plain(samples, [False] * 4, points, 2.0)
    names = [line.get_label() for line in plotting.cloud_legend()]
    assert names == ["training point", "memorized sample", "other sample"]


def test_what_no_sample_has_is_said(one):
    names = ("teacher", "early_teacher", "reference", "student", "early_student", "regression", "teacher_steps")
    unknown = one.assign({name: one[name] * np.nan for name in names})
    ax = panel(plotting.quality_panel, unknown, "membership_auc")
    assert "not defined for these samples" in [text.get_text() for text in ax.texts]
    with pytest.raises(ValueError, match="a measure of samples is one of memorized_fraction, .*; got 'fid'"):
        panel(plotting.quality_panel, one, "fid")


def test_levels_show_the_means_over_seeds_at_their_diffusion_times(several, one):
    ax = panel(plotting.level_panel, several, variant=1)
    found = lines(ax)
    assert list(found) == ["null", "mini", "main", "gen"]
    assert found["mini"].get_xdata() == pytest.approx(several.diffusion_time.values[1:])
    own = several.suppression.isel(variant=1, distill_time=-1).sel(part="mini").mean("seed")
    assert found["mini"].get_ydata() == pytest.approx(own.values)
    assert panel(plotting.level_panel, one, when=0, legend=False).get_legend() is None


def test_instability_is_a_dot_for_every_direction():
    result = dataset(seeds=2, instability=True, transfer=True)
    ax = panel(plotting.instability_panel, result, 2)
    dots = [line for line in ax.lines if line.get_marker() == "."]
    assert [line.get_xdata().size for line in dots] == [2 * count for count in (9, 3, 3, 3)]
    assert ax.get_legend().get_texts()[0].get_text() == "null, median 0.03"
    flat = result.assign(instability=result.instability.where(result.feature_part != 1))  # undefined where λ = 0
    assert len([line for line in panel(plotting.instability_panel, flat, 2).lines if line.get_marker() == "."]) == 3
    with pytest.raises(ValueError, match="ask rfsim.distill for it with instability=True"):
        panel(plotting.instability_panel, dataset(), 1)


def test_transfer_is_a_matrix_of_the_means_over_seeds():
    result = dataset(seeds=2, instability=True, transfer=True)
    result.transfer[:, :, 1, 0, 3] = 1e-6  # from null to gen
    ax = panel(plotting.transfer_panel, result, 0.5, 2)
    assert [text.get_text() for text in ax.texts[:4]] == ["0.9", "0.02", "0.02", "0.02"]
    assert [text.get_text() for text in ax.texts[12:]] == ["0", "0.02", "0.02", "0.9"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["gen", "main", "mini", "null"]
    with pytest.raises(ValueError, match="ask rfsim.distill for it with transfer=True"):
        panel(plotting.transfer_panel, dataset(), 0.0, 1)


def test_teachers_and_their_students_stand_over_the_training_time():
    family = {1e2: dataset(levels=4, seeds=2), 1e8: dataset(levels=4, seeds=2, seed=3)}
    found = lines(panel(plotting.teachers_panel, family, "frechet_per_dim"))
    assert list(found) == [
        "teacher, 4 steps", "teacher", *(rf"student, $\tau_S={time}$" for time in ("10", "1000", "10^{5}")),
        "regression", "true law",
    ]  # fmt: skip
    means = [one.sel(quality="frechet_per_dim").mean("seed") for one in family.values()]
    assert found["teacher"].get_ydata() == pytest.approx([float(one.teacher_steps.sel(steps=1)) for one in means])
    last = [float(one.student.isel(variant=0, distill_time=-1)) for one in means]
    assert found[r"student, $\tau_S=10^{5}$"].get_ydata() == pytest.approx(last)
    many = lines(panel(plotting.teachers_panel, family, "frechet_per_dim", many=True))
    assert set(found) - set(many) == {"teacher, 4 steps", "regression"}
    assert many["teacher"].get_ydata() == pytest.approx([float(one.teacher_steps.sel(steps=4)) for one in means])


def test_measures_may_lie_along_either_axis():
    _, axes = canvas()
    ax = axes[0, 0]
    ax.plot([0.001, 0.1], [0, 1])
    plotting.measure_axis(ax, "memorized_fraction", axis="x")
    assert ax.get_xlim() == pytest.approx((0, 0.11))
    assert ax.get_xlabel() == MEASURES["memorized_fraction"]
    assert ax.get_yscale() == "linear"


def test_the_title_states_the_levels_instead_of_one_time(one):
    line = ", ".join(plotting.problem_line(one))
    for piece in (r"$t=0.02$–$3$ in 20 levels", r"teacher $\tau=10^{8}$", "ddim from teacher", "$d=10$"):
        assert piece in line


@pytest.mark.parametrize(
    ("style", "width"),
    [
        ("paper", "double"),
        *(pytest.param(style, "double", marks=pytest.mark.slow) for style in ("talk", "screen")),
        *(pytest.param(style, "single", marks=pytest.mark.slow) for style in STYLES),
    ],
)
def test_whole_pages_overlap_nowhere(style, width, several):
    figure = rfsim.plot(several, style=style, width=width)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    assert [ax.get_legend() is not None for ax in figure.axes].count(True) == 4  # two have the lines of those above
    whole, boxes = figure.bbox.padded(1), [text.get_window_extent(renderer) for text in figure.texts]
    for ax in figure.axes:
        inside = ax.get_window_extent(renderer)
        assert inside.height > 8 * STYLES[style]["font.size"] * figure.dpi / 72
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        labels = [ax.xaxis.label, ax.yaxis.label, *ax.texts]
        labels += [label for label in ax.get_xticklabels() if left <= label.get_position()[0] <= right]
        labels += [label for label in ax.get_yticklabels() if low <= label.get_position()[1] <= high]
        own = [label.get_window_extent(renderer) for label in labels if label.get_text()]
        own += [legend.get_window_extent(renderer) for legend in [ax.get_legend()] if legend]
        assert not any(inside.padded(-1.5).overlaps(box) for box in own)
        boxes += own
    for first, second in itertools.combinations(boxes, 2):
        assert not first.padded(-1.5).overlaps(second.padded(-1.5))
    assert all(whole.containsx(x) for box in boxes for x in (box.x0, box.x1))
    assert all(whole.containsy(y) for box in boxes for y in (box.y0, box.y1))
