"""Traces of products by chains: against the one-point constants, differences of resolvents, and drawn matrices."""

from __future__ import annotations

import numpy as np
import pytest

from rfsim.limit import functions
from rfsim.limit.chains import chain, identity, link
from rfsim.limit.equations import differences
from rfsim.limit.operators import operator
from rfsim.limit.rational import Nodes
from rfsim.limit.resolvents import (
    PSI,
    VARIABLES,
    F,
    H,
    J,
    at_points,
    features_link,
    filter_link,
    linear_entries,
    medium,
    resolvent_link,
    resolvents,
    weights_tie,
)
from rfsim.limit.solver import solve
from tests.theory.steps import at

DATA = ("isotropic", "atoms:0.5@0.5,0.5@2.5")
Z = np.array([-0.3 + 0j, 0.2 + 0.7j])
W = np.array([0.1 + 1j, -0.5 + 0j, 5 + 2j])
every_population = pytest.mark.parametrize("data", DATA)


def out(space):
    return operator(space, VARIABLES, "p", {(PSI, 0): 1.0})


def unit(space):
    return operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0})


@every_population
def test_one_resolvent_has_its_one_point_constants(data):
    one = at(8, 32, 0.1, data)
    space, found = medium(one), resolvents(one, Z)
    near, end = resolvent_link(space, one, at_points(found)), identity(space, "p")

    def trace(*ties):
        return chain(space, [end, near, end], dict(zip([(0, 1), (1, 2)], ties, strict=True))).p[..., 0, 0]

    first = operator(space, "p", VARIABLES, {(0, PSI): 1.0})
    np.testing.assert_allclose(trace(first, out(space)), found.q, rtol=1e-12)
    np.testing.assert_allclose(trace(weights_tie(space, "p", 0), out(space)), found.r, rtol=1e-12)
    both = found.r * (space.features_per_dim + found.r / found.q)  # (1/p) Tr K R K
    np.testing.assert_allclose(
        trace(weights_tie(space, "p", 0), weights_tie(space, "p", 0).transpose), both, rtol=1e-12
    )


@every_population
def test_two_resolvents_are_a_divided_difference(data):
    one = at(8, 32, 0.1, data)
    space = medium(one)
    near, far = resolvents(one, Z), resolvents(one, W)
    links = [resolvent_link(space, one, at_points(near, 0, 2)), resolvent_link(space, one, at_points(far, 1, 2))]
    found = chain(space, links, {(0, 1): unit(space)}).p[..., 0, 0]
    np.testing.assert_allclose(found, (near.q[:, None] - far.q) / (near.z[:, None] - far.z), rtol=1e-11)


@every_population
def test_a_new_trace_takes_ten_lines(data):
    """(1/d) Tr VᵀRŨR′V, V = bW/√d, is the library's own P(z, z′), derived another way."""
    one = at(8, 32, 0.1, data)
    space = medium(one)
    spectrum = one.signal**2 * space.values + one.noise
    population = identity(space, "pd")
    population = population._replace(
        inverse=population.inverse._replace(d=population.inverse.d * spectrum[:, None, None])
    )
    links = [
        identity(space, "d"),
        *(resolvent_link(space, one, at_points(resolvents(one, z), k, 2)) for k, z in enumerate((Z, W))),
    ]
    links = [links[0], links[1], population, links[2], links[0]]
    through = operator(space, VARIABLES, "pd", {(PSI, 0): np.hypot(one.v, one.s), (PSI, 1): one.a})
    ends = operator(space, "d", VARIABLES, {(0, PSI): one.b})
    ties = {(0, 1): ends, (1, 2): through, (2, 3): through.transpose, (3, 4): ends.transpose}
    found = chain(space, links, ties).d[..., 0, 0] @ space.weights
    x, y = (solve(one.limit, z).state for z in (Z, W))
    for i in range(Z.size):
        for j in range(W.size):
            left, right = (type(x)(*(np.asarray(v)[k : k + 1] for v in s)) for s, k in ((x, i), (y, j)))
            expected = functions.overlap_transform(one.limit, left, right, differences(one.limit, left, right))
            assert found[i, j] == pytest.approx(complex(expected[0]), rel=1e-9)


def test_a_sum_over_nodes_is_the_sum_of_its_chains():
    one = at(8, 32, 0.1, DATA[1])
    space = medium(one)
    tie = operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0, (PSI, H): 0.3, (H, J): 1.0})
    end, between = identity(space, "p"), features_link(space, one)
    ties = {(0, 1): weights_tie(space, "p", 0), (1, 2): tie, (2, 3): tie, (1, 3): tie}
    ties[3, 4] = weights_tie(space, "p", 0).transpose
    weights = np.array([0.3, 0.7 - 1j]), np.array([1.0, 2.0, -1j])

    def trace(first, last):
        links = [end, filter_link(space, one, first), between, filter_link(space, one, last), end]
        return complex(chain(space, links, ties).p[..., 0, 0])

    single = [
        [trace(Nodes(Z[i : i + 1], np.ones(1)), Nodes(W[j : j + 1], np.ones(1))) for j in range(3)] for i in range(2)
    ]
    whole = trace(Nodes(Z, weights[0]), Nodes(W, weights[1]))
    assert whole == pytest.approx(weights[0] @ np.array(single) @ weights[1], rel=1e-11)


def test_products_of_drawn_matrices_have_these_traces():
    """d = 40, one draw of W, X, Ω: every kind of entry between two resolvents, within the 1/d of self-averaging."""
    one, d = at(4, 8, 0.3), 40
    n, p = 4 * d, 8 * d
    rng = np.random.default_rng(0)
    w, x, omega = (rng.standard_normal(shape) for shape in ((p, d), (d, n), (p, n)))
    g = (one.signal * one.a * w @ x / np.sqrt(d) + one.v * omega) / np.sqrt(n)
    u = g @ g.T + one.b**2 * w @ w.T / d + one.s**2 * np.eye(p)
    r, r_ = (np.linalg.inv(u - z * np.eye(p)) for z in (-0.2, -1.0))
    middle = 0.3 * np.eye(p) + 0.5 * (omega / np.sqrt(n)) @ g.T + 0.7 * w @ w.T / d
    middle += 0.9 * (w / np.sqrt(d)) @ (x / np.sqrt(n)) @ g.T
    drawn = np.trace(r @ middle @ r_) / p
    space = medium(one)
    links = [resolvent_link(space, one, resolvents(one, np.array([z]))) for z in (-0.2, -1.0)]
    entries = {(PSI, PSI): 0.3} | linear_entries(one, PSI, 0.7, 0.9)
    tie = operator(space, VARIABLES, VARIABLES, entries, {(PSI, F): {0: 0.5}})
    found = float(chain(space, links, {(0, 1): tie}).p[..., 0, 0])
    assert drawn == pytest.approx(found, rel=0.02)


def test_what_does_not_fit_is_refused():
    one = at(8, 32, 0.1)
    space = medium(one)
    near = resolvent_link(space, one, resolvents(one, np.array([-1.0])))
    with pytest.raises(ValueError, match="must come in the order p, n, d; got 'dp'"):
        operator(space, "dp", "p")
    with pytest.raises(ValueError, match="between p and n only noises stand"):
        operator(space, "p", "n", {(0, 0): 1.0})
    with pytest.raises(ValueError, match="noises stand between p and n"):
        operator(space, "p", "d", noise={(0, 0): {0: 1.0}})
    with pytest.raises(ValueError, match="does not lead from link 1 to link 0"):
        chain(space, [near, near], {(1, 0): unit(space)})
    with pytest.raises(ValueError, match="of its own equations"):
        wrong = near.inverse._replace(p=2 * near.inverse.p)
        link(space, near.operator, wrong)
