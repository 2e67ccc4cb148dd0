"""Late steps of a teacher in the limit, where memorized parts lie within e^(−6t) of null: against forty digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from rfsim import Problem, theory
from rfsim.limit import bulks, leakage
from rfsim.limit.chains import chain, identity
from rfsim.limit.leakage import BEFORE, NOW, Around, around, space_of, transfer_tie
from rfsim.limit.operators import operator
from rfsim.limit.resolvents import PSI, VARIABLES, Resolvent, at_points, features_link, resolvent_link
from tests.theory import digits
from tests.theory.steps import between

LATE = (4, 16, 1.5, 1.0), (4, 16, 3.0, 2.0), (4, 16, 5.0, 3.0)
conjugate = np.vectorize(mp.conj, otypes=[object])
exactly = np.vectorize(lambda value: mp.mpmathify(complex(value)), otypes=[object])


def right_fields(now):
    """(D3) to (D5) of a teacher that learned everything, K3 and K5 as derivatives of k_3."""
    one, psi_p = digits.level(now), now.limit.features_per_dim
    a, b, e = one.a, one.b, one.signal
    small = mp.mpf(10) ** -13

    def at(z=0, source=0):
        return digits.resolvents(now, np.array([z - one.s**2], dtype=object), source)

    def k3(z=0, source=0):
        x = at(z, source)
        return (x.r * (psi_p + x.r / x.q))[0]

    x = at()
    q, r, channel = x.q[0], x.r[0], x.channel[0]
    third, fifth = (k3(small) - k3(-small)) / (2 * small), (k3(0, small) - k3(0, -small)) / (2 * small)
    inner = r * (psi_p - 1 + r / q)
    c1, c2 = -a * r, a * r * (1 - 1 / channel)
    both, second = c1 + c2, k3()
    fresh = b**2 * (a**2 * fifth + 2 * a * c1 * second + c1**2) + one.s**2 * (a**2 * third + 2 * a * c1 * r + c1**2)
    mean = a**2 * (second - b**2 * fifth - one.s**2 * third)
    mean += 2 * a * both * (1 - b**2 * second - one.s**2 * r) + both**2 * (a**2 * e**2 + one.v**2)
    return c1, c2, -(a**2) * e / channel * inner, -a * b * inner, mean, fresh


@pytest.mark.parametrize("where", LATE, ids=str)
def test_fields_of_late_steps_keep_their_digits(where):
    now, _, _, found, constants = between(*where)
    right = right_fields(now)
    for name, value, expected in zip(found._fields, found, right, strict=True):
        assert abs(value / expected - 1) < (1e-11 if name == "var_mean" else 1e-14), name
    assert constants.error < 2e-9


def right_table(now, before, constants, nodes: Around, w):
    """`leakage.transfer_table` in forty digits, C's constants given."""
    space, one, below = space_of(now, constants), digits.level(now), digits.level(before)
    left = digits.resolvents(before, exactly(w.points))
    left = resolvent_link(space, below, at_points(left, 0, 2), BEFORE)
    plain, end = features_link(space, one, NOW).transpose, identity(space, "p")
    at = at_points(digits.resolvents(now, exactly(nodes.above.points.ravel())), 1, 2)
    total = 0
    for mirrored in (False, True):
        right = resolvent_link(space, one, Resolvent(*(conjugate(x) if mirrored else x for x in at)), NOW)
        ties = {
            (0, 1): transfer_tie(space, one, constants, VARIABLES, PSI, constants.c_h),
            (1, 2): operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0}),
            (2, 3): transfer_tie(space, one, constants, "p", 0, constants.c_h).transpose,
        }
        found = exactly(w.weights) @ chain(space, [left, right, plain, end], ties).p[..., 0, 0]
        total = total + (conjugate(found) if mirrored else found)
    return total.astype(complex)


@pytest.mark.parametrize(("where", "error"), [(LATE[0], 1e-9), (LATE[1], 3e-7)], ids=str)
def test_what_late_steps_hand_to_memorized_parts_keeps_its_digits(where, error, monkeypatch):
    now, before, trained, _, constants = between(*where)
    monkeypatch.setattr(leakage, "DIGITS", 6.0)
    into, origin = around(now), around(before)
    assert into.names == ("null", "mini+main", "gen")
    w = type(origin.above)(*(one[2] for one in origin.above))
    middle = into.above.points.shape[1] // 2
    chosen = into._replace(above=type(into.above)(*(one[:2, middle : middle + 1] for one in into.above)))
    found = leakage.transfer_table(now, before, constants, trained, chosen, w)
    plain = np.linalg.solve
    monkeypatch.setattr(
        np.linalg, "solve", lambda a, b: digits.solve(a, b) if object in (a.dtype, b.dtype) else plain(a, b)
    )
    right = right_table(now, before, constants, chosen, w)
    np.testing.assert_allclose(found.ravel(), right, rtol=error)


def test_late_steps_leak_as_their_closed_forms_tell():
    found = theory.distill(Problem(samples_per_dim=4, features_per_dim=16), [1.0, 1.5, 2.0, 3.0], ridges=[0.0, 0.1])
    np.testing.assert_allclose(found.leakage.values, found.leakage_closed.values, rtol=0.4)
    assert found.closed_valid.values.tolist() == [1, 1, 0]
    np.testing.assert_allclose(found.suppression.sel(ridge=0.0, step=1, part="mini+main").values, 1, rtol=1e-8)
    np.testing.assert_allclose(found.share.sum("part").values, 1, rtol=1e-12)


def test_what_no_digits_tell_is_refused():
    problem = Problem(samples_per_dim=4, features_per_dim=16)
    assert len(bulks.parts(between(*LATE[2])[0].limit)) == 3
    with pytest.raises(theory.NotConverged, match="closer to its atom at 0.0274153 than double precision tells"):
        theory.gamma_star(Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=8.0), 5.0)
    assert float(theory.gamma_star(problem, 0.05).gamma_star) > 0
