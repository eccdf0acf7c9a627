"""What ``mngnas search`` prints at its end."""

from __future__ import annotations

from mngnas_lib.benchmarks import Benchmark
from mngnas_lib.cli.show import count, duration, interval, percent, table
from mngnas_lib.data import ImageData
from mngnas_lib.lab import search_scores
from mngnas_lib.search import Constraint, SearchConfig, SearchResult

#: Lines of the agreement with the benchmark, and names of ``search_scores``
RANKINGS = {
    "after retraining": "tau",
    "after retraining, without the first search epoch": "tau_later",
    "with the SuperNet's weights": "tau_before",
    "FLOPs": "tau_macs",
    "params": "tau_params",
}
DIFFERENCES = {"SuperNet's weights": "tau_minus_before", "FLOPs": "tau_minus_macs"}


def report(result: SearchResult, config: SearchConfig, images: ImageData, truth: Benchmark | None) -> str:
    """The architecture found, how good the ranking was, and where the time went."""
    space = result.network.space
    constraint = Constraint.of(space, config.max_macs, input_shape=images.input_shape, num_classes=images.num_classes)
    parts = [what_was_done(result, config), found(result, images)]
    if truth is None:
        parts.append("How good is it really? Only a benchmark can tell: --benchmark NAME=PATH.")
    else:
        parts.append(agreement(result, truth, constraint))
    return "\n\n".join([*parts, wall_time(result)])


def what_was_done(result: SearchResult, config: SearchConfig) -> str:
    """How many architectures were retrained, and in which way."""
    archs = result.table("archs")
    epochs = int(archs["search_epoch"].max())
    text = f"{len(archs)} architectures retrained in {epochs} search epochs\n{config.algorithm.describe()}"
    if epochs < config.search_epochs:
        text += f"\nThe space was used up: {config.search_epochs} search epochs were asked for"
    if config.algorithm.weights == "adaptive" and not result.table("coefficients").empty:
        gap, residual = result.certificate
        text += f"\nCoefficients: relative duality gap at most {gap:.0e}, KKT residual at most {residual:.0e}"
    perturbed = archs["perturbed"][archs["entered"]]
    fewer = int((perturbed < config.perturbed).sum()) if config.algorithm.perturbation else 0
    if fewer:
        text += (
            f"\n{fewer} of {len(perturbed)} new teachers had fewer than {config.perturbed} perturbed copies to be had"
        )
    return text


def found(result: SearchResult, images: ImageData) -> str:
    """The architecture found."""
    archs = result.table("archs")
    row = archs.set_index("arch").loc[result.network.space.to_string(result.best.arch)]
    rows = [
        ["best architecture", result.network.space.to_string(result.best.arch)],
        ["accuracy", f"{percent(row['accuracy'])} of {len(images.valid)} validation images"],
        ["with the SuperNet's weights", percent(row["accuracy_before"])],
    ]
    if row["perturbed"]:
        rows.append(["after fine-tuning as a teacher", percent(row["accuracy_perturbed"])])
    rows += [["params", count(row["params"])], ["MACs", count(row["macs"])]]
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label.ljust(width)}  {value}" for label, value in rows)


def agreement(result: SearchResult, truth: Benchmark, constraint: Constraint) -> str:
    """The true accuracy of the architecture found, and how well what the search saw agrees with the benchmark."""
    archs = result.table("archs")
    scores = search_scores(archs, truth, constraint)
    test = truth.query(result.best.arch).test
    lines = [
        f"In {truth.name} on {truth.dataset}: test accuracy {percent(test)}, regret {percent(scores['regret'])}; "
        f"of the best that was retrained {percent(scores['regret_seen'])}",
        f"Agreement with its test accuracies, n = {scores['n']}: Kendall's tau; intervals: 95 %, over architectures",
        table([["", "tau"], *([label, span(scores, name)] for label, name in RANKINGS.items())]),
    ]
    for label, name in DIFFERENCES.items():
        if scores[name] == scores[name]:
            p = scores[f"{name}_p"]
            lines.append(f"After retraining minus {label}: tau {span(scores, name)}, p = {p:.3f} (paired bootstrap)")
    return "\n".join(lines)


def span(scores: dict[str, float], name: str) -> str:
    return interval(scores[name], scores[f"{name}_low"], scores[f"{name}_high"])


def wall_time(result: SearchResult) -> str:
    """Seconds by part, of all search epochs."""
    seconds = result.table("seconds").groupby("part", sort=False)["seconds"].sum().sort_values(ascending=False)
    rows = [["part", "time", "share"]]
    rows += [[part, duration(value), f"{100 * value / seconds.sum():.0f} %"] for part, value in seconds.items()]
    return table([*rows, ["search", duration(seconds.sum()), ""]])
