from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.computing import machine
from rfsim.disk import store
from tests.plotting.reading import read

PROBLEM = Problem(samples_per_dim=8, features_per_dim=64)


@pytest.mark.slow
def test_a_density_is_a_labelled_result(tmp_path):
    steps = []
    result = rfsim.density(PROBLEM, dim=20, probes=16, seeds=2, report=lambda step, values: steps.append(step))
    assert steps == ["products with U"] * 2
    assert result.sizes["probe"] == 16
    assert [str(name) for name in result.part.values] == ["null", "mini", "main", "gen"]
    exact = rfsim.spectrum(PROBLEM, dim=20, model="gaussian", seeds=2)
    np.testing.assert_array_equal(result.rank_mass, exact.mass)
    assert float((np.abs(result.mass - result.rank_mass) / result.mass_error).max()) < 3
    np.testing.assert_allclose(result.mass.sum("part"), 1, atol=1e-12)
    largest = exact.eigenvalue.isel(feature=-1)
    np.testing.assert_allclose(result.edge.sel(end="largest"), largest, rtol=1e-8)
    np.testing.assert_allclose(result.edge.sel(end="smallest"), result.s2, rtol=1e-3)
    told = store.settings(result)
    assert (told["route"], told["probes"], told["steps"], told["model"]) == ("lanczos", 16, 50, "gaussian")
    store.save(result, tmp_path / "result.nc")
    assert rfsim.load(tmp_path / "result.nc").identical(result)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["real", "gaussian"])
@pytest.mark.parametrize("differs", [{"noise_copies": 4}, {}], ids=str)
def test_gen_is_found_in_every_model(model, differs):
    result = rfsim.density(Problem(samples_per_dim=4, features_per_dim=32, **differs), dim=30, model=model)
    gen = result.isel(seed=0, part=-1)
    assert str(gen.part.values) == "gen"
    assert abs(float(gen.mass - gen.rank_mass)) < 3 * float(gen.mass_error)


def test_a_factor_beyond_memory_is_refused_before_it_is_drawn(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 2**30)
    with pytest.raises(MemoryError, match="100000 features needs about .* GiB, and this process may use 1 GiB"):
        rfsim.density(Problem(samples_per_dim=20, features_per_dim=1000), dim=100)


@pytest.mark.parametrize("name", ["probes", "steps"])
def test_counts_are_checked(name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least"):
        rfsim.density(PROBLEM, dim=10, **{name: 0})


@pytest.mark.slow
def test_a_panel_shows_each_mass_with_its_error():
    from rfsim.plotting import canvas
    from rfsim.plotting.density import density_panel

    result = rfsim.density(PROBLEM, dim=10, probes=4, steps=30)
    figure, axes = canvas(1, 1, style="paper", width="single")
    ax = np.ravel(axes)[0]
    density_panel(ax, result)
    texts = read(ax.get_legend())
    assert [text.split()[0] for text in texts] == ["null", "mini", "main", "gen"]
    assert all(r"\pm" in text for text in texts)
    assert "0.05" in ax.get_ylabel()
    figure.draw_without_rendering()
