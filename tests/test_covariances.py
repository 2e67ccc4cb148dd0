from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import theory
from rfsim.checking.notes import Note, recorded
from rfsim.disk import store
from rfsim.disk.files.numbers import DataError
from rfsim.problem import data, origins, populations
from rfsim.problem.covariances import distinct, is_symmetric

EIGENVALUES = np.array([0.0, 0.5, 0.5, 1.0, 3.0])
ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
MATRIX = (ROTATION * EIGENVALUES) @ ROTATION.T
SIZES = {"samples_per_dim": 4, "features_per_dim": 8}


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("matrix.npy", MATRIX)
    np.savetxt("matrix.csv", (MATRIX + MATRIX.T) / 2, delimiter=",")
    np.savetxt("matrix.tsv", (MATRIX + MATRIX.T) / 2, delimiter="\t")
    np.save("single.npy", MATRIX.astype(np.float32))
    np.savez("several.npz", mean=np.zeros(5), sigma=MATRIX)
    np.save("list.npy", EIGENVALUES)


@pytest.mark.parametrize("name", ["matrix.npy", "matrix.csv", "matrix.tsv", "single.npy", "several.npz:sigma"])
def test_a_covariance_is_that_of_its_eigenvalues(files, name):
    values, shares = populations.read(f"covariance:{name}").covariance()
    rounding = 1e-6 if name == "single.npy" else 1e-12
    np.testing.assert_allclose(values @ shares, EIGENVALUES.mean(), rtol=rounding)
    assert values.min() == 0.0
    found = populations.read(f"covariance:{name}").law(5).variances
    np.testing.assert_allclose(np.sort(found), EIGENVALUES, atol=10 * rounding)


@pytest.mark.slow
def test_limit_and_sample_are_those_of_the_eigenvalues(files):
    given, listed = (rfsim.Problem(**SIZES, data=f"{one}.npy") for one in ("covariance:matrix", "eigenvalues:list"))
    for quantity, options in ((theory.curves, {}), (rfsim.train, {"dim": 5})):
        one, other = (quantity(problem, [3.0, np.inf], **options) for problem in (given, listed))
        for name in ("train", "test"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-9)
        assert set(store.settings(one)) == set(store.settings(other))
        assert store.settings(one)["data"] == "covariance:matrix.npy"


def test_the_sample_has_the_rotation_left_out_alone(files):
    # of Gaussian weights the features see x only by Wx, which has the law of WRx: losses agree in the mean
    problem = rfsim.Problem(**SIZES, data="covariance:matrix.npy")
    law = populations.read(problem.data).law(5)
    turned = data.draw(law, 4000, 0) @ np.linalg.eigh(MATRIX)[1].T
    np.testing.assert_allclose(turned.T @ turned / 4000, MATRIX, atol=0.15)


def test_a_file_that_changed_is_read_again(files):
    first = populations.read("covariance:matrix.npy").covariance()[0]
    np.save("matrix.npy", 2 * MATRIX)
    np.testing.assert_allclose(populations.read("covariance:matrix.npy").covariance()[0], 2 * first)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.ones((3, 4)), r"square covariance matrix; it has shape \(3, 4\); samples are given as bad.npy"),
        (
            np.triu(np.ones((3, 3))),
            r"must hold a symmetric matrix; an entry differs from its mirror by 1.*save \(A \+ A",
        ),
        (np.diag([1.0, -0.1]), r"bad.npy: the eigenvalues.*got -0.1 beside 1"),
        (np.zeros((3, 3)), "one of them positive"),
        (np.full((2, 2), np.nan), "has NaN or infinite values"),
        (np.eye(3) * 1j, "complex128 values"),
        (np.ones(4), r"square covariance matrix.*eigenvalues as eigenvalues:bad.npy"),
    ],
)
def test_what_is_no_covariance_is_refused_by_name(tmp_path, monkeypatch, array, match):
    monkeypatch.chdir(tmp_path)
    np.save("bad.npy", array)
    with pytest.raises(DataError, match=match):
        populations.read("covariance:bad.npy").covariance()


def test_a_matrix_among_eigenvalues_names_the_other_form(files):
    with pytest.raises(DataError, match=r"has shape \(5, 5\); a covariance matrix is given as covariance:matrix.npy"):
        populations.read("eigenvalues:matrix.npy").covariance()


def test_rounding_below_zero_is_zero_and_more_is_refused():
    assert distinct([-1e-16, 0.0, 1.0])[0].tolist() == [0.0, 1.0]
    assert distinct(np.array([-1e-7, 1.0], dtype=np.float32))[0].tolist() == [0.0, 1.0]
    with pytest.raises(DataError, match="not negative.*got -1e-07 beside 1"):
        distinct([-1e-7, 1.0])


def test_a_symmetric_array_of_samples_is_said_to_be_one(files):
    with recorded() as notes:
        populations.read("matrix.csv").rows()
    assert notes == [
        "data 'matrix.csv' is a symmetric matrix, taken for 5 samples of 5 dimensions; a covariance is given as data "
        "covariance:matrix.csv"
    ]
    with pytest.warns(Note, match="the array is a symmetric matrix.*covariance:FILE"):
        origins.source(rfsim.Problem(0.4, 2), array=MATRIX)
    assert not is_symmetric(MATRIX[:4])
    assert not is_symmetric(np.random.default_rng(0).standard_normal((5, 5)))


def test_a_dimension_in_which_the_shares_do_not_fit_is_said(files):
    problem = rfsim.Problem(**SIZES, data="covariance:matrix.npy")
    origin = origins.source(problem)
    with recorded() as notes:
        for dim in (5, 10, 100):
            origins.resolve(problem, origin, dim)
    assert not notes
    with pytest.warns(Note, match="at dim 7 the eigenvalues do not all have their shares; give dim as the rows"):
        origins.resolve(problem, origin, 7)
