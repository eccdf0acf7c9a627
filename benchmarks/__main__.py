"""Run all benchmarks and print one table: ``python -m benchmarks [name ...]``."""

from __future__ import annotations

import sys

from benchmarks.coefficients import coefficient_solvers
from benchmarks.ranking import prefix_sharing
from benchmarks.retraining import retraining_step
from benchmarks.step import supernet_step
from benchmarks.tables import cost_of_all, table_loading
from benchmarks.timing import Row, show

BENCHMARKS = {
    "step": supernet_step,
    "ranking": prefix_sharing,
    "coefficients": coefficient_solvers,
    "retraining": retraining_step,
    "cost": cost_of_all,
    "tables": table_loading,
}


def main(names: list[str]) -> int:
    unknown = set(names) - BENCHMARKS.keys()
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for name in names or BENCHMARKS:
        rows += BENCHMARKS[name]()
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
