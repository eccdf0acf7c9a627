"""What a row of the register says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["diagram", "curve", "scatter", "box", "architectures", "table"]

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI")


@dataclass(frozen=True)
class Item:
    """One figure or table of the paper.

    Attributes:
        id: ``fig-01`` ... ``fig-14``, ``tab-01`` ... ``tab-16``.
        section: of the paper.
        notebook: the one that shows it.
        draw: dotted name of the drawing function of one panel; empty for tables.
        panels: titles of the panels; diagrams have none.
        size: of the figure, in inches.
        needs: name of the function that lists its runs; empty where there are none yet, or for diagrams.
        missing: what the kit lacks to compute all of it.
    """

    id: str
    section: str
    kind: Kind
    notebook: str
    caption: str
    draw: str = ""
    panels: tuple[str, ...] = ()
    size: tuple[float, float] = (10.0, 4.0)
    needs: str = ""
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
