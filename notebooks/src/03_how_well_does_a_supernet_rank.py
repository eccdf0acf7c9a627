# %% [markdown]
# # 03 · How well does a SuperNet rank?
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/03_how_well_does_a_supernet_rank.ipynb)
#
# **After this notebook you can** compute Kendall's $\tau$ by hand and say how far it can be trusted at 20, 100 and
# 1,000 architectures; rank a whole search space with one SuperNet, and choose the batch-norm statistics for it;
# take a ground truth and measure its noise *before* you hold anything against it; and ask of every
# $\tau$ the three questions that decide what it is worth: better than counting FLOPs? still there among the best?
# wider apart than its interval?
#
# **Of the paper:** Eq. 1; the evaluation metric of Section IV-B; Table XI and Fig. 10 as context (their numbers,
# where quoted, are marked *paper*; no figure or table of the paper is made here).
#
# **Time:** quick 100 s · laptop 30 s from the stored results, about 15 min without · paper a week, estimated from one epoch (2 CPU cores; get a GPU)

# %% [markdown]
# The next cell does nothing where the kit is installed. On Colab it fetches and installs it.

# %% tags=["bootstrap"]
try:
    import mngnas_lib
except ModuleNotFoundError:
    import os
    import subprocess
    import sys

    if "google.colab" not in sys.modules:
        raise ModuleNotFoundError("the kit is not installed in this Python: README.md says how") from None
    if not os.path.isdir("mngnas-kit"):
        subprocess.run(
            ["git", "clone", "--depth=1", "https://github.com/mngnas-kit/mngnas-kit", "mngnas-kit"], check=True
        )
    os.chdir("mngnas-kit")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "-e", "."], check=True)
    sys.path.insert(0, os.getcwd())
    import mngnas_lib

# %%
# %matplotlib inline
from dataclasses import replace
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from IPython.display import display
from scipy import stats

from mngnas_lib.benchmarks import get_benchmark, truth_for
from mngnas_lib.data import load_images
from mngnas_lib.lab import (
    ArchSample,
    DataSpec,
    RankingRun,
    SpaceSpec,
    SupernetRun,
    current_profile,
    get_profile,
    run,
    stored,
)

# %%
from mngnas_lib.lab.comparison import supernet_tau
from mngnas_lib.lab.kit_runs import MODES, kit_ranking, kit_rows, kit_supernet
from mngnas_lib.lab.real_runs import real_ranking, real_tau
from mngnas_lib.lab.stats import (
    Tau,
    best_rank_at_k,
    compare_taus,
    kendall_tau,
    noise_ceiling,
    precision_at_k,
    ranking_report,
    tau_in_top,
)
from mngnas_lib.plots import (
    plot_bn_modes,
    plot_history,
    plot_interval_width,
    plot_ranking,
    plot_taus,
    plot_top_k,
    save,
    style,
)
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, rank
from mngnas_lib.truth import noise_report

profile = current_profile()
print(f"kit {mngnas_lib.__version__}, profile {profile.name}")

# %% [markdown]
# ## 1 Kendall's τ by hand
#
# A search cannot train every architecture to the end, so it trusts a cheap **estimate** $E$. Eq. 1 says when an
# estimate is perfect:
#
# $$E(\delta_i, \Theta_i; D_{val}) \le E(\delta_j, \Theta_j; D_{val}) \;\Rightarrow\;
# \mathrm{Acc}(\delta_i, \Theta_i; D_{test}) \le \mathrm{Acc}(\delta_j, \Theta_j; D_{test}) \qquad (1)$$
#
# It is a statement about *pairs*. None of the estimates in this notebook satisfies it for all of them, so we count.
# Let $P$ be the number of pairs in the same order on both sides, $Q$ the number in opposite order, and
# $n_0 = n(n-1)/2$ all pairs. Ties belong to neither: $t_E$ pairs are tied in $E$, $t_A$ in Acc.
#
# $$\tau_b = \frac{P - Q}{\sqrt{(n_0 - t_E)(n_0 - t_A)}}$$
#
# | symbol | in words | in the kit |
# | --- | --- | --- |
# | $\delta_i$ | architecture | `arch`; a row of a table `archs` |
# | $E(\delta_i, \Theta_i; D_{val})$ | estimate: accuracy on validation images with borrowed weights | `predicted`; the column `accuracy` |
# | $\mathrm{Acc}(\cdot; D_{test})$ | accuracy on test images after a training of its own | `true`; a benchmark's column `test` |
# | $\tau_b$ | Kendall's rank correlation, variant b (with ties) | `kendall_tau(predicted, true).value` |
# | $n$ | architectures | `.n` |
#
# The paper (Section IV-B) calls $\tau$ "the correlation between the search accuracy and the true accuracy" and prints
# $\tau \times 100$. We print $\tau$.
#
# Five architectures, small enough for pencil and paper:

# %%
toy = pd.DataFrame(
    {"E": [0.40, 0.55, 0.50, 0.70, 0.60], "Acc": [0.90, 0.91, 0.92, 0.93, 0.93]}, index=["A", "B", "C", "D", "E"]
)
toy

# %% [markdown]
# > **Predict.** Go through the ten pairs. How many are in the same order in both columns, how many in opposite
# > order, how many are tied? What is $\tau_b$?


# %%
def pair_sign(row, other):
    """+1: same order in both columns; -1: opposite; 0: tied in one of them."""
    return int(np.sign(row.E - other.E) * np.sign(row.Acc - other.Acc))


signs = {(a, b): pair_sign(toy.loc[a], toy.loc[b]) for a, b in combinations(toy.index, 2)}
same, opposite = list(signs.values()).count(1), list(signs.values()).count(-1)
ties_e, ties_acc = 0, 1  # D and E have the same Acc
by_hand = (same - opposite) / np.sqrt((10 - ties_e) * (10 - ties_acc))
print(f"P = {same}, Q = {opposite}, tau_b by hand = {by_hand:.4f}")

# %% [markdown]
# Eight pairs agree, one does not (B and C), one is tied (D and E). The library must agree with the pencil, and scipy
# with both:

# %%
tau = kendall_tau(toy.E, toy.Acc)
print(tau)
assert np.isclose(tau.value, by_hand) and np.isclose(tau.value, stats.kendalltau(toy.E, toy.Acc)[0])

# %%
matrix = pd.DataFrame(0, index=toy.index, columns=toy.index)
for (a, b), sign in signs.items():
    matrix.loc[a, b] = matrix.loc[b, a] = sign
with style():
    fig, ax = plt.subplots(figsize=(3.6, 3.2))
    words = matrix.replace({1: "+1", -1: "−1", 0: "0"})
    sns.heatmap(matrix, annot=words, fmt="", cmap="cividis", mask=np.eye(5, dtype=bool), cbar=False, square=True, ax=ax)
    ax.set_title("same order +1, opposite −1, tied 0", fontsize=11)
    ax.tick_params(length=0)
    ax.grid(False)
_ = save(fig, "03_pairs")

# %% [markdown]
# One dark pair, one grey one. Note what the picture does *not* contain: sizes. That $E$ is thirty points below Acc
# does not matter, nor does it matter how far apart A and B are. And all pairs weigh the same: a mistake between two
# hopeless architectures costs as much as one between the two best. Section 8 comes back to this.
#
# How to read a value: without ties the share of pairs in order is $(1 + \tau)/2$. The paper's 57.32 (*paper*,
# Table XI, MNGNAS with SPOS) means that of two random architectures the estimate puts 79 % in the right order;
# coin flips manage 50 %.
#
# The printed interval goes from 0 to 1. It asks: had we met *other* architectures, how different might $\tau$ be?
# With five, almost anything. (It is even too short: resamples of five repeat architectures.)
#
# ### Exercise 1
#
# Write `my_tau(predicted, true)`, $\tau_b$ of two lists, without scipy and without the library. Ties in both columns
# can occur; a pair tied in both counts in $t_E$ *and* in $t_A$.


# %%
def check_tau(function):
    """Compare an answer to exercise 1 with scipy on small random rankings, many of them with ties."""
    rng = np.random.default_rng(0)
    for trial in range(50):
        predicted, true = rng.integers(0, 3 + trial, size=(2, 8)).tolist()
        expected, answer = stats.kendalltau(predicted, true)[0], function(predicted, true)
        if answer is None or not np.isclose(answer, expected):
            print(f"Not yet: for {predicted} and {true} tau_b is {expected:.4f}, your function says {answer}.")
            return
    print("Exercise 1: correct.")


# %%
def my_tau(predicted, true): ...  # your code


check_tau(my_tau)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The sign of a difference is +1, 0 or −1. $P - Q$ is the sum over pairs of the product of two signs, and
# $n_0 - t_E$ the number of pairs whose sign in $E$ is not 0.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_tau(predicted, true):
#     pairs = list(combinations(range(len(true)), 2))
#     e = np.array([np.sign(predicted[i] - predicted[j]) for i, j in pairs])
#     a = np.array([np.sign(true[i] - true[j]) for i, j in pairs])
#     return (e * a).sum() / np.sqrt((e != 0).sum() * (a != 0).sum())
# ```
#
# </details>
#
# ## 2 One SuperNet ranks a whole space
#
# Now the estimate itself. We train one SuperNet of the chain space NAS-Bench-Macro (notebook 01), made narrow, on the
# 5,000 handwritten digits that the kit carries; SPOS, one random path a step (notebook 02). A run is described by a
# *config*; `run(config)` reads the stored result of exactly this config, or computes and stores it.

# %%
sizes = profile.supernet
space_spec = SpaceSpec("nasbench-macro", (("channels", sizes.channels), ("head_channels", sizes.head_channels)))
digits = DataSpec("digits", size=sizes.size, count=sizes.count, valid_fraction=sizes.valid_fraction)
training = TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr)
supernet = SupernetRun(space_spec, digits, training)
trained = run(supernet)
train_images, valid_images = round(sizes.count * (1 - sizes.valid_fraction)), round(sizes.count * sizes.valid_fraction)
print(f"{trained.metrics['steps']} steps, {train_images} training and {valid_images} validation images")

# %%
with style():
    fig, ax = plt.subplots(figsize=(7, 3.2))
    plot_history(trained.curve("epochs"), ax)
_ = save(fig, "03_training")

# %% [markdown]
# *Measured: this profile, digits, one seed.* Each dot of the curve is the mean over the paths that were drawn in an
# epoch. Fine; but is the *order* of paths right?
#
# ### Prefix sharing
#
# To evaluate 3,969 networks of eight blocks looks like $3{,}969 \cdot 8 = 31{,}752$ block evaluations. But
# `10201100` and `10201122` begin alike, and a chain computes the same thing as long as it is the same. Written as a
# tree (a **trie**), in which each prefix is one node, every node need be computed once.
#
# > **Predict.** How many nodes has the tree? (Without the merging of equal networks it would be
# > $3 + 3^2 + \dots + 3^8 = 9{,}840$.)

# %%
space = space_spec.build()
everyone = list(space.canonical_archs())
prefixes = {arch[:length] for arch in everyone for length in range(1, 9)}
print(f"{len(everyone)} networks, {8 * len(everyone):,} blocks one by one, {len(prefixes):,} in the tree")

# %% [markdown]
# Five times less work, and the *same* numbers, to the last bit: a block's input, its batch statistics included,
# depends on nothing but the blocks before it. Do not take this on trust; any weights will do:

# %%
small = get_space("nasbench-macro", channels=4, head_channels=16)
untrained = small.supernet(in_channels=1, seed=0)
images = load_images("digits", size=16, count=200, valid_fraction=0.5)
some = everyone[::100]
apart = rank(untrained, some, images).loss - rank(untrained, some, images, share_prefixes=False).loss
print(f"{len(some)} networks, losses differ by at most {np.abs(apart).max():.0e}")

# %%
everything = run(RankingRun(supernet, ArchSample(None), bn="batch")).table("archs")
best = everything.sort_values(["accuracy", "loss"], ascending=[False, True])
print(f"{len(best)} networks, {best.accuracy.nunique()} different accuracies on {valid_images} images")
best.iloc[[0, 1, 2, -3, -2, -1]]

# %% [markdown]
# That was the whole space: no sampling, one command, `run(RankingRun(supernet, ArchSample(None)))`. Note the ties. A
# few hundred validation images can give a few hundred accuracies at most, and thousands of networks have to share
# them. $\tau_b$ takes account of this; an argsort would hide it and let the row number decide.
#
# > **Predict.** The SuperNet saw accuracies and losses, never a FLOP. Will its ranking have anything to do with
# > size?

# %%
flops_tau = kendall_tau(everything.macs, everything.accuracy)
with style():
    fig, ax = plt.subplots(figsize=(7, 3.8))
    ax.scatter(everything.macs / 1e6, everything.accuracy * 100, s=6, alpha=0.25, linewidths=0)
    ax.set(xlabel="MACs for one image (millions)", ylabel=f"accuracy on {valid_images} validation images (%)")
    ax.set_title(f"τ = {flops_tau.value:.3f}, n = {flops_tau.n:,}")
_ = save(fig, "03_supernet_and_flops")

# %% [markdown]
# *Measured: this profile, digits, one SuperNet, all 3,969 networks, batch statistics.* The SuperNet likes large
# networks. Whether it is right to like them is not in this picture: both axes are estimates. For now we have what
# the next section needs, a long list with two rankings.
#
# ## 3 How sure is a τ?
#
# Nobody evaluates a ranking on all architectures. The paper takes 1,000 of NAS-Bench-101's 423,624; others take 100
# or 13. Another draw of architectures would have given another $\tau$. Here we *can* look: draw again.
#
# > **Predict.** The $\tau$ of the last figure, computed from 100 random networks instead of all: in which range do
# > 95 % of the draws lie? And with 1,000?


# %%
def taus_of_draws(predicted, true, n, draws, seed=0):
    """tau of ``draws`` random subsets of ``n`` architectures."""
    rng = np.random.default_rng(seed)
    rows = [rng.choice(len(true), n, replace=False) for _ in range(draws)]
    return np.array([stats.kendalltau(predicted[row], true[row])[0] for row in rows])


predicted, true = everything.macs.to_numpy(), everything.accuracy.to_numpy()
for n in (20, 100, 1000):
    draws = taus_of_draws(predicted, true, n, draws=200)
    low, high = np.quantile(draws, [0.025, 0.975])
    print(f"n = {n:4d}: 95 % of 200 draws between {low:.3f} and {high:.3f}, standard deviation {draws.std():.3f}")

# %% [markdown]
# In earnest there is one draw only, and its uncertainty must come from itself. The **bootstrap** does this: draw $n$
# architectures *with replacement* from the $n$ that we have, compute $\tau$, repeat 1,000 times, take the middle
# 95 %. Does it know what the repeated draws showed?

# %%
rng = np.random.default_rng(1)
rows = rng.choice(len(true), 100, replace=False)
estimate = kendall_tau(predicted[rows], true[rows])
print(f"one draw of 100: tau = {estimate.value:.3f}, interval [{estimate.low:.3f}, {estimate.high:.3f}]")
print(f"half its width, by 1.96: {(estimate.high - estimate.low) / 2 / 1.96:.3f}")

# %% [markdown]
# Half the width by 1.96 is the bootstrap's guess of the standard deviation; compare it with the line `n = 100` above.
# It was made from one draw alone.
#
# The same on **tables**, with FLOPs as the estimate and test accuracy as the truth. `truth_for` takes the official table
# of a benchmark where it is on this machine, and else the kit's own: small networks that the kit trained on digits made
# harder (Section 5 looks at one of them). The next cell prints which.


# %%
def tables_of(*spaces):
    """By name: benchmark, its distinct networks' table, and their rows in the benchmark."""
    found = {}
    for benchmark in map(truth_for, spaces):
        # NAS-Bench-Macro lists 6,561 strings but 3,969 networks; NAS-Bench-201 trained every string by itself
        distinct = benchmark.space.canonical_archs() if benchmark.name == "nasbench-macro" else benchmark.archs
        rows = benchmark.rows(list(distinct))
        found[benchmark.name] = benchmark, benchmark.table.iloc[rows].reset_index(drop=True), rows
    return found


tables = tables_of("nasbench201", "nasbench-macro")
for benchmark, _, _ in tables.values():
    print(benchmark.describe(), "\n")

# %%
pools = {"digits, SuperNet's accuracies": (predicted, true)}
pools |= {name: (table.macs.to_numpy(), table.test.to_numpy()) for name, (_, table, _) in tables.items()}
widths = {name: [] for name in pools}
for name, (flops, accuracy) in pools.items():
    for n in [30] * 8 + [100] * 8 + [300] * 8 + [1000] * 4:
        if n <= 0.6 * len(accuracy):  # two draws of nearly all would be nearly the same
            rows = rng.choice(len(accuracy), n, replace=False)
            widths[name].append(kendall_tau(flops[rows], accuracy[rows], resamples=300))

# %%
with style():
    fig, axes = plt.subplots(1, len(pools), figsize=(1.5 + 4 * len(pools), 3.6), sharey=True, squeeze=False)
    for ax, (name, taus) in zip(axes[0], widths.items(), strict=True):
        plot_interval_width({"FLOPs": taus}, ax)
        ax.set_title(name)
_ = save(fig, "03_interval_width")
summary = {
    name: pd.Series([t.high - t.low for t in taus]).groupby([t.n for t in taus]).mean() for name, taus in widths.items()
}
pd.DataFrame(summary).rename_axis("n").round(3)

# %% [markdown]
# *Measured: bootstrap, 300 resamples; digits under this profile, the tables named above.* Three truths, one law: the
# width falls as $1/\sqrt n$. Remember two figures: **at $n = 100$ the interval is about 0.2 wide, at $n = 1{,}000$
# about 0.06**: $\tau \pm 0.03$, or three points in the paper's unit.
#
# ### What this means for Table XI
#
# Table XI (*paper*; $\tau \times 100$, NAS-Bench-101, 1,000 architectures, no intervals, no seeds):
#
# | | SPOS | FairNAS | MixPath |
# | --- | --- | --- | --- |
# | w/o KD (*paper*) | 56.46 | 57.15 | 57.13 |
# | MNGNAS (*paper*) | 57.32 | 57.48 | 58.04 |
# | difference | 0.86 | 0.33 | 0.91 |
#
# Differences of 0.3 to 0.9 points, where each number by itself is known to three. Is that the end of it? Not yet: if
# both methods rank the *same* 1,000 architectures, a lucky draw helps both, and the luck cancels in the difference.
# `compare_taus` resamples both together (a **paired** bootstrap). How much cancels depends on how alike the two
# rankings are, which the paper does not say. So we simulate: two estimates of one truth, the second one better by
# about 0.8 points, whose errors have a given correlation.

# %% [markdown]
# > **Predict.** How alike do the errors have to be for a difference of 0.8 points to show at $n = 1{,}000$?


# %%
def two_estimates(correlation, n=1000, seed=0):
    """A truth and two estimates of it, the second slightly better, with correlated errors."""
    rng = np.random.default_rng(seed)
    truth, shared, one, two = rng.standard_normal((4, n))
    errors = [np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own for own in (one, two)]
    return truth, truth + 0.82 * errors[0], truth + 0.80 * errors[1]


rows = []
for correlation in (0.0, 0.5, 0.9, 0.99):
    runs = [two_estimates(correlation, seed=seed) for seed in range(8)]
    found = [compare_taus(better, worse, truth, resamples=300) for truth, worse, better in runs]
    width, seen = np.mean([d.high - d.low for d in found]), sum(d.low > 0 for d in found)
    rows.append({"correlation of errors": correlation, "interval's width x 100": 100 * width, "seen": f"{seen} of 8"})
pd.DataFrame(rows).round({"interval's width x 100": 1})

# %% [markdown]
# *Simulated: $n = 1{,}000$, eight truths each; "seen" counts intervals of the difference that lie above zero.* With
# independent errors the interval of the *difference* is more than six points wide, and 0.9 cannot be seen; only for
# near-copies of one another it can. And the bootstrap knows one source of luck only, the draw of architectures. The
# other one, the SuperNet's own seed, is not in any of these intervals: exercise 4.
#
# So Table XI does not refute the paper's claim, and does not support it. To do so it would need the two rankings
# themselves, or several seeds.
#
# ### Exercise 2
#
# Somebody wants to tell two methods apart whose $\tau$ differ by 0.009, on *independent* draws of architectures. The
# interval of one $\tau$ at $n = 1{,}000$ is 0.06 wide; the width falls as $1/\sqrt n$; the interval of a difference of
# two independent $\tau$ is $\sqrt 2$ times as wide. Half of it must be at most 0.009. How many architectures does
# each method need? Round to thousands.


# %%
def check_needed(n):
    """Check the answer to exercise 2."""
    if n is None:
        print("Not yet: put your number in.")
        return
    half = np.sqrt(2) * 0.06 * np.sqrt(1000 / n) / 2
    if half > 0.009:
        print(f"Not yet: with {n:,} architectures half of the interval is still {half:.4f}.")
    elif n > 24_000:
        print(f"Enough, but fewer do: half of the interval is {half:.4f} with {n:,}.")
    else:
        print("Exercise 2: correct.")


# %%
my_n = None  # your number
check_needed(my_n)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Solve $\sqrt 2 \cdot 0.06 \cdot \sqrt{1000/n} \,/\, 2 = 0.009$ for $n$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_n = 23_000  # 1000 * (np.sqrt(2) * 0.03 / 0.009) ** 2 = 22,222
# ```
#
# More than all of NAS-Bench-201 has. Pairing is not a refinement, it is what makes such a comparison possible.
#
# </details>
#
# ## 4 Batch norm: whose statistics?
#
# A batch norm subtracts a mean and divides by a standard deviation, per channel:
#
# $$\mathrm{BN}(x) = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta$$
#
# In training, $\mu$ and $\sigma^2$ are those of the batch. For evaluation it keeps running averages, and in a
# SuperNet these average over **all paths** that came by. A toy: two paths end in the same batch norm. Path 1 delivers
# numbers around 0, path 2 numbers around 4, both with standard deviation 1.
#
# > **Predict.** What are the running mean and variance, if both paths come by equally often? What does path 1 look
# > like after normalisation with them? (A running variance averages the variances *within* batches.)

# %%
norm = torch.nn.BatchNorm1d(1, momentum=0.01)
generator = torch.Generator().manual_seed(0)
for step in range(2000):
    norm(torch.randn(64, 1, generator=generator) + (0.0 if step % 2 else 4.0))
print(f"running mean {norm.running_mean.item():.2f}, running variance {norm.running_var.item():.2f}")
path_1 = torch.randn(1000, 1, generator=generator)
inherited, own = norm.eval()(path_1), norm.train()(path_1)
for name, x in [("inherited statistics", inherited), ("its own statistics", own)]:
    print(f"path 1 after normalisation with {name}: mean {x.mean().item():+.2f}, deviation {x.std().item():.2f}")

# %% [markdown]
# The statistics inherited from everybody fit nobody: path 1 arrives two standard deviations off, path 2 as far on
# the other side. The next ReLU would delete nearly all of path 1. During training this never showed, since there
# each batch has its own statistics. Three ways to evaluate a path:
#
# | `bn=` | $\mu$, $\sigma^2$ | cost |
# | --- | --- | --- |
# | `"inherited"` | the SuperNet's running averages | none |
# | `"batch"` | of each evaluated batch | none; but the result depends on who else is in the batch |
# | `"reestimate"` | averaged over four batches of *training* images, for this path alone (as SPOS does) | several times the forward passes |
#
# > **Predict.** Which order do the three have in mean accuracy? And which of them will *rank* best? These are two
# > questions.

# %%
sample = ArchSample(sizes.archs, seed=0)
by_mode = {bn: run(RankingRun(supernet, sample, bn=bn)).table("archs") for bn in MODES}
accuracies = pd.DataFrame({bn: table.accuracy for bn, table in by_mode.items()})
accuracies.describe().loc[["count", "mean", "std", "min", "max"]].round(3)

# %%
for a, b in combinations(MODES, 2):
    tau = kendall_tau(accuracies[a], accuracies[b])
    print(f"{a:10} and {b:10}: tau = {tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}]")
with style():
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.2))
    for ax, other in zip(axes, ("batch", "inherited"), strict=True):
        tau = kendall_tau(accuracies[other], accuracies.reestimate)
        labels = {"predicted_label": f"accuracy, {other}", "true_label": "accuracy, reestimate"}
        plot_ranking(accuracies[other], accuracies.reestimate, tau, ax, **labels)
_ = save(fig, "03_bn_accuracies")

# %% [markdown]
# *Measured: this profile, digits, validation images, one SuperNet.* Batch statistics and re-estimated ones are two
# estimates of the same thing, and the ranking hardly cares which is taken. Inherited ones cost accuracy, and not
# everybody the same amount: that is what destroys order. A loss of twenty points for all would be harmless.
#
# Which ranking is *right* cannot be told from these. For that we need a truth.
#
# ## 5 A truth that comes with the kit, and its noise
#
# The truth of Eq. 1 is accuracy on test images after a training of one's own. The kit brings such truths, small enough
# to need no download: for each of the three benchmark spaces, in a narrow version, some hundred architectures, each
# trained alone and from scratch, with several seeds. (`mngnas truth` computed them, and computes others.) On the digits of
# Sections 2 to 4 nearly all networks would be right on nearly all images, and a truth without differences is none. So
# their images are *harder* digits: turned, scaled, shifted, light on dark or dark on light, on uneven ground.

# %%
kit = get_benchmark("kit-nasbench201")
first = kit_supernet(profile, kit)
hard = first.data.load()
with style():
    fig, ax = plt.subplots(figsize=(8, 1.1))
    ax.imshow(torch.cat(list(hard.train.images[:12, 0]), dim=1), cmap="gray", vmin=0, vmax=255)
    ax.set_axis_off()
_ = save(fig, "03_hard_digits")
print(f"{len(hard.train):,} training, {len(hard.valid):,} validation, {len(hard.test):,} test images")

# %%
print(kit.describe())
kits = {name: get_benchmark(name) for name in ("kit-nasbench201", "kit-nasbench-macro", "kit-nasbench101")}
tests = pd.DataFrame({name: 100 * benchmark.table.test for name, benchmark in kits.items()}).describe().T
deviation = {name: 100 * (benchmark.table["std"] ** 2).mean() ** 0.5 for name, benchmark in kits.items()}
tests[["count", "min", "25%", "50%", "75%", "max"]].assign(between_seeds=pd.Series(deviation)).round(1)

# %% [markdown]
# Test accuracies in percent, means over an architecture's seeds; the last column is the deviation between the seeds of
# one architecture (root of the mean variance), where it was trained more than once. Compare how far architectures lie
# apart, and how far the seeds of one.
#
# **First the noise, then everything else.** Train the same architectures again with another seed; how well does one
# run predict the other? A method that predicts one run better than a second full training does would be predicting
# luck. This $\tau$ is the **noise ceiling**.
#
# > **Predict.** There are eight thousand test images. Will two seeds agree about the order of two random architectures
# > in nearly all cases? In three of four? And among the better half?


# %%
def complete(runs):
    """The columns of seeds with which every architecture was trained."""
    return runs[:, ~np.isnan(runs).any(axis=0)]


seeds = {name: complete(benchmark.runs) for name, benchmark in kits.items()}
seeds = {name: runs for name, runs in seeds.items() if runs.shape[1] > 1}
kit_ceilings = {name: noise_ceiling(runs) for name, runs in seeds.items()}
with style():
    fig, axes = plt.subplots(1, len(seeds), figsize=(5.6 * len(seeds), 4.2), squeeze=False)
    for ax, (name, runs) in zip(axes[0], seeds.items(), strict=True):
        labels = {"predicted_label": "test accuracy, seed 0", "true_label": f"{name}: seed 1"}
        plot_ranking(runs[:, 0], runs[:, 1], kit_ceilings[name], ax, method="w/o KD", margins=False, **labels)
_ = save(fig, "03_noise_ceiling")

# %%
for name, benchmark in kits.items():
    trainings = pd.DataFrame(benchmark.runs, index=benchmark.table.arch).rename_axis(columns="seed").stack().dropna()
    for report in noise_report(trainings.rename("test").reset_index()):
        for group, tau in (("all", report.overall), ("top half", report.top_half)):
            print(f"{name}, {report.what}, {group}: {tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}], n = {tau.n}")
if kit.name not in seeds:
    print(f"{kit.name}: one seed so far, so that its own ceiling is not known")

# %% [markdown]
# *Computed from the kit's own truths: hard digits, the seeds and architectures that the lines name.* Lines with "one
# training and another" hold a training against one with another seed; $(1 + \tau)/2$ is the share of pairs in the same
# order. Lines with a mean hold it against one more training: a mean is less noisy than a training, so this is nearer
# to what a perfect prediction could reach. (Against the *mean* a perfect prediction would get further still: both lines
# keep the noise of the single training on one side.) Among the better half, where accuracies lie closer together, luck
# decides more pairs.
#
# What is held against a single training cannot be expected to pass these lines; what is held against means, as below,
# can pass them: under `laptop`, FLOPs do so among the better half. Published tables have their ceiling too: Section 6 has
# NAS-Bench-Macro's.
#
# ### A SuperNet of the same space, on the same images
#
# Now the estimates. A SuperNet of exactly this small space is trained on exactly these training images, and ranks the
# truth's architectures on their validation images, under its three kinds of batch-norm statistics. Beside it stand two
# estimates that cost nothing, FLOPs and parameters. "By loss" is the cross-entropy in place of the accuracy, the lower
# the better: it moves where no image changes sides.
#
# > **Predict.** Which share of the way to the ceiling does the SuperNet get? And counting FLOPs?

# %%
few = kit.table.iloc[kit_rows(profile, kit)].reset_index(drop=True)
scores = {bn: run(kit_ranking(profile, kit, bn)).table("archs").accuracy for bn in MODES}
scores |= {
    "batch, by loss": -run(kit_ranking(profile, kit)).table("archs").loss,
    "FLOPs": few.macs,
    "params": few.params,
}
print(f"SPOS, {first.train.epochs} epochs of {len(hard.train):,} images; {len(few)} of {len(kit)} architectures")
print(
    f"mean accuracy with borrowed weights {scores['batch'].mean():.1%}, after trainings of their own {few.test.mean():.1%}"
)
report = ranking_report(scores, few.test)
columns = ["tau", "tau_low", "tau_high", "tau_top50", "tau_top50_low", "tau_top50_high", "best_rank@10", "n"]
report[columns].round(3)

# %%
taus = {name: kendall_tau(score, few.test) for name, score in scores.items()}
bars = {"SuperNet, batch": taus["batch"], "FLOPs": taus["FLOPs"], "params": taus["params"]}
with style():
    fig, ax = plt.subplots(figsize=(7.5, 2.6))
    plot_taus(bars, ax, ceiling=kit_ceilings.get(kit.name), methods={"SuperNet, batch": "SPOS"})
    ax.set_title(f"{kit.name}, {kit.dataset}, n = {len(few)}", pad=20)
_ = save(fig, "03_taus_kit")

# %%
with style():
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.8), width_ratios=[1, 1.1])
    plot_ranking(scores["batch"], few.test, taus["batch"], axes[0], margins=False)
    plot_bn_modes({bn: taus[bn] for bn in MODES}, axes[1], baselines={"FLOPs": taus["FLOPs"]})
_ = save(fig, "03_ranking_kit")

# %%
for other in ("FLOPs", "reestimate", "inherited"):
    d = compare_taus(scores["batch"], scores[other], few.test)
    print(f"batch minus {other:10}: {d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}], p = {d.p:.2f}")

# %% [markdown]
# *Measured: this profile, hard digits, one SuperNet; the truth is the kit's own.* Read the figures together with the
# ceiling: it says how much order there is to be found at all. Then the table's columns `tau_top50`: what is left of a
# ranking among the better half of the architectures, and is its interval clear of zero? A difference of two $\tau$ counts
# if its paired interval excludes zero; under `quick`, with sixty architectures, few do.
#
# Section 4 said that inherited statistics destroy order. Here is how much, against a truth.
#
# Mind the mean accuracies above the table, too. Harder digits are hard for shared weights, since the paths disagree: a
# SuperNet of a few epochs (`quick`) is far from what each network alone reaches in two, and cannot tell networks apart.
# After fifteen epochs (`laptop`) borrowed weights are still fourteen points behind own ones. By Eq. 1 the level does not
# matter, in either case; order does. And there counting FLOPs is ahead: these SuperNets are small and briefly trained.
#
# Mind the sample. The truth's architectures were drawn evenly over the range of FLOPs, not uniformly over the space,
# because a uniform draw holds hardly any of the largest cells. So small and large networks are over-represented, and a
# ranking by size looks better here than it would in a uniform draw. A $\tau$ belongs to a truth *and* a sample.
#
# ### And the real table?
#
# Small networks on tiny images of digits: does such a truth say anything about the accuracies on CIFAR-10 that NAS-Bench-201
# lists for the same architectures at full size? Where the official table is on this machine, we can ask.
#
# > **Predict.** What is the $\tau$ of the kit's truth with the official one? Higher or lower than that of FLOPs?

# %%
if "nasbench201" in tables:
    official = tables["nasbench201"][0].scores(list(few.arch)).test
    for name, score in {"kit's truth": few.test, "SuperNet, batch": scores["batch"], "FLOPs": few.macs}.items():
        tau = kendall_tau(score, official)
        print(f"{name} and official table, CIFAR-10: {tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}], n = {tau.n}")
else:
    print("No official table of NAS-Bench-201 here: all of this section is against the kit's own truth.")

# %% [markdown]
# *Computed with the kit's truth and the published table; the same architectures.* If the first line is no better than the
# last, the two truths agree about little more than size, and what you learn about a method here need not hold there. A
# small truth shows how to measure. It does not replace the measurement where you want to know.
#
# So, before you believe a $\tau$: how noisy is the truth, how many architectures, and does the *paired* interval of
# the difference exclude zero?
#
# ### Exercise 3
#
# A search does not need the whole order, it needs a good architecture among the few that it will train. **Precision
# at $k$**: which share of the $k$ that the estimate puts first is among the truly best $k$? **Best rank at $k$**: if
# we train the $k$ first, what is the true rank of the best one? Write both, for lists without ties.


# %%
def check_top_k(precision, best_rank):
    """Compare the answers to exercise 3 with the library on random rankings without ties."""
    rng = np.random.default_rng(0)
    for k in (1, 3, 5, 10):
        predicted, true = rng.permutation(20).tolist(), rng.permutation(20).tolist()
        for name, mine, library in [("precision", precision, precision_at_k), ("best rank", best_rank, best_rank_at_k)]:
            answer, expected = mine(predicted, true, k), library(predicted, true, k)
            if answer is None or not np.isclose(answer, expected):
                print(f"Not yet: {name} at k = {k} is {expected:g} for {predicted} and {true}, not {answer}.")
                return
    print("Exercise 3: correct.")


# %%
def my_precision(predicted, true, k): ...  # your code


def my_best_rank(predicted, true, k): ...  # your code


check_top_k(my_precision, my_best_rank)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `np.argsort(values)[::-1][:k]` are the indices of the $k$ largest. The true rank of $i$ is 1 + the number of
# architectures with a larger true value.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def top(values, k):
#     return set(np.argsort(values)[::-1][:k].tolist())
#
#
# def my_precision(predicted, true, k):
#     return len(top(predicted, k) & top(true, k)) / k
#
#
# def my_best_rank(predicted, true, k):
#     return min(1 + sum(other > true[i] for other in true) for i in top(predicted, k))
# ```
#
# With ties there is no *the* top $k$; the library then gives the mean over all ways of breaking them.
#
# </details>
#
# ## 6 What a free estimate reaches
#
# On benchmarks others did the training, for thousands of architectures, so the intervals shrink to almost nothing.
# Published accuracies carry conditions, which Section 3 printed: NAS-Bench-Macro's are those of the **best epoch on the
# test images**, an optimistic figure. Without the official files the next cells take the kit's own truths, and say so.
#
# > **Predict.** Rank a space by FLOPs alone, larger first. No training, no images. What $\tau$ do you expect? And
# > what does a real training of 12 epochs reach, of which NAS-Bench-201 has one for each architecture?

# %%
free = {}
for name, (_, table, _) in tables.items():
    free[name] = {
        cost: kendall_tau(table[column], table.test) for cost, column in [("FLOPs", "macs"), ("params", "params")]
    }
    print(name, {cost: f"{tau.value:.3f} (n = {tau.n:,})" for cost, tau in free[name].items()})
ceilings = {}
for name, (benchmark, _, rows) in tables.items():
    whole = np.empty((0, 0)) if benchmark.runs is None else complete(benchmark.runs[rows])
    if whole.shape[1] > 1:
        ceilings[name] = noise_ceiling(whole)
        print(f"{name}: noise ceiling, run against run, {ceilings[name].value:.3f}")

# %%
if "nasbench201" in tables:
    long = tables["nasbench201"][1]
    short = get_benchmark("nasbench201", epochs=12).table.set_index("arch").loc[long.arch]
    for split in ("valid", "test"):
        free["nasbench201"][f"12 epochs, {split}"] = kendall_tau(short[split].to_numpy(), long.test)
        print(f"12 epochs, {split}: tau = {free['nasbench201'][f'12 epochs, {split}'].value:.3f}")

# %%
looks = {"12 epochs, valid": "w/o KD", "12 epochs, test": "Single KD"}
with style():
    fig, axes = plt.subplots(len(free), 1, figsize=(7.5, 1.2 + 1.9 * len(free)), squeeze=False)
    for ax, (name, taus_of) in zip(axes[:, 0], free.items(), strict=True):
        plot_taus(taus_of, ax, methods=looks, ceiling=ceilings.get(name))
        ax.set_title(f"{name}, {tables[name][0].dataset}")
_ = save(fig, "03_free_estimates")

# %% [markdown]
# *Computed by us from the tables that the figure names.* The numbers that follow are those of the **published** ones,
# CIFAR-10: NAS-Bench-Macro, 3,969 distinct networks, mean of three runs of 50 epochs, best epoch on test;
# NAS-Bench-201, all 15,625 strings, 200 epochs, mean of one to three seeds.
#
# There FLOPs reach **0.546** on NAS-Bench-Macro and **0.577** on NAS-Bench-201, for
# nothing. Parameters are worth 0.215 on the first and as much as FLOPs on the second, where both count 3×3
# convolutions (notebook 01). A real training of 12 epochs, with own weights, gets 0.594 by its validation accuracy.
# And NAS-Bench-Macro's ceiling is 0.879, so there is room above FLOPs: it is not luck of training that stops us.
#
# The "intervals" are tiny here and mean little: these are all the architectures there are.
#
# Two details decide such numbers, and papers often leave them out. *Which split?* The same 12 epochs give 0.594 by
# validation and 0.700 by test accuracy. The latter estimate uses the very images of the truth and was trained on
# twice as many; a search may not have it. *Which architectures?* Over the 6,561 strings of NAS-Bench-Macro equal
# networks would be counted several times.

# %% [markdown]
# ## 7 A SuperNet on CIFAR-10 against the table
#
# Now the test that counts: real images, a table with truth, a few hundred architectures. A narrow SuperNet of
# NAS-Bench-201 (8 channels, one cell a stage, where the benchmark has 16 and five), CIFAR-10 as JPEG images shrunk to
# 16×16 pixels, SPOS with balanced draws (notebook 02), `laptop` sizes. This takes images and a table that not everybody
# has; so the notebook shows the **stored** result, whatever your profile. `run(real_tau(profile))` computes it, in some
# minutes under `laptop`.
#
# > **Predict.** FLOPs got 0.577 over this space. Will a trained SuperNet beat that?

# %%
laptop = get_profile("laptop")
real = {bn: stored(real_tau(laptop, bn), profile="laptop") for bn in MODES}
real = {bn: result.table("report").set_index("ranking") for bn, result in real.items() if result is not None}
if real:
    config = real_ranking(laptop).supernet
    held_back = round(laptop.real.count * laptop.real.valid_fraction)
    print(
        f"{laptop.real.count - held_back} training and {held_back} validation images, {config.train.epochs} epochs, one seed"
    )
else:
    print("This result is not stored here: `run(real_tau(profile))` computes it, given CIFAR-10 images and the table.")


# %%
def tau_in(report, ranking, group):
    """A stored tau with its interval: among all, or among the best 50 or 10 % by the truth."""
    column, fraction = {"all": ("tau", 1.0), "top 50 %": ("tau_top50", 0.5), "top 10 %": ("tau_top10", 0.1)}[group]
    row = report.loc[ranking]
    return Tau(row[column], row[f"{column}_low"], row[f"{column}_high"], int(np.ceil(fraction * row["n"])))


GROUPS = ("all", "top 50 %", "top 10 %")
if real:
    supernets = {bn: {group: tau_in(report, "SuperNet", group) for group in GROUPS} for bn, report in real.items()}
    any_report = next(iter(real.values()))
    costs = {cost: {group: tau_in(any_report, cost, group) for group in GROUPS} for cost in ("FLOPs", "params")}
    with style():
        fig, ax = plt.subplots(figsize=(8, 4))
        plot_bn_modes(supernets, ax, baselines=costs)
        ax.set_title("measured: profile laptop, CIFAR-10 JPEG at 16×16")
    _ = save(fig, "03_supernet_cifar10")

# %%
if real:
    rows = {f"SuperNet, {bn}": report.loc["SuperNet"] for bn, report in real.items()}
    rows |= {cost: any_report.loc[cost] for cost in ("FLOPs", "params")}
    columns = ["tau", "tau_low", "tau_high", "tau_top50", "tau_top10", "precision@10", "best_rank@10", "n"]
    display(pd.DataFrame(rows).T[columns].round(3))

# %% [markdown]
# *Measured: 300 random strings, one seed.* FLOPs get 0.60 [0.55, 0.65] on this sample. The SuperNet gets 0.30
# [0.23, 0.37] with batch statistics, 0.29 with re-estimated and 0.23 with inherited ones: half of what counting
# multiplications gives for nothing. In the better half its order is no better than chance ($-0.02$
# [$-0.13$, $0.09$]), where FLOPs keep 0.44; in the best tenth, thirty architectures, the intervals allow nearly anything.
# What $\tau$ it has comes from telling hopeless cells from others.
#
# Why so little? Half of the 300 accuracies in this SuperNet lie between 55.1 and 57.2 %, and an accuracy on 2,000 images
# has a standard error of 1.1 points: within the bulk, much of the order is noise of the validation images. And the
# interval is over architectures. The luck of this one training, which exercise 4 looks at, comes on top.
#
# ### What a better training changes
#
# Is 0.30 all that this network can do? Three things can be had at no cost. *Batches of 32 images*: twice the steps in
# nearly the same time. *Batch norms whose scale and shift stay at 1 and 0* (`bn_affine=False`), as in the weight-sharing
# networks of NAS-Bench-201's authors: those two numbers are shared by all paths, which disagree about them. And *the
# cross-entropy* as the score in place of the accuracy, since it moves where no image changes sides; with 4,000
# validation images in place of 2,000. Nothing else is new: 12,000 training images, 40 epochs, batch statistics, the same
# 300 strings. (The batch norms and the score were chosen on another 300 strings, but the batch size on these.)

# %%
better = {
    (score, seed): stored(supernet_tau(laptop, bn_affine=False, score=score, seed=seed), profile="laptop")
    for score in ("accuracy", "loss")
    for seed in range(3)
}
rows = {
    f"by {score}, seed {seed}": result.table("report").set_index("ranking").loc["SuperNet"]
    for (score, seed), result in better.items()
    if result is not None
}
if rows:
    display(pd.DataFrame(rows).T[["tau", "tau_low", "tau_high", "tau_top50", "n"]].round(3))

# %% [markdown]
# *Measured, three seeds.* 0.34, 0.34 and 0.29 by accuracy (0.32 on average), 0.41, 0.36 and 0.33 by cross-entropy (0.36).
# Better, and still far below what FLOPs get. And look at the spread: three trainings that differ in nothing but their
# seed lie 0.05 to 0.08 apart. Had we stopped after the first seed, we would have told you 0.41. A SuperNet's own ranking
# can be repaired a little. Whether *retraining* each candidate repairs more is the question of the next notebooks.
#
# ## 8 FLOPs are not stupid, and not enough
#
# "More FLOPs is better" gets 0.58 because a random sample contains hopeless architectures: cells that pass nothing
# on, cells without a convolution. To put these last takes no insight. But a search *chooses among the best*.
#
# > **Predict.** Keep only the better half by true accuracy, and compute FLOPs' $\tau$ anew; then the best tenth. What
# > happens?

# %%
TOPS = {"all": 1.0, "top 50 %": 0.5, "top 10 %": 0.1}
pools = {name: (table.macs, table.params, table.test) for name, (_, table, _) in tables.items()}
shrinking = {
    name: {
        cost: {top: tau_in_top(values, true, fraction, resamples=300) for top, fraction in TOPS.items()}
        for cost, values in (("FLOPs", macs), ("params", params))
    }
    for name, (macs, params, true) in pools.items()
}
print({name: {top: round(tau.value, 3) for top, tau in costs["FLOPs"].items()} for name, costs in shrinking.items()})

# %%
with style():
    fig, axes = plt.subplots(1, len(shrinking), figsize=(6 * len(shrinking), 3.8), squeeze=False)
    for ax, (name, costs) in zip(axes[0], shrinking.items(), strict=True):
        plot_bn_modes({}, ax, baselines=costs)
        ax.set_title(name)
_ = save(fig, "03_top_fractions")

# %% [markdown]
# *Computed by us from the tables that the figure names.* In the **published** ones, CIFAR-10: on NAS-Bench-201 FLOPs
# fall from 0.58 over all architectures to 0.39 in the better half and to 0.08 in the best tenth; on NAS-Bench-Macro
# from 0.55 to 0.37 and 0.34. Some of this is not FLOPs' fault: among the best, true accuracies lie closer together, and
# the luck of their training blurs the order. How much FLOPs are worth at the top depends on the space.
#
# > **Predict.** You may train the $k$ largest cells of NAS-Bench-201 to the end. How large must $k$ be for the best of
# > them to be among the ten truly best of 15,625?

# %%
name, (macs, params, true) = next(iter(pools.items()))
ks = [k for k in (1, 3, 10, 30, 100, 300) if k <= len(true) // 3]
curves = {
    cost: {k: best_rank_at_k(values, true, k) for k in ks} for cost, values in (("FLOPs", macs), ("params", params))
}
with style():
    fig, ax = plt.subplots(figsize=(6.4, 3.6))
    plot_top_k(curves, ax, quantity="best rank at k", total=len(true))
    ax.set_title(f"{name}, {len(true):,} architectures")
_ = save(fig, "03_best_rank")

# %% [markdown]
# *As before; architectures with equal FLOPs in random order, so ranks are means.* In the published table the largest
# cell of NAS-Bench-201 is number 166 by true accuracy, and the best of the ten largest about number 96. But the best of
# 30 is the third best of all, where 30 random ones would get to about number 500. So FLOPs are a filter that is hard to
# beat, and they cannot choose among what passes it. And a search runs under a constraint, $B(\delta) \le b$ in Eq. 4: between architectures
# that cost the same, FLOPs have nothing to say. There an estimate that looks at images has its chance.
#
# ### Exercise 4
#
# The luck that no bootstrap over architectures sees: the SuperNet's own seed. Make the config of a **second SuperNet**
# that differs from the `first` of Section 5 in the seed of its training, and in nothing else. Then rank with it, and
# compute the $\tau$ of the two SuperNets with each other over the same architectures: their agreement bounds what either
# can reach.


# %%
def check_second(config, first):
    """Check the config of exercise 4."""
    if config is None:
        print("Not yet: make a SupernetRun.")
    elif config.train.seed == first.train.seed:
        print("Not yet: its training has the same seed, so it would be the same SuperNet.")
    elif replace(config, train=replace(config.train, seed=first.train.seed)) != first:
        print("Not yet: it differs from the first in more than the training's seed. (Data have a seed as well.)")
    else:
        print("Exercise 4: correct. Now rank with it.")


# %%
second = None  # your config
check_second(second, first)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Configs are frozen dataclasses: `dataclasses.replace(config, field=value)` makes a changed copy. The seed is two
# levels down, in `supernet.train.seed`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# second = replace(first, train=replace(first.train, seed=1))
# check_second(second, first)
# archs = kit_ranking(profile, kit).archs
# rankings = [run(RankingRun(config, archs)).table("archs").accuracy for config in (first, second)]
# print(kendall_tau(*rankings))
# for ranking in rankings:  # and each against the truth of Section 5
#     print(kendall_tau(ranking, few.test))
# ```
#
# `kit_ranking(profile, kit, seed=1)` is the same run. For the profile `laptop` both seeds are stored, and the next cell
# shows them whatever your profile.
#
# </details>

# %%
twins = [stored(kit_ranking(laptop, kit, seed=seed), profile="laptop") for seed in (0, 1)]
if all(twins):
    one, other = (result.table("archs").accuracy for result in twins)
    true = kit.table.test.iloc[kit_rows(laptop, kit)]
    for name, pair in {"0 and truth": (one, true), "1 and truth": (other, true), "0 and 1": (one, other)}.items():
        tau = kendall_tau(*pair)
        print(f"seeds {name}: tau = {tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}], n = {tau.n}")

# %% [markdown]
# *Measured: profile laptop, hard digits, the kit's own truth.* Two trainings that differ in nothing but their seed. A
# method's gain that is no larger than the difference of the first two $\tau$, measured with one SuperNet each, says
# nothing.
#
# ## What to take with you
#
# * $\tau$ counts pairs. It has no units, no memory of sizes, and gives equal weight to pairs that nobody cares about.
# * A $\tau$ without $n$, interval, split, epoch and a FLOPs baseline is hearsay. At $n = 1{,}000$ the interval is
#   $\pm 0.03$, three points in the paper's unit; at $n = 100$, $\pm 0.1$.
# * Compare methods on the same architectures, by a paired bootstrap; and repeat the SuperNet with other seeds.
# * Measure the truth's own noise first. It is the ceiling of everything else.
# * Never evaluate a path with batch-norm statistics that it inherited.
# * Ask for $\tau$ among the best half, and for best rank at $k$: that is what a search lives on.
#
# **Next:** if borrowed weights rank this poorly, candidates must be trained a little themselves before they are
# compared. How networks can teach each other while that happens is what the paper is about: notebook 04,
# distillation.
