"""What a search knows between two steps, and how that is kept and found again."""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mngnas_lib.data import ImageData
from mngnas_lib.errors import CheckpointError
from mngnas_lib.search.config import SearchConfig
from mngnas_lib.search.history import History
from mngnas_lib.settings import as_before
from mngnas_lib.spaces import SlotNetwork
from mngnas_lib.supernet import latest_checkpoint, save_checkpoint

SECONDS_BETWEEN_CHECKPOINTS = 300.0


@dataclass
class SearchState:
    """A search after some search epochs, and perhaps in the midst of the next retraining.

    Attributes:
        threshold: flops_thre in MAdds; None until the first candidates are known, unless it was given.
        done: search epochs that are over.
        history: tables of these.
        weights: of those that teach from now on, and of the best, by notation.
        certificate: the worst relative duality gap and KKT residual of all coefficients so far.
        retraining: state of the retraining under way, see :meth:`mngnas_lib.search.retrain.Retraining.state_dict`.
        seconds: wall time by part that the search epoch under way took before this checkpoint.
    """

    threshold: float | None = None
    done: int = 0
    history: History = field(default_factory=History)
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    certificate: tuple[float, float] = (0.0, 0.0)
    retraining: dict[str, Any] | None = None
    seconds: dict[str, float] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one search in a folder; without a folder, none are kept.

    Args:
        identity: what a checkpoint must agree on to be of this search.
        is_writer: whether this process is the one that writes.
    """

    def __init__(self, folder: Path | None, identity: dict[str, Any], *, is_writer: bool = True) -> None:
        self.folder, self.identity = folder, identity
        self.is_kept = folder is not None and is_writer
        self.saved = time.perf_counter()

    @property
    def is_due(self) -> bool:
        """Whether the last one was written so long ago that it is time for another, also within a search epoch."""
        return self.is_kept and time.perf_counter() - self.saved > SECONDS_BETWEEN_CHECKPOINTS

    def save(self, step: int, state: SearchState) -> None:
        """Write ``state``; ``step`` grows from one checkpoint of the search to the next."""
        if self.folder is not None and self.is_kept:
            content = vars(state) | {"history": vars(state.history), "certificate": list(state.certificate)}
            save_checkpoint(self.folder, step, {"identity": self.identity, "state": content})
        self.saved = time.perf_counter()

    def load(self, device: torch.device) -> SearchState | None:
        """The newest whole checkpoint, if there is one.

        Raises:
            CheckpointError: it is of another search.
        """
        found = None if self.folder is None else latest_checkpoint(self.folder, device=device)
        if found is None:
            return None
        theirs, content = found[1].get("identity", {}), found[1].get("state")
        if self.identity != theirs or content is None:
            differing = ", ".join(key for key in self.identity if self.identity[key] != theirs.get(key))
            raise CheckpointError(
                f"{self.folder} holds checkpoints of another search (differing: {differing}): "
                "use another folder, or delete it to start afresh"
            )
        history = History(**content["history"])
        return SearchState(**content | {"history": history, "certificate": tuple(content["certificate"])})


def identity_of(supernet: SlotNetwork, data: ImageData, config: SearchConfig) -> dict[str, Any]:
    """Everything that changes the history of a search, as plain data."""
    settings = {name: value for name, value in asdict(config).items() if name not in as_before(config)}
    del settings["retrain"]["memory"]  # does not change the result
    return {
        "space": supernet.space.name,
        "sizes": supernet.space.settings(),
        "config": settings,
        "data": data.fingerprint,
        "supernet": weights_digest(supernet),
    }


def weights_digest(network: SlotNetwork) -> str:
    """16 hexadecimal digits of a hash of a network's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
