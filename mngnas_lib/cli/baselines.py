"""``mngnas baselines``: searches that need nothing but a benchmark's table."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mngnas_lib.cli.options import benchmark_options, open_benchmark
from mngnas_lib.cli.show import interval, table, wrapped
from mngnas_lib.places import write_text

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("REA", "REINFORCE", "random search")


@click.command()
@benchmark_options
@click.option(
    "--reward-epochs",
    type=int,
    help="Epochs of training after which the search sees validation accuracies; by default 12 for nasbench201, and "
    "those of the report elsewhere.",
)
@click.option("--method", "methods", type=click.Choice(METHODS), multiple=True, help="One or more; by default all.")
@click.option(
    "--queries",
    type=click.IntRange(1),
    default=177,
    show_default=True,
    help="Architectures that each search queries; for nasbench201, 177 is about what 20,000 simulated seconds pay for, "
    "106 what 12,000 do.",
)
@click.option("--seeds", type=click.IntRange(1), default=100, show_default=True, help="Searches of each method.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV file for the regret over queries, fractions."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; accuracies are fractions there.")
def baselines(
    benchmark: tuple[str, str | None] | None,
    dataset: str | None,
    truth_epochs: int | None,
    reward_epochs: int | None,
    methods: tuple[str, ...],
    queries: int,
    seeds: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Search a benchmark's table by regularised evolution (REA), REINFORCE and random search.

    Prints what they find as Table V does: mean and standard deviation over seeds and the best seed, in percent. Takes
    seconds, and about a minute on all of NAS-Bench-101. Without --benchmark it takes NAS-Bench-201, or the kit's own
    table about that space where the official one is not to be found.

    \b
    Examples:
      mngnas baselines
      mngnas baselines --benchmark nasbench201 --dataset cifar100
      mngnas baselines --benchmark nasbench-macro=tables/nas-bench-macro_cifar10.json --queries 500
    """
    import pandas as pd

    from mngnas_lib.benchmarks import truth_for
    from mngnas_lib.lab.tabular_runs import found_table, regret_curve, run_searches
    from mngnas_lib.search.tabular_landscape import Landscape

    named = benchmark or (truth_for("nasbench201", dataset).name, None)
    truth = open_benchmark(named, dataset, truth_epochs)
    if reward_epochs is None and named[0] == "nasbench201":
        reward_epochs = 12
    reward = truth if reward_epochs is None else open_benchmark(named, dataset, reward_epochs)
    landscape = Landscape.of(reward, [truth])
    chosen = tuple(dict.fromkeys(methods)) or METHODS
    found = run_searches(landscape, chosen, queries, range(seeds))
    curves = {name: regret_curve(landscape, rows) for name, rows in found.items()}
    reached = found_table(landscape, found, [queries])
    if out is not None:
        write_text(out, pd.concat(curves, names=["method"]).reset_index(level=0).to_csv(index=False))
    if as_json:
        facts = {"benchmark": truth.name, "dataset": truth.dataset, "archs": len(landscape), "reward": landscape.about}
        facts["truth"] = truth.describe()
        ends = pd.DataFrame({name: curve.iloc[-1][["mean", "low", "high"]] for name, curve in curves.items()})
        # by pandas, which writes NaN as null: NaN is not JSON
        regret = json.loads(ends.to_json(double_precision=15))
        records = json.loads(reached.to_json(orient="records", double_precision=15))
        click.echo(json.dumps(facts | {"found": records, "regret": regret}))
        return
    if benchmark is None:
        click.echo(f"no --benchmark: took {truth.name}, {truth.path}")
    click.echo(
        wrapped(
            f"{truth.name} on {truth.dataset}: {len(landscape)} architectures, {queries} queries a search, {seeds} "
            f"searches of each method\nThe search sees: {landscape.about}"
            f"{'' if reward_epochs is None else f', after {reward_epochs} epochs'}"
        )
    )
    click.echo(f"\n{_report(reached, curves)}\n")
    shown = "Mean±std over seeds and (best seed), percent" if seeds > 1 else "One seed, percent"
    mean = ", mean over seeds with its 95 % bootstrap interval" if seeds > 1 else ""
    click.echo(wrapped(f"{shown}. Regret: percentage points of test accuracy below the table's best{mean}."))
    # which epoch, which images: NAS-Bench-Macro's are the best epoch on the test images
    click.echo(f"\n{wrapped(truth.describe())}")
    if out is not None:
        click.echo(f"wrote {out}")


def _report(reached: pd.DataFrame, curves: dict[str, pd.DataFrame]) -> str:
    from mngnas_lib.lab.tabular_runs import table_v

    cells = table_v(reached, int(reached["queries"].iloc[0]))
    rows = [["method", *(split for _, split in cells.columns), "regret"]]
    for name, row in cells.iterrows():
        end = 100 * curves[name].iloc[-1]
        is_one_seed = math.isnan(end["low"])
        regret = f"{end['mean']:.3f}" if is_one_seed else interval(end["mean"], end["low"], end["high"])
        rows.append([name, *row, regret])
    return table(rows)
