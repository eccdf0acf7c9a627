# %% [markdown]
# # 07 · The search
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/07_the_search.ipynb)
#
# **After this notebook you can** go through Algorithm 3 line by line with pencil and paper: propose candidates, say
# who learns from whom, rank, update two teacher groups, remove; write it in twenty lines and check them against a
# real search; read a search's history, and know which of its numbers cannot be compared; stop a search and go on to
# the same bits; start one from the command line; and say what it takes to claim that distillation helps.
#
# **Of the paper:** Algorithm 3 and Section III-F with Eq. 24; Section III-C for who teaches whom; Fig. 11, in our own
# drawing. Table XI as context (its numbers are marked *paper*).
#
# **Time:** quick 40 s · laptop 30 s from the stored results, about 8 min without · paper not measured (2 CPU cores)

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
import tempfile
from collections import Counter
from dataclasses import replace
from itertools import pairwise, product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.data import load_images
from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS
from mngnas_lib.distill.perturbation import neighbours, perturbed_archs
from mngnas_lib.errors import CheckpointError
from mngnas_lib.lab import (
    DataSpec,
    SearchRun,
    SpaceSpec,
    SupernetRun,
    current_profile,
    get_profile,
    run,
    search_settings,
    stored,
)

# %%
from mngnas_lib.lab.comparison import FIVE, compare, comparison, equal_time, regrets
from mngnas_lib.lab.kit_runs import kit_comparison
from mngnas_lib.lab.stats import Difference, Tau, kendall_tau
from mngnas_lib.plots import (
    draw_architecture,
    plot_accuracy_cloud,
    plot_algorithm_taus,
    plot_coefficients,
    plot_groups,
    plot_losses,
    plot_search_progress,
    plot_tau_differences,
    plot_who_taught,
    save,
    short_names,
    style,
)
from mngnas_lib.register import show
from mngnas_lib.search import (
    Constraint,
    Member,
    RetrainConfig,
    SearchConfig,
    TeacherGroups,
    crossover,
    mutate,
    propose,
    random_candidates,
    remove_worst,
    search,
    update_group,
)
from mngnas_lib.search.teaching import choose_teachers, entrants, taught_by
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig

profile = current_profile()
print(f"kit {mngnas_lib.__version__}, profile {profile.name}")

# %% [markdown]
# ## 1 Algorithm 3, as printed
#
# Everything so far was a part: a SuperNet (02) that ranks badly (03), networks that teach (04), weighted teachers
# (05), teachers that are prepared for teaching (06). Algorithm 3 puts the parts together. In the paper's lines:
#
# ```
#  1  T_s = ∅, T_l = ∅
#  2  for i = 0 to Epoch do
#  3      sample n candidate architectures δ_1 ... δ_n following the FLOPs constraint
#  4      if T_s = ∅ and T_l = ∅ then
#  5          retrain all of them (labels only)
#  6      else
#  7          if flops(δ_i) ≤ flops_thre then
#  8              T_s and the other candidates {S_j}, j ≠ i, teach
#  9          else
# 10              T_l and the other candidates {S_j}, j ≠ i, teach
# 11-12      end, end
# 13      select the high-precision architectures, replace low-precision ones in T_s and T_l
# 14  end
# ```
#
# | symbol | in words | in the kit |
# | --- | --- | --- |
# | $\mathcal{A}$ | search space | `space` |
# | $n$, $n_S$ (30 in the paper) | candidates of a search epoch | `candidates` |
# | *Epoch* | search epochs; the paper gives no number | `search_epochs` |
# | $flops_{thre}$ | between small and large; no number in the paper | `threshold` (default: median of the first candidates) |
# | $T_s$, $T_l$ | teacher groups, small and large | `TeacherGroups.small`, `.large` |
# | $n_{TS}$ (5 in each) | the most that a group holds | `group_size` |
# | $n_{removed}$ (10) | taken out of the population in each search epoch | `removed` |
# | $n_{retra}$ (40) | epochs of retraining | `retrain.epochs` |
#
# Three words for three sets, which the paper does not always keep apart. The **candidates** are the architectures of
# *this* search epoch. The **population** is everything retrained so far that has not been removed: parents come from
# it. The **teachers** are the best of everything retrained so far. An architecture can be in all three.
#
# We take the lines one by one, on the cell space NAS-Bench-201: six slots (edges) with five operations each,
# numbered 0 to 4.

# %%
sizes = profile.supernet
space = get_space("nasbench201", channels=sizes.channels, cells=sizes.cells)
digits = DataSpec("digits", size=sizes.size, count=sizes.count, valid_fraction=sizes.valid_fraction)
costs = Constraint.of(space, input_shape=(1, sizes.size, sizes.size), num_classes=10)
print(f"{space.size:,} architectures, slots: {', '.join(slot.name for slot in space.slots)}")
print(f"choices of each: {dict(enumerate(space.slots[0].choices))}")

# %% [markdown]
# ## 2 Line 3: candidates
#
# ### At random, under the constraint
#
# In the first search epoch nothing is known, so candidates are drawn at random. "Following the FLOPs constraint" is
# the $B(\delta) \le b$ of Eq. 4: what costs more is not drawn. FLOPs are multiply-accumulates (MACs), computed from a
# table of the slots' costs without building a network.
#
# > **Predict.** If you allow half of the largest architecture's MACs, which share of all architectures is left? (An
# > operation costs nothing, or it is a 1×1 convolution, or a 3×3 one that costs nine times as much.)

# %%
everyone = list(space.all_archs())
macs = np.array([costs.cost(arch).macs for arch in everyone])
limit = int(macs.max() / 2)
constraint = Constraint.of(space, limit, input_shape=(1, sizes.size, sizes.size), num_classes=10)
drawn = random_candidates(space, 6, constraint, (), np.random.default_rng(0))
print(f"{macs.min():,} to {macs.max():,} MACs, {len(set(macs))} different values")
print(f"{np.mean(macs <= limit):.1%} have at most {limit:,}")
pd.DataFrame({"arch": drawn, "MACs": [costs.cost(arch).macs for arch in drawn]})

# %% [markdown]
# Nine in ten: only cells with about three 3×3 convolutions or more are so large. A constraint that sounds strict can
# be none. And the space has just 28 different values of MACs (how many convolutions of each kind?), so that
# architectures which cost the same are the rule. (A limit that nothing satisfies ends in an error that says what the
# smallest costs, not in an endless loop.)
#
# ### Crossover, by hand
#
# Later candidates come from the survivors. Section III-F: "Crossover operation means that the same modules in the
# candidate architecture are retained, and different modules are randomly selected."
#
# ```
# slot        0  1  2  3  4  5
# parent a    3  0  2  3  1  0
# parent b    3  4  2  1  1  2
# child       3  ?  2  ?  1  ?
# ```
#
# > **Predict.** How many different children are there? How many of them are new?


# %%
def children(a, b):
    """All that crossover of two parents can give."""
    return set(product(*({x, y} for x, y in zip(a, b, strict=True))))


parent_a, parent_b = (3, 0, 2, 3, 1, 0), (3, 4, 2, 1, 1, 2)
by_hand = children(parent_a, parent_b)
sorted(by_hand)

# %% [markdown]
# The parents differ in three slots: $2^3 = 8$, and two of these are the parents themselves. The library's `crossover`
# must give these eight, no others, and all equally often:

# %%
rng = np.random.default_rng(0)
counts = Counter(crossover(parent_a, parent_b, rng) for _ in range(4000))
assert set(counts) == by_hand
print(f"4,000 children: each of the {len(counts)} came {min(counts.values())} to {max(counts.values())} times")

# %% [markdown]
# So crossover never brings an operation into a slot that neither parent has there, and the closer the parents, the
# fewer the children. A population of look-alikes has no children at all.
#
# ### Mutation, by hand
#
# "The mutation operation is to randomly select a module to become another candidate one": one slot, another choice.
#
# > **Predict.** How many architectures can come out of `a` by one mutation?

# %%
mutants = {(*parent_a[:s], c, *parent_a[s + 1 :]) for s in range(6) for c in range(5) if c != parent_a[s]}
drawn = Counter(mutate(parent_a, space, rng) for _ in range(4000))
assert mutants == set(neighbours(space, parent_a)) == set(drawn)
print(f"{len(mutants)} mutants; 4,000 draws: each came {min(drawn.values())} to {max(drawn.values())} times")

# %% [markdown]
# $6 \cdot 4 = 24$, the set of Eq. 21 (notebook 06): perturbed architectures and mutants are the same thing, made for
# different purposes. What a teacher is prepared for in Algorithm 2 is precisely to teach its own mutants.
#
# ### Exercise 1
#
# Write `my_mutant(arch, rng)`, a mutation for this space: one slot out of six, one of its four *other* choices, all 24
# equally likely. `rng.integers(n)` draws from 0 to $n - 1$.


# %%
def check_mutant(function, arch=(3, 0, 2, 3, 1, 0)):
    """Check an answer to exercise 1: one slot changes, and all 24 mutants are equally likely."""
    rng = np.random.default_rng(0)
    drawn = Counter(function(arch, rng) for _ in range(4800))
    for mutant in drawn:
        if mutant is None or len(mutant) != 6 or not all(0 <= choice < 5 for choice in mutant):
            print(f"Not yet: {mutant} is not an architecture of this space.")
            return
        if (changed := sum(x != y for x, y in zip(arch, mutant, strict=True))) != 1:
            print(f"Not yet: {mutant} differs from {arch} in {changed} slots.")
            return
    if len(drawn) < 24:
        print(f"Not yet: only {len(drawn)} of 24 mutants came in 4,800 draws.")
    elif min(drawn.values()) < 140 or max(drawn.values()) > 260:
        print(f"Not yet: of 4,800 draws each mutant should get about 200; {drawn.most_common(1)[0]} is off.")
    else:
        print("Exercise 1: correct.")


# %%
def my_mutant(arch, rng): ...  # your code; return a tuple


check_mutant(my_mutant)

# %% [markdown]
# <details><summary>Hint</summary>
#
# If you draw one of *five* choices, every fifth "mutant" is the architecture itself. Drawing one of four and adding 1
# where it is not below the old choice leaves the old one out.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_mutant(arch, rng):
#     slot, choice = int(rng.integers(6)), int(rng.integers(4))
#     choice += choice >= arch[slot]
#     return (*arch[:slot], choice, *arch[slot + 1 :])
# ```
#
# </details>
#
# ### All of line 3
#
# `propose` takes half of the candidates from crossover and half from mutation (the paper's ratio, 0.5), leaves out
# what breaks the constraint, and **never proposes an architecture twice**: what was retrained once would only cost
# time again. What cannot be had from the survivors is filled up at random.

# %%
survivors = random_candidates(space, 4, constraint, (), rng)
proposed = propose(space, survivors, 10, constraint, survivors, rng)
for candidate in proposed:
    parents, child = candidate.parents, candidate.arch
    inherited = children(*parents) if candidate.origin == "crossover" else neighbours(space, parents[0])
    assert child in inherited and constraint(child) and child not in survivors
assert len({candidate.arch for candidate in proposed}) == 10
lonely = propose(space, [parent_a], 10, constraint, [parent_a], rng)
print("with one survivor:", dict(Counter(candidate.origin for candidate in lonely)))
rows = [(c.origin, c.arch, " x ".join(map(str, c.parents)), costs.cost(c.arch).macs) for c in proposed]
pd.DataFrame(rows, columns=["origin", "arch", "parents", "MACs"])

# %% [markdown]
# All as by hand. A single survivor has nobody to cross with, so its half is random, and the search goes on.
#
# ## 3 Lines 4 to 12: who learns from whom
#
# Retraining gives every candidate its own copy of the SuperNet's weights and trains it for $n_{retra}$ epochs. In the
# first search epoch there are no teachers, and all learn from labels alone (line 5). Later, a candidate with at most
# $flops_{thre}$ MACs learns from $T_s$, a larger one from $T_l$, and every one from all other candidates, its
# **peers**. The coefficients of each are those of Eq. 20 (notebook 05).
#
# A toy with numbers to remember: four teachers, $flops_{thre} = 200$, and three students with 120, 200 and 240 MACs.
#
# | | a | b | c | d |
# | --- | --- | --- | --- | --- |
# | MACs | 100 | 150 | 300 | 250 |
# | accuracy | 0.70 | 0.60 | 0.72 | 0.65 |
#
# > **Predict.** Write down the table of who learns from whom. Mind the student with 200.


# %%
def toy(**macs_and_accuracy):
    """Members by name; their architectures are dummies."""
    return {name: Member((ord(name),), *values) for name, values in macs_and_accuracy.items()}


older = toy(a=(100, 0.70), b=(150, 0.60), c=(300, 0.72), d=(250, 0.65))
groups = TeacherGroups(200, 2).update(older.values())[0]
students = [120, 200, 240]
mask = taught_by(ALGORITHMS["mngnas"], students, groups.all, 200)
name_of = {member: name for name, member in older.items()}
pd.DataFrame(mask.numpy(), [f"student, {m} MACs" for m in students], [name_of[m] for m in groups.all]).replace(
    {True: "learns", False: ""}
)

# %% [markdown]
# Exactly at the threshold is *small* (line 7 has $\le$). A student never learns from a teacher of the other group.
# The paper's reason for two groups (Section III-C) is variety: in one pool, lightweight models might be the majority
# after some search epochs.
#
# The other algorithms of Section V-A differ in precisely this table, and in whether there are peers and perturbation. The
# paper's Fig. 11, in our own drawing:

# %%
show("fig-11")

# %% [markdown]
# Read it row by row. From left to right a student gets more company: nobody; the best earlier model; a pool of the best;
# the group of its own side of the threshold; and with E also its peers. The weights are equal in C and computed in D and
# E (two of the paper's texts disagree about C, as its box says). Labels teach in all five, and what is perturbed
# is the *teacher*, in E alone. The same for our toy:

# %%
rows = []
for name in FIVE:
    algorithm = ALGORITHMS[name]
    teachers = choose_teachers(algorithm, list(older.values()), 200, 2)
    taught = taught_by(algorithm, students, teachers, 200)
    names = ["".join(name_of[t] for t, learns in zip(teachers, row, strict=True) if learns) for row in taught]
    rows.append(
        [LABELS[name], *names, algorithm.weights if len(teachers) > 1 else "", algorithm.peers, algorithm.perturbation]
    )
columns = ["algorithm", *(f"teachers of {m}" for m in students), "weights", "peers", "perturbation"]
pd.DataFrame(rows, columns=columns)

# %% [markdown]
# B has one teacher, the best (c); C the $2 n_{TS}$ best in one pool; D and E have two groups; E adds peers and
# perturbation. From A to E two things change at a time (C to D: the groups *and* the weights; D to E: the peers *and*
# the perturbation), so that the paper's comparison cannot say which of the two did it. In the kit every combination
# of the four choices runs: `Algorithm(teachers=..., weights=..., peers=..., perturbation=...)`.
#
# ## 4 Line 13: ranking and Eq. 24
#
# After retraining, candidates are ranked by accuracy on the validation images. Who becomes a teacher?
#
# $$T_s^{up} = \{\alpha \mid Acc(\delta, \Theta; D_{val}) \ge Acc(\delta_k, \Theta_k; D_{val}),\;
# Flops(\alpha) \le Flops(\delta_k) \;\; \forall \delta_k \in T_s\} \qquad (24)$$
#
# Read it literally ($\alpha$ and $\delta$ being one architecture): to enter, it must be at least as accurate as
# **every** member of the group, *and* have no more FLOPs than **every** member. In the same epoch as the four above:
#
# | | e | f | g |
# | --- | --- | --- | --- |
# | MACs | 120 | 240 | 200 |
# | accuracy | 0.66 | 0.65 | 0.50 |
#
# > **Predict.** Who enters $T_s = \{a, b\}$ by the letter of Eq. 24? Who should?


# %%
def literal(newcomer, group):
    """Eq. 24 by its letter."""
    return all(newcomer.accuracy >= k.accuracy and newcomer.macs <= k.macs for k in group)


newer = toy(e=(120, 0.66), f=(240, 0.65), g=(200, 0.50))
print("enter by the letter:", [name for name, m in newer.items() if literal(m, groups.teachers_of(m.macs))])

# %% [markdown]
# Nobody: e is better than b and smaller than b, but not better than a. By the letter a newcomer would have to beat
# the best *and* undercut the smallest at once, and the group would hardly ever change. (Nor would it have a size.)
# The text beside the equation says what is meant: "keep the first $n_{TS}$ architectures", the most accurate ones,
# "consider both the FLOPs and accuracy". So the kit reads:
#
# > Each group keeps the $n_{TS}$ most accurate architectures seen so far on its side of the threshold; between equal
# > accuracies, fewer FLOPs win.
#
# By hand: $T_s$ from a 0.70, b 0.60, e 0.66, g 0.50 keeps a and e. $T_l$ from c 0.72, d 0.65, f 0.65: c stays, d and f
# are equal, f has fewer MACs and wins.

# %%
name_of |= {member: name for name, member in newer.items()}
updated, entered, left = groups.update(newer.values())
for side in ("small", "large"):
    before, after = ([name_of[m] for m in getattr(g, side)] for g in (groups, updated))
    print(f"{side}: {before} -> {after}")
assert [name_of[m] for m in updated.all] == ["a", "e", "c", "f"]
print("entered:", [chr(arch[0]) for arch in entered], " left:", [chr(arch[0]) for arch in left])

# %% [markdown]
# ### A group never gets worse
#
# Sort a group by accuracy. Its best, its second best, ... its mean: none of them can fall, because what enters is
# better than what it replaces. Not a hope but a property, so we throw random newcomers at it:

# %%
for trial in range(200):
    rng, group = np.random.default_rng(trial), ()
    for epoch in range(6):
        arrived = [Member((epoch, i), int(rng.integers(1, 9)), rng.integers(20) / 20) for i in range(5)]
        new = update_group(group, arrived, 3)
        assert len(new) == 3 and all(n.accuracy >= o.accuracy for n, o in zip(new, group, strict=False))
        group = new
print("200 random searches of 6 search epochs: no rank of any group ever fell")

# %% [markdown]
# It holds for the accuracies *as they were measured*. Whether the members really got better is another question: the
# best of many noisy numbers is partly luck (exercise 4), and a number measured in search epoch 5 had other teachers
# than one of search epoch 1 (Section 7 looks at that).
#
# ### Exercise 2
#
# Write `my_update(group, newcomers, size)`: Eq. 24 as the kit reads it. Members have `.accuracy`, `.macs` and `.arch`.
# If accuracy and MACs are equal, take the smaller `arch`, so that nothing is left to chance.


# %%
def check_update(function):
    """Compare an answer to exercise 2 with the library on random groups with many ties."""
    for trial in range(100):
        rng = np.random.default_rng(trial)
        members = [Member((i,), int(rng.integers(1, 4)), int(rng.integers(5)) / 5) for i in rng.permutation(8)]
        group, size = update_group((), members[:3], 3), int(rng.integers(1, 5))
        expected, answer = update_group(group, members[3:], size), function(group, members[3:], size)
        if answer is None or tuple(answer) != expected:
            print(f"Not yet. Of {[(m.accuracy, m.macs) for m in (*group, *members[3:])]} (accuracy, MACs)")
            print(f"keep {size}: {[(m.accuracy, m.macs) for m in expected]}, in this order; yours: {answer}")
            return
    print("Exercise 2: correct.")


# %%
def my_update(group, newcomers, size): ...  # your code


check_update(my_update)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Sort all of them by a key that is a tuple: Python compares tuples entry by entry.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_update(group, newcomers, size):
#     return tuple(sorted([*group, *newcomers], key=lambda m: (-m.accuracy, m.macs, m.arch))[:size])
# ```
#
# </details>
#
# ## 5 Removal, and what new teachers go through
#
# "The $n_{removed}$ architecture with the worst accuracy is removed." From the population, that is: removed
# architectures are no parents any more. (A removed one can still teach, if its side of the threshold has nobody
# better.)

# %%
survivors, removed = remove_worst([*older.values(), *newer.values()], 3)
print("survive:", [name_of[m] for m in survivors], " removed:", [name_of[m] for m in removed])

# %% [markdown]
# b, g, and one of d and f: between equals the larger one goes, d.
#
# > **Predict.** The paper adds 30 candidates a search epoch and removes 10. How large is the population after 20 search
# > epochs? How does that change what "survivor" means?
#
# 20 net a search epoch: 400 of 600. Selection is mild, and it weakens: the first removal takes a third of the
# population, the twentieth 10 of 410. Most of what the later search epochs cross and mutate is mediocre, which keeps
# variety and slows progress. The paper does not discuss it.
#
# Those that **enter** a group are fine-tuned against their perturbed copies before they teach (Algorithm 2, notebook
# 06). Every search epoch asks `entrants`: who teaches from now on and did not before?

# %%
new_teachers = entrants(groups.all, updated.all)
print("entered:", [chr(arch[0]) for arch in new_teachers])
perturbed = perturbed_archs(space, parent_a, 4, np.random.default_rng(0))
changed = [next(i for i in range(6) if other[i] != parent_a[i]) for other in perturbed]
pd.DataFrame({"perturbed copy of a": perturbed, "changed slot": changed})

# %% [markdown]
# The number that ranks a teacher is its accuracy *before* this fine-tuning, so that all candidates are measured after
# the same training.
#
# ## 6 Algorithm 3 in twenty lines
#
# All parts are on the table. Here is the whole algorithm, with one simplification: where the real one retrains and
# validates (lines 4 to 12), this one looks an accuracy up.


# %%
def algorithm_3(accuracy_of, settings, allowed):
    """Algorithm 3 with a look-up for retraining. Per search epoch: candidates, members, teachers, the removed."""
    population, seen, groups, epochs = [], [], None, []
    for epoch in range(settings.search_epochs):
        rng = np.random.default_rng([settings.seed, epoch])
        parents = [m.arch for m in population] if settings.proposals == "evolution" else []
        candidates = propose(space, parents, settings.candidates, allowed, seen, rng, settings.crossover_ratio)
        members = [Member(c.arch, costs.cost(c.arch).macs, accuracy_of(c.arch)) for c in candidates]
        if groups is None:
            groups = TeacherGroups(float(np.median([m.macs for m in members])), settings.group_size)
        groups, _, _ = groups.update(members)
        _, removed = remove_worst([*population, *members], settings.removed)
        population = [m for m in [*population, *members] if m not in removed]
        seen += [m.arch for m in members]
        epochs.append((candidates, members, groups, removed))
    return epochs


# %% [markdown]
# A pretended landscape to try it on: every operation in every slot has a worth, and accuracy grows with their sum. Does
# evolution do anything that luck would not? The same search with `proposals="random"` tells.
#
# > **Predict.** All look at 160 of 15,625 architectures. What rank has the best of 160 random ones? And the best that
# > evolution finds, if 5 of 16 are removed in each search epoch (the paper's third)? If 12 are?


# %%
def best_rank(seed, **settings):
    """True rank of the best that Algorithm 3 finds in a random landscape."""
    worth = np.random.default_rng(seed).normal(size=(6, 5))
    truth = 1 / (1 + np.exp(-worth[range(6), np.array(everyone)].sum(axis=1) / 2))
    accuracy = dict(zip(everyone, truth.tolist(), strict=True))
    epochs = algorithm_3(
        accuracy.__getitem__, SearchConfig(search_epochs=10, candidates=16, seed=seed, **settings), costs
    )
    return 1 + int((truth > max(m.accuracy for _, members, *_ in epochs for m in members)).sum())


arms = {
    "random": {"proposals": "random"},
    "evolution, 5 removed": {"removed": 5},
    "evolution, 12 removed": {"removed": 12},
}
ranks = pd.DataFrame({name: [best_rank(seed, **arm) for seed in range(20)] for name, arm in arms.items()})
ranks.describe().loc[["count", "mean", "min", "50%", "max"]].round(1)

# %% [markdown]
# *Simulated: 20 landscapes, 10 search epochs of 16 candidates.* The best of 160 random ones is number $15{,}626 /
# 161 \approx 97$ in the mean over many landscapes; over these 20 it is number 121. Evolution that removes a third
# as many as it adds gets to number 39 in the mean; if it removes 12 of 16, to number 1.6. So Section 5's remark on
# mild selection is no small matter: here it makes most of the difference. But these landscapes are made for hard
# selection. What is good in one slot is good whatever the others hold, and accuracies are exact. Real ones are
# neither, and under noise a hard selection throws away good architectures.
#
# ## 7 A search
#
# Now in earnest: algorithm E on digits, with the SuperNet of notebook 02 (SPOS, NAS-Bench-201) and the sizes of your
# profile. As always, `run` reads the stored result of exactly these settings, or computes and stores it.

# %%
supernet = SupernetRun(
    SpaceSpec("nasbench201", (("channels", sizes.channels), ("cells", sizes.cells))),
    digits,
    TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr),
)
settings = search_settings(profile.search, algorithm=ALGORITHMS["mngnas"])
found = run(SearchRun(supernet, settings))
validation = round(sizes.count * sizes.valid_fraction)
print(f"{settings.search_epochs} search epochs of {settings.candidates} candidates: {found.metrics['archs']} retrained")
print(f"each {settings.retrain.epochs:g} epochs, {validation} validation images, {found.metrics['seconds']:.0f} s")
text = space.to_string
archs, coefficients = found.table("archs"), found.table("coefficients")
names = short_names(archs.arch)
history = archs.assign(
    name=archs.arch.map(names),
    parents=[" x ".join(names[parent] for parent in text.split(" x ") if parent) for text in archs.parents],
    top_teacher=[names.get(text, "") for text in archs.top_teacher],
)
columns = ["search_epoch", "origin", "parents", "macs", "group", "accuracy_before", "accuracy"]
columns += ["top_teacher", "alpha_max", "entered", "removed_in"]
edges = pd.concat([history.head(4), history[history.search_epoch == 2].head(4), history.tail(4)])
edges.set_index("name")[columns].round(3)

# %% [markdown]
# One row an architecture, numbered in the order in which they came: where it comes from, its accuracy with the
# SuperNet's weights (`accuracy_before`) and after retraining, who had the largest say among its teachers, whether it
# became a teacher, and the search epoch that removed it (0: it is still a parent).
#
# **Is this really Algorithm 3?** The twenty lines of Section 6 need nothing but accuracies. So give them those of
# this history: if the search does what we think, they must propose the same architectures in the same order, choose
# the same teachers, and remove the same ones.

# %%
accuracy_of = dict(zip(map(space.from_string, archs.arch), archs.accuracy, strict=True))
replayed = algorithm_3(accuracy_of.__getitem__, settings, costs)
assert [text(c.arch) for candidates, *_ in replayed for c in candidates] == archs.arch.tolist()
for epoch, (*_, groups, removed) in enumerate(replayed, start=1):
    assert {text(m.arch) for m in removed} == set(archs.arch[archs.removed_in == epoch])
    arrived = {text(m.arch) for m in groups.all} & set(archs.arch[archs.search_epoch == epoch])
    assert arrived == set(archs.arch[archs.entered & (archs.search_epoch == epoch)])
print(f"{len(archs)} proposals, {settings.search_epochs} removals and {archs.entered.sum()} new teachers: all the same")

# %% [markdown]
# ### The cloud
#
# > **Predict.** Later candidates are children of survivors, and they have teachers. Will the later points lie higher?

# %%
with style():
    fig, ax = plt.subplots(figsize=(7.6, 4.6))
    plot_accuracy_cloud(archs, ax, size=settings.group_size, threshold=found.metrics["threshold"])
_ = save(fig, "07_cloud")
summary = archs.groupby("search_epoch").agg(
    before=("accuracy_before", "mean"), after=("accuracy", "mean"), best=("accuracy", "max"), entered=("entered", "sum")
)
summary.assign(gain=summary.after - summary.before)[["before", "after", "gain", "best", "entered"]].round(3)

# %% [markdown]
# *Measured: this profile, digits, one search, one seed.* Two causes are mixed in a column "after". Evolution changes
# *which* architectures come; "before", measured with the SuperNet's weights alone, shows its share. And teachers change
# *how* they are trained; "gain" shows both together with what labels alone would have done.
#
# Look at the first row of "gain" and at the others. The first search epoch was retrained by labels only, all others
# also by teachers and peers. With a *short* retraining the additional losses can cost more than they give: the step
# is clipped to a length, and the pull of the labels is one of three (losses below). Then the first search epoch's
# architectures keep their places as teachers, whoever comes.
#
# This is not a fault of the implementation, it is in Algorithm 3: line 13 compares accuracies that were measured
# after *different* trainings. The paper does not mention it. With 40 epochs of retraining instead of a few it may
# matter less.
#
# ### The two groups filling

# %%
with style():
    fig, ax = plt.subplots(figsize=(7, 3.8))
    plot_groups(archs, ax, size=settings.group_size)
_ = save(fig, "07_groups")
by_letter = sum(literal(m, old[2].teachers_of(m.macs)) for old, new in pairwise(replayed) for m in new[1])
by_kit = sum(archs.entered[archs.search_epoch > 1])
print(f"after the first search epoch {by_kit} architectures entered a group; by the letter it would be {by_letter}")

# %% [markdown]
# Bands can only rise, as Section 4 checked. A flat one means that nobody entered. "By the letter" counts those that
# the printed Eq. 24 would have let in.
#
# ### Who taught whom
#
# Each row of the next picture is a student of the last search epoch; its $\alpha$ over its teachers, left of the line,
# sum to 1, its $\beta$ over its peers, on the right, as well. They are means over all steps of the retraining; each
# step solved its own Eq. 20.
#
# > **Predict.** If all teachers were equally useful, each would have $1/n_{TS}$. Will the weights be spread, or will a
# > few have it all? What does a column look like that nobody learns from?

# %%
with style():
    fig, ax = plt.subplots(figsize=(9, 4.6))
    plot_coefficients(coefficients, ax, names=names)
    ax.set_title(f"search epoch {coefficients.search_epoch.max()}")
_ = save(fig, "07_coefficients")
sums = coefficients.groupby(["kind", "search_epoch", "student"]).coefficient.sum()
print(f"sums of α and β differ from 1 by at most {(sums - 1).abs().max():.0e}")
peers = coefficients[coefficients.kind == "peer"].groupby(["search_epoch", "student"]).coefficient
effective = 1 / peers.apply(lambda beta: (beta**2).sum())
print(f"effective number of peers 1/Σβ²: median {effective.median():.1f} of {settings.candidates - 1}")

# %% [markdown]
# $1 / \sum_c \beta_c^2$ counts members as an election counts parties: equal weights over $n$ give $n$, one that has
# everything gives 1. Grey is zero in every step: no teacher of the own group, the student itself, or a member that
# never got any weight. Most of the weight goes to a few. Eq. 20 asks which mix lies *closest to the student*
# (notebook 05), and the closest point of a simplex lies, as a rule, on a face of low dimension.
#
# The whole search in one picture, teachers only: rows are teachers in order of their appearance, colours their share of
# all teaching.

# %%
with style():
    fig, ax = plt.subplots(figsize=(6.4, 4.2))
    plot_who_taught(coefficients, ax, names=names)
_ = save(fig, "07_who_taught")

# %% [markdown]
# Grey: not a teacher yet, or not any more. The two groups never share a student, and a group with many students on its
# side has a larger share of the teaching.
#
# ### Exercise 3
#
# Reconstruct the teachers from the history. Write `my_teachers(archs, epoch, size)`: the set of notations (`arch`) that
# taught *in* search epoch `epoch`, from the columns `search_epoch`, `arch`, `group`, `accuracy` and `macs`.


# %%
def check_teachers(function):
    """Compare an answer to exercise 3 with the groups that the twenty lines chose."""
    for epoch in range(1, settings.search_epochs + 1):
        expected = {text(m.arch) for m in replayed[epoch - 2][2].all} if epoch > 1 else set()
        answer = function(archs, epoch, settings.group_size)
        if answer is None or set(answer) != expected:
            said = "nothing" if answer is None else sorted(names[arch] for arch in answer)
            expected = sorted(names[arch] for arch in expected)
            print(f"Not yet: in search epoch {epoch} the teachers were {expected}, your function says {said}.")
            return
    print("Exercise 3: correct.")


# %%
def my_teachers(archs, epoch, size): ...  # your code


check_teachers(my_teachers)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Only what was retrained in *earlier* search epochs can teach. Sort that as Eq. 24 does, and take the first `size` of
# each group.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_teachers(archs, epoch, size):
#     earlier = archs[archs.search_epoch < epoch].assign(tuples=lambda table: table.arch.map(space.from_string))
#     ranked = earlier.sort_values(["accuracy", "macs", "tuples"], ascending=[False, True, True])
#     return set(ranked.groupby("group").head(size).arch)
# ```
#
# (The last key breaks ties as the library does; the notation itself sorts differently from the tuple.)
#
# </details>
#
# ### Losses
#
# > **Predict.** Eq. 10 adds three losses. Which of them is the largest?

# %%
with style():
    fig, ax = plt.subplots(figsize=(7.6, 3.8))
    plot_losses(found.curve("losses"), ax)
_ = save(fig, "07_losses")
fig.set_dpi(72)

# %% [markdown]
# Each search epoch starts anew, from the SuperNet's weights. The first has labels only. Then the distillation
# losses come in, and they outweigh the cross-entropy: they sum Eq. 5 over the classes and Eq. 6 over three stages
# of feature maps, each an average of squares, with weight one (Eq. 10 has no other). The paper names no factor
# between its losses. Since the length of a step is limited by clipping, a loss with a large gradient takes room
# from the others.
#
# ### Progress and time

# %%
with style():
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.8))
    plot_search_progress({"mngnas": archs}, axes[0])
    seconds = found.table("seconds").pivot_table(index="search_epoch", columns="part", values="seconds", aggfunc="sum")
    parts = seconds.sum().sort_values()
    axes[1].barh(parts.index, parts / parts.sum() * 100, color="#8C8C8C")
    axes[1].set(xlabel="share of the search's time (%)")
    axes[1].grid(False, axis="y")
_ = save(fig, "07_progress_and_time")

steps = settings.retrain.steps((sizes.count - validation) // settings.retrain.batch_size)
solved = steps * settings.candidates * (settings.search_epochs - 1)
print(f"{solved:,} problems: worst relative duality gap {found.metrics['gap']:.0e}, KKT {found.metrics['kkt']:.0e}")
print(f"their share of the time: {parts['coefficients'] / parts.sum():.1%}")

# %% [markdown]
# Left, the best accuracy so far: it cannot fall, and for that reason alone looks like success. Right, where the
# time went. "coefficients" holds the Gram matrix and the batched solver; a student teaches its peers at no extra
# cost, since one forward pass serves all. "rest" is what lies between the parts, the ranking with the SuperNet's
# weights among it.
#
# And every Eq. 20 of every student in every step came with a certificate (notebook 05); the line above the figure
# has the worst of the whole search. Whatever the coefficients are good for, they are those of Eq. 20.
#
# ### What it found

# %%
winner = space.from_string(found.metrics["arch"])
with style():
    fig, ax = plt.subplots(figsize=(7, 3.4))
    draw_architecture(space, winner, ax)
    ax.set_title(f"{names[found.metrics['arch']]}: {found.metrics['accuracy']:.1%} of {validation} validation images")
_ = save(fig, "07_found")

# %%
ranked = archs.sort_values(["accuracy", "macs"], ascending=[False, True]).head(5)
error = np.sqrt(ranked.accuracy * (1 - ranked.accuracy) / validation)
top = ranked.assign(name=ranked.arch.map(names), standard_error=error)
top[["name", "search_epoch", "origin", "macs", "accuracy", "standard_error"]].round(4)
same = archs.assign(function=[space.canonical(space.from_string(arch)) for arch in archs.arch])
twins = same[same.duplicated("function", keep=False)].sort_values("function")
print(f"{same.function.nunique()} different functions among {len(archs)} architectures")
tau = kendall_tau(archs.accuracy_before, archs.accuracy)
print(f"order before and after retraining: tau = {tau.value:.2f} [{tau.low:.2f}, {tau.high:.2f}]")
twins.assign(name=twins.arch.map(names))[["search_epoch", "name", "macs", "accuracy_before", "accuracy"]].head(6)

# %% [markdown]
# Two warnings. The leaders lie within a standard error or two of each other: with so few validation images the
# first place is largely drawn by lot. And no *notation* is proposed twice, but two notations can compute the same
# function (notebook 01: an edge that leads nowhere may hold anything). Then the same function is retrained twice,
# and, if it happens in one search epoch, ends in the same accuracy. The benchmarks count notations as well, so the
# kit does.
#
# ### Exercise 4
#
# How much of "best so far" is luck? Suppose all architectures of the search were *equally* good, with true accuracy
# $p$, and each were measured on $m$ images of its own. Estimate by simulation how far the best of $n$ would lie
# above $p$: write `my_luck(p, m, n, rng)`, the mean over 2,000 repetitions of (largest measured accuracy − $p$).
# `rng.binomial(m, p, size)` draws numbers of correct images.


# %%
def check_luck(function):
    """Compare an answer to exercise 4 with the exact expectation of the largest of n binomials."""
    from scipy.stats import binom

    for p, m, n in ((0.7, 250, 24), (0.9, 500, 96), (0.5, 100, 1)):
        exact = (1 - binom.cdf(np.arange(m), m, p) ** n).sum() / m - p
        answer = function(p, m, n, np.random.default_rng(0))
        if answer is None or not abs(answer - exact) < 0.003:
            print(f"Not yet: for p = {p}, m = {m}, n = {n} it is {exact:.4f}, your function says {answer}.")
            return
    print("Exercise 4: correct.")
    p, m, n = archs.accuracy.mean(), validation, len(archs)
    seen, luck = archs.accuracy.max() - p, function(p, m, n, np.random.default_rng(0))
    print(f"In this search the best lies {seen:.3f} above the mean; if all were equal it would be {luck:.3f}.")


# %%
def my_luck(p, m, n, rng): ...  # your code


check_luck(my_luck)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Draw a table of 2,000 rows and $n$ columns at once, take each row's largest entry, divide by $m$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_luck(p, m, n, rng):
#     return rng.binomial(m, p, (2000, n)).max(axis=1).mean() / m - p
# ```
#
# All candidates of a search share their validation images, which makes their errors alike and the luck smaller than
# this. It is still there: report the accuracy of what a search found on *test* images, never the one that chose it.
#
# </details>
#
# ## 8 Stop, and go on
#
# A search in earnest takes hours, and machines do get switched off. Given a folder, `search` keeps a checkpoint
# after each search epoch and every five minutes: history, teachers' weights, and within a retraining all students
# with their optimiser. A tiny search (8×8 digits, four candidates, a SuperNet that was never trained) shows it. We
# press Ctrl-C after the second search epoch, by way of the function that `search` calls to show a live $\tau$.

# %%
images = load_images("digits", size=8, count=300, test_count=10, valid_fraction=0.2)
tiny_space = get_space("nasbench201", channels=4, cells=1)
tiny = SearchConfig(
    search_epochs=4, candidates=4, group_size=2, removed=2, perturbed=2, retrain=RetrainConfig(epochs=1, batch_size=60)
)


def tiny_search(config=tiny, **more):
    """A search from a SuperNet that is always the same."""
    return search(tiny_space.supernet(in_channels=1, seed=0), images, config, progress=False, **more)


def ctrl_c(archs):
    """Interrupts in the search epoch in which the eighth architecture has been seen."""
    if len(archs) >= 8:
        raise KeyboardInterrupt
    return np.arange(len(archs))


# %%
folder = tempfile.TemporaryDirectory()
try:
    tiny_search(folder=folder.name, truth=ctrl_c)
except KeyboardInterrupt:
    print("interrupted after search epoch 2")
resumed = tiny_search(folder=folder.name)
straight = tiny_search()
for name in ("archs", "coefficients", "curves", "perturbation"):
    assert resumed.table(name).equals(straight.table(name))
ours, theirs = resumed.network.state_dict(), straight.network.state_dict()
assert all(ours[key].equal(theirs[key]) for key in theirs) and resumed.certificate == straight.certificate
print(f"{len(straight.table('archs'))} architectures, four tables and the network found: equal to the last bit")

# %% [markdown]
# Only the table `seconds` may differ. It works because nothing depends on what went before but the state:
# candidates of search epoch $e$ are drawn from the seed and $e$, mini-batches too. A folder belongs to one search;
# another one is refused and told why:

# %%
try:
    tiny_search(replace(tiny, candidates=5), folder=folder.name)
except CheckpointError as error:
    print(str(error).replace(folder.name, "FOLDER"))
folder.cleanup()

# %% [markdown]
# ## 9 On the command line
#
# A search from a shell, here algorithm E on the digits in the sizes of the profile `quick`:
#
# ```sh
# mngnas search --space nasbench201 --data digits --algorithm mngnas --profile quick
# mngnas search --help        # every other setting
# ```
#
# `--algorithm` takes `none`, `single`, `average`, `searched` and `mngnas`. A line shows how far it is: search
# epoch, best accuracy so far, and $\tau$ where a benchmark is known. Interrupted, the same command goes on where it
# was.
#
# ## 10 Does it help?
#
# The question of the whole paper. Its own answer for rankings is Table XI (*paper*; Kendall's $\tau \times 100$,
# NAS-Bench-101, 1,000 architectures; no intervals, no number of seeds):
#
# | | SPOS | FairNAS | MixPath |
# | --- | --- | --- | --- |
# | A: w/o KD (*paper*) | 56.46 | 57.15 | 57.13 |
# | B: Single KD (*paper*) | 56.82 | 57.29 | 57.31 |
# | C: Adaptive Ensemble KD (*paper*) | 57.13 | 57.51 | 57.81 |
# | D: Searched Adaptive Ensemble KD (*paper*) | 57.19 | 57.45 | 58.01 |
# | E: MNGNAS (*paper*) | 57.32 | 57.48 | 58.04 |
#
# From A to E 0.9 points at most (and with FairNAS, C is above E). Notebook 03 worked out what such differences are
# worth without a paired interval. Here is ours: NAS-Bench-201, CIFAR-10 (JPEG) at 16×16 pixels, a narrow SuperNet
# trained by SPOS, and the benchmark's real test accuracies as the truth. (Another space than Table XI's, and a tiny
# fraction of its training: this asks whether the *method* ranks better where we can look, not whether the paper's
# numbers are right.)
#
# The rules, so that nothing but the algorithm differs:
#
# * the five algorithms retrain **the same random architectures** (no evolution: it would give each its own), in the
#   same search epochs, from the same weights, on the same mini-batches;
# * the first search epoch has no teachers (at equal steps it is the same for all five); its architectures become the
#   first teachers, and it is **left out**;
# * differences to A come from a **paired** bootstrap over the architectures;
# * once with **equal steps**; once with **equal time**, because teachers and peers cost time that A could have spent on
#   more steps.
#
# All this takes images, the table and hours, so the notebook reads stored results, whatever your profile; the end of this
# section asks the same on a smaller scale, against a truth that everybody has.
#
# > **Predict.** Five $\tau$ over the same architectures, from retrainings of a few epochs. How far apart will A and
# > E be? Is your expectation larger than half an interval?


# %%
def read(config):
    """The stored result under the profile laptop; None, and a line, where there is none."""
    result = stored(config, profile="laptop")
    if result is None:
        print(f"{config.kind} {config.digest[:12]}: not computed yet under the profile laptop")
    return result


laptop = get_profile("laptop")
compared = {"equal steps": read(comparison(laptop))}
if equal_time(laptop):
    compared["equal time"] = read(comparison(laptop, equal_time(laptop)))
compared = {title: result for title, result in compared.items() if result is not None}


# %%
def taus_of(result):
    """All taus of a comparison: the SuperNet's own, FLOPs, and the five algorithms'."""
    metrics, n = result.metrics, int(result.metrics["n"])
    names = {"SPOS": "before", "FLOPs": "macs"}
    baselines = {key: Tau(metrics[m], metrics[f"{m}_low"], metrics[f"{m}_high"], n) for key, m in names.items()}
    rows = result.table("taus").to_dict("records")
    return baselines | {row["name"]: Tau(row["tau"], row["low"], row["high"], n) for row in rows}


def differences_of(result):
    """The paired differences of a comparison."""
    n, rows = int(result.metrics["n"]), result.table("differences").to_dict("records")
    return {row["name"]: Difference(row["difference"], row["low"], row["high"], row["p"], n) for row in rows}


for title, result in compared.items():
    with style():
        fig, axes = plt.subplots(2, 1, figsize=(8.5, 6), height_ratios=[7, 4])
        plot_algorithm_taus(taus_of(result), axes[0])
        plot_tau_differences(differences_of(result), axes[1])
        axes[0].set_title(f"{title}: measured, profile laptop, n = {result.metrics['n']}, one seed")
    _ = save(fig, f"07_algorithms_{title.replace(' ', '_')}")
    fig.set_dpi(72)  # of the picture below; the saved one is finer

# %%
for title, result in compared.items():
    differences = result.table("differences").set_index("name")[["difference", "p"]]
    table = result.table("taus").set_index("name").join(differences).rename(index=LABELS)
    print(title)
    display(table[["tau", "low", "high", "within", "accuracy", "epochs", "difference", "p"]].round(3))


# %%
def verdict(difference):
    """What a paired interval allows to say."""
    if difference.low > 0:
        return "ranks better than A"
    return "ranks worse than A" if difference.high < 0 else "cannot be told from A"


for title, result in compared.items():
    for name, difference in differences_of(result).items():
        interval = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
        print(f"{title}, {LABELS[name]}: {interval}, {verdict(difference)}")
if not compared:
    print("Not computed yet under the profile laptop.")

# %% [markdown]
# How to read the table: `tau` over all compared architectures with its interval; `within`, the mean of the $\tau$
# among the candidates of one search epoch, which asks only for the order within it; `accuracy`, the mean after
# retraining, of validation images (a *training* can improve without the *ranking* improving, and the two are often
# taken for one another); `difference` and `p` against A, paired. "SPOS" in the figure is the SuperNet's own
# ranking, without any retraining, and "FLOPs" is counting.
#
# At equal time A makes more steps than E; the column `epochs` says how many (C and D, which had up to a tenth less time
# than E, keep theirs). What the two comparisons have in common can be put down to the algorithm; what differs between
# them is the price of its teachers and peers.
#
# *Measured, profile laptop, 80 architectures, one seed.* All four distillations rank better than A at equal steps, by
# 0.05 to 0.12, and none of the intervals excludes zero. E, the method of the paper, gets 0.54; the plain average of ten
# teachers (C) gets 0.59, and counting FLOPs 0.58. With the time that E takes, A gets 0.50, and what is left of E's
# advantage is 0.04 [$-0.09$, $0.16$]. Nothing here contradicts Table XI's differences of about 0.01, or confirms them:
# at this $n$ they could not be seen. How far one run can be trusted shows from a second one: E computed with an earlier
# version of the kit's solver, other rounding and one badly solved problem among thousands, got 0.57.
#
# ### And the search?
#
# A ranking is a means. The end is the architecture found. Four searches (Algorithm 3, with evolution) by each of A
# and E, four seeds. **Regret**: the test accuracy of the benchmark's best architecture minus that of the one found,
# in points; *seen*: minus that of the best that the search retrained at all, whether or not it recognised it.
#
# > **Predict.** Is the regret rather the fault of the proposals (the good ones never came) or of the ranking (they
# > came and were not recognised)? Which of the two columns tells?

# %%
found_by = regrets(laptop)
regret = read(found_by)
if regret is not None:
    table = regret.table("searches").replace({"name": dict(LABELS)})
    points = 100 * table[["regret", "regret_seen"]]
    display(points.assign(tau=table.tau_later).groupby(table.name).agg(["mean", "min", "max"]).round(2))

# %%
seen = {name: [] for name in found_by.names}
for name, config in zip(found_by.names, found_by.searches, strict=True):
    if (result := stored(config, profile="laptop")) is not None:
        seen[name].append(result.table("archs"))
if all(seen.values()):
    with style():
        fig, ax = plt.subplots(figsize=(7, 3.8))
        plot_search_progress(seen, ax)
        ax.set_title("measured: profile laptop, CIFAR-10 JPEG at 16×16", fontsize=11)
    _ = save(fig, "07_searches_cifar10")

# %% [markdown]
# Careful with the figure: its accuracies come from *different* trainings, so a higher curve of E would say that E
# trains better, not that it finds better architectures. Regret, looked up in the table, is what can be compared.
# And four seeds are few: if the ranges of A and E overlap, they overlap.
#
# *Measured:* they do. A loses 2.2 to 3.1 points against the best of the benchmark, E 1.3 to 6.2. Both had seen, among
# their sixty architectures, one that loses 0.5 to 1.3: the proposals were good enough, and the ranking did not recognise
# them. (The images of this comparison are small and so is the training: one epoch a candidate.)
#
# ### Where everybody can look it up
#
# The kit's own truth (notebook 03, Section 5) knows some hundred architectures of this space: small networks on harder
# digits, each trained alone with several seeds. So we can ask the question once more without a download. The SuperNet
# is the one of notebook 03, trained on the truth's own images. Candidates are drawn among the architectures that the
# truth knows (`SearchConfig.among`), the same ones for A, C and E, and all rules above hold, at equal steps. Since every
# candidate is in the table, so is the choice of each algorithm: its regret is looked up and not estimated. (The searches
# are stored results of the profile `laptop`, five minutes of two cores; `run(kit_search(profile, kit, "mngnas"))` from
# `mngnas_lib.lab.kit_runs` makes one in your own. What they are held against is looked up now.)
#
# > **Predict.** A, C and E choose the best of the same candidates, each by its own accuracies. Will they choose
# > differently? Who else could choose, without any training?

# %%
kit = get_benchmark("kit-nasbench201")
against_kit = kit_comparison(laptop, kit)
searches = {name: read(search) for name, search in zip(against_kit.names, against_kit.searches, strict=True)}
print(kit.describe().splitlines()[0])
if all(searches.values()):
    known = compare(against_kit, list(searches.values()))
    for name, difference in differences_of(known).items():
        interval = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
        print(f"{LABELS[name]} minus {LABELS['none']}: {interval}, {verdict(difference)}")
    with style():
        fig, axes = plt.subplots(2, 1, figsize=(8.5, 4.8), height_ratios=[5, 2])
        plot_algorithm_taus(taus_of(known), axes[0])
        plot_tau_differences(differences_of(known), axes[1])
        axes[0].set_title(f"{kit.name}, {kit.dataset}: profile laptop, n = {known.metrics['n']}, one seed")
    _ = save(fig, "07_algorithms_kit")
    fig.set_dpi(72)

# %%
if all(searches.values()):
    chosen = {LABELS[name]: result.metrics["arch"] for name, result in searches.items()}
    candidates = searches["none"].table("archs")
    true = kit.scores(list(candidates.arch)).test
    chosen["the largest candidate"] = candidates.arch[candidates.macs.argmax()]
    chosen["the best candidate"] = candidates.arch[true.argmax()]
    table = 100 * kit.table.iloc[kit.rows(list(chosen.values()))][["test", "std"]].set_axis(list(chosen))
    table.loc["any candidate, on average", "test"] = 100 * true.mean()
    print(f"{len(candidates)} candidates, {len(kit)} architectures in the table; percent and points")
    display(table.assign(regret=100 * kit.table.test.max() - table.test).round(2))

# %% [markdown]
# *Measured: profile laptop, hard digits, one seed; accuracies and regret are of the kit's own truth, against the best of
# all its architectures; `std` is the deviation between the seeds of one architecture, where the table has several.* The
# last three rows are what the others are to be held against. The largest candidate is found by counting: where it is as
# good as what A, C and E chose, retraining has bought nothing. The regret of the best candidate is the part that the *draw*
# of the candidates left, and no ranking could have avoided. And two regrets that are closer than the deviation between
# seeds are the same regret.
#
# *Measured:* here C and E rank better than A, by intervals that exclude zero: teachers help. The average of ten does it as
# well as the paper's coefficients, and neither ranks better than FLOPs.
#
# Compare the verdicts with those on CIFAR-10 above. Where they agree, good; where they do not, neither is wrong: other
# images, other widths, another SuperNet, and at most a hundred architectures in both.
#
# ## What to take with you
#
# * Algorithm 3 is twenty lines around a retraining. Twenty lines can be replayed: from the accuracies alone follow all
#   proposals, teachers and removals.
# * Eq. 24 by its letter would freeze the groups; what is meant is "the $n_{TS}$ best so far on each side, ties by
#   FLOPs".
# * A group never gets worse *by the numbers it is ranked with*. Those were measured after different trainings, and
#   the best of many is partly luck.
# * The batched solver's share of a step is small, and its certificates cover every coefficient of the search.
# * Same seed, same bits, interrupted or not.
# * "Distillation helps" is a claim about paired differences, at equal steps *and* at equal time. Best-so-far
#   curves, means after retraining and unpaired $\tau$ do not make it.
#
# **Next:** notebook 08 takes the search to the three NAS benchmarks, with the paper's tables beside it.
