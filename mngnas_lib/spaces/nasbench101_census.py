"""Every distinct cell of NAS-Bench-101, by number: what uniform sampling over cells needs.

A distinct cell is a graph whose nodes have no names, and operations on it. Graphs are listed by their representatives
(:func:`mngnas_lib.spaces.nasbench101_cells.normal_graph`); the automorphisms of a graph say which of its 3^k labellings
are the same cell, and the first of each is kept. Nothing is drawn and rejected, so every cell has the same chance.
"""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import permutations, product

import numpy as np

from mngnas_lib.spaces.base import Arch
from mngnas_lib.spaces.nasbench101_cells import CONV3, EDGES, MAX_EDGES, MAX_NODES, OPERATIONS, normal_graph

#: Distinct cells by their number of nodes; together 423,624, the published number
CELLS_BY_NODES = {2: 1, 3: 6, 4: 84, 5: 2_441, 6: 62_010, 7: 359_082}
#: Matrices (7, 7) that are valid cells, whatever the operations; isolated and dangling nodes are allowed in them
VALID_MATRICES = 1_538_083


class Census:
    """All distinct cells, numbered from 0 by their nodes, then graph, then operations."""

    def __init__(self) -> None:
        codes = [(count, code) for count in CELLS_BY_NODES for code in graph_codes(count).tolist()]
        graphs = [normal_graph(_entries(count, code)) for count, code in codes]
        self.entries = [graph.entries for graph in graphs]
        self.labellings = [_distinct_labellings(graph.orders) for graph in graphs]
        self.ends = np.cumsum([len(labellings) for labellings in self.labellings])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def cell(self, number: int) -> Arch:
        """The canonical architecture of one cell."""
        graph = int(np.searchsorted(self.ends, number, side="right"))
        choices = self.labellings[graph][number - int(self.ends[graph])]  # counted from the end of the graph's
        return (*self.entries[graph], *choices, *(CONV3,) * (MAX_NODES - 2 - len(choices)))


@lru_cache(maxsize=1)
def census() -> Census:
    """The census, made once (a fraction of a second)."""
    return Census()


def graph_codes(count: int) -> np.ndarray:
    """The representatives of all graphs of ``count`` nodes, none of which can be pruned, with at most nine edges.

    Returns:
        Matrices as binary numbers, rising; bit i is entry i of the upper triangle read column by column. A
        representative has the smallest number among all numberings of its nodes.
    """
    edges = [(source, target) for target in range(count) for source in range(target)]
    bit = {edge: 1 << index for index, edge in enumerate(edges)}
    codes = np.arange(1 << len(edges), dtype=np.int32)
    for node in range(count - 1):  # an edge leaves every node but the output, and enters every node but the input
        codes = codes[codes & sum(bit[edge] for edge in edges if edge[0] == node) != 0]
        codes = codes[codes & sum(bit[edge] for edge in edges if edge[1] == node + 1) != 0]
    codes = codes[sum(codes >> index & 1 for index in range(len(edges))) <= MAX_EDGES]
    for inner in permutations(range(1, count - 1)):
        order = (0, *inner, count - 1)
        forward = [((order[a], order[b]), (a, b)) for a, b in edges if order[a] < order[b]]
        backward = sum(bit.values()) - sum(bit[old] for old, _ in forward)
        possible = codes & backward == 0
        renumbered = np.zeros(int(possible.sum()), codes.dtype)
        for old, new in forward:
            renumbered |= np.where(codes[possible] & bit[old], bit[new], 0).astype(codes.dtype)
        is_first = np.ones(len(codes), bool)
        is_first[possible] = renumbered >= codes[possible]
        codes = codes[is_first]
    return codes


def _entries(count: int, code: int) -> tuple[int, ...]:
    """The 21 adjacency entries of a graph's number; the last node becomes the output, node 6."""
    edges = [(source, target) for target in range(count) for source in range(target)]
    present = {
        (source, target if target < count - 1 else MAX_NODES - 1)
        for index, (source, target) in enumerate(edges)
        if code >> index & 1
    }
    return tuple(int(edge in present) for edge in EDGES)


@cache
def _distinct_labellings(automorphisms: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """The labellings that come first among those which the automorphisms (orders of nodes 1 to k) make of them."""
    labellings = np.array(list(product(range(len(OPERATIONS)), repeat=len(automorphisms[0]))), np.int16)
    if labellings.shape[1] == 0:
        return ((),)
    powers = len(OPERATIONS) ** np.arange(labellings.shape[1])[::-1]
    numbers = labellings @ powers
    is_first = np.ones(len(labellings), bool)
    for order in automorphisms:
        is_first &= labellings[:, np.array(order) - 1] @ powers >= numbers
    return tuple(map(tuple, labellings[is_first].tolist()))
