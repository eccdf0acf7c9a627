"""Runs against the kit's own truth: they take its space, its images and its architectures."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mngnas_lib.benchmarks import Benchmark, get_benchmark
from mngnas_lib.benchmarks.kit_table import COLUMNS
from mngnas_lib.distill import ALGORITHMS
from mngnas_lib.lab import PROFILES, ArchSample, get_profile
from mngnas_lib.lab.kit_runs import MODES, THREE, kit_comparison, kit_ranking, kit_rows, kit_supernet
from mngnas_lib.spaces import get_space

SPACE = get_space("nasbench201", channels=6, cells=2)
ARCHS = SPACE.sample_distinct(90, np.random.default_rng(0))
IMAGES = {"source": "hard-digits", "size": 10, "count": 900, "test_count": 100, "valid_fraction": 0.2, "seed": 4}


@pytest.fixture
def truth(tmp_path) -> Benchmark:
    """A table in the form of ``mngnas truth``, about images and widths that no shipped one has."""
    path = tmp_path / "kit-nasbench201.csv"
    card = {
        "space": "nasbench201",
        "sizes": SPACE.settings(),
        "data": IMAGES,
        "fingerprint": "f",
        "train": {"epochs": 1},
    }
    path.with_suffix(".json").write_text(json.dumps(card))
    rows = (
        f"nasbench201,{SPACE.to_string(arch)},{seed},{50 + seed}.0,{60 + seed}.0,10,{number},1,1.0,x"
        for number, arch in enumerate(ARCHS)
        for seed in (0, 1)
    )
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")
    return get_benchmark("kit-nasbench201", path)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_space_and_images_are_those_of_the_truth(truth, profile):
    supernet = kit_supernet(profile, truth)
    assert supernet.space.build() == SPACE == truth.space
    assert {name: getattr(supernet.data, name) for name in IMAGES} == IMAGES
    assert (supernet.train.epochs, supernet.train.batch_size) == (profile.kit.epochs, profile.kit.batch_size)


def test_a_table_of_others_does_not_say_what_its_images_were(truth, tmp_path):
    from mngnas_lib.errors import BenchmarkError

    foreign = replace(truth, path=tmp_path / "nasbench201.csv.gz")
    with pytest.raises(BenchmarkError, match="is missing"):
        kit_supernet(get_profile("quick"), foreign)


def test_the_truths_architectures_are_ranked_in_its_order(truth):
    quick, laptop = get_profile("quick"), get_profile("laptop")
    rows = kit_rows(quick, truth)
    assert len(rows) == quick.kit.archs < len(ARCHS) and (np.diff(rows) > 0).all()
    assert (rows[0], rows[-1]) == (0, len(ARCHS) - 1)  # the cheapest and the costliest
    drawn = kit_ranking(quick, truth).archs.draw(truth.space)
    assert drawn == [ARCHS[row] for row in rows]
    assert kit_ranking(laptop, truth).archs.draw(truth.space) == ARCHS  # fewer than the profile would take


def test_modes_and_seeds_are_runs_of_their_own(truth):
    quick = get_profile("quick")
    rankings = [kit_ranking(quick, truth, bn) for bn in MODES]
    assert len({ranking.digest for ranking in rankings}) == 3
    assert len({ranking.supernet.digest for ranking in rankings}) == 1
    other = kit_supernet(quick, truth, seed=1)
    assert replace(other, train=replace(other.train, seed=0)) == kit_supernet(quick, truth) != other


def test_algorithms_differ_in_the_algorithm_alone_and_retrain_what_the_truth_knows(truth):
    config = kit_comparison(get_profile("quick"), truth)
    assert [run.search.algorithm for run in config.searches] == [ALGORITHMS[name] for name in THREE]
    none = ALGORITHMS["none"]
    assert len({replace(run, search=replace(run.search, algorithm=none)).digest for run in config.searches}) == 1
    assert set(config.searches[0].search.among) == set(ARCHS) and config.searches[0].search.removed == 0
    assert (config.benchmark, config.dataset) == ("kit-nasbench201", "hard-digits")


def test_given_notations_are_taken_and_nothing_is_drawn():
    texts = tuple(map(SPACE.to_string, ARCHS[:5]))
    assert ArchSample(None, given=texts).draw(SPACE) == ArchSample(3, seed=7, given=texts).draw(SPACE) == ARCHS[:5]
    assert len(ArchSample(5).draw(SPACE)) == 5
