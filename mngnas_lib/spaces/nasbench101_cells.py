"""Cells of NAS-Bench-101 (Ying et al., ICML 2019): matrices, pruning, the official hash, one form for equal cells.

A cell is a directed graph of at most seven nodes: the input, up to five operations, the output. Its matrix is upper
triangular, entry (i, j) an edge from node i to node j, and it has at most nine edges once the nodes that lie on no way
from input to output are pruned. An architecture writes it as 26 numbers: the 21 entries above the diagonal of a 7x7
matrix, row by row, then the operations of nodes 1 to 5. Cells of fewer nodes have isolated nodes in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np

from mngnas_lib.errors import ArchError
from mngnas_lib.spaces.base import Arch

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
CONV3, CONV1, POOL = range(3)
INPUT, OUTPUT = "input", "output"
MAX_NODES, MAX_EDGES = 7, 9
#: (source, target) of each of the 21 first entries of an architecture
EDGES = tuple(combinations(range(MAX_NODES), 2))
_LAST = MAX_NODES - 1
_PLACE = {edge: index for index, edge in enumerate(EDGES)}


class Wiring(NamedTuple):
    """The part of a cell that counts.

    nodes: those on a way from input to output, in order, input and output included. edges: those between them.
    """

    nodes: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]


class NormalGraph(NamedTuple):
    """What all graphs that differ only by their nodes' names have in common.

    entries: the 21 adjacency entries of the representative. orders: every order of the nodes 1, 2, ... that gives it.
    """

    entries: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...]


# ---------------------------------------------------------------------- matrices


def to_matrix(arch: Sequence[int]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The adjacency matrix (7, 7) of ``arch``, uint8, and the labels of its seven nodes."""
    matrix = np.zeros((MAX_NODES, MAX_NODES), np.uint8)
    for (source, target), entry in zip(EDGES, arch, strict=False):
        matrix[source, target] = entry
    return matrix, (INPUT, *(OPERATIONS[choice] for choice in arch[len(EDGES) :]), OUTPUT)


def from_matrix(matrix: object, ops: Sequence[str]) -> Arch:
    """The architecture of an official matrix of 2 to 7 nodes; nodes keep their order, isolated ones fill up to seven.

    Nothing is pruned or reordered, and the cell may still break a limit: :func:`problem` tells.

    Args:
        matrix: square, of zeros and ones, upper triangular.
        ops: the label of each node: ``input``, operations, ``output``.

    Raises:
        ArchError: this is not a matrix with labels.
    """
    matrix, ops = _official(matrix, ops)
    count = len(ops)
    if count > MAX_NODES:
        raise ArchError(f"a cell of nasbench101 has at most {MAX_NODES} nodes, this one has {count}: prune it first")
    full = np.zeros((MAX_NODES, MAX_NODES), np.uint8)
    full[: count - 1, : count - 1] = matrix[:-1, :-1]
    full[: count - 1, -1] = matrix[:-1, -1]
    choices = [OPERATIONS.index(op) for op in ops[1:-1]]
    return (*(int(full[edge]) for edge in EDGES), *choices, *(CONV3,) * (MAX_NODES - count))


def prune(matrix: object, ops: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Matrix and labels without the nodes that lie on no way from input to output, as the official code prunes them.

    Raises:
        ArchError: this is not a matrix with labels, or no way leads from input to output.
    """
    matrix, ops = _official(matrix, ops)
    count = len(ops)
    successors = [{target for target in range(count) if matrix[source, target]} for source in range(count)]
    reached, leading = {0}, {count - 1}
    for node in range(count):
        if node in reached:
            reached |= successors[node]
    for node in reversed(range(count)):
        if successors[node] & leading:
            leading.add(node)
    kept = sorted(reached & leading)
    if not kept:
        raise ArchError("no way leads from the input of this cell to its output: add edges")
    return matrix[np.ix_(kept, kept)], tuple(ops[node] for node in kept)


def graph_hash(matrix: object, ops: Sequence[str]) -> str:
    """The official module hash: the key of a cell in the benchmark's files.

    Cells that prune to the same graph, but for their nodes' names, have the same hash.

    Raises:
        ArchError: this is not a matrix with labels, or no way leads from input to output.
    """
    matrix, ops = prune(matrix, ops)
    nodes = range(len(ops))
    labels = [-1, *(OPERATIONS.index(op) for op in ops[1:-1]), -2]
    before = [[source for source in nodes if matrix[source, node]] for node in nodes]
    after = [[target for target in nodes if matrix[node, target]] for node in nodes]
    names = [_md5(str((len(after[node]), len(before[node]), labels[node]))) for node in nodes]
    for _ in nodes:  # each round, a node learns of nodes one edge further away
        known = names
        names = [
            _md5("|".join(["".join(sorted(known[n] for n in ends)) for ends in (before[v], after[v])] + [known[v]]))
            for v in nodes
        ]
    return _md5(str(sorted(names)))


def _official(matrix: object, ops: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Matrix (n, n) of uint8 and labels, checked."""
    try:
        array, labels = np.asarray(matrix), tuple(ops)
        fits = array.dtype.kind in "biu" and array.shape == (len(labels),) * 2 and len(labels) >= 2
        fits = fits and bool(((array == 0) | (array == 1)).all()) and not np.tril(array).any()
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ArchError(
            "a cell of nasbench101 is a square, upper triangular matrix of zeros and ones with a label for each node, "
            f"not {matrix!r} with {ops!r}"
        )
    if labels[0] != INPUT or labels[-1] != OUTPUT or not set(labels[1:-1]) <= set(OPERATIONS):
        raise ArchError(f"the nodes of a cell are input, any of {', '.join(OPERATIONS)}, and output, not {labels!r}")
    return array.astype(np.uint8), labels


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


# ---------------------------------------------------------------------- architectures


@lru_cache(maxsize=1 << 16)
def wiring(entries: tuple[int, ...]) -> Wiring:
    """The nodes and edges that count, from the 21 first entries of an architecture. Both empty: nothing does."""
    successors = [0] * MAX_NODES
    for (source, target), entry in zip(EDGES, entries, strict=True):
        if entry:
            successors[source] |= 1 << target
    reached, leading = 1, 1 << _LAST
    for node in range(MAX_NODES):
        if reached >> node & 1:
            reached |= successors[node]
    for node in reversed(range(MAX_NODES)):
        if successors[node] & leading:
            leading |= 1 << node
    alive = reached & leading
    nodes = tuple(node for node in range(MAX_NODES) if alive >> node & 1)
    edges = tuple((a, b) for a, b in combinations(nodes, 2) if entries[_PLACE[a, b]])
    return Wiring(nodes, edges)


@lru_cache(maxsize=1 << 16)
def node_channels(entries: tuple[int, ...], outputs: int) -> dict[int, int]:
    """The output channels of each node of a valid cell but the input, which has what it is given.

    The nodes that lead to the output divide its ``outputs`` channels among them, as they are concatenated; the first
    ones have one more where some are left over. Any other node has as many as the widest node that it leads to, and a
    node takes no more of its sources' channels than it has itself.
    """
    nodes, edges = wiring(entries)
    last = [source for source, target in edges if target == _LAST and source]
    channels = {_LAST: outputs}
    for place, node in enumerate(last):
        channels[node] = outputs // len(last) + (place < outputs % len(last))
    for node in reversed(nodes[1:-1]):
        if node not in channels:
            channels[node] = max(channels[target] for source, target in edges if source == node)
    return channels


def problem(arch: Sequence[int]) -> str | None:
    """What keeps 26 known choices from being a cell of the benchmark; None if nothing does."""
    nodes, edges = wiring(tuple(arch[: len(EDGES)]))
    if not nodes:
        return "no way leads from input to output"
    if len(edges) > MAX_EDGES:
        return f"it has {len(edges)} edges after pruning, and the benchmark allows {MAX_EDGES}"
    return None


def canonical(arch: Sequence[int]) -> Arch:
    """The representative of all cells that prune to the same graph, but for their nodes' names.

    Of all ways to number the nodes it takes the first in the order in which the benchmark's authors enumerated cells
    (column-wise matrix as a binary number, then operations), so that it is the cell that they trained. Isolated nodes
    come last and carry the first operation.

    Raises:
        ArchError: no way leads from input to output.
    """
    entries, orders = normal_graph(tuple(arch[: len(EDGES)]))
    offset = len(EDGES) - 1  # node 1's operation follows the edges
    choices = min(tuple(int(arch[offset + node]) for node in order) for order in orders)
    return (*entries, *choices, *(CONV3,) * (MAX_NODES - 2 - len(choices)))


@lru_cache(maxsize=1 << 16)
def normal_graph(entries: tuple[int, ...]) -> NormalGraph:
    """The representative of a graph without operations.

    Raises:
        ArchError: no way leads from input to output.
    """
    nodes, edges = wiring(entries)
    if not nodes:
        raise ArchError("no way leads from the input of this cell to its output: add edges")
    count = len(nodes)
    place = {node: index for index, node in enumerate(nodes)}
    matrix = np.zeros((count, count), bool)
    for source, target in edges:
        matrix[place[source], place[target]] = True
    numberings, sources, targets, powers = _numberings(count)
    renumbered = matrix[numberings[:, sources], numberings[:, targets]]
    codes = renumbered @ powers
    codes[renumbered.sum(1) < len(edges)] = np.iinfo(codes.dtype).max  # an edge would lead backwards
    best = int(codes.min())
    new = [0] * len(EDGES)
    for index, (source, target) in enumerate(zip(sources.tolist(), targets.tolist(), strict=True)):
        if best >> index & 1:
            new[_PLACE[source, target if target < count - 1 else _LAST]] = 1
    orders = tuple(tuple(nodes[place] for place in row[1:-1]) for row in numberings[codes == best].tolist())
    return NormalGraph(tuple(new), orders)


@lru_cache(maxsize=MAX_NODES)
def _numberings(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All ways to number ``count`` nodes with input first and output last; and the edges, column by column.

    Returns:
        numberings (n, count): which node comes at each place; sources and targets (edges,) of the matrix's entries, and
        the power of two of each.
    """
    inner = permutations(range(1, count - 1))
    numberings = np.array([(0, *order, count - 1) for order in inner])
    edges = [(source, target) for target in range(count) for source in range(target)]
    sources, targets = np.array(edges).T
    return numberings, sources, targets, 1 << np.arange(len(edges))
