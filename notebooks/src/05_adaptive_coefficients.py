# %% [markdown]
# # 05 · Adaptive coefficients
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/05_adaptive_coefficients.ipynb)
#
# **After this notebook you can** compute the coefficients of teachers and peers by hand in a case that fits on a
# sheet of paper; draw the problem as the distance from a point to a sum of two polygons; write its primal and its
# dual and read coefficients off either; say what complementary slackness means for a teacher that gets weight zero;
# name the steps of the derivation that do not hold, with a number for each; trust a solver by its certificate and
# not by its name; and say in which sense adaptive coefficients tolerate noise, and in which they do not.
#
# **Of the paper:** Section III-D with Eq. 11 to 20; Eq. 7 and 9 of Section III-C, for two slips. No figures or tables
# of the paper: all figures here are the kit's own.
#
# **Time:** quick 50 s · laptop 50 s · paper 50 s (2 CPU cores; the same sizes under each profile)

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
import inspect
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from mngnas_lib.distill import feature_loss, prediction_loss
from mngnas_lib.distill.coefficients import gram_matrix, solve, uniform
from mngnas_lib.distill.gradient_mode import compare
from mngnas_lib.distill.reference import RepeatedEq20, dual_eq12, eq20, primal_eq11
from mngnas_lib.lab import DataSpec, SpaceSpec, SupernetRun, current_profile, get_profile, trained_supernet
from mngnas_lib.plots import (
    explore,
    plot_agreement,
    plot_coefficients_along,
    plot_descent_map,
    plot_minkowski,
    plot_simplices,
    plot_slackness,
    plot_weighting_curves,
    plot_weightings,
    save,
    style,
)
from mngnas_lib.search import RetrainConfig, Retraining
from mngnas_lib.supernet import MiniBatches, TrainConfig, rank

print("kit", mngnas_lib.__version__, "· profile", current_profile().name)

# %% [markdown]
# ## 1 Two teachers and a sheet of paper
#
# A student has several teachers. How much should it listen to each? An average ensemble gives all the same weight. But
# "there always exists competitions and conflicts among the teacher models" (Section III-D), so the paper computes
# weights for each student, anew in every step of its training.
#
# Leave peers out for the moment. The student says $p$, teacher $e$ says $p_e$. Weights
# $\alpha_e \ge 0$ with $\sum_e \alpha_e = 1$ make a *mix* $\sum_e \alpha_e p_e$. Of all mixes take the one that is
# **closest to the student**:
#
# $$\min_\alpha \; \tfrac12 \Big\| p - \sum_e \alpha_e p_e \Big\|^2 \quad \text{subject to} \quad
# \alpha_e \ge 0, \; \sum_e \alpha_e = 1$$
#
# The smallest case that is not trivial: $p = (0, 0)$ and two teachers at $(2, 0)$ and $(0, 1)$. The mix is
# $(2\alpha_1, 1 - \alpha_1)$ and its squared length $4\alpha_1^2 + (1 - \alpha_1)^2$.
#
# > **Predict.** Which teacher gets more weight, the near or the far one? Differentiate, and write down both weights.

# %%
student, teachers = np.array([0.0, 0.0]), np.array([[2.0, 0.0], [0.0, 1.0]])
grid = np.linspace(0, 1, 10_001)
lengths = 4 * grid**2 + (1 - grid) ** 2
print(f"smallest at alpha_1 = {grid[lengths.argmin()]:.4f}; the derivative 8a - 2(1 - a) is zero at 1/5")

# %% [markdown]
# One fifth and four fifths. At right angles weights go as one over the *squared* distance: $\tfrac14 : 1$. So **the
# nearest teacher gets the most weight**, that is, the one from which the student has least to learn. Remember this
# sentence; Section 9 is about what it does.
#
# The library never sees outputs. It takes their **Gram matrix** $G = ZZ^\top$, all inner products of the rows of $Z$,
# and is told which rows are the student, its teachers and its peers. That is enough, since
# $\|p - \sum \alpha_e p_e\|^2$ multiplied out contains nothing else. Whether an output has 2 numbers or 50,000, the
# problem has the size of the group.


# %%
def solve_one(student, teachers, peers, scale=1.0):
    """alpha and beta of one student by the library: row 0 is the student, then come teachers, then peers."""
    outputs = torch.as_tensor(np.vstack([student, teachers, peers]))
    row = torch.arange(len(outputs))[None]
    is_teacher, is_peer = (row > 0) & (row <= len(teachers)), row > len(teachers)
    found = solve(gram_matrix([outputs]), torch.tensor([0]), is_teacher, is_peer, scale=scale)
    return found.alpha[is_teacher].numpy(), found.beta[is_peer].numpy()


nobody = np.empty((0, 2))
alpha, _ = solve_one(student, teachers, nobody)
print("library:", alpha)
assert np.allclose(alpha, [1 / 5, 4 / 5], atol=1e-6)

# %% [markdown]
# ### Exercise 1
#
# Write `two_teachers(p, t1, t2)`, the weight of the first of two teachers, for any number of outputs. Mind the ends:
# the closest point of the *line* through both may lie outside the *segment* between them. (If both teachers say the
# same, any weight is right.)


# %%
def check_two_teachers(function):
    """Compare an answer to exercise 1 with the library, on random cases of 1 to 5 outputs."""
    rng = np.random.default_rng(0)
    for trial in range(40):
        p, t1, t2 = rng.normal(size=(3, 1 + trial % 5))
        expected, answer = solve_one(p, np.stack([t1, t2]), np.empty((0, len(p))))[0][0], function(p, t1, t2)
        if answer is None or not np.isclose(answer, expected, atol=1e-4):
            print(f"Not yet: student {p.round(2)}, teachers {t1.round(2)} and {t2.round(2)}:")
            print(f"the first has weight {expected:.4f}, your function says {answer}.")
            return
    print("Exercise 1: correct.")


# %%
def two_teachers(p, t1, t2): ...  # your code


check_two_teachers(two_teachers)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Write the mix as $t_2 + a (t_1 - t_2)$, so that the residual is $(p - t_2) - a (t_1 - t_2)$. At the closest point of
# the line it is at right angles to $t_1 - t_2$. A convex function of one variable that has its minimum outside an
# interval is smallest at the nearer end.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def two_teachers(p, t1, t2):
#     along = t1 - t2
#     return float(np.clip((p - t2) @ along / (along @ along), 0, 1))
# ```
#
# </details>
#
# ## 2 Teachers and peers: two polygons and their sum
#
# Now both groups: teachers $e$ from earlier search epochs with coefficients $\alpha$, and peers $c$, the other
# candidates of the same search epoch, with coefficients $\beta$. This is the problem that the paper solves in the end:
#
# $$\min_{\alpha, \beta} \; \tfrac12 \Big\| s \cdot p - \sum_{e=1}^{n_T} \alpha_e\, p_e -
# \sum_{c=1}^{n_C - 1} \beta_c\, p_c \Big\|^2 \quad \text{s.t.} \quad \sum_e \alpha_e = \sum_c \beta_c = 1, \;
# \alpha, \beta \ge 0 \qquad (20)$$
#
# with $s = 1$ as printed. The factor $s$ is ours: Section 5 finds that 2 should stand there, and until then we
# carry both along.
#
# | symbol | in words | in the kit |
# | --- | --- | --- |
# | $p = p(S; \Theta)$ | the student's outputs for a mini-batch, flattened | a row of the outputs |
# | $p_e$, $p_c$ | outputs of teacher $e$, of peer $c$ | other rows |
# | $\alpha$, $\beta$ | coefficients of teachers and peers | `Coefficients.alpha`, `.beta` |
# | $s$ | the student's factor: 1 as printed, 2 as derived | `solve(..., scale=)` |
# | $ZZ^\top$ | all inner products | `gram_matrix([outputs])` |
#
# All mixes of three teachers are a triangle, all mixes of four peers another polygon. Two outputs, so that we can draw:

# %%
student = np.array([1.0, 1.5])
teachers = np.array([[4.0, 0.0], [4.0, 3.0], [6.0, 1.0]])
peers = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 1.0], [1.0, 3.0]])
solutions = {scale: solve_one(student, teachers, peers, scale) for scale in (1, 2)}
with style():
    fig, ax = plt.subplots(figsize=(9.6, 4.8))
    plot_simplices(student, teachers, peers, ax, alpha=solutions[2][0], beta=solutions[2][1])
    ax.set_title("coefficients for s = 2")
_ = save(fig, "05_simplices")

# %% [markdown]
# Two stars, one a group. Neither is the point of its polygon that is nearest to $p$! The peers could have said exactly
# what the student says ($p$ lies in their polygon), and yet all their weight is on $P_1$. What is minimised is the
# distance of the **sum** of both stars from $s \cdot p$.
#
# The sum of every point of one polygon with every point of the other is again a polygon, their **Minkowski sum**.
# Eq. 20 asks for its point nearest to $s \cdot p$.
#
# > **Predict**, with a pencil: the leftmost teachers are $T_1$ and $T_2$, at $x = 4$; the leftmost peer is $P_1$, at
# > $x = 0$. Where is the left border of the sum? Which point of it is nearest to $2p = (2, 3)$, and which to
# > $p = (1, 1.5)$? Which $\alpha$ make them?

# %%
with style():
    fig, ax = plt.subplots(figsize=(8.4, 4.6))
    plot_minkowski(student, teachers, peers, solutions, ax)
_ = save(fig, "05_minkowski")

# %%
by_hand = {1: ([5 / 6, 1 / 6, 0], [1, 0, 0, 0]), 2: ([1 / 3, 2 / 3, 0], [1, 0, 0, 0])}
for scale, (alpha, beta) in solutions.items():
    assert np.allclose(alpha, by_hand[scale][0], atol=1e-6) and np.allclose(beta, by_hand[scale][1], atol=1e-6)
    print(f"s = {scale}: alpha = {alpha.round(4)}, beta = {beta.round(4)}")

# %% [markdown]
# By hand: the border is the edge from $T_1 + P_1 = (4, 1)$ to $T_2 + P_1 = (4, 4)$. Nearest to $(2, 3)$ is $(4, 3)$,
# two thirds of the way: $\alpha = (\tfrac13, \tfrac23, 0)$. Nearest to $(1, 1.5)$ is $(4, 1.5)$, one sixth of the way.
# The only peer that can reach this edge is $P_1$, so it has all the weight.
#
# Three things to see.
#
# * **Zeros are typical.** The nearest point lies on an edge or in a corner, and only members that span this edge have
#   weight. With $D$ outputs and $s \cdot p$ outside of the sum, no more than $D + 1$ weights are needed, both groups
#   together; here three. Real outputs have hundreds of numbers (images times classes), so there this is no limit.
# * **The groups haggle.** What one group can provide the other need not. With a group alone, $P_1$ would not
#   have had weight one.
# * **s matters.** For $s = 1$ the first teacher leads, for $s = 2$ the second. Same networks, same step.

# %% [markdown]
# ## 3 Where it comes from: a direction that all losses like
#
# The paper starts elsewhere: not from outputs but from gradients. Each teacher has a distillation loss $\ell^e$, each
# peer a loss $\ell^c$, and the student wants **one step $d$ that lowers them all**, the worst one as fast as possible:
#
# $$\min_{d, v_e, v_c, \xi} \; v_e + v_c + C_1 \sum_e \xi_e + C_2 \sum_c \xi_c + \tfrac12 \|d\|^2 \quad \text{s.t.} \quad
# \langle \nabla \ell^e, d \rangle \le v_e + \xi_e, \;\; \langle \nabla \ell^c, d \rangle \le v_c + \xi_c, \;\;
# \xi \ge 0 \qquad (11)$$
#
# | symbol | in words |
# | --- | --- |
# | $\langle \nabla \ell^e, d \rangle$ | how fast loss $e$ changes along $d$, to first order; negative is good |
# | $v_e$, $v_c$ | the worst rate among all teachers, among all peers (one number a group, in spite of the index) |
# | $\xi_e$, $\xi_c$ | by how much a member may exceed the worst rate, |
# | $C_1$, $C_2$ | at which price |
# | $\tfrac12 \lVert d \rVert^2$ | keeps the step finite |
#
# Every convex problem has a twin. Give each constraint a price ($\alpha_e$ and $\beta_c$), minimise over everything
# else, and maximise over prices. Minimising over $d$ gives
#
# $$d^* = -\sum_e \alpha_e \nabla \ell^e - \sum_c \beta_c \nabla \ell^c \qquad (13)$$
#
# minimising over $v_e$ and $v_c$ is only finite if $\sum \alpha = 1$ and $\sum \beta = 1$, and what remains is
#
# $$\min_{\alpha, \beta} \; \tfrac12 \Big\| \sum_e \alpha_e \nabla \ell^e + \sum_c \beta_c \nabla \ell^c \Big\|^2 \quad
# \text{s.t.} \quad \sum_e \alpha_e = \sum_c \beta_c = 1, \;\; 0 \le \alpha_e \le 1, \; 0 \le \beta_c \le 1 \qquad (12)$$
#
# So the coefficients **are** prices. The kit has both problems in cvxpy, written as they are printed:

# %%
print(inspect.getsource(primal_eq11))

# %%
print(inspect.getsource(dual_eq12))

# %% [markdown]
# Take the picture of Section 2. Where outputs are compared by squared distance, $\ell^e = \tfrac12 \|p - p_e\|^2$, and
# the student's outputs themselves are what moves, a gradient is a difference, $\nabla \ell^e = p - p_e$.
#
# > **Predict.** Both problems are solved with numbers of their own: the primal finds $d$ and knows nothing of
# > $\alpha$, the dual finds $\alpha$ and $\beta$. In which three ways must the answers agree?

# %%
teacher_gradients, peer_gradients = student - teachers, student - peers
primal = primal_eq11(teacher_gradients, peer_gradients, c1=2, c2=2)
dual = dual_eq12(teacher_gradients, peer_gradients)
names = ["T1", "T2", "T3", "P1", "P2", "P3", "P4"]
rows = {
    name: [found.value, *found.d, *found.alpha, *found.beta]
    for name, found in (("primal, Eq. 11", primal), ("dual, Eq. 12", dual))
}
pd.DataFrame(rows, index=["value", "d, first", "d, second", *names]).T.round(4) + 0.0  # no "-0.0"

# %% [markdown]
# (1) The values are opposite numbers, $+\,$ and $-$ of the same: *strong duality*, no gap. (2) The prices of the primal's
# constraints are the dual's coefficients. (3) The direction that the primal found is Eq. 13 with these coefficients.
# And the coefficients are those of Section 2 with $s = 2$.
#
# ### Erratum 1: the upper bound
#
# Eq. 12 bounds $\alpha_e$ by 1. Where would this bound come from? Minimise over $\xi_e \ge 0$ too: $\xi_e$ appears
# as $(C_1 - \alpha_e)\, \xi_e$. This is bounded below only if $\alpha_e \le C_1$. So the bound is the price $C_1$, not 1.
#
# > **Predict.** Three teachers. For $C_1 = 2$, does anything change? For $C_1 = 0.5$? And what happens at
# > $C_1 = 0.3$, where three coefficients of at most 0.3 are to sum to one?

# %%
for cap in (2.0, 0.5, 0.3):
    primal = primal_eq11(teacher_gradients, peer_gradients, c1=cap, c2=2)
    if primal.alpha is None:
        print(f"C_1 = {cap}: value {primal.value}, no solution")
    else:
        print(f"C_1 = {cap}: value {primal.value:.4f}, alpha = {primal.alpha.round(3)}, xi = {primal.xi_e.round(3)}")
print(f"dual as printed: value {-dual_eq12(teacher_gradients, peer_gradients).value:.4f}, whatever C_1 is")

# %%
caps = np.array([0.3334, *np.arange(0.34, 1.11, 0.02), 2 / 3])
caps.sort()
alphas = [dual_eq12(teacher_gradients, peer_gradients, c1=cap, c2=2).alpha for cap in caps]
with style():
    fig, ax = plt.subplots(figsize=(7, 3.6))
    plot_coefficients_along(caps, np.array(alphas), ax, xlabel="$C_1$", is_bound=True)
_ = save(fig, "05_upper_bound")

# %% [markdown]
# With $C_1 \ge 1$ the bound is never met, since coefficients that sum to one cannot exceed one: then Eq. 12 is right,
# and no $\xi$ is ever positive. Below the largest coefficient ($\tfrac23$ here) the bound binds, the other teachers
# have to take what is cut off, and the printed dual has another value than the primal. At $C_1 = \tfrac13$ nothing is
# left but the uniform average. Below $1/n_T$ the dual has no feasible point and the primal is unbounded: let $v_e$
# fall by $t$ and every $\xi_e$ grow by $t$; that costs $n_T C_1 t < t$. The paper prints no value of $C_1$.
#
# The lost bound would be of use: $C_1$ **limits how much any single teacher can have**, with the uniform ensemble at one
# end and the free coefficients at the other.
#
# ## 4 Complementary slackness: who gets weight, and why
#
# At the optimum either a constraint is tight, or its price is zero. These are the paper's conditions:
#
# $$\alpha_e \big( \langle \nabla \ell^e, d \rangle - v_e - \xi_e \big) = 0, \qquad
# \beta_c \big( \langle \nabla \ell^c, d \rangle - v_c - \xi_c \big) = 0, \qquad \alpha_e \xi_e = C_1 \xi_e, \quad
# \beta_c \xi_c = C_2 \xi_c \qquad (14)$$
#
# (The paper's last one has $\alpha_c$ where $\beta_c$ is meant.) Each is a number that should be zero, a **KKT
# residual**. Here is the whole table for the drawn case, nothing rounded away:

# %%
primal = primal_eq11(teacher_gradients, peer_gradients, c1=2, c2=2)
table = pd.DataFrame(
    {
        "rate": [*teacher_gradients @ primal.d, *peer_gradients @ primal.d],
        "v": [primal.v_e] * 3 + [primal.v_c] * 4,
        "xi": [*primal.xi_e, *primal.xi_c],
        "coefficient": [*primal.alpha, *primal.beta],
    },
    index=names,
)
table["slack"] = table.rate - table.v - table.xi
table["KKT residual"] = table.coefficient * table.slack
table.round(4) + 0.0

# %%
with style():
    fig, ax = plt.subplots(figsize=(8.4, 3.8))
    rates = {"teachers": (table.rate[:3], primal.v_e), "peers": (table.rate[3:], primal.v_c)}
    plot_slackness(rates, {"teachers": primal.alpha, "peers": primal.beta}, ax)
_ = save(fig, "05_slackness")

# %% [markdown]
# Read a filled marker as "tight": teachers $T_1$ and $T_2$ lie on the dashed line $v$, their losses fall equally fast,
# and they share the weight. $T_3$ is hollow: its weight is zero *because its loss falls faster anyway*. So zero is
# not a verdict on a teacher's quality. It says: **this teacher is served already by what the others ask for**.
# The weight goes to those who would be worst off, as in a negotiation in which the least content has the word.
#
# And now look at the peers. $P_1$ has all the weight, it lies on its line, and the line is *above zero*.
#
# > **Predict.** What does a positive rate mean for the student's distance to $P_1$ along $d^*$? Look at the picture of
# > Section 2: where is $P_1$, and where does the student go?
#
# ### Is d* a descent direction for everybody?
#
# The paper says so: Eq. 15 and 16 take $v_e = -\|d\|^2$ and $v_c = -\|d\|^2$ (with $\xi = 0$), each group
# for itself, and then all rates are at most $-\|d\|^2$.

# %%
for cap in (2.0, 0.5):
    primal = primal_eq11(teacher_gradients, peer_gradients, c1=cap, c2=2)
    square, paid = primal.d @ primal.d, cap * primal.xi_e.sum()
    print(f"C_1 = {cap}: |d|^2 = {square:.3f}, v_e = {primal.v_e:.3f}, v_c = {primal.v_c:.3f}, slack paid {paid:.3f}")
    print(f"   Eq. 15, teachers: {-square - primal.v_e - paid:+.3f}   Eq. 15, peers: {-square - primal.v_c:+.3f}")
    print(f"   the sum of both groups, with one |d|^2: {square + primal.v_e + primal.v_c + paid:+.4f}")

# %% [markdown]
# **Erratum 3.** Neither holds. The teachers' bound is $-6$ and the peers' is $+2$, while $\|d\|^2 = 4$. What does hold is
# the *sum*, and it is easy to see why: strong duality says that the primal's value equals $-\tfrac12 \|d\|^2$, hence
#
# $$\|d\|^2 + v_e + v_c + C_1 \sum_e \xi_e + C_2 \sum_c \xi_c = 0 \qquad (15')$$
#
# one equation for both groups. So exactly this is true when $d^* \ne 0$ and no slack is used ($C_1, C_2 \ge 1$):
#
# * for **every pair** of a teacher and a peer, the sum of their losses falls, at a rate of at least $\|d\|^2$;
# * hence at least one whole group falls; *which one* is not said;
# * all losses of **both** groups fall if and only if $v_e < 0$ and $v_c < 0$. With the mixed gradients of the groups,
#   $a = \sum \alpha_e \nabla \ell^e$ and $b = \sum \beta_c \nabla \ell^c$, that is $\langle a, b \rangle > -\min(\|a\|^2,
#   \|b\|^2)$: the groups may disagree, but not so much that one outvotes the other. It has to be checked, and can
#   fail, as here;
# * with a single group (no teachers yet, or no peers) there is no other to pay for it, and $d^*$ is a descent
#   direction for all: this is the classical result on the shortest vector of a convex hull.
#
# Is our case exotic? The student's output may lie anywhere in the plane. Colour each place by whose losses fall:

# %%
x, y = np.linspace(-1.5, 7.5, 55), np.linspace(-2, 4.5, 40)
places = np.stack(np.meshgrid(x, y), -1)
rates = np.empty_like(places)
is_member = torch.arange(len(x) + 7)[None].expand(len(x), -1)
for row, outputs in enumerate(places):  # one row of the picture is one batch of students
    everyone = torch.as_tensor(np.vstack([teachers, peers, outputs]))
    students = torch.arange(len(x)) + 7
    found = solve(gram_matrix([everyone]), students, is_member < 3, (is_member >= 3) & (is_member < 7), scale=2)
    d = ((found.alpha + found.beta) @ everyone).numpy() - 2 * outputs
    for group, members in enumerate((teachers, peers)):
        rates[row, :, group] = ((outputs[:, None] - members) @ d[:, :, None]).max((1, 2))

# %%
with style():
    fig, ax = plt.subplots(figsize=(8.6, 4.6))
    plot_descent_map(places, rates, teachers, peers, ax, tolerance=1e-5)
_ = save(fig, "05_descent_map")

# %% [markdown]
# Far away from everybody all losses fall: teachers and peers lie in the same direction. In the grey region $2p$ lies
# inside the Minkowski sum, $d^* = 0$, and there is no direction. *Around* it one group's losses fall at the expense of
# the other's: near the peers the peers pay, near the teachers the teachers. The paper's condition for a descent
# direction (Eq. 18) speaks of $\xi$ only. Here every $\xi$ is zero, so the condition holds, and the conclusion does not.
#
# ### Exercise 2
#
# A direction along which **all** losses fall, teachers' and peers', wherever there is one. Write
# `common_direction(student, teachers, peers)`. It should return a vector $d$ with $\langle \nabla \ell, d \rangle \le
# -\|d\|^2$ for every member of both groups. The library's solver can do it, if it is asked in another way.


# %%
def check_common(function):
    """Check an answer to exercise 2: in random cases of 4 outputs, no loss may rise, and some loss must fall."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        p, t, c = rng.normal(size=4) + 2, rng.normal(size=(3, 4)), rng.normal(size=(4, 4))
        d = function(p, t, c)
        if d is None:
            print("Not yet: return a vector.")
            return
        rates = (p - np.vstack([t, c])) @ d
        if (rates > -d @ d + 1e-4).any() or d @ d < 1e-6:
            print(f"Not yet: the rates are {rates.round(3)}, and each should be at most {-d @ d:.3f} and below zero.")
            return
    print("Exercise 2: correct.")


# %%
def common_direction(student, teachers, peers): ...  # your code


check_common(common_direction)

# %% [markdown]
# <details><summary>Hint</summary>
#
# With a single group, $d^*$ is a descent direction for all members of it. How many groups do you need?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def common_direction(student, teachers, peers):
#     pool = np.vstack([teachers, peers])
#     weights, _ = solve_one(student, pool, np.empty((0, len(student))))
#     return weights @ pool - student
# ```
#
# One pool, one simplex: all members are bound by one $v$, and $v = -\|d\|^2$. What is lost is the guarantee that both
# groups are heard: the whole weight may go to the peers. The two simplices of Eq. 12 are that guarantee, and the orange
# and blue places on the map are its price.
#
# </details>
#
# ## 5 From gradients to outputs: Eq. 19 and what follows
#
# True gradients cost one backward pass a teacher and a peer. The paper avoids them by one line:
#
# $$\nabla_\Theta \ell^e = \nabla_\Theta\, \tfrac12 \|p(S; \Theta) - p(S_e; \Theta_e)\|^2 =
# \| p(S; \Theta) - p(S_e; \Theta_e) \| \qquad (19)$$
#
# > **Predict.** On the left stands a gradient in $\Theta$. What kind of object is it, for a student with 8 parameters
# > and 2 outputs? And what stands on the right?

# %%
torch.manual_seed(0)
layer = torch.nn.Linear(3, 2).double()  # a "network" with 8 parameters
image, targets = torch.randn(1, 3, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64)
output = layer(image)[0]
loss = 0.5 * (output - targets[0]).square().sum()
in_output, *in_theta = torch.autograd.grad(loss, [output, *layer.parameters()])
print("gradient in the outputs:", in_output.numpy().round(4))
print("difference p - p_e:     ", (output - targets[0]).detach().numpy().round(4))
print("gradient in Theta:      ", sum(part.numel() for part in in_theta), "numbers")
print("what Eq. 19 prints:     ", round(float((output - targets[0]).detach().norm()), 4))

# %% [markdown]
# **Erratum 4.** The printed norm is a number, and a number is no gradient. Without the norm the line is right as a
# gradient **in the outputs**, and that is how Eq. 20 uses it. The gradient in $\Theta$ is another vector,
# $J^\top (p - p_e)$ with the Jacobian $J = \partial p / \partial \Theta$. Eq. 12 needs inner products:
#
# $$\langle \nabla_\Theta \ell^e, \nabla_\Theta \ell^f \rangle = (p - p_e)^\top J J^\top (p - p_f) \qquad
# \text{against} \qquad (p - p_e)^\top (p - p_f)$$
#
# Both give the same coefficients if $JJ^\top$ is a multiple of the identity. For a linear layer and *one* image it is:
# $JJ^\top = (\|x\|^2 + 1)\, I$. For several images it is not, since images $x$ and $x'$ are coupled by
# $x^\top x' + 1$: what the student learns on one image moves its answers to the others. How far off this is for real
# networks cannot be said with a pencil; Section 8 measures it.

# %%
torch.manual_seed(5)
rows = {}
for images in (1, 5):
    output = layer(torch.randn(images, 3, dtype=torch.float64))
    targets = torch.randn(3, images, 2, dtype=torch.float64)
    losses = [0.5 * (output - target).square().sum() for target in targets]
    parts = [torch.autograd.grad(loss, layer.parameters(), retain_graph=True) for loss in losses]
    in_theta = torch.stack([torch.cat([part.flatten() for part in gradient]) for gradient in parts])
    in_outputs = (output - targets).detach().flatten(1)
    for name, gradients in (("outputs", in_outputs), ("Theta", in_theta)):
        length = gradients.shape[1]
        rows[images, name] = solve_one(np.zeros(length), gradients.numpy(), np.empty((0, length)))[0]
pd.DataFrame(rows, index=["T1", "T2", "T3"]).T.rename_axis(["images", "gradients in"]).round(3)

# %% [markdown]
# ### Erratum 2: once, or twice?
#
# Put $\nabla \ell^e = p - p_e$ and $\nabla \ell^c = p - p_c$ into Eq. 12:
#
# $$\sum_e \alpha_e (p - p_e) + \sum_c \beta_c (p - p_c) = \underbrace{\Big(\sum_e \alpha_e + \sum_c \beta_c
# \Big)}_{1 + 1 = 2} p - \sum_e \alpha_e p_e - \sum_c \beta_c p_c$$
#
# Each group contributes one $p$. Eq. 20 as printed has one in all. The kit can do both; `s = 1` as printed is the
# default, for we reproduce the paper.

# %%
alpha, beta = dual.alpha, dual.beta
print(f"Eq. 12 at its solution: {0.5 * np.sum((alpha @ teacher_gradients + beta @ peer_gradients) ** 2):.4f}")
for scale in (1, 2):
    value = 0.5 * np.sum((scale * student - alpha @ teachers - beta @ peers) ** 2)
    best = eq20(student, teachers, peers, scale)
    print(f"Eq. 20, s = {scale}, there: {value:.4f}; its own minimum: {best.value:.4f} at {best.alpha.round(3)}")

# %% [markdown]
# `s = 2` gives the dual's value, `s = 1` does not. (With one group alone, $s = 1$ *is* the derived problem: the first
# term is then $1 \cdot p$. The slip shows only when teachers and peers both teach.)
#
# Does the difference matter? A test that a sensible rule should pass: add the same number to all logits of an image, and
# all class probabilities stay as they are. Let us shift everybody's outputs, student and members alike.
#
# > **Predict.** All outputs move by the same vector. Which of the two readings notices?

# %%
rows = {}
for shift in (0.0, -1.0, 2.0):
    for scale in (1, 2):
        alpha, beta = solve_one(student + shift, teachers + shift, peers + shift, scale)
        rows[f"s = {scale}", shift] = [*alpha, *beta]
pd.DataFrame(rows, index=names).T.rename_axis(["reading", "all outputs +"]).round(3)

# %% [markdown]
# For $s = 2$ the shift cancels: $2(p + c) - (\,\cdot + c) - (\,\cdot + c)$. For $s = 1$ one $c$ is left, and coefficients
# depend on where the origin of the logits happens to be. Seen in another way: $s = 1$ wants *two* full mixes to add up
# to *one* student. If all networks say about the same $q$, the sum is about $2q$ and the target $q$: the best that
# members can do is to be **short**. As printed, Eq. 20 prefers the timid ones, with small logits, whatever they say.
# Section 9 shows how far this goes.
#
# ### Exercise 3
#
# One line of preparation turns `s = 1` into `s = 2`. Write `prepared(student, teachers, peers)` that returns three new
# arrays of outputs, such that `solve_one` of them with `scale=1` gives what `scale=2` gives for the old ones.


# %%
def check_prepared(function):
    """Check an answer to exercise 3 on random cases of 6 outputs."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        case = 3 * rng.normal(size=6), rng.normal(size=(3, 6)), rng.normal(size=(4, 6))
        answer = function(*case)
        if answer is None or [np.shape(part) for part in answer] != [np.shape(part) for part in case]:
            print("Not yet: return three arrays of the same shapes.")
            return
        for mine, right in zip(solve_one(*answer, scale=1), solve_one(*case, scale=2), strict=True):
            if not np.allclose(mine, right, atol=1e-4):
                print(f"Not yet: s = 1 on your outputs gives {mine.round(3)}, s = 2 on the old ones {right.round(3)}.")
                return
    print("Exercise 3: correct.")


# %%
def prepared(student, teachers, peers): ...  # your code


check_prepared(prepared)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Shift everything by a vector $c$. With $s = 1$, a $-c$ is left over in the residual. Which $c$ makes it what $s = 2$ has?
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def prepared(student, teachers, peers):
#     return student - student, teachers - student, peers - student
# ```
#
# Measure all outputs from the student. What is left are the gradients of Eq. 19, up to sign; then the student's own
# factor multiplies zero, and it does not matter whether it is 1 or 2. (With teachers only, $s = 1$ needs no preparation.)
#
# </details>
#
# ## 6 Two smaller slips
#
# Notebook 04 tells these two stories; here they are as numbers, so that the list is complete.
#
# **Erratum 5.** Eq. 7 averages the peers' losses:
#
# $$L_{dis}(S_i, \{S_j\}) = \frac{1}{n_C - 1} \sum_{j = 1, j \ne i}^{n_C - 1} L_{dis}(S_i, S_j) \qquad (7)$$
#
# > **Predict.** With $n_C = 4$ candidates: what do the weights of its peers sum to, for the first candidate? And for the
# > fourth?

# %%
peer = np.arange(1, 5)
sums = {
    f"upper limit {name}": [((peer != i) & (peer <= limit)).sum() / 3 for i in peer]
    for name, limit in (("n_C - 1, as printed", 3), ("n_C", 4))
}
pd.DataFrame(sums, index=[f"S_{i}" for i in peer]).round(3)

# %% [markdown]
# As printed nobody learns from the last candidate, and only the last has weights that sum to one. The sum should run to $n_C$.
#
# **Erratum 6.** Eq. 9 compares the student's feature maps with its teachers',
#
# $$L_{TS} = \frac1N \sum_{j=1}^{N} KL\Big(f_j^{S_i}, \; \sum_{k=1}^{n_T} f_j^{S_k}\Big) \qquad (9)$$
#
# where teachers are summed without weights, and the student stands first (in Eq. 5 it is the teacher). For the first,
# three teachers who agree with the student in everything. For the second, by hand, a sure distribution $(0.9, 0.1)$ and
# an undecided one $(0.5, 0.5)$.

# %%
features = torch.randn(1, 4, 2, 2)  # (batch, channels, height, width)
agreeing = torch.stack([features] * 3)
print(f"sum, as printed: {float(feature_loss(features, agreeing.sum(0), 'kl')):.4f}")
print(f"weighted, 1/3 each: {float(feature_loss(features, agreeing.mean(0), 'kl')):.4f}")
sure, undecided = torch.tensor([[0.9, 0.1]]).log(), torch.zeros(1, 2)
by_hand = 0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5)
print(f"sure teacher, undecided student: {float(prediction_loss(undecided, sure)):.4f}, by hand {by_hand:.4f}")
print(f"undecided teacher, sure student: {float(prediction_loss(sure, undecided)):.4f}")

# %% [markdown]
# Perfect agreement should cost nothing, and does with coefficients that sum to one. And KL is no distance: the order
# matters. The kit has the teacher first in both losses.
#
# ## 7 All students at once
#
# In each step of Algorithm 1, each of $n_S = 30$ students needs coefficients for its teachers and its 29 peers. The
# literal way is a loop over students with a general solver. The kit solves all as one batch: all outputs are rows of
# one $Z$, one Gram matrix holds everybody's inner products, and masks say who is whose teacher or peer.
#
# Agreement first. cvxpy is given outputs, not the Gram matrix, one student at a time, and shares no line with the
# batched solver.

# %%
generator = torch.Generator().manual_seed(0)
n_students, n_teachers, numbers = 30, 10, 96 * 10  # the paper's batch of 96, ten classes
common = torch.randn(numbers, generator=generator, dtype=torch.float64)
outputs = common + torch.randn(n_students + n_teachers, numbers, generator=generator, dtype=torch.float64)
students = torch.arange(n_students)
member = torch.arange(n_students + n_teachers)
teacher_mask = (member >= n_students).expand(n_students, -1)
peer_mask = (member < n_students) & (member != students[:, None])
batched = solve(gram_matrix([outputs]), students, teacher_mask, peer_mask)
print("alpha", tuple(batched.alpha.shape), "beta", tuple(batched.beta.shape))


def value(alpha, beta, student):
    """Eq. 20's objective, as printed."""
    return 0.5 * np.sum((outputs[student].numpy() - (alpha + beta) @ outputs.numpy()) ** 2)


differences = []
for i in range(n_students):
    found = eq20(outputs[i].numpy(), outputs[teacher_mask[i]].numpy(), outputs[peer_mask[i]].numpy())
    alpha, beta = np.zeros(len(member)), np.zeros(len(member))
    alpha[teacher_mask[i]], beta[peer_mask[i]] = found.alpha, found.beta
    reference, ours = value(alpha, beta, i), value(batched.alpha[i].numpy(), batched.beta[i].numpy(), i)
    apart = np.abs([alpha - batched.alpha[i].numpy(), beta - batched.beta[i].numpy()]).max()
    differences.append((abs(ours / reference - 1), apart))
worst, apart = np.max(differences, 0)
print(f"{n_students} students: values differ by at most {worst:.0e} of themselves, coefficients by {apart:.0e}")

# %% [markdown]
# > **Predict.** How much faster is one call for 30 students than 30 calls of cvxpy? (cvxpy translates each problem
# > into a solver's form before it solves it, and that takes most of its time.)


# %%
def milliseconds(function, repeats=5):
    """The shortest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


row, teacher_rows, peer_rows = (outputs[rows].numpy() for rows in (0, teacher_mask[0], peer_mask[0]))
literal = milliseconds(lambda: eq20(row, teacher_rows, peer_rows))
repeated = RepeatedEq20(n_teachers, n_students - 1, n_students + n_teachers)
factor = np.linalg.cholesky(gram_matrix([outputs]).numpy())  # rows with the same inner products, 40 numbers long
row, teacher_rows, peer_rows = (factor[rows] for rows in (0, teacher_mask[0], peer_mask[0]))
translated_once = milliseconds(lambda: repeated.solve(row, teacher_rows, peer_rows))
batch = milliseconds(lambda: solve(gram_matrix([outputs]), students, teacher_mask, peer_mask)) / n_students
for name, each in (("cvxpy", literal), ("cvxpy, translated once", translated_once), ("one batch", batch)):
    print(f"{name:<24}{each:8.3f} ms a student, {each / batch:6.0f} times the batch")

# %% [markdown]
# cvxpy spends nearly all of its time on translating a problem into the solver's form. A fair comparison lets it translate
# once and only change numbers (a *parametrised* problem, second line); the batch is still tens of times faster a student.
# `make benchmarks` measures it against a dedicated solver for small quadratic programs too. *Measured on the machine that
# executed this notebook, one run; only the ratios carry over, and those roughly.*
#
# There is no loop over students: an active-set method guesses for all of them at once which coefficients are zero, solves
# for the others, and corrects its guess. What it does not settle goes to an interior-point method, also batched.
#
# ### The certificate
#
# Where no reference is at hand, how do we know that an answer is right? A convex problem can tell by itself. Let
# $f(x) = \tfrac12 \|b - \sum_j x_j p_j\|^2$ with $b = s \cdot p$, and $g = \nabla f(x)$. As $f$ is convex,
# $f(y) \ge f(x) + g^\top (y - x)$ for all $y$. The smallest value that the right-hand side takes over both simplices
# puts all weight of each group on its smallest $g_j$, so
#
# $$f(x) - f^* \; \le \; \text{gap}(x) = \sum_{\text{groups}} \Big( \sum_{j \in \text{group}} x_j g_j -
# \min_{j \in \text{group}} g_j \Big)$$
#
# Everything on the right is known. Each answer of `solve` carries its `gap`, divided by the value $f$, and its largest
# KKT residual:

# %%
print(f"relative duality gap: at most {float(batched.gap.max()):.1e}")
print(f"KKT residual:         at most {float(batched.kkt.max()):.1e}")

# %% [markdown]
# ### Exercise 4
#
# Write `gap(x, b, members, teachers)`: the duality gap (not divided by anything) of coefficients `x` for a target `b`
# and `members` (one row each), of which the first `teachers` rows are teachers and the others peers.


# %%
def check_gap(function):
    """Check an answer to exercise 4: zero at the optimum, and never below the true distance from the optimum."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        b, members = rng.normal(size=5), rng.normal(size=(7, 5))
        best = np.concatenate(solve_one(b, members[:3], members[3:]))
        x = np.concatenate([rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(4))])
        value, optimum = (0.5 * np.sum((b - weights @ members) ** 2) for weights in (x, best))
        answers = function(x, b, members, 3), function(best, b, members, 3)
        if None in answers or answers[0] < value - optimum - 1e-9:
            print(f"Not yet: x is {value - optimum:.4f} above the optimum, your gap is {answers[0]}.")
            return
        if abs(answers[1]) > 1e-5:
            print(f"Not yet: at the optimum the gap is 0, yours is {answers[1]:.4f}.")
            return
    print("Exercise 4: correct.")


# %%
def gap(x, b, members, teachers): ...  # your code


check_gap(gap)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The gradient by $x_j$ is $g_j = -p_j^\top (b - \sum_k x_k p_k)$: one matrix product for all $j$.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def gap(x, b, members, teachers):
#     g = -members @ (b - x @ members)
#     groups = slice(None, teachers), slice(teachers, None)
#     return sum(x[group] @ g[group] - g[group].min() for group in groups)
# ```
#
# This is also the stopping rule of the Frank-Wolfe algorithm. Compare it with Eq. 14: every term of it is a coefficient
# times the slack of its constraint, so the gap is the sum of all KKT residuals of the first kind.
#
# </details>
#
# ## 8 How good is the shortcut? Outputs against true gradients
#
# Eq. 12 wants gradients in $\Theta$; Eq. 20 takes differences of outputs. Are these close? Everything so far was made
# up; now come networks. One SuperNet of NAS-Bench-201, narrow, on the kit's digits (the one that notebook 04 uses
# too). Three times we draw nine architectures, which take their weights from it. Three of the nine are trained for two
# more epochs with labels and become teachers; five are students of the same search epoch, and peers of each other; the
# last one waits for Section 9.

# %%
sizes = get_profile("quick").supernet  # the same under each profile: this is a demonstration
digits = DataSpec("digits", size=sizes.size, count=sizes.count, valid_fraction=sizes.valid_fraction)
space = SpaceSpec("nasbench201", (("channels", sizes.channels), ("cells", sizes.cells)))
training = TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr)
data = digits.load()
supernet = trained_supernet(SupernetRun(space, digits, training), data).network

# %%
archs = supernet.space.sample_distinct(27, np.random.default_rng(0))
networks = [supernet.extract(arch) for arch in archs]
draws = [networks[first : first + 9] for first in (0, 9, 18)]
batches = MiniBatches(data, 50, seed=0)
Retraining([network for draw in draws for network in draw[:3]], batches, RetrainConfig(epochs=2, batch_size=50)).run()
for network in networks:
    network.train().requires_grad_(True)

# %%
accuracy = [[rank(net, [net.arch], data, progress=False).accuracy[0] for net in draw] for draw in draws]
for number, row in enumerate(accuracy, start=1):
    print(
        f"draw {number}, accuracy on {len(data.valid)} validation images: "
        f"teachers {np.round(row[:3], 2)}, students {np.round(row[3:8], 2)}"
    )

# %% [markdown]
# With these, for each student: coefficients from true gradients (Eq. 12; one backward pass a member), from outputs with
# $s = 2$ and $s = 1$, and uniform ones for comparison; and the direction in $\Theta$ that each gives by Eq. 13. The
# library's `compare` holds them together. Two losses: squared distance of logits, for which Eq. 19 was written, and KL
# (Eq. 5), with which the student is really trained.
#
# > **Predict.** Squared distance: how close are the coefficients, on a scale on which 0 is equal and 1 is "no weight in
# > common"? And the directions, as a cosine? Where will the uniform weights be?

# %%
member = torch.arange(8)
masks = {row: (member < 3, (member >= 3) & (member != row)) for row in range(3, 8)}  # teachers and peers of a student


def half_square(student, target):
    """The loss of Eq. 19."""
    return 0.5 * (student - target).square().sum()


def comparisons(loss):
    """For the five students of each draw: coefficients and directions of each weighting, on one mini-batch."""
    for step, draw in enumerate(draws):
        images, _ = batches.at(step)
        with torch.no_grad():
            logits = torch.stack([network(images).logits for network in draw[:8]])
        for row, groups in masks.items():
            yield compare(draw[row], images, logits, *groups, loss)


found = {
    loss_name: list(comparisons(loss))
    for loss_name, loss in (("squared distance", half_square), ("KL, Eq. 5", prediction_loss))
}

# %%
squared = found["squared distance"]
true = np.concatenate([each.alpha[:3] for each in squared])
others = {f"s = {s}": np.concatenate([each.shortcuts[f"s={s}"].alpha[:3] for each in squared]) for s in (1, 2)}
with style():
    fig, ax = plt.subplots(figsize=(6.4, 4))
    plot_agreement(true, others, ax, xlabel="α from true gradients", ylabel="α from outputs")
    ax.set_title("15 students with 3 teachers each")
_ = save(fig, "05_gradient_coefficients")

rows = [
    {"loss": loss, "weighting": name.replace("=", " = ")}
    | {column: getattr(shortcut, column) for column in ("distance", "cosine", "length", "falling")}
    for loss, each_student in found.items()
    for each in each_student
    for name, shortcut in each.shortcuts.items()
]
comparison = pd.DataFrame(rows)
cosines = {
    loss: {name: part.cosine for name, part in group.groupby("weighting", sort=False)}
    for loss, group in comparison.groupby("loss", sort=False)
}
with style():
    fig, ax = plt.subplots(figsize=(7.4, 2.8))
    plot_weightings(cosines, ax, xlabel="cosine with the direction from true gradients")
_ = save(fig, "05_gradient_directions")

# %%
print(f"true gradients: {np.mean([[each.falling for each in kind] for kind in found.values()]):.1%} of all losses fall")
cosine = comparison.pivot_table(index="loss", columns="weighting", values="cosine", aggfunc=list)
for loss, row in cosine.iterrows():
    ahead = [np.sum(np.greater(row["s = 2"], row[other])) for other in ("uniform", "s = 1")]
    print(f"{loss}: s = 2 is closer than uniform for {ahead[0]} of 15 students, closer than s = 1 for {ahead[1]}")
comparison.groupby(["loss", "weighting"], sort=False).mean().round(3)

# %% [markdown]
# *Measured: digits at 16×16, sizes of the profile quick, one SuperNet, 15 students (3 draws of 5, who share their
# teachers), one mini-batch of 50 images each. Bars hold the middle 80 % of the students.*
#
# What to see in it:
#
# * **Coefficients are not close.** With $s = 2$, for which the derivation holds, more than a third of the weight lies
#   elsewhere (`distance` 0.38); with $s = 1$ more than half. True gradients often settle on one member (points on the
#   right border) where outputs spread the weight.
# * **Directions are.** The cosine is 0.96 for $s = 2$: many different mixes point almost the same way, as the gradients of
#   all members have much in common. For the same reason *uniform* weights reach 0.92 and 0.95. So the 0.96 is no proof
#   that the shortcut finds the right coefficients. It is ahead of uniform for 12 of 15 students with squared distance,
#   but for 9 of 15 with KL, which is what the student is trained with, and that is what coin flips might give.
# * **$s = 1$ is further from Eq. 12 than no adaptation at all**, 0.87 and 0.90: by this measure Eq. 20 as printed does
#   not approximate what the section derives.
# * `length` is at least 1 by definition, since Eq. 12 seeks the shortest $d$.
# * **All losses fall** along the true $d^*$, and along $s = 2$ and uniform as well. The conflicts that Section III-D sets out to
#   resolve, and the orange and blue places of Section 4, did not occur here: teachers and peers lie on the same side of a
#   student that has yet to learn.
#
# ## 9 Bad, noisy and repeated teachers
#
# "Through optimization algorithm, the distillation algorithm can be more tolerant to noise feature maps collected from
# candidate architectures" (Section III-D). The paper does not test this sentence. We do: the three good teachers get a
# fourth, and we ask (a) how much weight it has, and (b) what the *mix of the teachers* is then worth, as a target: its
# cross-entropy with the labels, in nats. Lower is better. Uniform weights are what it has to beat.
#
# **Noise.** The fourth teacher is a copy of the second whose logits have noise added; 1 on the axis is noise as large as
# the logits themselves.
#
# > **Predict.** Noise is independent of everything, so it adds to the *squared length* of the difference from any
# > other output. Will the noisy teacher be heard? Does it depend on $s$?

# %%
with torch.no_grad():
    steps = [
        (torch.stack([network(images).logits for network in draw]), images, labels)
        for draw in draws
        for images, labels in map(batches.at, (0, 1))
    ]
students, member = torch.arange(3, 8), torch.arange(9)  # a student's row; row 8 is the fourth teacher
taught = ((member < 3) | (member == 8)).expand(5, -1)
peers_of = (member >= 3) & (member < 8) & (member != students[:, None])
SCALES = {"uniform": None, "s = 1": 1.0, "s = 2": 2.0}


def with_fourth(make):
    """By weighting: weight of a fourth teacher, and cross-entropy of the teachers' mix; 5 students x 6 batches."""
    weights, entropies = {}, {}
    for name, scale in SCALES.items():
        both = []
        for outputs, images, labels in steps:
            rows = torch.cat([outputs[:8], make(outputs, images)[None]])
            if scale is None:
                alpha = uniform(taught, peers_of).alpha
            else:
                alpha = solve(gram_matrix([rows]), students, taught, peers_of, scale=scale).alpha
            mixes = torch.einsum("sm,mbk->sbk", alpha.float(), rows)
            entropy = [float(torch.nn.functional.cross_entropy(mix, labels)) for mix in mixes]
            both.append([alpha[:, -1].numpy(), entropy])
        weights[name], entropies[name] = np.moveaxis(both, 1, 0).reshape(2, -1)
    return weights, entropies


# %%
generator = torch.Generator().manual_seed(0)
amounts = [0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0]


def noisy(amount):
    """The second teacher with noise, in units of the logits' standard deviation."""
    return lambda outputs, _: (
        outputs[1] + amount * outputs[1].std() * torch.randn(outputs[1].shape, generator=generator)
    )


results = [with_fourth(noisy(amount)) for amount in amounts]
weights, entropies = ({name: np.array([found[part][name] for found in results]) for name in SCALES} for part in (0, 1))

# %%
with style():
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.8))
    labels = ("weight of the noisy teacher", "cross-entropy of the teachers' mix (nats)")
    for ax, values, ylabel in zip(axes, (weights, entropies), labels, strict=True):
        plot_weighting_curves(amounts, values, ax, xlabel="noise (standard deviations of the logits)", ylabel=ylabel)
_ = save(fig, "05_noisy_teacher")

# %% [markdown]
# *Measured: as before; 15 students, two mini-batches each. Bands hold the middle 80 % of the 30 values; students of a draw
# share teachers, so these are not 30 independent ones.*
#
# As far as the sentence means noise, **it is right**, in both readings. From noise as large as the logits on, the noisy
# teacher has at most 2 % of the weight, and the mix stays what it was (0.71 and 0.73 nats), while the uniform mix goes
# from 0.71 through 0.84 to 1.7. Without noise there is nothing to gain: all three are equal up to 0.02.
#
# Note also the left end. At zero noise the fourth teacher *is* the second. Uniform weights count it twice. Adaptive ones
# divide between the two what the one had, and the mix does not change.

# %% [markdown]
# **Bad in other ways.** Noise is the kindest kind of badness: it agrees with nobody. Six others.
#
# * *repeated*: a copy of the second teacher, which is thereby twice in the group;
# * *untrained*: a fresh network, which says next to nothing about anything;
# * *timid*: the second teacher with all logits divided by ten; it ranks classes exactly as well;
# * *mixed up*: the second teacher's answers, each for another image; sure of itself, and wrong;
# * *contrary*: the second teacher with the sign of its logits reversed;
# * *poor*: one more network that is no better than the students.
#
# > **Predict.** Which of them fools $s = 1$, which $s = 2$, which both?

# %%
untrained = supernet.space.network(archs[1], in_channels=1, seed=1).train()
kinds = {
    "repeated": lambda outputs, _: outputs[1],
    "untrained": lambda _, images: untrained(images).logits.detach(),
    "timid": lambda outputs, _: outputs[1] / 10,
    "mixed up": lambda outputs, _: outputs[1].roll(1, 0),
    "contrary": lambda outputs, _: -outputs[1],
    "poor": lambda outputs, _: outputs[8],
}
found = {kind: with_fourth(make) for kind, make in kinds.items()}

# %%
with style():
    fig, axes = plt.subplots(1, 2, figsize=(12, 4.2), sharey=True)
    labels = ("weight of the fourth teacher", "cross-entropy of the teachers' mix (nats)")
    for part, (ax, xlabel) in enumerate(zip(axes, labels, strict=True)):
        plot_weightings({kind: values[part] for kind, values in found.items()}, ax, xlabel=xlabel)
    axes[0].get_legend().remove()
_ = save(fig, "05_bad_teachers")

# %%
apart = torch.stack([torch.cdist(outputs[3:8].flatten(1), outputs.flatten(1)) for outputs, *_ in steps]).mean((0, 1))
print(f"mean distance of the students' logits from the good teachers': {apart[:3].mean():.1f}, poor: {apart[8]:.1f}")

# %%
pd.DataFrame(
    {
        (what, name): {kind: values[part][name].mean() for kind, values in found.items()}
        for part, what in enumerate(("weight", "cross-entropy"))
        for name in SCALES
    }
).round(3)

# %% [markdown]
# *Measured: as before. Guessing all ten digits alike has a cross-entropy of $\ln 10 = 2.30$ nats.*
#
# **$s = 1$ is fooled by everything that is short, or makes the sum short.** It gives the untrained network 95 % and the
# timid teacher more than 99 % of the weight; what the student is then to imitate is not far from guessing. The
# contrary teacher gets *one half*: with half of a teacher and half of its opposite the mix is zero, and zero is what
# Section 5 said $s = 1$ strives for. The mixed-up one serves the same purpose. In all four cases the mix is far worse than
# the uniform one. For such members Eq. 20 as printed does the opposite of what the sentence promises. (With the three
# good teachers alone, whose logits are of similar size, $s = 1$ was as good as the others: see *repeated*, and the left
# end of the last figure.)
#
# **$s = 2$ is robust against all of these four**: less weight than uniform, and a mix that is as good or better (clearly
# better for the two that are sure and wrong).
#
# **Both are drawn to the poor teacher**: about half of the weight, and a worse mix than the uniform one (0.92 against
# 0.77 nats with $s = 2$). Its answers lie nearer to the students' than the good teachers' do (the line above the table).
# This is the sentence from Section 1 again: the nearest teacher gets the most weight. Adaptive coefficients know *who
# agrees with whom*. They do not know *who is right*: no label enters Eq. 20.
#
# What this does **not** say: whether students end up better. A target near the student may be a good next step, even if it
# is not the best answer. For that one has to train with both; the comparison of the retraining algorithms does so, and
# notebook 07 shows it.
#
# ## 10 Move the teachers yourself
#
# Before you take the mouse: the first teacher walks from left to right, along the arrow ($s = 2$).

# %%
walk = np.linspace(-2, 7, 91)
weights_on_the_way = [solve_one(student, np.array([[x, 0.0], *teachers[1:]]), peers, scale=2) for x in walk]
alphas, betas = (np.array(part) for part in zip(*weights_on_the_way, strict=True))
with style():
    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 3.8))
    plot_simplices(student, teachers, peers, left)
    left.annotate("", (7, 0), (-2, 0), arrowprops={"arrowstyle": "->", "color": "black", "shrinkA": 0})
    left.set(xlim=(-2.5, 8), ylim=(-2, 4))
    left.get_legend().remove()
    plot_coefficients_along(walk, alphas, right, beta=betas, xlabel="first output of $T_1$ (logit)")
_ = save(fig, "05_moved_teacher")

# %% [markdown]
# From the right: far away at $x = 7$, $T_1$ has no say, $T_2$ alone speaks for the teachers. As $T_1$ comes nearer its
# weight grows smoothly, until at $x = 2.5$ **the coefficients jump**: $\alpha_1$ from 0.5 to 1 and $\beta_1$ from 1 to
# 0.3. At this place the edge from $T_1$ to $T_2$ is parallel to the edge from $P_1$ to $P_4$, a whole line of
# coefficients is optimal, and the solver may return any of them. The *sum* of the mixes, and with it $d^*$, moves on
# without a jump; who is thanked for it does not. At $x = 1$ the sum reaches $2p$, and left of it $d^* = 0$: again many
# coefficients are optimal. Do not read meaning into coefficients there; the curve shows one choice.
#
# The next cell has sliders for all three teachers and for $s$ if you run it in JupyterLab or on Colab; when nobody is
# there to move them it does nothing. Try: (1) put one teacher on the student; (2) find a place where all seven
# coefficients are positive; (3) put two teachers on top of each other and pull them apart.


# %%
def moved(x1, y1, x2, y2, x3, y3, s):
    """Draw the polygons with teachers at these places."""
    members = np.array([[x1, y1], [x2, y2], [x3, y3]])
    alpha, beta = solve_one(student, members, peers, scale=s)
    with style():
        _, ax = plt.subplots(figsize=(8.4, 4.4))
        plot_simplices(student, members, peers, ax, alpha=alpha, beta=beta)
        ax.set(xlim=(-3.5, 9), ylim=(-4.5, 5.5))
        plt.show()


places = {f"{axis}{e + 1}": (-2.0, 7.0, teachers[e, k]) for e in range(3) for k, axis in enumerate("xy")}
_ = explore(moved, **places, s=(1.0, 2.0, 2.0))

# %% [markdown]
# ## What to take with you
#
# * Coefficients are prices: of the constraints "this member's loss shall fall as fast as the others'". Zero means that a
#   member is served already.
# * Two groups are two polygons; only their Minkowski sum counts. A member's weight depends on what the *other* group
#   can provide.
# * $d^*$ lowers every sum of a teacher's and a peer's loss. It lowers all losses of both groups only under a condition that
#   the paper does not state (erratum 3).
# * Eq. 20 as printed ($s = 1$) is not what Eq. 12 and 19 give ($s = 2$, erratum 2), depends on the origin of the logits, and
#   prefers timid members. The kit's default is what is printed; `RetrainConfig(scale=2.0)` is the other.
# * The shortcut through outputs changes coefficients a lot and directions little; uniform weights change directions little
#   as well.
# * Adaptive weights ignore noise and duplicates, for good reasons. They do not recognise quality.
# * Do not believe a solver, not even this one: read its `gap`.
#
# | erratum | in the paper | where shown |
# | --- | --- | --- |
# | 1 | Eq. 12 bounds $\alpha$ by 1 instead of $C_1$ | Section 3 |
# | 2 | Eq. 20 lacks a factor 2 | Section 5 |
# | 3 | Eq. 15, 16 and 18 hold for the sum of both groups only | Section 4 |
# | 4 | Eq. 19 prints a norm for a vector, and $\Theta$ for outputs | Section 5 |
# | 5 | Eq. 7 leaves out the last peer | Section 6 |
# | 6 | Eq. 9 sums without weights, and turns the KL round | Section 6 |
#
# **Next:** the second new part of the method, in which a teacher learns to be understood: notebook 06,
# perturbation-aware distillation.
