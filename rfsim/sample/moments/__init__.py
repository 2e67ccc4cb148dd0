"""U, V, Ũ, Ṽ at finite size, exact in the noise or over frozen draws (equations.md T3–T6)."""

from rfsim.sample.moments.averages import Moments, averaged_moments, combined, feature_data
from rfsim.sample.moments.sampled import moments_of_features, sampled_moments

__all__ = ["Moments", "averaged_moments", "combined", "feature_data", "moments_of_features", "sampled_moments"]
