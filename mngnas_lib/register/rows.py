"""The register: the paper's 14 figures and 16 tables, one row each.

Captions are our own short words. A figure names the function that draws it; a table is written by
:mod:`mngnas_lib.register.tables`. ``needs`` names a function of :mod:`mngnas_lib.register.needs` that lists the runs
under a profile; where the kit cannot compute all that an item shows, ``missing`` says what it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence

from mngnas_lib.errors import ConfigError
from mngnas_lib.register.item import Item

IMAGES, BENCHMARKS, DETECTION = "09_image_classification", "08_nas_benchmarks", "10_detection"

MOBILENET, SHUFFLENET, DARTS = "MobileNet's space", "ShuffleNet's space", "DARTS's space"
STRATEGIES = "SuperNets by FairNAS and MixPath"
IMAGENET = "trainings on ImageNet"

THREE = ("SPOS", "FairNAS", "MixPath")
IMAGE_SETS = ("CIFAR-10", "CIFAR-100", "ImageNet16-120")
PLOTS = "mngnas_lib.plots."
ERROR_FLOPS = PLOTS + "paper_tradeoff.plot_error_flops"


ITEMS: tuple[Item, ...] = (
    Item(
        "fig-01",
        "III-A",
        "diagram",
        "00_start_here",
        "The method's four parts: train the SuperNet, propose, retrain, update the teacher groups.",
        draw=PLOTS + "paper_diagrams_framework.draw_framework",
        size=(9.0, 7.0),
    ),
    Item(
        "fig-02",
        "III-B",
        "diagram",
        "04_distillation",
        "How distillation runs through one search epoch: teachers, peers, coefficients, perturbed copies.",
        draw=PLOTS + "paper_distillation_process.draw_distillation_process",
        size=(9.0, 7.4),
    ),
    Item(
        "fig-03",
        "IV-C",
        "curve",
        IMAGES,
        "CIFAR-10: error against FLOPs of architectures found with and without MNGNAS; MobileNet space.",
        draw=ERROR_FLOPS,
        panels=("SPOS", "MixPath"),
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-04",
        "IV-C",
        "curve",
        IMAGES,
        "CIFAR-100: error against FLOPs of architectures found with and without MNGNAS; MobileNet space.",
        draw=ERROR_FLOPS,
        panels=("SPOS", "MixPath"),
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-05",
        "IV-C",
        "curve",
        IMAGES,
        "Error against FLOPs with and without MNGNAS on three sets of images; ShuffleNet space.",
        draw=ERROR_FLOPS,
        panels=IMAGE_SETS,
        missing=(SHUFFLENET,),
    ),
    Item(
        "fig-06",
        "IV-C",
        "box",
        IMAGES,
        "Spread of the errors of the architectures that each search finds, on each set of images.",
        draw=PLOTS + "paper_boxes.plot_error_boxes",
        panels=("CIFAR-10", "CIFAR-100"),
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-07",
        "IV-D",
        "curve",
        IMAGES,
        "ImageNet16-120: error against FLOPs with and without MNGNAS; MobileNet space.",
        draw=ERROR_FLOPS,
        panels=("SPOS", "MixPath"),
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-08",
        "IV-D",
        "architectures",
        IMAGES,
        "The best architectures of the chain space, block by block.",
        draw=PLOTS + "paper_architectures.draw_chains",
        panels=IMAGE_SETS,
        missing=(MOBILENET,),
    ),
    Item(
        "fig-09",
        "IV-D",
        "architectures",
        IMAGES,
        "The cells found in the DARTS space, normal and reduction, on three sets of images.",
        draw=PLOTS + "paper_architectures.draw_cell_graph",
        panels=("CIFAR-10", "CIFAR-100", "ImageNet"),
        missing=(DARTS,),
    ),
    Item(
        "fig-10",
        "IV-F",
        "scatter",
        BENCHMARKS,
        "NAS-Bench-101: accuracy seen in the search against true accuracy, with and without MNGNAS.",
        draw=PLOTS + "paper_scatter.plot_accuracy_pairs",
        panels=THREE,
        needs="nasbench101_pairs",
        size=(12.0, 4.2),
        missing=(STRATEGIES,),
    ),
    Item(
        "fig-11",
        "V-A",
        "diagram",
        "07_the_search",
        "The retraining algorithms A to E: who teaches whom, with which weights.",
        draw=PLOTS + "paper_algorithms.draw_algorithms",
        size=(9.0, 6.8),
    ),
    Item(
        "fig-12",
        "V-B",
        "curve",
        IMAGES,
        "Error against epochs of retraining, and loss over search epochs, by distillation algorithm.",
        draw=PLOTS + "paper_epochs.plot_retraining_epochs",
        panels=THREE,
        size=(12.0, 4.2),
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-13",
        "V-B",
        "curve",
        BENCHMARKS,
        "NAS-Bench-101: Kendall's tau against epochs of retraining, by distillation algorithm.",
        draw=PLOTS + "paper_taus.plot_tau_epochs",
        panels=THREE,
        needs="nasbench101_epochs",
        size=(12.0, 4.2),
        missing=(STRATEGIES,),
    ),
    Item(
        "fig-14",
        "V-C",
        "curve",
        BENCHMARKS,
        "NAS-Bench-101: Kendall's tau against the number of teachers, by distillation algorithm.",
        draw=PLOTS + "paper_taus.plot_tau_teachers",
        panels=THREE,
        needs="nasbench101_teachers",
        size=(12.0, 4.2),
        missing=(STRATEGIES,),
    ),
    Item(
        "tab-01",
        "IV-C",
        "table",
        IMAGES,
        "CIFAR-10 and CIFAR-100: size, search cost and error of hand-made and of searched networks.",
        missing=(DARTS, SHUFFLENET, MOBILENET, STRATEGIES),
    ),
    Item(
        "tab-02",
        "IV-D",
        "table",
        IMAGES,
        "ImageNet16-120: size, search cost and accuracy of searched networks.",
        missing=(DARTS, SHUFFLENET, MOBILENET, STRATEGIES),
    ),
    Item(
        "tab-03",
        "IV-E",
        "table",
        IMAGES,
        "ImageNet: accuracy of networks found in the DARTS space.",
        missing=(DARTS, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-04",
        "IV-E",
        "table",
        IMAGES,
        "ImageNet: accuracy of networks found in the MobileNet space.",
        missing=(MOBILENET, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-05",
        "IV-F",
        "table",
        BENCHMARKS,
        "NAS-Bench-201: accuracy of the architectures found, by search method.",
        needs="nasbench201_methods",
        missing=(STRATEGIES, "gradient-based searches (DARTS, GDAS, SNAS, DARTS-)"),
    ),
    Item(
        "tab-06",
        "IV-F",
        "table",
        BENCHMARKS,
        "NAS-Bench-Macro in the text, ImageNet accuracies in the table: size, cost, accuracy by method.",
        missing=(IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-07",
        "IV-G",
        "table",
        DETECTION,
        "COCO: detection with RetinaNet on the networks found.",
        missing=("transfer to detection", MOBILENET),
    ),
    Item(
        "tab-08",
        "V-A",
        "table",
        IMAGES,
        "Distillation algorithms compared on four sets of images; ShuffleNet space.",
        missing=(SHUFFLENET, IMAGENET),
    ),
    Item(
        "tab-09",
        "V-A",
        "table",
        IMAGES,
        "Distillation algorithms compared on four sets of images; MobileNet space.",
        missing=(MOBILENET, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-10",
        "V-A",
        "table",
        BENCHMARKS,
        "NAS-Bench-201: accuracy of the architectures found, by distillation algorithm.",
        needs="nasbench201_algorithms",
        missing=(STRATEGIES,),
    ),
    Item(
        "tab-11",
        "V-A",
        "table",
        BENCHMARKS,
        "NAS-Bench-101: Kendall's tau by distillation algorithm.",
        needs="nasbench101_taus",
        missing=(STRATEGIES,),
    ),
    Item(
        "tab-12",
        "V-C",
        "table",
        IMAGES,
        "Error against the number of teachers; ShuffleNet space.",
        missing=(SHUFFLENET, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-13",
        "V-C",
        "table",
        IMAGES,
        "Error against the number of teachers; MobileNet space.",
        missing=(MOBILENET, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-14",
        "V-C",
        "table",
        IMAGES,
        "Error against the number of teachers; DARTS space.",
        missing=(DARTS, IMAGENET, STRATEGIES),
    ),
    Item(
        "tab-15",
        "V-C",
        "table",
        BENCHMARKS,
        "NAS-Bench-201: accuracy of the architectures found, by number of teachers.",
        needs="nasbench201_teachers",
    ),
    Item(
        "tab-16",
        "V-D",
        "table",
        IMAGES,
        "Error against the number of perturbed architectures; DARTS space.",
        missing=(DARTS, IMAGENET, STRATEGIES),
    ),
)

_BY_ID = {item.id: item for item in ITEMS}


def get_item(name: str) -> Item:
    """The item called ``name``.

    Raises:
        ConfigError: there is none.
    """
    if name not in _BY_ID:
        raise ConfigError(
            f"the paper has no {name!r}: its figures are fig-01 to fig-14, its tables tab-01 to tab-16 "
            "(`mngnas status` lists them)"
        )
    return _BY_ID[name]


def choose(names: Sequence[str]) -> tuple[Item, ...]:
    """The items called so, in the register's order; all where none is named.

    Raises:
        ConfigError: there is no such item.
    """
    wanted = {get_item(name).id for name in names}
    return tuple(item for item in ITEMS if not wanted or item.id in wanted)
