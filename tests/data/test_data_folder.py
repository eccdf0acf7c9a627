"""Image folders: decoding, the cache, and everything that can be wrong with either."""

import os
import shutil
import subprocess
import sys
import tarfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mngnas_lib.data import ImageData, describe, folder, load_images
from mngnas_lib.data.folder import decode_file
from mngnas_lib.errors import DataError


def load(pictures: Path, cache: Path, **settings) -> ImageData:
    return load_images(f"folder:{pictures}", cache=cache, **settings)


def content(data: ImageData) -> dict[str, list[tuple[bytes, str]]]:
    return {
        name: sorted(
            (image.numpy().tobytes(), data.class_names[label])
            for image, label in zip(part.images, part.labels, strict=True)
        )
        for name, part in data.parts.items()
    }


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch):
    """After this, images can only come from the cache."""

    def refuse() -> None:
        monkeypatch.setattr(folder, "decode", lambda *_: pytest.fail("the images were decoded again"))

    return refuse


# ---------------------------------------------------------------------- reading


def test_images_labels_and_classes(make_folder, cache: Path):
    pictures = make_folder(("dog", "ant", "cat"), train=5, test=2)
    data = load(pictures, cache, valid_fraction=0)
    assert data.class_names == ("ant", "cat", "dog") and data.input_shape == (3, 6, 6)
    for part in ("train", "test"):
        files = sorted((pictures / part).glob("*/*.png"))
        stored = [(np.asarray(Image.open(file)).transpose(2, 0, 1).tobytes(), file.parent.name) for file in files]
        assert content(data)[part] == sorted(stored)


def test_same_wherever_it_lies(make_folder, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pictures = make_folder()
    shutil.copytree(pictures, tmp_path / "copy")
    one, other = load(pictures, cache), load(tmp_path / "copy", cache)
    assert one.fingerprint == other.fingerprint and one.cache != other.cache
    monkeypatch.setenv("MNGNAS_CACHE", str(tmp_path / "there"))
    assert load_images(f"folder:{pictures}").cache.parent == tmp_path / "there"
    monkeypatch.delenv("MNGNAS_CACHE")
    monkeypatch.chdir(tmp_path)
    assert load_images("folder:pictures").cache.parent == Path("data/cache/images")


def test_hidden_and_nested_files(make_folder, cache: Path):
    pictures = make_folder()
    before = load(pictures, cache).fingerprint
    (pictures / "train" / "cat" / ".DS_Store").write_text("x")
    (pictures / "train" / "cat" / "Thumbs.db").write_text("x")
    (pictures / "train" / ".git").mkdir()
    (pictures / "train" / "labels.txt").write_text("not in a class")
    assert load(pictures, cache).fingerprint == before
    deeper = pictures / "test" / "dog" / "images"
    deeper.mkdir()
    (pictures / "test" / "dog" / "1.png").rename(deeper / "9.png")
    assert len(load(pictures, cache).test) == 4


def test_resized_by_area_from_the_middle(make_folder, cache: Path):
    pictures = make_folder(shape=(4, 8, 3))
    data = load(pictures, cache, size=2, valid_fraction=0)
    files = sorted((pictures / "train").glob("*/*.png"))
    stored = np.stack([np.asarray(Image.open(file)) for file in files]).astype(int)
    blocks = stored[:, :, 2:6].reshape(-1, 2, 2, 2, 2, 3).sum((2, 4))
    expected = ((blocks + 2) // 4).astype(np.uint8).transpose(0, 3, 1, 2)
    assert sorted(image.tobytes() for image in expected) == [image for image, _ in sorted(content(data)["train"])]
    assert load(pictures, cache).input_shape == (3, 4, 8)  # without a size nothing is cut


def test_modes_become_rgb(tmp_path: Path):
    grey = np.random.default_rng(0).integers(0, 256, (5, 5), dtype=np.uint8)
    image = Image.fromarray(grey)
    equal = np.stack([grey] * 3)
    image.save(tmp_path / "grey.png")
    Image.merge("RGBA", [image, image, image, Image.new("L", (5, 5), 9)]).save(tmp_path / "alpha.png")
    image.convert("P").save(tmp_path / "palette.png")
    image.save(tmp_path / "frames.gif", save_all=True, append_images=[Image.new("L", (5, 5))])
    for file in ("grey.png", "alpha.png", "palette.png", "frames.gif"):
        assert np.array_equal(decode_file(tmp_path / file, None), equal), file
    Image.fromarray(grey > 127).save(tmp_path / "bits.png")
    assert np.array_equal(decode_file(tmp_path / "bits.png", None), (equal > 127) * 255)


def test_camera_rotation_is_not_applied(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned
    Image.fromarray(pixels).save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(decode_file(tmp_path / "photo.png", None), pixels.transpose(2, 0, 1))


def test_progress_bar_only_where_asked(make_folder, cache: Path, capsys: pytest.CaptureFixture):
    pictures = make_folder()
    load(pictures, cache)
    assert capsys.readouterr().err == ""  # standard error is no terminal here
    load(pictures, cache, size=3, progress=True)
    assert "Decoding pictures: 100%" in capsys.readouterr().err


# ---------------------------------------------------------------------- cache


def test_cache_is_used(make_folder, cache: Path, no_decoding):
    pictures = make_folder()
    first = load(pictures, cache, size=4)
    no_decoding()
    second = load(pictures, cache, size=4)
    assert first.fingerprint == second.fingerprint and first.cache == second.cache
    assert describe(second)["cache"] == str(first.cache) and first.cache.is_file()
    assert os.name != "posix" or first.cache.stat().st_mode & 0o777 == 0o644  # caches are shared among users
    # other draws from the same images
    assert load(pictures, cache, size=4, count=6, seed=3).fingerprint != first.fingerprint
    assert not list(pictures.rglob("*.images"))


@pytest.mark.parametrize("change", ["touched", "replaced", "added", "removed", "renamed"])
def test_changed_folder_is_decoded_anew(make_folder, cache: Path, change: str):
    pictures = make_folder()
    before = content(load(pictures, cache, valid_fraction=0))
    file = pictures / "train" / "cat" / "0.png"
    if change == "touched":
        # the same length, other pixels; only the time tells
        old = np.asarray(Image.open(file))
        Image.fromarray(old[::-1]).save(file, compress_level=0)
        load(pictures, cache)
        Image.fromarray(old[:, ::-1]).save(file, compress_level=0)
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
        new = old[:, ::-1].transpose(2, 0, 1).tobytes()
        assert (new, "cat") in content(load(pictures, cache, valid_fraction=0))["train"]
        return
    if change == "replaced":
        Image.new("RGB", (6, 6)).save(file)
    elif change == "added":
        shutil.copy(file, file.with_name("new.png"))
    elif change == "removed":
        file.unlink()
    else:
        file.rename(pictures / "train" / "dog" / "from_cats.png")
    after = content(load(pictures, cache, valid_fraction=0))
    assert after["train"] != before["train"] and after["test"] == before["test"]
    assert len(list(cache.glob("*.images"))) == 1


def test_damaged_cache_is_rebuilt(make_folder, cache: Path, no_decoding):
    pictures = make_folder()
    good = load(pictures, cache)
    whole = good.cache.read_bytes()
    length = len(whole)
    cut = [whole[:keep] for keep in (0, 1, 7, 8, 39, 40, 47, 60, length // 2, length - 1)]
    flipped = []
    for position in [*range(0, 60), *range(60, length, 211), length - 1]:
        changed = bytearray(whole)
        changed[position] ^= 0x10
        flipped.append(bytes(changed))
    for damaged in [*cut, *flipped, whole + b"x", b"something else"]:
        good.cache.write_bytes(damaged)
        with pytest.warns(UserWarning, match=r"the cache .*\.images is damaged .* decoded anew"):
            assert load(pictures, cache).fingerprint == good.fingerprint
        assert good.cache.read_bytes() == whole
    no_decoding()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(pictures, cache)


def test_failed_writing_leaves_the_old_cache(make_folder, cache: Path, monkeypatch: pytest.MonkeyPatch):
    pictures = make_folder()
    old = load(pictures, cache).cache.read_bytes()
    (pictures / "train" / "cat" / "0.png").unlink()

    def full(*_) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=r"cannot be written \(No space left on device\): set MNGNAS_CACHE"):
            load(pictures, cache)
    (file,) = cache.glob("*.images")
    assert file.read_bytes() == old and not list(cache.glob("*.tmp"))
    assert len(load(pictures, cache, valid_fraction=0).train) == 9


def test_two_processes_at_once(make_folder, cache: Path):
    pictures = make_folder()
    script = (
        "import sys, time\n"
        "from mngnas_lib.data import folder, load_images\n"
        "decode = folder.decode\n"
        "folder.decode = lambda *a: (print('decoded'), time.sleep(1), decode(*a))[2]\n"
        "print(load_images('folder:' + sys.argv[1], cache=sys.argv[2]).fingerprint)\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(pictures), str(cache)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root, env=environment) for _ in range(2)]
    lines = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(len(one) for one in lines) == [1, 2]  # one of them decoded
    assert lines[0][-1] == lines[1][-1] == load(pictures, cache).fingerprint


def test_cache_inside_the_images_or_not_writable(make_folder, tmp_path: Path):
    pictures = make_folder()
    for inside in (pictures, pictures / "train" / "cache"):
        with pytest.raises(DataError, match=r"lies inside the image folder .*: set MNGNAS_CACHE"):
            load(pictures, inside)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match=r"cannot be written .*: set MNGNAS_CACHE to another place"):
        load(pictures, tmp_path / "file" / "cache")
    assert sorted(path.name for path in pictures.iterdir()) == ["test", "train"]


# ---------------------------------------------------------------------- bad input


def test_missing_folders(make_folder, cache: Path, tmp_path: Path):
    with pytest.raises(DataError, match=f"there is no folder {tmp_path}/nowhere: images are expected in .*/train/"):
        load(tmp_path / "nowhere", cache)
    pictures = make_folder()
    shutil.rmtree(pictures / "test")
    with pytest.raises(DataError, match=f"there is no folder {pictures}/test: images are expected"):
        load(pictures, cache)
    shutil.rmtree(pictures / "train")
    for part in ("train", "test"):
        (pictures / part).mkdir()
    with pytest.raises(DataError, match="train has no folders: each class needs one"):
        load(pictures, cache)


@pytest.mark.parametrize("part", ["train", "test"])
def test_class_without_images(make_folder, cache: Path, part: str):
    pictures = make_folder()
    for file in (pictures / part / "dog").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=f"{part}/dog has no image: add some, or remove the class"):
        load(pictures, cache)


@pytest.mark.parametrize("part", ["train", "test"])
def test_classes_that_differ(make_folder, cache: Path, part: str):
    pictures = make_folder(("cat", "cow", "dog"))
    other = {"train": "test", "test": "train"}[part]
    shutil.rmtree(pictures / other / "cow")
    with pytest.raises(DataError, match=f"{part}/cow has no counterpart .*{other}/cow .*the same classes"):
        load(pictures, cache)


def test_undecodable_files(make_folder, cache: Path):
    pictures = make_folder()
    file = pictures / "train" / "dog" / "3.png"
    whole = file.read_bytes()
    # cut short within the pixels; no image; nothing
    for broken in (whole[: len(whole) * 2 // 3], b"hello", b""):
        file.write_bytes(broken)
        for size in (None, 4):
            with pytest.raises(DataError, match=r"train/dog/3.png cannot be used: .+\. Replace or remove it"):
                load(pictures, cache, size=size)
    (pictures / "train" / "cat" / "0.png").write_bytes(b"hello")
    (pictures / "test" / "cat" / "notes.txt").write_text("hello")
    for size in (None, 4):
        with pytest.raises(DataError, match=r"cat/.+ \(and 2 other files\) cannot be used"):
            load(pictures, cache, size=size)
    assert not list(cache.glob("*.images"))


def test_all_files_undecodable(make_folder, cache: Path):
    pictures = make_folder(train=1, test=1)
    for file in pictures.rglob("*.png"):
        file.write_bytes(b"hello")
    with pytest.raises(DataError, match=r"\(and 3 other files\) cannot be used"):
        load(pictures, cache)


def test_sixteen_bits_are_refused(make_folder, cache: Path):
    pictures = make_folder()
    Image.fromarray(np.full((6, 6), 40_000, np.uint16)).save(pictures / "train" / "cat" / "0.png")
    with pytest.raises(DataError, match=r"train/cat/0.png cannot be used: .*not of 8 bits a channel"):
        load(pictures, cache)


def test_several_shapes_need_a_size(make_folder, cache: Path):
    pictures = make_folder()
    Image.new("RGB", (9, 6)).save(pictures / "train" / "dog" / "2.png")
    with pytest.raises(DataError, match=r"dog/2.png cannot be used: it is 9x6, the first image 6x6: give a size"):
        load(pictures, cache)
    assert load(pictures, cache, size=6).input_shape == (3, 6, 6)


def test_dangling_link(make_folder, cache: Path):
    pictures = make_folder()
    (pictures / "train" / "cat" / "link.png").symlink_to(pictures / "gone.png")
    with pytest.raises(DataError, match=r"link.png cannot be read .*: make it readable, or remove it"):
        load(pictures, cache)


def test_linked_classes(make_folder, cache: Path, tmp_path: Path):
    pictures = make_folder()
    before = load(pictures, cache).fingerprint
    (pictures / "train" / "dog").rename(tmp_path / "dogs")
    (pictures / "train" / "dog").symlink_to(tmp_path / "dogs")
    assert load(pictures, cache).fingerprint == before


# ---------------------------------------------------------------------- real images


def test_real_folder(shared_data: Path, cache: Path, tmp_path: Path, no_decoding):
    """Every 100th picture of an archive of JPEG files."""
    with tarfile.open(shared_data / "cifar10_images.tar.xz") as archive:
        for number, member in enumerate(archive):
            if member.isfile() and number % 100 == 0:
                member.name = str(Path("pictures", *Path(member.name).parts[-3:]))
                archive.extract(member, tmp_path, filter="data")
    data = load(tmp_path / "pictures", cache, size=16)
    assert data.num_classes == 10 and data.input_shape == (3, 16, 16)
    assert len(data.train) + len(data.valid) >= 480 and len(data.test) >= 95
    # CIFAR-10's published channel means are 0.491, 0.482, 0.447
    assert torch.allclose(data.mean, torch.tensor([0.491, 0.482, 0.447]), atol=0.03)
    no_decoding()
    assert load(tmp_path / "pictures", cache, size=16).fingerprint == data.fingerprint
