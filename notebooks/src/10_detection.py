# %% [markdown]
# # 10 · Transfer to detection
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/mngnas-kit/mngnas-kit/blob/main/notebooks/10_detection.ipynb)
#
# **After this notebook you can** say what AP, AP50 and AP75 of a detection table are, and compute each by hand: overlap
# of boxes, hits, precision and recall, area; squeeze out of such a table a number that it does not print; turn a
# network's stages into a feature pyramid and put it into RetinaNet; and say what a backbone costs at which resolution,
# and which part of a detector that is.
#
# **Of the paper:** Section IV-G. Table VII.
#
# **Time:** quick 15 s · laptop 15 s · paper not measured (2 CPU cores)

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
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torchvision.models import mobilenet_v2, mobilenet_v3_large
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import FeaturePyramidNetwork, box_iou
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from mngnas_lib.data import load_images
from mngnas_lib.detection import (
    COCO_THRESHOLDS,
    StagePyramid,
    average_precision,
    coco_scores,
    count_macs,
    match,
    mean_of_the_others,
    precision_recall,
)
from mngnas_lib.lab import current_profile
from mngnas_lib.paper import paper_table
from mngnas_lib.plots import save, style
from mngnas_lib.plots.detection import draw_boxes, draw_maps, plot_macs_resolution, plot_precision_recall
from mngnas_lib.register import show
from mngnas_lib.spaces import get_space

profile = current_profile()
print(f"kit {mngnas_lib.__version__}, profile {profile.name}")

# %% [markdown]
# ## 1 What Section IV-G reports
#
# A network that was searched and trained for classification becomes the *backbone* of a detector: its classifier is
# taken off, its feature maps feed the part that finds boxes. The detector is RetinaNet, the images are COCO's. If the
# search found good *features*, and not just a good classifier, it should show here.
#
# The kit has neither the MobileNet space nor COCO yet, so the last column says that nothing is measured. All numbers
# of the table are the *paper's*.

# %%
show("tab-07")

# %% [markdown]
# What the columns are, which the paper does not spell out:
#
# * **FLOPs**: no unit is printed. They are $10^9$ multiply-accumulates (section 8 checks this by counting), of the
#   *backbone*, for one image as large as a detector takes them.
# * **Params**: $10^6$, again of the backbone.
# * **mAP, AP50, AP75**: average precision in percent, higher is better. Sections 2 to 5 build them up from boxes.
#
# Before that, the comparison that the section is about: each MNGNAS row minus the row of its SuperNet training.
#
# > **Predict.** By the text, "higher mAP value with less Flops". In which of the five columns do you expect the largest
# > difference?

# %%
backbones = paper_table(7).pivot(index="row", columns="metric", values="value")[
    ["madds", "params", "AP", "AP50", "AP75"]
]
backbones.index = backbones.index.str.replace(r" \[\d+\]", "", regex=True)
pairs = {"MNGNAS (S)": "SPOS", "MNGNAS (F)": "FairNAS"}
pd.DataFrame({f"{ours} minus {base}": backbones.loc[ours] - backbones.loc[base] for ours, base in pairs.items()}).T

# %% [markdown]
# The text holds in both pairs (*paper*): fewer FLOPs, fewer parameters, a higher mAP. Three remarks before reading on.
#
# * The FLOPs differ by 0.03 and 0.12 of about 8: half a percent, and one and a half percent.
# * In bold are 32.3 and 33.8, each the better of its pair. FairNAS's 32.4 is above the bold 32.3.
# * Each number is of one training, as far as the paper says. How far two trainings of one detector lie apart is not
#   printed, so these differences can be read, but not tested (notebook 11 tests those that come with deviations).
#
# And AP75 grows far more than mAP does. Is that possible? To answer, we need to know how the three hang together.
#
# ## 2 How well do two boxes agree?
#
# A detection is a box, a class and a score. Whether the box is right is a matter of degree: the **intersection over
# union** (IoU) of its area with that of the object's box. A box is written `(left, top, right, bottom)`.
#
# ```
#   a = (0, 0, 4, 3): 4 wide, 3 high, area 12
#   b = (1, 1, 5, 3): 4 wide, 2 high, area  8
# ```
#
# > **Predict.** Draw both. How large is what they share, how large what they cover together?

# %%
a, b = (0, 0, 4, 3), (1, 1, 5, 3)
shared = (4 - 1) * (3 - 1)
by_hand = shared / (12 + 8 - shared)
reference = box_iou(torch.tensor([a], dtype=torch.float), torch.tensor([b], dtype=torch.float)).item()
assert abs(by_hand - reference) < 1e-6
print(f"shared {shared}, together {12 + 8 - shared}: IoU {by_hand:.3f}; torchvision's box_iou {reference:.3f}")

# %% [markdown]
# Three quarters of `b` lie in `a`, and half of `a` in `b`, and still the IoU is only 0.43. It is a strict measure: of
# two equal boxes of 10 by 10, one that is moved by a single pixel in both directions has 0.68.
#
# ### Exercise 1
#
# Write `my_iou(a, b)` for any two boxes. Mind those that do not meet at all.


# %%
def check_iou(function):
    """Compare an answer to exercise 1 with torchvision on random boxes, some of which do not meet."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        corners = rng.uniform(0, 10, (2, 2))
        boxes = np.hstack([corners, corners + rng.uniform(1, 6, (2, 2))])
        expected = box_iou(*torch.from_numpy(boxes)[:, None]).item()
        answer = function(*map(tuple, boxes.tolist()))
        if answer is None or abs(answer - expected) > 1e-9:
            print(f"Not yet: for {boxes.round(2).tolist()} it is {expected:.4f}, your function says {answer}.")
            return
    print("Exercise 1: correct.")


# %%
def my_iou(a, b): ...  # your code


check_iou(my_iou)

# %% [markdown]
# <details><summary>Hint</summary>
#
# The shared box goes from the larger of the two lefts to the smaller of the two rights. If that is a negative width,
# nothing is shared. Two negative numbers have a positive product: cut off at zero *before* you multiply.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_iou(a, b):
#     width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
#     height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
#     area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
#     return width * height / (area(a) + area(b) - width * height)
# ```
#
# </details>
#
# ## 3 Hit or no hit
#
# A threshold makes a yes or no of the overlap. From the highest score to the lowest, each detection takes the object
# that it overlaps most, among those that nobody has taken yet, provided that the IoU reaches the threshold. Who finds
# no free object is a false alarm, however good its box: finding an object twice is a mistake.
#
# A toy image with three objects and five detections:

# %%
truth = np.array([[2, 2, 12, 12], [16, 4, 26, 14], [6, 18, 22, 26]])
boxes = np.array([[2, 3, 12, 12], [17, 4, 27, 15], [3, 2, 13, 12], [8, 18, 23, 25], [26, 20, 31, 26]])
scores = np.array([0.95, 0.90, 0.80, 0.60, 0.30])
overlaps = box_iou(torch.tensor(boxes, dtype=torch.float), torch.tensor(truth, dtype=torch.float)).numpy()
pd.DataFrame(overlaps.round(3), index=scores, columns=["object 1", "object 2", "object 3"]).rename_axis("score")

# %% [markdown]
# > **Predict.** Which of the five are hits at a threshold of 0.5? Which at 0.75?

# %%
hits = match(boxes, scores, truth, 0.5)
strict = match(boxes, scores, truth, 0.75)
assert hits.tolist() == [True, True, False, True, False]
with style():
    fig, ax = plt.subplots(figsize=(6.5, 5))
    draw_boxes(truth, boxes, scores, hits, ax, size=(32, 28))
    ax.set_title("a toy image, threshold 0.5")
_ = save(fig, "10_toy_boxes")
print(f"hits at 0.5: {hits.tolist()}\nhits at 0.75: {strict.tolist()}")

# %% [markdown]
# The third detection has an IoU of 0.82 with the first object, and is no hit: the object was taken by the first. At
# 0.75 the fourth drops out as well, a box a little too far to the right, while the second, with exactly 0.75, stays.
#
# ## 4 Precision, recall, and the area
#
# With $k$ detections, the highest-scoring ones, **precision** is the share of them that are hits, **recall** the share
# of the objects that are found. No single $k$ is right for everybody, so all are looked at:

# %%
precision, recall = precision_recall(scores, hits, objects=3)
by_hand = [(1, 3), (2, 3), (2, 3), (3, 3), (3, 3)]
for k, (found, objects) in enumerate(by_hand, 1):
    assert precision[k - 1] == found / k and recall[k - 1] == found / objects
pd.DataFrame({"k": range(1, 6), "hit": hits, "precision": precision.round(3), "recall": recall.round(3)})

# %%
with style():
    fig, ax = plt.subplots(figsize=(6, 4))
    plot_precision_recall(precision, recall, ax)
    ax.set_title("the toy image at a threshold of 0.5")
_ = save(fig, "10_precision_recall")

# %% [markdown]
# **Average precision** (AP) is the area under this curve. Two conventions are in use:
#
# * *all points*: the sum of precision times gain in recall. Here $1 \cdot \frac13 + 1 \cdot \frac13 + \frac34 \cdot
#   \frac13 = \frac{11}{12}$.
# * *COCO*: first each precision is raised to the highest one further to the right (the curve's teeth are filled), then
#   it is read at the 101 recalls 0, 0.01, …, 1 and averaged. By hand: recalls 0 to 0.66 (67 of them) see 1, the other 34
#   see $\frac34$.
#
# > **Predict.** Which one is larger here, and by how much?

# %%
plain, coco = average_precision(precision, recall, points="all"), average_precision(precision, recall)
assert abs(plain - 11 / 12) < 1e-12
assert abs(coco - (67 * 1 + 34 * 3 / 4) / 101) < 1e-12
print(f"all points {plain:.4f}, COCO {coco:.4f}: a difference of {100 * (plain - coco):+.2f} points")

# %% [markdown]
# Both as by hand. The difference is below 0.1 points here; with few objects it can be more. Numbers of different
# tools, or of one tool with different conventions, are not comparable to the last digit.
#
# (The kit's `coco_scores` leaves out COCO's crowds, sizes and limits. On 200 random sets of boxes without these it gave
# pycocotools' AP, AP50 and AP75 to the last bits. For a number to publish, use pycocotools.)
#
# ### Exercise 2
#
# Write `my_ap(scores, hits, objects)`, the AP by all points, from the unsorted lists.


# %%
def check_ap(function):
    """Compare an answer to exercise 2 with the library on random detections."""
    rng = np.random.default_rng(1)
    for n, objects in ((5, 3), (1, 1), (12, 20), (30, 30)):
        scores, hits = rng.permutation(n) / n, rng.random(n) < 0.6
        hits[np.cumsum(hits) > objects] = False
        expected = average_precision(*precision_recall(scores, hits, objects), points="all")
        answer = function(scores.tolist(), hits.tolist(), objects)
        if answer is None or abs(answer - expected) > 1e-9:
            print(f"Not yet: with {n} detections and {objects} objects it is {expected:.4f}, yours is {answer}.")
            return
    print("Exercise 2: correct.")


# %%
def my_ap(scores, hits, objects): ...  # your code


check_ap(my_ap)

# %% [markdown]
# <details><summary>Hint</summary>
#
# Recall grows at hits only, each time by one over the number of objects. So AP is the sum of the precisions *at the
# hits*, divided by the number of objects. Sort by score first, from high to low.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_ap(scores, hits, objects):
#     total, found = 0.0, 0
#     for k, (_, hit) in enumerate(sorted(zip(scores, hits), reverse=True), 1):
#         found += hit
#         total += hit * found / k
#     return total / objects
# ```
#
# </details>
#
# ## 5 AP50, AP75, and the mean of ten
#
# AP50 is the AP at an IoU of 0.5, AP75 at 0.75. What COCO (and Table VII, as mAP) calls AP without a number is the mean
# over ten thresholds, 0.5, 0.55, …, 0.95, and over all classes.
#
# An experiment: detections that find every object with certainty, whose boxes lack a part of the height.
#
# > **Predict.** How large may the missing part be before AP50 suffers? What does AP do meanwhile?

# %%
rows = []
for missing in (0.0, 0.06, 0.12, 0.22, 0.32, 0.42, 0.52):
    short = truth.astype(float)
    short[:, 3] -= missing * (short[:, 3] - short[:, 1])
    found = coco_scores([(short, np.array([0.9, 0.8, 0.7]), truth)])
    assert round(found.ap * 10) == sum(1 - missing >= threshold for threshold in COCO_THRESHOLDS)
    rows.append((missing, 1 - missing, found.ap, found.ap50, found.ap75))
pd.DataFrame(rows, columns=["missing", "IoU", "AP", "AP50", "AP75"]).round(2)

# %% [markdown]
# AP50 stays perfect until almost half of each box is missing; AP falls by a tenth with every twentieth. So AP50 asks
# whether objects are *found and recognised*, which is what a classification backbone is good at, and AP75 and the
# higher thresholds ask whether they are *outlined*, which needs fine resolution, and depends on the pyramid and the head
# as much as on the backbone.
#
# ## 6 What Table VII does not print
#
# Ten numbers go into AP, and the table prints two of them. Then the mean of the other eight can be computed.
#
# ### Exercise 3
#
# Write `my_others(ap, ap50, ap75)`: the mean of the AP at the eight thresholds that are not printed.


# %%
def check_others(function):
    """Compare an answer to exercise 3 with ten known values."""
    values = dict(zip(COCO_THRESHOLDS, np.linspace(55, 4, 10), strict=True))
    expected = np.mean([value for threshold, value in values.items() if threshold not in (0.5, 0.75)])
    answer = function(np.mean(list(values.values())), values[0.5], values[0.75])
    if answer is None or abs(answer - expected) > 1e-9:
        print(f"Not yet: it should be {expected:.3f}, your function says {answer}.")
        return
    print("Exercise 3: correct.")


# %%
def my_others(ap, ap50, ap75): ...  # your code


check_others(my_others)

# %% [markdown]
# <details><summary>Hint</summary>
#
# $10 \cdot AP$ is the sum of all ten.
#
# </details>
#
# <details><summary>Solution</summary>
#
# ```python
# def my_others(ap, ap50, ap75):
#     return (10 * ap - ap50 - ap75) / 8
# ```
#
# </details>
#
# For the rows of Table VII (*paper*), with what rounding leaves open:

# %%
others = backbones[["AP", "AP50", "AP75"]].copy()
others["other eight"] = mean_of_the_others(others["AP"], others["AP50"], others["AP75"])
# each printed number is known to within 0.05
others["± rounding"] = (10 * 0.05 + 0.05 + 0.05) / 8
lowest, highest = (others["AP50"] + 5 * others["AP75"]) / 10, (others["AP50"] + others["AP75"]) / 2
others["possible"] = (lowest <= others["AP"]) & (others["AP"] <= highest)
others.round(2)

# %%
numbers = others[["AP50", "AP75", "other eight", "AP"]]
compared = [*pairs.items(), ("MNGNAS (S)", "FairNAS")]
changes = pd.DataFrame({f"{ours} minus {base}": numbers.loc[ours] - numbers.loc[base] for ours, base in compared}).T
changes.round(2)

# %% [markdown]
# "Possible" is the bound that AP must keep to, since AP falls as the threshold rises: the four thresholds between 0.5
# and 0.75 lie between AP50 and AP75, the four above 0.75 between AP75 and zero. All six rows keep to it.
#
# The differences are worth a look. AP50 rises by 3.7 and 2.8 points, AP75 by 4.3 and 3.3, and the other eight together
# by 1.0 each: at the two printed thresholds the gain is three to four times that at the eight others, four of which lie
# between the two. Against FairNAS, MNGNAS (S) gains 1.1 and 2.6 points at 0.5 and 0.75, and loses 0.6 on the mean of
# the others. Nothing forbids that. A curve of AP over the thresholds would show how it comes about, and with the
# detections at hand it takes a minute to draw: a thing to ask of any detection table.
#
# ## 7 From a backbone's stages to a feature pyramid
#
# A classifier reads its last feature map, which is coarse. Objects of all sizes need several: fine maps for small
# objects, coarse ones for large. A **feature pyramid network** takes the map at the end of each stage (the $f_j$ that
# Eq. 6 distils from), brings all to the same number of channels by 1×1 convolutions, and adds to each the next coarser
# one, enlarged, so that fine maps know what coarse ones have recognised.
#
# Every network of the kit returns its stages. A small one of NAS-Bench-201 with fresh weights, and a scene of three
# handwritten digits:

# %%
space = get_space("nasbench201", channels=8, cells=1)
network = space.network((3, 1, 2, 0, 3, 1), in_channels=1, seed=0).eval()
digits = load_images("digits", size=16, count=20, test_count=10, valid_fraction=0.2).train.images
scene = torch.zeros(1, 1, 64, 96)
for digit, (top, left) in zip(digits[:3], ((4, 6), (30, 34), (14, 72)), strict=True):
    scene[0, 0, top : top + 16, left : left + 16] = digit[0] - digit[0].min()
with torch.no_grad():
    stages = network(scene).stages
[tuple(stage.shape) for stage in stages]

# %% [markdown]
# > **Predict.** Which shapes will the pyramid's levels have, with a width of 16?

# %%
torch.manual_seed(0)
backbone = StagePyramid(network, width=16).eval()
with torch.no_grad():
    levels = backbone(scene)
{name: tuple(level.shape) for name, level in levels.items()}

# %%
with style():
    fig, axes = plt.subplots(2, 3, figsize=(9, 4.6))
    draw_maps({f"stage {j}": s[0].mean(0).numpy() for j, s in enumerate(stages, 1)}, axes[0])
    draw_maps({f"level {j}": v[0].mean(0).numpy() for j, v in enumerate(levels.values(), 1)}, axes[1])
    fig.suptitle("mean over channels; weights are random, nothing was trained", fontsize=11)
_ = save(fig, "10_pyramid")

# %% [markdown]
# Sizes stay, channels become one number. (The weights are random: the pictures show where information comes from, not
# what it means.) The top-down path by hand: a 1×1 convolution of each stage, plus the next level twice as large, and a
# 3×3 convolution at the end.

# %%
pyramid = backbone.pyramid
with torch.no_grad():
    inner = [convolution(stage) for convolution, stage in zip(pyramid.inner_blocks, stages, strict=True)]
    joined = inner[1] + nn.functional.interpolate(inner[2], scale_factor=2)
    by_hand = pyramid.layer_blocks[1](joined)
torch.testing.assert_close(by_hand, levels["1"])
print("the middle level is the 1x1 convolution of its stage plus the coarser one enlarged, convolved")

# %% [markdown]
# ## 8 The whole detector, and what it costs
#
# RetinaNet puts the same two small networks on every level: one says which class each of nine anchor boxes at each
# position holds, the other how to move the anchor onto the object. torchvision's RetinaNet takes the kit's pyramid as
# it is (with two coarser levels, as in RetinaNet's paper):

# %%
detector = RetinaNet(
    StagePyramid(network, width=16, extra=True),
    num_classes=11,
    min_size=64,
    max_size=96,
    image_mean=[0.0],
    image_std=[1.0],
)
target = {"boxes": torch.tensor([[6.0, 4, 22, 20], [34, 30, 50, 46]]), "labels": torch.tensor([1, 2])}
losses = detector.train()([scene[0]], [target])
sum(losses.values()).backward()
print({name: round(loss.item(), 2) for name, loss in losses.items()})
print("gradient reaches the network:", bool(network.stem_conv.weight.grad.abs().sum() > 0))

# %% [markdown]
# Losses come out and gradients reach the kit's network: everything that training a detector takes, but for images with
# boxes and a GPU for some days. The kit goes no further here, and measures no AP on COCO.
#
# What it can measure is cost. Convolutions do the same work at each position, so twice the side is four times the
# FLOPs, and the parameters do not change.
#
# > **Predict.** MobileNetV2 has 0.30 billion multiply-accumulates at 224×224. Table VII prints 6.1 for it. How large are
# > the images?

# %%
sizes = [(32, 32), (64, 64), (128, 128), (224, 224), (448, 448), (800, 800), (800, 1280)]
big, features = get_space("nasbench201"), mobilenet_v2().features
cell = (3, 1, 2, 0, 3, 1)
rows = []
for height, width in sizes:
    shape = (3, height, width)
    rows.append(("a cell of NAS-Bench-201", height * width, big.cost(cell, input_shape=shape).macs))
    rows.append(("MobileNetV2", height * width, count_macs(features, (1, *shape))))
costs = pd.DataFrame(rows, columns=["name", "pixels", "macs"])
per_pixel = costs.assign(per_pixel=costs["macs"] / costs["pixels"]).groupby("name")["per_pixel"].agg(["min", "max"])
per_pixel.round(0)

# %%
with style():
    fig, ax = plt.subplots(figsize=(7, 4.2))
    plot_macs_resolution(costs, ax, paper={"Table VII, MobileNetV2": 1e9 * backbones.loc["MobileNetV2", "madds"]})
    ax.set_title("counted, without images")
_ = save(fig, "10_macs_resolution")
last = costs[costs["name"] == "MobileNetV2"].iloc[-1]
print(f"MobileNetV2 without its classifier, 800×1280: {last.macs / 1e9:.2f} billion; Table VII (paper): 6.1")
third = count_macs(mobilenet_v3_large().features, (1, 3, 800, 1280)) / 1e9
print(f"MobileNetV3 (large) likewise: {third:.2f}; Table VII (paper): {backbones.loc['MobileNetV3', 'madds']}")

# %% [markdown]
# So by MobileNetV2's row, and nearly by MobileNetV3's (4.34 counted, 4.5 printed; the paper does not say which of the two
# sizes), Table VII's FLOPs are those of the backbone alone, on images of 800 by 1280 pixels or as many. (Straight lines with a
# slope of one: FLOPs a pixel are constant, but for a few numbers of the classifier.) The rest of the detector is not in
# the column. How large is it? The pyramid and the heads of RetinaNet in their usual width of 256 channels, on
# MobileNetV2's maps at an eighth, a sixteenth and a thirty-second of the resolution:
#
# > **Predict.** Which share of the detector's FLOPs is the backbone?

# %%
maps = [(1, 32, 100, 160), (1, 96, 50, 80), (1, 320, 25, 40)]
pyramid = FeaturePyramidNetwork([32, 96, 320], 256, extra_blocks=LastLevelP6P7(256, 256))
head = RetinaNetHead(256, num_anchors=9, num_classes=91)
positions = [(1, 256, 100, 160), (1, 256, 50, 80), (1, 256, 25, 40), (1, 256, 13, 20), (1, 256, 7, 10)]
parts = {
    "backbone": count_macs(features, (1, 3, 800, 1280)),
    "pyramid": count_macs(pyramid, *maps, call=lambda module, *x: module(dict(zip("012", x, strict=True)))),
    "heads": count_macs(head, *positions, call=lambda module, *x: module(list(x))),
}
split = pd.DataFrame({"billions": pd.Series(parts) / 1e9, "share": pd.Series(parts) / sum(parts.values())})
split.round(3)

# %%
saved = {ours: backbones.loc[base, "madds"] - backbones.loc[ours, "madds"] for ours, base in pairs.items()}
for ours, billions in saved.items():
    print(f"{ours} (paper): {billions:.2f} of {sum(parts.values()) / 1e9:.0f} billion less than {pairs[ours]}")

# %% [markdown]
# The heads take most of the work. (Counted by the kit for torchvision's layout; the paper calls its RetinaNet
# lightweight and prints no widths, so its own share may be another.) What a search saves in the backbone is a small part of what such
# a detector costs, and differences of 0.03 or 0.12 billion are too small to be seen in its speed. For the
# comparison of *backbones* the column is fair; for the claim "with less FLOPs" it says little.
#
# ## What to take with you
#
# * IoU decides what is a hit, the score decides the order, and AP is the area under precision over recall. Each object
#   counts once.
# * AP50 asks whether something is found; AP75, and the thresholds above, how well it is outlined. AP is the mean of ten,
#   so a table with AP, AP50 and AP75 also tells the mean of the other eight.
# * Conventions (interpolation, thresholds, classes) change AP by more than a last digit.
# * The stages that the paper distils from are the same maps that a feature pyramid takes.
# * FLOPs grow with the pixels, parameters do not. A FLOPs column without a resolution says nothing, and one without the
#   pyramid and the heads is not that of a detector.
# * Table VII's differences are those of single trainings. To believe them, ask for repetitions.
#
# **Next:** notebook 11 goes through the paper's claims one by one, with those that the tables bear out, and those
# that they do not.
