# %% [markdown]
# # 00 · Start here
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/00_start_here.ipynb)
#
# **After this notebook you can** say what MNGNAS does in four sentences, find a part of the paper in the kit, check
# that this machine has what the notebooks need, choose a profile, and tell a number that was measured from one of
# the paper's.
#
# **Of the paper:** the abstract and Section III-B with Fig. 1, in our own drawing. No tables.
#
# **Time:** quick 20 s · laptop 30 s · paper 40 s (2 CPU cores)

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
import math

import matplotlib.pyplot as plt
import torch

from mngnas_lib.benchmarks import find_benchmarks
from mngnas_lib.data import load_images
from mngnas_lib.lab import current_profile
from mngnas_lib.lab.provenance import device_name, package_versions
from mngnas_lib.plots import plot_history, save, style
from mngnas_lib.register import show
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, rank, train_supernet

# %% [markdown]
# ## 1 The paper in one picture
#
# *Neural architecture search* (NAS) lets a program choose the layers of a neural network. To train every candidate
# from scratch would be exact, and far too dear. *One-shot* NAS trains a single big network, the **SuperNet**, that
# contains all candidates, and lets them borrow its weights. Borrowed weights rank candidates badly, so the best
# candidates are retrained for a while before they are compared.
#
# MNGNAS ("Distilling Adaptive Combination of Multiple Searched Networks for One-Shot Neural Architecture Search")
# is about this retraining. Its idea: candidates should not learn from labels alone, but also from the good networks
# that the search has already found, and from each other, each teacher with a weight that is computed anew as the
# training goes on.

# %%
show("fig-01")

# %% [markdown]
# This is the paper's Fig. 1 in our own drawing. Follow the arrows once round. In step 2 each row of squares is one
# *architecture*: one square per layer that can be chosen, one colour per choice; the thick square has been mutated. In
# step 3 the same architectures are networks with weights: each learns from labels, from its peers (light blue lines) and
# from the teachers of its own size, small ones on the left, large ones on the right. In step 4 the most accurate enter
# the two teacher groups, after a lesson of their own on architectures that differ in one square, and the loop starts
# again.
#
# | part of the picture | in the paper | in the kit | notebook |
# | --- | --- | --- | --- |
# | what an architecture is | Section III-A, Eq. 1-3 | `mngnas_lib.spaces` | 01 Search spaces |
# | 1 train the SuperNet | Section III-A, Eq. 4 | `mngnas_lib.supernet` | 02 SuperNet training |
# | 4 rank | Eq. 1, Section IV-B | `mngnas_lib.lab.stats`, `mngnas_lib.benchmarks` | 03 How well does a SuperNet rank? |
# | 3 retrain: teachers and peers | Section III-C, Eq. 5-10 | `mngnas_lib.distill` | 04 Distillation |
# | 3 retrain: the weights α and β | Section III-D, Eq. 11-20 | `mngnas_lib.distill` | 05 Adaptive coefficients |
# | 4 those that enter | Section III-E, Eq. 21-23 | `mngnas_lib.distill.perturbation` | 06 Perturbation |
# | the whole loop | Section III-F, Algorithm 3 | `mngnas_lib.search` | 07 The search |
#
# The last four notebooks hold the method against the paper's results:
#
# | what | in the paper | notebook |
# | --- | --- | --- |
# | rankings and searches where the truth is known | Section IV-F | 08 NAS benchmarks |
# | larger spaces, CIFAR and ImageNet | Sections IV-C to IV-E, V | 09 Image classification |
# | what was found, as part of a detector | Section IV-G | 10 Detection |
# | what the paper's own numbers bear out | Sections IV and V | 11 Claims and errata |
#
# Read the notebooks in this order the first time; later, each starts alone. Each of the paper's 14 figures and 16 tables
# is shown by one of them; `mngnas status` in a terminal lists which, and what of it has been measured.
#
# **How a notebook teaches.** Equation, then a toy that you can check by hand, then the library's function, then a
# check that both agree, then the picture. Where a box says **Predict**, stop and write your guess down: being wrong
# on paper is how one remembers. Exercises check themselves; hints and solutions are folded away below them.
#
# ### Exercise 1
#
# The paper trains the SuperNet for 600 epochs. A search epoch then proposes $n_S = 30$ candidates and retrains each
# for $n_{retra} = 40$ epochs. How many epochs of training does **one** search epoch cost, and how many SuperNet
# trainings is that?


# %%
def check_search_cost(epochs, supernets):
    """Check the answers to exercise 1."""
    if epochs != 30 * 40:
        print(f"Not yet: {epochs} epochs is not what 30 candidates take, at 40 epochs each.")
    elif not math.isclose(supernets, epochs / 600):
        print(f"Not yet: the SuperNet takes 600 epochs, so {epochs} epochs are not {supernets} of its trainings.")
    else:
        print("Exercise 1: correct.")


# %%
my_epochs = None  # your number
my_supernets = None  # your number
check_search_cost(my_epochs, my_supernets)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Every candidate has its own copy of the weights and its own 40 epochs.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_epochs = 30 * 40
# my_supernets = 1200 / 600
# ```
#
# 1,200 epochs, twice the SuperNet's training, and that for a single round of the loop. (One epoch of a candidate is
# cheaper than you may fear: it is as small as the network that we look for.) This is why the paper wants retraining
# to be short, and why the kit trains all candidates of a search epoch side by side.
#
# </details>
#
# ## 2 This machine
#
# The kit needs PyTorch and no GPU. It carries a small data set of its own, 5,000 handwritten digits. Everything
# else is optional and only looked for: CIFAR images, and the benchmark files that hold the measured accuracy of
# thousands of trained networks.

# %%
print(f"kit {mngnas_lib.__version__} on", "a GPU:" if torch.cuda.is_available() else "the CPU:", device_name())
for package, version in package_versions().items():
    print(f"  {package:18} {version}")

# %%
found = find_benchmarks()
for name, path in found:
    print(f"benchmark {name}: {path.name}")
if not found:
    print("No benchmark files: get the folder data/benchmarks of the kit again.")

# %% [markdown]
# Those whose names begin with `kit-` come with the kit: small networks, trained by the kit on harder digits, so that
# there is a truth without a download. The official files of the three benchmarks are larger and come from their
# authors. If you have them, put them into `data/benchmarks`, or name their folder in the environment variable
# `MNGNAS_BENCHMARKS`; where a notebook has the choice it takes the official table, and says so. `mngnas doctor` in a terminal prints the same check, and what each profile would
# cost on this machine.
#
# ## 3 The profile
#
# One switch says how big everything is. A profile changes sizes, never the method:
#
# | profile | for whom | data |
# | --- | --- | --- |
# | `quick` | a first look, and continuous integration: minutes on two cores | the digits that the kit carries |
# | `laptop` | what you see in the committed notebooks: an evening on two cores, minutes on a GPU | digits, benchmarks where present |
# | `paper` | the paper's settings, for a workstation with a GPU; resumes where it stopped | CIFAR and larger |
#
# Set the environment variable `MNGNAS_PROFILE` before Jupyter starts, or run `make lab PROFILE=laptop`.

# %%
profile = current_profile()
print(f"profile {profile.name}: a SuperNet on digits gets {profile.supernet.epochs} epochs in notebook 02")

# %% [markdown]
# ## 4 Measured, or the paper's
#
# The rule of the house: **a number of the paper is marked *paper***, in tables by the word, in figures by hollow
# markers and hatched bars. A number that we measured says under which profile, on which data, with how many
# architectures and seeds. Never one as the other. Where a measurement contradicts the paper, the text says so;
# where the paper contradicts itself, too.
#
# Small profiles cannot confirm or refute a result of 600 epochs on CIFAR. They show the *mechanism*: that the
# method does what its equations say, and what its effect looks like where everything can be checked.
#
# ## 5 A first taste: a SuperNet in seconds
#
# Enough words. Here are digits at 16×16 pixels, and a search space with 15,625 architectures (notebook 01 takes it
# apart) in a very narrow version.

# %%
epochs = {"quick": 8, "laptop": 20, "paper": 40}[profile.name]
data = load_images("digits", size=16, count=2000, test_count=500)
space = get_space("nasbench201", channels=8, cells=1)
print(
    f"{epochs} epochs, {len(data.train)} training images {data.input_shape}, {data.num_classes} classes; {space.size} architectures"
)

# %% [markdown]
# > **Predict.** In each step one of the 15,625 architectures is drawn at random, and only its weights learn. An
# > epoch has eighteen steps, so a few hundred at most. Nearly all architectures will never be drawn. Will the loss
# > fall at all?
#
# ### Exercise 2
#
# Before you look: what is the loss *before* anything is learnt? A network that knows nothing gives each of the ten
# digits the same probability. The loss is the cross-entropy, minus the natural logarithm of the probability that
# the right class gets. Put in the number.


# %%
def check_first_loss(loss):
    """Check the answer to exercise 2."""
    if loss is None or not math.isclose(loss, math.log(10), abs_tol=0.005):
        print(f"Not yet: you have {loss}. Which probability does the right class get, and what is minus its logarithm?")
    else:
        print("Exercise 2: correct.")


# %%
my_loss = None  # your number
check_first_loss(my_loss)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The probability is 1/10, and $-\ln(1/10) = \ln 10$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# my_loss = math.log(10)
# ```
#
# 2.303. It is worth knowing by heart: a training whose loss stays near 2.3 on ten classes has learnt nothing.
#
# </details>

# %%
result = train_supernet(space, data, TrainConfig(epochs=epochs, batch_size=96, lr=0.1), progress=False)
with style():
    fig, ax = plt.subplots(figsize=(7, 3.6))
    plot_history(result.history, ax)
    ax.axhline(math.log(10), color="#4D4D4D", linewidth=1, linestyle=":")
_ = save(fig, "00_first_training")

# %% [markdown]
# *Measured: this profile, 1,800 digits, one seed.* The loss starts near the dotted line of ignorance, $\ln 10$, and
# falls. So it works although nearly every architecture was never drawn: they all *share* weights, and a 3×3
# convolution that was trained in one path serves all others that contain it.
#
# How good are single architectures with these borrowed weights? Three extreme ones: 3×3 convolutions on all six
# edges, copies on all edges, and nothing on all edges.
#
# > **Predict.** Which of the three comes first? What accuracy has the network whose cells pass nothing on?

# %%
extremes = {"all 3×3 convolutions": (3,) * 6, "all copies": (1,) * 6, "all nothing": (0,) * 6}
ranking = rank(result.network, list(extremes.values()), data, part="test", progress=False)
for name, accuracy in zip(extremes, ranking.accuracy, strict=True):
    print(f"{name:22} {accuracy:6.1%} of {len(data.test)} test images")

# %% [markdown]
# The last one is no better than a guess, about 10 %: its cells give zero for every image, so all images look alike.
# The SuperNet knows at least that. Of the other two, the convolutions have more to learn, and each of them was
# drawn in one step out of five only: after the eight epochs of `quick` the copies are in front, after the twenty of
# `laptop` the convolutions. Trained alone and to the end, the copies are far behind: NAS-Bench-201's table
# (*published*, CIFAR-10 test) has 54.30 % for them and 93.76 % for the convolutions. An early ranking can be an
# upside-down one. Whether it can also tell *good from slightly better*, which is what a search needs, is the
# question of notebook 03; and the answer is less cheerful.
#
# **Next:** notebook 01, search spaces. What is a string of choices, what does it cost, and when are two strings the
# same network?
