"""Limits and Gaussian-equivalent samples that the tests of the theory share."""

from __future__ import annotations

import math

import numpy as np

from rfsim import Problem
from rfsim.limit import equations, limits


def limit_of(psi_n, psi_p, t=0.1, m=math.inf, data="isotropic") -> equations.Limit:
    return limits.limit(
        Problem(samples_per_dim=psi_n, features_per_dim=psi_p, diffusion_time=t, noise_copies=m, data=data)
    )


def gaussian_equivalent(limit, dim, seed):
    """U, V, Ũ, Ṽ, the zero score's loss and the U of fresh noise, of B25's Lemma C.1 or its form at finite m.

    Features are linear in x and ξ, plus rests that are Gaussian: one of each sample (v) and one of each draw (s).
    """
    rng = np.random.default_rng(seed)
    d, n, p = dim, round(limit.samples_per_dim * dim), round(limit.features_per_dim * dim)
    a, v, s = (math.sqrt(c) for c in (limit.gain, limit.v2, limit.s2))
    counts = np.round(np.asarray(limit.weights) * d).astype(int)
    sigma = np.repeat(np.asarray(limit.values), counts)
    assert sigma.size == d
    w = rng.standard_normal((p, d))
    x = rng.standard_normal((d, n)) * np.sqrt(sigma)[:, None]
    g = a * math.sqrt(limit.signal) * w @ x / math.sqrt(d) + v * rng.standard_normal((p, n))
    b = a * math.sqrt(limit.noise)
    if limit.copies_inverse == 0:
        u = g @ g.T / n + b**2 * w @ w.T / d + s**2 * np.eye(p)
        noise, constant, clean = b * w / math.sqrt(d), 1.0, u
    else:
        m = round(1 / limit.copies_inverse)
        u, noise, constant = np.zeros((p, p)), np.zeros((p, d)), 0.0
        for _ in range(m):
            xi = rng.standard_normal((d, n))
            phi = g + b * w @ xi / math.sqrt(d) + s * rng.standard_normal((p, n))
            u += phi @ phi.T / (n * m)
            noise += phi @ xi.T / (n * m)
            constant += (xi**2).sum() / (d * n * m)
        clean = g @ g.T / n + b**2 * w @ w.T / d + s**2 * np.eye(p)
    population = limit.gain * (w * (limit.signal * sigma + limit.noise)) @ w.T / d + (v**2 + s**2) * np.eye(p)
    return u, noise, population, b * w / math.sqrt(d), constant, clean
