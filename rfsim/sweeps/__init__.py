"""Phase diagrams: any quantity over a grid of its parameters, on one core or a cluster, stored as it is computed."""

from rfsim.sweeps.front import sweep

__all__ = ["sweep"]
