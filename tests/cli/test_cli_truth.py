"""``mngnas truth``."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from mngnas_lib.cli import truth as command
from mngnas_lib.lab import DataSpec
from mngnas_lib.supernet import TrainConfig
from mngnas_lib.truth import TruthSettings, settings, train_truth


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Trainings of a fraction of a second."""
    real = settings.get_truth

    def small(space, profile):
        found = real(space, profile)
        data = DataSpec("digits", size=8, count=200, test_count=60, valid_fraction=0.3)
        return TruthSettings(found.space, data, TrainConfig(epochs=1, batch_size=70), count=3, seeds=2, repeated=1)

    monkeypatch.setattr("mngnas_lib.truth.get_truth", small)


def test_table_card_and_summary(mngnas):
    said = mngnas("truth", "--space", "nasbench-macro", "--jobs", 1).stdout
    table = Path("build/truth/quick/kit-nasbench-macro.csv")
    assert f"7 trainings of 3 architectures in {table}" in said
    assert "one training and another" in said and "lowest, quartiles, highest" in said
    card = json.loads(table.with_suffix(".json").read_text())
    assert card["commands"] == ["mngnas truth --space nasbench-macro --profile quick"]
    again = mngnas("truth", "--space", "nasbench-macro", "--jobs", 1, "--count", 3).stdout
    assert again == said


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("", 8),
        (" --data digits", 8),
        (" --size 6", 6),
        (" --data hard-digits", None),
        (" --data hard-digits --size 6", 6),
    ],
)
def test_other_images_keep_their_resolution(mngnas, monkeypatch, words, size):
    asked = []

    def noted(settings, out, **how):
        asked.append((settings, how["command"]))
        return train_truth(replace(settings, data=replace(settings.data, source="digits", size=4), count=1), out, **how)

    monkeypatch.setattr("mngnas_lib.truth.train_truth", noted)
    command = f"truth --space nasbench-macro --profile quick{words} --seeds 1 --repeated 0 --epochs 2 --lr 0.05"
    mngnas(*command.split(), "--jobs", 1)
    [(found, said)] = asked
    assert (found.data.size, found.train.epochs, found.train.lr) == (size, 2, 0.05)
    assert said == f"mngnas {command}"


def test_card_names_an_image_folder_without_its_path(mngnas, tmp_path):
    for part, number in [("train", number) for number in range(200)] + [("test", number) for number in range(60)]:
        place = tmp_path / "private" / "pets" / part / f"class {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(place / f"{number}.png")
    words = ("--space", "nasbench-macro", "--jobs", 1, "--count", 1, "--seeds", 1, "--out", "pets.csv")
    mngnas("truth", *words, "--data", f"folder:{tmp_path / 'private' / 'pets'}")
    card = json.loads(Path("pets.json").read_text())
    assert "private" not in Path("pets.json").read_text()
    assert card["data"]["source"] == "folder:pets" and "--data folder:pets" in card["commands"][0]


def test_looked_up_through_the_command_line(mngnas):
    mngnas("truth", "--space", "nasbench-macro", "--jobs", 1, "--out", "mine.csv", "--seeds", 1)
    arch = Path("mine.csv").read_text().splitlines()[1].split(",")[1]
    said = mngnas("benchmark", "query", arch, "--benchmark", "kit-nasbench-macro=mine.csv").stdout
    assert f"{arch} in kit-nasbench-macro on digits" in said
    assert "Made by this kit" in mngnas("benchmark", "info", "--benchmark", "kit-nasbench-macro=mine.csv").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--all", "--count", 3), "contradict"),
        (("--count", 5000), "has 3969 distinct"),
        (("--seeds", 1, "--repeated", 9), "9 of 3 architectures"),
        (("--backend", "nonsense"), "no backend"),
        (("--backend", "threading"), "use a backend of processes"),
        (("--data", "nowhere"), "no source of images"),
    ],
)
def test_mistakes_are_told_in_one_line(mngnas, words, said):
    result = mngnas("truth", "--space", "nasbench-macro", "--jobs", 1, *words, code=2)
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert not Path("build").exists() or not list(Path("build").rglob("*.csv"))


def test_ray_is_named_where_it_is_missing(mngnas, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray.util.joblib", None)
    assert "pip install ray" in mngnas("truth", "--backend", "ray", code=2).stderr


def test_backend_of_joblib_is_used(mngnas):
    with command.parallel_config("multiprocessing"):
        import joblib

        assert joblib.parallel.get_active_backend()[0].__class__.__name__ == "MultiprocessingBackend"
