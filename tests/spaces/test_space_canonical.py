"""Which architectures are one function: against numbers, not against the rules that found them."""

from collections import defaultdict
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench201 import CONV1, CONV3, EDGES, KERNEL, NONE, OPERATIONS, POOL, SKIP

SPACE_201 = get_space("nasbench201")
SPACE_MACRO = get_space("nasbench-macro")


@cache
def classes(space):
    """Canonical architecture to the set of architectures that it stands for."""
    members = defaultdict(set)
    for arch in space.all_archs():
        members[space.canonical(arch)].add(arch)
    return members


# ---------------------------------------------------------------------- both spaces


@pytest.mark.parametrize(("space", "count"), [(SPACE_201, 4_840), (SPACE_MACRO, 3_969)], ids=lambda value: str(value))
def test_canonical_picks_one_member_of_each_class(space, count):
    members = classes(space)
    assert len(members) == count
    assert all(canonical in archs for canonical, archs in members.items())
    assert space.canonical_archs() == tuple(sorted(members))


@given(st.tuples(*[st.integers(0, 4)] * 6))
def test_canonical_is_idempotent_for_nasbench201(arch):
    once = SPACE_201.canonical(arch)
    assert SPACE_201.canonical(once) == once


@given(st.tuples(*[st.integers(0, 2)] * 8))
def test_canonical_is_idempotent_for_nasbench_macro(arch):
    once = SPACE_MACRO.canonical(arch)
    assert SPACE_MACRO.canonical(once) == once


def test_canonical_does_not_depend_on_the_sizes():
    small = get_space("nasbench201", channels=4, cells=1)
    for arch in [(0, 3, 0, 0, 3, 1), (3, 2, 1, 0, 0, 4), (3, 3, 3, 3, 3, 3)]:
        assert small.canonical(arch) == SPACE_201.canonical(arch)


# ---------------------------------------------------------------------- NAS-Bench-201: all cells, numerically


def cell_outputs():
    """Output of every cell on one random batch in training mode, written without the kit's network.

    All convolutions of a kind share their weights. The sums of nodes are then equal exactly where the functions are:
    the random weights do not match by chance, and no matching of weights between two cells has to be found. Epsilon
    is large so that batch norm does not hide a factor in front of its input.
    """
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    images = draw(2, 3, 5, 5)
    weights = {CONV1: draw(3, 3, 1, 1), CONV3: draw(3, 3, 3, 3)}
    scale, offset = draw(3), draw(3)

    def operate(choice, value):
        if choice == NONE:
            return torch.zeros_like(value)
        if choice == SKIP:
            return value
        if choice == POOL:
            return F.avg_pool2d(value, 3, stride=1, padding=1, count_include_pad=False)
        h = F.conv2d(F.relu(value), weights[choice], padding=KERNEL[choice] // 2)
        return F.batch_norm(h, None, None, scale, offset, training=True, eps=0.1)

    from_input = [operate(choice, images) for choice in range(5)]
    from_first = [[operate(choice, first) for choice in range(5)] for first in from_input]
    outputs = {}
    for a01 in range(5):
        for a02 in range(5):
            for a12 in range(5):
                second = from_input[a02] + from_first[a01][a12]
                from_second = [operate(choice, second) for choice in range(5)]
                for a03 in range(5):
                    for a13 in range(5):
                        partial = from_input[a03] + from_first[a01][a13]
                        for a23 in range(5):
                            outputs[a01, a02, a12, a03, a13, a23] = partial + from_second[a23]
    return images, weights, scale, offset, outputs


@pytest.fixture(scope="module")
def cells():
    return cell_outputs()


def test_equal_canonical_forms_are_exactly_the_equal_cells(cells):
    """Over all 15,625: grouping by output gives the same classes as ``canonical``, neither finer nor coarser."""
    archs = list(cells[-1])
    assert len(archs) == 15_625
    flat = torch.stack([cells[-1][arch].flatten() for arch in archs])
    # projected on one random direction, equal outputs are equal but for rounding
    direction = torch.randn(flat.shape[1], generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    values, order = torch.sort(flat @ direction)
    breaks = (values.diff() > 1e-9).tolist()
    groups, group = [], set()
    for position, starts_next in zip(order.tolist(), [*breaks, True], strict=True):
        group.add(archs[position])
        if starts_next:
            groups.append(frozenset(group))
            group = set()
    assert set(groups) == {frozenset(archs) for archs in classes(SPACE_201).values()}


def test_the_kits_cell_computes_those_outputs(cells):
    images, weights, scale, offset, outputs = cells
    cell = get_space("nasbench201", channels=3, cells=1).supernet().cells[0][0].double()
    for edge in cell.edges:
        for choice in (CONV1, CONV3):
            module = edge[str(choice)]
            module.norm.eps = 0.1
            module.conv.weight.data, module.norm.weight.data, module.norm.bias.data = weights[choice], scale, offset
    for arch in list(outputs)[::23]:
        result = cell(images, arch, (True,) * 6)
        torch.testing.assert_close(result, outputs[arch], rtol=0, atol=1e-11)


# ---------------------------------------------------------------------- NAS-Bench-201: cases by hand, whole networks

#: name: two architectures, and which convolution (edge of the first: edge of the second) is which
BY_HAND = {
    "a dead node": ((3, 0, 0, 2, 0, 0), (0, 0, 0, 2, 0, 0), {3: 3}),
    "a dead chain": ((2, 3, 3, 2, 0, 0), (0, 0, 0, 2, 0, 0), {3: 3}),
    "pooled and skipped zero": ((0, 0, 1, 3, 4, 1), (0, 0, 0, 3, 0, 0), {3: 3}),
    "a chain of skips": ((1, 0, 3, 0, 0, 1), (0, 0, 0, 3, 0, 0), {2: 3}),
    "a skip over a sum": ((3, 2, 1, 0, 0, 1), (3, 0, 0, 2, 1, 0), {0: 0, 1: 3}),
    "exchanged nodes": ((3, 2, 0, 0, 1, 4), (2, 3, 0, 0, 4, 1), {0: 1, 1: 0}),
    "exchanged nodes, deeper": ((3, 2, 0, 0, 2, 3), (2, 3, 0, 0, 3, 2), {0: 1, 1: 0, 4: 5, 5: 4}),
    "pooling of a sum": ((3, 2, 1, 0, 0, 4), (3, 2, 0, 0, 4, 4), {0: 0, 1: 1}),
    "convolution of zero, another kernel": ((0, 3, 0, 0, 3, 1), (0, 3, 0, 0, 2, 1), {1: 1, 4: 4}),
    "a pooled constant": ((0, 0, 2, 1, 0, 4), (0, 0, 0, 1, 2, 0), {2: 4}),
    "1x1 convolution of a constant": ((0, 0, 3, 1, 0, 2), (0, 0, 0, 1, 0, 2), {5: 5}),
}


@pytest.mark.parametrize("case", BY_HAND.values(), ids=list(BY_HAND))
def test_by_hand_equal_networks_give_equal_outputs_in_training_mode(case):
    first, second, matching = case
    assert SPACE_201.canonical(first) == SPACE_201.canonical(second)
    space = get_space("nasbench201", channels=4, cells=2)
    one, two = (space.network(arch, seed=seed).double().train() for seed, arch in enumerate((first, second)))
    randomise_norms(one)
    common = {name: value for name, value in one.state_dict().items() if not name.startswith("cells.")}
    two.load_state_dict(common, strict=False)
    for cells_one, cells_two in zip(one.cells, two.cells, strict=True):
        for cell_one, cell_two in zip(cells_one, cells_two, strict=True):
            for here, there in matching.items():
                source = cell_one.edges[here][str(first[here])]
                target = cell_two.edges[there][str(second[there])]
                target.norm.load_state_dict(source.norm.state_dict())
                if first[here] == second[there]:
                    target.conv.load_state_dict(source.conv.state_dict())
    images = torch.randn(3, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert_equal_outputs(one(images), two(images))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0, 0, 0, 1, 0, 0), (1, 0, 0, 1, 1, 0)),  # x and x + x
        ((0, 0, 0, 2, 0, 0), (0, 0, 0, 3, 0, 0)),  # kernel 1 and kernel 3
        ((0, 0, 0, 1, 0, 0), (0, 0, 0, 1, 2, 0)),  # x and x + an offset
        ((0, 0, 3, 1, 0, 3), (0, 0, 0, 1, 0, 3)),  # a padded convolution of a constant is not constant
        ((4, 0, 0, 0, 4, 0), (4, 0, 0, 0, 1, 0)),  # pooled twice and once
        ((4, 0, 0, 0, 3, 0), (3, 0, 0, 0, 4, 0)),  # convolution of pooled, pooling of convolved
        ((4, 0, 3, 0, 4, 1), (4, 4, 3, 0, 0, 1)),  # pooling twice beside a convolution, and once
    ],
)
def test_different_functions_stay_apart(first, second, cells):
    assert SPACE_201.canonical(first) != SPACE_201.canonical(second)
    assert not torch.allclose(cells[-1][first], cells[-1][second], atol=1e-3)


def test_a_cell_of_zeros_stands_for_itself():
    assert SPACE_201.canonical((3, 3, 3, 0, 0, 0)) == (0,) * 6
    assert SPACE_201.canonical((0, 0, 1, 0, 4, 1)) == (0,) * 6


def official_string(arch):
    """The literature's rule: a node is the sorted sum of its edges, zero is '#', a skip copies its source."""
    nodes = ["0"]
    for node in (1, 2, 3):
        terms = []
        for (source, target), choice in zip(EDGES, arch, strict=True):
            if target != node:
                continue
            if choice == NONE or nodes[source] == "#":
                terms.append("#")
            elif choice == SKIP:
                terms.append(nodes[source])
            else:
                terms.append(f"({nodes[source]})@{OPERATIONS[choice]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def test_the_literature_counts_6466():
    """Its strings keep zeros in sums ('#+x' is not 'x') and do not spread pooling over sums, so they merge less. On the
    other hand, they take the convolution of a zero node for zero, which batch norm's offset makes wrong.
    """
    members = defaultdict(set)
    for arch in SPACE_201.all_archs():
        members[official_string(arch)].add(arch)
    assert len(members) == 6_466
    for archs in members.values():
        sound = {arch for arch in archs if not (arch[0] == NONE and {arch[2], arch[4]} & set(KERNEL))}
        assert len({SPACE_201.canonical(arch) for arch in sound}) <= 1
    # an offset that the strings lose
    assert official_string((0, 0, 0, 1, 3, 0)) == official_string((0, 0, 0, 1, 0, 0))
    assert SPACE_201.canonical((0, 0, 0, 1, 3, 0)) != SPACE_201.canonical((0, 0, 0, 1, 0, 0))


# ---------------------------------------------------------------------- NAS-Bench-Macro


def test_identities_move_to_the_end_of_their_stage():
    for given_, expected in [
        ("10201100", "10210100"),
        ("00000000", "00000000"),
        ("01001002", "01010020"),
        ("20120012", "20120012"),
        ("22202102", "22220120"),
    ]:
        arch = SPACE_MACRO.from_string(given_)
        assert SPACE_MACRO.to_string(SPACE_MACRO.canonical(arch)) == expected, given_


@pytest.mark.parametrize("digits", ["10201100", "01001002", "22202102", "00002001", "20110201"])
def test_moved_identities_leave_the_network_as_it_was(digits):
    space = get_space("nasbench-macro", channels=4, head_channels=8)
    arch = space.from_string(digits)
    canonical = space.canonical(arch)
    assert canonical != arch
    one, two = (space.network(a, seed=seed).double().train() for seed, a in enumerate((arch, canonical)))
    randomise_norms(one)
    two.load_state_dict(
        {name: value for name, value in one.state_dict().items() if not name.startswith("blocks.")}, strict=False
    )
    sources = [block for block in one.blocks if len(block)]
    targets = [block for block in two.blocks if len(block)]
    for source, target in zip(sources, targets, strict=True):
        target.load_state_dict(source.state_dict())
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    assert_equal_outputs(one(images), two(images))


def test_equal_canonical_forms_are_exactly_the_equal_chains():
    """With one set of weights for all later blocks of a stage, chains give equal logits where ``canonical`` agrees."""
    space = get_space("nasbench-macro", channels=3, stages=(3, 2), head_channels=12)
    net = space.supernet(seed=0).double().train()
    randomise_norms(net)
    net.blocks[2] = net.blocks[1]
    images = torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    groups = defaultdict(set)
    with torch.no_grad():
        for arch in space.all_archs():
            groups[tuple(net(images, arch).logits.flatten().mul(1e7).round().tolist())].add(arch)
    assert len(groups) == 21 * 9
    assert {frozenset(archs) for archs in groups.values()} == {frozenset(archs) for archs in classes(space).values()}


# ---------------------------------------------------------------------- helpers


def randomise_norms(network):
    """Scales and offsets that are not ones and zeros, so that an offset in the wrong place shows."""
    generator = torch.Generator().manual_seed(7)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, mean=1.0, std=0.5, generator=generator)
            torch.nn.init.normal_(module.bias, std=1.0, generator=generator)


def assert_equal_outputs(one, two):
    torch.testing.assert_close(one.logits, two.logits, rtol=0, atol=1e-9)
    for here, there in zip(one.stages, two.stages, strict=True):
        torch.testing.assert_close(here, there, rtol=0, atol=1e-9)
