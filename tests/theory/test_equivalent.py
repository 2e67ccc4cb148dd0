"""What the limit of distillation says, on draws of its Gaussian equivalent (equations.md D7 to D9) by dense algebra."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from rfsim.limit.leakage import BEFORE, NEW, NOW, around, instability, leakage, space_of
from rfsim.limit.students import energies, losses
from rfsim.problem.ranks import part_counts
from rfsim.sample.spectra import part_slices
from tests.theory.steps import between, down, students

DIM, SEEDS = 24, 6
WHERE = (4, 16, 0.1, 0.05)
LADDER = (4, 16, (0.02, 0.05, 0.1))
RIDGES = (0.0, 0.1, 0.5, 2.0)


def drawn(seed: int, psi_n: float, psi_p: float, noises: np.ndarray):
    """W, Y = WX/√d and the frozen noises, (noises, features, samples)."""
    rng = np.random.default_rng(seed)
    n, p = round(psi_n * DIM), round(psi_p * DIM)
    weights, points = rng.standard_normal((p, DIM)), rng.standard_normal((DIM, n))
    root = np.linalg.cholesky(noises + 1e-12 * np.eye(len(noises)))
    return weights, weights @ points / math.sqrt(DIM), np.tensordot(root, rng.standard_normal((len(root), p, n)), 1)


def of_level(one, linear, y, omega):
    """G/√n and U, linear: K = WWᵀ/d."""
    g = (one.signal * one.a * y + one.v * omega) / math.sqrt(y.shape[1])
    return g, g @ g.T + one.b**2 * linear + one.s**2 * np.eye(len(y))


def handed(one, step, linear, y, omega, fresh, g):
    """C (D8) of a teacher that learned everything."""
    sampled = (step.c_k * y + step.w1 * omega + step.rho_new * fresh) / math.sqrt(y.shape[1])
    return sampled @ g.T + step.c_h * linear + step.c_psi * np.eye(len(y)), sampled


def by_rank(p: int, n: int) -> dict[str, slice]:
    return part_slices(part_counts(p, n, DIM))


def near(drawn_values, exact, names=None):
    """Within four standard errors over draws, and 1% for what is of order 1/d."""
    values = np.asarray(drawn_values)
    error = values.std(0, ddof=1) / math.sqrt(len(values))
    exact = np.asarray(exact)
    assert (np.abs(values.mean(0) - exact) < 4 * error + 0.01 * np.abs(exact)).all(), (
        names,
        values.mean(0),
        error,
        exact,
    )


@cache
def steps_drawn():
    """Of every draw: energies that gen hands up by ridge and part, and instability by part."""
    now, before, _, found, step = between(*WHERE)
    noises, rows, shaken = np.asarray(space_of(now, step).noises), [], []
    for seed in range(SEEDS):
        weights, y, omega = drawn(seed, *WHERE[:2], noises)
        linear = weights @ weights.T / DIM
        _, end = of_level(before, linear, y, omega[BEFORE])
        g, u = of_level(now, linear, y, omega[NOW])
        c, sampled = handed(now, step, linear, y, omega[NOW], omega[NEW], g)
        gen = np.linalg.eigh(end)[1][:, -DIM:]
        lam, q = np.linalg.eigh(u)
        arrived = (gen.T @ c @ q) ** 2
        parts = by_rank(len(u), y.shape[1])
        rows.append([[(arrived / (lam + gamma) ** 2)[:, at].sum() for at in parts.values()] for gamma in RIDGES])
        late = linear @ np.linalg.inv(u)
        eye = np.eye(len(u))
        pieces = (
            sampled - now.a * step.a_y * late @ g,
            np.linalg.multi_dot(
                [(step.a_omega - step.a_y * found.c1 * now.b) * eye - now.a * step.a_y * now.b * late, weights]
            )
            / math.sqrt(DIM),
            (step.s1 - step.a_y * found.c1 * now.s) * eye - now.a * step.a_y * now.s * late,
        )
        after = sum(piece @ piece.T for piece in pieces) + step.s2**2 * eye
        moved = ((u + after - c - c.T) @ q * q).sum(0) / lam
        shaken.append([moved[at].mean() for at in parts.values()])
    return list(parts), np.array(rows) / len(u), np.array(shaken)


@pytest.mark.slow
def test_what_gen_hands_up_is_that_of_draws_by_part():
    now, before, trained, _, step = between(*WHERE)
    found = leakage(now, before, step, trained, RIDGES, around(now), around(before))
    names, rows, _ = steps_drawn()
    where = [names.index(name) for name in found.names]
    # null is empty in the limit, and as 1/d² in draws
    kept = [k for k, name in enumerate(found.names) if name != "null"]
    near(rows[:, :, where][:, :, kept], found.energies[:, kept], found.names)
    outside = 1 - rows[:, :, names.index("gen")] / rows.sum(-1)
    near(outside, found.lost)


@pytest.mark.slow
def test_directions_are_as_unstable_as_those_of_draws():
    now, _, trained, found, step = between(*WHERE)
    names, _, shaken = steps_drawn()
    values = instability(now, step, found, trained, around(now))
    near(shaken, [values[name] for name in names], names)


@pytest.mark.slow
def test_students_are_those_of_draws():
    """Two levels by the recursion of D16, by dense algebra."""
    found = down(*LADDER)
    levels, rows, held = found.levels, [], []
    for seed in range(SEEDS):
        weights, y, omega = drawn(seed, *LADDER[:2], np.asarray(found.space.noises))
        linear, line = weights @ weights.T / DIM, weights.T / math.sqrt(DIM)
        by_ridge, powers = [], []
        for gamma in RIDGES:
            below, scores, kept = None, [], []
            for k in (1, 2):
                one, (taught, passed) = levels[k], found.shares(k)
                g, u = of_level(one, linear, y, omega[k - 1])
                target = taught * one.a * line
                if below is not None:
                    target = (
                        target
                        + passed * below @ handed(one, found.steps[k - 1], linear, y, omega[k - 1], omega[k + 1], g)[0]
                    )
                below = np.linalg.solve(u + gamma * np.eye(len(u)), target.T).T
                population = one.a**2 * linear + (one.v**2 + one.s**2) * np.eye(len(u))
                along = (below * line).sum() / DIM
                train, test = ((below @ matrix * below).sum() / DIM for matrix in (u, population))
                growth, out = math.exp(one.time - levels[0].time) - 1, found.out(k)
                cross = 2 * math.sqrt(one.noise) * one.b * along
                scores.append(
                    [
                        1 + one.noise * train - cross,
                        1 + one.noise * test - cross,
                        growth**2 - 2 * growth * out * one.a * along + out**2 * test,
                    ]
                )
                lam, q = np.linalg.eigh(u)
                energy = ((below @ q) ** 2 * lam).sum(0) / DIM
                kept.append([energy[at].sum() for at in by_rank(len(u), y.shape[1]).values()])
            by_ridge.append(scores)
            powers.append(kept)
        rows.append(by_ridge)
        held.append(powers)
    for number, gamma in enumerate(RIDGES):
        trained = students(found, math.inf, gamma)
        exact = losses(found, trained)
        near(np.array(rows)[:, number], np.stack(exact, axis=1))
        parts = [around(one) for one in levels[1:]]
        for k, (own, _) in enumerate(energies(found, trained, parts)):
            names = list(by_rank(LADDER[1] * DIM, LADDER[0] * DIM))
            sampled = np.array(held)[:, number, k]
            merged = [sum(sampled[:, names.index(piece)] for piece in name.split("+")) for name in parts[k].names]
            kept = [j for j, name in enumerate(parts[k].names) if name != "null"]
            near(np.stack(merged, axis=1)[:, kept], own[kept], parts[k].names)
