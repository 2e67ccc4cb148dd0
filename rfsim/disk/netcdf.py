"""Datasets as the bytes of a netCDF file, sealed: damage is found before anything of it is read.

HDF5 believes its files: one bit can change a number unseen, or keep its library busy for ever. So a file ends with a
digest of its bytes, behind what HDF5 reads, and its attribute DIGEST is one of its content: other programs that change
the file drop the first and do not know of the second.
"""

from __future__ import annotations

import io
import re

import h5py
import xarray as xr

from rfsim.computing.machine import GIB, memory_limit
from rfsim.disk import content

DIGEST = "content_digest"
SEAL = "\nrfsim sha256 {}\n"
SEALED = re.compile(SEAL.format("([0-9a-f]{64})").encode())
LENGTH = len(SEAL.format(content.of_bytes(b"")))

DAMAGED = "does not hold what was written to it, by a fault of the disk or a copy that failed; compute it again"
CHANGED = (
    "was changed by another program since it was written; compute it again, or delete its attribute "
    f"{DIGEST} where the change is meant"
)


class DamagedFile(ValueError):
    """A file whose content is not what was written to it."""


def to_bytes(data: xr.Dataset) -> memoryview:
    """A netCDF file; equal datasets give equal bytes."""
    # in memory: where a disk is full HDF5 ends the process
    written = data.assign_attrs({DIGEST: content.of_dataset(data)}).to_netcdf(engine="h5netcdf")
    return memoryview(bytes(written) + SEAL.format(content.of_bytes(written)).encode())


def from_bytes(raw: bytes) -> tuple[xr.Dataset, bool]:
    """The dataset in a netCDF file, and whether it had a digest that could be checked: older files have none.

    Raises Damaged where a digest is not that of what is there, and MemoryError, before they are read, where the numbers
    would not fit; whatever h5py and xarray raise for what is no netCDF file.
    """
    sealed = SEALED.fullmatch(raw[-LENGTH:])
    if sealed and content.of_bytes(memoryview(raw)[:-LENGTH]) != sealed[1].decode():
        raise DamagedFile(DAMAGED)
    with h5py.File(io.BytesIO(raw), "r") as file:
        dict(file.attrs)  # h5netcdf complains twice, once on standard error, where these cannot be read
    # an index is loaded as soon as it is there, and compression may hide what is declared: indexes are made last
    with _opened(raw) as lazy:
        if lazy.nbytes > memory_limit():
            raise MemoryError(f"what it holds needs {lazy.nbytes / GIB:.3g} GiB, more than this process may use")
        data = lazy.load().drop_encoding()
    for name in data.dims:
        if name in data.coords:
            data = data.set_xindex([name])
    digest = data.attrs.pop(DIGEST, None)
    if digest is not None and digest != content.of_dataset(data):
        raise DamagedFile(CHANGED)
    return data, digest is not None


def _opened(raw: bytes) -> xr.Dataset:
    """Times are numbers here, whatever a unit says; without indexes."""
    return xr.open_dataset(
        io.BytesIO(raw),
        engine="h5netcdf",
        decode_times=False,
        decode_timedelta=False,
        create_default_indexes=False,
    )
