"""Images of digits, which fix their own dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.text import digits as whole_number
from rfsim.disk.files.numbers import DataError
from rfsim.problem import digits
from rfsim.problem.arrays import Rows
from rfsim.problem.populations.base import Data


@dataclass(frozen=True)
class Digits(Data):
    """scikit-learn's 1797 images of digits, dim 64, or principal components of them; `digits[:K]`.

    Attributes:
        components: K, from 1 to 64; None for the images.

    >>> str(Digits()), str(Digits(10))
    ('digits', 'digits:10')
    """

    components: int | None = None
    kind: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        given = self.components
        count = whole_number(str(given)) or 0
        if given is not None and not 1 <= count <= digits.PIXELS:
            raise DataError(
                f"data {str(self)!r}: K must be a whole number from 1 to {digits.PIXELS}; got {str(given)!r}"
            )
        object.__setattr__(self, "components", None if given is None else count)

    @property
    def form(self) -> str:
        return self.kind if self.components is None else f"{self.kind}:{self.components}"

    def rows(self) -> Rows:
        return Rows(digits.read(self.components), str(self))

    def images(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points of these data as images.

        Args:
            points: (rows, dim), centered and scaled by one number as `data.prepare` does.

        Returns:
            Images (rows, 8, 8) in units of grey, 0 to 16, which samples may leave.

        Raises:
            DataError: For points of another shape.

        >>> Digits(3).images(np.zeros((1, 3))).shape  # the mean image
        (1, 8, 8)
        """
        values = np.asarray(points, dtype=np.float64)
        dim = digits.PIXELS if self.components is None else self.components
        if values.ndim != 2 or values.shape[1] != dim:
            raise DataError(f"points of {str(self)!r} have shape (rows, {dim}); got {values.shape}")
        return digits.images(self.components, values)
