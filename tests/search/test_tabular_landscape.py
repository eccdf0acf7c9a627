"""What a search on a table sees, and where it can go."""

from dataclasses import dataclass, replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_space import TinySpace

from mngnas_lib.benchmarks import Benchmark, Scores
from mngnas_lib.benchmarks.kit import KitBenchmark
from mngnas_lib.benchmarks.nasbench101 import CellBenchmark, notations
from mngnas_lib.errors import BenchmarkError, ConfigError
from mngnas_lib.search import tabular_landscape
from mngnas_lib.search.tabular_landscape import TRIES, Landscape, pick
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import EDGES

SPACE = TinySpace(macs=((0, 1), (0, 10, 20)))


def table(archs, valid, test, runs=None, dataset="cifar10") -> Benchmark:
    """A benchmark of a tiny space: two slots with two and three choices."""
    frame = pd.DataFrame({"arch": archs, "valid": valid, "test": test, "params": 1, "macs": 1})
    choices = np.array([[int(c) for c in arch] for arch in archs])
    return Benchmark("tiny", dataset, SPACE, choices, frame, runs, Path("tiny.csv"), "made up")


SHORT = table(["00", "01", "12", "11"], [0.1, 0.2, np.nan, 0.4], [0.0] * 4)
FULL = table(["11", "00", "12", "10", "01"], [0.5, 0.6, 0.7, 0.8, 0.9], [0.15, 0.16, 0.17, 0.18, 0.19])
OTHER = table(["00", "01", "11", "12"], [0.31, 0.32, 0.33, 0.34], [0.41, 0.42, 0.43, 0.44], dataset="cifar100")


def test_rewards_and_truths_are_of_the_same_architectures():
    landscape = Landscape.of(SHORT, [FULL, OTHER])
    assert landscape.choices.tolist() == [[0, 0], [0, 1], [1, 1]]  # 12 has no reward, 10 is not in all tables
    assert landscape.sizes == (2, 3) and landscape.dataset == "cifar10"
    np.testing.assert_array_equal(landscape.reward, [0.1, 0.2, 0.4])
    np.testing.assert_array_equal(landscape.truth["cifar10"].valid, [0.6, 0.9, 0.5])
    np.testing.assert_array_equal(landscape.truth["cifar10"].test, [0.16, 0.19, 0.15])
    np.testing.assert_array_equal(landscape.truth["cifar100"].valid, [0.31, 0.32, 0.33])
    np.testing.assert_array_equal(landscape.truth["cifar100"].test, [0.41, 0.42, 0.43])
    assert landscape.about == "validation accuracy of tiny on cifar10"


def test_without_validation_one_run_is_searched_and_the_others_are_reported():
    runs = np.array([[0.1, 0.4, 0.6], [0.2, 0.3, np.nan], [0.3, np.nan, np.nan], [np.nan, 0.5, 0.5]])
    landscape = Landscape.of(table(["00", "01", "02", "10"], [np.nan] * 4, [0.9] * 4, runs))
    assert landscape.choices.tolist() == [[0, 0], [0, 1]]
    np.testing.assert_array_equal(landscape.reward, [0.1, 0.2])
    np.testing.assert_allclose(landscape.truth["cifar10"].test, [0.5, 0.3])
    assert landscape.truth["cifar10"].valid is None
    assert "one training run" in landscape.about and "its other runs" in landscape.about
    for runs in (None, np.full((4, 1), 0.5)):
        with pytest.raises(BenchmarkError, match="neither validation accuracies nor two training runs"):
            Landscape.of(table(["00", "01", "02", "10"], [np.nan] * 4, [0.9] * 4, runs))


def test_tables_that_do_not_belong_together():
    with pytest.raises(BenchmarkError, match="different search spaces"):
        Landscape.of(FULL, [replace(FULL, space=TinySpace(macs=((0, 1), (0, 1, 2))))])
    with pytest.raises(BenchmarkError, match="each data set once"):
        Landscape.of(SHORT, [FULL, FULL])
    with pytest.raises(BenchmarkError, match="no architecture in common"):
        Landscape.of(table(["02"], [0.1], [0.1]), [FULL])
    with pytest.raises(ConfigError, match="at least two architectures, this one has 1"):
        Landscape.of(table(["00"], [0.1], [0.1]))
    with pytest.raises(ConfigError, match="one finite reward"):
        Landscape(np.array([[0], [1]]), (2,), np.array([0.1, np.inf]), {"toy": Scores(np.zeros(2), None)})


def landscape_of(sizes, archs=None) -> Landscape:
    choices = np.array(list(np.ndindex(*sizes)) if archs is None else archs)
    order = np.random.default_rng(0).permutation(len(choices))  # tables are in any order
    zeros = np.zeros(len(choices))
    return Landscape(choices[order], sizes, zeros, {"toy": Scores(zeros, None)})


def frequencies(landscape, row, draws=6000):
    """How often each row is drawn as a neighbour of one."""
    luck = np.random.default_rng(1).random((draws, 2))
    return np.bincount(landscape.neighbours(np.full(draws, row), luck), minlength=len(landscape)) / draws


def test_neighbours_in_a_complete_table_differ_in_one_slot_and_are_equally_likely():
    landscape = landscape_of((2, 3, 4))
    for row in (0, 11, 23):
        distance = (landscape.choices != landscape.choices[row]).sum(axis=1)
        often = frequencies(landscape, row)
        assert (distance == 1).sum() == 6
        np.testing.assert_allclose(often[distance == 1], 1 / 6, atol=0.025)
        assert not often[distance != 1].any()


def test_the_first_number_alone_decides_where_a_complete_table_is_left():
    """Stored results of complete tables hang on this: the n-th of K changes, slot by slot, choice by choice upwards."""
    sizes = (2, 3, 4)
    landscape = landscape_of(sizes)
    changes = [(slot, step) for slot, size in enumerate(sizes) for step in range(1, size)]
    luck = np.random.default_rng(2).random((500, 2))
    rows = np.random.default_rng(3).integers(24, size=500)
    expected = landscape.choices[rows]
    for child, u in zip(expected, luck[:, 0], strict=True):
        slot, step = changes[int(u * len(changes))]
        child[slot] = (child[slot] + step) % sizes[slot]
    np.testing.assert_array_equal(landscape.choices[landscape.neighbours(rows, luck)], expected)


@pytest.mark.parametrize("tries", [1, 4])
def test_neighbours_in_an_incomplete_table(tries, monkeypatch):
    """Of 000, two of four changes lead to a row. Else it is one of the four nearest: these two, and two of the three at
    distance 2."""
    monkeypatch.setattr(tabular_landscape, "TRIES", tries)
    archs = [(0, 0, 0), (1, 0, 0), (0, 2, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
    landscape = landscape_of((2, 3, 2), archs)
    often = frequencies(landscape, int((landscape.choices.sum(axis=1) == 0).argmax()))
    chance = dict(zip(map(tuple, landscape.choices.tolist()), often, strict=True))
    missed = 0.5**tries
    near, far = (1 - missed) / 2 + missed / 4, missed / 6
    np.testing.assert_allclose([chance[arch] for arch in archs], [0, near, near, far, far, far, 0], atol=0.025)


def test_a_table_of_two_has_one_neighbour():
    landscape = landscape_of((5, 5), [(0, 0), (4, 4)])
    assert landscape.neighbours(np.array([0, 1]), np.full((2, 2), 0.99)).tolist() == [1, 0]


def test_what_is_wished_for_is_found_or_the_nearest_is():
    complete = landscape_of((2, 3, 4))
    wanted = np.array(list(np.ndindex(2, 3, 4)))
    np.testing.assert_array_equal(complete.choices[complete.nearest(wanted, np.zeros(24))], wanted)
    partial = landscape_of((2, 3, 2), [(0, 0, 0), (1, 2, 1), (1, 1, 1)])
    found = partial.choices[partial.nearest(np.array([(1, 2, 1), (0, 1, 0)]), np.zeros(2))]
    assert found.tolist() == [[1, 2, 1], [0, 0, 0]]
    luck = np.random.default_rng(0).random(2000)
    tied = partial.choices[partial.nearest(np.tile([1, 0, 1], (2000, 1)), luck)]
    assert set(map(tuple, tied.tolist())) == {(1, 2, 1), (1, 1, 1)}
    assert (tied[:, 1] == 1).mean() == pytest.approx(0.5, abs=0.05)


@dataclass(frozen=True)
class SortedSpace(TinySpace):
    """The order of choices does not count."""

    macs: tuple[tuple[int, ...], ...] = ((0, 1, 2), (0, 1, 2), (0, 1, 2))

    def canonical(self, arch):
        return tuple(sorted(arch))


def kit_table(archs, valid) -> KitBenchmark:
    fields = vars(table(archs, valid, [0.0] * len(archs)))
    names = ("name", "dataset", "choices", "table", "runs", "path", "about")
    return KitBenchmark(space=SortedSpace(), **{name: fields[name] for name in names})


def test_an_architecture_is_found_in_every_notation():
    benchmark = kit_table(["112", "000", "012", "222"], [0.4, np.nan, 0.2, 0.3])
    landscape = Landscape.of(benchmark)
    assert landscape.choices.tolist() == [[1, 1, 2], [0, 1, 2], [2, 2, 2]]  # 000 has no reward
    known = [arch for arch in product(range(3), repeat=3) if "".join(map(str, sorted(arch))) in ("112", "012", "222")]
    wanted = np.array(known)
    assert len(known) == 3 + 6 + 1
    rows = landscape.nearest(wanted, np.zeros(len(known)))
    np.testing.assert_array_equal(landscape.reward[rows], benchmark.scores(known).valid)
    assert landscape.find(np.array([(2, 1, 1), (0, 0, 0), (0, 0, 1), (0, 0, 7)])).tolist() == [0, -1, -1, -1]
    assert landscape.nearest(np.array([(0, 0, 2)]), np.zeros(1)).tolist() == [1]  # 012 differs in one slot


def test_a_step_finds_what_another_notation_of_it_is():
    """Of 001, six changes make 101 and 201, 011 and 021, 000 and 002: two of them are 012, one is 001 itself."""
    landscape = Landscape.of(kit_table(["001", "112", "012", "222"], [0.1, 0.2, 0.3, 0.4]))
    missed = (2 / 3) ** TRIES
    often = frequencies(landscape, 0)
    assert often[0] == 0
    # what is missed goes to the nearest rows, here all others
    np.testing.assert_allclose(often[1:], [missed / 3, 1 - missed + missed / 3, missed / 3], atol=0.025)


def small_cells() -> CellBenchmark:
    """All cells of NAS-Bench-101 with at most four nodes."""
    space = get_space("nasbench101")
    live = [place for place, edge in enumerate(EDGES) if edge in combinations((0, 1, 2, 6), 2)]
    cells = set()
    for entries in product((0, 1), repeat=len(live)):
        for operations in product(range(3), repeat=2):
            arch = np.zeros(26, dtype=int)
            arch[live], arch[21:23] = entries, operations
            if space.is_valid(arch):
                cells.add(space.canonical(arch))
    choices = np.array(sorted(cells), dtype=np.uint8)
    accuracy = np.random.default_rng(0).random(len(choices))
    frame = pd.DataFrame({"arch": notations(choices), "valid": accuracy, "test": accuracy, "params": 1, "macs": 1})
    return CellBenchmark("nasbench101", "cifar10", space, choices, frame, None, Path("cells.npz"), "made up")


def test_steps_between_cells_of_nasbench101():
    """As long as there is one among a few changes, a step leads to a cell that differs in one edge or operation."""
    benchmark = small_cells()
    landscape = Landscape.of(benchmark)
    assert len(landscape) == 1 + 6 + 84
    for row in (5, 40, 80):
        changes = []
        for slot, size in enumerate(landscape.sizes):
            for step in range(1, size):
                arch = landscape.choices[row].copy()
                arch[slot] = (arch[slot] + step) % size
                if benchmark.space.is_valid(arch):
                    cell = benchmark.space.to_string(benchmark.space.canonical(arch))
                    changes += benchmark.table.index[benchmark.table["arch"] == cell].tolist()
        changes = np.bincount([found for found in changes if found != row], minlength=len(landscape))
        missed = (1 - changes.sum() / 31) ** TRIES
        often = frequencies(landscape, row)
        np.testing.assert_array_less((1 - missed) * changes / changes.sum() - 0.02, often)
        assert often[changes == 0].sum() <= missed + 0.02


def test_whole_numbers_from_uniform_ones():
    assert pick(np.array([0.0, 0.24, 0.25, 0.999, np.nextafter(1, 0)]), 4).tolist() == [0, 0, 1, 3, 3]
    assert pick(np.nextafter(1, 0), 3 * 10**15) == 3 * 10**15 - 1
