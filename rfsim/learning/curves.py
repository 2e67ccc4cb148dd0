"""Loss curves of a trainer from zero, over either spectrum: compiled for JAX's, once per kind of trainer (T7, T8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, mapped, namespace
from rfsim.computing.blas import suited
from rfsim.learning import losses
from rfsim.learning.filters import held
from rfsim.learning.protocol import Spectrum, Target
from rfsim.learning.trainers import TrainerFilter

FEW, MANY = 32, 256  # times per call: two shapes, so two compiled programs per size; of NumPy's, multiples of FEW


class LossCurves(NamedTuple):
    """Losses of a trainer from zero along training, each (times,) and 1 for the zero score at m = ∞ (T8).

    Attributes:
        train: L_train.
        test: L_test on the target.
        cross: The overlap (1/d) Tr Vᵀ f(U) Ṽ with the target's noise moment.
        penalty: What the ridge adds to the objective, (Δγ/d)‖Ā‖².
    """

    train: NDArray[np.float64]
    test: NDArray[np.float64]
    cross: NDArray[np.float64]
    penalty: NDArray[np.float64]

    @property
    def gen(self) -> NDArray[np.float64]:
        """Generalization gap L_gen = L_test − L_train, (times,) (§1)."""
        return self.test - self.train

    @property
    def train_penalized(self) -> NDArray[np.float64]:
        """L_train with the penalty, the objective that training lowers, (times,) (T12; U26's "L_train")."""
        return self.train + self.penalty


def loss_curves(spectrum: Spectrum, target: Target, train_times: ArrayLike, trainer: TrainerFilter) -> LossCurves:
    """Loss curves of a trainer from zero (T7, T8; T13, T14 for the limit).

    Args:
        spectrum: U and its sources, of a sample or of the limit.
        target: What the weights are judged on.
        train_times: τ, (times,), ≥ 0; may hold inf.
        trainer: Whose filter is applied.

    Returns:
        The curves, each (times,).
    """
    return LossCurves(*_in_batches(spectrum, train_times, lambda tau: _losses(spectrum, target, tau, trainer)))


def class_curves(
    spectrum: Spectrum,
    population: Target | None,
    training: Target | None,
    train_times: ArrayLike,
    trainer: TrainerFilter,
) -> LossCurves:
    """The loss curves of one class (§12).

    Args:
        spectrum: U and its sources, of a sample or of the limit.
        population: The class; None where no rows play it.
        training: The training points of the class, as a target; None where it has none.
        train_times: τ, (times,), ≥ 0; may hold inf.
        trainer: Whose filter is applied.

    Returns:
        The curves, each (times,): train is L_train over the class's training points and test is L_test over the class,
        NaN where there are no such rows.
    """
    unknown = np.full(np.shape(train_times), np.nan)
    if population is None:
        found = LossCurves(unknown, unknown, unknown, unknown)
    else:
        found = loss_curves(spectrum, population, train_times, trainer)
    if training is None:
        return found._replace(train=unknown)
    return found._replace(train=loss_curves(spectrum, training, train_times, trainer).test)


def remembered(
    at: Callable[[NDArray[np.float64]], LossCurves],
) -> Callable[[NDArray[np.float64]], LossCurves]:
    """Curves at train_times (times,) that are computed once: both timescales search the same grid (§3).

    Args:
        at: Gives the curves.

    Returns:
        The same, with a memory.
    """
    seen: dict[bytes, LossCurves] = {}

    def known(train_times: NDArray[np.float64]) -> LossCurves:
        key = train_times.tobytes()
        if key not in seen:
            seen[key] = at(train_times)
        return seen[key]

    return known


def train_curve(spectrum: Spectrum, train_times: ArrayLike, trainer: TrainerFilter) -> NDArray[np.float64]:
    """L_train alone, which needs no target (T8).

    Args:
        spectrum: U and its sources, of a sample or of the limit.
        train_times: τ, (times,), ≥ 0; may hold inf.
        trainer: Whose filter is applied.

    Returns:
        L_train, (times,).
    """
    return _in_batches(spectrum, train_times, lambda tau: [losses.train_loss(spectrum, [trainer.filter(tau)])])[0]


def energy_curves(
    spectrum: Spectrum, train_times: ArrayLike, trainer: TrainerFilter, noise_variance: float, parts: ArrayLike
) -> NDArray[np.float64]:
    """Energy of the score by part, (1/d) Tr Ā P U Āᵀ, along training (§8).

    Args:
        spectrum: U and its sources, of a sample or of the limit.
        train_times: τ, (times,), ≥ 0; may hold inf.
        trainer: Whose filter is applied.
        noise_variance: Δ.
        parts: 1 where a point of the spectrum belongs to the part and 0 elsewhere, (parts, points).

    Returns:
        The energies, (parts, times).
    """
    keep = np.asarray(parts)
    return np.stack(
        _in_batches(spectrum, train_times, lambda tau: _energies(spectrum, tau, trainer, noise_variance, keep))
    )


def part_curves(
    spectrum: Spectrum, target: Target, train_times: ArrayLike, trainer: TrainerFilter, parts: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each part of the spectrum, and each pair of parts, adds to the losses along training (T8, §8).

    Args:
        spectrum: U and its sources, of a sample or of the limit.
        target: What the weights are judged on.
        train_times: τ, (times,), ≥ 0; may hold inf.
        trainer: Whose filter is applied.
        parts: 1 where a point of the spectrum belongs to the part and 0 elsewhere, (parts, points).

    Returns:
        `losses.train_parts`, (parts, times), and `losses.target_pairs`, (parts, parts, times).
    """
    keep = np.asarray(parts)
    size = len(keep)
    rows = _in_batches(spectrum, train_times, lambda tau: _parts(spectrum, target, tau, trainer, keep))
    return np.stack(rows[:size]), np.stack(rows[size:]).reshape(size, size, -1)


def _in_batches(
    spectrum: Spectrum, train_times: ArrayLike, values: Callable[[NDArray], Iterable[Numbers]]
) -> list[NDArray[np.float64]]:
    """`values` (rows of times) over any number of times, in padded batches: memory and compiled programs stay few."""
    tau = np.asarray(train_times, dtype=np.float64)
    size = FEW if tau.size <= FEW else MANY
    batches = []
    for lo in range(0, tau.size, size):
        batch = tau[lo : lo + size]
        whole = -(-batch.size // FEW) * FEW if namespace(spectrum) is np else size
        padded = np.pad(batch, (0, whole - batch.size))
        with suited(np.size(spectrum.points)):
            batches.append([np.asarray(row)[: batch.size] for row in values(padded)])
    return [np.concatenate(row) for row in zip(*batches, strict=True)]


@compiled
def _losses(spectrum, target, tau: Numbers, trainer: TrainerFilter) -> tuple[Numbers, ...]:
    f = held(trainer.filter(tau))
    return (
        losses.train_loss(spectrum, [f]),
        losses.target_loss(spectrum, target, [f]),
        target.cross(f(spectrum.points)),
        losses.penalty(spectrum, [f], trainer.ridge),
    )


@compiled
def _energies(spectrum, tau, trainer, noise_variance, parts):
    f = trainer.filter(tau)
    return mapped(lambda keep: losses.feature_energy(spectrum, [f], noise_variance, keep), parts)


@compiled
def _parts(spectrum, target, tau, trainer, parts):
    f = trainer.filter(tau)
    pairs = losses.target_pairs(spectrum, target, f, parts)
    return namespace(pairs).concatenate([losses.train_parts(spectrum, f, parts), pairs.reshape(-1, tau.size)])
