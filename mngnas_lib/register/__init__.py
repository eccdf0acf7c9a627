"""Every figure and table of the paper: what it needs, what is measured, and the files that show it.

In a notebook::

    from mngnas_lib.register import show

    show("tab-05")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mngnas_lib.errors import ConfigError
from mngnas_lib.register.item import Item
from mngnas_lib.register.rows import ITEMS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mngnas_lib.register.tables import SideBySide


_BY_ID = {item.id: item for item in ITEMS}


def get_item(name: str) -> Item:
    """The item called ``name``.

    Raises:
        ConfigError: there is none.
    """
    if name not in _BY_ID:
        raise ConfigError(
            f"the paper has no {name!r}: its figures are fig-01 to fig-14, its tables tab-01 to tab-16 "
            "(`mngnas status` lists them)"
        )
    return _BY_ID[name]


def choose(names: Sequence[str]) -> tuple[Item, ...]:
    """The items called so, in the register's order; all where none is named.

    Raises:
        ConfigError: there is no such item.
    """
    wanted = {get_item(name).id for name in names}
    return tuple(item for item in ITEMS if not wanted or item.id in wanted)


def show(name: str, profile: str | None = None) -> Figure | SideBySide:
    """A figure or table of the paper, drawn from the stored results; its files are written as well.

    Nothing is computed: what no run has measured yet is said to be so.

    Args:
        name: ``fig-01`` ... ``fig-14``, ``tab-01`` ... ``tab-16``.
        profile: whose results; by default the current profile's.

    Raises:
        ConfigError: there is no such item or profile.
    """
    # drawing imports torch and matplotlib, which listing the register does not need
    from mngnas_lib.lab.profiles import current_profile, get_profile
    from mngnas_lib.register.artefacts import make

    return make(get_item(name), get_profile(profile) if profile else current_profile()).shown


__all__ = ["ITEMS", "Item", "choose", "get_item", "show"]
