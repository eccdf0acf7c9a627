"""What Sections IV and V say of the tables, statement by statement, and whether the tables bear it out.

``data/paper/claims.csv`` holds one row a reading of a statement: where it stands, what it says in short words of our
own, and the computation over the cells of Tables I-XVI that decides it. A sentence can make several statements. A
statement that can be read in two ways has two rows. Verdicts are computed from the tables and stand in no file.

A claim's ``ours`` and ``theirs`` choose cells, both within ``where``: ``column=value|value; column!=value`` over the
columns of :func:`mngnas_lib.paper.compare.claim_cells`. Cells of both sides that are alike in the columns ``per`` are
compared with each other. ``check`` names the family of the claim (:mod:`mngnas_lib.paper.checks`), ``stated`` what the
sentence states: a number, or how many of the comparisons it speaks of (``all``, ``most``, ``some``).

Rules of reading, the same for all claims:

* "Better" is lower for errors and costs, higher for all else. Equal as printed is not better. "Most" is more than half.
* "x % decrease" means x points: the difference of two percentages.
* A stated difference *holds* if it is the difference of the printed numbers. It *holds within rounding* if some
  unrounded numbers would print as these three do: half a unit of the last digit for each of them.
* "Highest" and "lowest" may be shared, unless the reading says alone.
* "Similar", "close" and "approximate" mean within 10 %; "nearly unchanged" within 0.05 points.
"""

from __future__ import annotations

import csv
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd

from mngnas_lib.errors import ConfigError, PaperDataError
from mngnas_lib.paper.checks import CANNOT, CHECKS, Outcome
from mngnas_lib.paper.compare import claim_cells, select
from mngnas_lib.paper.tables import paper_folder

#: The verdict of a statement whose readings have different ones.
DEPENDS = "depends on the reading"


@dataclass(frozen=True)
class Claim:
    """One reading of one statement; see the module's text for the fields."""

    id: str
    section: str
    place: str
    says: str
    reading: str
    check: str
    where: str
    ours: str
    theirs: str
    per: str
    stated: str
    note: str

    @property
    def statement(self) -> str:
        """The statement's id, without the letter of the reading."""
        return self.id.rstrip("abcdef")


def read_claims(path: Path | None = None) -> list[Claim]:
    """All readings, in the order of the paper.

    Raises:
        PaperDataError: a column is missing, an id is there twice, or a check is not known.
    """
    with (path or paper_folder() / "claims.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    wanted = [field.name for field in fields(Claim)]
    if not rows or list(rows[0]) != wanted:
        raise PaperDataError(f"the file of the claims must have the columns {', '.join(wanted)}, and rows")
    claims = [Claim(**row) for row in rows]
    twice = {claim.id for claim in claims if sum(other.id == claim.id for other in claims) > 1}
    if twice:
        raise PaperDataError(f"claims with the same id: {', '.join(sorted(twice))}")
    for claim in claims:
        if claim.check and claim.check not in CHECKS:
            raise PaperDataError(f"{claim.id}: no check is called {claim.check!r}: choose one of {', '.join(CHECKS)}")
    return claims


def check_claim(claim: Claim, cells: pd.DataFrame) -> Outcome:
    """Verdict and numbers of one reading, over the cells of :func:`claim_cells`.

    Raises:
        ConfigError: the claim chooses no cells or cells that cannot be compared; the message names the claim.
    """
    if not claim.check:
        return Outcome(CANNOT, "")
    per = [column.strip() for column in claim.per.split(",") if column.strip()]
    try:
        inside = select(cells, claim.where if "quantity" in claim.where else f"quantity=value; {claim.where}")
        ours, theirs = select(inside, claim.ours), select(inside, claim.theirs)
        return CHECKS[claim.check](ours, theirs, per, claim.stated)
    except ConfigError as error:
        raise ConfigError(f"claim {claim.id}: {error}") from error


def check_claims(claims: Iterable[Claim] | None = None, cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row a reading, in the order of the paper.

    Args:
        claims: by default all.
        cells: by default those of all tables, as :func:`mngnas_lib.paper.compare.claim_cells` gives them.

    Returns:
        ``id``, ``statement``, ``section``, ``place``, ``says``, ``reading``, ``verdict``, ``numbers``, ``note``.
    """
    claims = read_claims() if claims is None else list(claims)
    cells = claim_cells() if cells is None else cells
    rows = []
    for claim in claims:
        outcome = check_claim(claim, cells)
        where = [claim.id, claim.statement, claim.section, claim.place, claim.says, claim.reading]
        rows.append([*where, outcome.verdict, outcome.numbers, claim.note])
    columns = ["id", "statement", "section", "place", "says", "reading", "verdict", "numbers", "note"]
    return pd.DataFrame(rows, columns=columns)


def by_statement(checked: pd.DataFrame) -> pd.DataFrame:
    """One row a statement: its verdict where all readings agree, else "depends on the reading".

    Returns:
        ``statement``, ``section``, ``place``, ``says``, ``readings`` (how many), ``verdict``.
    """
    rows = []
    for statement, readings in checked.groupby("statement", sort=False):
        verdicts, first = set(readings["verdict"]), readings.iloc[0]
        verdict = verdicts.pop() if len(verdicts) == 1 else DEPENDS
        rows.append([statement, first["section"], first["place"], first["says"], len(readings), verdict])
    return pd.DataFrame(rows, columns=["statement", "section", "place", "says", "readings", "verdict"])


def report(checked: pd.DataFrame, *, width: int = 110) -> str:
    """Statements, readings, verdicts and numbers of :func:`check_claims` as text, a block a statement."""
    lines = []
    for _, readings in checked.groupby("statement", sort=False):
        first = readings.iloc[0]
        lines.append(f"{first['section']}, {first['place']}: {first['says']}")
        for row in readings.itertuples():
            because = "; ".join(filter(None, (row.numbers, row.note)))
            text = f"{row.reading}: {row.verdict.upper()}" + (f" ({because})" if because else "")
            lines += textwrap.wrap(text, width, initial_indent="    ", subsequent_indent="        ")
    return "\n".join(lines)
