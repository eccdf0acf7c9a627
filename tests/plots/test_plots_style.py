"""The shared style: every method has a look of its own, and settings do not leak."""

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import METHODS, bar_style, look, point_style, style
from mngnas_lib.plots.style import BASELINES, BN_MODES, CHOICES, GROUPS, LOSSES, RETRAINING, SEARCHES, STRATEGIES, label


def test_the_methods_of_the_kit_have_looks():
    assert {"SPOS", "FairNAS", "MixPath", "MNGNAS", "FLOPs", "params", "noise ceiling", "Single KD"} <= set(METHODS)
    assert len(METHODS) == sum(map(len, (STRATEGIES, BASELINES, RETRAINING, BN_MODES, SEARCHES)))


def test_no_two_methods_share_a_marker_and_colour():
    assert len(set(METHODS.values())) == len(METHODS)
    markers = [marker for _, marker in METHODS.values()]
    assert len(set(markers)) == len(markers)
    assert len({color for color, _ in (STRATEGIES | RETRAINING).values()}) == len(STRATEGIES | RETRAINING)


#: How people without red (protan) or green (deutan) cones see linear RGB (Viénot, Brettel and Mollon 1999)
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]),
    "deutan": np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]),
}


def lab(color, blindness):
    """CIELAB coordinates of a colour as it is seen."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = np.clip(BLINDNESS[blindness] @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", list(BLINDNESS))
@pytest.mark.parametrize(
    "family",
    [STRATEGIES, BASELINES, RETRAINING | {"MNGNAS": METHODS["MNGNAS"]}, BN_MODES, GROUPS, LOSSES, SEARCHES],
    ids=["strategies", "baselines", "retraining", "bn modes", "groups", "losses", "searches"],
)
def test_methods_that_stand_side_by_side_can_be_told_apart(family, blindness):
    for one, two in itertools.combinations(family, 2):
        distance = np.linalg.norm(lab(family[one].color, blindness) - lab(family[two].color, blindness))
        assert distance > 12, (one, two)


def test_choices_of_one_slot_have_different_looks():
    for choices in (list(CHOICES)[:5], list(CHOICES)[5:8], list(CHOICES)[8:]):
        assert len({CHOICES[choice].color for choice in choices}) == len(choices)
        assert len({CHOICES[choice].marker for choice in choices}) == len(choices)


def test_paper_and_measured_differ():
    for method in METHODS:
        assert point_style(method)["markerfacecolor"] == look(method).color
        assert point_style(method, "paper")["markerfacecolor"] == "white"
        assert "hatch" not in bar_style(method) and bar_style(method, "paper")["hatch"]
    assert label("SPOS") == "SPOS" and label("SPOS", "paper") == "SPOS (paper)"


@pytest.mark.parametrize("use", [look, point_style, bar_style])
def test_unknown_methods_and_sources(use):
    with pytest.raises(ConfigError, match="choose one of SPOS"):
        use("spos")
    for styled in (point_style, bar_style):
        with pytest.raises(ConfigError, match="'measured' or from the 'paper'"):
            styled("SPOS", "guessed")


def test_style_is_undone():
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["svg.hashsalt"] == "mngnas-kit"
        mpl.rcParams["font.size"] = 33
    assert dict(mpl.rcParams) == before
