"""Where a result lies, given what names it: a file, a folder, or the TOML file of a sweep."""

from __future__ import annotations

from pathlib import Path

from rfsim.disk.sealed import ROOT
from rfsim.disk.writing import StoreError

RESULT = "result.nc"


def find(path: str | Path) -> Path:
    """The file or store of a result.

    Args:
        path: A netCDF file, a sweep's zarr store, the TOML file that a store lies beside, or a folder given to --out.

    Returns:
        The netCDF file or the store.

    Raises:
        StoreError: For a folder that holds neither, and for a TOML file without its store.
    """
    path = Path(path)
    if path.suffix == ".toml":
        beside = path.with_suffix(".zarr")
        if not beside.is_dir():
            raise StoreError(f"{path} has no {beside.name} beside it; run rfsim sweep {path} first")
        return beside
    if path.is_dir() and not (path / ROOT).exists():
        if not (path / RESULT).exists():
            raise StoreError(f"{path} is not a store of a sweep, and holds no {RESULT}; give what --out named")
        return path / RESULT
    return path
