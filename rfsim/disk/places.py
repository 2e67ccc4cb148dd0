"""Where a result lies, given what names it: a file, a folder, or the TOML file of a sweep."""

from __future__ import annotations

from pathlib import Path

from rfsim.disk.sealed import ROOT
from rfsim.disk.writing import StoreError

RESULT = "result.nc"
SHOWN = 4  # folders that are named
OTHERS = {  # what files are that are given in the place of results and of sweeps
    "a figure": (".png", ".pdf", ".svg", ".jpg"),
    "an array": (".npy", ".npz"),
    "a table": (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz"),
    "JSON": (".json",),
}


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
            inside = sorted(str(one.parent) for one in path.glob(f"*/{RESULT}"))[:SHOWN]
            remedy = f"give one of {', '.join(inside)}" if inside else "give what --out named"
            raise StoreError(f"{path} is not a store of a sweep, and holds no {RESULT}; {remedy}")
        return path / RESULT
    if path.is_file() and (what := other(path)):
        samples = "; --data takes one of samples" if what in ("an array", "a table") else ""
        raise StoreError(
            f"{path} is {what}, and no result{samples}; give {RESULT}, its folder, or the .zarr of a sweep"
        )
    return path


def other(path: Path) -> str:
    """What a file is by its name, in words, where that is neither a result nor a sweep.

    Args:
        path: Of the file.

    Returns:
        The words; nothing where the name does not tell.

    >>> other(Path("rows.csv")), other(Path("result.nc"))
    ('a table', '')
    """
    return next((words for words, ends in OTHERS.items() if path.name.endswith(ends)), "")
