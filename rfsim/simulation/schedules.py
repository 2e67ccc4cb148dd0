"""How a rate goes over the steps of a stochastic training: optax's schedules, as shares of it, after a warm-up."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import jax
import numpy as np
import optax
from numpy.typing import NDArray

from rfsim.checking.scalars import real
from rfsim.checking.text import nearest
from rfsim.checking.written import Written
from rfsim.simulation.optimizers import Factory, Optimizer

Shape: TypeAlias = Callable[[Any], Any]

CONSTANT, WARM_UP, FIRST = "constant", "warmup_steps", "init_value"
KINDS = {
    CONSTANT: optax.constant_schedule,
    "cosine": optax.cosine_decay_schedule,
    "linear": optax.linear_schedule,
    "polynomial": optax.polynomial_schedule,
    "exponential": optax.exponential_decay,
}
NEEDED = {"cosine": ("decay_steps",), "linear": ("end_value", "transition_steps")} | {
    "polynomial": ("end_value", "power", "transition_steps"),
    "exponential": ("transition_steps", "decay_rate"),
}
COUNTED = ("_steps", "_begin")
POSITIVE = ("decay_steps", "transition_steps", "decay_rate")
EXAMPLES = {"decay_steps": 1000, "transition_steps": 1000, "end_value": 0.1, "power": 2, "decay_rate": 0.9}


@dataclass(frozen=True)
class Schedule(Written):
    """Shares of the rate over the steps; `KIND[:SETTING=VALUE,…]` (§3).

    Settings are those of optax's schedule of this kind, whose first value is 1, and warmup_steps, over which the share
    rises from 0 to 1 in a line before the schedule begins.

    Attributes:
        kind: constant, cosine, linear, polynomial or exponential.
        settings: Given as a mapping or as pairs, held as pairs.

    >>> shares = Schedule("cosine", {"decay_steps": 4, "warmup_steps": 2}).shares(7)
    >>> [round(float(one), 3) for one in shares]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """

    kind: str = CONSTANT
    settings: tuple[tuple[str, float], ...] = ()

    def __init__(self, kind: str = CONSTANT, settings: Mapping[str, float] | Iterable[tuple[str, float]] = ()) -> None:
        object.__setattr__(self, "kind", kind)
        given = settings.items() if isinstance(settings, Mapping) else settings
        object.__setattr__(self, "settings", tuple(sorted(given)))
        if kind not in KINDS:
            raise ValueError(
                f"schedule must be one of {', '.join(KINDS)}; got {str(self)!r}{nearest(str(kind), KINDS)}"
            )
        known, accepted = dict(self.settings), self._accepted()
        for name, value in known.items():
            if name not in accepted:
                hint = nearest(name, accepted) or f"; it takes {', '.join(accepted)}"
                raise ValueError(f"schedule {str(self)!r} has no setting {name!r}{hint}")
            number = real(name, value)
            if not 0 <= number < math.inf:
                raise ValueError(f"schedule {str(self)!r}: {name} must be finite and not negative; got {number:g}")
            if name.endswith(COUNTED) and number % 1:
                raise ValueError(f"schedule {str(self)!r}: {name} must be a whole number of steps; got {number:g}")
            if name in POSITIVE and number == 0:
                raise ValueError(f"schedule {str(self)!r}: {name} must be positive; got 0")
        if missing := [name for name in NEEDED.get(kind, ()) if name not in known]:
            raise ValueError(f"schedule {str(self)!r} needs {' and '.join(missing)}, as in {self._example()}")

    @property
    def form(self) -> str:
        """The text of a schedule that was made and not read."""
        told = ",".join(f"{key}={json.dumps(value)}" for key, value in self.settings)
        return f"{self.kind}:{told}" if told else str(self.kind)

    @property
    def constant(self) -> bool:
        """Whether there is one rate."""
        return not self.settings and self.kind == CONSTANT

    @property
    def shape(self) -> Shape:
        """From the number of a step to the share of the rate that it takes, for JAX."""
        return _shape(self)

    def shares(self, steps: int) -> NDArray[np.float64]:
        """Of the rate at each of the first steps.

        Args:
            steps: How many.

        Returns:
            The shares, (steps,).
        """
        return np.broadcast_to(np.asarray(jax.vmap(self.shape)(np.arange(steps)), dtype=float), (steps,))

    def factory(self, optimizer: Optimizer) -> Factory:
        """The optax transformation of a rate that goes so (§3).

        Args:
            optimizer: Whose rate it is.

        Returns:
            From a rate to the transformation; the same function for equal schedules and optimizers.

        Raises:
            ValueError: Where the optimizer takes no schedule.
        """
        if self.constant:
            return optimizer.factory
        found = _factory(self, optimizer)
        try:
            jax.eval_shape(lambda start: found(1.0).init(start), np.zeros((1, 1)))
        except (TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"optimizer {str(optimizer)!r} takes no schedule ({reason}); leave it out") from None
        return found

    def _accepted(self) -> list[str]:
        parameters = inspect.signature(KINDS[self.kind]).parameters
        plain = [name for name, one in parameters.items() if one.annotation not in ("bool", bool)]
        return [*(name for name in plain[1:] if name != FIRST), WARM_UP]

    def _example(self) -> str:
        return f"{self.kind}:{','.join(f'{name}={EXAMPLES[name]}' for name in NEEDED[self.kind])}"


def read(given: str | Schedule) -> Schedule:
    """The schedule that a text names, or one as it is; ValueError, in one line, with the nearest valid name.

    >>> read("cosine:decay_steps=900,warmup_steps=100").settings
    (('decay_steps', 900), ('warmup_steps', 100))
    >>> read("cosin")
    Traceback (most recent call last):
    ...
    ValueError: schedule must be one of constant, cosine, linear, polynomial, exponential; got 'cosin'; \
did you mean 'cosine'?
    """
    if isinstance(given, Schedule):
        return given
    text = str(given)
    kind, _, rest = text.partition(":")
    found: dict[str, float] = {}
    for item in rest.split(",") if rest else ():
        name, _, value = item.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            raise ValueError(f"schedule {text!r} has {item!r} in the place of SETTING=NUMBER") from None
    return Schedule.of(text, kind, found)


@cache
def _shape(schedule: Schedule) -> Shape:
    """One function for equal schedules, so that each is compiled once."""
    settings = {name: int(value) if float(value).is_integer() else value for name, value in schedule.settings}
    warm, first = int(settings.pop(WARM_UP, 0)), next(iter(inspect.signature(KINDS[schedule.kind]).parameters))
    shape = KINDS[schedule.kind](**{first: 1.0}, **settings)
    return optax.join_schedules([optax.linear_schedule(0.0, 1.0, warm), shape], [warm]) if warm else shape


@cache
def _factory(schedule: Schedule, optimizer: Optimizer) -> Factory:
    return partial(_scheduled, schedule.shape, optimizer.factory)


def _scheduled(shape: Shape, factory: Factory, rate: Any) -> optax.GradientTransformation:
    return factory(lambda count: rate * shape(count))
