# %% [markdown]
# # 04 · Distillation
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/04_distillation.ipynb)
#
# **After this notebook you can** compute a distillation loss on paper and its gradient too; say what the temperature
# does, why feature maps are compared by a mean, and which two things Eq. 9 leaves out; tell a target from a student by
# where gradients go, and find the bug that silently removes them; average several teachers in three ways that are not
# the same; count the forward passes of Algorithm 1 and get the same gradients with a thirtieth of them; and retrain
# candidates by algorithms A, B and C and say honestly which of them helped.
#
# **Of the paper:** Section III-C with Eq. 5 to 10 and Algorithm 1; Fig. 2, in our own drawing; the algorithms A to E of
# Section V-A, of which A, B and C run here; errata 5 and 6. Table VIII is quoted as context (*paper*).
#
# **Time:** quick 45 s · laptop 2 min · paper not measured (2 CPU cores; told from processor time, as the
# machine had other work)

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
import time
from collections import Counter
from math import log

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
import torch.nn.functional as F
from IPython.display import display
from scipy import stats

from mngnas_lib.distill import ALGORITHMS, LABELS, DistillLoss, feature_loss, mix, prediction_loss, stack
from mngnas_lib.distill.coefficients import uniform
from mngnas_lib.distill.losses import divergence
from mngnas_lib.lab import DataSpec, SpaceSpec, SupernetRun, current_profile, get_profile, stored, trained_supernet
from mngnas_lib.lab.comparison import comparison
from mngnas_lib.lab.stats import kendall_tau
from mngnas_lib.plots import plot_before_after, plot_forwards, plot_losses, plot_soft_labels, save, style
from mngnas_lib.register import show
from mngnas_lib.search import Guidance, Member, RetrainConfig, Retraining
from mngnas_lib.search.teaching import choose_teachers, taught_by
from mngnas_lib.spaces import Output
from mngnas_lib.supernet import MiniBatches, TrainConfig, batch_statistics, rank

profile = current_profile()
print(f"kit {mngnas_lib.__version__}, profile {profile.name}")

# %% [markdown]
# ## 1 Borrowed weights
#
# Notebook 03 ended with a complaint: a candidate's accuracy with the weights that it *borrows* from the SuperNet is a
# poor guide to what it is worth. Those weights were made for everybody. The paper's remedy is to give each candidate
# its own copy, train it a little, and only then compare:
#
# > "The aim is to design an appropriate strategy to get the accurate performance ranking with only a few training
# > epochs." (*paper*, Section III-C)
#
# | symbol | in words | in the kit |
# | --- | --- | --- |
# | $S_i$ | candidate, student | `supernet.extract(arch)`: a network with its own copy of the weights |
# | $T$, $T_s$, $T_l$ | teachers: models retrained in earlier search epochs | `Guidance.teachers` |
# | $n_S$ (also $n_C$), $n_T$ | students of a search epoch; teachers | `len(students)`, `len(teachers)` |
# | $f_s(x)$ | class probabilities | softmax of `Output.logits` |
# | $f_j(x)$, $j = 1..N$ | feature map at the end of stage $j$ | `Output.stages[j - 1]` |
# | $L_{cls}$, $L_{dis}$ | loss by labels; distance from a target | cross-entropy; `DistillLoss` |
#
# A SuperNet of NAS-Bench-201, tiny, on the kit's digits; the same one under every profile. Eight candidates now, and
# eight more for Section 9.

# %%
sizes = get_profile("quick").supernet
run_config = SupernetRun(
    SpaceSpec("nasbench201", (("channels", sizes.channels), ("cells", sizes.cells))),
    DataSpec("digits", size=sizes.size, count=sizes.count, valid_fraction=sizes.valid_fraction),
    TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr),
)
data = run_config.data.load()
supernet = trained_supernet(run_config, data).network
space = supernet.space
archs = space.sample_distinct(16, np.random.default_rng(0), canonical=True)
earlier, candidates = archs[:8], archs[8:]
print(f"{len(data.train):,} training, {len(data.valid)} validation, {len(data.test):,} test images")

# %% [markdown]
# > **Predict.** One or two epochs of training by labels, each candidate with its own weights. How many points of
# > accuracy does that bring? And will the *order* of the eight survive?

# %%
epochs, seeds = {"quick": (1.0, 1), "laptop": (2.0, 3), "paper": (40.0, 4)}[profile.name]
config = RetrainConfig(epochs=epochs, batch_size=sizes.batch_size)


def batches(seed):
    """Mini-batches of the training images, in an order that the seed decides."""
    return MiniBatches(data, config.batch_size, seed=seed)


def accuracies(networks, part):
    """Accuracy of each network, batch-norm statistics re-estimated."""
    return np.array([rank(net, [net.arch], data, part=part, bn="reestimate").accuracy[0] for net in networks])


first = Retraining([supernet.extract(arch) for arch in earlier], batches(0), config)
first.run()

# %%
borrowed, own = {}, {}
for part in ("valid", "test"):
    borrowed[part] = rank(supernet, earlier, data, part=part, bn="reestimate").accuracy
    own[part] = accuracies(first.students, part)
    tau = kendall_tau(borrowed[part], own[part])
    print(
        f"{part}: {100 * borrowed[part].mean():.1f} -> {100 * own[part].mean():.1f} % after {first.total} steps;",
        end=" ",
    )
    print(f"tau of the two orders {tau.value:.2f} [{tau.low:.2f}, {tau.high:.2f}], n = {tau.n}")
gains = 100 * (own["test"] - borrowed["test"])
print(f"gains on test images: {gains.min():.1f} to {gains.max():.1f} points")
with style():
    fig, ax = plt.subplots(figsize=(5, 4))
    plot_before_after(pd.DataFrame({"borrowed": borrowed["test"], "none": own["test"]}), ax)
_ = save(fig, "04_borrowed")

# %% [markdown]
# *Measured: this profile, digits, 1,000 test images, 8 architectures, one seed.* Each candidate gains, the weakest most, and
# they move closer together. Their *order*, after the 40 steps of `laptop`, has little to do with the borrowed one:
# $\tau = 0.40$ [−0.43, 1.00] on test images. After the 20 steps of `quick` it is still exactly the borrowed one
# ($\tau = 1.00$; that the bootstrap then says [1.00, 1.00] shows what it is worth at $n = 8$, since resamples of pairs
# that all agree agree).
#
# Nothing here says that the later order is the *better* one; for that one needs a truth, as in notebook 03. It says
# that the two disagree, so that at most one of them is right, and that the differences that a search has to see after
# retraining are a point or two.
#
#
# A search has to retrain *every* candidate, so each epoch counts. **Distillation** promises to get more out of an
# epoch: a network that was trained before says more about an image than its label does.
#
# ## 2 Soft labels by hand: Eq. 5
#
# $$L_{dis}^{final}(T, S) = \mathbb{E}_{x \sim \mathcal{D}_{tra}}\, KL\!\left(f_s^T(x)\,\|\,f_s^S(x)\right), \qquad
# KL(p \,\|\, q) = \sum_k p_k \ln \frac{p_k}{q_k} \qquad (5)$$
#
# One image, three classes. The teacher says $p = (\tfrac34, \tfrac18, \tfrac18)$, the student
# $q = (\tfrac14, \tfrac14, \tfrac12)$. On paper:
#
# $$KL(p\,\|\,q) = \tfrac34 \ln 3 + \tfrac18 \ln \tfrac12 + \tfrac18 \ln \tfrac14 = \tfrac34 \ln 3 - \tfrac38 \ln 2$$
#
# > **Predict.** Is it the same with $p$ and $q$ exchanged? If the student has $q = p$, how large is it?

# %%
p, q = torch.tensor([[6.0, 1, 1]]) / 8, torch.tensor([[1.0, 1, 2]]) / 4
teacher, student = p.log(), q.log()  # logits: softmax of the logarithms are the probabilities themselves
by_hand = 0.75 * log(3) - 0.375 * log(2)
print(f"by hand {by_hand:.4f}, library {prediction_loss(student, teacher).item():.4f}")
print(f"exchanged {prediction_loss(teacher, student).item():.4f}, of itself {prediction_loss(teacher, teacher):.4f}")
assert np.isclose(prediction_loss(student, teacher).item(), by_hand, atol=1e-6)

# %% [markdown]
# Not symmetric, hence "from" and "to" matter, and Eq. 5 puts the teacher first.
#
# What does the loss *do*? Training sees only its gradient, and that fits on the same sheet. With student logits $z$,
# $\ln q_k = z_k - \ln \sum_l e^{z_l}$, so
#
# $$\frac{\partial}{\partial z_k} KL(p\,\|\,q) = q_k - p_k .$$
#
# The cross-entropy of a label $y$ has the gradient $q_k - [k = y]$. It is the same formula: a hard label is a teacher
# who is certain.

# %%
z = student.clone().requires_grad_()
prediction_loss(z, teacher).backward()
print("gradient", z.grad[0].tolist(), "  q - p", (q - p)[0].tolist())
certain = torch.tensor([[100.0, 0, 0]])  # a teacher without doubt that it is class 0
print(f"certain teacher {prediction_loss(z, certain):.4f}, label {F.cross_entropy(z, torch.tensor([0])):.4f}")
assert torch.allclose(z.grad, q - p, atol=1e-6)

# %% [markdown]
# What a teacher adds is in the other entries: *which* wrong class is less wrong. Here is the test image about which
# the best of our retrained candidates has the strongest second opinion while its first one is right. Dividing all
# logits by a **temperature** above 1 lets one see more of the opinions.
#
# > **Predict.** At an infinite temperature, what do the probabilities become?

# %%
best_net = first.students[int(own["test"].argmax())].eval()
with torch.no_grad():
    logits = best_net(data.normalise(data.test.images)).logits
second = logits.softmax(1).topk(2).values[:, 1]
example = int((second * (logits.argmax(1) == data.test.labels)).argmax())
with style():
    fig, axes = plt.subplots(1, 2, figsize=(8.5, 3.2), width_ratios=[1, 2.6])
    axes[0].imshow(data.test.images[example, 0], cmap="gray_r")
    axes[0].set_title(f"label {int(data.test.labels[example])}")
    axes[0].set_axis_off()
    plot_soft_labels(logits[example], axes[1])
_ = save(fig, "04_soft_labels")

# %% [markdown]
# Nearly a draw between two digits, and the eight others are not all alike either. All of this is lost in the label.
# The paper uses temperature 1. Higher ones flatten the bars (in the limit to 0.1 each), and they weaken the gradient:
# one factor $1/T$ from dividing $z$, another because $p$ and $q$ both approach the uniform distribution.

# %%
rows = []
for temperature in (1.0, 2.0, 4.0, 8.0, 16.0):
    z = student.clone().requires_grad_()
    prediction_loss(z, teacher, temperature).backward()
    size = z.grad.norm().item()
    rows.append({"T": temperature, "gradient": size, "gradient x T²": size * temperature**2})
pd.DataFrame(rows).set_index("T").round(4)

# %% [markdown]
# The last column settles: gradients fall as $1/T^2$. Many codes multiply the loss by $T^2$ for this reason. Eq. 5 does
# not, so `prediction_loss` does not; whoever raises the temperature here lowers the weight of the teacher with it.
#
# ### Exercise 1
#
# Write `my_kl(student, teacher, temperature)` for two *lists of logits* of one image, with numpy or by hand, without
# torch. Logits may be as large as 1,000, where `exp` overflows.


# %%
def check_kl(function):
    """Compare an answer to exercise 1 with the library, on large logits too."""
    rng = np.random.default_rng(0)
    for scale, temperature in [(1, 1.0), (3, 2.0), (10, 4.0), (1000, 1.0)]:
        mine, theirs = (scale * rng.standard_normal((2, 5))).tolist()
        expected = prediction_loss(torch.tensor([mine]), torch.tensor([theirs]), temperature).item()
        answer = function(mine, theirs, temperature)
        if answer is None or not np.isclose(answer, expected, rtol=1e-3, atol=1e-5):
            print(f"Not yet: logits of size {scale}, temperature {temperature:g}: {expected:.4f}, yours {answer}.")
            return
    print("Exercise 1: correct.")


# %%
def my_kl(student, teacher, temperature): ...  # your code


check_kl(my_kl)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $\ln \mathrm{softmax}(z)_k = z_k - \ln \sum_l e^{z_l}$, and `np.logaddexp.reduce(z)` is that logarithm, computed
# without overflow. $p_k \ln (p_k / q_k) = p_k (\ln p_k - \ln q_k)$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_kl(student, teacher, temperature):
#     log_q, log_p = (np.array(z) / temperature - np.logaddexp.reduce(np.array(z) / temperature) for z in (student, teacher))
#     return float((np.exp(log_p) * (log_p - log_q)).sum())
# ```
#
# </details>
#
# ## 3 Feature maps: Eq. 6, and what Eq. 9 forgot
#
# A student can also imitate what happens on the way to the answer, stage by stage:
#
# $$L_{dis}^{inter}(T, S) = \mathbb{E}_{x \sim \mathcal{D}_{tra}} \left\| f_j^T(x) - f_j^S(x) \right\|^2 \qquad (6)$$
#
# On paper: one channel of $2 \times 2$, teacher $\begin{pmatrix}1&2\\3&4\end{pmatrix}$, student zero. The squared norm is
# $1 + 4 + 9 + 16 = 30$.

# %%
theirs = torch.tensor([[1.0, 2], [3, 4]]).view(1, 1, 2, 2)  # batch, channels, height, width
print("sum 30, library", feature_loss(torch.zeros_like(theirs), theirs).item())

# %% [markdown]
# The library says 7.5, the **mean** over elements. Why not the sum, as printed? Because a sum counts pixels.
#
# > **Predict.** The same two networks see the same digits at 16×16 and enlarged to 32×32 pixels. By which factor does
# > the sum grow? And which of three stages weighs most in it?

# %%
pair = [network.eval() for network in first.students[:2]]
rows = []
with torch.no_grad(), batch_statistics(pair[0]), batch_statistics(pair[1]):
    for pixels in (16, 32):
        images = F.interpolate(data.normalise(data.valid.images), size=pixels)
        stages = zip(*(network(images).stages for network in pair), strict=True)
        for number, (one, other) in enumerate(stages, start=1):
            mean = feature_loss(one, other).item()
            rows.append({"pixels": pixels, "stage": number, "sum": mean * one[0].numel(), "mean": mean})
pd.DataFrame(rows).pivot(index="stage", columns="pixels", values=["sum", "mean"]).round(2)

# %% [markdown]
# Four times the pixels, four times the sum; the first stage, with the largest maps, weighs most in the sum and is
# nothing special in the mean. (Batch statistics, so that the enlarged digits meet their own. With running averages of
# the small ones the maps would be far off, as in Section 4 of notebook 03.) With the sum, the balance between labels and teachers would depend on the size of the
# images. So the kit takes Eq. 6 as a mean. Keep the *size* of these numbers in mind: they are not small beside the
# cross-entropy of ten classes, which is at most 2.3 for a network that knows nothing. Section 9 comes back to this.
#
# The text then says "we use KL divergence to calculate the difference between feature maps", and prints
#
# $$L_{TS}(f^{TS}, f^{S_i}) = \frac{1}{N} \sum_{j=1}^N KL\Big(f_j^{S_i},\; \sum_{k=1}^{n_T} f_j^{S_k}\Big). \qquad (9)$$
#
# A feature map is not a distribution, so we make it one: a softmax over the channels at each position. Again on paper,
# one position and two channels: teacher $(\ln 3, 0)$, that is $(\tfrac34, \tfrac14)$; student $(0, 0)$, that is
# $(\tfrac12, \tfrac12)$. $KL = \tfrac34 \ln \tfrac32 + \tfrac14 \ln \tfrac12$.

# %%
theirs = torch.tensor([log(3), 0.0]).view(1, 2, 1, 1)
mine = torch.zeros(1, 2, 1, 1)
by_hand = 0.75 * log(3 / 2) + 0.25 * log(1 / 2)
print(f"by hand {by_hand:.4f}, library {feature_loss(mine, theirs, 'kl').item():.4f}")
print(
    f"all channels raised by 5: KL {feature_loss(mine + 5, theirs, 'kl'):.4f}, Eq. 6 {feature_loss(mine + 5, theirs):.2f}"
)

# %% [markdown]
# The two are different questions: KL does not see what all channels have in common, Eq. 6 does.
#
# **Erratum 6.** Now read Eq. 9 again. The sum over teachers has no weights.
#
# > **Predict.** Three teachers, all equal, and a student that is equal to them too. It has nothing left to learn. What
# > is its loss by Eq. 9 as printed?

# %%
feature = torch.tensor([2.0, 1.0, 0.0]).view(1, 3, 1, 1)
teachers = [feature, feature, feature]
printed = feature_loss(feature, sum(teachers), "kl").item()
weighted = feature_loss(feature, sum(teachers) / 3, "kl").item()
print(f"as printed {printed:.4f}, with weights 1/3 {weighted:.4f}")
for name, maps in (("student", feature), ("sum of teachers", sum(teachers)), ("their mean", sum(teachers) / 3)):
    print(f"{name:16}", maps.flatten().softmax(0).numpy().round(3))

# %% [markdown]
# A softmax of a sum of $n$ equal maps is a softmax at temperature $1/n$: sharper than any of the teachers. The student
# would be punished for agreeing. So the sum needs weights, $1/n_T$ or the $\alpha_k$ of the next notebook. The second
# slip: Eq. 9 has the student first in its KL, Eq. 5 the teacher. The kit takes the order of Eq. 5 in both. And the
# factor $1/N$ is missing from Eq. 6; the kit adds the stages up, in both cases.
#
# Everything together is `DistillLoss`: Eq. 5 plus Eq. 6 (or 9) over all stages. It is a sum of things that you have
# just computed:

# %%
images, labels = batches(0).at(0)
mine, theirs = (network(images) for network in pair)
total = prediction_loss(mine.logits, theirs.logits) + sum(map(feature_loss, mine.stages, theirs.stages))
print(f"by parts {total:.4f}, DistillLoss {DistillLoss()(mine, theirs):.4f}")
print({kind: round(DistillLoss(features=kind)(mine, theirs).item(), 3) for kind in ("none", "kl", "mse")})

# %% [markdown]
# ## 4 What flows where
#
# Eq. 10 has the gradient $\nabla_{\Theta_{S_i}}$, in the weights of *one student*. Whoever is imitated stands still:
# teachers, and also the peers, who are students at the same time. In code nothing about a loss function tells a
# student from a teacher, so this has to be seen to.
#
# > **Predict.** A student at 0 learns from somebody at 1, by the squared distance $\tfrac12 (s - t)^2$ and one step of
# > length 0.5. Where are the two afterwards, if gradients reach both? And if the target is a constant? In which case
# > does the loss fall faster?

# %%
for name, keep in [("gradients reach both", lambda x: x), ("the target is a constant", torch.Tensor.detach)]:
    s, t = torch.tensor(0.0, requires_grad=True), torch.tensor(1.0, requires_grad=True)
    (0.5 * (s - keep(t)) ** 2).backward()
    after = [(x - 0.5 * x.grad if x.grad is not None else x).item() for x in (s, t)]
    print(f"{name}: student {after[0]}, the other {after[1]}, loss {0.5 * (after[0] - after[1]) ** 2}")

# %% [markdown]
# In the first line the one who knows walks half the way, towards the one who does not. The loss does not complain; it
# is zero after one step, where it should be a quarter of what it was. In the library, targets are detached inside the
# loss; `divergence`, the bare KL beneath it, is not:

# %%
for name, loss in [("divergence", lambda s, t: divergence(t, s).mean()), ("prediction_loss", prediction_loss)]:
    s, t = student.clone().requires_grad_(), teacher.clone().requires_grad_()
    loss(s, t).backward()
    reached = "nothing" if t.grad is None else t.grad[0].numpy().round(3)
    print(f"{name:16} to the student {s.grad[0].numpy().round(3)}, to the teacher {reached}")

# %% [markdown]
# And on networks: after a backward pass, which parameters have a gradient?

# %%
learner, guide = supernet.extract(candidates[0]), supernet.extract(candidates[1])
DistillLoss()(learner(images), guide(images)).backward()
for name, network in (("student", learner), ("teacher", guide)):
    moved = sum(parameter.grad is not None for parameter in network.parameters())
    print(f"{name}: {moved} of {len(list(network.parameters()))} parameters have a gradient")

# %% [markdown]
# ## 5 Several teachers
#
# "The feature map used for distillation in the search teacher model group is selected as the average of the feature
# map." (*paper*) A group of teachers becomes *one* target, a **mix**: the convex combination of logits and of every
# stage, with coefficients that are not negative and sum to one. Equal coefficients are the *average ensemble* of
# algorithm C; the adaptive ones of Eq. 20 are the next notebook's.
#
# By hand: two teachers with logits $(2, 0)$ and $(0, 4)$ and coefficients $(\tfrac14, \tfrac34)$ make
# $(\tfrac12, 3)$.

# %%
two = Output(torch.tensor([[[2.0, 0.0]], [[0.0, 4.0]]]), ())  # a leading dimension of two teachers
print(mix(torch.tensor([[0.25, 0.75]]), two).logits)
taught = torch.tensor([[True, True, False], [True, True, True]])  # two students, three teachers
print(uniform(taught, torch.zeros_like(taught)).alpha)

# %% [markdown]
# But "average" could mean three things: the loss to the average *output*; the average of the *losses* (this is what
# Eq. 7 prints); the loss to the average *probabilities*.
#
# > **Predict.** Which of the three give a student the same gradient? Think first of the squared distance, where
# > $\tfrac1n \sum_k \|s - t_k\|^2 = \|s - \bar t\|^2 + \tfrac1n \sum_k \|t_k - \bar t\|^2$.

# %%
rng = torch.Generator().manual_seed(0)
crowd = 2 * torch.randn(3, 1, 4, generator=rng)  # three teachers, one image, four classes
start = torch.randn(1, 4, generator=rng)
targets = {"mean of the logits (the mix)": crowd.mean(0), "mean of the probabilities": crowd.softmax(-1).mean(0).log()}
variants = {name: lambda z, t=t: prediction_loss(z, t) for name, t in targets.items()}
variants["mean of the losses"] = lambda z: torch.stack([prediction_loss(z, t) for t in crowd]).mean()
variants["mean of squared distances"] = lambda z: torch.stack([((z - t) ** 2).sum() for t in crowd]).mean()
variants["squared distance to the mean"] = lambda z: ((z - crowd.mean(0)) ** 2).sum()


def value_and_gradient(loss):
    z = start.clone().requires_grad_()
    value = loss(z)
    value.backward()
    return [value.item(), *z.grad[0].tolist()]


columns = ["loss", *(f"grad {k}" for k in range(4))]
pd.DataFrame({name: value_and_gradient(loss) for name, loss in variants.items()}, index=columns).T.round(3)

# %% [markdown]
# For Eq. 6 all is well: the losses differ by the teachers' scatter, a constant, and the gradients agree. For Eq. 5 the
# mean of the losses pulls towards the mean of the *probabilities*, while the mix averages *logits* and pulls towards
# their (normalised) geometric mean. The kit mixes outputs, as the paper's text says and as Eq. 20 requires; Eq. 7 as
# printed is something slightly different.
#
# ### A cautionary tale
#
# The average ensemble is the baseline that adaptive weights have to beat. In the published code of AE-KD (a method of adaptive
# weights; repository `AnTuo1998/AE-KD`, file `helper/loops.py`, commit `2b77a74`) the *feature* losses of the averaging
# baseline are collected in a list, and the list is made a tensor before its mean is taken. (The losses of its logits
# are stacked, which is right.) Four short lines of our own show the difference:

# %%
z = start.clone().requires_grad_()
losses = [((z - t) ** 2).mean() for t in crowd]
as_new_tensor = torch.tensor([loss.item() for loss in losses]).mean()
as_stack = torch.stack(losses).mean()
print(f"values: {as_new_tensor:.4f} and {as_stack:.4f}")
print(f"has a gradient: {as_new_tensor.requires_grad} and {as_stack.requires_grad}")

# %% [markdown]
# The same value, to the last digit, in every log. But `torch.tensor(list)` makes a *new* tensor that knows nothing of
# where its numbers came from. Added to the other losses it changes no gradient: the baseline trains without its
# feature teachers, nothing crashes, and whatever is compared with it looks better than it is. How would one have
# found out? By asking for `requires_grad`; or by a test that *moves the student* and looks whether the loss's slope
# is the gradient. This is what you write now.
#
# ### Exercise 2
#
# Write `my_average_loss(student, teachers)`: the mean over teachers of the squared distance (mean over elements), as a
# tensor through which gradients flow to the student and to nobody else. The self-check compares your gradient with
# finite differences of your loss.


# %%
def check_average(function):
    """Check the answer to exercise 2 by moving the student."""
    z, others = start.double().requires_grad_(), crowd.double().requires_grad_()
    loss = function(z, list(others))
    if loss is None or not torch.isclose(loss, ((z - others) ** 2).mean()):
        print("Not yet: the value is not the mean over teachers of the mean squared distance.")
        return
    if not loss.requires_grad:
        print("Not yet: the value is right and has no gradient. This is the bug of the tale.")
        return
    step = torch.zeros_like(z)
    step[0, 0] = 1e-4
    slope = (function(z + step, list(others)) - function(z - step, list(others))).item() / 2e-4
    loss.backward()
    if abs(slope - z.grad[0, 0].item()) > 1e-6:
        print(f"Not yet: the loss has slope {slope:.4f} where your gradient is {z.grad[0, 0]:.4f}.")
    elif others.grad is not None:
        print("Not yet: the teachers have a gradient too.")
    else:
        print("Exercise 2: correct.")


# %%
def my_average_loss(student, teachers): ...  # your code


check_average(my_average_loss)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `torch.stack` joins tensors without cutting their graphs; `tensor.detach()` cuts one on purpose.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_average_loss(student, teachers):
#     return torch.stack([((student - teacher.detach()) ** 2).mean() for teacher in teachers]).mean()
# ```
#
# </details>
#
# ## 6 Peers: Eq. 7, 8 and 10
#
# The candidates of one search epoch also teach one another:
#
# $$L_{dis}(S_i, \{S_j\} \mid \Theta_{S_i}) = \frac{1}{n_C - 1} \sum_{j=1,\, j \ne i}^{n_C - 1} L_{dis}(S_i, S_j \mid \Theta_{S_i})
# \qquad (7)$$
#
# > **Predict.** Look at the upper limit. There are $n_C$ candidates. Who never teaches? Do all students' weights sum to
# > one? What do the two candidates of a search epoch with $n_C = 2$ learn from each other?


# %%
def weights_of_eq7(n, upper):
    """Row i: the weight of each peer for student i, for a sum that runs to ``upper``."""
    return np.array([[(j < upper and j != i) / (n - 1) for j in range(n)] for i in range(n)])


printed, meant = weights_of_eq7(4, upper=3), weights_of_eq7(4, upper=4)
print("sums as printed", printed.sum(1).round(3), "  as meant", meant.sum(1).round(3))
print("two candidates, as printed:", weights_of_eq7(2, upper=1).tolist())
nobody = torch.zeros(4, 4, dtype=torch.bool)
assert np.allclose(uniform(nobody, ~torch.eye(4, dtype=torch.bool)).beta, meant)

# %%
with style():
    fig, axes = plt.subplots(1, 2, figsize=(7.5, 3.3))
    for ax, weights, title in zip(axes, (printed, meant), ("Eq. 7 as printed", "upper limit $n_C$"), strict=True):
        look = {"annot": True, "fmt": ".2f", "cmap": "cividis", "vmin": 0, "vmax": 1, "cbar": False, "square": True}
        sns.heatmap(weights, ax=ax, xticklabels=range(1, 5), yticklabels=range(1, 5), **look)
        ax.set(title=title, xlabel="peer $j$", ylabel="student $i$")
        ax.tick_params(length=0)
_ = save(fig, "04_eq7")

# %% [markdown]
# **Erratum 5.** As printed, the last candidate teaches nobody: its column is empty. And only the last student has
# weights that sum to one, the others get two thirds. With two candidates one learns from the other, not the other way
# round. The sum is meant to run to $n_C$, and then its $n_C - 1$ weights sum to one in each row; that is what `uniform`
# computes.
#
# Together, for student $i$:
#
# $$L = L_{cls} + L_{dis}(\text{mix of teachers} \to S_i) + L_{dis}(\text{mix of peers} \to S_i) \qquad (8, 10)$$
#
# Eq. 8 and 10 print $\alpha$ and $\beta$ in front of the losses, as if they were two numbers; Section III-D makes them
# the coefficients *inside* the two mixes, one a teacher and one a peer. The kit follows III-D. (In Eq. 10 as printed the
# bracket after $\eta\nabla(\dots)$ closes before the peers' term. Read so, a *loss* would be added to weights.)
#
# | in Eq. 8, 10 | algorithm A | B | C | E |
# | --- | --- | --- | --- | --- |
# | $L_{cls}$ | yes | yes | yes | yes |
# | teachers' mix | no | one teacher | uniform $\alpha$ | adaptive $\alpha$ |
# | peers' mix | no | no | no | adaptive $\beta$ |
#
# ## 7 Algorithm 1, to the letter and in our way
#
# Algorithm 1 does, in each step and *for the $i$th student*: predictions of the teachers (line 3), predictions of the
# current candidates (4), coefficients (5), the loss (6), its gradient (7), an update (8). Here it is for uniform
# coefficients, gradients only:


# %%
def average(outputs):
    """The uniform mix of some networks' outputs."""
    members = stack(outputs)
    mixed = mix(torch.full((1, len(outputs)), 1 / len(outputs)), members)
    return Output(mixed.logits[0], tuple(stage[0] for stage in mixed.stages))


def letter_by_letter(students, teachers, images, labels, loss):
    """Gradients of one step of Algorithm 1: every student asks everybody."""
    for student in students:
        with torch.no_grad():
            from_teachers = average([teacher(images) for teacher in teachers])
            from_peers = average([peer(images) for peer in students if peer is not student])
        mine = student(images)
        by_label = F.cross_entropy(mine.logits, labels)
        (by_label + loss(mine, from_teachers) + loss(mine, from_peers)).backward()


# %% [markdown]
# > **Predict.** With $n_S$ students and $n_T$ teachers: how many times is a network run forward in one step? In the
# > paper's sizes, $n_S = 30$ and $n_T = 10$? And how many different outputs are there to be computed?
#
# Each student runs itself, $n_S - 1$ peers and $n_T$ teachers: $n_S (n_S + n_T)$ forward passes. But as long as all
# students see the **same mini-batch**, there are no more than $n_S + n_T$ different outputs. `Retraining`, the kit's
# engine, computes each once and lets it serve as student, peer and teacher: a *shared forward*. Let us count, with a
# hook on every network, and compare every gradient.

# %%
calls = Counter()


def counted(network, name):
    """Count the network's forward passes under a name."""
    network.register_forward_hook(lambda *_: calls.update([name]))
    return network


def copies(name):
    """Six students and two teachers with the same weights each time, in the modes that retraining has."""
    students = [counted(supernet.extract(arch), name).train() for arch in candidates[:6]]
    teachers = [counted(supernet.extract(arch), name).eval() for arch in earlier[:2]]
    for teacher in teachers:
        teacher.requires_grad_(False)
    return students, teachers


# %%
plain = RetrainConfig(epochs=1, batch_size=sizes.batch_size, clip_norm=0.0)  # clipping would change the gradients
students, teachers = copies("to the letter")
images, labels = batches(0).at(0)
letter_by_letter(students, teachers, images, labels, DistillLoss())

shared_students, shared_teachers = copies("shared")
everybody = torch.ones(6, 2, dtype=torch.bool)
guidance = Guidance(tuple(shared_teachers), everybody, peers=True, weights="uniform")
engine = Retraining(shared_students, batches(0), plain, guidance)
engine.train_step()
print(dict(calls))
apart, largest = 0.0, 0.0
for one, other in zip(students, shared_students, strict=True):
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        if a.grad is not None:
            apart = max(apart, (a.grad - b.grad).abs().max().item())
            largest = max(largest, a.grad.abs().max().item())
print(f"largest gradient {largest:.2f}, largest difference {apart:.0e}")
assert apart < 1e-4 * largest and all(t.stem_conv.weight.grad is None for t in shared_teachers)

# %% [markdown]
# Forty-eight against eight, and the same gradients, up to rounding. The gradients are the same because nothing was
# approximated: in one step all outputs are functions of the same images and the same weights, *before* the update.
#
# One thing does change against a literal reading. If lines 7 and 8 are done student by student, the second student
# already imitates an updated first. With shared forwards all learn from everybody's state at the start of the step,
# and the order of the students does not matter. We think that is what is meant.
#
# > **Predict.** Six times fewer forward passes. Is a step six times faster? (A backward pass costs about two forwards,
# > and both ways need $n_S$ of them.)


# %%
def fastest(step, repeats=3):
    """Seconds of the fastest of some repetitions."""
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


slow = fastest(lambda: letter_by_letter(students, teachers, images, labels, DistillLoss()))
fast = fastest(engine.train_step)
print(
    f"to the letter {1e3 * slow:.0f} ms, shared {1e3 * fast:.0f} ms (update included): {slow / fast:.1f} times faster"
)
print(f"expected from counting: (48 + 2 x 6) / (8 + 2 x 6) = {60 / 20:.1f}")

# %%
with style():
    fig, ax = plt.subplots(figsize=(6.5, 3.8))
    plot_forwards(30, 10, ax)
_ = save(fig, "04_forwards")

# %% [markdown]
# *Counted, not measured.* In the paper's sizes 1,200 forward passes a step become 40. With backward passes counted as
# above, the step takes $(1200 + 60)/(40 + 60) = 12.6$ times less. The larger the search epoch, the more it matters,
# since one curve is a parabola and the other a line. `make benchmarks` measures it in full, coefficients included.
#
# ### Exercise 3
#
# Write `my_speedup(n_s, n_t, backward)`: the factor by which sharing shortens a step, if a backward pass costs
# `backward` forward passes and everything else is free. Then use it: how many students does it take, with ten teachers
# and `backward=2`, until sharing is worth a factor of ten?


# %%
def check_speedup(function, students):
    """Check the answers to exercise 3 on small cases by hand."""
    for (n_s, n_t, backward), expected in {(1, 0, 2): 1.0, (2, 0, 0): 2.0, (6, 2, 2): 3.0, (30, 10, 2): 12.6}.items():
        answer = function(n_s, n_t, backward)
        if answer is None or not np.isclose(answer, expected):
            print(f"Not yet: {n_s} students, {n_t} teachers, backward = {backward}: {expected}, yours {answer}.")
            return
    if students is None or function(students, 10, 2) < 10 or function(students - 1, 10, 2) >= 10:
        print(f"The function is right. The smallest number of students with a factor of ten is not {students}.")
    else:
        print("Exercise 3: correct.")


# %%
def my_speedup(n_s, n_t, backward): ...  # your code


my_students = None  # your number
check_speedup(my_speedup, my_students)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Cost to the letter: $n_S(n_S + n_T) + b\,n_S$. Shared: $n_S + n_T + b\,n_S$. Then count up.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_speedup(n_s, n_t, backward):
#     return (n_s * (n_s + n_t) + backward * n_s) / (n_s + n_t + backward * n_s)
#
#
# my_students = next(n for n in range(1, 100) if my_speedup(n, 10, 2) >= 10)  # 23
# ```
#
# The limit for many students is $n_S / (1 + b)$: beyond that, the backward passes are what one waits for.
#
# </details>
#
# ## 8 Five algorithms, four choices
#
# Eq. 5 to 10 are pieces of one process. The paper's Fig. 2, in our own drawing:

# %%
show("fig-02")

# %% [markdown]
# The upper frame is one step of Algorithm 1 for one student. One mini-batch goes through teachers, student and peers;
# their outputs meet in the middle, where the weights α and β are computed (Eq. 20, notebook 05), and come out as two
# mixes. The student gets three losses, from labels, from the teachers' mix and from the peers' mix, and their sum moves
# the student **alone**: no arrow leads back to a teacher or a peer, as in Section 4. The lower frame runs once every
# search epoch, for those that become teachers: there $S_j$ learns from its own perturbed copies (notebook 06). Leave
# parts of the picture out, and you have the other algorithms.
#
# Section V-A compares five ways to retrain, A to E. Behind the names are four independent questions: *which* earlier
# models teach, *how* the members of a group are weighted, do *peers* teach, is there *perturbation*-aware distillation
# (notebook 06).

# %%
rows = {LABELS[name]: vars(algorithm) for name, algorithm in ALGORITHMS.items()}
display(pd.DataFrame(rows).T)
for name, algorithm in ALGORITHMS.items():
    print(f"{name:9} {LABELS[name]:34} {algorithm.describe()}")

# %% [markdown]
# $4 \times 2 \times 2 \times 2 = 32$ combinations, and every one runs; `weights` has no say where a group has one
# member or none. Six rows for five letters, because the paper has two algorithms C: Table VIII names it *Average*, Tables
# IX to XI name it *Adaptive Ensemble KD*. And E differs from D by *two* choices at once, peers and perturbation, so a
# difference between D and E does not say which of them it comes from. With independent choices, one can ask.
#
# How large are the differences that the paper reports? Table VIII, error on CIFAR-10, ShuffleNet space, in percent:
#
# | | A `w/o KD` | B `Single` | C `Average` | D `Searched adaptive` | E `MNGNAS` |
# | --- | --- | --- | --- | --- | --- |
# | error (*paper*) | 2.31 | 2.29 | 2.26 | 2.28 | 2.24 |
#
# > **Predict.** CIFAR-10 has 10,000 test images. What is the standard error of an error of 2.3 %?

# %%
error, images_tested = 0.0231, 10_000
standard_error = np.sqrt(error * (1 - error) / images_tested)
print(f"standard error {100 * standard_error:.2f} points; A - E = 0.07 points, {round(7e-4 * images_tested)} images")

# %% [markdown]
# All five lie within half a standard error of one another; one network each, no seeds, no intervals. (They share the
# test images, which helps a comparison, but each is another architecture from another search, trained with its own
# luck.) The order of these numbers is not evidence. We will have to look ourselves.
#
# ## 9 A, B and C on the same candidates
#
# Search epoch 1 was Section 1: eight architectures, labels only. Its best become teachers: for B the single best, for
# C the $2 n_{TS}$ best, $n_{TS} = 2$. Search epoch 2: eight *new* candidates, and now the three algorithms get the same
# ones, from the same SuperNet, with the same mini-batches and the same number of steps.


# %%
def macs(arch):
    return space.cost(arch, input_shape=data.input_shape, num_classes=data.num_classes).macs


# by validation accuracy: a search may not look at test images
members = [Member(arch, macs(arch), value) for arch, value in zip(earlier, own["valid"], strict=True)]
networks = dict(zip(earlier, first.students, strict=True))


def guidance_by(name):
    """Who teaches the candidates of search epoch 2 in an algorithm."""
    algorithm = ALGORITHMS[name]
    chosen = choose_teachers(algorithm, members, threshold=0.0, size=2)
    taught = taught_by(algorithm, [macs(arch) for arch in candidates], chosen, threshold=0.0)
    return Guidance(tuple(networks[member.arch] for member in chosen), taught, algorithm.peers, algorithm.weights)


print({name: len(guidance_by(name).teachers) for name in ("none", "single", "average")})


# %%
def retrained(name, seed, loss=config.loss):
    """The eight candidates after retraining by an algorithm."""
    settings = RetrainConfig(epochs=epochs, batch_size=sizes.batch_size, loss=loss)
    students = [supernet.extract(arch) for arch in candidates]
    run = Retraining(students, batches(seed), settings, guidance_by(name))
    run.run()
    return run


NAMES = ("none", "single", "average")
runs = {(name, seed): retrained(name, seed) for seed in range(1, seeds + 1) for name in NAMES}

# %% [markdown]
# > **Predict.** In B and C the students have more to do than to fit the labels. Which of the three has the lowest *label*
# > loss at the end of these few steps? And how large will the distillation loss be beside it?

# %%
with style():
    fig, axes = plt.subplots(1, 3, figsize=(12, 3.6), sharey=True)
    for ax, name in zip(axes, NAMES, strict=True):
        plot_losses(runs[name, 1].curve(), ax)
        ax.set_title(LABELS[name])
        ax.set_ylabel("loss, mean over students" if ax is axes[0] else "")
    axes[0].autoscale(axis="y")  # the three axes share one scale: that of the largest loss
    axes[0].set_ylim(bottom=0)
_ = save(fig, "04_losses")
ends = {LABELS[name]: {kind: values[-1] for kind, values in runs[name, 1].curve(4).items()} for name in NAMES}
pd.DataFrame(ends).T.drop(columns="step").round(3)

# %% [markdown]
# *Measured: this profile, digits, mean over 8 students, seed 1; the table is the mean over the last quarter.* The
# distillation loss starts several times as large as the label loss, and remains above it. Nearly all of it is Eq. 6,
# the feature maps (which have no unit; Eq. 5 and cross-entropy are in nats): the teachers have trained, and their maps
# have moved away from the SuperNet's, on which the students start. The students spend their first steps on getting
# there. Yet the *label* loss of B and C is not above that of A: what the teachers ask for and what the labels ask for
# do not exclude each other.
#
# Now accuracies: for each candidate the mean over seeds, on the 1,000 test images.

# %%
before = rank(supernet, candidates, data, part="test", bn="reestimate").accuracy
scores = {key: accuracies(run.students, "test") for key, run in runs.items()}
table = pd.DataFrame({"borrowed": before})
for name in NAMES:
    table[name] = np.mean([scores[name, seed] for seed in range(1, seeds + 1)], axis=0)
table.index = [f"candidate {number}" for number in range(1, 9)]
display((100 * table).round(1))
with style():
    fig, ax = plt.subplots(figsize=(7.5, 4.4))
    plot_before_after(table, ax)
_ = save(fig, "04_before_after")


# %%
def paired(values, reference):
    """Mean difference over candidates in points, with its 95 % interval and p (paired t)."""
    test = stats.ttest_rel(values, reference)
    interval = test.confidence_interval()
    mean = (values - reference).mean()
    return f"{100 * mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}], p = {test.pvalue:.3f}"


for name in ("single", "average"):
    print(f"{LABELS[name]:24} minus A: {paired(table[name], table.none)}; {seeds} seed(s), n = 8 candidates")
print("spread over candidates:", {name: f"{100 * table[name].std():.1f}" for name in table})

# %% [markdown]
# *Measured: this profile, digits, 1,000 test images, 8 candidates, seeds of the mini-batches only; one SuperNet, one
# set of teachers, equal steps.* Under `laptop` (40 steps, 3 seeds) the single teacher is 1.2 points ahead of labels
# [−0.2, +2.6], and the average of four teachers 0.5 points *behind* [−1.6, +0.5]: neither interval excludes zero.
# Under `quick` (20 steps, 1 seed) both are around zero, ± 3. Against the paper's order of the two (Table VIII has C
# ahead of B) this is not evidence, nor for it.
#
# Something else is plain in the picture: the **spread** over candidates. Retraining by labels leaves 2.5 points of it
# (`laptop`), by teachers 1.4 to 1.5. The weak candidates have more of the teachers than the strong ones: distillation
# made them alike. For one network to be deployed that is welcome; for a *ranking* it means smaller differences to be
# told apart.
#
# Two things compete. A teacher says more than a label; and a teacher's feature maps demand that eight different
# architectures compute alike. The second can be switched off: `DistillLoss(features="none")` leaves Eq. 5 alone.
#
# > **Predict.** B and C with class probabilities only. Better than with feature maps? Better than A?

# %%
logits_only = DistillLoss(features="none")
for name in ("single", "average"):
    found = [accuracies(retrained(name, seed, logits_only).students, "test") for seed in range(1, seeds + 1)]
    soft = pd.Series(np.mean(found, axis=0), index=table.index)
    print(f"{LABELS[name]:24} Eq. 5 alone, minus A: {paired(soft, table.none)}; spread {100 * soft.std():.1f}")

# %% [markdown]
# Under `laptop`: B +1.3 [+0.4, +2.2], C +1.0 [0.0, +2.0], and the spread stays at 2.3 to 2.4. So on these digits the
# class probabilities seem to be what helps; the feature maps take it back in C and add nothing in B, while they make
# the candidates alike. A likely reason is arithmetic: in Section 3 Eq. 5 was 0.15 and the three feature losses together
# 9, so the teachers' opinion about classes may hardly have a say, and gradients are clipped at a norm of 5. The paper
# adds the two with equal weights and does not say how its feature maps were scaled.
#
# Do not carry this further than it goes. We looked at four differences, not at one; times four, only one $p$ stays
# below 0.05 (B by Eq. 5 alone, 0.044), barely. And such ends are fragile: with an earlier version of the kit, from the
# same seeds, we saw C at [+0.1, +1.9], and $\tau = 0.33$ in Section 1; another number of threads rounds differently
# too. There is one SuperNet, eight architectures, digits, and 40 steps where the paper has 40 *epochs*. And a step of C
# costs four more forward passes than one of A: at equal *time* A could have done more steps.
#
# ### Exercise 4
#
# A combination that has no letter: students learn from their **peers**, all with equal weights, and there are no
# teachers at all. (It needs no earlier search epoch.) Make its `Guidance` for the eight candidates; the self-check says
# whether it is what was asked. Then retrain with it, as in `retrained`, and compare with A.


# %%
def check_guidance(guidance):
    """Check the answer to exercise 4."""
    if guidance is None:
        print("Not yet: make a Guidance.")
    elif guidance.teachers:
        print(f"Not yet: there are {len(guidance.teachers)} teachers.")
    elif not guidance.peers or guidance.weights != "uniform":
        print("Not yet: peers have to teach, with uniform weights.")
    elif guidance.taught.shape != (8, 0):
        print(f"Not yet: eight students and no teachers make a mask (8, 0), not {tuple(guidance.taught.shape)}.")
    else:
        run = Retraining([supernet.extract(arch) for arch in candidates], batches(1), config, guidance)
        run.train_step()
        print(
            f"Exercise 4: correct. Losses of the first student (labels, teachers, peers): {run.losses[0][0].tolist()}"
        )


# %%
peers_only = None  # your Guidance
check_guidance(peers_only)

# %% [markdown]
# <details><summary>Hint</summary>
#
# `Guidance(teachers, taught, peers, weights)`. `taught` has one row a student and one column a teacher; without
# teachers it has no columns: `torch.zeros(8, 0, dtype=torch.bool)`.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# peers_only = Guidance((), torch.zeros(8, 0, dtype=torch.bool), peers=True, weights="uniform")
# check_guidance(peers_only)
# run = Retraining([supernet.extract(arch) for arch in candidates], batches(1), config, peers_only)
# run.run()
# print(paired(pd.Series(accuracies(run.students, "test"), table.index), pd.Series(scores["none", 1], table.index)))
# ```
#
# Under `laptop`, seed 1, the students of one another are 2.8 points *behind* A [−4.3, −1.2], $p = 0.004$. All of them
# start with borrowed weights; with equal say, each is held back by seven others who know as little. In algorithm E there
# are teachers beside the peers, and the weights are adaptive.
#
# </details>
#
# ## 10 On real data
#
# Digits and eight candidates teach the mechanics. Whether distillation makes a better *ranking* is a question for real
# images, dozens of architectures and a table with the truth: NAS-Bench-201 on CIFAR-10, 100 candidates drawn at random,
# retrained by A, B and C from the same SuperNet for the same two epochs. The first twenty learn from labels alone and
# become the first teachers; the other eighty are compared. Not everybody has the images and the table, so the notebook
# shows the stored result, whatever your profile (`MNGNAS_PROFILE=laptop python -m mngnas_lib.lab.comparison` computes it).
#
# > **Predict.** Which will distillation raise, the mean accuracy or the order? Both, neither, one of them?

# %%
real = stored(comparison(get_profile("laptop")), profile="laptop")
if real is None:
    print("This result is not stored here.")
else:
    print(f"measured: profile laptop, CIFAR-10 (JPEG) at 16x16, n = {real.metrics['n']} architectures, one seed")
    taus = real.table("taus").set_index("name").loc[["none", "single", "average"]]
    differences = real.table("differences").set_index("name").add_prefix("minus A: ")
    display(taus.join(differences).rename(index=LABELS).drop(columns=["epochs"]).round(3).T)

# %% [markdown]
# Both, a little. Accuracy after retraining rises by one point from A to B and C. Kendall's $\tau$ with the true ranking
# rises from 0.46 to 0.52 and 0.59; but the paired intervals of both differences contain zero (C minus A: 0.12, from
# $-0.02$ to $0.27$). Eighty architectures cannot tell more, and this is one SuperNet. Counting FLOPs gets 0.58 on the same
# eighty. Notebook 07 has all five algorithms, at equal steps and at equal time.
#
# ## What to take with you
#
# * A soft label has the gradient $q - p$: a label is a teacher without doubts. Temperature $T$ weakens it by $1/T^2$.
# * Feature maps are compared by a mean, or the resolution decides how much they weigh. A sum of teachers needs weights.
# * Targets carry no gradient; students carry one. Test both: a loss without a gradient looks healthy in every log.
# * Averages of outputs, of losses and of probabilities agree for Eq. 6, not for Eq. 5.
# * In one step there are $n_S + n_T$ outputs, so there is no reason to compute $n_S (n_S + n_T)$.
# * Students of one teacher become alike. Look at the spread as well as at the mean: a ranking lives on differences.
#
# **Next:** uniform weights give the worst teacher as much say as the best one. Notebook 05 lets each student choose, by
# a small quadratic programme a step: adaptive coefficients.
