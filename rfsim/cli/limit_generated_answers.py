"""The law of generated samples as an answer: the JSON object of the command contract, and lines for a reader.

Lists run over train_time; what is not defined is null, a training time that is each level's own too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfsim.cli.answers import head, short, table
from rfsim.disk import store

if TYPE_CHECKING:
    import xarray as xr

AXES = ("train_times", "distill_times")
MEASURES = ("frechet_per_dim", "kl_per_dim", "kl_reverse_per_dim", "kl_mean_per_dim")


def answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim theory generated --json`: measures of samples, of one jump, and of the students."""
    found = head(data, AXES) | {"train_time": data.train_time.values}
    found |= _measures(data.sel(way="steps"), "")
    found["one_jump"] = _measures(data.sel(way="one_jump"), "")
    found |= {"level": data.level.values}
    found |= {name: data[name].T.values for name in ("level_time", "level_score")}
    if "distill_time" in data.dims:
        found["student"] = [
            {"distill_time": float(one.distill_time)}
            | _measures(one.sel(student_way="one_step"), "student_")
            | {"two_steps": _measures(one.sel(student_way="two_steps"), "student_"), "map_gap": one.map_gap.values}
            for one in (data.isel(distill_time=k) for k in range(data.sizes["distill_time"]))
        ]
    return store.plain(found | {"residual": float(data.residual)})


def lines(data: xr.Dataset) -> list[str]:
    """The same as a table."""
    found = answer(data)
    ways = [("steps", found), ("one jump", found["one_jump"])]
    for one in found.get("student", ()):
        name = f"student {short(one['distill_time'])}"
        ways += [(name, one), (f"{name}, two steps", one["two_steps"])]
    names = [name for name in MEASURES if any(value is not None for value in found[name])]
    rows = [
        [short(time), way, *(short(one[name][k]) for name in names), short(one["variance"]["mean"][k])]
        for k, time in enumerate(found["train_time"])
        for way, one in ways
    ]
    return table([["train_time", "samples of", *names, "variance"], *rows])


def _measures(one: xr.Dataset, prefix: str) -> dict[str, Any]:
    quantiles = one[f"{prefix}variance_quantile"]
    return {name: one[f"{prefix}{name}"].values for name in MEASURES} | {
        "variance": {
            "mean": one[f"{prefix}variance_mean"].values,
            "quantiles": {f"{q:g}": quantiles.sel(quantile=q).values for q in one["quantile"].values},
        }
    }
