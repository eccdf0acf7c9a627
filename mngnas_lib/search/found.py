"""The network that a search found, as a checkpoint of its own."""

from __future__ import annotations

from pathlib import Path

import torch

from mngnas_lib.data import ImageData
from mngnas_lib.errors import CheckpointError
from mngnas_lib.search.history import SearchResult
from mngnas_lib.spaces import SlotNetwork, get_space
from mngnas_lib.supernet import latest_checkpoint, load_checkpoint, save_checkpoint


def save_network(folder: Path, result: SearchResult, data: ImageData) -> Path:
    """Write the network that was found into ``folder``, in place of an earlier one.

    Args:
        data: the images of the search.
    """
    network = result.network
    state = {
        "identity": {
            "space": network.space.name,
            "sizes": network.space.settings(),
            "arch": network.arch,
            "data": data.fingerprint,
        },
        "num_classes": network.num_classes,
        "in_channels": network.in_channels,
        "network": network.state_dict(),
    }
    return save_checkpoint(folder, len(result.history.archs), state, keep=1)


def load_network(path: Path, *, device: torch.device | str = "cpu") -> SlotNetwork:
    """The stand-alone network that a checkpoint holds, or the newest one of a folder, in evaluation mode.

    Raises:
        CheckpointError: there is none, it is damaged, or it is of something else.
    """
    path = Path(path)
    found = latest_checkpoint(path, device=device) if path.is_dir() else (path, load_checkpoint(path, device=device))
    if found is None:
        raise CheckpointError(f"there is no whole checkpoint in {path}: name a folder that a network was written to")
    state = found[1]
    identity = state.get("identity", {})
    if identity.get("arch") is None:
        raise CheckpointError(f"{found[0]} is not of a stand-alone network: name a checkpoint of one")
    space = get_space(identity["space"], **identity["sizes"])
    shape = {"num_classes": state["num_classes"], "in_channels": state["in_channels"]}
    network = space.network(identity["arch"], seed=0, skip_unused=True, **shape)
    network.load_state_dict(state["network"])
    return network.to(device).eval()
