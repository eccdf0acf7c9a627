# %% [markdown]
# # 01 · Search spaces
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/01_search_spaces.ipynb)
#
# **After this notebook you can** write an architecture as a string of choices and read the notation of three
# benchmarks; count the parameters and multiply-accumulates of a network by hand; tell when two architectures are
# one and the same function, and why careful people count 4,840 and 6,466 of them; say what a SuperNet holds, what
# one path of it trains and what a candidate inherits; and list the one-slot neighbours that perturbation-aware
# distillation needs.
#
# **Of the paper:** Section III-A with Eq. 1, 2 and 3; the spaces of the three NAS benchmarks (Sections IV-F and V-A); the
# set of Eq. 21. No figures or tables: all figures here are the kit's own.
#
# **Time:** quick 25 s · laptop 25 s · paper 25 s (2 CPU cores; nothing is trained, so the profile changes nothing)

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
from collections import Counter, defaultdict
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision.utils import make_grid

from mngnas_lib.data import load_images
from mngnas_lib.errors import ArchError
from mngnas_lib.plots import draw_architecture, save, style
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import graph_hash, prune, to_matrix
from mngnas_lib.spaces.nasbench101_census import CELLS_BY_NODES
from mngnas_lib.spaces.nasbench201 import EDGES, OPERATIONS
from mngnas_lib.spaces.nasbench201_network import Cell

print("kit", mngnas_lib.__version__)

# %% [markdown]
# ## 1 An architecture is a string of choices
#
# Somebody hands you a drawing of a neural network with gaps in it: here a layer is missing, there another one. For
# each gap there is a short list of layers that fit. A **search space** $\mathcal{A}$ is this drawing; a gap is a
# **slot**; and an **architecture** $\delta$ says for every slot which item of its list is taken. Nothing else is
# searched.
#
# The paper writes an architecture as the string $[C_1, C_2, \dots, C_l]$ and the network as the chain of its
# blocks:
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
# > **Predict.** $x = 3$ and the architecture is [add one, double]. What are $F_1$ and $F_2$? Read Eq. 2 once more:
# > in a mathematics book $(f \circ g)(x)$ is $f(g(x))$, so that $g$ comes *first*. Does that change your answer?

# %%
for names in product(toy_choices, repeat=2):
    maps = run_chain([toy_choices[name] for name in names], 3)
    print(f"[{names[0]:7}, {names[1]:7}]   F_1 = {maps[0]}   F_2 = {maps[1]}")

# %% [markdown]
# $F_1 = 4$ and $F_2 = 8$. The mathematician's reading would double first and give 7. But then $F_i$ of Eq. 3 would
# begin with block $i$ and end with block 1, and it could not be "the feature map of the $i$-th layer". So the
# paper's circle means *and then*: block 1 sees the input.
#
# The toy shows two more things that stay true for real networks. The space has $2 \cdot 2$ architectures: sizes
# *multiply*, slot by slot. And the order of blocks matters: 8 and 7 come from the same two blocks.
#
# ### What the search wants
#
# Eq. 1 says what a good performance estimator $E$ is: whenever it puts $\delta_i$ below $\delta_j$ on validation
# data, the trained networks agree on test data.
#
# $$E(\delta_i, \Theta_i; D_{val}) \le E(\delta_j, \Theta_j; D_{val}) \;\Rightarrow\;
# \mathrm{Acc}(\delta_i, \Theta_i; D_{test}) \le \mathrm{Acc}(\delta_j, \Theta_j; D_{test}) \qquad (1)$$
#
# Only the *order* counts. An estimator that is wrong by thirty points for everybody is perfect.
#
# ### Exercise 1
#
# Write `respects_order(estimated, true)`: both are lists of numbers, one per architecture; the answer is whether
# Eq. 1 holds for **all** pairs. Mind the ties: what does Eq. 1 say about two architectures that $E$ cannot tell
# apart?


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
# Go through all ordered pairs $(i, j)$, also $(j, i)$. For each one the implication fails in a single case: the
# left side holds and the right side does not. With a tie in $E$ the left side holds both ways round.
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
# The first real space. Its network is a fixed frame (stem, three stages of five cells, classifier) around one
# **cell** that is repeated fifteen times. Only the cell is searched. It has four nodes, 0 (input) to 3 (output),
# and an edge from every node to every later one: six edges, six slots. Each edge carries one of five operations.

# %%
space = get_space("nasbench201")
for index, slot in enumerate(space.slots):
    print(index, slot.name, slot.choices)
print("architectures:", space.size)

# %% [markdown]
# $5^6 = 15{,}625$. Every one was trained by the benchmark's authors, so here an estimator can be held against the
# truth.
#
# A node is the **sum** of what its incoming edges make of the earlier nodes:
#
# $$x_t = \sum_{s < t} o_{s,t}(x_s), \qquad t = 1, 2, 3$$
#
# So Eq. 2 does not hold inside a cell: that is a graph, not a chain. It does hold one level up, where $C_i$ is a
# whole cell. The benchmark has a notation of its own: per node the operations with the node they come from, nodes
# joined by `+`.

# %%
text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
arch = space.from_string(text)
print(arch)
print([OPERATIONS[choice] for choice in arch])
print(space.to_string(arch) == text)

# %% [markdown]
# > **Predict.** Sketch the cell on paper before you run the next cell: four dots, an arrow per edge that is not
# > `none`. How many different ways lead from the input to the output?

# %%
with style():
    fig, ax = plt.subplots(figsize=(5.4, 2.7))
    draw_architecture(space, arch, ax)
_ = save(fig, "01_cell")

# %% [markdown]
# Two ways: one through 3×3 convolution, skip and 1×1 convolution, the other straight through pooling. A dotted line
# is a `none`: the edge exists as a slot but carries nothing. `nor_conv` is short for ReLU, convolution, batch norm,
# in this order.
#
# A string that does not belong to the space is an error with a reason, not a wrong architecture:

# %%
try:
    space.from_string("|nor_conv_3x3~0|+|none~0|max_pool_3x3~1|+|none~0|none~1|nor_conv_1x1~2|")
except ArchError as error:
    print(error)

# %% [markdown]
# ## 3 What an architecture costs, by hand
#
# The constraint $B(\delta) \le b$ needs a cost. The kit counts **parameters** (learnable numbers) and
# **multiply-accumulates** (MACs) for one image. NAS papers call the latter FLOPs; a processor's manual would count
# two operations for each.
#
# Take one edge with a 3×3 convolution, in a cell of the first stage: 16 channels in, 16 out, on 32×32 positions.
#
# * Each output channel has a 3×3 filter for each input channel: $16 \cdot 16 \cdot 9 = 2{,}304$ weights.
# * Its batch norm has a scale and an offset per channel: $2 \cdot 16 = 32$.
# * Every weight is used once at each position: $2{,}304 \cdot 32 \cdot 32 = 2{,}359{,}296$ MACs.
#
# > **Predict.** The second stage has 32 channels at 16×16, the third 64 at 8×8. Where do five cells cost the most
# > MACs, and where the most parameters?

# %%
rows = []
for channels, side in [(16, 32), (32, 16), (64, 8)]:
    weights = channels * channels * 9
    rows.append({"channels": channels, "params": 5 * (weights + 2 * channels), "macs": 5 * weights * side * side})
by_hand = pd.DataFrame(rows, index=["stage 1", "stage 2", "stage 3"])
by_hand.loc["sum"] = by_hand.sum()
by_hand[["params", "macs"]]

# %% [markdown]
# MACs are the same in all stages: channels double, so weights grow fourfold, while positions shrink fourfold.
# Parameters grow fourfold from stage to stage. So an edge's 3×3 convolution costs 243,040 parameters, most of them
# in the last stage, and 35,389,440 MACs, evenly spread. The library must say the same when one edge changes from
# `none` to 3×3:

# %%
without = space.cost((0, 0, 0, 0, 0, 0))
with_one = space.cost((3, 0, 0, 0, 0, 0))
print("params:", with_one.params - without.params, "  macs:", with_one.macs - without.macs)
assert with_one.params - without.params == by_hand.params["sum"]
assert with_one.macs - without.macs == by_hand.macs["sum"]

# %% [markdown]
# Costs **add up**: the frame's part, plus one number per edge, whatever the other edges are. So `cost` needs no
# network, only shapes. Is that so? Two witnesses who know nothing of our arithmetic: the parameters of the network
# that is really built, and torch's own counter, which watches the operations of a forward pass (and counts two for
# each MAC).


# %%
def measured_cost(network, images):
    """Parameters that the network has, and half of the operations that torch counts in a forward pass."""
    with FlopCounterMode(display=False) as counter:
        network(images)
    return sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2


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


archs = list(space.all_archs())
costs = [space.cost(arch) for arch in archs]
params_apart = {published_cost(arch)[0] - cost.params for arch, cost in zip(archs, costs, strict=True)}
macs_apart = {published_cost(arch)[1] - cost.macs for arch, cost in zip(archs, costs, strict=True)}
print("difference in parameters:", params_apart, "  in FLOPs:", macs_apart)

# %% [markdown]
# Parameters agree for all 15,625. FLOPs differ, by exactly **10**, always. A difference that does not depend on the
# architecture must come from the frame. Which part of the frame knows the number ten? The classifier: ten classes,
# each with an offset (bias) that is *added*. An addition is no multiplication; we count MACs, so it is not in. The
# benchmark's counter took it in. Ten in eight million changes nothing, but a difference that one can explain is
# better than a tolerance.
#
# ### Exercise 2
#
# The second space, NAS-Bench-Macro, uses MobileNet's inverted residual. `MB3_K3` in the second slot has 64 channels
# in and out at 16×16 positions, and three convolutions without offsets, each followed by a batch norm:
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
# Weights: $64 \cdot 192$, then $192 \cdot 9$ (not $192 \cdot 192 \cdot 9$), then $192 \cdot 64$. If your parameters
# are 896 too few, think of the batch norms. They cost no MACs.
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
# Only 28: the cost depends on $n_3$ and $n_1$ alone, and there are 28 ways to have $n_3 + n_1 \le 6$. So in this
# space a ranking by FLOPs is nearly a ranking by the number of 3×3 convolutions. Keep this in mind: notebook 03
# will show how hard this crude ranking is to beat.

# %%
with style():
    fig, ax = plt.subplots(figsize=(7.5, 3.6))
    sns.histplot(x=table.macs / 1e6, hue=table.conv3, multiple="stack", binwidth=4, palette="cividis", ax=ax)
    ax.set(xlabel="MACs for one CIFAR-10 image (millions)", ylabel="architectures")
    ax.get_legend().set_title("3×3 convolutions")
for budget in (50, 100, 150):
    print(f"B <= {budget:3d} M MACs leaves {(table.macs <= budget * 1e6).mean():.0%} of the architectures")
_ = save(fig, "01_cost_nasbench201")

# %% [markdown]
# Seven combs, one per number of 3×3 convolutions, each spread a little by the 1×1 ones. Nine in ten architectures
# have at most two 3×3 convolutions: with six slots and five choices, $6/5$ on average. Uniform drawing therefore
# proposes cheap networks far more often than dear ones.
#
# A constraint $b$ cuts this picture at a vertical line. Under 100 million MACs nine tenths of the space are left;
# under 50, half.
#
# The chain space NAS-Bench-Macro has eight slots with *different* costs: the same block is cheaper or dearer in
# another stage.

# %%
macro = get_space("nasbench-macro")
macro_costs = pd.DataFrame([macro.cost(arch) for arch in macro.all_archs()])
print(f"{macro.size} architectures, {macro_costs.macs.nunique()} different MACs, {macro_costs.params.nunique()} params")
with style():
    fig, ax = plt.subplots(figsize=(7.5, 3.2))
    sns.histplot(
        x=macro_costs.params / 1e6,
        y=macro_costs.macs / 1e6,
        bins=48,
        cmap="cividis",
        cbar=True,
        cbar_kws={"label": "architectures"},
        ax=ax,
    )
    ax.set(xlabel="parameters (millions)", ylabel="MACs for one image (millions)")
_ = save(fig, "01_cost_nasbench_macro")

# %% [markdown]
# Parameters and MACs are not one thing here: a block of the last stage brings many parameters (wide) and moderate
# MACs (few positions). Two networks with equal MACs can differ by a factor in parameters. "Small" needs a unit.
#
# ## 5 Different strings, one function
#
# 15,625 strings are not 15,625 networks. Some differences on paper make no difference to any image. Four reasons,
# each with a pair of cells that compute the same:
#
# 1. **A dead node.** What enters a node that nothing leaves is computed for nobody.
# 2. **Zero and skip.** A skip from node 1 to 3 can be a detour from 0 to 3; an edge that starts at a zero node carries zero.
# 3. **Symmetry.** Nodes 1 and 2 have no names. Exchange them, and the same network is drawn differently.
# 4. **Linearity.** Average pooling of a sum is the sum of the average poolings.

# %%
PAIRS = {
    "a dead node": ((3, 0, 0, 2, 0, 0), (0, 0, 0, 2, 0, 0)),
    "a detour of skips": ((1, 0, 3, 0, 0, 1), (0, 0, 0, 3, 0, 0)),
    "exchanged nodes": ((3, 2, 0, 0, 1, 4), (2, 3, 0, 0, 4, 1)),
    "pooling of a sum": ((3, 2, 1, 0, 0, 4), (3, 2, 0, 0, 4, 4)),
}
with style():
    fig, axes = plt.subplots(len(PAIRS), 2, figsize=(6.2, 5.8))
    for row, (reason, pair) in zip(axes, PAIRS.items(), strict=True):
        for ax, member in zip(row, pair, strict=True):
            draw_architecture(space, member, ax)
        row[0].set_title(reason)
_ = save(fig, "01_equal_cells")

# %% [markdown]
# Go along the coloured arrows from *in* to *out*, left and right, and write down the sum that arrives. In the
# second row: left, ReLU-conv-BN of a copy of the input, then copied; right, ReLU-conv-BN of the input.
#
# "The same function" needs care: two networks have *different* random weights. We mean that for any weights of the
# one there are weights of the other that make all outputs equal. A trick saves us from searching for them: let all
# convolutions of a cell **share** their weights. What is equal as a formula is then equal as a number; what is not,
# will not be by chance.
#
# Two details. Offsets of batch norms are zero at the start; here they are not, or they could hide an error. And a
# batch norm divides a factor of its input away, all but the small $\epsilon$: without a large $\epsilon$, a
# convolution of $2x$ would look equal to one of $x$.


# %%
def cell_of_equal_weights(seed):
    """A cell with all choices, in which each convolution has one set of weights, and all batch norms are one."""
    torch.manual_seed(seed)
    cell = Cell(4, [range(5)] * 6).double()
    shared = cell.edges[0]
    shared["2"].norm = shared["3"].norm
    torch.nn.init.normal_(shared["3"].norm.weight)
    torch.nn.init.normal_(shared["3"].norm.bias)
    shared["3"].norm.eps = 0.1
    for edge in cell.edges:
        edge["2"], edge["3"] = shared["2"], shared["3"]
    return cell


cell = cell_of_equal_weights(seed=0)
images = torch.randn(2, 4, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    for reason, (left, right) in PAIRS.items():
        one, two = (cell(images, member, used=(True,) * 6) for member in (left, right))
        apart = float((one - two).abs().max())
        print(
            f"{reason:18} outputs apart: {apart:.0e}   canonical agrees: {space.canonical(left) == space.canonical(right)}"
        )

# %% [markdown]
# Equal to rounding. `space.canonical(arch)` gives one representative for all architectures of a class, the
# cheapest. Two architectures compute the same exactly if their representatives are the same.
#
# > **Predict.** How many different functions are there among 15,625 strings? Half? A tenth? Nine tenths?

# %%
canonical = {arch: space.canonical(arch) for arch in archs}
classes = defaultdict(list)
for arch, representative in canonical.items():
    classes[representative].append(arch)
sizes = Counter(len(members) for members in classes.values())
print(f"{len(classes)} functions, {sizes[1]} of them with a single string; the largest class has {max(sizes)} strings")

# %% [markdown]
# **4,840**, less than a third. Most functions have one string only; but a few classes are huge: "a single 3×3
# convolution" can be written in 284 ways, most of them full of dead edges.
#
# Do not take `canonical` on trust: 2,000 random cells, grouped once by their *outputs* and once by `canonical`.
# (The kit's tests do it for all 15,625.)

# %%
rng = np.random.default_rng(0)
some = [archs[i] for i in rng.choice(len(archs), size=2000, replace=False)]
with torch.no_grad():
    outputs = [cell(images, arch, used=(True,) * 6).mul(1e6).round().flatten().tolist() for arch in some]
by_output = len({tuple(output) for output in outputs})
by_both = len({(tuple(output), canonical[arch]) for output, arch in zip(outputs, some, strict=True)})
print("groups by output:", by_output, "  by canonical:", len({canonical[a] for a in some}), "  by both:", by_both)
assert by_output == by_both == len({canonical[arch] for arch in some})

# %% [markdown]
# Three times the same number: neither grouping splits a group of the other. (It is a test by chance, and chance can
# be unlucky: were all offsets negative, ReLU would wipe out every constant, and cells that differ would agree *at
# these weights*.)
#
# ### Why the literature says 6,466
#
# The authors of NAS-Bench-201 count 6,466 (*published*). Their rule builds a string for every node: the input is
# `0`, zero is `#`, a skip copies its source's string, and the terms of a sum are sorted. Equal strings, equal
# architectures. We can compute it:


# %%
def unique_string(arch):
    """The literature's name of the function: sorted sums, with '#' for zero."""
    nodes = ["0"]
    for node in (1, 2, 3):
        terms = []
        for (source, _), choice in [(edge, c) for edge, c in zip(EDGES, arch, strict=True) if edge[1] == node]:
            name = OPERATIONS[choice]
            if name == "none" or nodes[source] == "#":
                terms.append("#")
            else:
                terms.append(nodes[source] if name == "skip_connect" else f"({nodes[source]})@{name}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


strings = {arch: unique_string(arch) for arch in archs}
print("different strings:", len(set(strings.values())))

# %% [markdown]
# 6,466, so this is the rule. It cannot be right that the same 15,625 networks are 4,840 and 6,466 functions.
#
# > **Predict.** Here are two pairs. Which pair is equal as a *function*? Which one has equal *strings*?

# %%
DISPUTED = {"pair A": ((0, 0, 0, 1, 0, 0), (0, 1, 0, 0, 0, 1)), "pair B": ((0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 3, 0))}
with style():
    fig, axes = plt.subplots(2, 2, figsize=(6.8, 3.5))
    for row, (name, pair) in zip(axes, DISPUTED.items(), strict=True):
        for ax, member in zip(row, pair, strict=True):
            draw_architecture(space, member, ax)
        row[0].set_title(name)
_ = save(fig, "01_disputed_cells")
with torch.no_grad():
    for name, pair in DISPUTED.items():
        one, two = (cell(images, member, used=(True,) * 6) for member in pair)
        difference = (two - one)[0, :, 0, 0].round(decimals=3) + 0.0
        print(
            f"{name}: strings {strings[pair[0]]} and {strings[pair[1]]}, difference per channel {difference.tolist()}"
        )

# %% [markdown]
# **Pair A** is the identity twice: the input goes through untouched. But the strings keep every zero of the sum:
# `#+#+0` is not `#+#+#+0`. So the literature counts one function several times. (Nor does it spread pooling over a
# sum.)
#
# **Pair B** has one string and two functions. On the right a 3×3 convolution reads node 1, which nothing enters.
# Convolution of zero is zero, but the batch norm behind it makes of zero its **offset**, a learnable constant per
# channel. The string calls the whole term `#`. At the start of training offsets are zero and both cells agree;
# after the first step they do not.

# %%
strings_of, functions_of = defaultdict(set), defaultdict(set)
for arch in archs:
    strings_of[canonical[arch]].add(strings[arch])
    functions_of[strings[arch]].add(canonical[arch])
print("functions with more than one string:", sum(len(names) > 1 for names in strings_of.values()))
print("strings with more than one function:", sum(len(group) > 1 for group in functions_of.values()))

# %% [markdown]
# So 6,466 errs both ways: 825 functions are counted more than once, and 101 strings each hide two or more
# functions. The number to use depends on the question. For "how many rows of the table are the same network up to
# training noise", use 4,840.
#
# Why bother? (a) A search that proposes the same function twice wastes a training. (b) A ranking over 1,000 "random
# architectures" with the same function many times in it measures noise; `space.sample_distinct` draws among
# functions. (c) Perturbed neighbours that are the same function teach nothing: see Section 9.
#
# ### Exercise 3
#
# Some cells give **zero** for every image, whatever the weights. Write `output_is_zero(arch)` without using
# `canonical`: go from node 1 to node 3 and keep track of which nodes are zero. Pair B holds the trap. (`EDGES[i]`
# is the pair (source, target) of slot `i`; choices are 0 `none`, 1 `skip_connect`, 2 and 3 convolutions, 4
# pooling.)


# %%
def check_zero(function):
    """Compare an answer to exercise 3 with the library, over the whole space."""
    space = get_space("nasbench201")
    for arch in space.all_archs():
        expected = space.canonical(arch) == (0,) * 6
        if function(arch) is not expected:
            print(f"Not yet: for {arch} the answer is {expected}, your function says {function(arch)}.")
            return
    print("Exercise 3: correct.")


# %%
def output_is_zero(arch): ...  # your code


check_zero(output_is_zero)

# %% [markdown]
# <details><summary>Hint</summary>
#
# A node is zero if each of its incoming edges is `none`, or is a skip or a pooling that starts at a zero node. A
# convolution never gives zero. Slots are ordered so that all edges into a node come before the edges out of it.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def output_is_zero(arch):
#     zero = [False, True, True, True]  # the input is not zero; the others are until something enters
#     for (source, target), choice in zip(EDGES, arch):
#         if choice in (2, 3) or (choice in (1, 4) and not zero[source]):
#             zero[target] = False
#     return zero[3]
# ```
#
# 201 strings compute zero. All images then get the same logits, the classifier's offsets: 10 % accuracy on
# CIFAR-10.
#
# </details>
#
# ## 6 A chain of blocks: NAS-Bench-Macro
#
# The second space is what Eq. 2 has in mind: a stem, eight blocks in a row, a head. Three stages of 2, 3 and 3
# blocks; the first block of each halves the resolution and doubles the channels. A slot holds `identity`, `MB3_K3`
# or `MB6_K5` (expansion 3 or 6, kernel 3 or 5); the notation is one digit per slot. $3^8 = 6{,}561$ strings.

# %%
chain = macro.from_string("10201100")
with style():
    fig, axes = plt.subplots(2, 1, figsize=(7.2, 3.8))
    draw_architecture(macro, chain, axes[0])
    axes[0].set_title(macro.to_string(chain))
    draw_architecture(macro, macro.canonical(chain), axes[1])
    axes[1].set_title(macro.to_string(macro.canonical(chain)))
_ = save(fig, "01_equal_chains")

# %% [markdown]
# An identity inside a stage is a wire. In stage 2, "block, wire, block" and "block, block, wire" are the same two
# blocks in the same order; `canonical` pushes the wires to the stage's end. The *first* block of a stage is no wire
# even where it is called identity: it must change the shape, so it is a strided 1×1 convolution.
#
# > **Predict.** How many networks remain? It can be done by hand: a stage of $k$ blocks has 3 choices for the
# > first, and then a sequence of *at most* $k - 1$ real blocks, each of two kinds.

# %%
per_stage = [3 * sum(2**length for length in range(blocks)) for blocks in macro.stages]
print("by hand:", per_stage, "product", np.prod(per_stage), "  by canonical:", len(macro.canonical_archs()))
assert np.prod(per_stage) == len(macro.canonical_archs())

# %% [markdown]
# $9 \cdot 21 \cdot 21 = 3{,}969$. And by numbers: copy the weights of the first chain, block by block and in order,
# into the second. Wires have no weights, so the blocks that do are matched one to one.

# %%
small_macro = get_space("nasbench-macro", channels=8, head_channels=32)
first, second = (small_macro.network(a, seed=s) for s, a in enumerate([chain, macro.canonical(chain)]))
second.load_state_dict({k: v for k, v in first.state_dict().items() if not k.startswith("blocks.")}, strict=False)
for source, target in zip(filter(len, first.blocks), filter(len, second.blocks), strict=True):
    target.load_state_dict(source.state_dict())
digits = load_images("digits", size=16, count=500)
x = digits.normalise(digits.train.images[:64]).expand(-1, 3, -1, -1)
print("logits apart:", float((first(x).logits - second(x).logits).abs().max().detach()))

# %% [markdown]
# Not "close": equal, bit for bit, on 64 images of digits. In the benchmark's table the two strings still have
# different accuracies, since they were trained separately. That difference is pure luck of training, and no ranking
# method can predict it.
#
# ## 7 Any graph: NAS-Bench-101
#
# In the third space, that of the paper's Table XI, the *edges* are chosen as well. A cell is a graph of at most seven
# nodes, from input to output; each of the five between them carries one of three operations (3×3 convolution, 1×1
# convolution, 3×3 max-pooling). An upper triangular matrix of zeros and ones says which edges exist, at most nine. So an
# architecture has 21 slots with two choices and 5 with three. The benchmark has no notation; the kit writes the rows
# right of the diagonal, then a letter for each node (`3`, `1` and `p`), as in `110001.01001.0001.000.00.0:31p33`.
#
# > **Predict.** Draw this cell: nodes 0 (input) to 6 (output); the first row says that edges lead from 0 to 1, 2 and 6.
# > Which nodes lie on a way from input to output? And if you exchange the names of nodes 1 and 2, with their rows,
# > columns and operations, what changes?

# %%
graphs = get_space("nasbench101")
text_101 = "110001.01001.0001.000.00.0:31p33"
matrix, labels = to_matrix(graphs.from_string(text_101))
print(matrix, *labels, sep="\n")
twin = "110001.00001.1001.000.00.0:13p33"
seven = "110100.01010.1000.001.10.1:31p31"
for name in (text_101, twin, seven):
    kept, operations = prune(*to_matrix(graphs.from_string(name)))
    print(f"{name}: {len(kept)} nodes, {kept.sum()} edges, hash {graph_hash(kept, operations)[:8]}")
    print("   canonical:", graphs.to_string(graphs.canonical(graphs.from_string(name))))
with style():
    fig, axes = plt.subplots(3, 1, figsize=(8.6, 5.4))
    for ax, name in zip(axes, (text_101, twin, seven), strict=True):
        draw_architecture(graphs, graphs.from_string(name), ax)
        ax.set_title(name)
_ = save(fig, "01_graphs")

# %% [markdown]
# Three nodes of the first cell are **pruned**: node 3 is a dead end (the max-pooling that you do not see), and nodes 4
# and 5 stand alone. The second cell is the first one with nodes 1 and 2 exchanged: another matrix, the same graph. The
# benchmark's hash does not depend on the nodes' names, and `canonical` picks one representative; both say that the two
# are one cell. The third has all seven nodes and nine edges, and nothing to prune.
#
# > **Predict.** How many cells are there with exactly one operation between input and output? The answer is small
# > enough for your fingers.

# %%
print("by nodes that count:", CELLS_BY_NODES, " together", f"{sum(CELLS_BY_NODES.values()):,}")
print(f"valid ways to write them: {graphs.size:,}")
assert CELLS_BY_NODES[3] == 3 * 2  # three operations, with a direct edge from input to output or without

# %% [markdown]
# Six: the operation is one of three, and a direct edge from input to output is there or not. All together they are
# **423,624**, the published number, in 374 million valid matrices with labels. A draw among matrices is far from a draw
# among cells, since small cells have many matrices; `sample_distinct` draws among cells.
#
# ### A cost that does not add up
#
# Nodes that lead to the output are **concatenated**, and divide its channels among them. Take 128 channels and one 3×3
# node: $128 \cdot 128 \cdot 9 = 147{,}456$ weights.
#
# > **Predict.** Now two 3×3 nodes side by side, both from input to output. Twice as many weights?

# %%
one_cell = get_space("nasbench101", channels=128, cells=1, stacks=1)
one, two = (
    one_cell.cost(one_cell.from_string(f"{rows}.000.00.0:33333")).params
    for rows in ("100000.00001.0000", "110000.00001.0001")
)
print(f"one node {one:,} parameters, two nodes {two:,}: difference {one - two:,}")
assert one - two == 128 * 128 * 9 - 2 * 64 * 64 * 9

# %% [markdown]
# Half as many: each node has 64 channels, and $2 \cdot 64 \cdot 64 \cdot 9 = 73{,}728$. (The 1×1 projections from the
# input, one for each node, have $128 \cdot 128$ weights together in both cases.) So an edge costs what it makes of the
# *other* nodes' widths, and no table of slots holds the sum. The kit still counts from shapes alone, cell by cell.
#
# ## 8 The SuperNet: all of them in one network
#
# To train 15,625 networks takes a cluster. One-shot NAS trains *one*, the **SuperNet**: it has in every slot the
# modules of **all** choices. An architecture is a path through it; calling it takes the path as second argument. We
# take a small one: 8 channels, one cell a stage.

# %%
small = get_space("nasbench201", channels=8, cells=1)
net = small.supernet(in_channels=1, seed=0)
held = sum(parameter.numel() for parameter in net.parameters())
apart = sum(small.cost(arch, input_shape=(1, 16, 16)).params for arch in archs)
print(f"the SuperNet has {held:,} parameters; all {small.size:,} networks apart have {apart:,}")
try:
    net(torch.zeros(2, 1, 16, 16))
except ArchError as error:
    print(error)

# %% [markdown]
# Five thousand times fewer, because the 3×3 convolution of the first edge is *one* set of weights, in whichever of
# the 3,125 architectures that have it. That is the whole idea, and the whole problem: what is good for one of them
# need not be good for the others.
#
# **One path.** A forward pass returns logits and one feature map per stage, the $f_j$ that distillation (Eq. 6)
# compares:

# %%
x = digits.normalise(digits.train.images[:64])
path = small.from_string(text)
output = net(x, path)
print("logits", tuple(output.logits.shape))
for stage, feature_map in enumerate(output.stages, start=1):
    print(f"stage {stage}", tuple(feature_map.shape))
with style():
    fig, axes = plt.subplots(4, 1, figsize=(8, 4.6))
    rows = [x[:1], *[stage[0, :8, None] for stage in output.stages]]
    for ax, maps, name in zip(axes, rows, ["image", "stage 1", "stage 2", "stage 3"], strict=True):
        ax.imshow(
            make_grid(maps.detach(), nrow=8, normalize=True, scale_each=True, padding=1, pad_value=1)[0], cmap="gray"
        )
        ax.set_title(f"{name}: {maps.shape[-1]}×{maps.shape[-1]}")
        ax.axis("off")
_ = save(fig, "01_stages")

# %% [markdown]
# One digit, and the first eight channels of each stage (untrained weights). Channels double and resolution halves
# from stage to stage. **All** architectures of a space have the same shapes here, which is why the paper can
# compare feature maps of teacher and student without an adapter.
#
# **Who learns?** SPOS draws one path, runs it and steps.
#
# > **Predict.** Which share of the SuperNet's parameters gets a gradient from the path above (one 3×3, one 1×1, one
# > pooling, one skip)?

# %%
net.zero_grad()
F.cross_entropy(net(x, path).logits, digits.train.labels[:64]).backward()
touched = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
count = sum(net.get_parameter(name).numel() for name in touched)
print(f"{count:,} of {held:,} parameters ({count / held:.0%}) have a gradient")
print(
    "edges of the first cell:", sorted({name.split(".")[4] for name in touched if name.startswith("cells.0.0.edges")})
)

# %% [markdown]
# The frame (stem, reductions, classifier) learns from every path. Of the twelve convolutions of each cell only two
# have been touched: slot 0's 3×3 and slot 5's 1×1. A given choice is trained in one step out of five. That "the
# corresponding branch is not fully trained" is the paper's opening complaint.
#
# **What a candidate inherits.** `extract` gives the stand-alone network of a path with its own copy of the path's
# weights:

# %%
candidate = net.extract(path)
same = torch.equal(candidate(x).logits, net(x, path).logits)
with torch.no_grad():
    before = net(x, path).logits
    for parameter in candidate.parameters():
        parameter.add_(1.0)
print("same output:", same, "  SuperNet untouched by training the copy:", torch.equal(before, net(x, path).logits))
print("names are the SuperNet's:", set(candidate.state_dict()) <= set(net.state_dict()))
assert same and len(list(candidate.parameters())) == len(touched)

# %% [markdown]
# The copy has exactly as many parameters as the path touched. In the search each candidate $S_i$ is such a copy:
# thirty of them are retrained in a search epoch and none disturbs another, or the SuperNet.
#
# **Eq. 2, executed.** In the chain space the parts of a network can be run one by one: stem, eight blocks, head.
# Our toy function `run_chain` from Section 1 does it, feature maps of Eq. 3 included:

# %%
macro_net = small_macro.supernet(in_channels=1, seed=0)
blocks = [lambda h, slot=slot, choice=choice: macro_net.block(slot, choice, h) for slot, choice in enumerate(chain)]
maps = run_chain([macro_net.stem, *blocks, macro_net.head], x)
print("as one call: same logits", torch.equal(maps[-1], macro_net(x, chain).logits))
print("resolution after stem and blocks:", [m.shape[-1] for m in maps[:-1]])

# %% [markdown]
# Two chains that begin alike have the *same* first feature maps (if their batch norms use the same statistics). So
# a thousand chains can share the computation of their common beginnings. The ranking of notebook 03 lives on that.
#
# ## 9 Neighbours: one slot apart
#
# The paper's last distillation step asks a good architecture $S_j$ to be robust: its outputs should stay close to
# those of architectures that differ in one slot.
#
# $$S_j^P = \{S_i \mid \exists k:\; C_j^k \ne C_i^k, \quad \forall m \ne k:\; C_j^m = C_i^m\} \qquad (21)$$
#
# > **Predict.** How many neighbours has an architecture of NAS-Bench-201? Of NAS-Bench-Macro? Does the number
# > depend on the architecture?
#
# ### Exercise 4
#
# Write `neighbours(space, arch)`: the list of all architectures that differ from `arch` in exactly one slot, each
# once. It should work for any space: `len(space.slots[k].choices)` is the number of choices of slot `k`.


# %%
def check_neighbours(function):
    """Compare an answer to exercise 4 with the definition, Eq. 21, in two spaces."""
    for name in ("nasbench201", "nasbench-macro"):
        space = get_space(name)
        arch = space.sample(np.random.default_rng(1))
        answer = function(space, arch) or []
        wanted = {a for a in space.all_archs() if sum(i != j for i, j in zip(a, arch, strict=True)) == 1}
        if set(answer) != wanted or len(answer) != len(wanted):
            print(
                f"Not yet: in {name} {arch} has {len(wanted)} neighbours; {len(wanted & set(answer))} of them are among"
            )
            print(f"the {len(answer)} that your function gives.")
            return
    print("Exercise 4: correct.")


# %%
def neighbours(space, arch): ...  # your code


check_neighbours(neighbours)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Two loops: over slots $k$, and over the choices of slot $k$ other than `arch[k]`. A tuple with one entry changed
# is `(*arch[:k], choice, *arch[k + 1:])`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def neighbours(space, arch):
#     return [
#         (*arch[:k], choice, *arch[k + 1 :])
#         for k, slot in enumerate(space.slots)
#         for choice in range(len(slot.choices))
#         if choice != arch[k]
#     ]
# ```
#
# $6 \cdot 4 = 24$ and $8 \cdot 2 = 16$, for every architecture.
#
# </details>
#
# How far away is "one slot apart"? Here are all pairs of neighbours of the cell space at once, by slot: how many
# are the same function?

# %%
rows = []
for k, slot in enumerate(space.slots):
    pairs = [(a, (*a[:k], c, *a[k + 1 :])) for a in archs for c in range(a[k])]
    equal = sum(canonical[one] == canonical[other] for one, other in pairs)
    rows.append({"slot": slot.name, "pairs": len(pairs), "same function": f"{equal / len(pairs):.1%}"})
pd.DataFrame(rows)

# %% [markdown]
# An edge into node 1 or 2 can be changed without any effect, if nothing leaves that node. An edge into the output
# node always counts (unless its source is zero). For Eq. 22 such a silent neighbour is a wasted teacher: its
# divergence from $S_j$ is zero as far as the function goes. The kit can draw neighbours among different functions;
# the paper does not say whether it did.
#
# ## What to take along
#
# * An architecture is a tuple of choices. Everything that a search does (draw, mutate, cross, perturb) is done on tuples.
# * Cost is a sum over slots, where the widths are fixed; in NAS-Bench-101 it is not. A count agrees exactly with torch's and the published one, or differs for a reason.
# * 15,625 strings are 4,840 functions, 6,561 chains are 3,969 networks, 374 million matrices 423,624 cells. Count functions.
# * A SuperNet holds every choice of every slot; one path is trained at a time; a candidate takes a copy.
#
# **Next:** notebook 02 trains a SuperNet. Its question is who gets how much training.
