"""How far the register's items are measured: not started, partial, or measured under a profile, and when.

Listing the runs imports torch and takes seconds. The hashes of all runs follow from the package's source, so they are
kept in ``data/cache/register-runs.json`` beside the results, under a hash of that source.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import mngnas_lib
from mngnas_lib.places import results_folder, write_text
from mngnas_lib.register.item import Item
from mngnas_lib.register.rows import ITEMS

#: From the smallest sizes to the paper's
PROFILES = ("quick", "laptop", "paper")


@dataclass(frozen=True)
class State:
    """Runs of an item under one profile.

    Attributes:
        done, total: runs that are stored, and all that the kit can compute.
        when: when the last of them ended (ISO 8601), None where there is none.
        results: name and checksum of each stored result, in the order of the runs.
    """

    item: Item
    profile: str
    done: int
    total: int
    when: str | None
    results: tuple[tuple[str, str], ...] = ()

    @property
    def measured(self) -> bool:
        """Whether everything that the item shows is measured."""
        return self.total > 0 and self.done == self.total and not self.item.missing

    def __str__(self) -> str:
        if self.item.kind == "diagram":
            return "drawn by code, needs no run"
        if self.measured:
            return f"measured under {self.profile}, {self.day}"
        if self.done:
            return f"partial ({self.done} of {self.total} runs) under {self.profile}, {self.day}"
        return f"not started (0 of {self.total} runs)" if self.total else "not started (no runs to compute yet)"

    @property
    def day(self) -> str:
        """When the last run ended, as ``2026-11-25``; empty where none did."""
        return (self.when or "").partition("T")[0]


def state_of(item: Item, profile: str) -> State:
    """What is stored of an item's runs under a profile."""
    names = _run_files().get(item.id, {}).get(profile, [])
    read = {name: _read(results_folder() / profile / name) for name in names}
    found = {name: record for name, record in read.items() if record is not None}
    when = max((finished for _, finished in found.values()), default=None)
    results = tuple((name, checksum) for name, (checksum, _) in found.items())
    return State(item, profile, len(found), len(read), when, results)


def best_state(item: Item) -> State:
    """The state under the profile where most is done; of two that are alike, the larger profile."""
    states = [state_of(item, profile) for profile in PROFILES]
    return max(states, key=lambda state: (state.done / state.total if state.total else 0, states.index(state)))


def _read(path: Path) -> tuple[str, str] | None:
    """Checksum of a stored result and when it was finished; None where there is none, or it is not whole."""
    try:
        content = json.loads(path.read_bytes())
        return content["checksum"], content["provenance"]["finished"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _run_files() -> dict[str, dict[str, list[str]]]:
    """Names of the result files of each item under each profile."""
    cache = results_folder().parent / "cache" / "register-runs.json"
    source = source_hash()
    try:
        content = json.loads(cache.read_bytes())
        if content["source"] == source:
            return content["files"]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    files = _listed()
    with suppress(OSError):  # a cache that cannot be written is no error
        write_text(cache, json.dumps({"source": source, "files": files}))
    return files


def _listed() -> dict[str, dict[str, list[str]]]:
    from mngnas_lib.lab.profiles import get_profile
    from mngnas_lib.lab.store import result_path
    from mngnas_lib.register.needs import NEEDS

    return {
        item.id: {
            name: [result_path(need.config, name).name for need in NEEDS[item.needs](get_profile(name))]
            for name in PROFILES
        }
        for item in ITEMS
        if item.needs
    }


def source_hash() -> str:
    """SHA-256 of the package's source files, their names included."""
    root = Path(mngnas_lib.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
