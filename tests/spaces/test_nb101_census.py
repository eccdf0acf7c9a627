"""Counting and drawing the distinct cells of NAS-Bench-101."""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import product

import networkx as nx
import numpy as np
import pytest
from nasbench_pytorch.model.graph_util import hash_module, is_full_dag
from scipy.stats import chisquare

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import EDGES, OPERATIONS, canonical, from_matrix, problem, wiring
from mngnas_lib.spaces.nasbench101_census import CELLS_BY_NODES, VALID_MATRICES, census, graph_codes

SPACE = get_space("nasbench101")
#: As the benchmark's authors published it
PUBLISHED = 423_624


def matrices(count):
    """All official matrices of ``count`` nodes in the official order of enumeration."""
    edges = [(source, target) for target in range(count) for source in range(target)]
    for code in range(1 << len(edges)):
        if code.bit_count() <= 9:
            matrix = np.zeros((count, count), int)
            for index, edge in enumerate(edges):
                matrix[edge] = code >> index & 1
            if is_full_dag(matrix):
                yield matrix


@cache
def valid_entries():
    """Which of all 2^21 matrices are valid, and the truth of each entry: (2^21,) and (21, 2^21)."""
    codes = np.arange(1 << 21)
    entries = {edge: (codes >> index & 1).astype(bool) for index, edge in enumerate(EDGES)}
    reached, leading = {0: np.ones(len(codes), bool)}, {6: np.ones(len(codes), bool)}
    for node in range(1, 7):
        reached[node] = np.any([reached[source] & entries[source, node] for source in range(node)], axis=0)
    for node in range(5, -1, -1):
        leading[node] = np.any([leading[end] & entries[node, end] for end in range(node + 1, 7)], axis=0)
    alive = [reached[node] & leading[node] for node in range(7)]
    counts = np.sum([entry & alive[a] & alive[b] for (a, b), entry in entries.items()], axis=0)
    return alive[0] & (counts <= 9), np.array(list(entries.values()))


@cache
def every_cell():
    return SPACE.canonical_archs()


# ---------------------------------------------------------------------- counts


def test_there_are_as_many_cells_as_published():
    assert len(census()) == sum(CELLS_BY_NODES.values()) == PUBLISHED
    nodes = Counter()
    for entries, labellings in zip(census().entries, census().labellings, strict=True):
        nodes[len(wiring(entries).nodes)] += len(labellings)
    assert nodes == CELLS_BY_NODES


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_small_cells_are_those_that_the_official_enumeration_keeps(count):
    """The first matrix and operations of each hash, as the benchmark's authors enumerated them."""
    kept = {}
    for matrix in matrices(count):
        for labels in product(range(3), repeat=count - 2):
            fingerprint = hash_module(matrix, [-1, *labels, -2])
            kept.setdefault(fingerprint, from_matrix(matrix, ("input", *(OPERATIONS[i] for i in labels), "output")))
    assert len(kept) == CELLS_BY_NODES[count]
    first = sum(CELLS_BY_NODES[n] for n in range(2, count))
    assert {census().cell(first + i) for i in range(len(kept))} == set(kept.values())


def automorphisms(entries):
    """Cycles of each automorphism of a graph on its operations, found by networkx."""
    graph = nx.DiGraph(wiring(entries).edges)
    for mapping in nx.algorithms.isomorphism.DiGraphMatcher(graph, graph).isomorphisms_iter():
        cycles, seen = 0, {0, 6}
        for node in mapping:
            cycles += node not in seen
            while node not in seen:
                seen.add(node)
                node = mapping[node]
        yield cycles


def test_burnside_counts_the_same_for_every_graph():
    """Labellings that differ are as many as the mean, over automorphisms, of those that one leaves as they are."""
    for entries, labellings in list(zip(census().entries, census().labellings, strict=True))[::8]:
        fixed = [3**cycles for cycles in automorphisms(entries)]
        assert Fraction(sum(fixed), len(fixed)) == len(labellings)


def test_graphs_make_up_all_matrices():
    """Each graph can be written in as many ways as it has orders of nodes, divided by its automorphisms."""
    graphs = dict.fromkeys((2, 3, 4, 5), Fraction(0))
    for entries in census().entries:
        nodes, edges = wiring(entries)
        if len(nodes) in graphs:
            orders = sum(1 for _ in nx.all_topological_sorts(nx.DiGraph(edges)))
            graphs[len(nodes)] += Fraction(orders, sum(1 for _ in automorphisms(entries)))
    assert graphs == {count: sum(1 for _ in matrices(count)) for count in graphs}
    assert [len(graph_codes(count)) for count in range(2, 6)] == [1, 2, 10, 97]


def test_all_cells_are_different_and_canonical():
    archs = every_cell()
    assert len(set(archs)) == PUBLISHED and list(archs) == sorted(archs)
    for arch in archs[::101]:
        assert canonical(arch) == arch and problem(arch) is None


def test_valid_matrices_are_counted_once():
    valid, _ = valid_entries()
    assert valid.sum() == VALID_MATRICES
    assert SPACE.size == VALID_MATRICES * 3**5
    for code in range(0, len(valid), 4999):
        assert valid[code] == (problem((*(code >> index & 1 for index in range(21)), 0, 0, 0, 0, 0)) is None)


# ---------------------------------------------------------------------- draws


def test_every_cell_is_equally_likely():
    """20,000 cells: nodes, edges, poolings, and what leads to the output, against those of all cells."""
    drawn = SPACE.sample_distinct(20_000, np.random.default_rng(0))
    assert len(set(drawn)) == 20_000

    def describe(archs):
        table = np.array(archs, np.int8)
        entered = [table[:, [i for i, (_, end) in enumerate(EDGES) if end == node]].any(1) for node in range(1, 6)]
        to_output = table[:, [i for i, (_, end) in enumerate(EDGES) if end == 6]] @ (1 << np.arange(6))
        return np.sum(entered, axis=0), table[:, :21].sum(1), (table[:, 21:] == 2).sum(1), to_output

    for everyone, found in zip(describe(every_cell()), describe(drawn), strict=True):
        expected = np.bincount(everyone).astype(float)
        observed = np.bincount(found, minlength=len(expected))
        common = expected > 500
        share = observed[common].sum() / expected[common].sum()
        assert chisquare(observed[common], expected[common] * share).pvalue > 1e-4


def test_cells_of_a_small_family_come_equally_often():
    """The 91 cells of at most four nodes, drawn by number; some of them can be written in 30 ways, others in one."""
    rng, family = np.random.default_rng(1), sum(CELLS_BY_NODES[n] for n in (2, 3, 4))
    counts = Counter(map(census().cell, rng.integers(family, size=9100).tolist()))
    assert len(counts) == family == 91
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_draws_over_matrices_are_uniform_over_the_valid_ones():
    rng = np.random.default_rng(2)
    drawn = np.array([SPACE.sample(rng) for _ in range(6000)])
    valid, entries = valid_entries()
    expected = entries[:, valid].mean(1)
    error = np.sqrt(expected * (1 - expected) / len(drawn))
    assert (np.abs(drawn[:, :21].mean(0) - expected) < 4.5 * error).all()
    assert np.abs(expected - 0.5).max() > 0.05  # rejection makes some edges rarer
    for node in range(21, 26):
        assert chisquare(np.bincount(drawn[:, node], minlength=3)).pvalue > 1e-4


def test_more_than_there_are_cannot_be_drawn():
    with pytest.raises(ConfigError, match="has 423624 distinct architectures"):
        SPACE.sample_distinct(PUBLISHED + 1, np.random.default_rng(0))
    with pytest.raises(ConfigError, match="has 373754169 distinct architectures"):
        SPACE.sample_distinct(10**9, np.random.default_rng(0), canonical=False)
