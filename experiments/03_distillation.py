# %% [markdown]
# # 3. What distillation does to them
#
# A diffusion model draws a sample in many steps, one network call each. Consistency distillation trains a student f_k
# that jumps from diffusion time t_k to the end in one (Song et al. 2023). Jiang and Zou (2026) report that the student
# of a teacher that memorizes, memorizes less. With random features one can look inside: teachers Ā_k, one per level ε
# = t_0 < t_1 < … < t_N, and students B̄_k, which learn by an exact flow too (equations.md T16, T17):
#
# > dB̄_k/dτ_S = −κ_k [B̄_k (U_k + γ) − R_k], R_k from the teacher's step t_k → t_{k−1} and the student below.
#
# The spectrum of U_k is again the clock: this time of the distillation, τ_S.
#
# How memorization is measured: a sample is memorized if it is three times nearer to one training point than to any
# other (B25); f_mem is the share of samples that are.

# %%
import numpy as np

import rfsim
from rfsim.plotting import canvas, leakage_panel, steps_panel, suppression_panel

# %% [markdown]
# ## A teacher that memorizes, and its student
#
# Small enough to be quick: d = 6, n = 18, p = 240, six levels, the teacher trained until it memorizes. The student
# starts from the teacher's weights; τ_S = 0 is therefore the teacher itself, used for one jump. A second student has a
# ridge.

# %%
times = [0, 10, 1e4]
problem = rfsim.Problem(samples_per_dim=3, features_per_dim=40)
result = rfsim.distill(
    problem,
    times,
    dim=6,
    levels=6,
    generated=1000,
    variants=[{"ridge": 0.0}, {"ridge": 0.1}],
)
found = result.squeeze("seed")
plain, ridged = found.isel(variant=0), found.isel(variant=1)


def f_mem(values):
    return float(values.sel(quality="memorized_fraction"))


def between(values):
    """Its 95% interval over the samples drawn."""
    return float(values.sel(quality="memorized_low")), float(values.sel(quality="memorized_high"))


teacher = found.teacher_steps.sel(steps=6)
student = plain.student.sel(distill_time=1e4)
for name, values in (("teacher, 6 steps", teacher), ("student, 1 step", student)):
    low, high = between(values)
    print(f"{name}: f_mem = {f_mem(values):.3f}, 95% between {low:.3f} and {high:.3f}")
assert between(student)[1] < between(teacher)[0]
assert f_mem(student) < f_mem(teacher) / 3

# %% [markdown]
# There it is: the student memorizes several times less than its teacher, and the intervals are far apart. So
# distillation removes memorization?
#
# ## The controls
#
# Two things have changed at once: the weights, and the number of steps. Change one at a time.

# %%
print("f_mem                 1 step   6 steps")
table = {
    "teacher": (found.teacher_steps.sel(steps=1), teacher),
    "student": (student, plain.student_steps.sel(distill_time=1e4, steps=6)),
}
for name, row in table.items():
    print(f"{name:20} {f_mem(row[0]):8.3f} {f_mem(row[1]):8.3f}")
assert f_mem(table["teacher"][0]) < 0.003
assert between(table["teacher"][0])[1] < between(student)[0]
assert f_mem(teacher) <= f_mem(table["student"][1])

figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.5)
steps_panel(axes, result)
figure  # noqa: B018

# %% [markdown]
# Read the table by columns. In one step the teacher itself, undistilled, memorizes next to nothing; its student
# memorizes **more**. In six steps its student memorizes no less either. Whoever compares the student's one step with
# the teacher's six compares steps, not training. Here the single step is what removes memorization, and distillation
# lets some of it back in.
#
# What does distillation give, then? A better single jump:

# %%
w2 = {name: float(row[0].sel(quality="frechet_per_dim")) for name, row in table.items()}
print(f"W2²/d to the truth, in one step: teacher {w2['teacher']:.3f}, student {w2['student']:.3f}")
assert w2["student"] < 0.5 * w2["teacher"]

# %% [markdown]
# Quality, in the sense of the first two moments.
#
# ## What becomes of the directions
#
# Weights M have an energy on every part of U_k: (1/d) Tr M P U_k P Mᵀ, with P the part's projector. If distillation
# suppressed memorizing directions, the student's energy over the teacher's would be below 1 on main and mini.

# %%
late = found.suppression.sel(distill_time=1e4).median("level")
print("student's energy over the teacher's, median over the levels")
print("ridge    " + "".join(f"{name!s:>8}" for name in result.part.values))
for ridge, variant in ((0.0, 0), (0.1, 1)):
    row = late.isel(variant=variant)
    print(f"{ridge:<9g}" + "".join(f"{float(value):8.2f}" for value in row))
assert all(late.isel(variant=0).sel(part=["mini", "main"]) > 1)
assert all(late.isel(variant=1).sel(part=["null", "mini", "main"]) < 0.5)
assert float(late.isel(variant=1).sel(part="gen")) > 0.8

figure, axes = canvas(1, 2, style="screen", width="double", aspect=0.9)
suppression_panel(axes[0, 0], result, variant=0)
suppression_panel(axes[0, 1], result, variant=1)
figure  # noqa: B018

# %% [markdown]
# Without a ridge it is not: half of the levels and more keep their energy on mini and main, or gain. A ridge of 0.1
# does suppress them and leaves gen most of its energy.
#
# ## Leakage
#
# Where does a direction of gen at level k − 1 go? The flow hands its coefficient row qᵀ on as qᵀC_k (U_k + γ)^{−1},
# where C_k is the covariance of the features before and after the teacher's step. The inverse blows up whatever falls
# on small eigenvalues. *Leakage* [ours] is the share that lands outside gen.

# %%
leak = found.leakage_all.sel(part="gen")
for ridge in (0.0, 0.1, 1.0):
    print(f"γ = {ridge:g}: {100 * float(leak.sel(ridge=ridge)):.2g}% of a row of gen lands outside gen")
star = float(found.gamma_star)
print(f"the smallest ridge listed with less than 1%: {star:g}")
assert float(leak.sel(ridge=0.0)) > 0.9
assert float(leak.sel(ridge=1.0)) < 0.01
assert all(np.diff(leak.values) < 0)

figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.5)
leakage_panel(axes, result)
figure  # noqa: B018

# %% [markdown]
# Without a ridge nearly all of it; with a ridge far below gen's eigenvalues, hardly any. That part of the claim
# stands.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1
# Does the ridge come free? Compare W2²/d of the two students in one step, and in six.
#
# ### Exercise 2
# Does it take consistency? A control: a one-step student that is simply regressed on the teacher's own endpoints, the
# samples that its six steps end in (`regression`). Does it memorize more or less?
#
# ### Exercise 3
# Another way not to memorize: stop the teacher in time (`early_teacher`). What does it memorize, and what is the
# price?

# %% [markdown]
# ### Answer 1
# Not in this form. In one step the ridge destroys the samples: `ddim`'s c_skip = e^{t_k − ε} enlarges whatever noise
# weights that are too small leave in them. In six steps much less is lost, W2²/d staying below twice that of γ = 0.

# %%
costs = []
for name, one in (("γ = 0", plain), ("γ = 0.1", ridged)):
    distance = one.student_steps.sel(distill_time=1e4, quality="frechet_per_dim")
    print(f"{name}: W2²/d = {float(distance.sel(steps=1)):.3f} in one step, {float(distance.sel(steps=6)):.3f} in six")
    costs.append(distance)
once, often = (float(costs[1].sel(steps=k) / costs[0].sel(steps=k)) for k in (1, 6))
assert once > 10
assert often < 2

# %% [markdown]
# ### Answer 2
# As little as the student, within the error: nothing about consistency is needed for that.

# %%
regression = plain.regression.sel(distill_time=1e4)
for name, values in (("student", student), ("regression", regression)):
    low, high = between(values)
    print(f"{name}: f_mem = {f_mem(values):.3f}, 95% between {low:.3f} and {high:.3f}")
assert between(regression)[0] < between(student)[1]
assert between(student)[0] < between(regression)[1]

# %% [markdown]
# ### Answer 3
# Next to nothing is memorized, and the samples are far from the truth.

# %%
early = found.early_teacher
low, high = between(early)
print(f"early teacher: f_mem = {f_mem(early):.3f}, W2²/d = {float(early.sel(quality='frechet_per_dim')):.2f}")
assert high < between(teacher)[0]
assert float(early.sel(quality="frechet_per_dim")) > 10 * float(teacher.sel(quality="frechet_per_dim"))
