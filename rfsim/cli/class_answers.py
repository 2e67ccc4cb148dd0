"""Classes of the data in answers: of each its share, variance, losses and times; means over the seeds, if any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

NAMES = ("train", "test", "gen", "tau_gen", "tau_mem")  # with `_class` in the result


def class_answers(data: xr.Dataset) -> list[dict[str, Any]]:
    """`classes` of `--json`, in the order in which the data name them, those of labels with these; else empty."""
    if "class" not in data.dims:
        return []
    own = data[[f"{name}_class" for name in NAMES]]
    # NaN where one of the seeds has none
    own = own.mean("seed", skipna=False) if "seed" in own.dims else own
    labels = data["class"].values if data["class"].dtype.kind in "OUT" else None
    return [
        ({} if labels is None else {"label": str(labels[k])})
        | {"share": float(data.class_share[k]), "variance": float(data.class_variance[k])}
        | {name: own[f"{name}_class"].isel({"class": k}).values for name in NAMES}
        for k in range(data.sizes["class"])
    ]
