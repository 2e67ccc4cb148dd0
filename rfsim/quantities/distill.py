"""`rfsim.distill`: distillation of a sampled teacher, consistency and every other."""

from __future__ import annotations

from rfsim.checking import lists
from rfsim.checking.lists import LISTED
from rfsim.quantities.forms import Form, variables
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import DIFFUSION_TIME, RIDGE, SAMPLE, TRAINER
from rfsim.quantities.registry import Answer, Cells, Quantity, register
from rfsim.quantities.simulate import CHECKPOINTS, OPTIMIZER, STEPS

STUDENTS = 16  # of one distillation: all of their weights, at every level and time, are held

DISTILL_TIMES = Parameter(
    name="distill_times",
    words="distillation time",
    symbol="τ_S",
    help=f"Distillation times τ_S, {LISTED}.",
    hint=tuple[float, ...],
    read=lists.times,
    check="rfsim.problem.model:times",
    makes="distill_time",
    default=(10.0, 1e3, 1e5),
)
LEVELS = (
    Parameter(
        name="levels",
        symbol="N",
        help="Levels N of the grid of diffusion times.",
        hint=int,
        least=2,
        default=20,
        shapes=True,
    ),
    Parameter(
        name="time_min",
        words="smallest diffusion time",
        symbol="ε",
        help="First diffusion time ε.",
        default=0.02,
    ),
    Parameter(
        name="time_max",
        words="largest diffusion time",
        symbol="T",
        help="Last diffusion time T.",
        default=3.0,
    ),
)
PATH = Parameter(
    name="path",
    help="Diffusion times of one's own from T down to ε, separated by commas, in the place of levels, T and ε.",
    hint=tuple[float, ...],
    default=None,
    swept=False,
)
TEACHER = (
    Parameter(
        name="teacher_time",
        words="training time of the teacher",
        symbol="τ_T",
        help="Training time of the teacher; inf is one.",
        default=1e8,
    ),
    Parameter(
        name="teacher_ridge",
        words="ridge of the teacher",
        symbol="γ_T",
        help="Ridge of the teacher; --ridge is the student's.",
        default=0.0,
    ),
    TRAINER.but(help="Of the teacher: flow, descent:STEP or distillation:TAU."),
    Parameter(
        name="early_time",
        help="Training time of the control that does not memorize; chosen unless given.",
        default=None,
        flag="--early-teacher-time",
    ),
)
STUDENT = (  # what several students of one teacher may differ by, beside their ridge
    Parameter(
        name="parameterization",
        help="Form of the consistency function.",
        hint=str,
        choices=("ddim", "edm"),
        default="ddim",
    ),
    Parameter(
        name="start",
        help="The student's first weights; the teacher's, or zero where it cannot take them.",
        hint=str,
        choices=("teacher", "zero"),
        default=None,
    ),
    Parameter(
        name="target",
        help="sequential, or coupled:TAU, a moving average over TAU.",
        hint=str,
        default="sequential",
    ),
    Parameter(
        name="method",
        words="method of distillation",
        help="consistency, consistency-training, segments:S, progressive, data-free, endpoint, endpoint-prior, "
        "two-time, score:INPUTS (offline, noise-online, population, teacher-online or prior), self[:XI], hard, "
        "matching, sds, identity, random-teacher or empirical-teacher. What a method does not have is null: no "
        "early_student without a teacher, no half of exact moments, other numbers of steps.",
        hint=str,
        default="consistency",
    ),
    Parameter(
        name="generations",
        help="Of method hard: students that learn one from another.",
        hint=int,
        least=1,
        default=1,
    ),
    Parameter(
        name="critic",
        help="Of method matching: equilibrium, or how many times as fast as the generator its critic learns.",
        hint=str,
        read=str,
        default="equilibrium",
    ),
)
REGRESSION = (
    Parameter(
        name="solver",
        help="The teacher's steps in the target.",
        hint=str,
        choices=("ddim", "euler", "heun"),
        default="ddim",
    ),
    Parameter(
        name="sampler",
        help="The teacher's steps in sampling; those of --solver.",
        hint=str,
        choices=("ddim", "euler", "heun", "sde"),
        default=None,
    ),
    Parameter(
        name="renoise",
        words="share of fresh noise between jumps",
        symbol="χ",
        help="Share of fresh noise in what takes a consistency student's sample back up between two jumps; 0 is none.",
        default=1.0,
    ),
    Parameter(
        name="student_features_per_dim",
        help="Width of a student with features of its own; the teacher's unless given.",
        default=None,
    ),
    Parameter(
        name="distill_data",
        help="Clean points of distillation.",
        hint=str,
        choices=("train", "fresh", "teacher"),
        default="train",
    ),
    Parameter(
        name="draws",
        help="Noise draws per level: a number, or a multiple of p.",
        hint=str,
        read=str,
        default="20p",
    ),
)
MEASURED = (
    Parameter(
        name="leakage_ridges",
        help=f"Ridges of the leakage, {LISTED}.",
        hint=tuple[float, ...],
        makes="leakage_ridge",
        default=(0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0),
    ),
    Parameter(name="threshold", help="Leakage below which a ridge is enough.", default=0.01),
    Parameter(name="generated", help="Samples generated of each model.", hint=int, least=2, default=2000),
    Parameter(
        name="memorized_ratio",
        help="A sample is memorized where its nearest training point is nearer than this times the second nearest.",
        default=1 / 3,
    ),
    Parameter(
        name="split_pair",
        help="Also distill a second, disjoint training set of as many points, with the same features and noise, and "
        "measure how far apart samples of the two are; of an array that is the rows held out.",
        hint=bool,
        default=False,
    ),
)
KEPT = (
    Parameter(name="samples", help="Samples to keep.", hint=int, least=0, default=0, flagged=False),
    Parameter(
        name="instability", help="Also the instability of every direction.", hint=bool, default=False, flagged=False
    ),
    Parameter(name="transfer", help="Also the transfer between all parts.", hint=bool, default=False, flagged=False),
    Parameter(
        name="limit",
        help="Also the leakage and the ridge that is enough as d → ∞, beside the sample's.",
        hint=bool,
        default=False,
        swept=False,
    ),
    Parameter(
        name="audit",
        help="Also who is memorized, by teacher, student and baseline, and a two-sample test of their samples.",
        hint=bool,
        default=False,
        swept=False,
    ),
)
STOCHASTIC = tuple(  # beside the exact flow; a sweep of exact flows has none
    one.but(swept=False, default=None, help=told)
    for one, told in zip(
        (*OPTIMIZER[:3], STEPS, next(one for one in OPTIMIZER if one.name == "ema")),
        (
            "An optax optimizer (sgd, adam): train the student stochastically too, with fresh noise.",
            "Rate η of the optimizer.",
            "Draws per step and level, with replacement, or full: every training point once; 64 unless given.",
            "Steps of the optimizer; 1000 unless given.",
            "Decay per step of the moving average that is the target; 0 unless given.",
        ),
        strict=True,
    )
)
SPLIT = frozenset(  # of two halves alone
    {"split_teacher", "split_teacher_error", "split_teacher_steps", "split_early_teacher", "split_student"}
    | {"split_student_error", "teacher_to_own", "teacher_to_other", "student_to_own", "student_to_other"}
)
TESTED = ("reference", "teacher", "teacher_one", "early_teacher")  # beside the students, by the two-sample test
OPTIONS = (*LEVELS, *TEACHER, *STUDENT, *REGRESSION, *MEASURED, KEPT[0])  # of one distillation beside its times

DISTILL = register(
    Quantity(
        name="distill",
        help="Distillation by any method: samples, energies and leakage.",
        function="rfsim.sampled.distill:distill",
        parameters=(
            *(one for one in SAMPLE if one is not DIFFUSION_TIME),  # it has a grid of its own
            DISTILL_TIMES,
            PATH,
            *OPTIONS,
            *STOCHASTIC,
            *KEPT[1:],
            *CHECKPOINTS,
        ),
        speaks_of_parts=True,
        answer=Answer(
            json="rfsim.cli.distill_answers:answer",
            lines="rfsim.cli.distill_answers:lines",
            failed="rfsim.cli.distill_answers:failed_parts",
        ),
        cells=Cells(
            computes="rfsim.sweeps.sampled:distill",
            together=(RIDGE.name, *(one.name for one in STUDENT)),
            tile=STUDENTS,
            decompositions="rfsim.sweeps.costs:distillations",
            needed_bytes="rfsim.sweeps.costs:distillation_bytes",
            sizes="rfsim.sweeps.costs:levels",
            refuses="rfsim.sweeps.refused:student",
        ),
        page="rfsim.plotting.pages:distill",
        form=Form(
            variables=variables("seed", "variant", "distill_time", "steps", "quality", "level", "part", "ridge")
            | variables(seed__quality="teacher teacher_error reference early_teacher")
            | variables(seed__variant__distill_time__quality="student student_error early_student regression")
            | variables(
                seed__steps__quality="teacher_steps", seed__variant__distill_time__steps__quality="student_steps"
            )
            | variables(seed__variant__distill_time__level__part="suppression suppression_error student_energy")
            | variables(seed__level__part="teacher_energy", seed__ridge__level__part="leakage", seed="gamma_star")
            | variables(seed__ridge__part="leakage_all leakage_all_error", seed__ridge__level__source__part="transfer")
            | variables(seed__level__feature="eigenvalue instability", feature="feature_part", grid="diffusion_time")
            | variables(seed__variant__distill_time__level="mixing student_proxy", seed__variant="evaluations")
            | variables(seed__variant__distill_time="integration_steps integration_error")
            | variables("step", seed__variant__quality="stochastic stochastic_exact", seed="stochastic_time")
            | variables(seed__variant__step__level="stochastic_loss")
            | variables(seed="split_teacher split_teacher_error split_early_teacher teacher_to_own teacher_to_other")
            | variables(seed__steps="split_teacher_steps")
            | variables(seed__variant__distill_time="split_student split_student_error student_to_own student_to_other")
            | variables(ridge__level="limit_leakage", level="limit_gamma_star")
            | variables("audited", "two_sample", seed__level="teacher_loss_auc baseline_loss_auc baseline_test")
            | variables(seed__variant__distill_time__level="student_loss_auc audit_predicted")
            | variables(seed__variant__distill_time__level__audited="audit_count")
            | variables(seed__variant__distill_time__two_sample="student_two_sample")
            | variables(seed__two_sample=" ".join(f"{one}_two_sample" for one in TESTED)),
            optional=frozenset({"teacher_error", "student_error", "suppression_error", "leakage", "leakage_all_error"})
            | {"stochastic", "stochastic_exact", "stochastic_time", "stochastic_loss", "step"}
            | SPLIT
            | {"audited", "two_sample", "teacher_loss_auc", "baseline_loss_auc", "baseline_test", "student_loss_auc"}
            | {"audit_predicted", "audit_count", "student_two_sample", *(f"{one}_two_sample" for one in TESTED)}
            | {"integration_steps", "integration_error", "student_proxy"}
            | {"evaluations", "mixing", "transfer", "instability", "limit_leakage", "limit_gamma_star"},
            json={"undefined": dict},
        ),
    )
)
