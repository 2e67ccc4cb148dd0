# %% [markdown]
# # 4. Reading a number with its error
#
# The notebooks before this one have printed many digits. How many of them mean something? A number of rfsim can be off
# for three reasons: W and the samples are random, d is finite, and a solver may not have converged. Each has its own
# remedy. (A fourth reason, that the model is not your network, is for rfsim/trust.md, *How far to trust this*.)

# %%
import numpy as np

import rfsim
from rfsim.plotting import LOSS_LOOKS, canvas

# %% [markdown]
# ## One draw among many
#
# Ten seeds are ten draws of W and of the data. What scatters is the result; the error of the mean is the standard
# deviation over √10.

# %%
problem = rfsim.Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=0.1)
train_time, seeds = 1e4, 10
dims = (16, 32)
tests = {}
for dim in dims:
    tests[dim] = rfsim.train(problem, [train_time], dim=dim, seeds=seeds).test.values[:, 0]
mean = np.array([values.mean() for values in tests.values()])
deviation = np.array([values.std(ddof=1) for values in tests.values()])
error = deviation / np.sqrt(seeds)
for dim, one, width, own in zip(dims, mean, deviation, error, strict=True):
    print(f"d = {dim:2d}: L_test = {one:.4f} ± {own:.4f}; one draw is off by {100 * width / one:.1f}%")
assert all(np.diff(deviation / mean) < 0)

# %% [markdown]
# Larger systems scatter less: a loss is an average over d directions, and over all entries of W.
#
# ## Finite d
#
# The mean over seeds still depends on d, and here theory has an answer for d = ∞. If the difference is c/d, a straight
# line in 1/d must hit it.

# %%
limit = float(rfsim.theory.curves(problem, [train_time]).test[0])
hit = 2 * mean[1] - mean[0]
hit_error = np.sqrt(4 * error[1] ** 2 + error[0] ** 2)
print(f"d → ∞ from d = 16 and 32: {hit:.4f} ± {hit_error:.4f}; theory: {limit:.4f}")
print(f"at d = 32 the sample is {100 * (mean[1] / limit - 1):+.1f}% off")
assert abs(hit - limit) < 3 * hit_error
assert abs(mean[1] - limit) > 5 * error[1]

figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.5)
look = LOSS_LOOKS["test"]
axes.errorbar(1 / np.array(dims), mean, error, color=look.color, marker=".", linestyle="", capsize=3)
axes.plot([0, 1 / 16], [hit, mean[0]], color=look.color, linewidth=0.8)
axes.plot([0], [limit], color="black", marker="*", markersize=9, linestyle="", clip_on=False)
axes.set_xlim(0, None)
axes.set_xlabel("1/d")
axes.set_ylabel(look.label)
figure  # noqa: B018

# %% [markdown]
# The star is theory: two sizes extrapolate to it within three standard errors. A single size does not agree with it,
# and should not: what is of order 1/d is many standard errors here, and no number of seeds removes it.
#
# ## What a solver says of itself
#
# Results carry their residuals. In the limit `error` is what the losses moved by when the contour's nodes were doubled
# last, `residual` is that of the equations; a loss that moved by more than 1e-8 is not shown (NaN). A sample's
# `error_bound` is what the series for U left out. And what cannot be had in double precision is refused:

# %%
found = rfsim.theory.curves(problem, [train_time])
print(f"moved by {float(found.error[0]):.0e}, equations solved to {float(found.residual):.0e}")
assert float(found.error[0]) < 1e-8
assert float(found.residual) < 1e-11

refused = ""
try:
    rfsim.train(rfsim.Problem(samples_per_dim=20, features_per_dim=100, diffusion_time=0.02), [1.0], dim=4)
except ValueError as reason:
    refused = str(reason)
print(refused)
assert "Hermite orders" in refused

# %% [markdown]
# ## Exercises
#
# ### Exercise 1
# How many seeds would it take to know L_test at d = 32 to one part in a thousand, one standard error?
#
# ### Exercise 2
# From which d on is a sample within 1% of the limit?
#
# ### Exercise 3
# The limit is not that of tanh features alone: with `model="gaussian"` σ is replaced by a straight line and Gaussian
# noises of the right variances (equations.md §2). Is that model's L_test nearer to the limit at the same d, and does
# it head for the same limit?

# %% [markdown]
# ### Answer 1
# The error falls as one over the root of their number: about a hundred.

# %%
needed = int(np.ceil((deviation[1] / (1e-3 * mean[1])) ** 2))
print(f"{needed} seeds")
assert 80 < needed < 120

# %% [markdown]
# ### Answer 2
# The difference is about c/d, with c from d = 32. It takes more than three hundred dimensions.

# %%
c = 32 * (mean[1] - limit)
print(f"c = {c:.2f}, so that |c|/d < 1% of {limit:.3f} from d = {abs(c) / (0.01 * limit):.0f} on")
assert 300 < abs(c) / (0.01 * limit) < 350

# %% [markdown]
# ### Answer 3
# The Gaussian-equivalent model heads for the same limit, as the theory is that model's own.

# %%
gaussian = {dim: rfsim.train(problem, [train_time], dim=dim, seeds=seeds, model="gaussian") for dim in dims}
middle, last = (gaussian[dim].test.values[:, 0] for dim in dims)
extrapolated = 2 * last.mean() - middle.mean()
own = np.sqrt((4 * last.var(ddof=1) + middle.var(ddof=1)) / seeds)
print(f"d = 32: {last.mean():.4f}, against {mean[1]:.4f} of tanh; d → ∞: {extrapolated:.4f} ± {own:.4f}")
assert abs(last.mean() - limit) < abs(mean[1] - limit)
assert abs(extrapolated - limit) < 3 * own
