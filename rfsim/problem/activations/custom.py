"""Callables as activations: imported by `module:attribute`, and checked before anything is computed with them."""

from __future__ import annotations

import functools
import importlib
import operator
import sys
from collections.abc import Hashable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rfsim.computing.precision import float64
from rfsim.problem.activations.base import Activation
from rfsim.problem.activations.probing import probe

WIDE = 40.0  # callables are tried from −WIDE to WIDE


def attribute(spec: str, beside: Path | None = None) -> Any:
    """The object at `module:attribute`, imported; ValueError, in one line, where there is none or it is no callable.

    A module is looked for where Python looks, and then in the folder `beside`.
    """
    module, _, path = spec.partition(":")
    try:
        found = importlib.import_module(module) if beside is None else _module(module, beside.resolve())
        for name in path.split("."):
            found = getattr(found, name)
    except (Exception, SystemExit) as error:  # whatever a module does while it is imported
        raise ValueError(f"activation {spec!r} cannot be imported ({_line(error)}); give 'module:attribute'") from None
    if not (isinstance(found, Activation) or callable(found)):
        raise ValueError(f"activation {spec!r} is a {type(found).__name__}; a callable or an Activation is needed")
    return found


def _module(name: str, beside: Path) -> ModuleType:
    """The module, of Python's own path or of one more folder; ImportError where its name is that of another one."""
    top = name.partition(".")[0]
    there, loaded = PathFinder.find_spec(top, [str(beside)]), sys.modules.get(top)
    if there and loaded and PathFinder.find_spec(top) is None and getattr(loaded, "__file__", None) != there.origin:
        raise ImportError(f"a module {top} of another folder is in use here; give that of {beside} another name")
    importlib.invalidate_caches()  # it may have been written since the folder was read
    sys.path.append(str(beside))  # behind all others: it takes no module's place
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(beside))


def plain(name: str, function: Any) -> Activation:
    """A callable that declares nothing: checked, and what it is found by trying it.

    Its mean is subtracted, unless it is odd; ValueError as `checked` raises it.
    """
    checked(Activation(name, function))
    return _probed(name, function)


@functools.lru_cache(maxsize=64)
def _probed(name: str, function: Any) -> Activation:
    found = probe(function)
    return Activation(name, function, odd=found.odd, self_centering=not found.odd, kinks=found.kinks)


def checked(sigma: Activation) -> Activation:
    """σ, if it is a pointwise real function that JAX compiles and is what it declares; ValueError otherwise."""
    name = f"activation {sigma.name!r}"
    if not isinstance(sigma.function, Hashable) or not callable(sigma.function):
        raise ValueError(f"{name} must be a hashable callable, such as a function; got {sigma.function!r}")
    try:
        kinks = tuple(map(float, sigma.kinks))
        degrees = None if sigma.degrees is None else tuple(map(operator.index, sigma.degrees))
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}: kinks must be a tuple of numbers and degrees one of whole numbers; got {sigma.kinks!r} and "
            f"{sigma.degrees!r}"
        ) from None
    if not np.all(np.isfinite(kinks)) or np.any(np.diff(kinks) <= 0):
        raise ValueError(f"{name}: kinks must be finite and increase; got {sigma.kinks}")
    return _checked(sigma._replace(kinks=kinks, degrees=degrees))


@functools.lru_cache(maxsize=64)
def _checked(sigma: Activation) -> Activation:
    name = f"activation {sigma.name!r}"
    # as many rows as columns: an average over either axis keeps the shape
    points = np.sort(np.concatenate([np.linspace(-WIDE, WIDE, 113), np.linspace(-2, 2, 31)])).reshape(12, 12)
    values, turned = _values(sigma, points), _values(sigma, points[::-1, ::-1])[::-1, ::-1]
    if not np.all(np.isfinite(values)):
        where = points[~np.isfinite(values)]
        raise ValueError(f"{name} is NaN or infinite at {where[0]:.4g}; it must be finite from {-WIDE:g} to {WIDE:g}")
    scale = np.abs(values).max()
    if np.abs(values - turned).max() > 1e-12 * scale or not _alike(sigma, points[3:4, 5:6], values[3, 5], scale):
        raise ValueError(f"{name} must act on each number by itself; its values depend on the other numbers given")
    if np.ptp(values) == 0:
        raise ValueError(f"{name} is the constant {values[0, 0]:g}: it has no features to learn from")
    if sigma.odd and np.abs(values + _values(sigma, -points)).max() > 1e-12 * scale:
        raise ValueError(f"{name} is declared odd and is not: σ(−x) = −σ(x) fails")
    if sigma.degrees is not None:
        _check_degrees(sigma, name)
    return sigma


def _values(sigma: Activation, points: np.ndarray) -> np.ndarray:
    """σ's values as compiled code gives them, or ValueError for what cannot be compiled or has the wrong form."""
    with float64():
        try:
            values = jax.jit(sigma.function)(jnp.asarray(points))
        except Exception as error:  # whatever a callable of the user's raises
            raise ValueError(
                f"activation {sigma.name!r} cannot be compiled ({_line(error)}); write it with jax.numpy"
            ) from None
    shape, dtype = getattr(values, "shape", None), getattr(values, "dtype", type(values).__name__)
    if shape != points.shape or dtype != np.float64:
        raise ValueError(
            f"activation {sigma.name!r} must map float64 {points.shape} to float64 {points.shape}; it returns {dtype} "
            f"{shape}"
        )
    return np.asarray(values)


def _alike(sigma: Activation, point: np.ndarray, value: float, scale: float) -> bool:
    return abs(float(_values(sigma, point)[0, 0]) - value) <= 1e-12 * scale


def _check_degrees(sigma: Activation, name: str) -> None:
    degrees = np.asarray(sigma.degrees)
    if degrees.size == 0 or degrees.min() < 0 or degrees.max() > 40 or np.any(np.diff(degrees) <= 0):
        raise ValueError(f"{name}: degrees must be whole numbers from 0 to 40 that increase; got {sigma.degrees}")
    points = np.linspace(-1, 1, 101)[:, None]
    table = points**degrees
    values = _values(sigma, 8 * points)  # far enough out for what only looks like a polynomial near 0
    rest = values - table @ np.linalg.lstsq(table, values)[0]
    if np.abs(rest).max() > 1e-10 * np.abs(values).max():
        raise ValueError(f"{name} is declared a polynomial of degrees {sigma.degrees} and is not one")


def _line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:120]}" if text else type(error).__name__
