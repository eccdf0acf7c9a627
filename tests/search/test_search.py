"""Algorithm 3 as a whole: what is proposed, kept, removed and found, on searches of a few seconds."""

import itertools
from dataclasses import replace

import pytest
import torch
from search_cases import ALL, SMALL, beaten, cells, chain, digits, equal_weights, same, searched, supernet, watched

from mngnas_lib.data import ImageData
from mngnas_lib.errors import ArchError, ConfigError, DataError
from mngnas_lib.search import RetrainConfig, SearchConfig, search
from mngnas_lib.supernet import rank


def of_epoch(rows, epoch):
    return [row for row in rows if row["search_epoch"] == epoch]


# ---------------------------------------------------------------------- candidates


@pytest.mark.parametrize("proposals", ["evolution", "random"])
def test_the_first_candidates_are_the_same_for_all_algorithms(proposals):
    first = {
        tuple(row["arch"] for row in of_epoch(searched(name, proposals).rows, 1))
        for name in (ALL if proposals == "evolution" else ("none", "average", "mngnas"))
    }
    assert len(first) == 1


def test_random_proposals_are_the_same_for_all_algorithms():
    seen = {name: [row["arch"] for row in searched(name, "random").rows] for name in ("none", "average", "mngnas")}
    assert seen["none"] == seen["average"] == seen["mngnas"]
    assert {row["origin"] for row in searched("mngnas", "random").rows} == {"random"}


@pytest.mark.parametrize("name", ALL)
def test_every_architecture_is_new_and_the_numbers_are_those_of_the_settings(name):
    rows = searched(name).rows
    assert len({row["arch"] for row in rows}) == len(rows) == 12
    assert [len(of_epoch(rows, epoch)) for epoch in (1, 2, 3)] == [4, 4, 4]
    assert {row["origin"] for row in of_epoch(rows, 1)} == {"random"}
    assert {"crossover", "mutation"} <= {row["origin"] for row in rows[4:]}


@pytest.mark.parametrize("name", ["none", "mngnas"])
def test_parents_are_survivors_of_the_search_epoch_before(name):
    rows = searched(name).rows
    for row in rows[4:]:
        alive = {
            other["arch"]
            for other in rows
            if other["search_epoch"] < row["search_epoch"] and not 0 < other["removed_in"] < row["search_epoch"]
        }
        parents = [parent for parent in row["parents"].split(" x ") if parent]
        assert len(parents) == {"crossover": 2, "mutation": 1, "random": 0}[row["origin"]]
        assert set(parents) <= alive


@pytest.mark.parametrize("name", ALL)
def test_the_worst_are_removed_after_each_search_epoch(name):
    rows = searched(name).rows
    for epoch in (1, 2, 3):
        population = [row for row in rows if row["search_epoch"] <= epoch and not 0 < row["removed_in"] < epoch]
        removed = {row["arch"] for row in population if row["removed_in"] == epoch}
        kept = len(population) - SMALL.removed
        assert removed == {row["arch"] for row in population if beaten(row, population) >= kept}
        assert len(removed) == SMALL.removed


def test_when_all_are_removed_the_next_candidates_are_random():
    rows = watched(replace(SMALL, algorithm=ALL["none"], search_epochs=2, removed=4)).rows
    assert {row["removed_in"] for row in rows} == {1, 2}
    assert {row["origin"] for row in rows} == {"random"}


def test_the_constraint_holds_and_the_best_is_the_best_of_all():
    limit = int(sorted(row["macs"] for row in searched("none").rows)[5])
    found = watched(replace(SMALL, max_macs=limit))
    assert all(row["macs"] <= limit for row in found.rows)
    assert any(row["macs"] > limit for row in searched("mngnas").rows)


@pytest.mark.parametrize("proposals", ["evolution", "random"])
def test_candidates_are_among_those_that_are_named(proposals):
    named = tuple(itertools.islice(cells().all_archs(), 1000, 15_000, 700))
    config = replace(SMALL, algorithm=ALL["none"], proposals=proposals, among=named, removed=0)
    rows = watched(config).rows
    assert {cells().from_string(row["arch"]) for row in rows} < set(named) and len(rows) == 12
    # it stops where all of them were retrained
    few = watched(replace(config, among=named[:5])).rows
    assert {cells().from_string(row["arch"]) for row in few} == set(named[:5])


def test_a_named_candidate_must_be_of_the_space():
    with pytest.raises(ArchError, match="not an architecture of nasbench201"):
        search(supernet(), digits(), replace(SMALL, among=((0, 0, 0),)), progress=False)


@pytest.mark.parametrize("name", ALL)
def test_the_best_is_the_most_accurate_and_of_equals_the_one_with_fewest_flops(name):
    found = searched(name)
    (winner,) = (row for row in found.rows if beaten(row, found.rows) == 0)
    best = found.result.best
    assert (cells().to_string(best.arch), best.macs, best.accuracy) == (
        winner["arch"],
        winner["macs"],
        winner["accuracy"],
    )


def test_costs_are_those_of_the_space():
    for row in searched("mngnas").rows:
        cost = cells().cost(cells().from_string(row["arch"]), input_shape=(1, 8, 8))
        assert (row["params"], row["macs"]) == (cost.params, cost.macs)


# ---------------------------------------------------------------------- networks and weights


@pytest.mark.parametrize("name", ALL)
def test_the_network_has_the_accuracy_that_was_recorded(name):
    found = searched(name).result
    (row,) = (row for row in found.history.archs if row["arch"] == cells().to_string(found.best.arch))
    recorded = row["accuracy_perturbed"] if row["perturbed"] else row["accuracy"]
    measured = rank(found.network, [found.best.arch], digits(), bn=SMALL.bn, progress=False).accuracy[0]
    assert measured == recorded and found.best.accuracy == row["accuracy"]
    assert not found.network.training and found.network.arch == found.best.arch


def test_the_accuracy_before_is_that_of_the_supernet():
    rows = searched("mngnas").rows
    archs = [cells().from_string(row["arch"]) for row in rows]
    before = rank(supernet(), archs, digits(), bn=SMALL.bn, progress=False).accuracy
    assert [row["accuracy_before"] for row in rows] == before.tolist()


def test_batch_norm_statistics_are_those_that_were_asked_for():
    found = watched(replace(SMALL, bn="reestimate", search_epochs=1, algorithm=ALL["none"])).result
    archs = [cells().from_string(row["arch"]) for row in found.history.archs]
    before = rank(supernet(), archs, digits(), bn="reestimate", progress=False).accuracy.tolist()
    assert [row["accuracy_before"] for row in found.history.archs] == before
    after = rank(found.network, [found.best.arch], digits(), bn="reestimate", progress=False).accuracy
    assert found.best.accuracy == after[0] and equal_weights(supernet(), cells().supernet(in_channels=1, seed=0))


@pytest.mark.parametrize("was_training", [True, False])
def test_the_supernet_is_left_as_it_was(was_training):
    network = cells().supernet(num_classes=10, in_channels=1, seed=0).train(was_training)
    result = search(network, digits(), replace(SMALL, search_epochs=2), progress=False)
    assert equal_weights(network, supernet()) and network.training is was_training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    stored = {parameter.data_ptr() for parameter in network.parameters()}
    assert not stored & {parameter.data_ptr() for parameter in result.network.parameters()}


def test_students_start_from_the_supernet_and_none_moves_in_a_search_without_steps(monkeypatch):
    monkeypatch.setattr(RetrainConfig, "lr_at", lambda *_: 0.0)
    rows = watched(replace(SMALL, algorithm=ALL["none"], search_epochs=1)).rows
    assert [row["accuracy"] for row in rows] == [row["accuracy_before"] for row in rows]


# ---------------------------------------------------------------------- repeating


@pytest.mark.parametrize("name", ["mngnas", "average"])
def test_the_seed_decides_everything(name):
    config = replace(SMALL, algorithm=ALL[name])
    torch.manual_seed(1)
    assert same(watched(config).result, searched(name).result)
    other = watched(replace(config, seed=1, search_epochs=1)).rows
    assert [row["arch"] for row in other] != [row["arch"] for row in searched(name).rows[:4]]
    images = replace(config, search_epochs=1, retrain=replace(SMALL.retrain, seed=1))
    again = watched(images).rows
    assert [row["arch"] for row in again] == [row["arch"] for row in searched(name).rows[:4]]
    assert [row["loss"] for row in again] != [row["loss"] for row in searched(name).rows[:4]]


def test_recomputed_graphs_give_the_same_search():
    retrain = replace(SMALL.retrain, memory="recompute")
    one, two = (watched(replace(SMALL, retrain=retrain)).result for _ in range(2))
    assert same(one, two)
    held = searched("mngnas").result
    assert [row["arch"] for row in one.history.archs] == [row["arch"] for row in held.history.archs]
    for ours, theirs in zip(one.history.archs, held.history.archs, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=1e-4)


# ---------------------------------------------------------------------- small spaces and odd settings


def test_more_candidates_than_architectures_end_the_search_after_one_search_epoch():
    found = watched(replace(SMALL, candidates=20, removed=3), chain(1, 1))
    assert len(found.rows) == 9 and {row["search_epoch"] for row in found.rows} == {1}
    assert sorted(row["arch"] for row in found.rows) == sorted(map("".join, itertools.product("012", repeat=2)))


@pytest.mark.parametrize("proposals", ["evolution", "random"])
def test_a_space_that_is_used_up_ends_the_search(proposals):
    found = watched(replace(SMALL, search_epochs=5, proposals=proposals), chain(1, 1))
    assert [len(of_epoch(found.rows, epoch)) for epoch in range(1, 6)] == [4, 4, 1, 0, 0]
    assert found.result.best.accuracy == max(row["accuracy"] for row in found.rows)


def test_a_space_of_one_slot_is_searched():
    found = watched(replace(SMALL, candidates=2, group_size=1, removed=1, perturbed=4), chain(1))
    assert sorted(row["arch"] for row in found.rows) == ["0", "1", "2"]
    assert all(row["perturbed"] == (2 if row["entered"] else 0) for row in found.rows)


def test_a_lone_candidate_has_no_peers():
    found = watched(replace(SMALL, candidates=1, removed=0))
    assert len(found.rows) == 3
    assert all(row["beta_max"] == 0 and row["top_peer"] == "" for row in found.rows)
    assert {row["kind"] for row in found.result.history.coefficients} == {"teacher"}


@pytest.mark.parametrize("name", ["mngnas", "single", "average"])
def test_groups_of_nobody_mean_no_teachers(name):
    found = watched(replace(SMALL, algorithm=ALL[name], group_size=0, search_epochs=2))
    assert not any(guidance.teachers for _, guidance in found.retrainings)
    assert not any(row["entered"] or row["perturbed"] for row in found.rows)
    assert all(row["kind"] == "peer" for row in found.result.history.coefficients)
    assert found.result.best.accuracy == max(row["accuracy"] for row in found.rows)


def test_a_constraint_that_nothing_satisfies_is_named():
    with pytest.raises(ConfigError, match=r"no architecture of nasbench201 has at most 10 MACs .* the smallest has"):
        search(supernet(), digits(), replace(SMALL, max_macs=10), progress=False)


def test_only_a_supernet_can_be_searched():
    network = supernet().extract((0,) * 6)
    with pytest.raises(ConfigError, match="needs a SuperNet"):
        search(network, digits(), SMALL)


def test_too_few_images_are_named():
    config = replace(SMALL, retrain=replace(SMALL.retrain, batch_size=241))
    with pytest.raises(DataError, match="fewer than a batch of 241"):
        search(supernet(), digits(), config, progress=False)


def test_images_without_a_validation_part_are_named():
    bare = digits()
    empty = ImageData(**vars(bare) | {"valid": type(bare.valid)(bare.valid.images[:0], bare.valid.labels[:0])})
    with pytest.raises(DataError, match="valid part"):
        search(supernet(), empty, SMALL, progress=False)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"search_epochs": 0}, "search_epochs must be a whole number, at least 1; it is 0"),
        ({"candidates": 0}, "candidates must be a whole number, at least 1"),
        ({"candidates": 4.0}, "candidates must be a whole number"),
        ({"group_size": -1}, "group_size must be a whole number, at least 0"),
        ({"group_size": 2.5}, "group_size must be a whole number"),
        ({"removed": -1}, "removed must be a whole number, at least 0"),
        ({"perturbed": -1}, "perturbed must be a whole number, at least 0"),
        ({"seed": -1}, "seed must be a whole number, at least 0"),
        ({"threshold": -5}, "threshold between small and large must be 0 or more"),
        ({"threshold": float("nan")}, "threshold between small and large must be 0 or more"),
        ({"algorithm": "mngnas"}, "is only a name"),
        ({"perturb_epochs": 0.0}, "perturb_epochs must be a positive number"),
        ({"perturb_epochs": float("inf")}, "perturb_epochs must be a positive number"),
        ({"perturb_lr": float("nan")}, "perturb_lr must be a positive number"),
        ({"crossover_ratio": 1.5}, "share from 0 to 1, not 1.5"),
        ({"proposals": "grid"}, "choose evolution or random"),
        ({"bn": "none"}, "choose one of batch, reestimate, inherited"),
    ],
)
def test_settings_out_of_range_are_named(setting, message):
    with pytest.raises(ConfigError, match=message):
        SearchConfig(**setting)


def test_images_of_another_kind_than_the_supernets_are_refused(cells, digits):
    for sizes in ({"in_channels": 3, "num_classes": 10}, {"in_channels": 1, "num_classes": 5}):
        with pytest.raises(ConfigError, match="use images like those it was trained on"):
            search(cells.supernet(seed=0, **sizes), digits, SearchConfig())
