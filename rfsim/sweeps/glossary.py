"""What parameters are called on axes: the glossary's words and symbols."""

from __future__ import annotations

WORDS = {
    "samples_per_dim": "samples per dimension ψ_n",
    "features_per_dim": "features per dimension ψ_p",
    "dim": "dimension d",
    "diffusion_time": "diffusion time t",
    "noise_copies": "noise copies m",
    "ridge": "ridge γ",
    "ridges": "ridge γ",
    "activation": "activation σ",
    "train_times": "training time τ",
    "distill_times": "distillation time τ_S",
    "teacher_time": "training time of the teacher τ",
    "teacher_ridge": "ridge of the teacher",
    "rate": "rate η",
    "time_min": "smallest diffusion time ε",
    "time_max": "largest diffusion time T",
}


def described(parameter: str) -> dict[str, str]:
    """The attributes of a coordinate: what it is, and its unit."""
    return {"long_name": WORDS.get(parameter, parameter.replace("_", " ")), "units": "1"}
