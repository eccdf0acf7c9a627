"""The format of the kit's own tables: one line a training, and a data card beside it.

``kit-<space>.csv`` has the columns of :data:`COLUMNS`. ``kit-<space>.json`` is the card: what all trainings have in
common (:data:`IDENTITY`), and how, when and where the table was made. :mod:`mngnas_lib.truth` writes both.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mngnas_lib.errors import BenchmarkError

#: Accuracies are percent with four decimals, which tell apart any two counts of up to 10,000 images
COLUMNS = ("space", "arch", "seed", "valid", "test", "params", "macs", "epochs", "seconds", "code")
#: What the card says of all trainings: search space and its sizes, arguments that load the images and a hash of them,
#: settings of the training
IDENTITY = ("space", "sizes", "data", "fingerprint", "train")
#: Which of these are objects, and what each needs to have
_OBJECTS = {"sizes": set(), "data": {"source"}, "train": {"epochs"}}


@dataclass(frozen=True)
class Row:
    """One training: accuracies (fractions) at the end of it, and what it took."""

    arch: str
    seed: int
    valid: float
    test: float
    params: int
    macs: int
    epochs: int
    seconds: float
    code: str

    def line(self, space: str) -> str:
        """The row as a line of a table, with its end."""
        values = vars(self) | {"space": space, "seconds": f"{self.seconds:.2f}"}
        values |= {name: f"{100 * values[name]:.4f}" for name in ("valid", "test")}
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow([values[name] for name in COLUMNS])
        return buffer.getvalue()


def card_path(table: Path) -> Path:
    """Where the card of a table lies."""
    return table.with_suffix(".json")


def read_card(table: Path) -> dict[str, Any]:
    """The data card of a table.

    Raises:
        BenchmarkError: it is missing or damaged.
    """
    path = card_path(table)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BenchmarkError(f"{path} is missing: it says how {table.name} was made, keep both together") from error
    except (ValueError, OSError) as error:
        raise BenchmarkError(f"{path} is damaged ({error}): get it again, or delete it with its table") from error
    missing = [name for name in IDENTITY if not _has(card, name)]
    if missing:
        raise BenchmarkError(
            f"{path} is no card of a table of trainings, it lacks {', '.join(missing)}, or parts of it: get it again"
        )
    return card


def _has(card: Any, name: str) -> bool:
    if not isinstance(card, dict) or name not in card:
        return False
    return name not in _OBJECTS or (isinstance(card[name], dict) and card[name].keys() >= _OBJECTS[name])


def read_rows(table: Path, space: str) -> list[Row]:
    """The trainings in a table.

    Raises:
        BenchmarkError: it cannot be read, is no such table, or a line is damaged, of another space or there twice.
    """
    try:
        with table.open(encoding="utf-8", newline="") as file:
            lines = csv.DictReader(file)
            if tuple(lines.fieldnames or ()) != COLUMNS:
                raise BenchmarkError(f"{table} is no table of trainings: its first line is not {','.join(COLUMNS)}")
            numbered = [(number, _row(line, f"{table}, line {number}", space)) for number, line in enumerate(lines, 2)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(f"{table} is damaged ({error}): get it again") from error
    except OSError as error:
        raise BenchmarkError(f"{table} cannot be read ({error.strerror}): check its permissions") from error
    first: dict[tuple[str, int], int] = {}
    for number, row in numbered:
        if first.setdefault((row.arch, row.seed), number) != number:
            raise BenchmarkError(
                f"{table}, line {number}: {row.arch} with seed {row.seed} is in line {first[row.arch, row.seed]} "
                "already: remove one of them"
            )
    return [row for _, row in numbered]


def parse(line: str, space: str) -> Row:
    """The training that a line of a table tells of. Errors as in :func:`read_rows`."""
    return _row(next(csv.DictReader([line], COLUMNS)), "the line", space)


def _row(line: Mapping[str | None, Any], place: str, space: str) -> Row:
    try:
        if None in line or None in line.values():
            raise ValueError("it has not one value a column")
        row = Row(
            arch=line["arch"],
            seed=int(line["seed"]),
            valid=float(line["valid"]) / 100,
            test=float(line["test"]) / 100,
            params=int(line["params"]),
            macs=int(line["macs"]),
            epochs=int(line["epochs"]),
            seconds=float(line["seconds"]),
            code=line["code"],
        )
    except ValueError as error:
        raise BenchmarkError(
            f"{place} is damaged ({error}): remove it, and `mngnas truth` computes it again"
        ) from error
    if line["space"] != space:
        raise BenchmarkError(f"{place} is of {line['space']}, not of {space} as the card says: remove it")
    if not (0 <= row.valid <= 1 and 0 <= row.test <= 1 and row.seed >= 0):
        raise BenchmarkError(f"{place} has an accuracy outside 0 to 100 percent, or a negative seed: remove it")
    return row
