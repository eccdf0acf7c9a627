"""What the words of ``mngnas search`` stand for."""

from __future__ import annotations

import sys
from dataclasses import fields, replace

import pytest
from search_words import CONFIG, TINY, images

from mngnas_lib.cli.search import search as search_command
from mngnas_lib.data import Augment
from mngnas_lib.distill.algorithms import ALGORITHMS, Algorithm
from mngnas_lib.distill.losses import DistillLoss
from mngnas_lib.errors import KitError
from mngnas_lib.lab import PROFILES, get_profile
from mngnas_lib.search import RetrainConfig, SearchConfig
from mngnas_lib.spaces import get_space

options = sys.modules["mngnas_lib.cli.search_options"]


class CaughtError(KitError):
    """Raised in place of the search."""


@pytest.fixture
def settings(mngnas, monkeypatch):
    """Settings of the images, the training and the search that words stand for, without doing anything."""

    def call(*words: object):
        caught = {}

        def load(source, **settings):
            caught["images"] = {"source": source, **settings}
            return images()

        def train(space, data, config, **more):
            caught["space"], caught["train"] = space, config
            return type("Trained", (), {"network": None})

        def stop(supernet, data, config, **more):
            caught["search"] = config
            raise CaughtError("enough")

        monkeypatch.setattr("mngnas_lib.data.load_images", load)
        monkeypatch.setattr("mngnas_lib.supernet.train_supernet", train)
        monkeypatch.setattr("mngnas_lib.search.search", stop)
        assert mngnas("search", "--out", "x", "--device", "cpu", *words, code=2).stderr.endswith("mngnas: enough\n")
        return caught

    return call


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_gives_the_sizes(settings, monkeypatch, name):
    sizes, profile = get_profile(name).search, get_profile(name)
    found = settings("--profile", name)
    monkeypatch.setenv("MNGNAS_PROFILE", name)
    assert settings() == found
    assert found["search"] == SearchConfig(
        search_epochs=sizes.search_epochs,
        candidates=sizes.candidates,
        group_size=sizes.group_size,
        removed=sizes.removed,
        perturbed=sizes.perturbed,
        perturb_epochs=sizes.perturb_epochs,
        retrain=RetrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size),
    )
    assert found["space"] == get_space("nasbench201", channels=profile.supernet.channels, cells=profile.supernet.cells)
    train = (found["train"].epochs, found["train"].batch_size, found["train"].lr)
    assert train == (profile.supernet.epochs, profile.supernet.batch_size, profile.supernet.lr)
    wanted = {"source": "digits", "size": profile.supernet.size, "count": profile.supernet.count, "seed": 0}
    assert found["images"].items() >= wanted.items()
    assert found["images"]["valid_fraction"] == profile.supernet.valid_fraction


def test_real_images_take_the_profile_s_sizes_for_them(settings):
    real = get_profile("laptop").real
    found = settings("--profile", "laptop", "--data", "cifar10", "--space", "nasbench-macro")
    assert found["space"] == get_space("nasbench-macro", channels=real.channels, head_channels=real.head_channels)
    assert (found["images"]["size"], found["images"]["count"]) == (real.size, real.count)
    assert found["train"].augment == found["search"].retrain.augment == Augment(flip=True)
    assert settings("--data", "cifar10", "--no-flip")["search"].retrain.augment == Augment()


def test_every_setting_reaches_the_search(settings):
    words = "--max-macs 900000 --threshold 5000 --proposals random --crossover-ratio 0.25 --bn batch --perturb-lr 0.02"
    words += " --lr 0.1 --momentum 0.8 --weight-decay 0.001 --clip-norm 1 --temperature 2 --features kl --scale 2"
    words += " --precision bf16-mixed --no-channels-last --memory recompute --pad 1 --flip --cutout 2 --seed 7"
    found = settings(*TINY, *words.split(), "--combined", "last stage")
    retrain = RetrainConfig(
        epochs=0.7,
        batch_size=70,
        lr=0.1,
        momentum=0.8,
        weight_decay=0.001,
        clip_norm=1.0,
        augment=Augment(1, True, 2),
        loss=DistillLoss(2.0, "kl"),
        combined="last stage",
        scale=2.0,
        precision="bf16-mixed",
        channels_last=False,
        memory="recompute",
        seed=7,
    )
    expected = replace(
        CONFIG,
        max_macs=900000,
        threshold=5000,
        proposals="random",
        crossover_ratio=0.25,
        bn="batch",
        perturb_lr=0.02,
        retrain=retrain,
        seed=7,
    )
    assert found["search"] == expected and found["search"].retrain.memory == "recompute"
    assert found["train"].seed == 7 and found["train"].precision == "bf16-mixed" and not found["train"].channels_last
    assert found["train"].augment == retrain.augment and found["train"].epochs == 1


@pytest.mark.parametrize("name", ALGORITHMS)
def test_algorithms_have_their_names(settings, name):
    assert settings("--algorithm", name)["search"].algorithm == ALGORITHMS[name]


def test_choices_of_an_algorithm_can_be_replaced(settings):
    words = "--algorithm average --teachers none --weights adaptive --peers --perturbation"
    assert settings(*words.split())["search"].algorithm == Algorithm("none", "adaptive", True, True)
    assert settings("--no-peers", "--no-perturbation")["search"].algorithm == ALGORITHMS["searched"]


def test_names_and_defaults_are_those_of_the_library():
    from typing import get_args, get_type_hints

    from mngnas_lib.search import retrain_config
    from mngnas_lib.supernet import BN_MODES

    assert set(options.ALGORITHMS) == set(ALGORITHMS)
    assert set(options.PROFILES) == set(PROFILES)
    assert set(options.BN_MODES) == set(BN_MODES)
    hints = get_type_hints(Algorithm)
    assert (get_args(hints["teachers"]), get_args(hints["weights"])) == (options.TEACHERS, options.WEIGHTS)
    assert get_args(get_type_hints(DistillLoss)["features"]) == options.FEATURES
    for name in ("Combined", "Memory", "Precision"):
        offered = {"Combined": "COMBINED", "Memory": "MEMORY", "Precision": "PRECISIONS"}[name]
        assert getattr(options, offered) == get_args(getattr(retrain_config, name))
    assert get_args(get_type_hints(SearchConfig)["proposals"]) == options.PROPOSALS
    defaults = {param.name: param.default for param in search_command.params}
    library = {field.name: getattr(SearchConfig(), field.name) for field in fields(SearchConfig)}
    library |= {field.name: getattr(RetrainConfig(), field.name) for field in fields(RetrainConfig)}
    library |= {field.name: getattr(DistillLoss(), field.name) for field in fields(DistillLoss)}
    library |= {name: getattr(Augment(), name) for name in ("pad", "cutout")}
    compared = set(library) & set(defaults) - set(options.SIZES) - {"algorithm", "max_macs", "threshold"}
    assert len(compared) >= 18
    assert {name: defaults[name] for name in compared} == {name: library[name] for name in compared}
    left_out = {"retrain", "epochs", "batch_size", "augment", "loss", "nesterov", "among"}
    assert set(library) - set(defaults) == left_out
