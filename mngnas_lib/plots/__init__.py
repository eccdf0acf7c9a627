"""Figures: one function per figure family, one style for all.

Every function takes plain data and an ``ax``, draws on it, and returns it. Wrap the drawing in ``with style():`` and
hand the figure to :func:`save`. The diagram of the method is :func:`mngnas_lib.plots.overview.draw_overview`.
"""

from mngnas_lib.plots.architectures import draw_architecture
from mngnas_lib.plots.rankings import plot_bn_modes, plot_interval_width, plot_ranking, plot_taus, plot_top_k
from mngnas_lib.plots.save import save
from mngnas_lib.plots.style import METHODS, bar_style, look, point_style, style
from mngnas_lib.plots.training import plot_history, plot_visits

__all__ = [
    "METHODS",
    "bar_style",
    "draw_architecture",
    "look",
    "plot_bn_modes",
    "plot_history",
    "plot_interval_width",
    "plot_ranking",
    "plot_taus",
    "plot_top_k",
    "plot_visits",
    "point_style",
    "save",
    "style",
]
