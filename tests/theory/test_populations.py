from __future__ import annotations

import numpy as np
import pytest

from rfsim.disk.files.numbers import DataError
from rfsim.limit.populations import from_array, from_eigenvalues, population
from rfsim.problem import populations


@pytest.mark.parametrize(
    ("spec", "values", "weights"),
    [
        ("isotropic", [1], [1]),
        ("isotropic:2.5", [2.5], [1]),
        ("atoms:0.25@0,0.75@1.5", [0, 1.5], [0.25, 0.75]),
        ("subspace:0.25", [4, 0], [0.25, 0.75]),
        ("mixture:3", [1], [1]),
    ],
)
def test_named_populations_have_their_limits(spec, values, weights):
    found = population(spec)
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found.weights, weights)


# one of each kind that is written with numbers
SPECS = {"powerlaw": "powerlaw:1.2", "subspace": "subspace:0.25", "mixture": "mixture:3"}


def test_there_is_one_of_each_kind():
    assert set(SPECS) == set(populations.NUMBERED)


@pytest.mark.parametrize("spec", ["isotropic:2", "atoms:0.5@0.5,0.5@1.5", *SPECS.values()])
def test_a_population_is_its_text_and_its_law_tends_to_its_limit(spec):
    data = populations.read(spec)
    assert str(data) == spec
    assert populations.read(str(data)) == data
    off = []
    for dim in (40, 4000):
        rho, law = population(spec, dim=dim), data.law(dim)
        np.testing.assert_allclose(law.centers.mean(axis=0), 0.0, atol=1e-12)
        # Σ is diagonal here: what lies between the centers adds to it along each coordinate
        total = law.variances + (law.centers**2).mean(axis=0)
        assert total.min() >= 0
        off.append([abs(rho.weights @ rho.values**k - (total**k).mean()) for k in (1, 2)])
    assert np.all(np.array(off[1]) <= np.array(off[0]) / 50 + 1e-9)  # single directions vanish as 1/d


def test_eigenvalues_come_from_files_and_from_data(tmp_path):
    np.savetxt(tmp_path / "l.csv", [0.5, 1.5, 1.5, 0.5])
    found = population(f"eigenvalues:{tmp_path / 'l.csv'}")
    np.testing.assert_array_equal(found.values, [0.5, 1.5])
    np.testing.assert_array_equal(found.weights, [0.5, 0.5])
    np.save(tmp_path / "l.npy", np.array([1.0, 2.0, 4.0]))
    assert population(f"eigenvalues:{tmp_path / 'l.npy'}").power == pytest.approx(7 / 3)
    x = np.random.default_rng(0).standard_normal((3, 5))  # fewer rows than dimensions: two directions are empty
    rho = from_array(x)
    assert rho.power == pytest.approx((x**2).mean())
    assert rho.weights[0] == pytest.approx(0.4)
    assert not population("isotropic").values.size > 1
    assert population("isotropic").isotropic
    assert not rho.isotropic


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("atoms:0.5@1,0.4@2", "the weights sum to 0.9, not 1"),
        ("isotrope", "unknown data 'isotrope'.*did you mean 'isotropic'"),
        ("powerlaw:x", "ALPHA must be a finite number"),
        ("mixture:-1", "must not be negative"),
        ("eigenvalues:nowhere.npy", "data file nowhere.npy does not exist"),
        ("eigenvalues:nowhere.txt", "data file nowhere.txt does not exist"),
    ],
)
def test_what_is_no_population_is_refused(spec, message):
    with pytest.raises(DataError, match=message):
        population(spec)


def test_what_is_no_spectrum_of_a_covariance_is_refused(tmp_path):
    for values in ([], [0.0, 0.0], [1.0, -0.5], [1.0, np.nan]):
        with pytest.raises(DataError, match="must be finite and not negative, and one of them positive"):
            from_eigenvalues(values)
    np.save(tmp_path / "matrix.npy", np.ones((3, 2)))
    with pytest.raises(DataError, match=r"one real eigenvalue per entry; it has shape \(3, 2\)"):
        population(f"eigenvalues:{tmp_path / 'matrix.npy'}")
    (tmp_path / "l.md").write_text("1")
    with pytest.raises(DataError, match=r"is not one of .npy, .npz, .csv"):
        population(f"eigenvalues:{tmp_path / 'l.md'}")
