"""Which route answers a training where none is named: one rule, of the sizes and of what is asked (T8)."""

from __future__ import annotations

from typing import NamedTuple

from rfsim.problem.origins import Sizes
from rfsim.sample.spectra.method import Method

LEAST_FEATURES = 1536  # below, a decomposition takes less than growing a space beside it
FEATURES_PER_DIM = 32  # the space grows by d columns, 15 to 30 times, and may take half of the features


class Choice(NamedTuple):
    """A route, and why it was chosen, in words that follow its name."""

    route: str
    why: str


def choose(method: Method, sizes: Sizes, *, by_part: bool = False, fresh_noise: bool = False) -> Choice:
    """The route of a training that names none: Krylov where nothing asks for single eigenvalues and it takes less.

    The numbers of training times and of ridges turn nothing: either route is one decomposition for all of them, and
    a time costs p² operations at most beside p³.

    Args:
        method: Model and moments; its route is not asked.
        sizes: d, n and p.
        by_part: Whether losses by part are asked for, whose labels the dense route alone knows.
        fresh_noise: Whether L_emp of frozen copies is, which the dense route alone gives.

    Returns:
        The route, and why.

    >>> choose(Method(), Sizes(100, 800, 6400)).route
    'krylov'
    >>> choose(Method(), Sizes(100, 800, 6400), by_part=True)
    Choice(route='dense', why='losses by part need its labels')
    """
    d, _, p = sizes
    if by_part:
        return Choice("dense", "losses by part need its labels")
    if fresh_noise or method.draws is not None:
        return Choice("dense", "fresh noise and Monte Carlo moments are its own")
    if method.model != "real":
        return Choice("dense", "the Gaussian-equivalent model decomposes n + d there, not p")
    if p < LEAST_FEATURES:
        return Choice("dense", f"{p} features are fewer than {LEAST_FEATURES}, from where on krylov is faster")
    if p < FEATURES_PER_DIM * d:
        return Choice("dense", f"krylov is faster from ψ_p = {FEATURES_PER_DIM} on; here it is {p / d:g}")
    return Choice("krylov", f"no part is asked for, and it is faster at {p} features of ψ_p = {p / d:g}")
