from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfsim.disk.files.numbers import DataError
from rfsim.problem import data, populations


@pytest.mark.parametrize("spec", ["isotropic", "powerlaw:1.5", "powerlaw:0", "subspace:0.3", "atoms:0.25@3,0.75@0.25"])
def test_named_populations_have_unit_mean_variance(spec):
    law = populations.read(spec).law(40)
    assert law.variances.shape == (40,)
    # the atoms' own mean is 0.9375; everything else is normalized
    assert law.power == pytest.approx(0.9375 if spec.startswith("atoms") else 1.0)


def test_the_other_forms_say_what_they_are():
    assert populations.read("isotropic:4").law(3).power == 4.0
    assert np.count_nonzero(populations.read("subspace:0.3").law(10).variances) == 3
    falling = populations.read("powerlaw:2").law(3).variances
    np.testing.assert_allclose(falling / falling[0], [1, 1 / 4, 1 / 9])
    mixture = populations.read("mixture:3").law(4)
    np.testing.assert_array_equal(mixture.centers[:, 0], [1.5, -1.5])
    assert not mixture.centers[:, 1:].any()


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.integers(1, 60))
def test_atoms_share_the_dimensions_by_largest_remainder(parts, dim):
    weights = np.array(parts) / sum(parts)
    spec = "atoms:" + ",".join(f"{w!r}@{k + 1}" for k, w in enumerate(weights.tolist()))
    counts = np.array([(populations.read(spec).law(dim).variances == k + 1).sum() for k in range(len(parts))])
    assert counts.sum() == dim
    assert np.all(np.abs(counts - weights * dim) < 1 + 1e-6)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("isotropc", "unknown data 'isotropc'.*did you mean 'isotropic'"),
        ("atoms:0.5@1,0.4@2", "the weights sum to 0.9, not 1"),
        ("atoms:0.5,0.5", "atoms are written WEIGHT@VALUE"),
        ("atoms:1@-1", "values not negative"),
        ("classes:0.5@1,0.4@2", "data 'classes:0.5@1,0.4@2': the weights sum to 0.9, not 1"),
        ("classes:0.5,0.5", "classes are written WEIGHT@VARIANCE"),
        ("classes:0.5@1,0.5@-1", "variances not negative"),
        ("classes:1.5@1,-0.5@1", "weights must be positive"),
        ("classes", "classes are written WEIGHT@VARIANCE"),
        ("isotropic:0", "variance must be positive"),
        ("powerlaw:x", "ALPHA must be a finite number; got 'x'"),
        ("powerlaw", "ALPHA must be a finite number; got ''"),
        ("subspace:1.5", r"the fraction must lie in \(0, 1\]"),
        ("subspace:0.01", "leaves no direction of 5"),
        ("mixture:-1", "separation must not be negative"),
        ("mixture:inf", "SEPARATION must be a finite number"),
    ],
)
def test_bad_populations_are_refused(spec, message):
    with pytest.raises(DataError, match=message):
        populations.read(spec).law(5)


def test_draws_depend_on_the_seed_and_the_use_alone():
    law = populations.read("isotropic").law(6)
    np.testing.assert_array_equal(data.draw(law, 9, 3)[:4], data.draw(law, 4, 3))
    assert not np.array_equal(data.draw(law, 4, 3), data.draw(law, 4, 4))
    first = data.stream(0, "features").standard_normal(3)
    assert not np.array_equal(first, data.stream(0, "data").standard_normal(3))
    # the bytes are part of the contract: a seed means the same draw on every machine
    np.testing.assert_allclose(first, [0.6256938623547672, 1.1008186704797813, 0.15719645587562], rtol=1e-15)


def test_samples_have_the_populations_covariance():
    points = data.draw(populations.read("mixture:4").law(3), 40_000, 0)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(points.T), np.diag([5.0, 1.0, 1.0]), atol=0.08)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_every_file_form_reads_back(tmp_path, suffix):
    array = np.random.default_rng(0).standard_normal((6, 3))
    path = tmp_path / f"points{suffix}"
    {".npy": np.save, ".npz": np.savez, ".csv": lambda p, a: np.savetxt(p, a, delimiter=",")}[suffix](path, array)
    np.testing.assert_allclose(populations.read(str(path)).rows().values, array)


def bad_files(folder):
    good = np.ones((4, 2))
    np.save(folder / "object.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    np.save(folder / "nan.npy", np.array([[1.0, np.nan], [1, 2]]))
    np.save(folder / "rank.npy", np.ones((2, 2, 2)))
    np.save(folder / "one.npy", np.ones((1, 4)))
    np.save(folder / "text.npy", np.array([["a", "b"], ["c", "d"]]))
    np.save(folder / "complex.npy", good * 1j)
    np.savez(folder / "two.npz", a=good, b=good)
    np.save(folder / "good.npy", good)
    (folder / "short.npy").write_bytes((folder / "good.npy").read_bytes()[:-20])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "words.csv").write_text("x,y\n1,2\n3,four\n")
    (folder / "ragged.csv").write_text("1,2\n3\n")
    (folder / "empty.csv").write_text("")
    (folder / "junk.npz").write_bytes(b"PK\x03\x04nothing")
    (folder / "notes.md").write_text("1,2\n3,4\n")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("object.npy", "cannot be read as numbers"),
        ("nan.npy", "has 1 NaN or infinite values"),
        ("rank.npy", r"has shape \(2, 2, 2\); \(samples, dimensions\) is needed"),
        ("one.npy", "at least 2 samples"),
        ("text.npy", "holds <U1 values; real numbers are needed"),
        ("complex.npy", "holds complex128 values"),
        ("two.npz", r"exactly one array; it holds a, b: give one of them as .*two\.npz:KEY"),
        ("short.npy", "cannot be read as numbers"),
        ("empty.npy", "cannot be read as numbers"),
        ("words.csv", "cannot be read as numbers"),
        ("ragged.csv", "cannot be read as numbers"),
        ("empty.csv", "is empty"),
        ("junk.npz", "cannot be read as numbers"),
        ("notes.md", "is not one of .npy, .npz, .csv"),
        ("missing.npy", "does not exist"),
    ],
)
def test_bad_files_are_refused_in_one_line_and_left_alone(tmp_path, name, message):
    bad_files(tmp_path)
    path = tmp_path / name
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(DataError, match=message) as caught:
        populations.read(str(path)).rows()
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_pickle_is_never_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("boom").touch, ())

    np.save(tmp_path / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError):
        populations.read(str(tmp_path / "bomb.npy")).rows()
    assert not (tmp_path / "boom").exists()


def test_preparing_centers_and_scales():
    array = np.random.default_rng(1).standard_normal((50, 4)) * [1, 2, 3, 4] + 5
    globally = data.prepare(array)
    np.testing.assert_allclose(globally.mean(axis=0), 0, atol=1e-14)
    assert (globally**2).mean() == pytest.approx(1.0)
    np.testing.assert_allclose(globally / globally[0, 0], (array - array.mean(0)) / (array - array.mean(0))[0, 0])
    np.testing.assert_allclose((data.prepare(array, scale="columns") ** 2).mean(axis=0), 1.0)
    np.testing.assert_array_equal(data.prepare(array, center=False, scale="none"), array)


def test_constant_columns_matter_only_where_each_is_scaled():
    array = np.random.default_rng(2).standard_normal((20, 3))
    array[:, 1] = 7.0
    assert np.isfinite(data.prepare(array)).all()
    with pytest.raises(DataError, match="cannot divide constant columns 1; drop them or use scale 'global'"):
        data.prepare(array, scale="columns")
    with pytest.raises(DataError, match="the data are constant"):
        data.prepare(np.ones((4, 2)))
    with pytest.raises(DataError, match="scale must be one of none, global, columns; got 'both'"):
        data.prepare(array, scale="both")


def test_the_two_halves_share_no_row():
    array = np.arange(22.0).reshape(11, 2)
    halves = data.split(array, 0)
    assert [len(half) for half in halves] == [5, 6]
    rows = np.concatenate(halves)
    np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], array)
    assert not np.array_equal(halves.train, data.split(array, 1).train)


def test_digits_and_their_components():
    pixels = populations.read("digits").rows().values
    assert pixels.shape == (1797, 64)
    few = populations.read("digits:5").rows().values
    assert few.shape == (1797, 5)
    covariance = few.T @ few
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-6)
    assert np.all(np.diff(np.diag(covariance)) < 0)
    with pytest.raises(DataError, match="cannot divide constant columns 0, 32, 39"):
        data.prepare(pixels, scale="columns")
    for bad in ("digits:0", "digits:65", "digits:x", "digits:2.5"):
        with pytest.raises(DataError, match="K must be a whole number from 1 to 64"):
            populations.read(bad).rows()


@pytest.mark.parametrize("spec", ["digits", "digits:64"])
def test_images_undo_the_preparation_of_digits(spec):
    images = populations.read(spec).images(data.prepare(populations.read(spec).rows().values)[:50])
    np.testing.assert_allclose(images.reshape(50, 64), populations.read("digits").rows().values[:50], atol=1e-11)


def test_images_of_few_components_are_the_nearest_that_these_span():
    pixels = populations.read("digits").rows().values
    left = {}
    for k in (5, 10):
        images = (
            populations.read(f"digits:{k}")
            .images(data.prepare(populations.read(f"digits:{k}").rows().values))
            .reshape(-1, 64)
        )
        missing = pixels - images
        np.testing.assert_allclose(missing.mean(axis=0), 0, atol=1e-11)
        # what is left out is orthogonal to what is shown
        assert abs(((images - images.mean(axis=0)) * missing).sum()) < 1e-9 * (pixels**2).sum()
        left[k] = (missing**2).sum()
    variances = np.linalg.eigvalsh(np.cov(pixels.T, bias=True))[::-1] * len(pixels)
    assert [left[k] for k in (5, 10)] == pytest.approx([variances[k:].sum() for k in (5, 10)])
    np.testing.assert_allclose(
        populations.read("digits:5").images(np.zeros((1, 5)))[0].ravel(), pixels.mean(axis=0), atol=1e-12
    )


def test_images_of_other_data_are_refused():
    with pytest.raises(DataError, match="images are of data digits or digits:K; got 'isotropic'"):
        populations.read("isotropic").images(np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"points of 'digits:5' have shape \(rows, 5\); got \(2, 3\)"):
        populations.read("digits:5").images(np.zeros((2, 3)))
    with pytest.raises(DataError, match="K must be a whole number from 1 to 64"):
        populations.read("digits:0").images(np.zeros((2, 3)))


def test_what_centering_leaves_of_a_constant_is_not_data():
    with pytest.raises(DataError, match="the data are constant"):
        data.prepare(np.full((31, 3), 0.1))
    array = np.random.default_rng(3).standard_normal((61, 2))
    array[:, 1] = 1e5 + 0.1
    assert not data.prepare(array)[:, 1].any()
    with pytest.raises(DataError, match="cannot divide constant columns 1"):
        data.prepare(array, scale="columns")


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_the_scale_of_an_array_does_not_matter(size):
    array = np.random.default_rng(4).standard_normal((20, 3))
    np.testing.assert_allclose(data.prepare(array * size), data.prepare(array), rtol=1e-12)


def test_specs_that_say_nothing_or_lose_their_variance_are_refused():
    with pytest.raises(DataError, match="at dim 10 only atoms at 0 get a direction"):
        populations.read("atoms:0.99@0,0.01@1").law(10)
    with pytest.raises(DataError, match="VARIANCE must be a finite number; got ''"):
        populations.read("isotropic:").law(3)
    with pytest.raises(DataError, match="K must be a whole number"):
        populations.read("digits:").rows()
    with pytest.raises(DataError, match="unknown data 'xxx"):
        populations.read("x" * 300).rows()
    assert np.isfinite(populations.read("powerlaw:-1000").law(9).variances).all()
