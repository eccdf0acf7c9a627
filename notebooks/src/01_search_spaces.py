# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Search spaces
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/01_search_spaces.ipynb)
#
# **After this notebook you can**
#
# * write an architecture as a string of choices, read the notation of two benchmarks, and say what a search space is;
# * count parameters and multiply-accumulates of a network by hand, and find the error when two counts differ by ten;
# * tell when two architectures are one and the same function, and why two careful people count 4,840 and 6,466;
# * say what a SuperNet holds, what one path of it trains, and what a candidate inherits from it;
# * list the one-slot neighbours of an architecture, which perturbation-aware distillation will need.
#
# **Of the paper:** Section III-A (Eq. 1, 2 and 3), the two spaces of Section IV-F on which it measures rankings, and the
# set of Eq. 21. It makes no figure or table of the paper.
#
# **Time:** quick, laptop and paper alike: under a minute on one CPU core. Nothing is trained here.
#
# **Before it:** nothing. Every notebook starts from a fresh kernel.

# %%
# The kit, where it is not installed yet (on Colab, for example). Elsewhere this cell does nothing.
import importlib.util

if importlib.util.find_spec("mngnas_lib") is None:
    # %pip install --quiet "mngnas-kit @ git+https://github.com/OWNER/REPO"
    pass

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from torch.utils.flop_counter import FlopCounterMode

from mngnas_lib.errors import ArchError
from mngnas_lib.plots import draw_architecture, save, style
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench201 import OPERATIONS

# %% [markdown]
# ## 1 An architecture is a string of choices
#
# Somebody hands you a drawing of a neural network with gaps in it: here a layer is missing, there another one. For
# each gap there is a short list of layers that fit. A **search space** $\mathcal{A}$ is this drawing; a gap is a **slot**; and
# an **architecture** $\delta$ says for every slot which item of its list is taken. Nothing else is searched.
#
# The paper writes an architecture as the string $[C_1, C_2, \dots, C_l]$ and the network as the chain of its blocks:
#
# $$F_{w,\delta}^o(x) = (C_{w_1} \circ \dots \circ C_{w_l})(x) \qquad (2)$$
#
# $$F_i^m(x) = (C_1 \circ \dots \circ C_i)(x) \qquad (3)$$
#
# | symbol | in words | in the kit |
# | --- | --- | --- |
# | $\mathcal{A}$ | search space | `space = get_space(name)` |
# | $\delta$, $[C_1, \dots, C_l]$ | architecture: one choice in each of $l$ slots | `arch`, a tuple of $l$ whole numbers |
# | $C_i$ | the block that is chosen in slot $i$ | `space.slots[i].choices[arch[i]]` |
# | $w$, $\Theta$ | weights | the parameters of `network` |
# | $F^o$ | the network's output | `network(x).logits` |
# | $F_i^m$ | feature map after block $i$ | at the stages' ends: `network(x).stages` |
# | $B(\delta) \le b$ | resource constraint | `space.cost(arch)`, its `.params` or `.macs` |
#
# A toy first, small enough for a sheet of paper: two slots, each with the choices "add one" and "double".

# %%
toy_choices = {"add one": lambda x: x + 1, "double": lambda x: 2 * x}


def run_chain(blocks, x):
    """The feature maps F_1, F_2, ... of Eq. 3; the last one is the output of Eq. 2."""
    maps = []
    for block in blocks:
        x = block(x)
        maps.append(x)
    return maps


# %% [markdown]
# > **Predict.** $x = 3$ and the architecture is [add one, double]. What are $F_1$ and $F_2$? Read Eq. 2 once more: in a
# > mathematics book $(f \circ g)(x)$ is $f(g(x))$, so that $g$ comes *first*. Does that change your answer?

# %%
for names in product(toy_choices, repeat=2):
    maps = run_chain([toy_choices[name] for name in names], 3)
    print(f"[{names[0]:7}, {names[1]:7}]   F_1 = {maps[0]}   F_2 = {maps[1]}")

# %% [markdown]
# $F_1 = 4$ and $F_2 = 8$. The mathematician's reading would double first and give 7. But then $F_i$ of Eq. 3 would begin
# with block $i$ and end with block 1, and it could not be "the feature map of the $i$-th layer". So the paper's
# circle means *and then*: block 1 sees the input.
#
# The toy shows two more things that stay true for real networks. The space has $2 \cdot 2$ architectures: sizes
# *multiply*, slot by slot. And the order of blocks matters: 8 and 7 come from the same two blocks.
#
# ### What the search wants
#
# Eq. 1 says what a good performance estimator $E$ is: whenever it puts $\delta_i$ below $\delta_j$ on validation data, the
# trained networks agree on test data.
#
# $$E(\delta_i, \Theta_i; D_{val}) \le E(\delta_j, \Theta_j; D_{val}) \;\Rightarrow\;
# \mathrm{Acc}(\delta_i, \Theta_i; D_{test}) \le \mathrm{Acc}(\delta_j, \Theta_j; D_{test}) \qquad (1)$$
#
# Only the *order* counts. An estimator that is wrong by thirty points for everybody is perfect.
#
# ### Exercise 1
#
# Write `respects_order(estimated, true)`: both are lists of numbers, one per architecture; the answer is whether Eq. 1
# holds for **all** pairs. Mind the ties: what does Eq. 1 say about two architectures that $E$ cannot tell apart?


# %%
def check_order(function):
    """Try an answer to exercise 1 on five small cases."""
    cases = [
        ([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], True),
        ([0.1, 0.3, 0.2], [0.7, 0.8, 0.9], False),
        ([0.3, 0.1, 0.2], [0.9, 0.7, 0.8], True),
        ([0.1, 0.2], [0.7, 0.7], True),
        ([0.2, 0.2], [0.7, 0.8], False),
    ]
    for estimated, true, expected in cases:
        answer = function(estimated, true)
        if answer != expected:
            print(f"Not yet: for E = {estimated} and Acc = {true} Eq. 1 gives {expected}, your function {answer}.")
            return
    print("Exercise 1: correct.")


# %%
def respects_order(estimated, true): ...  # your code


check_order(respects_order)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Go through all ordered pairs $(i, j)$, also $(j, i)$. For each one the implication fails in a single case: the left side
# holds and the right side does not. With a tie in $E$ the left side holds both ways round.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def respects_order(estimated, true):
#     pairs = list(zip(estimated, true))
#     return all(acc_i <= acc_j for e_i, acc_i in pairs for e_j, acc_j in pairs if e_i <= e_j)
# ```
#
# A tie in $E$ demands a tie in accuracy: an estimator that gives everybody the same score violates Eq. 1.
#
# </details>
#
# No estimator passes this test on thousands of architectures. Notebook 03 therefore counts *how many* pairs are in
# order; that is Kendall's $\tau$.
#
# ## 2 NAS-Bench-201: six slots in a cell
#
# The first real space. Its network is a fixed frame (stem, three stages of five cells, classifier) around one **cell**
# that is repeated fifteen times. Only the cell is searched. It has four nodes, 0 (input) to 3 (output), and an edge from every
# node to every later one: six edges, six slots. Each edge carries one of five operations.

# %%
space = get_space("nasbench201")
for index, slot in enumerate(space.slots):
    print(index, slot.name, slot.choices)
print("architectures:", space.size)

# %% [markdown]
# $5^6 = 15{,}625$. Every one was trained by the benchmark's authors, so here an estimator can be held against the truth.
#
# A node is the **sum** of what its incoming edges make of the earlier nodes:
#
# $$x_t = \sum_{s < t} o_{s,t}(x_s), \qquad t = 1, 2, 3$$
#
# So Eq. 2 does not hold inside a cell: that is a graph, not a chain. It does hold one level up, where $C_i$ is a whole cell.
# The benchmark has a notation of its own: per node the operations with the node they come from, nodes joined by `+`.

# %%
text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
arch = space.from_string(text)
print(arch)
print([OPERATIONS[choice] for choice in arch])
print(space.to_string(arch) == text)

# %% [markdown]
# > **Predict.** Sketch the cell on paper before you run the next cell: four dots, an arrow per edge that is not `none`.
# > How many different ways lead from the input to the output?

# %%
with style():
    fig, ax = plt.subplots(figsize=(6.4, 3.2))
    draw_architecture(space, arch, ax)
save(fig, "01_cell")

# %% [markdown]
# Two ways: one through 3×3 convolution, skip and 1×1 convolution, the other straight through pooling. A dotted line is a `none`: the
# edge exists as a slot but carries nothing. `nor_conv` is short for ReLU, convolution, batch norm, in this order.
#
# A string that does not belong to the space is an error with a reason, not a wrong architecture:

# %%
try:
    space.from_string("|nor_conv_3x3~0|+|none~0|max_pool_3x3~1|+|none~0|none~1|nor_conv_1x1~2|")
except ArchError as error:
    print(error)

# %% [markdown]
# Here are three random architectures, drawn the way SPOS does it: each slot on its own, each choice equally likely.

# %%
rng = np.random.default_rng(4)
with style():
    fig, axes = plt.subplots(1, 3, figsize=(12, 2.6))
    for ax in axes:
        draw_architecture(space, space.sample(rng), ax)
save(fig, "01_random_cells")

# %% [markdown]
# Grey, dashed edges are there in the string and useless in the network. Section 5 comes back to them.
#
# ## 3 What an architecture costs, by hand
#
# The constraint $B(\delta) \le b$ needs a cost. The kit counts **parameters** (learnable numbers) and **multiply-accumulates**
# (MACs) for one image. NAS papers call the latter FLOPs; a processor's manual would count two operations for each.
#
# Take one edge with a 3×3 convolution, in a cell of the first stage: 16 channels in, 16 out, on 32×32 positions.
#
# * Each output channel has a 3×3 filter for each input channel: $16 \cdot 16 \cdot 9 = 2{,}304$ weights.
# * Its batch norm has a scale and an offset per channel: $2 \cdot 16 = 32$.
# * Every weight is used once at each position: $2{,}304 \cdot 32 \cdot 32 = 2{,}359{,}296$ MACs.
#
# > **Predict.** The second stage has 32 channels at 16×16, the third 64 at 8×8. Where do five cells cost the most MACs, and where
# > the most parameters?

# %%
rows = []
for channels, side in [(16, 32), (32, 16), (64, 8)]:
    weights = channels * channels * 9
    rows.append({"channels": channels, "params": 5 * (weights + 2 * channels), "macs": 5 * weights * side * side})
by_hand = pd.DataFrame(rows, index=["stage 1", "stage 2", "stage 3"])
by_hand.loc["sum"] = by_hand.sum()
by_hand[["params", "macs"]]

# %% [markdown]
# MACs are the same in all stages: channels double, so weights grow fourfold, while positions shrink fourfold. Parameters grow
# fourfold from stage to stage. So an edge's 3×3 convolution costs 243,040 parameters, most of them in the last stage, and 35,389,440 MACs,
# evenly spread. The library must say the same when one edge changes from `none` to 3×3:

# %%
without = space.cost((0, 0, 0, 0, 0, 0))
with_one = space.cost((3, 0, 0, 0, 0, 0))
print("params:", with_one.params - without.params, "  macs:", with_one.macs - without.macs)
assert with_one.params - without.params == by_hand.params["sum"]
assert with_one.macs - without.macs == by_hand.macs["sum"]

# %% [markdown]
# Costs **add up**: the frame's part, plus one number per edge, whatever the other edges are. So `cost` needs no network, only
# shapes. Is that so? Two witnesses who know nothing of our arithmetic: the parameters of the network that is really
# built, and torch's own counter, which watches the operations of a forward pass (and counts two for each MAC).


# %%
def measured_cost(network, images):
    """Parameters that the network has, and half of the operations that torch counts in a forward pass."""
    with FlopCounterMode(display=False) as counter:
        network(images)
    return sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2


# %%
image = torch.zeros(1, 3, 32, 32)
arch = space.from_string(text)
print("counted on the network:", measured_cost(space.network(arch), image))
print("computed from shapes:  ", space.cost(arch))
assert measured_cost(space.network(arch), image) == (space.cost(arch).params, space.cost(arch).macs)

# %% [markdown]
# A third witness is the benchmark's own table. Its two columns follow formulas in the numbers $n_3$ and $n_1$ of
# 3×3 and 1×1 convolutions (in millions, for CIFAR-10; *published*, not measured by us):
#
# $$\text{params} = 0.073306 + 0.24304\, n_3 + 0.028\, n_1 \qquad \text{FLOPs} = 7.78305 + 35.38944\, n_3 + 3.93216\, n_1$$
#
# > **Predict.** You have 35,389,440 already. Will the published FLOPs agree with ours to the last digit?


# %%
def published_cost(arch):
    """Parameters and FLOPs as the benchmark's table prints them, as whole numbers."""
    n3, n1 = arch.count(3), arch.count(2)
    return 73_306 + 243_040 * n3 + 28_000 * n1, 7_783_050 + 35_389_440 * n3 + 3_932_160 * n1


# %%
archs = list(space.all_archs())
costs = [space.cost(arch) for arch in archs]
params_apart = {published_cost(arch)[0] - cost.params for arch, cost in zip(archs, costs, strict=True)}
macs_apart = {published_cost(arch)[1] - cost.macs for arch, cost in zip(archs, costs, strict=True)}
print("difference in parameters:", params_apart, "  in FLOPs:", macs_apart)

# %% [markdown]
# Parameters agree for all 15,625. FLOPs differ, by exactly **10**, always. A difference that does not depend on the architecture
# must come from the frame. Which part of the frame knows the number ten? The classifier: ten classes, each with an offset (bias)
# that is *added*. An addition is no multiplication; we count MACs, so it is not in. The benchmark's
# counter took it in. Ten in eight million changes nothing, but a difference that one can explain is better than a tolerance.
#
# ### Exercise 2
#
# The second space, NAS-Bench-Macro, uses MobileNet's inverted residual. `MB3_K3` in the second slot has 64 channels in and out at
# 16×16 positions, and three convolutions without offsets, each followed by a batch norm:
#
# 1. *expand*: 1×1, from 64 channels to $3 \cdot 64 = 192$;
# 2. *depthwise*: 3×3, each of the 192 channels with **one** filter of its own;
# 3. *project*: 1×1, from 192 back to 64.
#
# Put the two numbers into the next cell.


# %%
def check_block_cost(params, macs):
    """Compare an answer to exercise 2 with the difference that the block makes in the library's count."""
    macro = get_space("nasbench-macro")
    one, other = macro.cost(macro.from_string("01000000")), macro.cost(macro.from_string("00000000"))
    for name, answer, expected in [
        ("params", params, one.params - other.params),
        ("macs", macs, one.macs - other.macs),
    ]:
        if answer != expected:
            apart = "nothing" if answer is None else f"{answer:,}, which is {answer - expected:+,} off"
            print(f"Not yet: for {name} you have {apart}.")
            return
    print("Exercise 2: correct.")


# %%
my_params = None  # your number
my_macs = None  # your number
check_block_cost(my_params, my_macs)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Weights: $64 \cdot 192$, then $192 \cdot 9$ (not $192 \cdot 192 \cdot 9$), then $192 \cdot 64$. If your parameters are 896 too few, think
# of the batch norms. They cost no MACs.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# weights = 64 * 192 + 192 * 9 + 192 * 64
# my_params = weights + 2 * (192 + 192 + 64)
# my_macs = weights * 16 * 16
# check_block_cost(my_params, my_macs)
# ```
#
# </details>
#
# ## 4 The whole space by its cost
#
# Because costs are sums of table entries, all 15,625 take a third of a second.
#
# > **Predict.** How many *different* MAC counts are there among them? (Which operations cost anything?)

# %%
table = pd.DataFrame(costs).assign(conv3=[arch.count(3) for arch in archs], conv1=[arch.count(2) for arch in archs])
print("different costs:", table.macs.nunique())
table[["params", "macs"]].describe().loc[["min", "50%", "mean", "max"]].map("{:,.0f}".format)

# %% [markdown]
# Only 28: the cost depends on $n_3$ and $n_1$ alone, and there are 28 ways to have $n_3 + n_1 \le 6$. So in this space a ranking by FLOPs is
# nearly a ranking by the number of 3×3 convolutions. Keep this in mind: notebook 03 will show how hard this crude ranking is to beat.

# %%
with style():
    fig, ax = plt.subplots(figsize=(7.5, 3.6))
    sns.histplot(x=table.macs / 1e6, hue=table.conv3, multiple="stack", binwidth=4, palette="cividis", ax=ax)
    ax.set(xlabel="MACs for one CIFAR-10 image (millions)", ylabel="architectures")
    ax.get_legend().set_title("3×3 convolutions")
save(fig, "01_cost_nasbench201")

# %% [markdown]
# Seven combs, one per number of 3×3 convolutions, each spread a little by the 1×1 ones. Most architectures have one or two
# 3×3 convolutions: with six slots and five choices, $6/5$ on average. Uniform drawing therefore proposes cheap
# networks far more often than dear ones.
#
# What does a constraint leave over? A search under $b$ = 100 million MACs sees this part of the space:

# %%
for budget in (50, 100, 150, 200):
    share = (table.macs <= budget * 1e6).mean()
    print(f"B <= {budget:3d} M MACs: {share:5.1%} of the architectures")

# %% [markdown]
# The chain space NAS-Bench-Macro has eight slots with *different* costs: the same block is cheaper or dearer in another stage.

# %%
macro = get_space("nasbench-macro")
macro_costs = pd.DataFrame([macro.cost(arch) for arch in macro.all_archs()])
print(f"{macro.size} architectures, {macro_costs.macs.nunique()} different MACs, {macro_costs.params.nunique()} params")
with style():
    fig, ax = plt.subplots(figsize=(7.5, 3.2))
    sns.scatterplot(x=macro_costs.params / 1e6, y=macro_costs.macs / 1e6, s=6, linewidth=0, color="#0072B2", ax=ax)
    ax.set(xlabel="parameters (millions)", ylabel="MACs for one image (millions)")
save(fig, "01_cost_nasbench_macro")

# %% [markdown]
# Parameters and MACs are not one thing here: a block of the last stage brings many parameters (wide) and moderate MACs (few positions). Two
# networks with equal MACs can differ by a factor in parameters. "Small" needs a unit.
