"""NAS-Bench-101's compact table: how cells are found in it, and what a damaged table says."""

import itertools
import os

import numpy as np
import official101_files as official
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.benchmarks import convert, get_benchmark
from mngnas_lib.benchmarks.nasbench101 import notations, pack, unpack
from mngnas_lib.errors import ArchError, BenchmarkError
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix

SPACE = get_space("nasbench101")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nasbench101")
    path = official.write(folder / "nasbench_only108.tfrecord", official.records(official.numbers()))
    return convert(path, folder)


@pytest.fixture
def benchmark(made):
    return get_benchmark("nasbench101", made)


def first(order=range(7), extra=()):
    """The cell of the first official record, its nodes in another order, and more edges."""
    matrix, ops = official.CELLS["first"]
    digits = np.array([[int(digit) for digit in row] for row in matrix])[np.ix_(order, order)]
    for edge in extra:
        digits[edge] = 1
    return from_matrix(digits, [ops[node] for node in order])


def random_archs(count, seed=0):
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


# ---------------------------------------------------------------------- notation and packing

architectures = st.tuples(st.tuples(*[st.integers(0, 1)] * 21), st.tuples(*[st.integers(0, 2)] * 5)).map(
    lambda parts: parts[0] + parts[1]
)


@settings(max_examples=50, deadline=None)
@given(archs=st.lists(architectures, min_size=1, max_size=8))
def test_packed_cells_come_back_in_the_same_order(archs):
    packed = pack(np.array(archs))
    assert unpack(packed).tolist() == [list(arch) for arch in archs]
    assert packed.min() >= 0 and packed.max() < 2**31
    assert [archs[i] for i in np.argsort(packed, kind="stable")] == sorted(archs)


def test_notations_are_the_space_s():
    archs = random_archs(200)
    assert notations(np.array(archs, np.uint8)) == [SPACE.to_string(arch) for arch in archs]


# ---------------------------------------------------------------------- finding cells


def test_every_way_to_write_a_cell_finds_it(benchmark):
    known = benchmark.query(first())
    assert known.params == official.FIRST_PARAMS
    orders = [(0, *order, 6) for order in itertools.permutations(range(1, 6))]
    matrix = np.array([[int(digit) for digit in row] for row in official.FIRST_MATRIX])
    forward = [order for order in orders if not np.tril(matrix[np.ix_(order, order)]).any()]
    assert len(forward) == 4  # by hand: the third operation comes before, between or after the others
    for order in forward:
        arch = first(order)
        assert benchmark.query(arch) == known
        assert benchmark.query(SPACE.to_string(arch)) == known
        assert benchmark.query(np.array(arch)) == known
    rows = benchmark.rows([first(order) for order in forward])
    assert (rows == benchmark.rows([first()])[0]).all()


def test_nodes_that_lead_nowhere_do_not_matter(benchmark):
    nothing, one = benchmark.query((0,) * 5 + (1,) + (0,) * 20), None
    assert nothing.params == official.entry("nothing")[1]
    # input -> 2 (1x1) -> output, and dead ends: input -> 1, 3 -> 4
    dead = np.zeros((7, 7), int)
    for edge in ((0, 2), (2, 6), (0, 1), (3, 4)):
        dead[edge] = 1
    labels = ["input", official.POOL, official.CONV1, official.POOL, official.CONV3, official.POOL, "output"]
    one = benchmark.query(from_matrix(dead, labels))
    assert one.params == official.entry("one")[1]


def test_many_at_once(benchmark):
    archs = benchmark.archs
    assert len(archs) == len(benchmark) == 4
    assert list(archs) == [archs[i] for i in range(4)] == [*archs[:2], *archs[2:]]
    assert all(SPACE.canonical(arch) == arch for arch in archs)
    table = benchmark.table
    for asked in (archs, list(archs), table["arch"].tolist(), [table["arch"][0], *archs[1:]], np.array(list(archs))):
        assert benchmark.rows(asked).tolist() == [0, 1, 2, 3]
    scores = benchmark.scores(archs[::-1])
    assert scores.test.tolist() == table["test"].tolist()[::-1]
    assert scores.valid.tolist() == table["valid"].tolist()[::-1]
    assert len(benchmark.rows([])) == 0


def test_unknown_cells(benchmark):
    absent = SPACE.from_string("100000.00001.0000.000.00.0:33333")
    for arch in (absent, SPACE.to_string(absent), [*absent]):
        with pytest.raises(BenchmarkError, match=r"has no row for the cell 100000.00001.*it holds 4 cells"):
            benchmark.query(arch)
    with pytest.raises(BenchmarkError, match=r"has no row"):
        benchmark.rows([first(), absent])
    for wrong in ((0,) * 26, (1,) * 21 + (0,) * 5, (2,) * 26, (-1,) * 26, (0,) * 25, "22212220", (*first()[:-1], 0.5)):
        with pytest.raises(ArchError):
            benchmark.query(wrong)
    with pytest.raises(ArchError):
        benchmark.rows([first(), (0, 1)])


def test_counts_of_cells_not_of_matrices(benchmark):
    text = benchmark.describe()
    assert text.startswith("nasbench101 on cifar10: 4 of 423624 cells, from nasbench101.npz.")
    assert "after the last of 108 epochs" in text and "mean over three runs" in text


# ---------------------------------------------------------------------- questions that have no answer


def test_wrong_questions_about_nasbench101(made):
    with pytest.raises(BenchmarkError, match=r"no dataset 'cifar100': it was trained on cifar10 only"):
        get_benchmark("nasbench101", made, dataset="cifar100")
    for epochs in (54, 200, "108", True, None):
        with pytest.raises(BenchmarkError, match=r"trained for 4, 12, 36, 108 epochs, not for"):
            get_benchmark("nasbench101", made, epochs=epochs)
    with pytest.raises(BenchmarkError, match=r"no results after 12 epochs, only after 108: convert nasbench_full"):
        get_benchmark("nasbench101", made, epochs=12)
    with pytest.raises(BenchmarkError, match=r"no option seed: it takes dataset, epochs"):
        get_benchmark("nasbench101", made, seed=1)


# ---------------------------------------------------------------------- damage


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_table_that_is_cut_short(made, tmp_path, share):
    path = tmp_path / "nasbench101.npz"
    path.write_bytes(made.read_bytes())
    os.truncate(path, int(share * path.stat().st_size))
    with pytest.raises(BenchmarkError, match=r"nasbench101.npz is cut short or damaged.*convert the official"):
        get_benchmark("nasbench101", path)


def test_flipped_bits_of_a_table(made, tmp_path):
    path = tmp_path / "nasbench101.npz"
    whole = made.read_bytes()
    with np.load(made) as archive:
        info = archive.zip.getinfo("test_108.npy")
    for place in (info.header_offset + 90, info.header_offset + 130):
        content = bytearray(whole)
        content[place] ^= 16
        path.write_bytes(content)
        with pytest.raises(BenchmarkError, match=r"nasbench101.npz is cut short or damaged"):
            get_benchmark("nasbench101", path)


def swap(arrays):
    arrays["cells"] = arrays["cells"][[0, 0, 2, 3]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (swap, "has a cell more than once"),
        (lambda arrays: arrays.update(cells=arrays["cells"][::-1]), "more than once, or not in order"),
        (lambda arrays: arrays.pop("test_108"), "is cut short or damaged .*test_108"),
        (lambda arrays: arrays.update(test_108=arrays["test_108"][:-1]), "arrays do not fit together"),
        (lambda arrays: arrays.update(test_108=arrays["test_108"][:, :2]), "arrays do not fit together"),
        (lambda arrays: arrays.update(params=arrays["params"][1:]), "arrays do not fit together"),
        (lambda arrays: arrays.update(cells=arrays["cells"] + 2**30), "arrays do not fit together"),
        (lambda arrays: arrays.update(cells=arrays["cells"][:0]), "arrays do not fit together"),
        (lambda arrays: arrays.update(valid_108=arrays["valid_108"] * 100), "valid_108 holds impossible values"),
        (lambda arrays: arrays.update(nasbench101=np.array(2)), "has layout 2 instead of 1"),
    ],
)
def test_tables_that_are_not_right(made, tmp_path, change, problem):
    with np.load(made) as archive:
        arrays = dict(archive)
    change(arrays)
    path = tmp_path / "nasbench101.npz"
    np.savez(path, **arrays)
    with pytest.raises(BenchmarkError, match=rf"nasbench101.npz\b.*{problem}.*[Cc]onvert the official file again"):
        get_benchmark("nasbench101", path)


def test_no_pickle_is_opened(made, tmp_path):
    with np.load(made) as archive:
        arrays = dict(archive)
    arrays["source"] = np.array(["x", None], dtype=object)
    path = tmp_path / "nasbench101.npz"
    np.savez(path, **arrays)
    with pytest.raises(BenchmarkError, match=r"is cut short or damaged"):
        get_benchmark("nasbench101", path)


def test_another_archive(tmp_path):
    path = tmp_path / "nasbench101.npz"
    np.savez(path, images=np.zeros(3))
    with pytest.raises(BenchmarkError, match=r"should be a converted table of NAS-Bench-101, but it looks like no"):
        get_benchmark("nasbench101", path)
