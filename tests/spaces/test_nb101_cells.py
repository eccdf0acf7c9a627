"""Cells of NAS-Bench-101 against the official pruning, hash and channel rule, as nasbench-pytorch carries them."""

import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasbench_pytorch.model.graph_util import hash_module
from nasbench_pytorch.model.model import compute_vertex_channels
from nasbench_pytorch.model.model_spec import ModelSpec

from mngnas_lib.errors import ArchError
from mngnas_lib.spaces.nasbench101_cells import (
    EDGES,
    OPERATIONS,
    canonical,
    from_matrix,
    graph_hash,
    node_channels,
    problem,
    prune,
    to_matrix,
    wiring,
)

few = settings(max_examples=80, deadline=None)
anything = st.tuples(*[st.integers(0, 1)] * 21, *[st.integers(0, 2)] * 5)
C3, C1, MP = OPERATIONS


def random_cells(count, seed=0):
    """Valid architectures, entries drawn uniformly."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < count:
        arch = (*rng.integers(2, size=21).tolist(), *rng.integers(3, size=5).tolist())
        if problem(arch) is None:
            found.append(arch)
    return found


def official(matrix, ops):
    """Pruned matrix, labels and hash by the official code; None where it finds no way from input to output."""
    try:
        spec = ModelSpec(np.asarray(matrix), list(ops))
    except RuntimeError:  # it makes a tensor of the matrix that it does not have
        return None
    pruned = spec.matrix.numpy()
    labels = [-1, *(OPERATIONS.index(op) for op in spec.ops[1:-1]), -2]
    return pruned, tuple(spec.ops), hash_module(pruned.astype(int), labels)


# ---------------------------------------------------------------------- matrices


@few
@given(anything)
def test_matrix_and_back(arch):
    matrix, ops = to_matrix(arch)
    assert matrix.shape == (7, 7) and matrix.dtype == np.uint8 and not np.tril(matrix).any()
    assert from_matrix(matrix, ops) == arch
    assert from_matrix(matrix.tolist(), list(ops)) == arch


def test_matrix_by_hand():
    matrix, ops = to_matrix((1, 0, 0, 0, 0, 1, *(0, 1, 0, 0, 0), *(0,) * 4, *(0, 0, 1), *(0,) * 3, *(0, 1, 2, 0, 1)))
    assert {(int(a), int(b)) for a, b in zip(*matrix.nonzero(), strict=True)} == {(0, 1), (0, 6), (1, 3), (3, 6)}
    assert ops == ("input", C3, C1, MP, C3, C1, "output")


def test_a_smaller_matrix_gets_isolated_nodes():
    arch = from_matrix([[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]], ["input", C1, MP, "output"])
    present = {edge for edge, entry in zip(EDGES, arch, strict=False) if entry}
    assert present == {(0, 1), (0, 2), (1, 6), (2, 6)}
    assert arch[21:] == (1, 2, 0, 0, 0)
    assert wiring(arch[:21]).nodes == (0, 1, 2, 6)


def chain(*ops):
    """A chain of operations."""
    return np.eye(len(ops) + 2, k=1, dtype=int), ("input", *ops, "output")


@pytest.mark.parametrize(
    ("matrix", "ops", "message"),
    [
        ([[0, 1], [1, 0]], ("input", "output"), "upper triangular"),
        ([[1, 1], [0, 0]], ("input", "output"), "upper triangular"),
        ([[0, 2], [0, 0]], ("input", "output"), "zeros and ones"),
        ([[0.0, 1.0], [0.0, 0.0]], ("input", "output"), "zeros and ones"),
        ([[0, 1, 0], [0, 0, 1]], ("input", C3, "output"), "square"),
        ([[0, 1], [0]], ("input", "output"), "square"),
        ([[0]], ("input",), "square"),
        (None, ("input", "output"), "square"),
        ([[0, 1], [0, 0]], None, "square"),
        ([[0, 1], [0, 0]], ("input", C3, "output"), "a label for each node"),
        ([[0, 1], [0, 0]], ("output", "input"), "the nodes of a cell are"),
        (chain(C3)[0], ("input", "conv5x5", "output"), "the nodes of a cell are"),
    ],
)
def test_bad_matrices(matrix, ops, message):
    for use in (from_matrix, prune, graph_hash):
        with pytest.raises(ArchError, match=message):
            use(matrix, ops)


def test_eight_nodes_are_too_many_unless_they_can_be_pruned():
    matrix, ops = chain(*[C3] * 6)
    with pytest.raises(ArchError, match="at most 7 nodes, this one has 8"):
        from_matrix(matrix, ops)
    matrix[0, 3] = 1
    matrix[0, 1] = 0
    pruned, labels = prune(matrix, ops)
    assert pruned.shape == (6, 6) and problem(from_matrix(pruned, labels)) is None


# ---------------------------------------------------------------------- pruning, limits, hash


def test_pruning_and_hash_are_the_official_ones():
    rng = np.random.default_rng(1)
    invalid = 0
    for count in [2, 3, 4, 5, 6, 7] * 60:
        matrix = np.triu(rng.random((count, count)) < rng.choice([0.2, 0.4, 0.6]), 1).astype(int)
        ops = ("input", *rng.choice(OPERATIONS, size=count - 2).tolist(), "output")
        expected = official(matrix, ops)
        if expected is None:
            invalid += 1
            for use in (prune, graph_hash):
                with pytest.raises(ArchError, match="no way leads"):
                    use(matrix, ops)
            continue
        pruned, labels = prune(matrix, ops)
        assert np.array_equal(pruned, expected[0]) and labels == expected[1]
        assert graph_hash(matrix, ops) == expected[2]
    assert 30 < invalid < 200


@few
@given(anything)
def test_limits_are_the_official_ones(arch):
    expected = official(*to_matrix(arch))
    if expected is None:
        assert "no way leads" in problem(arch)
    elif expected[0].sum() > 9:
        assert f"it has {expected[0].sum()} edges after pruning" in problem(arch)
    else:
        assert problem(arch) is None


def test_edges_that_are_pruned_do_not_count():
    entries = dict.fromkeys(EDGES, 0) | dict.fromkeys([(0, 1), (1, 6)], 1)
    for edge in [(0, 2), (0, 3), (0, 4), (2, 3), (2, 4), (3, 4), (2, 5), (3, 5), (4, 5), (1, 2)]:
        entries[edge] = 1
    assert sum(entries.values()) == 12
    assert problem((*entries.values(), 0, 0, 0, 0, 0)) is None
    entries[5, 6] = 1
    assert "13 edges" in problem((*entries.values(), 0, 0, 0, 0, 0))


def test_official_entries(shared_data):
    """Hashes of real entries; and their matrix is what ``canonical`` makes of any way to write the cell."""
    with open(shared_data / "nasbench101_30.pkl", "rb") as file:
        entries = pickle.load(file)
    for key, (fixed, _) in entries.items():
        arch = from_matrix(fixed["module_adjacency"], fixed["module_operations"])
        assert problem(arch) is None
        assert graph_hash(*to_matrix(arch)) == key
        assert canonical(arch) == arch


# ---------------------------------------------------------------------- equal cells


def rewritten(arch, rng):
    """The same cell with its nodes in another order, and edges among what is pruned anyway."""
    nodes, edges = wiring(arch[:21])
    graph = nx.DiGraph(edges)
    inner = [node for node in rng.permutation(nodes).tolist() if node not in (0, 6)]
    while any(inner.index(a) > inner.index(b) for a, b in graph.edges if a in inner and b in inner):
        rng.shuffle(inner)
    places = sorted(rng.choice(range(1, 6), size=len(inner), replace=False).tolist())
    place = {0: 0, 6: 6, **dict(zip(inner, places, strict=True))}
    entries = dict.fromkeys(EDGES, 0) | {(place[a], place[b]): 1 for a, b in edges}
    operations = rng.integers(3, size=5).tolist()
    for node in inner:
        operations[place[node] - 1] = arch[20 + node]
    for node in {1, 2, 3, 4, 5} - set(places):  # a dead end
        entries[0, node] = int(rng.integers(2))
    return (*entries.values(), *operations)


def test_canonical_does_not_depend_on_how_a_cell_is_written():
    rng, changed = np.random.default_rng(3), 0
    for arch in random_cells(200):
        other = rewritten(arch, rng)
        assert graph_hash(*to_matrix(other)) == graph_hash(*to_matrix(arch))
        assert canonical(other) == canonical(arch)
        changed += other != arch
    assert changed > 100


def test_canonical_is_a_way_to_write_the_cell():
    for arch in random_cells(200, seed=1):
        once = canonical(arch)
        assert canonical(once) == once
        graphs = []
        for cell in (arch, once):
            nodes, edges = wiring(cell[:21])
            graphs.append(nx.DiGraph(edges))
            nx.set_node_attributes(graphs[-1], {n: (-1, *cell[21:], -2)[n] for n in nodes}, "label")
        assert nx.is_isomorphic(*graphs, node_match=lambda a, b: a["label"] == b["label"])


def test_canonical_forms_are_equal_exactly_where_hashes_are():
    cells = random_cells(1500, seed=2)
    forms, hashes = [canonical(arch) for arch in cells], [graph_hash(*to_matrix(arch)) for arch in cells]
    assert len(set(forms)) == len(set(hashes)) == len(set(zip(forms, hashes, strict=True)))
    assert len(set(forms)) < 1200  # many of the drawn cells are small, and come more than once


def test_canonical_needs_a_way_through():
    with pytest.raises(ArchError, match="no way leads"):
        canonical((0,) * 26)


# ---------------------------------------------------------------------- channels


@pytest.mark.parametrize("outputs", [4, 5, 8, 128, 257])
def test_channels_are_the_official_ones(outputs):
    for arch in random_cells(60, seed=outputs):
        nodes = wiring(arch[:21]).nodes
        matrix, _ = prune(*to_matrix(arch))
        expected = compute_vertex_channels(3, outputs, matrix)
        assert node_channels(arch[:21], outputs) == dict(zip(nodes[1:], expected[1:], strict=True))
