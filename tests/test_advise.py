"""Every number that `rfsim advise` prints is that of the command it names."""

from __future__ import annotations

import json
import math
import shlex

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.checking import notes
from tests.commands import answer, run
from tests.commands import place as place

RNG = np.random.default_rng(0)


def read(found, reads, value):
    """What `reads` names in the JSON of a command, beside the value that was told."""
    if reads.startswith(("tau_gen.", "tau_mem.")):
        name, route = reads.split(".")
        return found[name][route]
    if reads == "train_time of the lowest test":
        return found["train_time"][int(np.argmin(found["test"]))]
    if reads == "test[0]":
        return found["test"][0]
    if reads == "best_ridge":
        return found["best_ridge"]
    if reads.startswith("the last test is 1% above"):
        assert found["test"][-1] / min(found["test"]) - 1 == pytest.approx(0.01, rel=0.01)
        return value
    if reads.startswith("test[0] - without."):
        part = reads.removeprefix("test[0] - without.").removesuffix(".test[0]")
        return found["test"][0] - found["without"][part]["test"][0]
    if reads.startswith("step at train_time"):
        assert found["step"][-1] == value
        step = found["train_time"][-1] / value
        assert abs(found["train_time"][-1] - float(reads.rpartition(" ")[2])) <= 0.51 * step
        return value
    words = reads.split()
    at, limit = float(words[3]), float(words[5])
    (k,) = np.flatnonzero(np.isclose(found["train_time"], at, rtol=1e-4))
    return abs(found["test"][k] / limit - 1)


def held(capsys, *arguments, most_steps=400):
    told = answer(capsys, "advise", *arguments)
    assert set(told) == {"schema", "problem", "answers"}
    for one in told["answers"]:
        assert {"question", "value", "error", "command"} <= set(one)
        words = shlex.split(one["command"])
        assert words[0] == "rfsim"
        if "--steps" in words and int(words[words.index("--steps") + 1]) > most_steps:
            continue
        if one["value"] is None:
            continue
        found = answer(capsys, *words[1:])
        assert read(found, one["reads"], one["value"]) == pytest.approx(one["value"], rel=1e-5), one
    return told


def rows(count, columns):
    return RNG.standard_normal((count, columns)) * np.linspace(0.5, 1.5, columns)


@pytest.mark.slow
def test_a_file_with_a_constant_column(capsys, place):
    data = rows(120, 10)
    data[:, 3] = 7.0
    np.save("constant.npy", data)
    told = held(capsys, "--data", "constant.npy", "--samples", "40", "--features", "60", "--diffusion-times", "0.1,0.5")
    assert len(told["answers"]) == 2 * 11
    assert not [one for one in told["answers"] if one["value"] is None]


@pytest.mark.slow
def test_100_rows_of_64_columns(capsys, place):
    """Fewer rows than ψ_n = 4 asks for: samples are taken of half of them, beside the limit at their size."""
    np.save("few.npy", rows(100, 64))
    told = held(capsys, "--data", "few.npy", "--features-per-dim", "2", "--covariance", "deconvolved", most_steps=50)
    last = told["answers"][-1]
    assert "samples (50 of 64 dimensions)" in last["question"]
    assert "--samples 50 --features 128" in last["command"]
    assert "--covariance deconvolved" in told["answers"][0]["command"]


@pytest.mark.slow
def test_a_file_without_a_number_of_samples_is_advised_on_for_all_of_its_rows(capsys, place):
    np.save("rows.npy", rows(90, 12))
    given = ["--data", "rows.npy", "--seeds", "1", "--rate", "100"]
    assert run(capsys, "advise", *given, "--features", "24", "--json")[0] == 0
    told = answer(capsys, "advise", *given, "--features", "24")
    assert told["problem"]["samples_per_dim"] == 7.5
    assert told["problem"]["features_per_dim"] == 2.0
    same = answer(capsys, "advise", *given, "--features-per-dim", "2", "--samples", "90")
    assert same == told
    few = answer(capsys, "advise", *given, "--features", "24", "--samples", "30")
    assert few["problem"]["samples_per_dim"] == 2.5
    ratio = answer(capsys, "advise", *given, "--features", "24", "--samples-per-dim", "2.5")
    assert ratio["answers"] == few["answers"]
    heard = run(capsys, "advise", *given)[2]
    assert "n is 90, all rows of data 'rows.npy'; choose with --samples" in heard
    assert "p is 192, the default ψ_p = 16 times 12 dimensions; choose with --features" in heard


@pytest.mark.slow
def test_a_population_and_a_ridge(capsys, place):
    told = held(
        capsys, "--data", "atoms:0.5@0.5,0.5@1.5", "--features-per-dim", "4", "--ridge", "0.01", "--rate", "300"
    )
    assert "sgd at rate 300" in told["answers"][4]["question"]
    assert all(one["error"] is None or one["error"] >= 0 for one in told["answers"])


@pytest.mark.slow
def test_digits(capsys, place):
    held(capsys, "--data", "digits", most_steps=200)


@pytest.mark.slow
def test_few_rows_are_told_once():
    with notes.recorded() as heard:
        rfsim.advise(Problem(2, 2), array=rows(60, 20), seeds=1)
    assert len([one for one in heard if "covariance deconvolved estimates" in str(one)]) == 1


def test_a_call_of_python_names_calls():
    data = rows(100, 8)
    found = rfsim.advise(Problem(2, 3), [0.2], array=data, seeds=1)
    assert found.value.dims == ("diffusion_time", "question")
    assert np.isfinite(found.value.values[0, :4]).all()
    from rfsim.cli.advise_answers import answer as told

    line = told(found)["answers"][0]["command"]
    given = "samples_per_dim=2, features_per_dim=3, diffusion_time=0.2"
    assert line.startswith(f"rfsim.theory.curves(rfsim.Problem({given}")
    assert line.endswith("array=array)")
    again = eval(line, {"rfsim": rfsim, "array": data})
    assert float(again.tau_gen.sel(gen_route="curve")) == found.value.values[0, 0]


@pytest.mark.slow
def test_the_answers_are_those_of_the_quantities():
    problem = Problem(4, 8, data="powerlaw:1")
    found = rfsim.advise(problem, [0.3], seeds=1)
    words = [one["question"] for one in json.loads(found.attrs["answers"])[0]]
    value = dict(zip(words, found.value.values[0], strict=True))
    ridge = rfsim.theory.ridge(Problem(4, 8, 0.3, data="powerlaw:1"), [0.1])
    assert value["Which ridge is best?"] == float(ridge.best_ridge)
    enough = rfsim.theory.n_star(Problem(4, 8, 0.3, data="powerlaw:1"))
    (words,) = [one for one in value if one.startswith("How many samples")]
    assert value[words] == enough
    limits = rfsim.theory.curves(Problem(4, 8, 0.3, data="powerlaw:1"), [1.0])
    assert value["When does it memorize? (training time)"] == float(limits.tau_mem.sel(mem_route="curve"))


@pytest.mark.slow
def test_the_error_is_what_the_sample_differs_by():
    """At d = 50 a population is near its limit, and errors of the losses are small beside them."""
    found = rfsim.advise(Problem(4, 8), [0.1], seeds=2)
    words = [one["question"] for one in json.loads(found.attrs["answers"])[0]]
    for start in ("What does stopping leave", "What does it leave"):
        (k,) = [at for at, one in enumerate(words) if one.startswith(start)]
        assert 0 < found.error.values[0, k] < 0.1 * found.value.values[0, k]
    worst = np.abs(found.sample_test / found.check_test - 1).max()
    assert found.value.values[0, -1] == pytest.approx(float(worst))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": -1.0}, "rate must be positive and finite; got -1"),
        ({"diffusion_times": [0.1, -1]}, "diffusion_time must be positive and finite; got -1"),
        ({"seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"covariance": "shrunk"}, "is estimated from samples; data 'isotropic' have their own"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        rfsim.advise(Problem(2, 4), **options)
    with pytest.raises(ValueError, match="give it among diffusion_times"):
        rfsim.advise(Problem(2, 4, 0.3))


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (Problem(2, math.inf), {}, "^features_per_dim must be positive and finite; got inf"),
        (
            Problem(data="classes:0.5@1,0.5@2"),
            {},
            "^data 'classes:.*': advice is of one .*; take isotropic:1.5, of the",
        ),
        (Problem(), {"array": np.eye(3, 4)}, "^the array has 3 rows; advice .* half of them, and needs 4$"),
        (Problem(), {"array": np.ones((9, 4))}, "^the data are constant"),
        (Problem(data="condition:4@1"), {}, "have inputs beside x_t, which train, "),
    ],
)
def test_what_cannot_be_advised_on_is_refused_before_anything_is_computed(problem, options, message):
    heard = []
    with pytest.raises(ValueError, match=message) as caught:
        rfsim.advise(problem, report=lambda step, values: heard.append(step), **options)
    assert "\n" not in str(caught.value)
    assert heard == []


def test_frozen_noise_is_advised_on_too():
    found = rfsim.advise(Problem(2, 4, noise_copies=2, ridge=0.1), seeds=1)
    value = found.value.values[0]
    assert np.isnan(value[9])  # parts are not told apart: eigenvalues reach down to 0
    assert np.isfinite(value[[2, 3, 6, 7, 10]]).all()


@pytest.mark.slow
def test_no_steps_are_counted_where_nothing_is_memorized():
    found = rfsim.advise(Problem(2, 4, activation="linear"), seeds=1)
    assert found.sizes["question"] == 11
    assert not math.isinf(float(found.error.values[0, 0]))
