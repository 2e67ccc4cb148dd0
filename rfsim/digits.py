"""scikit-learn's 1797 images of digits as data, and points of them as images again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim import words
from rfsim.files.numbers import DataError


def read(spec: str) -> NDArray[np.float64]:
    """The raw images (rows, 64) of `digits`, or K principal components of them (rows, K) of `digits:K`."""
    _, colon, argument = spec.partition(":")
    pixels = _pixels()
    if not colon:
        return pixels
    centered = pixels - pixels.mean(axis=0)
    return centered @ _components(spec, argument, centered)


def digit_images(spec: str, points: ArrayLike) -> NDArray[np.float64]:
    """Points (rows, dim) of `digits` or `digits:K`, centered and scaled by one number as `prepare` does, as images
    (rows, 8, 8) in the data's units of grey, 0 to 16, which samples may leave.

    Of `digits:K` an image is the mean image and K principal components of it. DataError for other data and dimensions.

    >>> digit_images("digits:3", np.zeros((1, 3))).shape  # the mean image
    (1, 8, 8)
    """
    kind, colon, argument = spec.partition(":")
    values = np.asarray(points, dtype=np.float64)
    if kind != "digits":
        raise DataError(f"images are of data digits or digits:K; got {spec!r}")
    raw = read(spec)
    if values.ndim != 2 or values.shape[1] != raw.shape[1]:
        raise DataError(f"points of {spec!r} have shape (rows, {raw.shape[1]}); got {values.shape}")
    mean = raw.mean(axis=0)
    values = values * math.sqrt(((raw - mean) ** 2).mean()) + mean
    if colon:
        pixels = _pixels()
        grey = pixels.mean(axis=0)
        values = values @ _components(spec, argument, pixels - grey).T + grey
    return values.reshape(-1, 8, 8)


def _pixels() -> NDArray[np.float64]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError("data 'digits' needs scikit-learn: python -m pip install 'rfsim[data]'") from None
    return np.asarray(load_digits(return_X_y=True)[0], dtype=np.float64)


def _components(spec: str, argument: str, centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """The leading K principal directions of the images, (64, K)."""
    count = words.digits(argument) or 0
    if not 1 <= count <= 64:
        raise DataError(f"data {spec!r}: K must be a whole number from 1 to 64; got {argument!r}")
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    # LAPACK leaves the signs free: fix them by each direction's largest entry
    directions *= np.sign(directions[np.arange(64), np.abs(directions).argmax(axis=1)])[:, None]
    return directions[:count].T
