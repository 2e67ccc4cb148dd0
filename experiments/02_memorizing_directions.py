# %% [markdown]
# # 2. Which directions memorize
#
# A loss is a sum over the eigenvectors of U, so one can ask each of them what it did. The trick is to switch some off:
# train all, but read out only with f_τ on the parts that are kept, and see what L_test says. If memorization sits in a
# part, L_test without that part does not rise.
#
# Most of this is in the limit d → ∞, where the parts have sharp edges (equations.md T13, T14: an integral around each
# part in the complex plane). A sample stands beside it in the end.

# %%
import numpy as np

import rfsim
from rfsim.plotting import canvas, limit_spectrum_panel

# %% [markdown]
# ## The suspects
#
# B25 place the memorizing eigenvalues between s² + v²(1 − √(ψ_p/ψ_n))² and s² + v²(1 + √(ψ_p/ψ_n))², where ψ_p and ψ_n
# are large and far apart. Compare that with the limit itself, at the ratios of their figures.

# %%
problem = rfsim.Problem(samples_per_dim=8, features_per_dim=64, diffusion_time=0.1)
limit = rfsim.theory.curves(problem, [np.inf], by_part=True)
v2, s2 = float(limit.v2), float(limit.s2)
ratio = problem.features_per_dim / problem.samples_per_dim
edges = [s2 + v2 * (1 + sign * np.sqrt(ratio)) ** 2 for sign in (-1, 1)]
print(f"B25's bulk: {edges[0]:.4f} to {edges[1]:.4f}")
for name in limit.part.values:
    part = limit.sel(part=name)
    print(f"{name!s:5} mass {float(part.mass):.4f}, {float(part.lower):.4f} to {float(part.upper):.4f}")
main, mini = limit.sel(part="main"), limit.sel(part="mini")
assert abs(float(main.lower) / edges[0] - 1) < 0.1
assert abs(float(main.upper) / edges[1] - 1) < 0.1
assert float(mini.upper) < 0.8 * edges[0]
assert abs(float(mini.mass) - 1 / 64) < 1e-9

figure, ((axes,),) = canvas(style="screen", width="double", aspect=0.4)
limit_spectrum_panel(axes, limit)
figure  # noqa: B018

# %% [markdown]
# The formula describes main, within ten percent. But below its lower edge, and well below, lies another bulk:
# **mini**, a share 1/ψ_p of the features, which is d directions. They are few, and being slow they are learned last.
#
# ## The verdict
#
# L_test at the end of training, and with each part switched off:

# %%
everything = float(limit.test[0])
without = {name: float(limit.test_without.sel(part=name)[0]) for name in ("mini", "main")}
path = rfsim.theory.curves(problem, np.geomspace(0.1, 1e8, 161))
lowest = float(path.test.min())
gone = {name: (everything - value) / (everything - lowest) for name, value in without.items()}
print(f"L_test: lowest {lowest:.3f}, at the end {everything:.3f}")
for name, value in without.items():
    print(f"without {name}: {value:.3f}, that is {100 * gone[name]:.0f}% of the rise gone")
assert gone["mini"] > 0.95
assert abs(float(main.mass / mini.mass) - 7) < 1e-6
assert gone["main"] < 0.12

# %% [markdown]
# Main holds seven times as many directions (its mass is that of n − d of them), and without it a tenth of the rise is
# gone. Without mini it is gone almost to the last percent.
#
# Why? It helps to ask for **pairs**. L_test is quadratic in what was learned, so that its change from 1 is a sum over
# pairs of parts:

# %%
names = ["mini", "main", "gen"]
pairs = limit.test_pair.isel(train_time=0).sel(part=names, other=names).values
print("          " + "".join(f"{name:>8}" for name in names))
for name, row in zip(names, pairs, strict=True):
    print(f"{name:>10}" + "".join(f"{value:8.3f}" for value in row))
assert abs(1 + limit.test_pair.values.sum() - everything) < 1e-9
own, cross = pairs[0, 0], 2 * pairs[0, 2]
print(f"mini alone adds {own:.2f}; mini with gen, in both orders, {cross:.2f}")
assert cross > own > 0.5
assert pairs[2, 2] < 0

# %% [markdown]
# Gen alone lowers the loss, as it should. What hurts most is the cross term of mini and gen: mini points where gen
# points. A spectrum with outliers says why (§5). For p, n ≫ d take out of U the d loud directions of W, which are gen.
# What is left is s² + v² times a covariance of n normal vectors, in which d directions of the n-dimensional space of
# samples are special: along them the samples' signal and the noise of the features' linear part cancel, and only the
# noise's share ℓ = Δ/(e^{−2t} + Δ) is left. Such an outlier sits at
#
# > λ = s² + v² [Δ ψ_p/ψ_n − (e^{2t} − 1)], as soon as ψ_p/ψ_n > e^{4t},
#
# for isotropic data and large ψ_n [ours]. Mini is those d outliers, below the bulk instead of above it.

# %%
delta = 1 - np.exp(-0.2)
for psi_n in (8, 64, 512):
    found = rfsim.theory.spectrum(rfsim.Problem(samples_per_dim=psi_n, features_per_dim=8 * psi_n))
    foretold = s2 + v2 * (delta * 8 - np.expm1(0.2))
    center = float(found["mean"].sel(part="mini"))
    print(f"ψ_n = {psi_n:3d}: mini has mean {center:.5f}, the formula says {foretold:.5f}")
    spread = float(found.upper.sel(part="mini") / found.lower.sel(part="mini"))
    print(f"           and its upper edge is {spread:.2f} times its lower one")
assert abs(center / foretold - 1) < 0.003
assert spread < 1.1

# %% [markdown]
# ## And a sample?
#
# At finite d the labels go by rank: count d eigenvalues from the top for gen, then n − d for main, then d for mini. At
# small d nothing separates mini from null, and mini's work is shared with it. Ask what each has done for L_train:

# %%
small = rfsim.Problem(samples_per_dim=4, features_per_dim=32)
below = ["null", "mini", "main"]
shares = {}


def told(values):
    return ", ".join(f"{name} {100 * abs(value):.0f}%" for name, value in zip(below, values, strict=True))


for dim in (8, 16):
    sample = rfsim.train(small, [np.inf], dim=dim, by_part=True)
    fall = -sample.train_part.isel(seed=0, train_time=0).sel(part=below).values
    shares[dim] = fall / fall.sum()
    print(f"d = {dim:2d}: {told(shares[dim])}")
fall = -rfsim.theory.curves(small, [np.inf], by_part=True).train_part.isel(train_time=0).sel(part=below).values
shares[np.inf] = fall / fall.sum()
print(f"limit:  {told(shares[np.inf])}")
null_share, mini_share, main_share = (np.array([one[k] for one in shares.values()]) for k in range(3))
assert all(np.diff(null_share) < 0)
assert abs(null_share[-1]) < 1e-12
assert null_share[0] > 0.5
assert mini_share[-1] > 0.9

# %% [markdown]
# Of all that L_train falls below gen, null does more than half at the smallest d and nothing in the limit. Rank labels
# at small d are blurred, and rfsim says "merged" where no gap stands behind them.

# %% [markdown]
# ## Exercises
#
# ### Exercise 1
# At ψ_n = 8 and t = 0.1, from which ψ_p on does a gap separate mini from main? Compare with the law ψ_p = ψ_n e^{4t}
# of large ψ_n, at ψ_n = 8, 64 and 512.
#
# ### Exercise 2
# Below that gap mini and main are one part. What does the library call it, and what does it say about switching off
# mini? Take ψ_n = 8, ψ_p = 16.
#
# ### Exercise 3
# An activation without a linear part, a = 0, such as the third Hermite polynomial at variance 1 (`hermite3`): what is
# left of gen, and what does the model learn?

# %% [markdown]
# ### Answer 1
# From ψ_p ≈ 23 on at ψ_n = 8, twice what the law for large ψ_n says; at ψ_n = 512 the two agree within 15%.

# %%
gap = rfsim.theory.mini_gap(problem, samples_per_dim=[8, 64, 512], diffusion_times=[0.1])
opening, law = gap.opening.values[0], gap.opening_large.values[0]
for psi_n, value, large in zip((8, 64, 512), opening, law, strict=True):
    print(f"ψ_n = {psi_n:3d}: opens at ψ_p = {value:.1f}; ψ_n e^(4t) = {large:.1f}; ratio {value / large:.2f}")
assert 22.5 < opening[0] < 22.9
assert 1.8 < opening[0] / law[0] < 2
assert 1 < opening[2] / law[2] < 1.15

# %% [markdown]
# ### Answer 2
# "mini+main": one part with the mass of both. There is no gap to draw a contour through, so mini alone cannot be
# switched off, and no number is given for it. Switching off both removes the whole rise.

# %%
closed = rfsim.theory.curves(rfsim.Problem(samples_per_dim=8, features_per_dim=16), [np.inf], by_part=True)
print(closed.part.values.tolist())
rest, end = float(closed.test_without.sel(part="mini+main")[0]), float(closed.test[0])
print(f"L_test {end:.3f} at the end, {rest:.3f} without mini+main")
assert closed.part.values.tolist() == ["null", "mini+main", "gen"]
assert rest < 1 < end

# %% [markdown]
# ### Answer 3
# Nothing is left of gen. V = E φξᵀ vanishes in the limit with a, so that nothing is learned at all: every loss stays
# 1.

# %%
odd = rfsim.Problem(samples_per_dim=8, features_per_dim=64, activation="hermite3")
flat = rfsim.theory.curves(odd, [1.0, 1e5])
print(f"a = {float(flat.a):.1g}; parts: {', '.join(flat.part.values.tolist())}; L_test = {flat.test.values.tolist()}")
assert abs(float(flat.a)) < 1e-12
assert "gen" not in flat.part.values.tolist()
assert np.allclose(flat.test.values, 1, atol=1e-9)
