"""Data that lie in a file of the user: eigenvalues, a covariance, or samples."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rfsim.disk.files.numbers import load, place
from rfsim.problem import covariances
from rfsim.problem.arrays import Rows, rows
from rfsim.problem.populations.base import Data, Spectrum


@dataclass(frozen=True)
class InFile(Data):
    """Data that lie in a file.

    Attributes:
        file: .npy, .npz, .csv, .tsv or .txt, or FILE.npz:KEY for one array of several.
    """

    file: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", named_text(self.file))

    @property
    def form(self) -> str:
        return f"{self.kind}:{self.file}" if self.kind else self.file

    @property
    def path(self) -> Path:
        return place(self.file).path

    def moved(self, path: Path) -> str:
        """The text of the same data in another file.

        Args:
            path: Of that file.

        Returns:
            The text.
        """
        key = place(self.file).key
        return f"{self.kind and self.kind + ':'}{path}{'' if key is None else f':{key}'}"


@dataclass(frozen=True)
class Eigenvalues(InFile):
    """Gaussian data whose covariance has the eigenvalues of a file, one per entry; `eigenvalues:FILE`.

    Attributes:
        file: As in `InFile`.

    >>> str(Eigenvalues("spectrum.npy"))
    'eigenvalues:spectrum.npy'
    """

    kind: ClassVar[str] = "eigenvalues"

    def covariance(self) -> Spectrum:
        return covariances.read(self.kind, self.file)


@dataclass(frozen=True)
class Covariance(InFile):
    """Gaussian data of a covariance in a file; `covariance:FILE`.

    Attributes:
        file: Of a symmetric matrix, of which the eigenvalues alone matter.

    >>> str(Covariance("matrices.npz:first"))
    'covariance:matrices.npz:first'
    """

    kind: ClassVar[str] = "covariance"

    def covariance(self) -> Spectrum:
        return covariances.read(self.kind, self.file)


@dataclass(frozen=True)
class Samples(InFile):
    """Samples in a file, split into a training half and one that plays the population; `FILE`.

    Attributes:
        file: Of an array (rows, dim).

    >>> str(Samples("points.csv"))
    'points.csv'
    """

    def rows(self) -> Rows:
        return rows(load(self.file), str(self))


def named_text(given: Any) -> str:
    """What names data, or a file of them, as a text; ValueError for all else."""
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(text, str) or not text:
        told = "an array: give it as array=" if isinstance(text, np.ndarray) else repr(text)
        raise ValueError(f"data must name a population or a file; got {told}")
    return text
