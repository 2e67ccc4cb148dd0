"""A new d, n or p compiles nothing on a CPU; and formulas for NumPy's arrays and JAX's give the same numbers."""

from __future__ import annotations

import subprocess
import sys

import jax
import jax.monitoring
import numpy as np
import pytest

import rfsim
from rfsim.computing import arrays, blas
from rfsim.problem.model import Problem

COMPILED: list[float] = []
SIZES = [(2.0, 4.0, 6), (3.0, 5.0, 7), (2.5, 6.0, 8), (1.0, 2.0, 9), (4.0, 3.0, 5)]


@jax.monitoring.register_event_duration_secs_listener
def _heard(event: str, seconds: float, **_: object) -> None:
    if event.endswith("backend_compile_duration"):
        COMPILED.append(seconds)


def programs(call, sizes=SIZES, **problem) -> list[int]:
    """How many programs each of several sizes compiles."""
    counts = []
    for psi_n, psi_p, dim in sizes:
        before = len(COMPILED)
        call(Problem(psi_n, psi_p, **problem), dim)
        counts.append(len(COMPILED) - before)
    return counts


def test_programs_are_counted():
    counts = programs(lambda one, dim: jax.jit(lambda x: x + dim)(np.zeros(dim)))
    assert counts == [1] * len(SIZES)


TIMES = [0.0, 1.0, 100.0, np.inf]
CALLS = {
    "train": lambda one, dim: rfsim.train(one, TIMES, dim=dim),
    "train by parts": lambda one, dim: rfsim.train(one, TIMES, dim=dim, by_part=True),
    "train krylov": lambda one, dim: rfsim.train(one, TIMES, dim=dim, route="krylov"),
    "train gaussian": lambda one, dim: rfsim.train(one, TIMES, dim=dim, model="gaussian"),
    "train descent": lambda one, dim: rfsim.train(one, TIMES, dim=dim, trainer="descent:0.01"),
    "train montecarlo": lambda one, dim: rfsim.train(one, TIMES, dim=dim, moments="montecarlo:40"),
    "spectrum": lambda one, dim: rfsim.spectrum(one, dim=dim),
}


def assert_only_sigma(counts):
    """σ at points has a program for few and one for many, unless NumPy or a test before has them; nothing else has."""
    first, *others = counts
    assert first <= 2
    assert sum(counts) <= 2
    assert others[-1] == 0


@pytest.mark.parametrize("name", CALLS)
def test_a_new_size_of_a_sample_compiles_nothing(name):
    assert_only_sigma(programs(CALLS[name]))


THEORY = {
    "theory curves": lambda one, _: rfsim.theory.curves(one, TIMES, by_part=True),
    "theory curves late": lambda one, _: rfsim.theory.curves(one, np.geomspace(1, 1e6, 300)),
    "theory spectrum": lambda one, dim: rfsim.theory.spectrum(one, points=10 * dim),
    "theory ridge": lambda one, dim: rfsim.theory.ridge(one, np.geomspace(1e-3, 1e2, 30 * dim)),
}


@pytest.mark.parametrize("name", THEORY)
def test_the_limit_compiles_newtons_method_and_nothing_for_new_problems(name):
    jax.clear_caches()
    first, *others = programs(THEORY[name])
    assert first <= 2  # σ at points, and Newton's method, whatever the path it goes
    assert others == [0] * len(others)


@pytest.mark.parametrize("name", [*THEORY, "theory diagram"])
def test_a_new_number_of_eigenvalues_compiles_nothing_up_to_the_next_power_of_two(name):
    call = THEORY.get(
        name,
        lambda one, _: rfsim.theory.diagram(one, samples_per_dim=[1, 2], features_per_dim=[3, 4], train_times=[10]),
    )
    shares = {atoms: {1 + k / 4: 1 / atoms for k in range(atoms)} for atoms in (8, 5, 6, 7)}
    jax.clear_caches()
    first, *others = (programs(call, SIZES[:1], data=rfsim.Atoms(one))[0] for one in shares.values())
    assert first > 0
    assert others == [0, 0, 0]


@pytest.mark.slow
def test_a_new_number_of_training_times_compiles_nothing_up_to_eight():
    plane = {"samples_per_dim": [1, 2], "features_per_dim": [3, 4]}
    jax.clear_caches()
    first, *others = (
        programs(lambda one, _, tau=tau: rfsim.theory.diagram(one, **plane, train_times=tau), SIZES[:1])[0]
        for tau in ([10], [1, 10], [0, 1, 10, np.inf])
    )
    assert first > 0
    assert others == [0, 0]


def test_theory_commands_and_their_figures_load_nothing_that_they_do_not_need():
    code = "import sys, rfsim.theory; print(*sys.modules); import rfsim.plotting; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    computing, drawing = (set(line.split()) for line in ran.stdout.splitlines())
    assert not {"matplotlib", "h5netcdf"} & computing
    assert not {"scipy", "optax", "rfsim.results.runs", "rfsim.sample.spectra", "matplotlib.pyplot"} & drawing


def test_blas_has_one_thread_in_the_limit_until_the_last_leaves():
    """Its sums are then the same bytes on every machine's cores; settings of the process are given back."""
    from threadpoolctl import threadpool_info, threadpool_limits

    def threads() -> set[int]:
        return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}

    with threadpool_limits(limits=2, user_api="blas"):
        first, second = blas.one_thread(), blas.one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}
        found = []
        rfsim.theory.spectrum(Problem(2, 4), begin=lambda _: found.append(threads()))
        with blas.suited(blas.SMALL - 1):
            found.append(threads())
        with blas.suited(blas.SMALL):
            assert threads() == {2}
        assert found == [{1}, {1}]
        assert threads() == {2}


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("columns", [blas.SMALL, blas.SMALL + 1])
def test_products_in_threads_are_whole(threads, columns, monkeypatch):
    monkeypatch.setenv("NPROC", str(threads))
    rng = np.random.default_rng(0)
    left, right = rng.standard_normal((3, blas.SMALL)), rng.standard_normal((blas.SMALL, columns))
    np.testing.assert_allclose(blas.product(left, right), left @ right, atol=1e-11)


def test_frozen_noise_of_a_new_size_compiles_nothing():
    assert_only_sigma(programs(CALLS["train"], noise_copies=3))


@pytest.mark.slow
def test_an_activation_with_kinks_compiles_a_few_programs_for_all_sizes():
    """One for each number of orders, by steps: sizes that need others may meet a new one."""
    counts = programs(CALLS["train"], activation="relu")
    assert max(counts[1:]) <= 3


def test_a_distillation_of_a_new_size_compiles_nothing():
    def call(one, dim):
        rfsim.distill(one, [0.0, 10.0], dim=dim - 3, levels=2, generated=16)

    assert_only_sigma(programs(call, SIZES[:3], ridge=1e-2))


def test_a_simulation_of_a_new_size_compiles_its_steps_and_their_rounding():
    """Loops of steps run compiled whatever the backend: they are what a size still compiles."""
    counts = programs(lambda one, dim: rfsim.simulate(one, steps=3, dim=dim), SIZES[:3], noise_copies=2)
    assert max(counts[1:]) <= 3


@pytest.mark.parametrize(
    "activation", ["tanh", "relu", pytest.param("jax.nn:relu", marks=pytest.mark.slow), "hermite3"]
)
@pytest.mark.parametrize("route", ["dense", "krylov"])
def test_arrays_of_numpy_and_of_jax_give_the_same_numbers(activation, route, monkeypatch):
    one = Problem(3, 6, activation=activation, ridge=1e-3)

    def found():
        return rfsim.train(one, TIMES, dim=8, route=route, by_part=route == "dense")

    here = found()
    monkeypatch.setattr(arrays, "on_host", lambda: False)
    there = found()
    for name in here.data_vars:
        np.testing.assert_allclose(here[name], there[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("copies", [3, np.inf])
def test_arrays_of_both_kinds_agree_for_the_gaussian_model(copies, monkeypatch):
    one = Problem(2, 6, noise_copies=copies, ridge=1e-3)

    def found(route):
        return rfsim.train(one, TIMES, dim=8, route=route, model="gaussian")

    here = {route: found(route) for route in ("dense", "krylov")}
    monkeypatch.setattr(arrays, "on_host", lambda: False)
    for route, known in here.items():
        there = found(route)
        for name in known.data_vars:
            np.testing.assert_allclose(known[name], there[name], rtol=1e-9, atol=1e-10, err_msg=name)
