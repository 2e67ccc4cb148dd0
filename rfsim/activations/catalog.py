"""The activations by name, and any callable by where it is: `module:attribute`."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax.nn
import jax.numpy as jnp
import jax.scipy.special
from jax import Array

from rfsim.activations import closed
from rfsim.activations.base import Activation, Closed
from rfsim.activations.custom import attribute, checked
from rfsim.words import nearest


def identity(x: Array) -> Array:
    return x


def rectified(x: Array) -> Array:
    return jnp.maximum(x, 0.0)


def third_hermite(x: Array) -> Array:
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


def activation(name: str) -> Activation:
    """The activation of that name, or the callable or Activation at `module:attribute`, imported and checked.

    Raises ValueError, in one line, with the nearest valid name or with what is wrong with the callable.

    >>> activation("tanh").name
    'tanh'
    >>> activation("jax.nn:silu")._replace(function=None)
    Activation(name='jax.nn:silu', function=None, odd=False, self_centering=False, kinks=(), degrees=None, \
closed=None, offset=0.0)
    """
    if isinstance(name, str) and name in ACTIVATIONS:
        return ACTIVATIONS[name]
    if isinstance(name, str) and ":" in name:
        found = attribute(name)
        sigma = found if isinstance(found, Activation) else Activation(name, found)
        # closed forms are held by tests here, and nothing holds those of others
        return checked(sigma._replace(name=name, offset=0.0, closed=None))
    hint = nearest(str(name), ACTIVATIONS)
    raise ValueError(f"unknown activation {name!r}; choose one of {', '.join(ACTIVATIONS)}{hint}")


def specification(function: Callable | Activation) -> str:
    """The string that stands for a callable among the settings: `module:attribute`, or an activation's own name.

    Raises ValueError where the callable cannot be found again under that string.
    """
    if isinstance(function, Activation):
        if ACTIVATIONS.get(function.name) == function:
            return function.name
        raise ValueError(
            f"activation: give an Activation by where it is kept, 'module:attribute'; got the object {function.name!r}"
        )
    spec = f"{getattr(function, '__module__', None)}:{getattr(function, '__qualname__', None)}"
    try:
        same = attribute(spec) is function
    except ValueError:
        same = False
    if not same:
        raise ValueError(
            f"activation: {function!r} is not found again as {spec!r}, which is how results record it; define it with "
            "`def` at the top of a module"
        )
    return spec
