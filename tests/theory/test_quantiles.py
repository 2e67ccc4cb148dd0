from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit import bulks
from rfsim.limit.quantiles import mass_below, quantile
from tests.theory.cases import gaussian_equivalent, limit_of


def test_borders_of_the_parts():
    limit = limit_of(8, 64)
    null, mini, main, gen = bulks.parts(limit)
    shares = [0.0, 0.5, null.mass, null.mass + mini.mass, null.mass + mini.mass + main.mass, 1.0]
    expected = [null.lower, null.lower, mini.lower, main.lower, gen.lower, gen.upper]
    np.testing.assert_array_equal(quantile(limit, shares), expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("psi_n", "psi_p", "m", "data"),
    [
        (8, 64, math.inf, "isotropic"),
        (8, 16, math.inf, "isotropic"),
        (4, 16, math.inf, "isotropic"),
        (0.5, 8, 4, "isotropic"),
        (8, 32, 4, "isotropic"),
        (8, 64, math.inf, "atoms:0.5@0.5,0.5@1.5"),
    ],
)
def test_from_mass_to_eigenvalue_and_back(psi_n, psi_p, m, data):
    """mini and main open, merged, at a gap of 2e-4, an atom of zeros, a hard edge at 0, several intervals."""
    limit = limit_of(psi_n, psi_p, m=m, data=data)
    base = bulks.atom(limit)
    start = base.mass if base else 0.0
    shares = start + (1 - start) * np.array([1e-4, 0.2, 0.5, 0.93])
    np.testing.assert_allclose(mass_below(limit, quantile(limit, shares)), shares, atol=3e-9)


def test_the_mass_below_is_the_integral_of_the_density():
    limit = limit_of(8, 16)
    part = bulks.parts(limit)[1]
    cut = math.sqrt(part.lower * part.upper)
    x, weights = np.polynomial.legendre.leggauss(200)
    # √ edge: smooth in the root of the distance from it
    root = (x + 1) / 2 * math.sqrt(cut - part.lower)
    rho = bulks.density(limit, part.lower + root**2)
    expected = bulks.masses(limit)["null"] + rho @ (weights * root) * math.sqrt(cut - part.lower)
    assert mass_below(limit, cut)[0] == pytest.approx(expected, abs=1e-9)


def test_marchenko_pastur():
    """Features of noise, p = n: the mass below s² + 4v² sin²(θ/2) is (θ + sin θ)/π."""
    limit = limit_of(4, 4)._replace(gain=0.0)
    angle = np.array([0.3, 1.0, 2.0])
    lam = limit.s2 + limit.v2 * 4 * np.sin(angle / 2) ** 2
    np.testing.assert_allclose(mass_below(limit, lam), (angle + np.sin(angle)) / np.pi, atol=1e-9)
    np.testing.assert_allclose(quantile(limit, (angle + np.sin(angle)) / np.pi), lam, rtol=1e-8)


def test_below_and_above_the_spectrum():
    limit = limit_of(4, 2)
    np.testing.assert_allclose(mass_below(limit, [0.0, float(limit.floor), 1e4]), [0, 0, 1], atol=1e-9)
    assert quantile(limit, [0.0])[0] == bulks.parts(limit)[0].lower


@pytest.mark.parametrize("m", [2, math.inf])
def test_sampled_eigenvalues_have_these_quantiles(m):
    limit = limit_of(3, 6, m=m)
    lam = np.linalg.eigvalsh(gaussian_equivalent(limit, 150, 0)[0])
    shares = np.array([0.4, 0.6, 0.75, 0.9])
    np.testing.assert_allclose(quantile(limit, shares), np.quantile(lam, shares), rtol=0.03)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"a share must lie in \[0, 1\]; got"):
        quantile(limit_of(4, 16), [0.5, share])
