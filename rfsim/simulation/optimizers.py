"""optax's optimizers by name, and the settings that every stochastic training shares.

optax is loaded where an optimizer is asked for: these settings stand in the plan of every distillation, whose figures
need none of it.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from rfsim.checking.scalars import whole
from rfsim.checking.text import nearest
from rfsim.checking.written import Parsed, Written

if TYPE_CHECKING:
    import optax

Factory: TypeAlias = "Callable[[Any], optax.GradientTransformation]"
Value: TypeAlias = float | bool | None

PLAIN = "sgd"
OTHERS = ("lbfgs", "noisy_sgd", "optimistic_adam")  # needs the loss as a function; a key of its own; is deprecated
RATES = ("rate", "lr", "learning_rate")
BESIDE = "the rate is given beside it, as rate (--rate)"


@dataclass(frozen=True)
class Optimizer(Written):
    """An optax optimizer; `NAME[:SETTING=VALUE,…]`, values in JSON's words (§3).

    Attributes:
        name: Of the optimizer.
        settings: Those beside the rate, given as a mapping or as pairs, held as pairs.

    >>> str(Optimizer("sgd", {"momentum": 0.9, "nesterov": True}))
    'sgd:momentum=0.9,nesterov=true'
    """

    name: str = PLAIN
    settings: tuple[tuple[str, Value], ...] = ()

    def __init__(self, name: str = PLAIN, settings: Mapping[str, Value] | Iterable[tuple[str, Value]] = ()) -> None:
        object.__setattr__(self, "name", name)
        given = settings.items() if isinstance(settings, Mapping) else settings
        object.__setattr__(self, "settings", tuple(sorted(given)))
        if name not in (known := _known()):
            hint = nearest(str(name), known)
            raise ValueError(
                f"optimizer must be the name of an optax optimizer, such as sgd or adam; got {str(self)!r}{hint}"
            )
        self._check(known[name])

    @property
    def form(self) -> str:
        told = ",".join(f"{key}={json.dumps(value)}" for key, value in self.settings)
        return f"{self.name}:{told}" if told else str(self.name)

    @property
    def factory(self) -> Factory:
        """The optax transformation of a rate; the same one for equal optimizers, so that each is compiled once."""
        return _factory(self)

    def _check(self, factory: Factory) -> None:
        """ValueError for settings that the optimizer does not take."""
        rate, *accepted = inspect.signature(factory).parameters
        for key, value in self.settings:
            item = f"{key}={json.dumps(value)}"
            if key in (rate, *RATES):
                raise ValueError(f"optimizer {str(self)!r} has {item!r}; {BESIDE}")
            if key not in accepted:
                raise ValueError(
                    f"optimizer {str(self)!r} has {item!r} in the place of SETTING=VALUE{_hint(key, accepted)}"
                )
        if not self.settings:
            return
        try:
            jax.eval_shape(partial(_step, partial(factory, **dict(self.settings))), jnp.zeros((1, 1)))
        except (AttributeError, TypeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise ValueError(f"optimizer {str(self)!r} has a setting of the wrong kind ({reason})") from None


def read(given: str | Optimizer) -> Optimizer:
    """The optimizer that a text names, or one as it is; ValueError, in one line, with the nearest valid name.

    >>> read("sgd:momentum=0.9,nesterov=true").settings
    (('momentum', 0.9), ('nesterov', True))
    >>> read("adamm")
    Traceback (most recent call last):
    ...
    ValueError: optimizer must be the name of an optax optimizer, such as sgd or adam; got 'adamm'; did you mean 'adam'?
    """
    if isinstance(given, Optimizer):
        return given
    text = str(given)
    name, _, rest = text.partition(":")
    factory = _known().get(name)
    return Optimizer.of(text, name, _settings(text, factory, rest) if factory and rest else {})


@dataclass(frozen=True)
class Stochastic:
    """How weights are trained stochastically (§3).

    Attributes:
        optimizer: An `Optimizer`, or its text.
        rate: η.
        batch: Draws per step; None for every draw once.
        decay: Of the moving average per step: 0 for the weights as they are, 1 for those of the start.
    """

    optimizer: Parsed[str | Optimizer, Optimizer] = Parsed(read, PLAIN)
    rate: float = 1.0
    batch: int | None = 64
    decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be positive and finite; got {self.rate:g}")
        if self.batch is not None:
            object.__setattr__(self, "batch", whole("batch", self.batch, 1))
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay must lie between 0 and 1; got {self.decay:g}")

    @property
    def plain(self) -> bool:
        """Whether a step is A − η∇L: a filter describes its mean then."""
        return self.optimizer == Optimizer()


def names() -> list[str]:
    """The optimizers there are."""
    return sorted(_known())


def _step(optimizer: Factory, weights: Array) -> Any:
    """What a step of the loop asks of an optimizer."""
    import optax

    one = optax.with_extra_args_support(optimizer(1.0))
    updates, _ = one.update(weights, one.init(weights), weights, value=weights.sum(), grad=weights)
    return optax.apply_updates(weights, updates)


@cache
def _known() -> dict[str, Factory]:
    """Factories of optax whose first parameter is the rate, but for OTHERS."""
    import optax

    found = {}
    for name, factory in inspect.getmembers(optax, lambda one: inspect.isfunction(one) or isinstance(one, partial)):
        first = next(iter(inspect.signature(factory).parameters), "")
        if first.endswith("learning_rate") and name not in OTHERS and not name.startswith(("_", "scale_by")):
            found[name] = factory
    return found


@cache
def _factory(optimizer: Optimizer) -> Factory:
    known = _known()[optimizer.name]
    return partial(known, **dict(optimizer.settings)) if optimizer.settings else known


def _settings(text: str, factory: Factory, rest: str) -> dict[str, Value]:
    """KEY=VALUE,… as keyword arguments of `factory`: numbers, true, false or null."""
    rate, *accepted = inspect.signature(factory).parameters
    found = {}
    for item in rest.split(","):
        key, equals, value = item.partition("=")
        if key in (rate, *RATES):
            raise ValueError(f"optimizer {text!r} has {item!r}; {BESIDE}")
        if not equals or key not in accepted:
            raise ValueError(f"optimizer {text!r} has {item!r} in the place of SETTING=VALUE{_hint(key, accepted)}")
        try:
            found[key] = json.loads(value)
        except ValueError:
            raise ValueError(f"optimizer {text!r} has {item!r}; a setting is a number, true, false or null") from None
    return found


def _hint(key: str, accepted: Sequence[str]) -> str:
    return nearest(key, accepted) or f"; it takes {', '.join(accepted)}"
