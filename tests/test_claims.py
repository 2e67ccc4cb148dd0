"""rfsim.claims: what rules measure on stored results alike, against numbers put there by hand."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem
from rfsim.claims import (
    Extrapolated,
    adam_clock,
    agreement,
    approach,
    batch_delay,
    batch_excess,
    batch_share,
    border,
    compared,
    decide,
    extrapolated,
    growth,
    matched,
    measured,
    onsets,
    part_eigenvalues,
    points,
    reached,
    rise,
    spread,
    standard_error,
    stopped,
    stopped_over_ridged,
)
from rfsim.disk import store
from tests.distillation.synthetic import dataset


def test_a_rule_decides_only_what_the_results_allow():
    assert [decide(True), decide(False), decide(True, decidable=False)] == [
        "reproduced",
        "not reproduced",
        "cannot be decided",
    ]


def test_standard_error_is_over_seeds_and_the_largest_of_the_rows():
    assert standard_error([3.0]) is None
    assert standard_error([[1.0], [2.0]]) is None
    assert standard_error([1.0, 3.0]) == pytest.approx(1.0)  # standard deviation √2 over √2
    assert standard_error([[1.0, 3.0], [1.0, 5.0]]) == pytest.approx(2.0)


def test_parts_are_picked_by_rank():
    result = rfsim.spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=6, seeds=2)
    found = {name: part_eigenvalues(result, name) for name in ("null", "mini", "main", "gen")}
    assert {name: values.shape for name, values in found.items()} == {
        "null": (2, 6),
        "mini": (2, 6),
        "main": (2, 6),
        "gen": (2, 6),
    }
    assert np.concatenate(list(found.values()), axis=1) == pytest.approx(result.eigenvalue.values)


def timed(curve, formula, mini):
    return xr.Dataset(
        {"tau_mem": (("seed", "mem_route"), np.transpose([formula, mini, curve]))},
        coords={"mem_route": ["formula", "mini", "curve"]},
    )


def test_onsets_are_half_rise_times_in_units_of_a_prediction():
    family = [timed([10.0, 20.0], [5.0, 10.0], [20.0, 20.0]), timed([30.0, 30.0], [10.0, 10.0], [60.0, 30.0])]
    assert onsets(family, "formula") == pytest.approx(np.array([[2.0, 2.0], [3.0, 3.0]]))
    assert onsets(family, "mini") == pytest.approx(np.array([[0.5, 1.0], [0.5, 1.0]]))


def test_growth_is_the_exponent_of_the_half_rise_time():
    family = [timed([3 * n**0.5, n], [1.0, 1.0], [1.0, 1.0]) for n in (2.0, 8.0, 16.0)]
    assert growth(family, [2, 8, 16]) == pytest.approx([0.5, 1.0])


def test_spread_compares_means_and_errs_by_seeds():
    found = spread(np.array([[1.0, 1.0], [1.5, 2.5]]))
    assert found.ratio == pytest.approx(2.0)
    assert found.error == pytest.approx(0.5)  # 1.5 and 2.5, one per seed
    assert found.words == "1, 2"
    assert spread(np.array([[2.0], [2.0]]))[:2] == (1.0, None)


def test_rise_is_the_end_over_the_minimum_of_each_seed():
    result = xr.Dataset({"test": (("seed", "train_time"), [[1.0, 0.8, 1.2], [1.0, 0.9, 0.9]])})
    assert rise(result) == pytest.approx([1.5, 1.0])


def seeds_of(dim, model, loss, drawn, eigenvalue):
    """A training of that dim: the zero score's losses, then `loss`, by seed."""
    data = xr.Dataset(
        {
            "train": (("seed", "train_time"), np.stack([drawn, drawn], axis=1)),
            "test": (("seed", "train_time"), np.stack([np.ones_like(loss), loss], axis=1)),
            "eigenvalue": (("seed", "feature"), eigenvalue),
            "a": 0.5,
            "v2": 0.05,
            "s2": 0.01,
        }
    )
    return store.label(data, "train", {"dim": dim, "model": model}, wall_time=0.0)


def test_an_approach_is_fitted_with_what_has_a_known_mean_taken_away():
    rng, dims, samples = np.random.default_rng(0), (50, 100, 200), []
    for dim in dims:
        noise, top = rng.standard_normal((2, 40)) / dim
        eigenvalue = 0.31 + np.stack([top, top, top], axis=1)  # a² + v² + s² on average
        small = 1e-5 * rng.standard_normal(40)
        samples.append(seeds_of(dim, "gaussian", 2 + 3 / dim + 7 * noise - 4 * top + small, 1 + noise, eigenvalue))
    limit = xr.Dataset({"test": ("train_time", [1.0, 2.0])})
    found = approach(limit, samples, "test", 1)
    assert found.dims.tolist() == list(dims)
    assert found.mean == pytest.approx([3 / 50, 3 / 100, 3 / 200], rel=1e-3)
    assert np.all(found.error < 3e-6)
    assert found.exponent[0] == pytest.approx(-1, abs=4 * found.exponent[1])
    (slope, _), (rest, error) = found.line
    assert slope == pytest.approx(3, rel=1e-3)
    assert abs(rest) < 4 * error
    # the tanh model's mean eigenvalue is known in the limit only
    relabelled = [
        seeds_of(50, "real", one.test.values[:, 1], one.train.values[:, 0], one.eigenvalue.values) for one in samples
    ]
    real = approach(limit, relabelled, "test", 1)
    assert real.error[0] > 100 * found.error[0]


@pytest.mark.slow
@pytest.mark.parametrize("m", [2, pytest.param(np.inf, marks=pytest.mark.slow)])
def test_the_known_means_are_known(m):
    problem = Problem(2, 4, noise_copies=m, data="atoms:0.5@0.5,0.5@1.5", ridge=0.01)
    result = rfsim.train(problem, [0.0], dim=10, seeds=200, model="gaussian")
    power = float(result.a**2 + result.v2 + result.s2)
    for values, mean in ((result.eigenvalue.mean("feature").values, power), (result.train.values[:, 0], 1.0)):
        assert abs(values.mean() - mean) <= 4 * values.std() / np.sqrt(200) + 1e-12


def test_samples_are_measured_seed_by_seed_where_they_were_asked_for():
    result = dataset(levels=4, seeds=3, variants=("a", "b"))
    own = result.sel(quality="frechet_per_dim")
    assert measured(result, "teacher", "frechet_per_dim") == pytest.approx(own.teacher.values)
    last = own.student.isel(variant=0, distill_time=-1).values
    assert measured(result, "student", "frechet_per_dim") == pytest.approx(last)
    some = own.student_steps.sel(steps=2, distill_time=10.0, variant="b").values
    found = measured(result, "student_steps", "frechet_per_dim", steps=2, distill_time=10.0, variant="b")
    assert found == pytest.approx(some)


def test_what_is_compared_shares_its_seeds():
    found = compared(np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.6, 3.4]))
    assert (found.left, found.right, found.difference) == pytest.approx((2.0, 2.5, -0.5))
    assert found.error == pytest.approx(np.std([0.5, 0.6, 0.4], ddof=1) / np.sqrt(3))
    assert (found.lower, found.higher) == (True, False)
    assert found.words == "2 against 2.5"
    apart = compared(np.array([1.0, 2.0]), np.array([2.0, 1.1]))
    assert (apart.lower, apart.higher) == (False, False)
    one = compared(np.array([1.0]), np.array([2.0]))
    assert (one.lower, one.error) == (True, None)


TIME = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])


def simulated(*, slower=1.0, excess=0.2):
    """A run of two seeds whose L_gen is that of the filter `slower` times later, with an excess of both losses."""
    gen, train = 0.1 * np.log10(np.maximum(TIME, 1)), np.full(TIME.size, 0.5)
    late = 0.1 * np.log10(np.maximum(TIME / slower, 1))
    rows = {"train": train * (1 + excess), "test": train * (1 + excess) + late, "gen": late}
    rows |= {"exact_train": train, "exact_test": train + gen}
    data = {name: (("seed", "step"), np.stack([row, row])) for name, row in rows.items()}
    settings = {"diffusion_time": 0.1, "rate": 200.0, "batch": 4, "p": 40, "dim": 10}
    found = xr.Dataset(data | {"train_time": ("step", TIME)}, coords={"step": np.arange(TIME.size)})
    return found.assign_attrs(settings=store.canonical(settings))


def flow():
    rows = {"train": [1.0, 1.0, 1.0], "gen": [0.0, 0.1, 0.4]}
    data = {name: (("seed", "train_time"), [row, row]) for name, row in rows.items()}
    return xr.Dataset(
        data | {"eigenvalue": (("seed", "feature"), np.ones((2, 40)))},
        coords={"train_time": [0.0, 10.0, np.inf]},
    )


def test_a_level_is_reached_between_two_records_or_never():
    clock, values = np.array([1.0, 100.0]), np.array([0.0, 1.0])
    assert reached(clock, values, 0.5) == pytest.approx(10.0)
    assert reached(clock, values, 0.0) == pytest.approx(1.0)
    assert reached(clock, values, 1.5) == np.inf


def test_what_batches_add_and_when_they_let_memorize():
    np.testing.assert_allclose(batch_excess(simulated(excess=0.2), 5.0), 0.2)
    assert batch_delay(simulated(), flow()) == pytest.approx(1.0)
    assert batch_delay(simulated(slower=10.0), flow()) == pytest.approx(10.0)
    # c = 2Δη/(pd) = Δ here, 40 eigenvalues of 1
    delta = -np.expm1(-0.2)
    np.testing.assert_allclose(batch_share(simulated(), flow()), delta / 4 * 40 / (2 - delta * 0.75))


def test_adams_clock_leaves_out_infinity_and_starts_at_zero():
    clock = adam_clock(simulated(), flow())
    assert clock.shape == (2,)
    assert clock[0] == 0.0
    assert clock[1] > 0.0


def test_a_border_is_the_last_fall_through_a_half_below_p_equals_n():
    psi_n, psi_p = [1.0, 2.0, 4.0, 8.0, 16.0], [4.0, 8.0, 32.0, 64.0]
    column = np.array([0.9, 0.75, 0.25, 0.6, 0.1])
    share = xr.DataArray([column] * 4, coords={"features_per_dim": psi_p, "samples_per_dim": psi_n})
    found = border(share, least=8)
    # up to p = n only: with ψ_p = 8 the first fall, half way from 2 to 4; the others cross again between 8 and 16
    assert list(found) == [8.0, 32.0, 64.0]
    assert found[8.0] == pytest.approx(2 * 2**0.5)
    assert found[32.0] == found[64.0] == pytest.approx(8 * 2**0.2)
    assert border(share.where(share > 1, 0.2), least=1) == {}
    assert border(share.where(share.samples_per_dim != 8), least=32) == {
        32.0: pytest.approx(2 * 2**0.5),
        64.0: found[8],
    }


def test_two_dimensions_take_a_term_in_one_over_d_away():
    dims, seeds = [10, 15, 40], 5
    noise = np.random.default_rng(0).normal(size=(3, seeds, 2))
    limit = xr.DataArray([2.0, -1.0], dims="cell")
    values = xr.DataArray(noise - noise.mean(1, keepdims=True), dims=("dim", "seed", "cell"), coords={"dim": dims})
    found = extrapolated(limit + 7.0 / values.dim + values)
    assert found.value.values == pytest.approx(limit.values)
    spread = noise.std(1, ddof=1) / np.sqrt(seeds)
    assert found.error.values == pytest.approx(np.hypot(4 / 3 * spread[2], 1 / 3 * spread[0]))


def test_agreement_counts_cells_that_have_a_value():
    limit = xr.DataArray([1.0, 1.0, 1.0, np.nan])
    found = Extrapolated(xr.DataArray([1.25, 1.26, np.nan, 1.0]), xr.full_like(limit, 0.05))
    counted = agreement(found, limit, errors=3, relative=0.1)
    assert (counted.agreeing, counted.cells) == (1, 2)
    assert counted.farthest == pytest.approx(0.26)


@pytest.fixture(scope="module")
def one_eigenvalue():
    """L_test = f² − c f + 1 of one eigenvalue u, whose filters f are known by ridge and by time."""
    u, ridges = 0.5, np.array([0.0, 1e-3, 0.02, 0.2, 0.3, 1.0, 5.0, 20.0])
    tau = np.append(np.geomspace(1e-1, 1e5, 601), np.inf)
    problem = {"diffusion_time": 0.1, "dim": 4}
    kappa = 2 * (1 - np.exp(-0.2)) / 8.0
    rate = ridges[:, None] + u
    f = u / rate * (1 - np.exp(-kappa * tau * rate))
    data = xr.Dataset(
        dict.fromkeys(("test", "score"), (("ridge", "train_time"), (f - 0.6) ** 2 + 0.1)),
        coords={"ridge": ridges, "train_time": tau},
    ).expand_dims(samples_per_dim=[2.0], features_per_dim=[8.0])
    return data.assign_attrs(settings=store.canonical({"problem": problem})), kappa, u


def test_a_ridge_is_matched_on_the_side_where_training_on_harms(one_eigenvalue):
    data, kappa, u = one_eigenvalue
    ((n, p, found, here),) = points(data)
    assert (n, p, found) == (2.0, 8.0, pytest.approx(kappa))
    times = matched(here, kappa)
    # the best of them is 0.3, larger ones lie on the other side of it, 1e-3 beyond 95% of the way
    assert list(times) == [0.02, 0.2]
    for gamma, product in times.items():  # equal f: 1 − e^{−κτu} = u/(u + γ)
        assert product == pytest.approx(gamma / u * np.log((u + gamma) / gamma), rel=1e-3)


def test_the_flow_is_set_against_the_ridge_at_the_time_that_stands_for_it(one_eigenvalue):
    data, kappa, u = one_eigenvalue
    ((*_, here),) = points(data)
    ridges, ratios = stopped_over_ridged(here, kappa)
    assert ridges.tolist() == [one for one in here.ridge.values[1:].tolist() if 0.1 <= 1 / (kappa * one) <= 1e5]
    flow, ridge = 1 - np.exp(-u / ridges), u / (u + ridges)
    assert ratios == pytest.approx(((flow - 0.6) ** 2 + 0.1) / ((ridge - 0.6) ** 2 + 0.1), rel=1e-3)
    tau, path = stopped(here, "test")
    assert tau.size == path.size == here.train_time.size - 1
