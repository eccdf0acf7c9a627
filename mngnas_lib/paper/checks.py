"""The families of claims: what a sentence can say of two sets of printed numbers, each as one function.

Each takes the chosen cells of both sides, the columns within which they are compared, and what the sentence states; it
returns the verdict with its numbers. Rules of reading that all share are in :mod:`mngnas_lib.paper.claims`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper.compare import direction, groups_of, half_unit, pairs_of

HOLDS, ROUNDING = "holds", "holds within rounding"
REFUTED, CANNOT = "does not hold", "cannot be checked"
VERDICTS = (HOLDS, ROUNDING, REFUTED, CANNOT)

SIMILAR, UNCHANGED = 0.10, 0.05
_TINY = 1e-9  # differences of decimal numbers are not exact in binary


@dataclass(frozen=True)
class Outcome:
    """Whether a claim holds (one of :data:`VERDICTS`), and the numbers that say so."""

    verdict: str
    numbers: str


#: (cells of ours, cells of theirs, columns to compare within, what the sentence states)
Check = Callable[[pd.DataFrame, pd.DataFrame, list[str], str], Outcome]


def better(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """Ours is better than theirs in ``all``, ``most`` or ``some`` of the pairs."""
    pairs = pairs_of(ours, theirs, per)
    wins, ties = int((pairs["gain"] > _TINY).sum()), int((pairs["gain"].abs() <= _TINY).sum())
    counts = f"{wins} of {len(pairs)} better, {ties} equal, {len(pairs) - wins - ties} worse"
    low, high = (pairs["text"][index] for index in (pairs["gain"].idxmin(), pairs["gain"].idxmax()))
    return Outcome(
        _quantified(wins, len(pairs), stated), low if len(pairs) == 1 else f"{counts}; from {low}, to {high}"
    )


def better_in_all(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """Ours is better in every metric at once, in ``all``, ``most`` or ``some`` of the pairs of rows."""
    wins, texts = [], []
    for _, mine, others in groups_of(ours, theirs, per):
        for _, a in mine.groupby(["table", "row", "dataset"], sort=False):
            for _, b in others.groupby(["table", "row", "dataset"], sort=False):
                pairs = pairs_of(a, b, ["metric"])
                wins.append(bool((pairs["gain"] > _TINY).all()))
                texts.append(", ".join(pairs["text"]))
    shown = next((text for text, won in zip(texts, wins, strict=True) if won != (stated == "all")), texts[0])
    return Outcome(_quantified(sum(wins), len(wins), stated), f"{sum(wins)} of {len(wins)} better in all; {shown}")


def improves(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """From row to row of a table ours gets better at every step, in ``all``, ``most`` or ``some`` of the groups."""
    steps = [direction(group) * group["value"].diff().dropna() for _, group, _ in groups_of(ours, theirs, per)]
    wins = sum(bool((step > _TINY).all()) for step in steps)
    return Outcome(_quantified(wins, len(steps), stated), f"better at every step in {wins} of {len(steps)}")


def similar(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """Ours is within 10 % of theirs in ``all``, ``most`` or ``some`` of the pairs."""
    pairs = pairs_of(ours, theirs, per)
    ratio = pairs["ours"] / pairs["theirs"] - 1
    near = int((ratio.abs() <= SIMILAR + _TINY).sum())
    text = f"{near} of {len(pairs)} within {SIMILAR:.0%}; {ratio.min():+.1%} to {ratio.max():+.1%}"
    return Outcome(_quantified(near, len(pairs), stated), text)


def unchanged(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """Ours is within 0.05 of theirs, or what is stated, in ``all``, ``most`` or ``some`` pairs (``all within 0.1``)."""
    quantity, _, limit = stated.partition(" within ")
    limit = limit or str(UNCHANGED)
    pairs = pairs_of(ours, theirs, per)
    change = pairs["ours"] - pairs["theirs"]
    near = int((change.abs() <= float(limit) + _TINY).sum())
    text = f"{near} of {len(pairs)} within {limit}; {change.min():+.2f} to {change.max():+.2f}"
    return Outcome(_quantified(near, len(pairs), quantity), text)


def difference(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """Each of ours is better than its counterpart by the stated number of points."""
    pairs = pairs_of(ours, theirs, per)
    verdicts = [_stated_gain(pair, stated) for pair in pairs.itertuples()]
    # the least favourable one decides
    return Outcome(max(verdicts, key=VERDICTS.index), f"{_gains(pairs)}; stated {stated}")


def some_difference(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """At least one of ours is better than a counterpart by the stated number of points."""
    pairs = pairs_of(ours, theirs, per)
    verdicts = [_stated_gain(pair, stated) for pair in pairs.itertuples()]
    return Outcome(min(verdicts, key=VERDICTS.index), f"{_gains(pairs)}; stated {stated}")


def best(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str, *, alone: bool = False) -> Outcome:
    """One of ours is the best of both sides, in ``all``, ``most`` or ``some`` of the groups; others may be equal."""
    groups = groups_of(ours, theirs, per)
    wins, texts = [], []
    for name, mine, others in groups:
        sign = direction(pd.concat([mine, others]))
        (ours_best, a), (theirs_best, b) = (_top(side, sign) for side in (mine, others))
        gain = sign * (ours_best - theirs_best)
        wins.append(gain > _TINY or (abs(gain) <= _TINY and not alone))
        relation = "equals" if abs(gain) <= _TINY else "beats" if gain > 0 else "is worse than"
        texts.append((f"{name}: " if name else "") + f"{a} {relation} {b}")
    shown = texts if len(texts) <= 4 else [text for text, won in zip(texts, wins, strict=True) if not won]
    text = "; ".join(shown[:4]) + (f"; and {len(shown) - 4} more" if len(shown) > 4 else "")
    counts = f"best in {sum(wins)} of {len(groups)}"
    numbers = text if len(groups) == 1 else f"{counts}; {text}" if text else counts
    return Outcome(_quantified(sum(wins), len(groups), stated), numbers)


def best_alone(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """As :func:`best`, with no other cell equal to it."""
    return best(ours, theirs, per, stated, alone=True)


def names(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """The one column ``per`` has exactly these entries (``a|b|c``)."""
    printed = _entries(ours, per)
    verdict = HOLDS if set(printed) == {name.strip() for name in stated.split("|")} else REFUTED
    return Outcome(verdict, f"in the tables: {', '.join(printed)}")


def includes(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """The one column ``per`` has at least these entries (``a|b|c``)."""
    missing = [name for name in map(str.strip, stated.split("|")) if name not in _entries(ours, per)]
    return Outcome(REFUTED if missing else HOLDS, f"missing: {', '.join(missing)}" if missing else "all are there")


def count(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str], stated: str) -> Outcome:
    """The one column ``per`` has this many different entries."""
    printed = _entries(ours, per)
    return Outcome(HOLDS if len(printed) == int(stated) else REFUTED, f"{len(printed)}: {', '.join(printed)}")


_FAMILIES = (better, better_in_all, improves, similar, unchanged, difference, some_difference)
_FAMILIES += (best, best_alone, names, includes, count)
CHECKS: dict[str, Check] = {function.__name__: function for function in _FAMILIES}


def _quantified(wins: int, total: int, stated: str) -> str:
    need = {"all": total, "most": total // 2 + 1, "some": 1}
    if stated not in need:
        raise ConfigError(f"{stated!r} is no quantity of comparisons: write all, most or some")
    return HOLDS if wins >= need[stated] else REFUTED


def _stated_gain(pair: tuple, stated: str) -> str:
    away = abs(pair.gain - float(stated))
    if away <= _TINY:
        return HOLDS
    return ROUNDING if away < pair.slack + half_unit(stated) - _TINY else REFUTED


def _gains(pairs: pd.DataFrame) -> str:
    return "; ".join(f"{pair.text}: {pair.gain:.{pair.decimals}f}" for pair in pairs.itertuples())


def _top(cells: pd.DataFrame, sign: int) -> tuple[float, str]:
    top = cells.loc[(sign * cells["value"]).idxmax()]
    return float(top["value"]), top["label"]


def _entries(cells: pd.DataFrame, per: Sequence[str]) -> list[str]:
    """Different entries of a column, in the tables' order, empty ones left out."""
    return [text for text in dict.fromkeys(cells[per[0]]) if text]
