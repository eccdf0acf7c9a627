"""Teacher groups: Eq. 24's order, their sizes, their sides, and that they never get worse."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.errors import ConfigError
from mngnas_lib.search import Member, TeacherGroups, best, update_group

#: Few values, so that there are many ties
MEMBERS = st.builds(
    Member,
    arch=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    macs=st.sampled_from([10, 20, 21, 30]),
    accuracy=st.sampled_from([0.1, 0.5, 0.5000001, 0.9]),
)
SEARCH_EPOCHS = st.lists(st.lists(MEMBERS, max_size=8, unique_by=lambda m: m.arch), max_size=5)
few = settings(max_examples=60, deadline=None)


def member(name, macs, accuracy):
    return Member((name,), macs, accuracy)


def test_the_most_accurate_come_first_and_between_equals_the_smallest():
    slow, fast = member(0, 30, 0.8), member(1, 10, 0.8)
    top, low = member(2, 90, 0.9), member(3, 5, 0.7)
    assert best([low, slow, fast, top], 4) == (top, fast, slow, low)
    assert update_group((top, slow), [low, fast], 2) == (top, fast)
    assert update_group((top, fast), [slow], 2) == (top, fast)


def test_full_ties_are_settled_by_the_architecture():
    one, two = Member((0, 1), 10, 0.5), Member((1, 0), 10, 0.5)
    assert best([two, one], 1) == best([one, two], 1) == (one,)


def test_an_architecture_counts_once_with_its_best_accuracy():
    assert best([member(0, 10, 0.5), member(0, 10, 0.6), member(1, 10, 0.4)], 3) == (
        member(0, 10, 0.6),
        member(1, 10, 0.4),
    )


def test_the_threshold_itself_is_small_and_each_side_teaches_its_own():
    at, above, far = member(0, 20, 0.5), member(1, 21, 0.6), member(2, 99, 0.7)
    groups, entered, left = TeacherGroups(threshold=20, size=1).update([at, above, far])
    assert groups.small == groups.teachers_of(20) == groups.teachers_of(1) == (at,)
    assert groups.large == groups.teachers_of(21) == (far,)
    assert (groups.side(20), groups.side(21)) == ("small", "large")
    assert groups.all == (at, far)
    assert entered == ((0,), (2,)) and left == ()


def test_update_says_who_entered_and_who_left():
    groups, _, _ = TeacherGroups(threshold=20, size=2).update([member(0, 10, 0.5), member(1, 10, 0.6)])
    newer, entered, left = groups.update([member(2, 10, 0.55), member(3, 30, 0.1), member(4, 10, 0.2)])
    assert entered == ((2,), (3,)) and left == ((0,),)
    assert newer.small == (member(1, 10, 0.6), member(2, 10, 0.55))
    assert groups.small == (member(1, 10, 0.6), member(0, 10, 0.5))  # the old groups are as they were
    assert newer.update([]) == (newer, (), ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        newer.size = 3


def test_without_teachers_the_groups_stay_empty():
    groups, entered, left = TeacherGroups(threshold=20, size=0).update([member(0, 10, 0.9), member(1, 30, 0.9)])
    assert groups.all == groups.teachers_of(10) == () and entered == left == ()


@few
@given(SEARCH_EPOCHS, st.integers(0, 4))
def test_groups_hold_the_best_seen_so_far_and_never_get_worse(search_epochs, size):
    groups, seen, inside = TeacherGroups(threshold=20, size=size), [], set()
    for newcomers in search_epochs:
        before, seen = groups, [*seen, *newcomers]
        groups, entered, left = groups.update(newcomers)
        for side, ok in (("small", lambda macs: macs <= 20), ("large", lambda macs: macs > 20)):
            old, new = getattr(before, side), getattr(groups, side)
            assert len(old) <= len(new) <= size
            assert all(ok(m.macs) for m in new) and len({m.arch for m in new}) == len(new)
            # place by place no less accurate, and no larger where it is as accurate
            assert all((-n.accuracy, n.macs) <= (-o.accuracy, o.macs) for n, o in zip(new, old, strict=False))
            kept = {m.arch for m in new}
            outside = [m for m in seen if ok(m.macs) and m.arch not in kept]
            assert not outside or len(new) == size
            assert all((-n.accuracy, n.macs) <= (-o.accuracy, o.macs) for n in new for o in outside)
        inside = (inside | set(entered)) - set(left)
        assert inside == {m.arch for m in groups.all}


@few
@given(st.lists(MEMBERS, max_size=12), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_newcomers_and_their_arrival_in_parts_do_not_matter(members, size, random):
    shuffled = random.sample(members, len(members))
    half = len(shuffled) // 2
    whole = best(members, size)
    assert best(shuffled, size) == whole
    assert update_group(best(shuffled[:half], size), shuffled[half:], size) == whole


@pytest.mark.parametrize("accuracy", [float("nan"), -0.1, 93.8])
def test_accuracies_are_fractions(accuracy):
    with pytest.raises(ConfigError, match="must be a fraction"):
        member(0, 10, accuracy)


def test_groups_that_cannot_be():
    with pytest.raises(ConfigError, match="cannot have -1 members"):
        TeacherGroups(threshold=20, size=-1)
    with pytest.raises(ConfigError, match="is NaN"):
        TeacherGroups(threshold=float("nan"), size=1)
    with pytest.raises(ConfigError, match="the small teacher group takes at most 1"):
        TeacherGroups(threshold=20, size=1, small=(member(0, 10, 0.5), member(1, 10, 0.5)))
    with pytest.raises(ConfigError, match="the large teacher group"):
        TeacherGroups(threshold=20, size=1, large=(member(0, 10, 0.5),))
