"""How a draw is solved: which model is sampled, by which algebra, and how its noise is averaged."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from rfsim.model import Problem, Sizes
from rfsim.spectra.montecarlo import fewest_draws
from rfsim.words import digits, nearest

MODELS, ROUTES = ("real", "gaussian"), ("dense", "krylov")
EXACT, MONTE_CARLO = "exact", "montecarlo"
MOST_DRAWS = 10**6


@dataclass(frozen=True)
class Method:
    """model: "real", or "gaussian" for the Gaussian-equivalent one; route: "dense", every eigenvalue, or "krylov",
    losses alone; moments: "exact", or "montecarlo:DRAWS", plain averages over that many noise draws per sample.

    >>> Method(moments="montecarlo:50").draws
    50
    >>> Method(model="real", route="kyrlov")
    Traceback (most recent call last):
    ...
    ValueError: route must be one of dense, krylov; got 'kyrlov'; did you mean 'krylov'?
    """

    model: str = "real"
    route: str = "dense"
    moments: str = EXACT

    def __post_init__(self) -> None:
        for name, accepted in (("model", MODELS), ("route", ROUTES)):
            value = getattr(self, name)
            if value not in accepted:
                hint = nearest(str(value), accepted)
                raise ValueError(f"{name} must be one of {', '.join(accepted)}; got {value!r}{hint}")
        if self.moments != EXACT:
            _draws(self.moments)

    @property
    def draws(self) -> int | None:
        """Monte Carlo draws of the noise per sample; None where it is averaged exactly."""
        return None if self.moments == EXACT else _draws(self.moments)

    @property
    def labels(self) -> bool:
        """Whether single eigenvalues, and so the parts, are known."""
        return self.route == "dense"

    @property
    def settings(self) -> dict[str, Any]:
        return asdict(self)

    def check(self, problem: Problem, sizes: Sizes) -> None:
        """Raise ValueError for a problem to which the method does not apply."""
        if self.draws is None:
            return
        if self.model != "real" or self.route != "dense":
            raise ValueError(f"moments {self.moments} are for the real model by the dense route; leave the others out")
        if math.isfinite(problem.noise_copies):
            raise ValueError(
                f"moments {self.moments} estimate the average over fresh noise; got noise_copies "
                f"{problem.noise_copies:g}, whose frozen draws need no estimate"
            )
        least = fewest_draws(sizes.samples, sizes.features)
        if self.draws < least and problem.ridge == 0:
            raise ValueError(
                f"moments {self.moments} give {self.draws * sizes.samples} draws for {sizes.features} features, and U "
                f"would lack their rank; take {MONTE_CARLO}:{least} or more, or a ridge"
            )


def _draws(moments: str) -> int:
    kind, _, count = str(moments).partition(":")
    draws = digits(count) or 0
    if kind != MONTE_CARLO or not 2 <= draws <= MOST_DRAWS:
        raise ValueError(
            f"moments must be {EXACT} or {MONTE_CARLO}:DRAWS with DRAWS a whole number of at least 2, for the "
            f"standard errors, and at most {MOST_DRAWS}; got {moments!r}"
        )
    return draws
