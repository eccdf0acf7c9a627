"""Small benchmark files in the official forms."""

import gzip
import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from nas_201_api import ArchResults, ResultsCount

from mngnas_lib.spaces import get_space

#: (dataset, sets of images that the official file evaluates on it)
OFFICIAL_SETS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("ori-test", "x-valid", "x-test"),
    "ImageNet16-120": ("ori-test", "x-valid", "x-test"),
}
ARCHS = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
)
#: Seeds that each architecture was trained with for 200 epochs
SEEDS = ((777, 888, 999), (777,), (777, 999))


def final_accuracy(arch: int, dataset: str, images: str, epochs: int, seed: int) -> float:
    """The accuracy in percent that the made-up official file has after the last epoch."""
    base = 10 * list(OFFICIAL_SETS).index(dataset) + {"x-valid": 1, "x-test": 2, "ori-test": 3}[images]
    return 40 + base + 5 * arch + {777: 0.0, 888: 0.25, 999: 1.0}[seed] - (20 if epochs == 12 else 0)


def _results(arch: int, epochs: int, datasets: dict[str, tuple[int, ...]]) -> dict:
    results = ArchResults(arch, ARCHS[arch])
    for dataset, seeds in datasets.items():
        for seed in seeds:
            run = ResultsCount(dataset, None, {}, {}, 0.5, 50.0, {"arch_str": ARCHS[arch]}, seed, epochs, [0.01])
            steps = range(epochs)
            run.update_train_info(dict.fromkeys(steps, 1.0), None, dict.fromkeys(steps, 1.0), dict.fromkeys(steps, 1.0))
            keys = [(images, epoch) for images in OFFICIAL_SETS[dataset] for epoch in steps]
            accuracies = {
                f"{images}@{epoch}": (
                    final_accuracy(arch, dataset, images, epochs, seed) if epoch == epochs - 1 else 1.0
                )
                for images, epoch in keys
            }
            ones = {f"{images}@{epoch}": 1.0 for images, epoch in keys}
            run.update_eval(accuracies, ones, ones)
            results.update(dataset, seed, run)
    return results.state_dict()


def official_content() -> dict:
    """What the official file holds, for three architectures. 12 epochs: twice on cifar10-valid, once elsewhere."""
    short = {dataset: (777, 888) if dataset == "cifar10-valid" else (777,) for dataset in OFFICIAL_SETS}
    return {
        "meta_archs": list(ARCHS),
        "total_archs": len(ARCHS),
        "arch2infos": {
            arch: {
                "full": _results(arch, 200, dict.fromkeys(OFFICIAL_SETS, SEEDS[arch])),
                "less": _results(arch, 12, short),
            }
            for arch in range(len(ARCHS))
        },
        "evaluated_indexes": list(range(len(ARCHS))),
    }


@pytest.fixture(scope="session")
def made_up() -> SimpleNamespace:
    """How the official file of the tests is made."""
    return SimpleNamespace(archs=ARCHS, seeds=SEEDS, accuracy=final_accuracy, content=official_content)


@pytest.fixture(scope="session")
def official_bytes() -> bytes:
    buffer = io.BytesIO()
    torch.save(official_content(), buffer, _use_new_zipfile_serialization=False)  # as torch did in 2020
    return buffer.getvalue()


@pytest.fixture
def official(tmp_path: Path, official_bytes: bytes) -> Path:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    path.write_bytes(official_bytes)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of two architectures, as the shared one: without counts and single runs."""
    lines = ["arch,index"]
    for prefix in ("cifar10", "cifar100", "imagenet16"):
        lines[0] += "".join(f",{prefix}_{split}{suffix}" for suffix in ("", "_12ep") for split in ("valid", "test"))
    for row, arch in enumerate(ARCHS[:2]):
        lines.append(f"{arch},{row}," + ",".join(str(50 + 10 * row + column) for column in range(12)))
    path = tmp_path / "small.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode() + b"\n"))
    return path


MACRO_KEYS = ("00000000", "22212220", "10210100")


@pytest.fixture
def macro_entries() -> dict[str, dict]:
    space = get_space("nasbench-macro")
    entries = {}
    for row, key in enumerate(MACRO_KEYS):
        cost = space.cost(space.from_string(key))
        runs = [90.0 + row, 91.0 + row, 92.0 + row]
        entries[key] = {"test_acc": runs, "mean_acc": runs[1], "std": 0.8, "params": cost.params, "flops": cost.macs}
    return entries


@pytest.fixture
def macro_file(tmp_path: Path, macro_entries: dict[str, dict]) -> Path:
    path = tmp_path / "nas-bench-macro_cifar10.json"
    path.write_text(json.dumps(macro_entries))
    return path
