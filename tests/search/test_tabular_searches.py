"""Searches on tables: their mechanics by hand, and what they share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.benchmarks import Scores
from mngnas_lib.errors import ConfigError
from mngnas_lib.search import tabular
from mngnas_lib.search.tabular import (
    SEARCHERS,
    EvolutionConfig,
    TabularConfig,
    best_so_far,
    queries_in,
    regrets,
    search_table,
)
from mngnas_lib.search.tabular_landscape import Landscape


def grid(sizes=(3, 4, 2), kept=None, seed=0) -> Landscape:
    """A table with random rewards, of all architectures or of some; test accuracies are other random numbers."""
    choices = np.array(list(np.ndindex(*sizes)))
    rng = np.random.default_rng(seed)
    if kept is not None:
        choices = choices[np.sort(rng.permutation(len(choices))[:kept])]
    reward, test = rng.random((2, len(choices)))
    return Landscape(choices, sizes, reward, {"toy": Scores(test, None)})


def evolve(landscape, luck, monkeypatch, **settings):
    """Regularised evolution of one search with given random numbers, (queries, sample + 2)."""
    monkeypatch.setattr(tabular, "_luck", lambda *_: np.array([luck]))
    return SEARCHERS["REA"](landscape, len(luck), [0], TabularConfig(EvolutionConfig(**settings)))[0].tolist()


def test_evolution_by_hand(monkeypatch):
    """One slot with eight choices, the higher the better; a population of three, two of which compete."""
    landscape = Landscape(np.arange(8)[:, None], (8,), np.arange(8) / 10, {"toy": Scores(np.arange(8) / 10, None)})
    # a neighbour of c is c + 1 + floor(7 u), modulo 8
    luck = [
        [0.80, 0, 0, 0],  # 6: the best, and the first to die
        [0.26, 0, 0, 0],  # 2
        [0.13, 0, 0, 0],  # 1
        [0.00, 0.40, 0.0, 0],  # rivals 6 and 2: the parent is 6, its child 7
        [0.00, 0.70, 0.0, 0],  # 6 is dead: rivals 2 and 7; the parent is 7, its child 0
        [0.00, 0.40, 0.3, 0],  # 2 is dead: rivals 1 and 7; the parent is 7, its child 7 + 3 = 2
        [0.00, 0.40, 0.0, 0],  # 1 is dead: rivals 7 and 0; 7 -> 0
        [0.40, 0.70, 0.3, 0],  # 7 is dead, however good: alive are 0, 2, 0; rivals 2 and 0; 2 -> 5
    ]
    assert evolve(landscape, luck, monkeypatch, population=3, sample=2) == [6, 2, 1, 7, 0, 2, 0, 5]


def test_the_tournament_is_won_by_the_best_of_the_sample():
    """With a sample as large as this, each parent is the best alive, and its child one slot away."""
    landscape = grid()
    config = TabularConfig(EvolutionConfig(population=5, sample=200))
    for rows in search_table("REA", landscape, 60, range(5), config):
        for query in range(5, 60):
            alive = rows[query - 5 : query]
            parent = alive[landscape.reward[alive].argmax()]
            assert (landscape.choices[rows[query]] != landscape.choices[parent]).sum() == 1


def test_children_descend_from_the_living():
    landscape = grid()
    for rows in search_table("REA", landscape, 80, range(3)):
        for query in range(10, 80):
            alive = landscape.choices[rows[query - 10 : query]]
            assert (alive != landscape.choices[rows[query]]).sum(axis=1).tolist().count(1) >= 1


def expected_best(landscape: Landscape, queries: int) -> float:
    """Mean test accuracy of the best by reward of n uniform draws: the k-th of N in order of reward wins with
    probability (k / N)^n - ((k - 1) / N)^n."""
    ranks = np.arange(len(landscape) + 1) / len(landscape)
    chance = np.diff(ranks**queries)
    return float(chance @ landscape.truth["toy"].test[landscape.reward.argsort()])


@pytest.mark.parametrize("queries", [1, 5, 20])
def test_random_search_finds_what_the_formula_says(queries):
    landscape = grid()
    found = best_so_far(landscape, search_table("random search", landscape, queries, range(4000)))[:, -1]
    test = landscape.truth["toy"].test[found]
    assert test.mean() == pytest.approx(expected_best(landscape, queries), abs=4 * test.std() / np.sqrt(4000) + 1e-12)


@pytest.mark.parametrize("name", SEARCHERS)
@pytest.mark.parametrize("kept", [None, 12])
def test_a_seed_knows_nothing_of_other_seeds_nor_of_later_queries(name, kept):
    landscape = grid(kept=kept)
    together = search_table(name, landscape, 40, [7, 3, 5])
    assert together.shape == (3, 40) and together.min() >= 0 and together.max() < len(landscape)
    np.testing.assert_array_equal(together, search_table(name, landscape, 40, [7, 3, 5]))
    np.testing.assert_array_equal(together[1:2], search_table(name, landscape, 40, [3]))
    np.testing.assert_array_equal(together[:, :15], search_table(name, landscape, 15, [7, 3, 5]))
    assert not np.array_equal(together[0], together[1])


@pytest.mark.parametrize("name", SEARCHERS)
def test_a_search_may_end_before_it_gets_going(name):
    assert search_table(name, grid(), 1, [0, 1]).shape == (2, 1)


def test_searches_beat_random_search_where_slots_add_up():
    """A reward that is a sum over slots is easy to climb, both for evolution and for a policy."""
    choices = np.array(list(np.ndindex(4, 4, 4, 4, 4)))
    reward = choices.sum(axis=1) / 15
    landscape = Landscape(choices, (4,) * 5, reward, {"toy": Scores(reward, None)})
    ends = {name: best_so_far(landscape, search_table(name, landscape, 300, range(50)))[:, -1] for name in SEARCHERS}
    means = {name: reward[rows].mean() for name, rows in ends.items()}
    assert means["REA"] > means["random search"] + 0.02
    assert means["REINFORCE"] > means["random search"] + 0.02


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), min_size=7, max_size=7), min_size=1, max_size=3))
def test_best_so_far_is_a_running_argmax(queried):
    landscape = Landscape(
        np.arange(6)[:, None], (6,), np.array([0.3, 0.1, 0.3, 0.2, 0.5, 0.5]), {"toy": Scores(np.arange(6) / 6, None)}
    )
    rows = np.array(queried)
    for line, best in zip(rows, best_so_far(landscape, rows), strict=True):
        for query in range(7):
            assert best[query] == max(line[: query + 1], key=lambda row: landscape.reward[row])  # the first of equals
    np.testing.assert_allclose(regrets(landscape, rows), 5 / 6 - rows / 6)


def test_published_times_in_queries():
    assert (queries_in(12_000), queries_in(20_000)) == (106, 177)


def test_what_cannot_be_searched_is_named():
    with pytest.raises(ConfigError, match="choose one of REA, REINFORCE, random search"):
        search_table("BOHB", grid(), 5, [0])
    with pytest.raises(ConfigError, match="at least one query, not 0"):
        search_table("REA", grid(), 0, [0])
    for seeds in ([], [-1]):
        with pytest.raises(ConfigError, match="at least one seed"):
            search_table("REA", grid(), 5, seeds)
    with pytest.raises(ConfigError, match="at least one, not 0 and 3"):
        EvolutionConfig(population=0)
