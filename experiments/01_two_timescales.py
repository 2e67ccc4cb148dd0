# %% [markdown]
# # 1. Why two timescales
#
# Training by gradient flow from zero, A' = −d² ∇L, of the quadratic loss of notebook 00 can be solved: with U = Σ_k
# λ_k q_k q_kᵀ, each eigenvector learns by itself, at a rate of its own (equations.md T7):
#
# > Ā(τ) = −(1/√Δ) Vᵀ f_τ(U), f_τ(λ) = (1 − e^{−κτλ})/λ, κ = 2Δ/ψ_p.
#
# A direction of eigenvalue λ is learned after a training time of about 1/(κλ). U has large eigenvalues (gen) and small
# ones, so there are at least two timescales: one at which the model learns, another at which it learns too much.

# %%
import numpy as np

import rfsim
from rfsim.plotting import canvas, limit_losses, loss_panel

# %% [markdown]
# ## No training loop
#
# First let us not believe it. Take any symmetric U and any V, walk downhill in small steps, and compare.

# %%
random = np.random.default_rng(0)
features, dim, delta = 24, 4, 0.2
psi_p = features / dim
kappa = 2 * delta / psi_p
root = random.standard_normal((features, 2 * features)) / np.sqrt(features)
big_u, big_v = root @ root.T, random.standard_normal((features, dim)) / features

step, steps = 1e-3, 4000
walked = np.zeros((dim, features))
for _ in range(steps):  # dĀ/dτ = −κ(Ā U + Vᵀ/√Δ), which is A' = −d² ∇L for A = √p Ā
    walked -= step * kappa * (walked @ big_u + big_v.T / np.sqrt(delta))

lam, q = np.linalg.eigh(big_u)
learned = (1 - np.exp(-kappa * step * steps * lam)) / lam
solved = -(big_v.T @ q * learned) @ q.T / np.sqrt(delta)
off = np.abs(walked - solved).max() / np.abs(solved).max()
print(f"{steps} steps and the formula differ by {off:.1e}, relative")
assert off < 1e-3

# %% [markdown]
# So a loss at any time is a sum over eigenvalues (T8): one decomposition, no loop, and τ = ∞ costs what τ = 1 does.
#
# ## The two timescales
#
# One draw at d = 25, and the limit d → ∞ dotted over it. L_train is the loss on the samples, L_test on fresh points,
# E_score the squared distance of the learned score from the true one.

# %%
problem = rfsim.Problem(samples_per_dim=8, features_per_dim=32, diffusion_time=0.1)
train_times = np.geomspace(0.1, 1e7, 81)
sample = rfsim.train(problem, train_times, dim=25)
limit = rfsim.theory.curves(problem, train_times)

figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.5)
loss_panel(axes, sample)
for quantity in ("train", "test", "score"):
    limit_losses(axes, limit, quantity)
figure  # noqa: B018

# %% [markdown]
# All three fall together first: the model generalizes. Then, for a long time, nothing happens. Then L_train goes on
# falling while L_test and E_score rise: the model memorizes. When that happens, read off the limit's curves:

# %%
test = limit.test.values
lowest, at_the_end = float(test.min()), float(rfsim.theory.curves(problem, [np.inf]).test[0])
tau_gen, tau_mem = (float(limit.tau_gen.sel(gen_route="curve")), float(limit.tau_mem.sel(mem_route="curve")))
print(f"L_test comes within 1% of its minimum at τ = {tau_gen:.1f}")
print(f"L_gen = L_test − L_train is half of what it will be at τ = {tau_mem:.0f}, {tau_mem / tau_gen:.0f} times later")
print(f"L_test: at best {lowest:.3f}, in the end {at_the_end:.3f}")
assert 300 < tau_mem / tau_gen < 1000
assert at_the_end > 2 * lowest

# %% [markdown]
# Hundreds of times later: one who stops in between has a model that does not memorize. One who does not stop pays for
# it, with an L_test of more than twice its minimum.
#
# ## Where the times come from
#
# From the spectrum. ψ_p/(Δλ), twice 1/(κλ), turns an eigenvalue into a time. With gen's mean eigenvalue that is τ_gen;
# the time of memorization needs an eigenvalue from below, and the question is which. B25 take the lower edge of a
# bulk, λ_min = s² + v²(1 − √(ψ_p/ψ_n))², and call the time τ_mem. We shall also try the median of mini, the d
# directions below that edge, and call that time τ_mini [ours].

# %%
print("ψ_n   half-rise     τ_mem (B25)   τ_mini    half-rise/τ_mem   half-rise/τ_mini")
shares = {"formula": [], "mini": []}
rises = []
for psi_n in (4, 8, 16, 32):
    found = rfsim.theory.curves(rfsim.Problem(samples_per_dim=psi_n, features_per_dim=64), [np.inf])
    times = dict(zip(found.mem_route.values.tolist(), found.tau_mem.values.tolist(), strict=True))
    rises.append(times["curve"])
    for route, values in shares.items():
        values.append(times["curve"] / times[route])
    print(
        f"{psi_n:3d} {times['curve']:11.0f} {times['formula']:13.0f} {times['mini']:11.0f}"
        f"{shares['formula'][-1]:15.2f} {shares['mini'][-1]:17.2f}"
    )
spread = {route: max(values) / min(values) for route, values in shares.items()}
print(f"largest over smallest: {spread['formula']:.2f} and {spread['mini']:.2f}")
assert 3.1 < spread["formula"] < 3.3
assert 1.2 < spread["mini"] < 1.3

# %% [markdown]
# If τ_mem were the clock of memorization, its column of ratios would be constant. It varies by a factor of three over
# these n; over τ_mini it varies by a quarter. Notebook 02 asks why those d directions should matter so much.
#
# ## Early stopping
#
# One may stop between the two times, or hold back the small eigenvalues for good with a ridge γ: 1/(λ + γ) learns λ ≫
# γ and leaves λ ≪ γ alone, as f_τ does at τ = 1/(κγ). Which is the better advice?

# %%
ridge = rfsim.theory.ridge(problem, np.geomspace(1e-4, 1e2, 61))
best_ridge, with_ridge = float(ridge.best_ridge), float(ridge.best_test)
print(f"stopped in time: L_test = {lowest:.4f}; with the best ridge, γ = {best_ridge:.2f}: {with_ridge:.4f}")
assert lowest < with_ridge < 1.02 * lowest

rfsim.plot(ridge, style="screen")

# %% [markdown]
# Nearly the same; here stopping wins by less than 2%.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1
# At which training time has a null direction, λ = s², learned half of what it will ever learn? And a direction of gen,
# at gen's mean eigenvalue?
#
# ### Exercise 2
# B25 report that the time of memorization grows in proportion to n. Does the half-rise time above do so?
#
# ### Exercise 3
# The loss of the zero score is 1. At the end of training, is the model better or worse than having learned nothing?
# From which number of samples on is it better? Take ψ_p = 32 and t = 0.1.

# %% [markdown]
# ### Answer 1
# λ f_τ(λ) = 1 − e^{−κτλ} = 1/2 at τ = ln 2/(κλ).

# %%
kappa = 2 * (1 - np.exp(-2 * 0.1)) / 32
halves = {}
for name in ("null", "gen"):
    lam = float(limit["mean"].sel(part=name))
    halves[name] = np.log(2) / (kappa * lam)
    print(f"{name}: λ = {lam:.4f}, half learned at τ = {halves[name]:.1f}")
    assert abs(1 - np.exp(-kappa * halves[name] * lam) - 0.5) < 1e-12
assert halves["gen"] < tau_gen < tau_mem
assert 0.4 < halves["null"] / tau_mem < 2.5

# %% [markdown]
# ### Answer 2
# It does not, at t = 0.1: it grows about like the square root of n, and more slowly the larger n is.

# %%
exponents = np.diff(np.log(rises)) / np.log(2)
print("local exponents:", ", ".join(f"{value:.2f}" for value in exponents))
mean_exponent = float(np.polyfit(np.log([4, 8, 16, 32]), np.log(rises), 1)[0])
print(f"over all: {mean_exponent:.2f}")
assert 0.45 < mean_exponent < 0.5
assert all(np.diff(exponents) < 0)

# %% [markdown]
# ### Answer 3
# Worse, at ψ_n = 8. With many samples there is nothing to memorize that is not true of the data as well: the border is
# below ψ_n = 32.

# %%
ends = {}
for psi_n in (8, 16, 24, 32):
    found = rfsim.theory.curves(rfsim.Problem(samples_per_dim=psi_n, features_per_dim=32), [np.inf])
    ends[psi_n] = float(found.test[0])
    print(f"ψ_n = {psi_n}: L_test = {ends[psi_n]:.3f} at τ = ∞")
assert ends[8] > 1 > ends[32]
assert all(np.diff(list(ends.values())) < 0)
