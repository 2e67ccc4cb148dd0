"""The parameters that several quantities share; a quantity's own stand in its own file."""

from __future__ import annotations

import math

from rfsim.checking import lists
from rfsim.checking.lists import LISTED
from rfsim.quantities.parameter import Parameter

# --- the problem --------------------------------------------------------------------------------------------------

SAMPLES_PER_DIM = Parameter(
    name="samples_per_dim",
    words="samples per dimension",
    symbol="ψ_n",
    help="ψ_n = n/d; 4 unless given.",
    default=4.0,
    flag_default=None,
    role="problem",
)
FEATURES_PER_DIM = Parameter(
    name="features_per_dim",
    words="features per dimension",
    symbol="ψ_p",
    help="ψ_p = p/d; 16 unless given.",
    default=16.0,
    flag_default=None,
    role="problem",
    check="rfsim.problem.model:require_finite_width",
)
WIDE = FEATURES_PER_DIM.but(help="ψ_p = p/d; 16 unless given; inf: many features, after d → ∞.", check=None)
N = Parameter(
    name="n",
    symbol="n",
    words="samples",
    help="n, instead of --samples-per-dim.",
    hint=int,
    least=2,
    default=None,
    flag="--samples",
    role="command",
    swept=False,
    instead_of="samples_per_dim",
)
P = Parameter(
    name="p",
    symbol="p",
    words="features",
    help="p, instead of --features-per-dim.",
    hint=int,
    least=1,
    default=None,
    flag="--features",
    role="command",
    swept=False,
    instead_of="features_per_dim",
)
NOISE_COPIES = Parameter(
    name="noise_copies",
    words="noise copies",
    symbol="m",
    help="Frozen noise copies per sample, m; inf averages.",
    default=math.inf,
    role="problem",
)
ACTIVATION = Parameter(
    name="activation",
    symbol="σ",
    help="σ: tanh, erf, relu, softplus, gelu (x Φ(x), not its tanh approximation), silu, sine, hermite3 or linear, "
    "hermite:1=1,4=0.2887 by Hermite coefficients, or with --allow-import module:attribute; centered where needed.",
    hint=str,
    read=str,
    offered=("tanh", "erf", "relu", "softplus", "gelu", "silu", "sine", "hermite3", "linear", "hermite:"),
    default="tanh",
    role="problem",
)
ALLOW_IMPORT = Parameter(
    name="allow_import",
    help="Let --activation import module:attribute, and so run its code; found in this folder too.",
    hint=bool,
    default=False,
    role="command",
    swept=False,
)
DATA = Parameter(
    name="data",
    help="isotropic[:VARIANCE], atoms:W@L,…, classes:W@VARIANCE,…, powerlaw:ALPHA, subspace:FRACTION, "
    "mixture:SEPARATION, condition:SNR@PER_DIM, digits[:K], eigenvalues:FILE of Σ, covariance:FILE of Σ "
    "itself, or a .npy, .npz (FILE.npz:KEY), .csv, .tsv or .txt file (or .csv.gz) of shape (samples, dimensions).",
    hint=str,
    offered=(
        "isotropic",
        "atoms:",
        "classes:",
        "powerlaw:",
        "subspace:",
        "mixture:",
        "condition:",
        "digits",
        "eigenvalues:",
        "covariance:",
    ),
    default="isotropic",
    role="problem",
)
RIDGE = Parameter(name="ridge", symbol="γ", help="Ridge γ.", default=0.0, role="problem")
CENTER = Parameter(
    name="center",
    help="Leave the mean of an array as it is.",
    about="Take the mean off an array.",
    hint=bool,
    default=True,
    flag="--no-center",
)
SCALE = Parameter(
    name="scale",
    help="How an array is divided: by one number, each column, or not.",
    hint=str,
    choices=("none", "global", "columns"),
    default="global",
)
COVARIANCE = Parameter(
    name="covariance",
    help="Σ of an array: its sample covariance, or an estimate of Σ's eigenvalues from it, by shrinkage (Ledoit, Wolf "
    "2020) or by inverting the equation of Marčenko and Pastur (El Karoui 2008).",
    hint=str,
    choices=("sample", "shrunk", "deconvolved"),
    default="sample",
)
DIFFUSION_TIME = Parameter(name="diffusion_time", symbol="t", help="Diffusion time t.", default=0.1, role="problem")

PROBLEM = (SAMPLES_PER_DIM, FEATURES_PER_DIM, N, P, NOISE_COPIES, ACTIVATION, ALLOW_IMPORT, DATA)
PREPARED = (CENTER, SCALE)  # of an array of data
LIMIT = (*PROBLEM, RIDGE, *PREPARED, DIFFUSION_TIME)
WIDE_LIMIT = tuple(WIDE if one is FEATURES_PER_DIM else one for one in LIMIT)  # of what is known at ψ_p = ∞ too

# --- a draw, and how it is solved ---------------------------------------------------------------------------------

DIM = Parameter(
    name="dim",
    words="dimension",
    symbol="d",
    help="Dimension d; 100, or that of the data.",
    hint=int,
    least=1,
    default=None,
)
SEED = Parameter(name="seed", help="First seed.", hint=int, least=0, default=0)
SEEDS = Parameter(name="seeds", help="Number of seeds; the answer is their mean.", hint=int, least=1, default=1)
SPLIT = Parameter(
    name="split",
    help="Share of an array's rows that may be trained on; the others play the population.",
    default=0.5,
)
HELD_OUT = Parameter(
    name="held_out",
    help="File of rows that play the population; all of --data may then be trained on.",
    hint=str,
    default=None,
    swept=False,
)
CONDITION = Parameter(
    name="condition",
    help="File of noise-free inputs beside x_t, a row for each of --data.",
    hint=str,
    default=None,
    swept=False,
)
LABELS = Parameter(
    name="labels",
    help="File of the class of each row of --data: whole numbers or short texts, one a line.",
    hint=str,
    default=None,
    swept=False,
)
GIVEN = "mean_error predictive_variance residual_error residual_alignment"  # of a denoised x beside inputs
DRAW = (DIM, SEED, SEEDS)
SAMPLE = (*LIMIT, SPLIT, HELD_OUT, *DRAW)

MODEL = Parameter(
    name="model",
    help="The real features, or the Gaussian-equivalent model.",
    hint=str,
    choices=("real", "gaussian"),
    default="real",
)
MOMENTS = Parameter(
    name="moments",
    help="exact in the noise, or montecarlo:DRAWS per sample with standard errors, as a check.",
    hint=str,
    offered=("exact", "montecarlo:"),
    default="exact",
)

# --- a training ---------------------------------------------------------------------------------------------------

TRAIN_TIMES = Parameter(
    name="train_times",
    words="training time",
    symbol="τ",
    help=f"Training times τ, {LISTED}; inf is one. Figures have a grid unless given.",
    hint=tuple[float, ...],
    read=lists.times,
    check="rfsim.problem.model:times",
    makes="train_time",
    default=(1.0, 100.0, 1e5),
    drawn="0.1:1e7:81",
)
TRAINER = Parameter(
    name="trainer",
    help="flow, descent:STEP or distillation:TAU, in train_time.",
    hint=str,
    offered=("flow", "descent:", "distillation:"),
    check="rfsim.sweeps.refused:trainer_text",
    default="flow",
)
BY_PART = Parameter(
    name="by_part", help="Also the losses with the filter switched off on each part.", hint=bool, default=False
)
KEEP_WEIGHTS = Parameter(
    name="keep_weights",
    help="Also the read-outs themselves, which rfsim.score makes a function of.",
    hint=bool,
    default=False,
    swept=False,
)
TOLERANCE = Parameter(
    name="tolerance", help="What a loss may move by at the last refinement.", default=1e-8, flagged=False
)
