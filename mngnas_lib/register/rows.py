"""The register: the paper's 14 figures and 16 tables, one row each.

Captions are our own short words. A figure names the function that draws it; a table is written by
:mod:`mngnas_lib.register.tables`. ``needs`` names a function of :mod:`mngnas_lib.register.needs` that lists the runs
under a profile; where the kit cannot compute all that an item shows, ``missing`` says what it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mngnas_lib.errors import ConfigError

Kind = Literal["diagram", "curve", "scatter", "box", "architectures", "table"]

IMAGES, BENCHMARKS, DETECTION = "09_image_classification", "08_nas_benchmarks", "10_detection"

MOBILENET, SHUFFLENET, DARTS = "MobileNet's space", "ShuffleNet's space", "DARTS's space"
STRATEGIES = "SuperNets by FairNAS and MixPath"
IMAGENET = "trainings on ImageNet"
RANKING_101 = "a ranking by a SuperNet on NAS-Bench-101"


@dataclass(frozen=True)
class Item:
    """One figure or table of the paper.

    Attributes:
        id: ``fig-01`` ... ``fig-14``, ``tab-01`` ... ``tab-16``.
        section: of the paper.
        notebook: the one that shows it.
        draw: dotted name of the drawing function; empty for tables.
        needs: name of the function that lists its runs; empty where there are none yet, or for diagrams.
        data: dotted name of the function that makes of stored results what ``draw`` takes; empty for diagrams.
        missing: what the kit lacks to compute all of it.
    """

    id: str
    section: str
    kind: Kind
    notebook: str
    caption: str
    draw: str = ""
    needs: str = ""
    data: str = ""
    missing: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return int(self.id[-2:])

    @property
    def is_table(self) -> bool:
        return self.kind == "table"

    @property
    def printed(self) -> str:
        """Whether the paper prints the numbers: it does in tables, and in no figure."""
        return "printed" if self.is_table else "not printed"

    @property
    def title(self) -> str:
        """``Fig. 10``, ``Table V``."""
        return f"Table {ROMAN[self.number - 1]}" if self.is_table else f"Fig. {self.number}"


ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")

ITEMS: tuple[Item, ...] = (
    Item(
        "fig-01",
        "III-A",
        "diagram",
        "00_start_here",
        "The method's four parts: train the SuperNet, propose, retrain, update the teacher groups.",
        draw="mngnas_lib.plots.overview.draw_overview",
    ),
    Item(
        "fig-02",
        "III-B",
        "diagram",
        "04_distillation",
        "How distillation runs through one search epoch: teachers, peers, coefficients, perturbed copies.",
        draw="mngnas_lib.plots.paper_diagrams.draw_distillation_process",
    ),
    Item(
        "fig-03",
        "IV-C",
        "curve",
        IMAGES,
        "CIFAR-10: error against FLOPs of architectures found with and without MNGNAS; MobileNet space.",
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-04",
        "IV-C",
        "curve",
        IMAGES,
        "CIFAR-100: error against FLOPs of architectures found with and without MNGNAS; MobileNet space.",
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-05",
        "IV-C",
        "curve",
        IMAGES,
        "Error against FLOPs with and without MNGNAS on three sets of images; ShuffleNet space.",
        missing=(SHUFFLENET,),
    ),
    Item(
        "fig-06",
        "IV-C",
        "box",
        IMAGES,
        "Spread of the errors of the architectures that each search finds, on each set of images.",
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-07",
        "IV-D",
        "curve",
        IMAGES,
        "ImageNet16-120: error against FLOPs with and without MNGNAS; MobileNet space.",
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-08",
        "IV-D",
        "architectures",
        IMAGES,
        "The best architectures of the chain space, block by block.",
        missing=(MOBILENET,),
    ),
    Item(
        "fig-09",
        "IV-D",
        "architectures",
        IMAGES,
        "The cells found in the DARTS space, normal and reduction, on three sets of images.",
        missing=(DARTS,),
    ),
    Item(
        "fig-10",
        "IV-F",
        "scatter",
        BENCHMARKS,
        "NAS-Bench-101: accuracy seen in the search against true accuracy, with and without MNGNAS.",
        missing=(RANKING_101, STRATEGIES),
    ),
    Item(
        "fig-11",
        "V-A",
        "diagram",
        "07_the_search",
        "The retraining algorithms A to E: who teaches whom, with which weights.",
        draw="mngnas_lib.plots.paper_diagrams.draw_algorithms",
    ),
    Item(
        "fig-12",
        "V-B",
        "curve",
        IMAGES,
        "Error against epochs of retraining, and loss over search epochs, by distillation algorithm.",
        missing=(MOBILENET, STRATEGIES),
    ),
    Item(
        "fig-13",
        "V-B",
        "curve",
        BENCHMARKS,
        "NAS-Bench-101: Kendall's tau against epochs of retraining, by distillation algorithm.",
        missing=(RANKING_101, STRATEGIES),
    ),
    Item(
        "fig-14",
        "V-C",
        "curve",
        BENCHMARKS,
        "NAS-Bench-101: Kendall's tau against the number of teachers, by distillation algorithm.",
        missing=(RANKING_101, STRATEGIES),
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
        missing=(RANKING_101, STRATEGIES),
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
