"""What an activation is called among settings: `module:attribute`, where it can be imported again, else NAME@DIGEST.

The digest is of what is computed, the program that JAX makes of σ and what σ declares: two functions of one name are
told apart, in one process and between two. What has no address is kept here, by its digest, as long as the process.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from rfsim.computing.precision import float64
from rfsim.disk import content
from rfsim.problem.activations import hermite
from rfsim.problem.activations.base import Activation
from rfsim.problem.activations.custom import attribute

KEPT: dict[str, Activation] = {}
SIGN = "@"
SCRIPTS = ("__main__", "__mp_main__")  # each process has its own


def runs_code(name: str) -> bool:
    """Whether to find an activation of a name is to import a module.

    Args:
        name: Of the activation.

    Returns:
        Whether it is `module:attribute`, and not `hermite:…`.
    """
    return ":" in name and not hermite.written(name)


def is_local(name: str) -> bool:
    """Whether only the process that made an activation of a name has it.

    Args:
        name: Of the activation.

    Returns:
        Whether it is.
    """
    return name.partition(":")[0] in SCRIPTS if runs_code(name) else SIGN in name


def short(name: str) -> str:
    """A name for titles: that of the function, without its module or digest."""
    if hermite.written(name):
        return hermite.briefly(name)
    return name.partition(SIGN)[0].rpartition(":")[2]


def keep(sigma: Activation, title: str) -> str:
    """Keep σ in this process; its name, TITLE@DIGEST."""
    title = re.sub(r"\W+", "_", title.rpartition(".")[2]).strip("_") or "function"
    name = f"{title}{SIGN}{digest(sigma)}"
    # the first of equal ones: compiled programs belong to it
    KEPT.setdefault(name, sigma._replace(name=name))
    return name


def kept(name: str) -> Activation:
    """The activation kept under a name, or ValueError."""
    if name not in KEPT:
        raise ValueError(
            f"activation {name!r} was a function of another process, which is gone with it; define it again, or in a "
            "module, and give 'module:attribute'"
        )
    return KEPT[name]


def title(function: Callable) -> str:
    """What people call a callable: of a partial one what it is of, of an object its type."""
    while isinstance(function, functools.partial):
        function = function.func
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def address(function: Callable) -> str | None:
    """`module:attribute` under which a callable is found in any process; None where there is none.

    By the shortest public module that has it.
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)) or "<" in name or module in SCRIPTS:
        return None
    if any(part.startswith("_") for part in module.split(".")) and (public := _public(function, module, name)):
        module = public
    found = f"{module}:{name}"
    try:
        return found if attribute(found) is function else None
    except ValueError:
        return None


def _public(function: Callable, module: str, name: str) -> str | None:
    """The shortest public module beside a private one, jax.nn for jax._src.nn.functions."""
    top = module.partition(".")[0]
    modules = [one for one in sys.modules if one.split(".")[0] == top and "._" not in f".{one}"]
    having: list[str] = [one for one in modules if vars(sys.modules[one]).get(name) is function]
    return min(having, key=lambda one: (len(one), one), default=None)


@functools.lru_cache(maxsize=256)
def digest(sigma: Activation) -> str:
    """Of the program that JAX makes of σ on a CPU, and of what σ declares; 16 hexadecimal digits."""
    with float64():
        traced = jax.jit(sigma.function).trace(jnp.zeros((2, 2)))
        program = traced.lower(lowering_platforms=("cpu",)).as_text()
    # its first line has the function's name, which is not what it computes
    declared: list[Any] = [sigma.odd, sigma.self_centering, list(sigma.kinks), sigma.degrees and list(sigma.degrees)]
    return content.of_text(f"{program.partition(chr(10))[2]}\n{declared}")[:16]
