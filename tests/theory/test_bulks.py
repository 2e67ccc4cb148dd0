from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from rfsim.limit import bulks, edges, intervals
from rfsim.limit.solver import NotConverged
from tests.theory.cases import gaussian_equivalent, limit_of


def trace(limit):
    """lim (1/p) Tr U = E σ² = a²Γ² + v² + s²."""
    power = float(limit.weights @ limit.values)
    return limit.gain * (limit.signal * power + limit.noise) + limit.v2 + limit.s2


def by_name(limit):
    return {part.name: part for part in bulks.parts(limit)}


def digits(value, text):
    """Whether `value` rounds to the printed number."""
    return f"{value:.{len(text.partition('.')[2])}f}" == text


TABLE = {
    0.01: ("0.0018735", ("0.003683", "0.010189"), ("0.09133", "0.35947"), ("9.836", "44.69")),
    0.1: ("0.0135739", ("0.02308", "0.04632"), ("0.06253", "0.20774"), ("11.678", "41.52")),
}


@pytest.mark.parametrize("t", TABLE)
def test_the_published_table_to_its_digits(t):
    """equations.md §5: ψ_p = 64, ψ_n = 8."""
    found, (at, *edges) = by_name(limit_of(8, 64, t)), TABLE[t]
    assert digits(found["null"].lower, at)
    for name, mass, (lower, upper) in zip(("mini", "main", "gen"), (1, 7, 1), edges, strict=True):
        assert found[name].mass == pytest.approx(mass / 64, abs=1e-9)
        assert digits(found[name].lower, lower)
        assert digits(found[name].upper, upper)
    assert found["null"].mass == 0.859375


@pytest.mark.parametrize("case", [(4, 32, 0.1), (8, 32, 0.1), (16, 64, 0.1), (4, 64, 0.2)], ids=str)
def test_where_the_gap_of_mini_is_open(case):
    found = by_name(limit_of(*case))
    assert list(found) == ["null", "mini", "main", "gen"]
    assert found["mini"].mass * case[1] == pytest.approx(1, abs=1e-7)


@pytest.mark.parametrize("case", [(8, 16, 0.1), (32, 64, 0.1), (8, 64, 0.5), (4, 64, 0.3), (1.5, 32, 0.1)], ids=str)
def test_where_it_is_closed(case):
    assert list(by_name(limit_of(*case))) == ["null", "mini+main", "gen"]


def test_a_gap_of_a_fifth_of_a_permille_is_found():
    """(4, 16, 0.1): the mass below the gap is 1/16 to 1e-9, so it is open, though no grid would show it."""
    found = by_name(limit_of(4, 16))
    assert found["mini"].mass == pytest.approx(1 / 16, abs=1e-9)
    assert 1 < found["main"].lower / found["mini"].upper < 1.0003


@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5", "subspace:0.25"])
@pytest.mark.parametrize(
    ("psi_n", "psi_p", "t", "m"),
    [
        (16, 1, 1e-3, math.inf),
        (1, 64, 1e-3, math.inf),
        (8, 64, 2.0, math.inf),
        (4, 4, 0.1, math.inf),
        (0.5, 32, 0.1, math.inf),
        (4, 2, 0.1, 3),
        (2, 32, 0.1, 4),
        (2, 8, 0.1, 4),
    ],
)
def test_masses_and_mean_are_exact(psi_n, psi_p, t, m, data):
    limit = limit_of(psi_n, psi_p, t, m, data)
    found = bulks.parts(limit)
    assert sum(part.mass for part in found) == pytest.approx(1, abs=1e-8)
    assert sum(part.mass * part.mean for part in found) == pytest.approx(trace(limit), rel=1e-8)
    expected = bulks.masses(limit)
    for part in found:
        assert part.mass == pytest.approx(sum(expected[name] for name in part.name.split("+")), abs=1e-8)
    uppers = [part.upper for part in found]
    assert uppers == sorted(uppers)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_masses_are_exact_over_the_domain(seed):
    """ψ_p/ψ_n from 1/16 to 64, t from 1e-3 to 2, three Σ, few and many copies; gaps of all widths."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        psi_n, ratio, t = 10 ** rng.uniform(-0.5, 2), 2 ** rng.uniform(-4, 6), 10 ** rng.uniform(-3, math.log10(2))
        m = rng.choice([1, 2, 4, 16, 256, math.inf, math.inf, math.inf])
        data = rng.choice(["isotropic", "atoms:0.5@0.5,0.5@1.5", "subspace:0.5"])
        limit = limit_of(float(psi_n), float(psi_n * ratio), float(t), float(m), str(data))
        found, expected = bulks.parts(limit), bulks.masses(limit)
        assert sum(part.mass for part in found) == pytest.approx(1, abs=1e-8)
        assert sum(part.mass * part.mean for part in found) == pytest.approx(trace(limit), rel=1e-8)
        for part in found:
            assert part.mass == pytest.approx(sum(expected[name] for name in part.name.split("+")), abs=1e-8)


def test_separated_directions_of_the_data_make_intervals_of_one_part():
    """equations.md §5: atoms 0.5/1.5 give two minis, [0.0212, 0.0321] and [0.0345, 0.0559]."""
    mini = by_name(limit_of(8, 64, data="atoms:0.5@0.5,0.5@1.5"))["mini"]
    ends = [(f"{one.lower:.4f}", f"{one.upper:.4f}") for one in mini.intervals]
    assert ends == [("0.0212", "0.0322"), ("0.0346", "0.0560")]
    assert mini.mass == pytest.approx(1 / 64, abs=1e-9)


def test_at_p_equal_to_nm_the_spectrum_reaches_zero():
    first = bulks.parts(limit_of(4, 16, m=4))[0]
    assert first.lower == 0
    assert "null" in first.name


@pytest.mark.parametrize(
    ("m", "data"), [(math.inf, "isotropic"), (3, "isotropic"), (math.inf, "atoms:0.5@0.5,0.5@1.5")]
)
def test_edges_are_the_zeros_of_the_density(m, data):
    limit = limit_of(4, 8, m=m, data=data)
    for one in intervals.support(limit):
        outside = bulks.density(limit, [one.lower * (1 - 1e-6), one.upper * (1 + 1e-6)])
        inside = bulks.density(limit, [one.lower * (1 + 1e-6), one.upper * (1 - 1e-6)])
        np.testing.assert_array_equal(outside, 0)
        assert np.all(inside > 0)


def test_the_density_integrates_to_the_masses():
    limit = limit_of(8, 64)
    for part in bulks.parts(limit)[1:]:
        center, half = (part.lower + part.upper) / 2, (part.upper - part.lower) / 2
        # square-root edges are smooth in the angle
        angle = (np.arange(100) + 0.5) * np.pi / 100
        rho = bulks.density(limit, center + half * np.cos(angle))
        assert rho @ np.sin(angle) * half * np.pi / 100 == pytest.approx(part.mass, rel=1e-8)


def test_marchenko_pastur_edges_and_density():
    limit = limit_of(4, 6)._replace(gain=0.0)
    (one,) = intervals.support(limit)
    c, v2, s2 = 1.5, limit.v2, limit.s2
    edges = [s2 + v2 * (1 - math.sqrt(c)) ** 2, s2 + v2 * (1 + math.sqrt(c)) ** 2]
    np.testing.assert_allclose(one, edges, rtol=1e-10)
    lam = np.linspace(*edges, 9)[1:-1]
    exact = np.sqrt((edges[1] - lam) * (lam - edges[0])) / (2 * np.pi * c * v2 * (lam - s2))
    np.testing.assert_allclose(bulks.density(limit, lam), exact, rtol=1e-9)


def test_an_average_over_an_interval_is_that_of_a_sample():
    limit = limit_of(3, 6, m=2, data="atoms:0.5@0.5,0.5@1.5")
    u, *_ = gaussian_equivalent(limit, 100, 0)
    lam = np.linalg.eigvalsh(u)
    one = intervals.support(limit)[-1]
    assert one.upper == pytest.approx(lam[-1], rel=0.1)
    cut = np.median(lam)
    grid = np.linspace(cut, one.upper, 4001)
    assert integrate.trapezoid(bulks.density(limit, grid), grid) == pytest.approx(0.5, abs=0.01)


def test_a_missed_bulk_is_an_error(monkeypatch):
    limit = limit_of(8, 64)
    whole = intervals.support(limit)
    monkeypatch.setattr(bulks, "support", lambda _: whole[1:])
    with pytest.raises(NotConverged, match=r"masses of 2 intervals add up to .* samples_per_dim 8"):
        bulks.parts(limit)


def test_the_density_at_an_atom_is_refused():
    limit = limit_of(8, 64)
    with pytest.raises(ValueError, match="no value at its atom or edge λ = 0.0135739"):
        bulks.density(limit, [float(limit.floor)])


@pytest.mark.slow
@pytest.mark.parametrize(("psi_n", "psi_p"), [(16, 9e3), (1024, 1.4e5)])
def test_a_gap_between_bulks_narrower_than_the_first_grid_is_seen(psi_n, psi_p):
    """At t = 1 mini and main are narrow and close; gaps at smaller and at larger ψ_p say that there is one here."""
    names = [part.name for part in bulks.parts(limit_of(psi_n, psi_p, 1.0))]
    assert names == ["null", "mini", "main", "gen"]


@pytest.mark.parametrize(
    ("psi_n", "psi_p", "t"),
    [
        (8, 32, 0.1),
        (8, 4, 0.1),  # p < n
        (0.5, 16, 0.1),
        (8, 8, 0.01),  # the spectrum begins at its floor
        pytest.param(64, 96, 0.4, marks=pytest.mark.slow),
        pytest.param(1.5, 12, 2.0, marks=pytest.mark.slow),
    ],
)
def test_turning_points_of_the_curve_are_the_edges_that_a_grid_finds(psi_n, psi_p, t, monkeypatch):
    limit = limit_of(psi_n, psi_p, t)
    assert edges.explicit(limit)
    found = intervals.support(limit)
    monkeypatch.setattr(intervals, "explicit", lambda _: False)
    exact = intervals.support(limit)
    assert len(found) == len(exact)
    floor = float(limit.floor)
    np.testing.assert_allclose(np.array(found) - floor, np.array(exact) - floor, rtol=1e-8)


@pytest.mark.parametrize(
    ("given", "changed"),
    [({"data": "atoms:0.5@0.5,0.5@1.5"}, {}), ({"m": 4}, {}), ({}, {"v2": 0.0}), ({}, {"samples_per_dim": math.inf})],
)
def test_elsewhere_edges_are_looked_for_on_a_grid(given, changed):
    assert not edges.explicit(limit_of(8, 64, **given)._replace(**changed))
