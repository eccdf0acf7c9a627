"""Search spaces: slots, notation, cost, SuperNet and stand-alone network.

>>> space = get_space("nasbench201")
>>> arch = space.from_string("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
>>> space.cost(arch, input_shape=(3, 32, 32), num_classes=10)
Cost(params=344346, macs=47104640)
"""

from dataclasses import fields

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces.base import Arch, Cost, InputShape, SearchSpace, Slot
from mngnas_lib.spaces.nasbench101 import NasBench101
from mngnas_lib.spaces.nasbench201 import NasBench201
from mngnas_lib.spaces.nasbench_macro import NasBenchMacro
from mngnas_lib.spaces.network import ChainNetwork, Output, SlotNetwork

SPACES: dict[str, type[SearchSpace]] = {space.name: space for space in (NasBench101, NasBench201, NasBenchMacro)}


def get_space(name: str, **sizes: object) -> SearchSpace:
    """The search space called ``name``.

    Args:
        sizes: widths and depths that differ from the benchmark's, for example ``channels=8, cells=1``.

    Raises:
        ConfigError: no space has this name, or it has no such size.
    """
    if name not in SPACES:
        raise ConfigError(f"no search space is called {name!r}: choose one of {', '.join(sorted(SPACES))}")
    try:
        return SPACES[name](**sizes)
    except TypeError as error:
        known = ", ".join(field.name for field in fields(SPACES[name]))
        raise ConfigError(f"{name} cannot be built with sizes {sizes}: it has {known}") from error


__all__ = [
    "SPACES",
    "Arch",
    "ChainNetwork",
    "Cost",
    "InputShape",
    "NasBench101",
    "NasBench201",
    "NasBenchMacro",
    "Output",
    "SearchSpace",
    "Slot",
    "SlotNetwork",
    "get_space",
]
