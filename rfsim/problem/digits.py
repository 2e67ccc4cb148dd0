"""scikit-learn's 1797 images of digits as data, and points of them as images again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.numerics import signed
from rfsim.disk.files.numbers import DataError

PIXELS = 64


def read(components: int | None) -> NDArray[np.float64]:
    """The raw images (rows, 64), or their leading principal components (rows, components)."""
    pixels = _pixels()
    if components is None:
        return pixels
    centered = pixels - pixels.mean(axis=0)
    return centered @ _components(components, centered)


def images(components: int | None, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (rows, dim) of `read` as images (rows, 8, 8) in the data's units of grey.

    They are centered and scaled by one number. Of components, the mean image and these components of it.
    """
    raw = read(components)
    mean = raw.mean(axis=0)
    values = values * math.sqrt(((raw - mean) ** 2).mean()) + mean
    if components is not None:
        pixels = _pixels()
        grey = pixels.mean(axis=0)
        values = values @ _components(components, pixels - grey).T + grey
    return values.reshape(-1, 8, 8)


def _pixels() -> NDArray[np.float64]:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise DataError("data 'digits' needs scikit-learn: python -m pip install 'rfsim[data]'") from None
    return np.asarray(load_digits(return_X_y=True)[0], dtype=np.float64)


def _components(count: int, centered: NDArray[np.float64]) -> NDArray[np.float64]:
    """The leading principal directions of the images, (64, count)."""
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    return signed(directions)[:count].T
