"""Saved figures: two files, the right folder, the same bytes each time, never half a file."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import draw_architecture, plot_top_k, save, style
from mngnas_lib.plots.overview import draw_overview
from mngnas_lib.spaces import get_space

#: Draws the same figure as the test that runs it, in a process of its own
SCRIPT = """
import sys
import matplotlib
matplotlib.use("Agg")
from test_plots_save import save_a_figure
save_a_figure(sys.argv[1])
"""


def save_a_figure(root):
    """A figure with clipping, markers, text and a legend."""
    with style():
        fig, ax = plt.subplots()
        plot_top_k({"SPOS": {1: 0.1, 10: 0.4}, "FLOPs": {1: 0.0, 10: 0.3}}, ax, total=100)
    paths = save(fig, "figure", "quick", root=root)
    plt.close(fig)
    return [path.read_bytes() for path in paths]


@pytest.fixture
def fig():
    with style():
        fig, ax = plt.subplots()
        ax.plot(np.arange(5), np.arange(5) ** 2, "o-", label="squares")
        ax.fill_between(np.arange(5), 0, np.arange(5))
        ax.legend()
    yield fig
    plt.close(fig)


@pytest.mark.parametrize(
    ("profile", "folder"), [("laptop", "figures"), ("quick", "build/figures/quick"), ("paper", "build/figures/paper")]
)
def test_folder_of_each_profile(fig, tmp_path, profile, folder):
    png, svg = save(fig, "squares", profile, root=tmp_path)
    assert (png, svg) == (tmp_path / folder / "squares.png", tmp_path / folder / "squares.svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()
    assert sorted(path.name for path in png.parent.iterdir()) == ["squares.png", "squares.svg"]


def test_profile_of_the_environment(fig, tmp_path, monkeypatch):
    monkeypatch.delenv("MNGNAS_PROFILE", raising=False)
    assert save(fig, "a", root=tmp_path)[0].parent == tmp_path / "build/figures/quick"
    monkeypatch.setenv("MNGNAS_PROFILE", "laptop")
    assert save(fig, "a", root=tmp_path)[0].parent == tmp_path / "figures"


def test_saving_twice_gives_the_same_bytes(fig, tmp_path):
    first = [path.read_bytes() for path in save(fig, "squares", root=tmp_path)]
    again = [path.read_bytes() for path in save(fig, "squares", root=tmp_path)]
    assert first == again


@pytest.mark.parametrize("draw", [draw_overview, lambda ax: draw_architecture(get_space("nasbench201"), (3,) * 6, ax)])
def test_drawing_twice_gives_the_same_bytes(draw, tmp_path):
    contents = []
    for _ in range(2):
        with style():
            fig, ax = plt.subplots()
            draw(ax)
        contents.append([path.read_bytes() for path in save(fig, "drawing", root=tmp_path)])
        plt.close(fig)
    assert contents[0] == contents[1]


def test_another_process_writes_the_same_bytes(tmp_path):
    """Hash seeds, dates and identifiers differ from process to process; the files must not."""
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    env = os.environ | {"PYTHONHASHSEED": "77", "SOURCE_DATE_EPOCH": "1", "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "other")], check=True, env=env)
    folder = tmp_path / "other" / "build" / "figures" / "quick"
    other = [(folder / f"figure.{kind}").read_bytes() for kind in ("png", "svg")]
    assert save_a_figure(tmp_path / "here") == other


def test_files_carry_no_date_and_no_version(fig, tmp_path):
    png, svg = save(fig, "squares", root=tmp_path)
    assert "dc:date" not in svg.read_text()
    assert b"Matplotlib version" not in png.read_bytes()


def test_everybody_may_read_the_files(fig, tmp_path):
    for path in save(fig, "squares", root=tmp_path):
        assert path.stat().st_mode & 0o777 == 0o644


def test_a_failure_leaves_the_old_file_and_no_other(fig, tmp_path, monkeypatch):
    png, svg = save(fig, "squares", root=tmp_path)
    before = png.read_bytes(), svg.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(fig, "squares", root=tmp_path)
    assert (png.read_bytes(), svg.read_bytes()) == before
    assert len(list(png.parent.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "a/b", "../a", "A", "a b", ".hidden"])
def test_names_that_are_no_file_names(fig, tmp_path, name):
    with pytest.raises(ConfigError, match="cannot name a figure"):
        save(fig, name, root=tmp_path)
    if name:
        with pytest.raises(ConfigError, match="cannot name a figure"):
            save(fig, "a", name, root=tmp_path)
