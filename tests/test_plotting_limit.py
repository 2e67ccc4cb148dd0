"""Figures of the d → ∞ theory: what is drawn is what is stored, whole pages of every kind, lines over samples."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import Problem, plotting
from rfsim.plotting import LOSS_LOOKS, PART_LOOKS, canvas
from rfsim.plotting.limit import pieces
from rfsim.plotting.looks import part_look
from tests.plotting.synthetic import limit_distill

WIDE = Problem(samples_per_dim=8, features_per_dim=64)


@pytest.fixture(scope="module")
def spectrum():
    return rfsim.theory.spectrum(WIDE)


@pytest.fixture(scope="module")
def curves():
    return rfsim.theory.curves(WIDE, [0.0, 1.0, 1e3, np.inf])


@pytest.fixture(scope="module")
def merged():
    """Two parts without a gap, an atom at 0."""
    return rfsim.theory.spectrum(Problem(samples_per_dim=8, features_per_dim=64, noise_copies=4))


def one(draw, *arguments, **named):
    figure, axes = canvas(width="double")
    draw(axes[0, 0], *arguments, **named)
    figure.draw_without_rendering()
    return axes[0, 0]


def test_pieces_end_at_edges_and_hold_the_masses(spectrum):
    for name in ("mini", "main", "gen"):
        ((lam, rho),) = pieces(spectrum, name)
        assert (lam[0], lam[-1]) == (float(spectrum.lower.sel(part=name)), float(spectrum.upper.sel(part=name)))
        assert rho[0] == rho[-1] == 0
        assert np.trapezoid(rho, lam) == pytest.approx(float(spectrum.mass.sel(part=name)), rel=2e-3)
    assert len(pieces(spectrum)) == 3


def test_atoms_are_stems_and_the_legend_tells_masses(spectrum, merged):
    ax = one(plotting.limit_spectrum_panel, spectrum)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[:4] == [r"null 0.859 at $\lambda=0.01357$", "mini 0.0156", "main 0.109", "gen 0.0156"]
    assert "Thm 3.2" in texts[4]
    stem = [line for line in ax.lines if line.get_color() == PART_LOOKS["null"].color]
    assert [line.get_ydata()[-1] for line in stem] == pytest.approx([0.859375] * 2)
    ax = one(plotting.limit_spectrum_panel, merged)
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts[:2] == [r"zero 0.5 at $\lambda=0$", "null+mini 0.375"]
    assert part_look("null+mini").color == PART_LOOKS["mini"].color
    with pytest.raises(ValueError, match="the result has no part mini or main"):
        one(plotting.limit_spectrum_panel, merged.isel(part=[0, 3]), parts=("mini", "main"))


def test_lines_of_the_limit_lie_over_samples(spectrum, curves):
    ax = one(plotting.limit_density, spectrum)
    assert len(ax.lines) == 3
    ax = one(plotting.limit_losses, curves, "train")
    (line,) = ax.lines
    np.testing.assert_allclose(line.get_ydata(), curves.train[1:3])
    ax = one(plotting.limit_losses, {"a": curves, "b": curves}, scale_time="mini", relative=True)
    assert [line.get_color() for line in ax.lines] == plotting.sequence(2)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), curves.gen[1:3] / curves.gen[-1])
    np.testing.assert_allclose(ax.lines[0].get_xdata(), curves.train_time[1:3] / curves.tau_mem.sel(mem_route="mini"))
    lost = curves.assign(tau_mem=curves.tau_mem * np.nan)
    assert not one(plotting.limit_losses, {"a": lost}, scale_time="mini").lines


@pytest.mark.slow
def test_whole_pages(spectrum, curves, tmp_path):
    ridge = rfsim.theory.ridge(Problem(), [0.0, 1e-3, 1e-1, 10.0])
    pages = {"spectrum": (spectrum, 3), "curves": (curves, 5), "ridge": (ridge, 2)}
    for name, (result, panels) in pages.items():
        for width in ("single", "double") if name == "curves" else ("single",):
            figure = rfsim.plot(result, width=width)
            assert len(figure.axes) == panels
        files = [path.read_bytes() for path in plotting.save(figure, tmp_path / name)]
        assert files == [path.read_bytes() for path in plotting.save(rfsim.plot(result, width=width), tmp_path / name)]
        assert r"$d\to\infty$" in figure.get_suptitle()
    assert r"$\gamma" not in figure.get_suptitle()  # ridges are an axis
    frozen = rfsim.theory.ridge(Problem(noise_copies=2, data="atoms:0.5@0.5,0.5@1.5"), [0.1])
    assert len(rfsim.plot(frozen).axes) == 1  # no bias² and variance


def test_the_best_ridge_is_marked_where_it_is_inside():
    ridge = rfsim.theory.ridge(Problem(), [1e-3, 1e-1, 10.0])
    ax = one(plotting.ridge_panel, ridge)
    assert [line.get_xdata()[0] for line in ax.lines][-1] == float(ridge.best_ridge)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [LOSS_LOOKS[name].label for name in ("train", "test", "emp")]


def labelled(ax):
    found = {line.get_label(): np.asarray(line.get_ydata()) for line in ax.lines}
    return {label: values for label, values in found.items() if label and not label.startswith("_")}


def test_leakage_of_a_step_stands_by_part_beside_its_closed_form_and_the_ridge_that_is_enough():
    result = limit_distill()
    ax = one(plotting.step_leakage_panel, result, 1)
    found = labelled(ax)
    assert list(found) == ["outside gen", "in main", "in mini", "in null", "outside, closed form", "threshold 0.01"]
    np.testing.assert_array_equal(found["outside gen"], result.leakage.sel(step=1))
    np.testing.assert_array_equal(found["in mini"], result.share.sel(step=1, part="mini"))
    np.testing.assert_array_equal(found["outside, closed form"], result.leakage_closed.sel(step=1))
    assert [text.get_text() for text in ax.texts if "star" in text.get_text()] == [r"$\gamma^\star=0.3$"]
    assert ax.get_ylabel() == r"leaked share, $t=0.1\to0.05$"
    # at the second step mini and main are one part, and no ridge is enough
    other = one(plotting.step_leakage_panel, result, 2)
    assert "in mini+main" in labelled(other)
    assert not {"in mini", "in main"} & set(labelled(other))
    assert not any("star" in text.get_text() for text in other.texts)
    without = one(plotting.step_leakage_panel, result.assign(leakage_closed=result.leakage_closed * np.nan), 1)
    assert "outside, closed form" not in labelled(without)


def test_students_stand_by_level_at_the_last_distill_time():
    result = limit_distill()
    last = result.test.sel(distill_time=np.inf)
    result["test"] = result.test.where(result.distill_time == np.inf, 99.0)
    found = labelled(one(plotting.student_panel, result, "test"))
    assert list(found) == ["$t=0.1$", "$t=0.2$"]
    np.testing.assert_array_equal(found["$t=0.2$"], last.sel(step=2))
    energy = labelled(one(plotting.level_energy_panel, result, 2))
    assert list(energy) == ["gen", "mini+main", "null"]
    np.testing.assert_array_equal(energy["gen"], result.suppression.sel(step=2, part="gen", distill_time=np.inf))
    shaken = labelled(one(plotting.step_instability_panel, result))
    assert set(shaken) == {"gen", "main", "mini+main", "mini", "null"}
    assert np.isnan(shaken["mini"]).tolist() == [False, True]
    assert len(rfsim.plot(result).axes) == 7  # two rows of steps, instability, test, map
