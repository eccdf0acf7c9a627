"""``mngnas doctor``: what it finds, and what it makes of numbers of steps."""

import os
from importlib import metadata

import pytest

from mngnas_lib.cli import timing
from mngnas_lib.cli.doctor import machine, memory_size, packages
from mngnas_lib.cli.show import usable_cores
from mngnas_lib.lab import PROFILES


def fake_requirements(monkeypatch, *texts: str) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: list(texts))


def test_doctor_tells_versions_device_places_and_costs(mngnas, monkeypatch):
    fake_requirements(monkeypatch, "torch>=2.0", "click>=8")
    monkeypatch.setattr(timing, "measure", lambda *sizes: timing.Speed(0.001, 0.0001))
    text = mngnas("doctor").stdout
    lines = [line.split() for line in text.splitlines()]
    assert ["torch", metadata.version("torch"), ">=2.0"] in lines
    assert ["profile", "SuperNet", "ranking", "truth", "CIFAR-10"] in lines
    for word in ("CPU", "GPU", "profile", "data", "benchmark", "results", *PROFILES):
        assert any(line[:1] == [word] for line in lines), word


def test_doctor_leaves_with_1_and_the_remedy_if_a_package_does_not_fit(mngnas, monkeypatch):
    fake_requirements(monkeypatch, "torch>=99", "no-such-package-at-all>=1", "other; extra == 'dev'")
    result = mngnas("doctor", code=1)
    assert f"torch is {metadata.version('torch')}: pip install 'torch>=99'" in result.stderr
    assert "no-such-package-at-all is missing: pip install 'no-such-package-at-all>=1'" in result.stderr
    assert "other" not in result.stderr
    assert "What the profiles cost" not in result.stdout


def test_no_timing(mngnas, monkeypatch):
    fake_requirements(monkeypatch, "click")
    monkeypatch.setattr(timing, "estimates", pytest.fail)
    assert "What the profiles cost" not in mngnas("doctor", "--no-timing").stdout


def test_an_installation_is_not_needed(monkeypatch):
    def not_there(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", not_there)
    rows, problems = packages()
    assert ["torch", metadata.version("torch"), "?"] in rows
    assert problems == []


def test_found_benchmarks_and_results_are_listed(mngnas, monkeypatch, tmp_path):
    fake_requirements(monkeypatch, "click")
    monkeypatch.setenv("MNGNAS_PROFILE", "laptop")
    folder = tmp_path / "results" / "laptop"
    folder.mkdir(parents=True)
    (folder / "a-0.json").touch()
    monkeypatch.setattr("mngnas_lib.benchmarks.find_benchmarks", lambda: [("nasbench201", tmp_path / "x.csv")])
    text = mngnas("doctor", "--no-timing").stdout
    assert "profile     laptop (" in text
    assert f"benchmark   nasbench201: {tmp_path / 'x.csv'}" in text
    (missing,) = (line for line in text.splitlines() if ": no file in" in line)
    assert "nasbench101, nasbench-macro" in missing and " nasbench201" not in missing
    assert "0 quick, 1 laptop, 0 paper" in text


def test_an_unknown_profile_is_the_user_s_mistake(mngnas, monkeypatch):
    monkeypatch.setenv("MNGNAS_PROFILE", "fast")
    assert "no profile is called 'fast'" in mngnas("doctor", "--no-timing", code=2).stderr


def test_the_machine():
    total, free = memory_size()
    assert total > 2**28 and 0 <= free <= total
    assert 1 <= usable_cores() <= os.cpu_count()
    lines = machine()
    assert [line.split()[0] for line in lines][:2] == ["CPU", "memory"]
    assert any(line.startswith("GPU") for line in lines)


def test_memory_without_linux_files(monkeypatch):
    from pathlib import Path

    monkeypatch.setattr(Path, "read_text", lambda *args, **kwargs: "nothing of use")
    assert memory_size()[0] >= 0


def test_costs_by_hand(monkeypatch):
    profile = PROFILES["quick"]
    monkeypatch.setattr(timing, "measure", lambda sizes, channels, batch: timing.Speed(1.0, 0.1 * channels))
    supernet, ranking, truth, real = timing.costs(profile, {})
    sizes = profile.supernet
    train = round(sizes.count * (1 - sizes.valid_fraction))
    assert supernet == sizes.epochs * (train // sizes.batch_size) * sizes.batch_size
    assert ranking == pytest.approx(sizes.archs * (sizes.count - train) * 0.1)
    # of 40,000 hard digits a fifth is for tests, and a tenth of the others for validation
    assert truth == pytest.approx(profile.kit.epochs * 28_800 + profile.kit.archs * 3_200 * 0.1)
    assert real > profile.real.epochs * profile.real.count * 0.5


def test_equal_sizes_are_measured_once(monkeypatch):
    measured = []
    monkeypatch.setattr(timing, "measure", lambda *sizes: measured.append(sizes) or timing.Speed(1.0, 1.0))
    timing.estimates()
    sizes = {(s.channels, s.cells, s.size, c, b) for s, c, b in measured}
    assert len(sizes) == len(measured)


def test_a_measurement_is_real(monkeypatch):
    monkeypatch.setattr(timing, "BUDGET", 0.1)
    speed = timing.measure(PROFILES["quick"].supernet, 1, 8)
    assert 0 < speed.train < 1
    assert 0 < speed.evaluate < 1
