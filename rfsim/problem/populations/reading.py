"""The text of data, read once, where it is given."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from rfsim.checking.text import nearest
from rfsim.disk.files.numbers import FORMS, DataError, names_file
from rfsim.problem.populations.base import Data
from rfsim.problem.populations.conditioned import Condition
from rfsim.problem.populations.files import Covariance, Eigenvalues, InFile, Samples, named_text
from rfsim.problem.populations.gaussian_classes import GaussianClasses
from rfsim.problem.populations.images import Digits
from rfsim.problem.populations.named import Atoms, Classes, Isotropic, Mixture, PowerLaw, Subspace

WEIGHED = {one.kind: one for one in (Atoms, Classes)}
NUMBERED = {one.kind: one for one in (PowerLaw, Subspace, Mixture)}
FILES = {one.kind: one for one in (Eigenvalues, Covariance)}
KINDS = ("isotropic", *WEIGHED, *NUMBERED, Condition.kind, *FILES, "digits")


def read(given: str | os.PathLike[str] | Data) -> Data:
    """The data that a text names, or a path, or what they already are; no file is opened.

    Args:
        given: The data.

    Returns:
        The data as an object.

    Raises:
        DataError: In one line, with the nearest valid name or with what is wrong with its argument.

    >>> read("isotropic:2")
    Isotropic(variance=2.0)
    >>> read("isotropc")
    Traceback (most recent call last):
    ...
    rfsim.disk.files.numbers.DataError: unknown data 'isotropc'; use one of isotropic, atoms, classes, powerlaw, \
subspace, mixture, condition, eigenvalues, covariance, digits or a .npy, .npz, .csv, .tsv or .txt file; did you mean \
'isotropic'?
    """
    if isinstance(given, Data):
        return given
    text = named_text(given)
    kind, colon, argument = text.partition(":")
    if kind == "isotropic":
        return Isotropic.of(text, *([argument] if colon else []))
    if weighed := WEIGHED.get(kind):
        return weighed.of(text, list(_pairs(text, argument)))
    if kind == "digits":
        return Digits.of(text, *([argument] if colon else []))
    if kind == Condition.kind:
        return Condition.of(text, *_ratio(text, argument))
    if found := NUMBERED.get(kind) or FILES.get(kind):
        return found.of(text, argument)
    if names_file(text):
        return Samples.of(text, text)
    if kind == GaussianClasses.kind:
        raise DataError(f"data {text!r} are an object, which no text and no sweep holds: give it to Problem in Python")
    hint, told = nearest(kind, KINDS), text if len(text) <= 40 else text[:37] + "..."
    raise DataError(f"unknown data {told!r}; use one of {', '.join(KINDS)} or a {FORMS} file{hint}")


def in_file(text: str) -> InFile | None:
    """The data of a text where they lie in a file; None for all others, and for what no data are.

    Args:
        text: Of settings and titles, which also name data that are gone, or were an array.

    Returns:
        The data, unopened, or None.
    """
    kind, _, argument = text.partition(":")
    if kind in FILES and argument:
        return FILES[kind].of(text, argument)
    return Samples.of(text, text) if kind not in KINDS and names_file(text) else None


def _ratio(text: str, argument: str) -> tuple[str, str]:
    snr, at, per_dim = argument.partition("@")
    if not at:
        raise DataError(f"data {text!r}: condition is written SNR@PER_DIM; got {argument!r}")
    return snr, per_dim


def _pairs(text: str, argument: str) -> Iterable[tuple[Any, Any]]:
    kind = text.partition(":")[0]
    for item in argument.split(","):
        weight, at, value = item.partition("@")
        if not at:
            value = "VARIANCE" if kind == Classes.kind else "VALUE"
            raise DataError(f"data {text!r}: {kind} are written WEIGHT@{value},…; got {item!r}")
        yield value, weight
