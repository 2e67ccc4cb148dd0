"""optax's optimizers by name, and the settings that every stochastic training shares."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax import Array

from rfsim.scalars import whole
from rfsim.words import nearest

Optimizer: TypeAlias = Callable[[Any], optax.GradientTransformation]

PLAIN = "sgd"
OTHERS = ("lbfgs", "noisy_sgd", "optimistic_adam")  # needs the loss as a function; a key of its own; is deprecated


@dataclass(frozen=True)
class Stochastic:
    """How weights are trained: optimizer, a text of `optimizer`; its rate η; batch, draws per step, or None for every
    draw once; decay of the moving average, 0 for the weights as they are, 1 for those of the start.
    """

    optimizer: str = PLAIN
    rate: float = 1.0
    batch: int | None = 64
    decay: float = 0.0

    def __post_init__(self) -> None:
        optimizer(self.optimizer)
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be positive and finite; got {self.rate:g}")
        if self.batch is not None:
            object.__setattr__(self, "batch", whole("batch", self.batch, 1))
        if not 0 <= self.decay <= 1:
            raise ValueError(f"decay must lie between 0 and 1; got {self.decay:g}")

    @property
    def plain(self) -> bool:
        """Whether a step is A − η∇L: a filter describes its mean then."""
        return self.optimizer == PLAIN


@cache  # one function per text, so that each is compiled once
def optimizer(text: str) -> Optimizer:
    """The optax optimizer of that name as rate ↦ transformation; settings beside the rate may follow, in JSON's words.

    >>> slots = optimizer("sgd:momentum=0.9,nesterov=true")(0.1).init(1.0)
    >>> optimizer("adamm")
    Traceback (most recent call last):
    ...
    ValueError: optimizer must be the name of an optax optimizer, such as sgd or adam; got 'adamm'; did you mean 'adam'?
    """
    name, _, rest = str(text).partition(":")
    if name not in (known := _known()):
        hint = nearest(name, known)
        raise ValueError(f"optimizer must be the name of an optax optimizer, such as sgd or adam; got {text!r}{hint}")
    factory = known[name]
    if not rest:
        return factory
    found = partial(factory, **_settings(str(text), factory, rest))
    try:
        jax.eval_shape(partial(_step, found), jnp.zeros((1, 1)))
    except (AttributeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"optimizer {text!r} has a setting of the wrong kind ({reason})") from None
    return found


def names() -> list[str]:
    """The optimizers there are."""
    return sorted(_known())


def _step(optimizer: Optimizer, weights: Array) -> Any:
    """What a step of the loop asks of an optimizer."""
    one = optax.with_extra_args_support(optimizer(1.0))
    updates, _ = one.update(weights, one.init(weights), weights, value=weights.sum(), grad=weights)
    return optax.apply_updates(weights, updates)


@cache
def _known() -> dict[str, Optimizer]:
    """optax's factories whose first parameter is the rate, but for OTHERS."""
    found = {}
    for name, factory in inspect.getmembers(optax, lambda one: inspect.isfunction(one) or isinstance(one, partial)):
        first = next(iter(inspect.signature(factory).parameters), "")
        if first.endswith("learning_rate") and name not in OTHERS and not name.startswith(("_", "scale_by")):
            found[name] = factory
    return found


def _settings(text: str, factory: Optimizer, rest: str) -> dict[str, Any]:
    """KEY=VALUE,… as keyword arguments of `factory`: numbers, true, false or null."""
    rate, *accepted = inspect.signature(factory).parameters
    found = {}
    for item in rest.split(","):
        key, equals, value = item.partition("=")
        if key in (rate, "rate", "lr", "learning_rate"):
            raise ValueError(f"optimizer {text!r} has {item!r}; the rate is given beside it, as rate (--rate)")
        if not equals or key not in accepted:
            hint = nearest(key, accepted) or f"; it takes {', '.join(accepted)}"
            raise ValueError(f"optimizer {text!r} has {item!r} in the place of SETTING=VALUE{hint}")
        try:
            found[key] = json.loads(value)
        except ValueError:
            raise ValueError(f"optimizer {text!r} has {item!r}; a setting is a number, true, false or null") from None
    return found
