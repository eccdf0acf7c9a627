"""Who teaches whom, against brute force over the rows of the history."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from search_cases import ALL, SMALL, STEPS, beaten, cells, chain, searched, watched

from mngnas_lib.distill.algorithms import ALGORITHMS, Algorithm
from mngnas_lib.search import Member
from mngnas_lib.search.teaching import choose_teachers, entrants, taught_by

MEMBERS = st.lists(
    st.builds(
        Member,
        arch=st.tuples(st.integers(0, 9), st.integers(0, 9)),
        macs=st.sampled_from([10, 20, 21, 30]),
        accuracy=st.sampled_from([0.1, 0.5, 0.9]),
    ),
    max_size=12,
    unique_by=lambda member: member.arch,
)


def expected_teachers(name, rows, threshold, size=SMALL.group_size):
    """Notations of those that teach after ``rows``, by counting for each row how many beat it."""
    kind = ALL[name].teachers
    if kind == "groups":
        small = [row for row in rows if row["macs"] <= threshold]
        large = [row for row in rows if row["macs"] > threshold]
        return {row["arch"] for group in (small, large) for row in group if beaten(row, group) < size}
    places = {"none": 0, "single": 1, "best": 2 * size}[kind]
    return {row["arch"] for row in rows if beaten(row, rows) < places}


def earlier(rows, epoch):
    return [row for row in rows if row["search_epoch"] < epoch]


# ---------------------------------------------------------------------- in a search


@pytest.mark.parametrize("name", ALL)
def test_the_first_search_epoch_has_labels_only(name):
    archs, guidance = searched(name).retrainings[0]
    assert len(archs) == 4 and guidance.is_empty
    first = [row for row in searched(name).result.history.curves if row["search_epoch"] == 1]
    assert first and all(row["teachers"] == row["peers"] == 0 < row["labels"] for row in first)


@pytest.mark.parametrize("name", ALL)
def test_the_teachers_are_those_that_brute_force_finds(name):
    found, text = searched(name), cells().to_string
    for epoch, (_, guidance) in enumerate(found.retrainings[1:], start=2):
        teaching = [text(teacher.arch) for teacher in guidance.teachers]
        expected = expected_teachers(name, earlier(found.rows, epoch), found.result.threshold)
        assert len(teaching) == len(expected) and set(teaching) == expected
        assert (guidance.peers, guidance.weights) == (ALL[name].peers, ALL[name].weights)


@pytest.mark.parametrize("name", ALL)
def test_students_learn_from_their_side_where_there_are_sides(name):
    found = searched(name)
    macs = {row["arch"]: row["macs"] for row in found.rows}
    text, threshold = cells().to_string, found.result.threshold
    for archs, guidance in found.retrainings[1:]:
        for arch, taught in zip(archs, guidance.taught.tolist(), strict=True):
            for teacher, is_taught in zip(guidance.teachers, taught, strict=True):
                sides = [macs[text(a)] <= threshold for a in (arch, teacher.arch)]
                assert is_taught is (ALL[name].teachers != "groups" or sides[0] == sides[1])


@pytest.mark.parametrize("name", ALL)
def test_coefficients_in_the_history_are_of_those_who_taught(name):
    found, text = searched(name), cells().to_string
    table = found.result.table("coefficients")
    for epoch, (archs, guidance) in enumerate(found.retrainings, start=1):
        students = [text(arch) for arch in archs]
        teachers = [text(teacher.arch) for teacher in guidance.teachers]
        for student, taught in zip(students, guidance.taught.tolist(), strict=True):
            own = table[(table["search_epoch"] == epoch) & (table["student"] == student)]
            groups = {
                "teacher": {name for name, is_taught in zip(teachers, taught, strict=True) if is_taught},
                "peer": set(students) - {student} if guidance.peers else set(),
            }
            for kind, members in groups.items():
                rows = own[own["kind"] == kind]
                assert set(rows["member"]) <= members
                if members:
                    assert rows["coefficient"].sum() == pytest.approx(1.0, abs=1e-9)
                if members and guidance.weights == "uniform":
                    assert set(rows["member"]) == members
                    assert rows["coefficient"].tolist() == pytest.approx([1 / len(members)] * len(members))


@pytest.mark.parametrize("name", ["mngnas", "adaptive"])
def test_the_largest_coefficients_are_named_with_the_architectures(name):
    found = searched(name)
    table = found.result.table("coefficients")
    for row in found.rows:
        for kind, top, value in (("teacher", "top_teacher", "alpha_max"), ("peer", "top_peer", "beta_max")):
            own = table[(table["student"] == row["arch"]) & (table["kind"] == kind)]
            assert row[value] == (own["coefficient"].max() if len(own) else 0.0)
            assert (row[top] in set(own["member"])) if len(own) else row[top] == ""


@pytest.mark.parametrize("name", ALL)
def test_entered_marks_those_that_became_teachers(name):
    found = searched(name)
    for row in found.rows:
        after = [other for other in found.rows if other["search_epoch"] <= row["search_epoch"]]
        assert row["entered"] is (row["arch"] in expected_teachers(name, after, found.result.threshold))


@pytest.mark.parametrize("name", ["searched", "mngnas", "average"])
def test_teachers_have_their_own_retrained_weights(name):
    found = searched(name)
    again = watched(replace(found.config, search_epochs=1))
    best = again.result.network
    (teacher,) = (t for t in found.retrainings[1][1].teachers if t.arch == again.result.best.arch)
    for ours, theirs in zip(teacher.parameters(), best.parameters(), strict=True):
        assert torch.equal(ours, theirs) and not ours.requires_grad
    assert not teacher.training


def test_the_threshold_is_the_median_of_the_first_candidates_unless_it_is_given():
    macs = sorted(row["macs"] for row in searched("mngnas").rows[:4])
    assert searched("mngnas").result.threshold == (macs[1] + macs[2]) / 2
    found = watched(replace(SMALL, threshold=macs[0], search_epochs=2))
    assert found.result.threshold == macs[0]
    assert [row["group"] for row in found.rows] == [
        "small" if row["macs"] <= macs[0] else "large" for row in found.rows
    ]


def test_a_side_without_teachers_leaves_its_students_to_their_peers():
    smallest, *_ = sorted(row["macs"] for row in searched("mngnas").rows)
    config = replace(SMALL, threshold=smallest - 1, search_epochs=2)
    found = watched(config)
    assert {row["group"] for row in found.rows} <= {"large", "small"}
    for archs, guidance in found.retrainings[1:]:
        for arch, taught in zip(archs, guidance.taught, strict=True):
            row = next(row for row in found.rows if row["arch"] == cells().to_string(arch))
            assert bool(taught.any()) is (row["group"] == "large")


# ---------------------------------------------------------------------- the functions


@pytest.mark.parametrize("name", ALGORITHMS)
def test_nobody_teaches_before_anything_was_retrained(name):
    assert choose_teachers(ALGORITHMS[name], [], 20.0, 5) == ()


@settings(max_examples=60, deadline=None)
@given(MEMBERS, st.integers(0, 4), st.sampled_from(["none", "single", "best", "groups"]))
def test_as_many_teach_as_there_are_places_and_members(members, size, kind):
    chosen = choose_teachers(Algorithm(kind, "adaptive", True, False), members, 20.0, size)
    small = sum(member.macs <= 20 for member in members)
    places = {
        "none": 0,
        "single": min(1, size, len(members)),
        "best": min(2 * size, len(members)),
        "groups": min(size, small) + min(size, len(members) - small),
    }
    assert len(chosen) == len(set(chosen)) == places[kind] and set(chosen) <= set(members)
    # nobody who teaches is less accurate than one who does not and could have
    for left_out in set(members) - set(chosen):
        rivals = [m for m in chosen if kind != "groups" or (m.macs <= 20) == (left_out.macs <= 20)]
        assert all(rival.accuracy >= left_out.accuracy for rival in rivals)


@settings(max_examples=30, deadline=None)
@given(MEMBERS, MEMBERS)
def test_entrants_are_new(before, after):
    entered = entrants(before, after)
    assert set(entered) == {m.arch for m in after} - {m.arch for m in before}


def test_a_student_at_the_threshold_is_small():
    teachers = [Member((0,), 20, 0.5), Member((1,), 21, 0.5)]
    mask = taught_by(ALGORITHMS["mngnas"], [10, 20, 21], teachers, 20.0)
    assert mask.tolist() == [[True, False], [True, False], [False, True]]
    assert taught_by(ALGORITHMS["average"], [10, 21], teachers, 20.0).all()
    assert taught_by(ALGORITHMS["mngnas"], [10, 20], [], 20.0).shape == (2, 0)


# ---------------------------------------------------------------------- perturbation


@pytest.mark.parametrize("name", ALL)
def test_those_that_enter_and_no_others_are_perturbed(name):
    for row in searched(name).rows:
        expected = SMALL.perturbed if row["entered"] and ALL[name].perturbation else 0
        assert row["perturbed"] == expected
        assert (row["accuracy_perturbed"] == row["accuracy_perturbed"]) is (expected > 0)  # NaN without
    table = searched(name).result.table("perturbation")
    assert set(table["arch"]) == {row["arch"] for row in searched(name).rows if row["perturbed"]}
    assert (table.groupby("arch")["step"].max() == STEPS).all()


def test_fewer_neighbours_give_fewer_perturbed_architectures():
    found = watched(replace(SMALL, perturbed=9, search_epochs=2), chain(1, 1))
    # each of two slots has two other choices
    assert {row["perturbed"] for row in found.rows if row["entered"]} == {4}


def test_without_perturbed_architectures_teachers_stay_as_they_are():
    found = watched(replace(SMALL, perturbed=0))
    assert not any(row["perturbed"] for row in found.rows) and not found.result.history.perturbation
    assert any(row["entered"] for row in found.rows)
