"""Labels of an array's rows: the classes that they make, how they are read, and who refuses them."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.checking.notes import Note, recorded
from rfsim.cli import main
from rfsim.disk import store
from rfsim.learning import curves, trainers
from rfsim.problem import arrays, data, populations, realization
from rfsim.problem.draws import Draw
from rfsim.results.halves import differ, without_shifted_times
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method, sample_target
from rfsim.sample.spectra.accurate import averaged, training_moments
from rfsim.sample.spectra.sample import sample_spectrum

ROWS = np.random.default_rng(0).standard_normal((96, 6)) * np.linspace(0.5, 1.5, 6)
CODES = np.random.default_rng(1).integers(0, 3, 96)
PROBLEM = rfsim.Problem(samples_per_dim=4, features_per_dim=6, ridge=1e-3)
TIMES = [0.0, 10.0, 1e3, math.inf]
POOLED = ("train", "test", "gen")


def read(given, rows=ROWS):
    return populations.labels(given, arrays.rows(rows))


@pytest.mark.parametrize("problem", [PROBLEM, rfsim.Problem(4, 6, noise_copies=3, ridge=1e-2)])
def test_labels_leave_every_pooled_number_as_it_is(problem):
    plain = rfsim.train(problem, TIMES, array=ROWS, seeds=2, by_part=True)
    found = rfsim.train(problem, TIMES, array=ROWS, seeds=2, by_part=True, labels=CODES)
    for name in plain.variables:
        np.testing.assert_array_equal(found[name], plain[name], err_msg=str(name))
    assert found["class"].values.tolist() == ["0", "1", "2"]
    assert np.ptp(found.test_class.values[0, :, -1]) > 1e-3
    assert store.settings(found).keys() - store.settings(plain).keys() == {"labels", "labels_digest"}


@pytest.mark.parametrize("copies", [math.inf, 3])
def test_one_class_has_the_pooled_numbers(copies):
    problem = rfsim.Problem(4, 6, noise_copies=copies, ridge=1e-3)
    found = rfsim.train(problem, TIMES, array=ROWS, labels=["all"] * 96)
    for name in POOLED:
        np.testing.assert_allclose(found[f"{name}_class"].sel({"class": "all"}), found[name], rtol=1e-10, atol=1e-10)
    for name in ("gen", "mem"):
        pooled = found[f"tau_{name}"].sel({f"{name}_route": "curve"})
        np.testing.assert_allclose(found[f"tau_{name}_class"][:, 0], pooled, rtol=1e-6)
    assert found.class_share.values.tolist() == [1.0]
    assert found.class_variance.item() == pytest.approx(1.0, rel=1e-12)  # as the array is scaled


def test_losses_of_classes_are_those_of_their_rows():
    """Through the split of the rows themselves, and moments of these alone."""
    with recorded():  # so few rows of a class may differ in their covariance
        found = rfsim.train(PROBLEM, TIMES, array=ROWS, labels=CODES, seed=3)
    origin, sizes = Draw(array=ROWS, seed=3).of(PROBLEM)
    draw = realization.instance(PROBLEM, origin, sizes, 3)
    order = data.stream(3, "split").permutation(96)
    codes = CODES[order[:24]], CODES[order[48:]]
    spectrum = sample_spectrum(PROBLEM, draw)
    trainer = trainers.Flow().at(2 * draw_delta() / sizes.features * sizes.dim, PROBLEM.ridge)
    for k in range(3):
        own = training_moments(PROBLEM, draw, 1e-8, 1e-3, kept=codes[0] == k)
        law = realization.diffuse(draw.population._replace(centers=draw.population.centers[codes[1] == k]), 0.1)
        for name, moments in (("train", own), ("test", averaged(PROBLEM, draw, law, 1e-8, 1e-3))):
            by_hand = curves.loss_curves(spectrum, sample_target(spectrum, moments), TIMES, trainer).test
            np.testing.assert_allclose(found[f"{name}_class"][0, k], by_hand, atol=1e-7)
    for name, of in (("train", codes[0]), ("test", codes[1])):
        weights = np.bincount(of, minlength=3) / of.size
        np.testing.assert_allclose(weights @ found[f"{name}_class"].values[0], found[name][0], atol=1e-7)
    np.testing.assert_allclose(found.class_share, np.bincount(CODES) / 96)
    around = [np.var(origin.array[k == CODES], axis=0).mean() for k in range(3)]
    np.testing.assert_allclose(found.class_variance, around, rtol=1e-12)


def draw_delta():
    return 1 - math.exp(-2 * PROBLEM.diffusion_time)


def test_labels_go_with_inputs_beside_rows():
    y = ROWS[:, :2] + 0.1
    plain = rfsim.train(PROBLEM, TIMES, array=ROWS, condition=y)
    found = rfsim.train(PROBLEM, TIMES, array=ROWS, condition=y, labels=CODES)
    one = rfsim.train(PROBLEM, TIMES, array=ROWS, condition=y, labels=np.zeros(96, dtype=int))
    for name in POOLED:
        np.testing.assert_array_equal(found[name], plain[name])
        np.testing.assert_allclose(one[f"{name}_class"][:, 0], plain[name], rtol=1e-10, atol=1e-10)
    assert np.ptp(found.train_class.values[0, :, -1]) > 1e-3


def test_a_class_without_rows_has_no_numbers_and_that_is_said():
    rare = np.array(["common"] * 95 + ["rare"])
    with pytest.warns(
        Note, match="a class without training rows has no train_class, which is NaN: class rare in seed 0"
    ):
        found = rfsim.train(PROBLEM, [10, 1e3], array=ROWS, labels=rare)
    alone = found.sel({"class": "rare"})
    assert np.isnan(alone.train_class).all()
    assert np.isnan(alone.gen_class).all()
    assert np.isnan(alone.tau_mem_class).all()
    assert np.isfinite(alone.test_class).all()
    assert np.isfinite(alone.tau_gen_class).all()
    assert "rare in seed 0" in found.train_class.attrs["note"]
    # the other way around: the one row is trained on
    trained = data.stream(0, "split").permutation(96)[0]
    with pytest.warns(Note, match="no test_class, which is NaN: class rare in seed 0"):
        found = rfsim.train(PROBLEM, [10], array=ROWS, labels=np.where(np.arange(96) == trained, "rare", "common"))
    alone = found.sel({"class": "rare"})
    assert np.isfinite(alone.train_class).all()
    for name in ("test_class", "gen_class", "tau_gen_class", "tau_mem_class"):
        assert np.isnan(alone[name]).all(), name


def test_a_class_whose_halves_differ_has_no_onset_before_anything_is_memorized():
    """As the pooled one where it is the only class; of the gap between its rows else."""
    rows, order = np.random.default_rng(3).standard_normal((64, 4)), data.stream(0, "split").permutation(64)
    codes = np.arange(64) % 2
    held = np.isin(np.arange(64), order[32:])
    rows[held & (codes == 1)] *= 6.0
    origin, _ = Draw(array=rows, labels=codes, scale="none", center=False).of(rfsim.Problem(8, 8))
    assert differ(origin, 32, 0, 0.3, 1)
    assert not differ(origin, 32, 0, 0.3, 0)
    alone, _ = Draw(array=rows, labels=[0] * 64).of(rfsim.Problem(8, 8))
    assert differ(alone, 32, 0, 0.3, 0) == differ(alone, 32, 0, 0.3)
    # of its time alone
    problem = rfsim.Problem(8, 8, diffusion_time=0.3)
    run = Run(problem, Draw(array=rows, labels=codes), method=Method(), copies=1)
    times = xr.Dataset(
        {"tau_mem": (("seed", "mem_route"), [[1e3, 1e3]]), "tau_mem_class": (("seed", "class"), [[2.9, 2.9]])},
        {"seed": [0], "mem_route": ["formula", "curve"], "class": ["0", "1"]},
    )
    with pytest.warns(Note, match="tau_mem_class of class 1 is undefined .* for seed 0: .* rows of the class differ"):
        found = without_shifted_times(run, times, 0.0)
    np.testing.assert_array_equal(found.tau_mem_class, [[2.9, np.nan]])
    np.testing.assert_array_equal(found.tau_mem, times.tau_mem)
    assert "of class 1" in found.tau_mem_class.attrs["note"]


@pytest.mark.parametrize(
    ("given", "names", "codes"),
    [
        (np.array([10, 2, 2]), ("2", "10"), [1, 0, 0]),
        ([1.0, 3.0, 1.0], ("1", "3"), [0, 1, 0]),
        (["b", " a", "b"], ("a", "b"), [1, 0, 1]),
        ([True, False, True], ("False", "True"), [1, 0, 1]),
        (["10", "2", "2.0"], ("2", "10"), [1, 0, 0]),
        ([1, "x", 1], ("1", "x"), [0, 1, 0]),
        (np.array([[5], [4], [5]]), ("4", "5"), [1, 0, 1]),
        (np.array([b"a", b"b", b"a"]), ("a", "b"), [0, 1, 0]),
        (xr.DataArray(["u", "v", "u"]), ("u", "v"), [0, 1, 0]),
    ],
)
def test_labels_are_whole_numbers_or_texts(given, names, codes):
    found = read(given, ROWS[:3, :2])
    assert found.names == names
    assert found.codes.tolist() == codes
    assert found.name == "labels"


def test_a_tables_column_is_labels():
    pandas = pytest.importorskip("pandas")
    for column in (pandas.Series(["u", "v", "u"], dtype="category"), pandas.Series(["u", "v", "u"], dtype="string")):
        assert read(column, ROWS[:3, :2]).names == ("u", "v")
    with pytest.raises(ValueError, match="1 missing labels, counted from 0 at row 1;"):
        read(pandas.Series(["u", pandas.NA, "u"], dtype="string"), ROWS[:3, :2])


FILES = {
    "lines.txt": ('b\na\n"a"\n\n', ["b", "a", "a"]),
    "header.csv": ("species\nb\na\na\n", ["b", "a", "a"]),
    "numbered.csv": ("digit\n3\n1\n1\n", ["3", "1", "1"]),
    "floats.txt": ("# by savetxt\n3.000e+00\n1.000e+00\n1.000e+00\n", ["3", "1", "1"]),
    "spaces.tsv": ("New York\nOslo\r\nOslo\n", ["New York", "Oslo", "Oslo"]),
    "quoted.csv": ('"a, b"\nc\nc\n', ["a, b", "c", "c"]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_labels_are_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    text, labels = FILES[name]
    for path, raw in ((name, text.encode()), (f"{name}.gz", gzip.compress(text.encode()))):
        Path(path).write_bytes(raw)
        with recorded() as heard:
            found = read(path, ROWS[:3, :2])
        assert [found.names[k] for k in found.codes] == labels
        assert found.name == path
        told = {"header.csv": "species", "numbered.csv": "digit"}.get(name)
        note = f"labels {path}: the first line is a header ({told!r}) and no label"
        assert heard == ([] if told is None else [note])


def test_arrays_in_files_are_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("codes.npy", np.array([2, 1, 1]))
    np.save("texts.npy", np.array(["b", "a", "a"]))
    np.savez("both.npz", one=np.array([2, 1, 1]), two=np.array(["b", "a", "a"]))
    for spec in ("codes.npy", "texts.npy", "both.npz:one", "both.npz:two"):
        assert read(spec, ROWS[:3, :2]).codes.tolist() == [1, 0, 0]


def refusals(tmp_path):
    np.save(tmp_path / "objects.npy", np.array(["a", "b"], dtype=object), allow_pickle=True)
    for name, text in {
        "empty.txt": "",
        "columns.csv": "0,a\n1,b\n",
        "missing.txt": "a\n\n" + "b\n" * 94,
        "long.txt": "a" * 65,
        "quotes.csv": '"a\n',
        "latin.txt": None,
    }.items():
        (tmp_path / name).write_bytes(b"\xe9\n" if text is None else text.encode())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (CODES[:5], "^labels has 5 rows, the array 96; give a label for each$"),
        ([], "^labels has 0 rows"),
        (3, r"^labels has shape \(\); one label for each row"),
        (ROWS, r"^labels has shape \(96, 6\); one label for each row"),
        (ROWS[:, 0], "^labels has 0.06.* in row 0; a label is a whole number or a text"),
        ([math.inf] * 96, "^labels has inf in row 0"),
        ([math.nan, None, *CODES[2:]], "^labels has 2 missing labels, counted from 0 at row 0, row 1; give them one"),
        (np.ma.masked_array(CODES, np.arange(96) > 91), "^labels has 4 missing labels, .* row 92, row 93, row 94, …;"),
        ([{}] * 96, "^labels has a dict in row 0; whole numbers or short texts"),
        (["a\tb\nc"] * 96, "^labels has .* in row 0; a label is a printable text of at most 64"),
        (["a" * 65] * 96, "^labels has 'aaa.* in row 0; a label is a printable text"),
        (CODES.astype(complex), "^labels holds complex128 values"),
        ("isotropic", "^labels must name a file of labels .*; got 'isotropic'$"),
        ("gone.npy", "^data file gone.npy does not exist"),
        ("objects.npy", r"cannot be read as labels \(it holds object values; .* array.astype\(str\)\)"),
        ("empty.txt", r"cannot be read as labels \(it is empty\)"),
        ("columns.csv", r"line 1 has 2 columns, '0,a'; give one a line"),
        ("missing.txt", "^labels has 1 missing labels, counted from 0 at row 1;"),
        ("long.txt", "line 1 has 65 characters; at most 64"),
        ("quotes.csv", "line 1: .* is no word"),
        ("latin.txt", "line 1 is not text in UTF-8"),
    ],
)
def test_what_are_no_labels_is_refused_in_a_line(tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    refusals(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        rfsim.train(PROBLEM, [1], array=ROWS, labels=given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"array": None}, "^labels go with samples, one for each"),
        ({"held_out": ROWS}, "^held_out rows have no labels of their own"),
        ({"model": "gaussian"}, "^losses by label are of the real model, .*; got model gaussian"),
        ({"route": "krylov"}, "^losses by label .* route krylov$"),
        ({"moments": "montecarlo:40"}, "^losses by label .* moments montecarlo:40"),
    ],
)
def test_what_does_not_go_with_labels_is_refused(options, message):
    with recorded(), pytest.raises(ValueError, match=message):
        rfsim.train(PROBLEM, [1], **({"array": ROWS, "labels": CODES} | options))


def test_too_many_classes_are_no_classes():
    rows = np.random.default_rng(0).standard_normal((600, 4))
    with pytest.raises(ValueError, match="^labels has 600 classes in 600 rows; at most 256 are taken$"):
        read(np.arange(600), rows)


def test_the_command_tells_classes_by_their_labels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", ROWS)
    (tmp_path / "y.txt").write_text("\n".join(np.array(["ant", "bee", "cat"])[CODES]) + "\n")
    command = ["train", "--data", "x.npy", "--labels", "y.txt", "--samples", "24", "--features", "36"]
    assert main([*command, "--train-times", "10,1000", "--json", "--out", "found"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["label"] for one in answer["classes"]] == ["ant", "bee", "cat"]
    result = rfsim.load("found/result.nc")
    assert result["class"].values.tolist() == ["ant", "bee", "cat"]
    for k, one in enumerate(answer["classes"]):
        np.testing.assert_allclose(one["test"], result.test_class[0, k], rtol=1e-12)
    assert answer["problem"]["labels"] == "y.txt"
    direct = rfsim.train(rfsim.Problem(4, 6), [10, 1e3], array=ROWS, labels="y.txt")
    np.testing.assert_allclose(direct.test_class, result.test_class, rtol=1e-12)
    assert main([*command, "--train-times", "10", "--out", "told"]) == 0
    assert "class bee  share " in capsys.readouterr().err
    # who knows no labels
    for other in ("spectrum", "simulate", "distill", "advise", ("theory", "curves")):
        words = [other] if isinstance(other, str) else [*other]
        assert main([*words, "--data", "x.npy", "--labels", "y.txt"]) == 2
        heard = capsys.readouterr().err
        assert "--labels" in heard
        assert heard.strip().count("\n") == 0


def test_numbers_of_the_digits_that_the_pages_tell():
    target = pytest.importorskip("sklearn.datasets").load_digits().target
    sizes, times = {"samples_per_dim": 40, "features_per_dim": 32}, [1e4, math.inf]
    found = rfsim.train(rfsim.Problem(**sizes, data="digits:10"), times, labels=target)
    end = found.isel(seed=0, train_time=-1)
    assert float(end.test) == pytest.approx(0.690, abs=5e-4)
    assert end.test_class.sel({"class": ["0", "8"]}).values == pytest.approx([0.596, 0.758], abs=6e-4)
    assert end.gen_class.sel({"class": ["0", "2"]}).values == pytest.approx([0.027, 0.128], abs=6e-4)
    assert found["class"].values[[end.test_class.values.argmin(), end.test_class.values.argmax()]].tolist() == [
        "0",
        "8",
    ]
    assert found["class"].values[[end.gen_class.values.argmin(), end.gen_class.values.argmax()]].tolist() == ["0", "2"]
    assert found.class_variance.values.argmin() == 0
    gen = found.tau_gen_class.isel(seed=0).sel({"class": ["8", "0"]}).values
    assert gen == pytest.approx([1.1e3, 1.3e5], rel=0.03)
    ten = rfsim.GaussianClasses.fitted(rfsim.Digits(10).rows().values, target)
    one = rfsim.GaussianClasses([1.0], [ten.law(10).second.diagonal()])
    for classes, loss in ((ten, 0.806), (one, 0.875)):
        seen = rfsim.train(rfsim.Problem(**sizes, data=classes), [math.inf])
        assert float(seen.test[0, 0]) == pytest.approx(loss, abs=5e-4)
