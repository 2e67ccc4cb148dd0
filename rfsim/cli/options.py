"""What the flags of a problem ask for; whatever loads JAX waits inside the functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rfsim.checking.notes import recorded
from rfsim.checking.text import shown
from rfsim.quantities.catalog import Quantity
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import (
    ACTIVATION,
    ALLOW_IMPORT,
    CENTER,
    CONDITION,
    DATA,
    DIM,
    HELD_OUT,
    LABELS,
    PREPARED,
    SPLIT,
    N,
)

if TYPE_CHECKING:
    from rfsim.problem.arrays import Rows
    from rfsim.problem.model import Problem
    from rfsim.problem.origins import Sizes


class Options(NamedTuple):
    """What the flags ask for: the problem, its sizes where it is drawn, the keyword arguments of the public
    function beside it, and what there is to say about how the flags were read."""

    problem: Problem
    sizes: Sizes | None
    arguments: dict[str, Any]
    notes: list[str]


def ask(quantity: Quantity, values: Mapping[str, Any]) -> Options:
    """Turn values of a quantity's parameters, by name, into a problem and the options of its function.

    An array is read once, here. ValueError or MemoryError where they do not fit.
    """
    for one in quantity.flagged.values():
        if one.unused and values[one.name] != one.given:
            value = f"{values[one.name]:g}" if one.hint is float else values[one.name]
            raise ValueError(f"{quantity.typed} takes its {one.name}s from {one.unused}; got {one.typed} {value}")
    with recorded() as heard:
        found = _ask_sample(quantity, values) if DIM.name in quantity.flagged else _ask_limit(quantity, values)
    return found._replace(notes=[*found.notes, *heard])


def _ask_sample(quantity: Quantity, values: Mapping[str, Any]) -> Options:
    from rfsim.problem import origins

    array = _array(quantity, values)
    values = _with_rows(values, array)
    columns = (values["dim"] or origins.DIM) if array is None else array.values.shape[1]
    dim = columns if values["dim"] is None else values["dim"]  # one that differs from an array's is refused below
    problem = _problem(quantity, values, array, columns)
    known = CONDITION.name in quantity.flagged
    origin = origins.source(problem, array=array, conditions=known, **_prepared(values))
    sizes = origins.resolve(problem, origin, dim)
    notes = [
        f"{name}: {ratio:g} x {sizes.dim} rounds to {count}"
        for name, ratio, count in (
            ("samples", problem.samples_per_dim, sizes.samples),
            ("features", problem.features_per_dim, sizes.features),
        )
        if abs(ratio * sizes.dim - count) > 1e-9 * count
    ]
    notes += _sizes(quantity, values, array, half=True) + _unused(values, array) + _found(problem)
    return Options(problem, sizes, _options(quantity, values, array) | {"dim": dim}, notes)


def _ask_limit(quantity: Quantity, values: Mapping[str, Any]) -> Options:
    """For the limit, which has no dim: counts of samples and features are refused unless data give one."""
    array = _array(quantity, values)
    if array is None and any(values[one.name] is not None for one in _counts(quantity)):
        raise ValueError(
            "--samples and --features are counts of a dimension, which the limit has none of; give --samples-per-dim "
            "and --features-per-dim, or data of a file"
        )
    problem = _problem(quantity, values, array, 1 if array is None else array.values.shape[1])
    notes = _sizes(quantity, values, array, half=False) + _unused(values, array) + _found(problem)
    return Options(problem, None, _options(quantity, values, array), notes)


def _sizes(quantity: Quantity, values: Mapping[str, Any], array: Rows | None, *, half: bool) -> list[str]:
    """Of an array, the counts that were not asked for: which they are, why, of how many rows, and how others are.

    half: whether n of the rows are trained on, of the half that is not held out; the limit takes Σ from all of them.
    """
    if array is None:
        return []
    rows, columns = array.values.shape
    told = []
    for one in _counts(quantity):
        ratio = quantity.flagged[one.instead_of]
        if values[one.name] is not None or values[ratio.name] is not None:
            continue
        if one.of_rows:
            told.append(f"{one.symbol} is {rows}, all rows of {array}; choose with {one.typed}")
            continue
        count = round(ratio.default * columns)
        chosen = f"{one.symbol} is {count}, the default {ratio.symbol} = {ratio.default:g} times {columns} dimensions"
        if one is not N:
            told.append(f"{chosen}; choose with {one.typed}")
        elif half:
            told.append(
                f"{chosen}; {array} has {rows} rows, half of them held out: choose with {N.typed}, up to {rows // 2}"
            )
        else:
            told.append(
                f"{chosen}, whatever the {rows} rows, which give Σ: choose with {N.typed}, such as {N.typed} {rows}"
            )
    return told


def _counts(quantity: Quantity) -> list[Parameter]:
    """Other forms of ratios that have them."""
    return [one for one in quantity.flagged.values() if one.instead_of]


def _prepared(values: Mapping[str, Any]) -> dict[str, Any]:
    """How an array is prepared and split."""
    return {one.name: values[one.name] for one in (*PREPARED, SPLIT, HELD_OUT, CONDITION, LABELS) if one.name in values}


def _with_rows(values: Mapping[str, Any], array: Rows | None) -> dict[str, Any]:
    """With what --held-out, --condition and --labels bring for the rows in the place of their files' names."""
    from rfsim.problem import populations

    found = dict(values)
    read = {HELD_OUT: populations.held_out, CONDITION: populations.inputs, LABELS: populations.labels}
    for one, how in read.items():
        given = _value(values, one)
        if array is not None and given is not None:  # of a population it is refused below
            found[one.name] = how(given, array)
    return found


def _options(quantity: Quantity, values: Mapping[str, Any], array: Rows | None) -> dict[str, Any]:
    """What the function takes beside the problem."""
    options = {name: values[name] for name, one in quantity.flagged.items() if one.role == "option"}
    options |= {name: kept for name, kept in quantity.kept.items() if values[name] == quantity.defaults[name]}
    return options | ({"array": array} if CENTER.name in options else {})


def _array(quantity: Quantity, values: Mapping[str, Any]) -> Rows | None:
    from rfsim.problem import populations

    for one in _counts(quantity):
        ratio = quantity.flagged[one.instead_of]
        if values[ratio.name] is not None and values[one.name] is not None:
            raise ValueError(f"{ratio.typed} and {one.typed} are two forms of one quantity; give one of them")
    return populations.read(_value(values, DATA)).rows()


def _problem(quantity: Quantity, values: Mapping[str, Any], array: Rows | None, columns: int) -> Problem:
    from rfsim.problem import model

    _import(values)
    fields = {name: values[name] for name, one in quantity.flagged.items() if one.role == "problem"}
    counted = {one.instead_of: values[one.name] for one in _counts(quantity)}
    for one in _counts(quantity):
        if array is not None and one.of_rows and values[one.name] is None and values[one.instead_of] is None:
            counted[one.instead_of] = len(array.values)
    fields |= {name: count / columns for name, count in counted.items() if count is not None}
    return model.Problem(**{name: value for name, value in fields.items() if value is not None})


def _import(values: Mapping[str, Any]) -> None:
    """Import the activation where it is an address, of this folder too; ValueError without --allow-import."""
    from rfsim.problem import activations

    wanted = _value(values, ACTIVATION)
    if not activations.runs_code(wanted):
        return
    if not _value(values, ALLOW_IMPORT):
        raise ValueError(
            f"--activation {shown(wanted)} imports a module, and so runs its code; add --allow-import to allow it, or "
            "give an activation by name"
        )
    activations.activation(wanted, Path.cwd())


def _value(values: Mapping[str, Any], parameter: Parameter) -> Any:
    """Of a parameter that a quantity need not take."""
    return values.get(parameter.name, parameter.default)


def _found(problem: Problem) -> list[str]:
    """What was found of an imported activation by trying it."""
    from rfsim.problem import activations

    sigma = problem.activation
    if not activations.runs_code(sigma.name):
        return []
    centered = "odd" if sigma.odd else "less its mean at each Γ" if sigma.self_centering else "centered as it is"
    kinks = f"kinks at {', '.join(f'{kink:g}' for kink in sigma.kinks)}" if sigma.kinks else "no kinks"
    return [f"activation {sigma}: {centered}, {kinks}"]


def _unused(values: Mapping[str, Any], array: Rows | None) -> list[str]:
    if array is None and any(_value(values, one) != one.default for one in (*PREPARED, SPLIT)):
        return [f"--no-center, --scale and --split concern arrays: {_value(values, DATA)} is used as it is"]
    return []
