"""What a stored result says of itself, without its numbers: reading those takes a hundred times as long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rfsim.disk import store


def header(path: Path) -> Mapping[str, Any]:
    """The attributes of a result on disk; empty where none lies there that this version reads.

    Only `store.load` tells whether its numbers are whole.
    """
    import h5py

    if not path.is_file():
        return {}
    try:
        with h5py.File(path, "r") as file:
            # netCDF has no scalar attributes but lists of one
            found = {
                str(name): value.item() if np.size(value) == 1 and hasattr(value, "item") else store.plain(value)
                for name, value in file.attrs.items()
            }
    except Exception:  # h5py raises many types for one thing: nothing that can be read
        return {}
    return found if store.KIND in found and found.get("rfsim_schema") == store.SCHEMA else {}
