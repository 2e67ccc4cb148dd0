"""How long threads of OpenBLAS wait for the next product before they sleep.

NumPy and SciPy bring an OpenBLAS each. The threads of one wait at full speed while the other multiplies, and take its
cores: what uses both in turns is then slower on two cores than on one.
"""

from __future__ import annotations

import os

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"  # 2 to this power, in cycles; from 4 on
SHORTEST = "4"


def sleep_at_once() -> None:
    """As briefly as can be, unless the user has said how long; before NumPy is loaded. Programs call this alone."""
    os.environ.setdefault(VARIABLE, SHORTEST)
