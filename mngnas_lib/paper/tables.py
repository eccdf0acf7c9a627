"""Tables I-XVI of the paper, one printed cell a row.

The numbers are the paper's, transcribed as printed into ``data/paper/tables``, slips included; none was measured by
this kit. ``data/paper/README.md`` says what was decided in transcribing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mngnas_lib.errors import PaperDataError
from mngnas_lib.places import project_folder


@dataclass(frozen=True)
class TableInfo:
    """What a table is about, in the kit's words.

    Attributes:
        section: where the paper discusses it.
        subject: what it compares.
        stub: printed headers of its label columns; empty where nothing is printed.
    """

    section: str
    subject: str
    stub: tuple[str, ...]


_TEACHERS = ("Teacher Number",)
_SPACE = ("Search Space", "Algorithm")

#: Tables of the paper, by number
TABLES: dict[int, TableInfo] = {
    1: TableInfo(
        "IV-C", "CIFAR: error, size and search cost of hand-made, gradient-based and one-shot networks", _SPACE
    ),
    2: TableInfo("IV-D", "ImageNet16-120: accuracy, size and search cost in three search spaces", _SPACE),
    3: TableInfo("IV-E", "ImageNet, DARTS space: accuracy, transferred or searched directly", ("Algorithm",)),
    4: TableInfo("IV-E", "ImageNet, MobileNet space: accuracy and size", ("Method",)),
    5: TableInfo("IV-F", "NAS-Bench-201: mean, deviation and best accuracy over four seeds", ("",)),
    6: TableInfo("IV-F", "NAS-Bench-Macro, as the caption says: accuracy, size and search cost", ("Methods",)),
    7: TableInfo("IV-G", "COCO: detection with RetinaNet on different backbones", ("Backbone",)),
    8: TableInfo("V-A", "ShuffleNet space: five retraining algorithms", ("Distillation Algorithm",)),
    9: TableInfo(
        "V-A",
        "MobileNet space: five retraining algorithms under three SuperNet trainings",
        ("SuperNet Training Algorithm", "Distillation Algorithm"),
    ),
    10: TableInfo("V-A", "NAS-Bench-201: retraining algorithms A to E under three SuperNet trainings", ("",)),
    11: TableInfo("V-A", "NAS-Bench-101: Kendall tau of five retraining algorithms", ("",)),
    12: TableInfo("V-C", "ShuffleNet space: error by number of teachers", _TEACHERS),
    13: TableInfo("V-C", "MobileNet space: error by number of teachers", _TEACHERS),
    14: TableInfo("V-C", "DARTS space: error by number of teachers", _TEACHERS),
    15: TableInfo("V-C", "NAS-Bench-201: accuracy by number of teachers", ("Teacher number",)),
    16: TableInfo("V-D", "DARTS space: error by number of perturbed architectures", ("Perturbed Architecture Number",)),
}

#: Columns of every table and their types; missing numbers are NaN or NA, missing words are empty texts
COLUMNS: dict[str, str] = {
    "table": "int64",
    "line": "int64",
    "row": "str",
    "row_bold": "bool",
    "column": "str",
    "search_space": "str",
    "strategy": "str",
    "algorithm": "str",
    "citation": "Int64",
    "retraining": "str",
    "letter": "str",
    "teachers": "Int64",
    "perturbed": "Int64",
    "dataset": "str",
    "split": "str",
    "metric": "str",
    "unit": "str",
    "value": "float64",
    "std": "float64",
    "best": "float64",
    "printed": "str",
    "bold": "bool",
    "reading": "str",
    "note": "str",
}


def paper_folder() -> Path:
    """Where the transcribed tables lie: ``data/paper`` of the checkout or, in an installed kit, of the current folder.

    Raises:
        PaperDataError: there is no such folder.
    """
    folder = project_folder() / "data" / "paper"
    if not (folder / "tables").is_dir():
        raise PaperDataError(
            f"the paper's tables are not in {folder}: they are part of the project's checkout and not of the installed "
            "package, so work in the checkout's folder"
        )
    return folder


def paper_table(number: int) -> pd.DataFrame:
    """One table of the paper, cells in reading order.

    Args:
        number: 1 to 16, for Tables I to XVI.

    Returns:
        One row a printed cell, with the columns of :data:`COLUMNS`:

        ``table``, ``line``
            Number of the table, and of the printed line below its header, from 1.
        ``row``, ``row_bold``, ``column``
            Printed labels, a group's before its members' (``DARTS / ENAS [50]``, ``CIFAR10 / Error``).
        ``search_space``, ``strategy``, ``algorithm``, ``citation``
            What was run: space, SuperNet training, algorithm (``MNGNAS``, ``SPOS``, ...) and its number in the paper's
            references.
        ``retraining``, ``letter``
            Tables VIII-XI: retraining algorithm as the table names it, and as ``A`` to ``E`` in all four.
        ``teachers``, ``perturbed``
            Tables XII-XV and XVI: number of teachers, of perturbed architectures.
        ``dataset``, ``split``
            ``split`` is ``valid`` or ``test`` where the paper says which.
        ``metric``, ``unit``
            What the number is, not what a caption calls it. In ``%``: ``error``, ``top-1`` and ``top-5`` (accuracies),
            ``AP``, ``AP50``, ``AP75``. In ``M``: ``params`` and ``madds``, the latter in ``G`` in Table VII. In
            ``GPU days``: ``search cost``. In ``tau x 100``: ``tau``.
        ``value``, ``std``, ``best``
            The number, its standard deviation, the best of several runs.
        ``printed``, ``bold``
            The cell as printed; two lines where the table has two.
        ``reading``, ``note``
            How a cell is read where the paper does not say or says something else; what is odd about it.

    Raises:
        PaperDataError: the paper has no such table, or its file is missing or damaged.
    """
    if number not in TABLES:
        raise PaperDataError(f"the paper has no table {number}: choose 1 to {len(TABLES)}")
    path = paper_folder() / "tables" / f"table_{number:02d}.csv"
    blank = {name: [""] for name, kind in COLUMNS.items() if kind in ("float64", "Int64")}
    try:
        table = pd.read_csv(path, dtype=COLUMNS, keep_default_na=False, na_values=blank, encoding="utf-8")
    except FileNotFoundError as error:
        raise PaperDataError(f"{path} is missing: restore it with git") from error
    except ValueError as error:  # pandas' parser errors and Unicode's are among these
        raise PaperDataError(f"{path} cannot be read ({error}): restore it with git") from error
    if list(table) != list(COLUMNS):
        raise PaperDataError(f"{path} has not the columns of a table of the paper: restore it with git")
    return table


def paper_tables() -> pd.DataFrame:
    """All tables of the paper, one after the other; columns as in :func:`paper_table`.

    Raises:
        PaperDataError: a file is missing or damaged.
    """
    return pd.concat([paper_table(number) for number in TABLES], ignore_index=True)
