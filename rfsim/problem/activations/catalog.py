"""The activations by name, and any callable by where it is, `module:attribute`, or by what it computes."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax.nn
import jax.numpy as jnp
import jax.scipy.special
from jax import Array

from rfsim.checking.text import nearest
from rfsim.problem.activations import closed, hermite, naming
from rfsim.problem.activations.base import Activation, Closed
from rfsim.problem.activations.custom import attribute, checked, plain


def identity(x: Array) -> Array:
    """σ(x) = x."""
    return x


def rectified(x: Array) -> Array:
    """σ(x) = max(x, 0)."""
    return jnp.maximum(x, 0.0)


def third_hermite(x: Array) -> Array:
    """σ = He_3/√6."""
    return (x**3 - 3 * x) / math.sqrt(6)


ACTIVATIONS = {
    sigma.name: sigma
    for sigma in (
        Activation("tanh", jnp.tanh, odd=True),
        Activation("erf", jax.scipy.special.erf, odd=True),
        Activation(
            "relu",
            rectified,
            self_centering=True,
            kinks=(0.0,),
            closed=Closed(closed.relu_mean, closed.relu_constants, closed.relu_orders),
        ),
        Activation("softplus", jax.nn.softplus, self_centering=True),
        Activation("gelu", partial(jax.nn.gelu, approximate=False), self_centering=True),  # x Φ(x)
        Activation("silu", jax.nn.silu, self_centering=True),
        Activation("sine", jnp.sin, odd=True, closed=Closed(closed.no_mean, closed.sine_constants)),
        Activation(
            "hermite3",
            third_hermite,
            odd=True,
            degrees=(1, 3),
            closed=Closed(closed.no_mean, closed.hermite3_constants),
        ),
        Activation("linear", identity, odd=True, degrees=(1,), closed=Closed(closed.no_mean, closed.linear_constants)),
    )
}

READ: dict[str, Activation] = {}  # by name, what it was when it was last read


def activation(name: str, beside: Path | None = None) -> Activation:
    """The activation of a name, of an address, or one that this process keeps (§2).

    Args:
        name: A name of ACTIVATIONS; `hermite:S=C,…` (`Hermite`); `module:attribute` of a callable or Activation, which
            is imported and checked; or NAME@DIGEST (`specification`).
        beside: A folder where modules are looked for too.

    Returns:
        The activation, not yet centered.

    Raises:
        ValueError: In one line, with the nearest valid name or with what is wrong with the callable.

    >>> activation("tanh").name
    'tanh'
    >>> activation("jax.nn:relu")._replace(function=None)
    Activation(name='jax.nn:relu', function=None, odd=False, self_centering=True, kinks=(0.0,), degrees=None, \
closed=None, offset=0.0)
    """
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    if isinstance(name, str) and hermite.written(name):
        return hermite.from_text(name)
    if isinstance(name, str) and naming.runs_code(name):
        found = attribute(name, beside)
        return _declared(found)._replace(name=name) if isinstance(found, Activation) else plain(name, found)
    if isinstance(name, str) and naming.SIGN in name:
        return naming.kept(name)
    hint = nearest(str(name), ACTIVATIONS)
    raise ValueError(f"unknown activation {name!r}; choose one of {', '.join(ACTIVATIONS)}{hint}")


def specification(function: Callable | Activation) -> str:
    """The text that stands for a callable among the settings (§2).

    Args:
        function: The callable, or an Activation.

    Returns:
        The name of one that is built in or of Hermite coefficients, `module:attribute` where it can be imported again,
        and else NAME@DIGEST, under which this process keeps it.

    Raises:
        ValueError: In one line, where it is no activation.

    >>> specification(jnp.tanh), specification(jax.nn.gelu), specification(lambda x: 2 * x)[:7]
    ('tanh', 'jax.nn:gelu', 'lambda@')
    """
    if isinstance(function, Activation):
        if ACTIVATIONS.get(function.name) == function:
            return function.name
        if hermite.written(function.name) and hermite.from_text(function.name) == function:
            return function.name
        return naming.keep(_declared(function), function.name)
    for name, sigma in ACTIVATIONS.items():
        if sigma.function is function:
            return name
    title = naming.title(function)
    return naming.address(function) or naming.keep(plain(title, function), title)


def read(given: str | Callable | Activation) -> Activation:
    """The activation of a name, an address or a callable, under the name that settings tell it by (§2).

    Args:
        given: Name, address, callable or Activation.

    Returns:
        The activation; one that was read before is the same again.

    Raises:
        ValueError: In one line, where it is no activation.

    >>> read("tanh") is read(jnp.tanh), str(read(jax.nn.gelu))
    (True, 'jax.nn:gelu')
    """
    if isinstance(given, Activation) and READ.get(given.name) == given:
        return given
    found = activation(specification(given) if isinstance(given, Activation) or callable(given) else given)
    READ[found.name] = found
    return found


def fingerprint(sigma: Activation) -> str | None:
    """A digest of what an imported activation computes.

    Args:
        sigma: The activation.

    Returns:
        The digest; None for a name that says it by itself.
    """
    return naming.digest(sigma) if naming.runs_code(sigma.name) else None


def _declared(sigma: Activation) -> Activation:
    """An Activation of others', checked; closed forms are held by tests here, and nothing holds those of others."""
    return checked(sigma._replace(offset=0.0, closed=None))
