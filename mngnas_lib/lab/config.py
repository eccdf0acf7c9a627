"""What a run is: frozen settings that name everything that changes the result, and a hash of them.

::

    @dataclass(frozen=True)
    class TrainRun(RunConfig):
        kind: ClassVar[str] = "train"
        version: ClassVar[int] = 1
        space: str
        train: TrainConfig
        seeds: tuple[int, ...] = (0,)
        data_root: str | None = field(default=None, compare=False)  # does not change the result
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import types
import typing
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar

import numpy as np

from mngnas_lib.errors import ConfigError
from mngnas_lib.settings import as_before, later

Config = TypeVar("Config", bound="RunConfig")

_KIND = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class RunConfig:
    """Base of all runs. A subclass is a frozen dataclass; its fields may be annotated with bool, int, float, str, None,
    ``Literal``, unions of these, tuples, and other frozen dataclasses of the same, runs included.

    A field declared with ``compare=False`` does not change the result (a path, say); it is not part of the hash, nor
    of the equality of two runs. A field that came later, declared with ``metadata={"later": True}``, has a default
    under which everything is as before it came; with that default it is left out, so that earlier results keep their
    hash.

    Attributes:
        kind: names the run in its result file: small letters, digits and hyphens.
        version: raised when the computation changes, so that earlier results are not taken for new ones.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not _KIND.fullmatch(getattr(cls, "kind", "")):
            raise TypeError(f"{cls.__name__} needs a kind of small letters, digits and hyphens, to name its results")

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain data that JSON can hold; equal for equal runs.

        Raises:
            ConfigError: a setting does not fit its annotation, or is not a finite number.
        """
        if "__dataclass_fields__" not in vars(type(self)):
            raise TypeError(f"{type(self).__name__} lacks its decorator @dataclass(frozen=True)")
        return _plain(type(self), self, type(self).__name__)

    @property
    def digest(self) -> str:
        """SHA-256 of kind, version and settings: equal for equal runs, on every machine and Python."""
        content = {"kind": self.kind, "version": self.version, "config": self.as_dict()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def from_dict(cls: type[Config], data: dict[str, Any]) -> Config:
        """The run that :meth:`as_dict` wrote, or that JSON made of it.

        Raises:
            ConfigError: ``data`` lacks a setting, has one that this run does not know, or one of another type.
        """
        return _build(cls, data, cls.__name__)


@cache
def _settings(kind: type) -> dict[str, Any]:
    """Names and annotated types of the fields that count."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.compare}


def _plain(kind: Any, value: Any, where: str) -> Any:
    """``value`` of the annotated type ``kind`` as plain data."""
    if is_dataclass(kind):
        # a subclass may have more settings, and would hash like its base
        if type(value) is not kind:
            raise _wrong(kind, value, where)
        left_out = as_before(value)
        plain = {
            name: _plain(hint, getattr(value, name), f"{where}.{name}")
            for name, hint in _settings(kind).items()
            if name not in left_out
        }
        # a run that builds on another run changes when the other's computation does
        return plain | {"version": kind.version} if _is_inner_run(kind, where) else plain
    members = _entries(kind, value, where)
    if members is not None:
        return [_plain(member, entry, f"{where}[{i}]") for i, (member, entry) in enumerate(members)]
    return _plain(_member(kind, value, where), value, where) if _is_union(kind) else _scalar(kind, value, where)


def _build(kind: Any, data: Any, where: str) -> Any:
    """Plain data as a value of the annotated type ``kind``."""
    if is_dataclass(kind):
        hints = _settings(kind)
        if _is_inner_run(kind, where) and isinstance(data, dict):
            data = dict(data)
            if data.pop("version", None) != kind.version:
                raise ConfigError(f"{where}: these settings are not of version {kind.version} of {kind.__name__}")
        if not isinstance(data, dict) or not set(hints) - set(later(kind)) <= set(data) <= set(hints):
            raise ConfigError(f"{where}: these are not the settings of {kind.__name__}: it has {', '.join(hints)}")
        left_out = [field.name for field in fields(kind) if not field.compare and _is_required(field)]
        if left_out:
            raise TypeError(f"{kind.__name__}.{left_out[0]} is left out of the settings, so it needs a default")
        return kind(**{name: _build(hints[name], entry, f"{where}.{name}") for name, entry in data.items()})
    members = _entries(kind, data, where)
    if members is not None:
        return tuple(_build(member, entry, f"{where}[{i}]") for i, (member, entry) in enumerate(members))
    return _build(_member(kind, data, where), data, where) if _is_union(kind) else _scalar(kind, data, where)


def _is_inner_run(kind: type, where: str) -> bool:
    """Whether ``kind`` is a run, and part of another one."""
    return issubclass(kind, RunConfig) and where != kind.__name__


def _entries(kind: Any, value: Any, where: str) -> list[tuple[Any, Any]] | None:
    """(annotated type, entry) of each entry of a tuple; None if ``kind`` is not a tuple."""
    if typing.get_origin(kind) is not tuple:
        return None
    members = typing.get_args(kind)
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        raise _wrong(kind, value, where)
    if len(members) == 2 and members[1] is Ellipsis:
        members = (members[0],) * len(value)
    if len(members) != len(value):
        raise _wrong(kind, value, where)
    return list(zip(members, value, strict=True))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _member(kind: Any, value: Any, where: str) -> Any:
    """The member of a union that ``value`` is of."""
    members = typing.get_args(kind)
    if sum(is_dataclass(member) for member in members) > 1:
        raise TypeError(f"{where}: a union of two dataclasses cannot be told apart once it is plain data")
    # 1 is an int if the union has ints, and else a float
    order = (bool, int, float)
    for member in sorted(members, key=lambda member: order.index(member) if member in order else len(order)):
        if is_dataclass(member):
            fits = isinstance(value, member | dict)
        elif typing.get_origin(member) is tuple:
            fits = isinstance(value, list | tuple | np.ndarray)
        else:
            fits = _fits(member, value)
        if fits:
            return member
    raise _wrong(kind, value, where)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if not _fits(kind, value):
        raise _wrong(kind, value, where)
    if kind is float:
        if not math.isfinite(value):
            raise ConfigError(f"{where} must be a finite number, not {value}")
        # 1 and 1.0, 0.0 and -0.0 are equal settings and must hash alike
        return float(value) + 0.0
    return value


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(value, np.generic):
        value = value.item()
    if typing.get_origin(kind) is typing.Literal:
        return any(type(value) is type(choice) and value == choice for choice in typing.get_args(kind))
    if kind is type(None):
        return value is None
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind in (bool, str):
        return isinstance(value, kind)
    raise TypeError(f"a setting cannot be annotated with {kind}: see RunConfig for what can")


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _wrong(kind: Any, value: Any, where: str) -> ConfigError:
    name = kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)
    return ConfigError(f"{where} must be of type {name}, but it is {value!r}")
