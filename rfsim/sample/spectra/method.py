"""How a draw is solved: which model is sampled, by which algebra, and how its noise is averaged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from rfsim.checking.text import digits, nearest
from rfsim.checking.written import Parsed, Written
from rfsim.problem.model import Problem
from rfsim.problem.origins import Sizes
from rfsim.sample.spectra.montecarlo import fewest_draws

AUTO = "auto"
MODELS, ROUTES = ("real", "gaussian"), (AUTO, "dense", "krylov")
MONTE_CARLO = "montecarlo"
MOST_DRAWS = 10**6


@dataclass(frozen=True)
class Exact(Written):
    """Moments averaged over the noise exactly; `exact` (§2)."""

    draws: ClassVar[None] = None

    @property
    def form(self) -> str:
        return "exact"


@dataclass(frozen=True)
class MonteCarlo(Written):
    """Moments estimated by plain averages over noise draws; `montecarlo:DRAWS` (§2).

    Attributes:
        draws: Per sample.

    >>> str(MonteCarlo(200))
    'montecarlo:200'
    """

    draws: int

    def __post_init__(self) -> None:
        count = digits(str(self.draws)) or 0
        if not 2 <= count <= MOST_DRAWS:
            raise _refused(str(self))
        object.__setattr__(self, "draws", count)

    @property
    def form(self) -> str:
        return f"{MONTE_CARLO}:{self.draws}"


Averages: TypeAlias = Exact | MonteCarlo


def read(given: str | Averages) -> Averages:
    """How moments are averaged, as a text says it, or as it is; ValueError, in one line, for what is neither.

    >>> read("montecarlo:50")
    MonteCarlo(draws=50)
    """
    if isinstance(given, Averages):
        return given
    text = str(given)
    kind, _, count = text.partition(":")
    if text == str(Exact()):
        return Exact()
    if kind != MONTE_CARLO:
        raise _refused(given)
    return MonteCarlo.of(text, count)


@dataclass(frozen=True)
class Method:
    """How a draw is solved (§2, §3).

    Attributes:
        model: "real", or "gaussian" for the Gaussian-equivalent one.
        route: "dense", every eigenvalue, or "krylov", losses alone; "auto" is dense, as what keeps labels is:
            who asks for none lets `routes.choose` say which.
        moments: `Exact`, or `MonteCarlo`, plain averages over noise draws per sample.

    >>> Method(moments="montecarlo:50").draws
    50
    >>> Method(model="real", route="kyrlov")
    Traceback (most recent call last):
    ...
    ValueError: route must be one of auto, dense, krylov; got 'kyrlov'; did you mean 'krylov'?
    """

    model: str = "real"
    route: str = "dense"
    moments: Parsed[str | Averages, Averages] = Parsed(read, "exact")

    def __post_init__(self) -> None:
        for name, accepted in (("model", MODELS), ("route", ROUTES)):
            value = getattr(self, name)
            if value not in accepted:
                hint = nearest(str(value), accepted)
                raise ValueError(f"{name} must be one of {', '.join(accepted)}; got {value!r}{hint}")
        if self.route == AUTO:
            object.__setattr__(self, "route", "dense")

    @property
    def draws(self) -> int | None:
        """Monte Carlo draws of the noise per sample; None where it is averaged exactly."""
        return self.moments.draws

    @property
    def labels(self) -> bool:
        """Whether single eigenvalues, and so the parts, are known."""
        return self.route == "dense"

    @property
    def settings(self) -> dict[str, Any]:
        """As stored with a result."""
        return {"model": self.model, "route": self.route, "moments": str(self.moments)}

    def check(self, problem: Problem, sizes: Sizes) -> None:
        """Refuse a problem to which the method does not apply.

        Args:
            problem: What is asked.
            sizes: d, n and p.

        Raises:
            ValueError: In one line, for one that it does not.
        """
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


def _refused(given: object) -> ValueError:
    return ValueError(
        f"moments must be exact or {MONTE_CARLO}:DRAWS with DRAWS a whole number of at least 2, for the standard "
        f"errors, and at most {MOST_DRAWS}; got {given!r}"
    )
