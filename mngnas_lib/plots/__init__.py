"""Figures: one function per figure family, one style for all.

Every function takes plain data and an ``ax``, draws on it, and returns it. Wrap the drawing in ``with style():`` and
hand the figure to :func:`save`. The diagram of the method is :func:`mngnas_lib.plots.overview.draw_overview`.
The paper's Fig. 1 to 14 are drawn by the modules ``paper_...``.
"""

from mngnas_lib.plots.architectures import draw_architecture
from mngnas_lib.plots.coefficients import plot_coefficients, plot_who_taught, short_names
from mngnas_lib.plots.distillation import plot_before_after, plot_forwards, plot_soft_labels
from mngnas_lib.plots.explore import explore
from mngnas_lib.plots.geometry import plot_descent_map, plot_minkowski, plot_simplices, plot_slackness
from mngnas_lib.plots.paper_algorithms import draw_algorithms
from mngnas_lib.plots.paper_architectures import draw_cell_graph, draw_chains, draw_found
from mngnas_lib.plots.paper_boxes import plot_error_boxes
from mngnas_lib.plots.paper_diagrams_framework import draw_framework
from mngnas_lib.plots.paper_distillation_process import draw_distillation_process
from mngnas_lib.plots.paper_epochs import plot_retraining_epochs
from mngnas_lib.plots.paper_frames import draw_not_measured
from mngnas_lib.plots.paper_scatter import plot_accuracy_pairs
from mngnas_lib.plots.paper_taus import plot_tau_epochs, plot_tau_teachers
from mngnas_lib.plots.paper_tradeoff import plot_error_flops
from mngnas_lib.plots.rankings import plot_bn_modes, plot_interval_width, plot_ranking, plot_taus, plot_top_k
from mngnas_lib.plots.retraining import plot_algorithm_taus, plot_losses, plot_tau_differences
from mngnas_lib.plots.save import save
from mngnas_lib.plots.search import plot_accuracy_cloud, plot_groups, plot_search_progress
from mngnas_lib.plots.style import METHODS, bar_style, look, point_style, style
from mngnas_lib.plots.tabular import plot_regret
from mngnas_lib.plots.training import plot_history, plot_visits
from mngnas_lib.plots.weightings import plot_agreement, plot_coefficients_along, plot_weighting_curves, plot_weightings

__all__ = [
    "METHODS",
    "bar_style",
    "draw_algorithms",
    "draw_architecture",
    "draw_cell_graph",
    "draw_chains",
    "draw_distillation_process",
    "draw_found",
    "draw_framework",
    "draw_not_measured",
    "explore",
    "look",
    "plot_accuracy_cloud",
    "plot_accuracy_pairs",
    "plot_agreement",
    "plot_algorithm_taus",
    "plot_before_after",
    "plot_bn_modes",
    "plot_coefficients",
    "plot_coefficients_along",
    "plot_descent_map",
    "plot_error_boxes",
    "plot_error_flops",
    "plot_forwards",
    "plot_groups",
    "plot_history",
    "plot_interval_width",
    "plot_losses",
    "plot_minkowski",
    "plot_ranking",
    "plot_regret",
    "plot_retraining_epochs",
    "plot_search_progress",
    "plot_simplices",
    "plot_slackness",
    "plot_soft_labels",
    "plot_tau_differences",
    "plot_tau_epochs",
    "plot_tau_teachers",
    "plot_taus",
    "plot_top_k",
    "plot_visits",
    "plot_weighting_curves",
    "plot_weightings",
    "plot_who_taught",
    "point_style",
    "save",
    "short_names",
    "style",
]
