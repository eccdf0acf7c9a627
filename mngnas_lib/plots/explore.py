"""Sliders for a figure, where somebody is there to move them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType


def explore(draw: Callable[..., object], **sliders: tuple[float, float, float]) -> bool:
    """Call ``draw`` with the sliders' values, now and whenever one is moved.

    Does nothing where nobody is there, as when a notebook is executed from the command line or a script runs, and
    nothing without ipywidgets. So show the same as a static figure first.

    Args:
        draw: takes a number for each slider by name, draws a figure of its own and shows it.
        sliders: by name: the smallest value, the largest, and the first.

    Returns:
        Whether there are sliders now.
    """
    widgets = _widgets()
    if widgets is None or not _is_attended():
        return False
    # a figure is drawn when a slider comes to rest, since drawing takes longer than the mouse's next move
    controls = {
        name: widgets.FloatSlider(
            value=first, min=low, max=high, step=(high - low) / 100, description=name, continuous_update=False
        )
        for name, (low, high, first) in sliders.items()
    }
    widgets.interact(draw, **controls)
    return True


def _is_attended() -> bool:
    """Whether the running cell was sent by a front-end whose user could be asked something."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


def _widgets() -> ModuleType | None:
    try:
        import ipywidgets
    except ModuleNotFoundError:
        return None
    return ipywidgets
