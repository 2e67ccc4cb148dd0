"""U, V, Ũ, Ṽ at finite size, exact in the noise or over frozen draws (equations.md T3–T6)."""

from rfsim.moments.averages import Moments, averaged_moments, feature_data, frozen_moments

__all__ = ["Moments", "averaged_moments", "feature_data", "frozen_moments"]
