"""One group of a sweep as a task: computed wherever it is sent, timed, and brought into the form of the store."""

from __future__ import annotations

import time
from typing import NamedTuple

import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.decompositions import counting
from rfsim.computing.precision import in_float64
from rfsim.sweeps.imports import Imports, difference
from rfsim.sweeps.plan import Group
from rfsim.sweeps.quantities import compute


class Job(NamedTuple):
    """A group, and the array of data it draws from if any; single: dimensions of its result of which a cell is one
    value; loose: those whose coordinate differs from group to group; varied: parameters that coordinates hold already;
    imports: the activations that are imported, which must be the same here.
    """

    group: Group
    array: NDArray | None
    single: tuple[str, ...]
    loose: tuple[str, ...]
    varied: tuple[str, ...]
    imports: Imports = Imports()


class Done(NamedTuple):
    """A group's result, its wall time in seconds and the decompositions that it took."""

    data: xr.Dataset
    seconds: float
    decompositions: int


@in_float64
def work(job: Job) -> Done:
    """Compute one group."""
    started = time.perf_counter()
    if words := difference(job.imports):
        raise ValueError(words)
    with counting() as counter:
        data = compute(job.group, array=job.array)
    return Done(normalized(data, job), time.perf_counter() - started, counter.count)


def normalized(data: xr.Dataset, job: Job) -> xr.Dataset:
    """A result whose coordinates are those of any group: what a group finds becomes a variable over its cells.

    A loose coordinate is stored as NAME_value; a list of one value is left to the cell's own coordinate.
    """
    data = data.drop_vars([name for name in job.varied if name in data.data_vars])
    data = data.isel({dim: 0 for dim in job.single if dim in data.dims}, drop=True)
    data = data.drop_vars("cell", errors="ignore").reset_coords([name for name in data.coords if name not in data.dims])
    loose = {dim: data[dim].reset_coords(drop=True) for dim in job.loose if dim in data.coords}
    data = data.drop_vars(loose).assign({f"{dim}_value": values.drop_vars(dim) for dim, values in loose.items()})
    each = {
        name: variable.expand_dims(cell=data.sizes["cell"])
        for name, variable in data.data_vars.items()
        if "cell" not in variable.dims
    }
    return data.assign(each)
