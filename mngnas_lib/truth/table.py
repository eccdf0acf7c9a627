"""A table of trainings on disk that grows line by line (:mod:`mngnas_lib.benchmarks.kit_table` has the format).

A line is flushed to the disk before the next is begun, so a kill at any moment costs at most the trainings under way;
what is left of a line that was cut off is taken away when the table is opened again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from mngnas_lib.benchmarks.files import replacing
from mngnas_lib.benchmarks.kit_table import COLUMNS, IDENTITY, Row, card_path, parse, read_card, read_rows
from mngnas_lib.errors import BenchmarkError


class TruthTable:
    """Trainings of one space with one setting. One process at a time may write to it.

    Args:
        path: the CSV file; made with the first row.
        identity: what all rows have in common, plain data with the keys :data:`IDENTITY`.

    Attributes:
        rows: all trainings, by architecture and seed.
        about: what the card says besides ``identity``.

    Raises:
        BenchmarkError: the file holds trainings with other settings, or is damaged.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        self.path = Path(path)
        self.identity = json.loads(json.dumps(identity))  # as it comes back from the card
        self.rows: dict[tuple[str, int], Row] = {}
        self.about: dict[str, Any] = {}
        if not self.path.exists():
            return
        theirs = self.card()
        differing = [key for key in IDENTITY if theirs[key] != self.identity[key]]
        if differing:
            raise BenchmarkError(
                f"{self.path} holds trainings with other settings (differing: {', '.join(differing)}): "
                "write to another file, or delete this one and its card to start afresh"
            )
        self.about = {key: value for key, value in theirs.items() if key not in IDENTITY}
        self._cut_unfinished_line()
        self.rows = {(row.arch, row.seed): row for row in read_rows(self.path, self.identity["space"])}

    def append(self, row: Row) -> None:
        """Add one training; it is on the disk when this returns.

        Raises:
            BenchmarkError: the table has it already.
        """
        if (row.arch, row.seed) in self.rows:
            raise BenchmarkError(f"{self.path} has {row.arch} with seed {row.seed} already")
        if not self.path.exists():
            # the card first: a table without one could not be told from another's
            self.write_card(self.about)
            self._write(self.path, ",".join(COLUMNS) + "\n")
        line = row.line(self.identity["space"])
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.rows[row.arch, row.seed] = parse(line, self.identity["space"])  # as the next one will read it

    def sort(self, order: list[str]) -> None:
        """Put the lines in the order of architectures in ``order``, others behind them, seed by seed: workers finish in
        any order, and the finished table shall not depend on that."""
        place = {arch: number for number, arch in enumerate(order)}
        rows = sorted(self.rows.values(), key=lambda row: (place.get(row.arch, len(place)), row.arch, row.seed))
        self.rows = {(row.arch, row.seed): row for row in rows}
        self._write(self.path, ",".join(COLUMNS) + "\n" + "".join(row.line(self.identity["space"]) for row in rows))

    def card(self) -> dict[str, Any]:
        """The data card.

        Raises:
            BenchmarkError: it is missing or damaged.
        """
        return read_card(self.path)

    def write_card(self, about: dict[str, Any]) -> None:
        """Write the card: what all rows have in common, and what else there is to say ``about`` them."""
        self.about = about
        self._write(card_path(self.path), json.dumps(self.identity | about, indent=1, ensure_ascii=False) + "\n")

    def frame(self) -> pd.DataFrame:
        """All trainings, one a row, with the columns of :class:`Row`; accuracies are fractions."""
        return pd.DataFrame([vars(row) for row in self.rows.values()], columns=list(Row.__dataclass_fields__))

    def _cut_unfinished_line(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        with replacing(path) as file:
            file.write(text.encode())
