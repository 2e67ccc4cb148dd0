"""Settings that are objects and texts: equal however they are written, read once, refused where they are not used."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle

import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem, theory
from rfsim.disk import store
from rfsim.distillation import targets
from rfsim.learning import trainers
from rfsim.problem import activations, populations
from rfsim.sample.spectra import method
from rfsim.simulation import optimizers

OBJECTS = [
    (populations.read, "isotropic", rfsim.Isotropic()),
    (populations.read, "isotropic:2", rfsim.Isotropic(2.0)),
    (populations.read, "atoms:0.5@0.5,0.5@1.5", rfsim.Atoms({0.5: 0.5, 1.5: 0.5})),
    (populations.read, "classes:0.3@0.5,0.7@1.5", rfsim.Classes({0.5: 0.3, 1.5: 0.7})),
    (populations.read, "condition:16@0.5", rfsim.Condition(16.0, 0.5)),
    (populations.read, "powerlaw:1.2", rfsim.PowerLaw(1.2)),
    (populations.read, "subspace:0.25", rfsim.Subspace(0.25)),
    (populations.read, "mixture:3", rfsim.Mixture(3)),
    (populations.read, "eigenvalues:l.npy", rfsim.Eigenvalues("l.npy")),
    (populations.read, "covariance:m.npz:first", rfsim.Covariance("m.npz:first")),
    (populations.read, "points.csv", rfsim.Samples("points.csv")),
    (populations.read, "digits", rfsim.Digits()),
    (populations.read, "digits:10", rfsim.Digits(10)),
    (activations.read, "relu", activations.ACTIVATIONS["relu"]),
    (trainers.read, "flow", rfsim.Flow()),
    (trainers.read, "descent:0.5", rfsim.Descent(0.5)),
    (trainers.read, "distillation:inf", rfsim.Distillation(math.inf)),
    (method.read, "exact", rfsim.Exact()),
    (method.read, "montecarlo:200", rfsim.MonteCarlo(200)),
    (targets.read_target, "sequential", rfsim.Sequential()),
    (targets.read_target, "coupled:10", rfsim.Coupled(10)),
    (targets.read_draws, "20p", rfsim.PerFeature(20)),
    (targets.read_draws, "4000", rfsim.Draws(4000)),
    (optimizers.read, "adam", rfsim.Optimizer("adam")),
    (optimizers.read, "sgd:momentum=0.9,nesterov=true", rfsim.Optimizer("sgd", {"nesterov": True, "momentum": 0.9})),
]
OTHERWISE = [  # other ways to write what stands above
    (populations.read, "isotropic:2.00", rfsim.Isotropic(2)),
    (populations.read, "atoms:.5@.5,5e-1@1.5", rfsim.Atoms([(0.5, 0.5), (1.5, 0.5)])),
    (populations.read, "classes:.3@.5,7e-1@1.5", rfsim.Classes([(0.5, 0.3), (1.5, 0.7)])),
    (populations.read, "condition:1.6e1@.5", rfsim.Condition(16, 0.5)),
    (trainers.read, "descent:5e-1", rfsim.Descent(0.5)),
    (method.read, "montecarlo:0200", rfsim.MonteCarlo(200)),
    (targets.read_target, "coupled:10.0", rfsim.Coupled(10)),
    (targets.read_draws, "20.0p", rfsim.PerFeature(20)),
    (optimizers.read, "sgd:nesterov=true,momentum=0.90", rfsim.Optimizer("sgd", {"momentum": 0.9, "nesterov": True})),
]
SMALL = {"samples_per_dim": 2, "features_per_dim": 4}


@pytest.mark.parametrize(("read", "text", "made"), OBJECTS, ids=[text for _, text, _ in OBJECTS])
def test_a_setting_is_its_text_and_back(read, text, made):
    found = read(text)
    assert found == made
    assert hash(found) == hash(made)
    assert (str(found), str(made), f"{made}") == (text, text, text)
    assert read(made) is made  # what is read is not read again
    assert read(str(made)) == made


@pytest.mark.parametrize(("read", "text", "made"), OTHERWISE, ids=[text for _, text, _ in OTHERWISE])
def test_a_text_is_kept_to_the_letter_and_means_the_same(read, text, made):
    found = read(text)
    assert found == made
    assert hash(found) == hash(made)
    assert str(found) == text != str(made)
    assert {found: 1}[made] == 1
    for copy in (pickle.loads(pickle.dumps(found)), dataclasses.replace(found)):
        assert copy == made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rfsim.Isotropic(0), "data 'isotropic:0': the variance must be positive"),
        (lambda: rfsim.Isotropic(math.inf), "VARIANCE must be a finite number"),
        (lambda: rfsim.Isotropic(True), "variance must be a number; got True"),
        (lambda: rfsim.Atoms({1.0: 0.5}), "data 'atoms:0.5@1': the weights sum to 0.5, not 1"),
        (lambda: rfsim.Atoms({-1.0: 1.0}), "values not negative"),
        (lambda: rfsim.Atoms({}), "atoms need one value with its weight, or more"),
        (lambda: rfsim.Classes({}), "classes need one variance with its weight, or more"),
        (lambda: rfsim.Classes({1.0: 0.5}), "data 'classes:0.5@1': the weights sum to 0.5, not 1"),
        (lambda: rfsim.PowerLaw(math.nan), "exponent|alpha must be a number"),
        (lambda: rfsim.Subspace(2), r"the fraction must lie in \(0, 1\]"),
        (lambda: rfsim.Mixture(-1), "separation must not be negative"),
        (lambda: rfsim.Digits(65), "K must be a whole number from 1 to 64; got '65'"),
        (lambda: rfsim.Samples(""), "data must name a population or a file"),
        (lambda: rfsim.Eigenvalues(np.ones(3)), "an array: give it as array="),
        (lambda: rfsim.Descent(0), "the STEP of descent must be a positive train_time per step; got 0"),
        (lambda: rfsim.Distillation(1e200), r"the TAU of distillation must be at most 1e\+100, or inf"),
        (lambda: rfsim.MonteCarlo(1), "DRAWS a whole number of at least 2.*got 'montecarlo:1'"),
        (lambda: rfsim.Coupled(-1), "TAU a distill_time that is not negative.*got 'coupled:-1'"),
        (lambda: rfsim.PerFeature(-1), "a multiple of p such as 20p"),
        (lambda: rfsim.Draws(2.5), "draws must be a whole number"),
        (lambda: rfsim.Optimizer("adamm"), "got 'adamm'; did you mean 'adam'"),
        (lambda: rfsim.Optimizer("sgd", {"momentun": 0.9}), "'momentun=0.9'.*did you mean 'momentum'"),
        (lambda: rfsim.Optimizer("sgd", {"momentum": "x"}), "a setting of the wrong kind"),
        (lambda: rfsim.Optimizer("sgd", {"learning_rate": 1.0}), "the rate is given beside it"),
    ],
)
def test_what_is_made_is_checked(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_problems_are_equal_by_what_they_mean():
    read = Problem(data="isotropic:2.0", activation="tanh")
    made = Problem(data=rfsim.Isotropic(2.0), activation=jnp.tanh)
    assert read == made
    assert hash(read) == hash(made)
    assert read.settings["data"] == "isotropic:2.0"
    assert made.settings["data"] == "isotropic:2"
    assert "data='isotropic:2.0'" in repr(read)
    assert eval(repr(made), {"Problem": Problem, "inf": math.inf}) == made
    assert Problem() == Problem(data=rfsim.Isotropic(1))
    assert read != Problem(data="isotropic:3")


@pytest.mark.parametrize("activation", ["gelu", "jax.nn:silu", lambda x: jnp.sin(x) + x])
def test_problems_are_copied_replaced_and_pickled(activation):
    problem = Problem(data="atoms:.5@.5,.5@1.5", activation=activation, noise_copies=3)
    other = dataclasses.replace(problem, ridge=0.5)
    assert other.activation is problem.activation
    assert (other.settings["data"], other.ridge) == ("atoms:.5@.5,.5@1.5", 0.5)
    back = pickle.loads(pickle.dumps(problem))
    assert back == problem
    assert back.settings == problem.settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.data = "isotropic"  # type: ignore[misc]


def test_objects_and_texts_give_the_same_result():
    told = {"data": "atoms:0.5@0.5,0.5@1.5"}
    made = {"data": rfsim.Atoms({0.5: 0.5, 1.5: 0.5})}
    first = rfsim.train(Problem(**SMALL, **told), [0.5], dim=6, trainer="descent:0.5")
    second = rfsim.train(Problem(**SMALL, **made), [0.5], dim=6, trainer=rfsim.Descent(0.5))
    assert first.drop_attrs().identical(second.drop_attrs())
    assert store.settings(first) == store.settings(second)
    assert store.settings(first)["trainer"] == "descent:0.5"
    curves = theory.curves(Problem(**SMALL, **made), [1.0], trainer=rfsim.Distillation(10))
    assert store.settings(curves)["trainer"] == "distillation:10"
    drawn = rfsim.spectrum(Problem(**SMALL), dim=6, moments=rfsim.MonteCarlo(20))
    assert store.settings(drawn)["moments"] == "montecarlo:20"
    run = rfsim.simulate(
        Problem(**SMALL), dim=4, steps=2, optimizer=rfsim.Optimizer("sgd", {"momentum": 0.5}), rate=0.1, exact=False
    )
    assert store.settings(run)["optimizer"] == "sgd:momentum=0.5"


def test_a_sweep_takes_objects_and_stores_their_texts(tmp_path):
    spec = {
        "command": "theory.ridge",
        "axes": {"data": [rfsim.Isotropic(), rfsim.Subspace(0.5)], "ridges": [0.1]},
    }
    found = rfsim.sweep(spec, out=tmp_path / "plane.zarr")
    assert found.data.values.tolist() == ["isotropic", "subspace:0.5"]


@pytest.fixture
def reads(monkeypatch):
    """How often each text was read, by whatever reader."""
    counts: dict[str, int] = {}

    def counted(cls):
        old = cls.of.__func__

        def of(here, text, *values):
            counts[text] = counts.get(text, 0) + 1
            return old(here, text, *values)

        monkeypatch.setattr(cls, "of", classmethod(of))

    counted(rfsim.Isotropic.__mro__[-2])  # the base of all
    return counts


def test_each_text_is_read_once(reads):
    problem = Problem(**SMALL, data="atoms:0.5@0.5,0.5@1.5", activation="jax.nn:silu")
    rfsim.train(problem, [1.0], dim=6, trainer="descent:0.25", moments="montecarlo:20", seeds=2)
    theory.curves(problem, [1.0], trainer="distillation:7")
    odd = dataclasses.replace(problem, activation="tanh")
    rfsim.distill(
        odd, [10.0], dim=4, levels=2, generated=16, target="coupled:10", draws="3p", trainer="distillation:8", seeds=2
    )
    rfsim.simulate(problem, dim=4, steps=2, optimizer="sgd:momentum=0.5", rate=0.1, exact=False)
    assert reads == dict.fromkeys(
        [
            "atoms:0.5@0.5,0.5@1.5",
            "descent:0.25",
            "montecarlo:20",
            "distillation:7",
            "coupled:10",
            "3p",
            "distillation:8",
            "sgd:momentum=0.5",
            "constant",  # the schedule of its rate
        ],
        1,
    )


def test_an_imported_activation_is_looked_up_once(monkeypatch):
    from rfsim.problem.activations import catalog

    seen = []
    attribute = catalog.attribute
    monkeypatch.setattr(catalog, "attribute", lambda name, *rest: seen.append(name) or attribute(name, *rest))
    problem = Problem(**SMALL, activation="jax.nn:silu")
    rfsim.train(problem, [1.0], dim=6, seeds=2)
    theory.curves(problem, [1.0])
    assert seen == ["jax.nn:silu"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: rfsim.distill(Problem(diffusion_time=1)),
            "distill does not use diffusion_time.* time_min",
        ),
        (
            lambda: theory.spectrum(Problem(ridge=0.5)),
            "theory.spectrum does not use ridge.*theory.curves takes it",
        ),
        (
            lambda: theory.ridge(Problem(ridge=0.5), [1.0]),
            "theory.ridge does not use ridge.*give it among ridges",
        ),
        (
            lambda: theory.mini_gap(Problem(ridge=0.1), samples_per_dim=[8], diffusion_times=[0.1]),
            "theory.mini_gap does not use ridge",
        ),
        (
            lambda: theory.distill(Problem(diffusion_time=1), [0.05, 0.1]),
            "theory.distill .* among diffusion_times",
        ),
        (lambda: theory.distill(Problem(ridge=3), [0.05, 0.1]), "theory.distill .* among ridges"),
        (lambda: theory.gamma_star(Problem(ridge=3), 0.05), "theory.gamma_star does not use ridge"),
    ],
)
def test_a_setting_that_is_not_used_is_refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_value_that_the_grid_holds_too_is_no_contradiction():
    problem = Problem(samples_per_dim=2, features_per_dim=4)
    assert (
        theory.diagram(problem, samples_per_dim=[2.0, 3.0], features_per_dim=[8.0], train_times=[1.0]).sizes[
            "features_per_dim"
        ]
        == 1
    )
    assert theory.ridge(Problem(ridge=0.1), [0.1, 1.0]).sizes["ridge"] == 2


def test_fields_show_their_defaults_as_texts():
    found = {one.name: one.default for one in dataclasses.fields(Problem)}
    assert (found["data"], found["activation"]) == ("isotropic", "tanh")
    assert inspect.signature(Problem).parameters["data"].default == "isotropic"
