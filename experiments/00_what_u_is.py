# %% [markdown]
# # 0. What U is
#
# A diffusion model learns a score: which way to move a noisy point so that it looks more like data. The simplest model
# that shows how such a model generalizes first and memorizes later has one hidden layer that is never trained
# (Bonnaire et al. 2025, B25 from here on):
#
# > s(x) = Ā φ(x), φ(x) = σ(W x/√d).
#
# The features φ are frozen: W is drawn once. Only Ā is trained. What it sees are n samples x, each made noisy as often
# as one likes, x_t = e^{−t} x + √Δ ξ with Δ = 1 − e^{−2t}, and the loss is quadratic in Ā (equations.md T1):
#
# > L(Ā) = (1/d) E‖√Δ Ā φ(x_t) + ξ‖² = 1 + (Δ/d) Tr Ā U Āᵀ + (2√Δ/d) Tr Ā V, U = E φφᵀ, V = E φξᵀ.
#
# So all that training can ever learn about the data is in two matrices. This notebook is about the first, **U**, of p
# × p entries: an average over the n samples and over the noise. The next one shows that its eigenvalues are clocks.
#
# Three numbers say how large everything is: d, the dimension; ψ_n = n/d, samples per dimension; ψ_p = p/d, features
# per dimension. The fourth is the diffusion time t, how noisy the points are.

# %%
import numpy as np

import rfsim
from rfsim.plotting import canvas, limit_density, spectrum_panel

# %% [markdown]
# ## By hand
#
# Nothing but the definition: draw W, the samples, and much noise; average.

# %%
dim, samples, features, diffusion_time = 20, 80, 320, 0.1
delta = 1 - np.exp(-2 * diffusion_time)
random = np.random.default_rng(0)
data = random.standard_normal((samples, dim))
weights = random.standard_normal((features, dim))


def phi(points):
    return np.tanh(points @ weights.T / np.sqrt(dim))


draws = 400
by_hand = np.zeros((features, features))
for _ in range(draws):
    noise = random.standard_normal((samples, dim))
    rows = phi(np.exp(-diffusion_time) * data + np.sqrt(delta) * noise)
    by_hand += rows.T @ rows / (samples * draws)

values = np.linalg.eigvalsh(by_hand)  # ascending
jumps = values[1:] / values[:-1]
largest_jump = int(np.argmax(jumps)) + 1
print(f"eigenvalues from {values[0]:.4f} to {values[-1]:.1f}")
print(f"{features - largest_jump} of them lie above the largest jump, by a factor of {jumps[largest_jump - 1]:.0f}")
assert features - largest_jump == dim
assert jumps[largest_jump - 1] > 10

# %% [markdown]
# Exactly d eigenvalues are large, more than ten times the next one. They are what σ has of a straight line: to first
# order φ(x) is a W x/√d, which lives in the d directions of W's columns. Let us call them **gen**: they will turn out
# to carry what generalizes. Everything else is small.
#
# The average over the noise is the tedious part, and the delicate one: few draws disturb the small eigenvalues most,
# and those decide what happens late. rfsim therefore does it exactly, by a Hermite series in the noise (T3–T5) with a
# bound on what it leaves out. `moments="montecarlo:…"` goes the way by hand, on the same W and samples, to compare.

# %%
problem = rfsim.Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=0.1)
exact = rfsim.spectrum(problem, dim=dim)
smallest = float(exact.eigenvalue.min())
shares = []
for draws in (10, 100, 1000):
    drawn = rfsim.spectrum(problem, dim=dim, moments=f"montecarlo:{draws}")
    shares.append(float(drawn.eigenvalue.min()) / smallest)
    print(f"{draws:5d} draws: the smallest eigenvalue is {100 * shares[-1]:.0f}% of the exact {smallest:.5f}")
assert shares[0] < 0.5
assert all(np.diff(shares) > 0)
assert 0.9 < shares[-1] < 1

# %% [markdown]
# Ten draws per sample lose more than half of the smallest eigenvalue, a thousand still a little of it: Monte Carlo is
# not only noisy here but biased, always in the same direction.
#
# ## The parts
#
# Sorted by size, the eigenvalues come in groups whose numbers are known beforehand (equations.md §8). From below:
#
# | part | how many | what it is |
# |---|---|---|
# | null | p − n − d | directions that no sample reaches: noise alone |
# | mini | d | below B25's bulk of memorization [ours] |
# | main | n − d | with mini, the n directions that tell samples apart: B25's ρ_1 |
# | gen | d | the straight lines |

# %%
for name, count, lower, upper in zip(
    exact.part.values, exact["count"].values, exact.lower.values[0], exact.upper.values[0], strict=True
):
    print(f"{name!s:5} {count:4d} eigenvalues between {lower:.4f} and {upper:.4f}")
counts = dict(zip(exact.part.values.tolist(), exact["count"].values.tolist(), strict=True))
assert counts == {
    "null": features - samples - dim,
    "mini": dim,
    "main": samples - dim,
    "gen": dim,
}

rfsim.plot(exact, style="screen")

# %% [markdown]
# At d = 20 the lower three touch. Which of them is real? For that we let d grow.
#
# ## d → ∞
#
# With ψ_n, ψ_p and t kept, the histogram settles down as d grows, and what it settles to can be computed: two
# equations for two unknowns, solved at every λ (T10). Nothing is drawn and nothing is random any more.

# %%
limit = rfsim.theory.spectrum(problem)
for name, mass, lower, upper in zip(
    limit.part.values, limit.mass.values, limit.lower.values, limit.upper.values, strict=True
):
    print(f"{name!s:5} mass {mass:.4f} between {lower:.5f} and {upper:.5f}")

null = limit.sel(part="null")
assert float(null.lower) == float(null.upper)
assert abs(float(null.mass) - (1 - (1 + 4) / 16)) < 1e-12
assert abs(float(null.lower) - float(limit.s2)) < 1e-15
gap = float(limit.lower.sel(part="main") / limit.upper.sel(part="mini"))
print(f"main begins at {gap:.5f} times the end of mini")
assert 1 < gap < 1.001

# %% [markdown]
# There they are, four parts with a gap below each, hardly one below main: where ψ_p is larger it opens (notebook 02).
# And null has become an **atom**: a share of exactly 1 − (1 + ψ_n)/ψ_p of all features has one and the same eigenvalue
# s². That number belongs to σ and t alone (T9): with u, v independent normal variables, it is how much of σ(e^{−t}u +
# √Δ v) changes with v beyond a straight line.
#
# The histogram of one draw at d = 40, the limit's density as a line over it, and dotted the place of the atom, where
# null gathers:

# %%
sample = rfsim.spectrum(problem, dim=40)
figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.45)
spectrum_panel(axes, sample)
limit_density(axes, limit)
axes.axvline(float(limit.s2), color="black", linestyle=":")
figure  # noqa: B018

# %% [markdown]
# How fast does a sample get there? Follow the mean eigenvalue of null, on two seeds each.

# %%
sizes, away = (10, 20, 40), []
for size in sizes:
    drawn = rfsim.spectrum(problem, dim=size, seeds=2)
    in_null = drawn.feature_part.values == drawn.feature_part.attrs["flag_meanings"].split().index("null")
    away.append(float(limit.s2) - float(drawn.eigenvalue.values[:, in_null].mean()))
    print(f"d = {size}: the mean of null is {away[-1]:.5f} below s² = {float(limit.s2):.5f}")
ratios = [away[k] / away[k + 1] for k in range(2)]
assert all(1.7 < ratio < 2.2 for ratio in ratios)

# %% [markdown]
# Each doubling of d halves the distance: the error of the limit is one of order 1/d, here and in all that follows.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1
# B25's figures have d = 100, ψ_n = 8, ψ_p = 64. How many of the 6400 eigenvalues lie in each part? First without a
# computer.
#
# ### Exercise 2
# At which number of features does the null part disappear, and what takes its place as the smallest? Take ψ_n = 4.
#
# ### Exercise 3
# Let the diffusion time go to zero: the noise vanishes. What happens to the atom, and how fast? (Without noise, how
# many eigenvalues of an average over n samples can be positive?)

# %% [markdown]
# ### Answer 1
# p − n − d = 5500 in null, d = 100 in mini, n − d = 700 in main, d = 100 in gen. The limit's masses times p:

# %%
published = rfsim.theory.spectrum(rfsim.Problem(samples_per_dim=8, features_per_dim=64))
expected = {"null": 5500, "mini": 100, "main": 700, "gen": 100}
for name, mass in zip(published.part.values.tolist(), published.mass.values, strict=True):
    print(f"{name:5} {6400 * mass:.6f}")
    assert abs(6400 * mass - expected.pop(name)) < 1e-6
assert not expected

# %% [markdown]
# ### Answer 2
# Null holds p − n − d directions, so it is gone at ψ_p = ψ_n + 1 = 5. With fewer features there is no atom; the lowest
# part is then one continuous bulk, of mini and main together where no gap separates them.

# %%
for psi_p in (4.5, 4.99, 5.01, 5.5):
    found = rfsim.theory.spectrum(rfsim.Problem(samples_per_dim=4, features_per_dim=psi_p))
    names = found.part.values.tolist()
    print(f"ψ_p = {psi_p:g}: {', '.join(names)}")
    assert ("null" in names) == (psi_p > 5)
    assert names[-2] == "mini+main"

# %% [markdown]
# ### Answer 3
# Without noise U is an average of n rank-one matrices: no more than n eigenvalues are positive, and null falls to
# zero. It does so linearly: s²/t tends to a constant.

# %%
ratios = []
for time in (1e-2, 1e-3, 1e-4):
    still = rfsim.theory.spectrum(rfsim.Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=time))
    ratios.append(float(still.s2) / time)
    print(f"t = {time:g}: s² = {float(still.s2):.3e}, s²/t = {ratios[-1]:.4f}")
assert abs(ratios[2] / ratios[1] - 1) < 0.01
