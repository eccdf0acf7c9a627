"""Settings that were added to a dataclass when results and checkpoints of it were stored already."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any


@cache
def later(kind: type) -> dict[str, Any]:
    """Names and defaults of the fields declared with ``metadata={"later": True}``.

    At its default, such a setting leaves everything as it was before it came.
    """
    return {field.name: field.default for field in fields(kind) if field.metadata.get("later")}


def as_before(settings: Any) -> set[str]:
    """Names of the later fields that are at their defaults. What identifies ``settings`` leaves them out, so that what
    was stored before they came stays of use."""
    return {name for name, default in later(type(settings)).items() if getattr(settings, name) == default}
