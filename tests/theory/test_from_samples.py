"""Σ from few samples: shrinkage, deconvolution, and what a prediction gains by them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rfsim
from rfsim import Problem, theory
from rfsim.checking import notes
from rfsim.limit.from_samples import deconvolved, shrunk
from rfsim.limit.populations import from_array

TIMES = [100.0, 1e4]
TRUE = np.repeat([0.5, 1.5], 50)
EIGHT = np.repeat([0.5, 1.5], 4)  # few programs are compiled for so few


def drawn(seed, rows, variances=TRUE):
    return np.random.default_rng(seed).standard_normal((rows, variances.size)) * np.sqrt(variances)


def eigenvalues(array):
    centered = array - array.mean(axis=0)
    return np.maximum(np.linalg.eigvalsh(centered.T @ centered / len(array)), 0)


def variance(values, weights):
    return weights @ values**2 - (weights @ values) ** 2


@pytest.mark.parametrize("rows", [60, 200, 1000])
def test_deconvolution_finds_the_variance_of_the_eigenvalues(rows):
    """Var l = .25; of 40 draws .280(7), .258(3), .2516(8) was found: what is too much falls as 1/rows."""
    found = [variance(*deconvolved(eigenvalues(drawn(seed, rows)), rows - 1)) for seed in range(10)]
    assert abs(np.mean(found) - 0.25) < 4 / rows
    plain = np.mean([eigenvalues(drawn(seed, rows)).var() for seed in range(10)])
    assert plain > 0.25 + 0.8 * 100 / rows


def test_deconvolution_finds_isotropic_data():
    values, weights = deconvolved(eigenvalues(drawn(0, 200, np.ones(100))), 199)
    assert variance(values, weights) < 0.01


def test_shrinkage_is_the_variance_along_the_sample_eigenvectors():
    """d_i estimates uᵀΣu, which is known here: the errors of the estimate beside those of the sample's eigenvalues."""
    for rows in (50, 200, 1000):
        array = drawn(1, rows)
        array -= array.mean(axis=0)
        lam, vectors = np.linalg.eigh(array.T @ array / rows)
        oracle = (vectors**2 * TRUE[:, None]).sum(axis=0)
        found = shrunk(np.maximum(lam, 0), rows - 1)
        assert np.abs(found - oracle).mean() < 0.5 * np.abs(lam - oracle).mean()


@given(st.integers(13, 60), st.integers(2, 30), st.integers(0, 5), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_both_keep_the_mean_and_are_no_less_than_zero(rows, columns, constant, seed):
    variances = np.random.default_rng(seed).lognormal(size=columns)
    lam = eigenvalues(drawn(seed, rows, np.concatenate([variances, np.zeros(constant)])))
    one, (values, weights) = shrunk(lam, rows - 1), deconvolved(lam, rows - 1)
    assert one.size == lam.size
    assert min(one.min(), values.min(), weights.min()) >= 0
    assert weights.sum() == pytest.approx(1)
    assert one.mean() == pytest.approx(lam.mean())
    assert weights @ values == pytest.approx(lam.mean())


def test_constant_columns_stay_without_variance():
    lam = eigenvalues(drawn(2, 400, np.concatenate([np.ones(20), np.zeros(5)])))
    assert (shrunk(lam, 399)[:5] == 0).all()
    values, weights = deconvolved(lam, 399)
    assert weights[values == 0].sum() == pytest.approx(0.2, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("covariance", "share"), [("shrunk", 0.5), ("deconvolved", 0.1)])
def test_the_predicted_test_loss_errs_less(covariance, share):
    """Over ten seeds, of n = 2d rows: mean errors of L_test beside those of the sample covariance."""
    problem = Problem(samples_per_dim=4, features_per_dim=16)
    true = theory.curves(Problem(samples_per_dim=4, features_per_dim=16, data="atoms:0.5@0.5,0.5@1.5"), TIMES).test
    errors = {"sample": [], covariance: []}
    with notes.recorded():
        for seed in range(10):
            for name, found in errors.items():
                curve = theory.curves(problem, TIMES, array=drawn(seed, 200), scale="none", covariance=name).test
                found.append(np.abs(curve.values - true.values))
    assert (np.mean(errors[covariance], axis=0) < share * np.mean(errors["sample"], axis=0)).all()


def test_it_is_told_in_settings_and_few_rows_are_told():
    problem = Problem(samples_per_dim=4, features_per_dim=16)
    with notes.recorded() as heard:
        found = theory.spectrum(problem, array=drawn(0, 16, EIGHT), covariance="deconvolved")
    assert heard == []
    assert '"covariance":"deconvolved"' in found.attrs["settings"].replace(" ", "")
    with notes.recorded() as heard:
        theory.spectrum(problem, array=drawn(0, 16, EIGHT))
    (note,) = heard
    assert "16 samples of 8 columns" in str(note)
    with notes.recorded() as heard:
        theory.spectrum(problem, array=drawn(0, 40, EIGHT))
    assert heard == []


def test_refusals():
    with pytest.raises(ValueError, match="covariance must be one of sample, shrunk, deconvolved; got 'foo'"):
        from_array(drawn(0, 20), "foo")
    with pytest.raises(ValueError, match="needs at least 13 samples; got 12"):
        from_array(drawn(0, 12), "shrunk")
    with pytest.raises(ValueError, match="data 'isotropic' have their own Σ: leave it out"):
        theory.spectrum(Problem(), covariance="shrunk")


def test_a_sweep_takes_it_as_an_axis(tmp_path):
    np.save(tmp_path / "x.npy", drawn(0, 16, EIGHT))
    spec = {
        "command": "theory.curves",
        "problem": {"data": str(tmp_path / "x.npy"), "train_times": [1e4]},
        "axes": {"covariance": ["sample", "deconvolved"], "features_per_dim": [8, 16]},
    }
    with notes.recorded():
        found = rfsim.sweep(spec, executor="serial")
    assert found.test.dims[:2] == ("covariance", "features_per_dim")
    assert (found.status == 1).all()
    assert (found.test.sel(covariance="deconvolved") > found.test.sel(covariance="sample")).all()
