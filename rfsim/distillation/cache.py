"""Large arrays kept between two passes over the levels: in memory, or spilled to a folder as .npy files."""

from __future__ import annotations

import tempfile
from collections.abc import Hashable
from pathlib import Path

import numpy as np

from rfsim.computing.arrays import Numbers


class ArrayCache:
    """Arrays by key.

    With a folder they are written there, in a temporary folder that goes with the cache, and read back as memory maps;
    nothing is pickled.

    >>> cache = ArrayCache()
    >>> cache.put("Q", np.eye(2))
    >>> cache.get("Q").tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        """OSError where the folder cannot be written."""
        self._held: dict[Hashable, Numbers] = {}
        self._files: dict[Hashable, Path] = {}
        self._folder: tempfile.TemporaryDirectory | None = None
        if folder is not None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix="rfsim-levels-", dir=folder)

    def put(self, key: Hashable, array: Numbers) -> None:
        """Keep an array under a key."""
        if self._folder is None:
            self._held[key] = array
            return
        path = Path(self._folder.name) / f"{len(self._files)}.npy"
        np.save(path, np.asarray(array), allow_pickle=False)
        self._files[key] = path

    def get(self, key: Hashable) -> Numbers:
        """The array; KeyError for a key that was never put."""
        return self._held[key] if self._folder is None else np.load(self._files[key], mmap_mode="r")

    def close(self) -> None:
        """Let everything go; files are removed."""
        self._held.clear()
        if self._folder is not None:
            self._folder.cleanup()

    def __enter__(self) -> ArrayCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
