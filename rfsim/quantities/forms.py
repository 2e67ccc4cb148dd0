"""What a stored result holds: its variables over their dimensions, and what results of several quantities share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Variables = dict[str, tuple[str, ...]]  # variable → its dimensions, in order


@dataclass(frozen=True, kw_only=True)
class Form:
    """The variables of a result over their dimensions.

    Attributes:
        variables: The dimensions of each.
        optional: Those that only some of the kind have, by the settings, the route or the data.
        json: Attributes that hold JSON, beside those of every result.
    """

    variables: Variables
    optional: frozenset[str] = frozenset()
    json: Mapping[str, type] = field(default_factory=dict)


def variables(*own: str, **names: str) -> Variables:
    """Variables by the dimensions that they stand over.

    Args:
        *own: Dimensions with values of their own.
        **names: By dimensions, joined by two underscores ("one" for none): the variables over them.

    Returns:
        The dimensions of each variable.

    >>> variables("seed", seed__step="train test", one="rate")
    {'seed': ('seed',), 'train': ('seed', 'step'), 'test': ('seed', 'step'), 'rate': ()}
    """
    found = {
        name: tuple(dim for dim in dims.split("__") if dim != "one")
        for dims, row in names.items()
        for name in row.split()
    }
    return {name: (name,) for name in own} | found


CONSTANTS = variables(one="a b v2 s2")
LOSSES = "train train_penalized test emp score gen"
RIDGE_LOSSES = "train train_penalized test emp score bias2 variance residual"
ROUTES = variables("gen_route", "mem_route")
LEARNED = frozenset(
    {"train_time", "gen_route", "mem_route", "class"}
)  # dimensions of what depends on how weights are trained
CLASSES = variables("class", **{"class": "class_share class_variance"})
CLASS_LOSSES = "train_class test_class gen_class"
CLASS_TIMES = "tau_gen_class tau_mem_class"
KEPT = variables(seed="offset", seed__neuron__component="weights")  # of read-outs that are kept
PLANE = "samples_per_dim", "features_per_dim"
SPECTRUM = (
    CONSTANTS
    | variables("seed", "part", seed__feature="eigenvalue", feature="feature_part", part="count mass")
    | variables(seed__part="lower upper gap_below merged", seed="residual")
)
LIMIT = (
    CONSTANTS
    | variables("part", "eigenvalue", eigenvalue="density density_residual", part="mass mean lower upper gap_below")
    | variables(interval="interval_lower interval_upper interval_part", large_eigenvalue="large_density large_interval")
)
LARGE = frozenset({"large_density", "large_interval"})  # of a limit in which ψ_p is large
