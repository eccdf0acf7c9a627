"""Results on disk: one JSON file a run, whole or absent, with a checksum of its content.

JSON has no name for numbers that are not finite. They are written as the strings ``"NaN"``, ``"Infinity"`` and
``"-Infinity"``; a text that reads like one of these is written with a backslash before it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from mngnas_lib.lab.config import RunConfig
from mngnas_lib.places import results_folder, write_text

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_LOOKS_SPECIAL = re.compile(r"\\*(NaN|-?Infinity)")
_PARTS = ("metrics", "tables", "curves", "provenance")


@dataclass(frozen=True)
class Result:
    """What a run gave.

    Attributes:
        metrics: names and values.
        tables: named tables; each a dict of equally long columns.
        curves: named series, shaped like tables.
        provenance: where it came from, see :mod:`mngnas_lib.lab.provenance`.
        path: the file that holds it.
    """

    metrics: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, list]] = field(default_factory=dict)
    curves: dict[str, dict[str, list]] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None

    def table(self, name: str) -> pd.DataFrame:
        """One table as a data frame."""
        return pd.DataFrame(self.tables[name])

    def curve(self, name: str) -> pd.DataFrame:
        """One series as a data frame."""
        return pd.DataFrame(self.curves[name])


class DamagedResultError(Exception):
    """A result file that is not what was once written, or is of another run."""


def result_path(config: RunConfig, profile: str, root: Path | None = None) -> Path:
    """The file of a run: ``<root>/<profile>/<kind>-<first 12 digits of its hash>.json``."""
    return (results_folder() if root is None else Path(root)) / profile / f"{config.kind}-{config.digest[:12]}.json"


def write_result(path: Path, config: RunConfig, result: Result) -> Result:
    """Store a result, and return it as a reader would get it.

    The file appears at once and whole, however many processes write it and whenever one of them is killed.

    Raises:
        TypeError: the result holds something that is not plain data, numpy's or torch's numbers, or a data frame.
        ValueError: the columns of a table or curve are not equally long.
    """
    body = {"kind": config.kind, "version": config.version, "config": config.as_dict()}
    for part in _PARTS:
        body[part] = _encode(getattr(result, part), part)
    for part in ("tables", "curves"):
        _check_columns(part, body[part])
    # read back from the text itself, so that a computed result and a stored one cannot differ
    text = _pretty({"checksum": _checksum(body), **body}) + "\n"
    write_text(path, text)
    return _parse(text, config, path)


def read_result(path: Path, config: RunConfig) -> Result | None:
    """The stored result of ``config``, or None if there is none.

    Raises:
        DamagedResultError: the file was cut short or changed, or is of another run.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise DamagedResultError("it is not text") from error
    return _parse(text, config, path)


def set_aside(path: Path, why: str) -> None:
    """Rename a file that cannot be used, so that nothing is lost, and warn."""
    number = 1
    while (aside := path.with_suffix(f".damaged-{number}")).exists():
        number += 1
    os.replace(path, aside)
    warnings.warn(f"{path} cannot be used: {why}. It was set aside as {aside.name}, the run starts anew", stacklevel=3)


def _parse(text: str, config: RunConfig, path: Path) -> Result:
    try:
        content = json.loads(text, parse_constant=_refuse)
        found = content.pop("checksum")
        # a number too large for a float was read as infinity, which the checksum refuses
        whole = found == _checksum(content)
    except (ValueError, RecursionError, AttributeError, KeyError, TypeError) as error:
        raise DamagedResultError("it is not the whole JSON of a result") from error
    if not whole:
        raise DamagedResultError("its checksum does not fit its content")
    theirs = tuple(content.get(key) for key in ("kind", "version", "config"))
    if theirs != (config.kind, config.version, config.as_dict()):
        raise DamagedResultError("it is of another run")
    try:
        return Result(*(_decode(content[part]) for part in _PARTS), path=path)
    except KeyError as error:
        raise DamagedResultError(f"it has no {error.args[0]}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _checksum(body: dict[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_columns(part: str, tables: dict[str, Any]) -> None:
    for name, columns in tables.items():
        if not isinstance(columns, dict) or not all(isinstance(column, list) for column in columns.values()):
            raise ValueError(f"{part}: {name} must be a dict of columns")
        lengths = {column: len(values) for column, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{part}: {name} has columns of different lengths {lengths}")


def _encode(value: Any, where: str) -> Any:
    """``value`` as JSON can hold it."""
    if isinstance(value, pd.DataFrame):
        value = {column: value[column] for column in value}
    elif hasattr(value, "tolist"):  # numbers, arrays and tensors of numpy, torch and pandas
        value = value.tolist()
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"{where}: names must be texts, not {list(value)}")
        return {key: _encode(entry, f"{where}.{key}") for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(entry, where) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, str):
        return "\\" + value if _LOOKS_SPECIAL.fullmatch(value) else value
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError(f"{where}: a result cannot hold a {type(value).__name__}")


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _decode(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_decode(entry) for entry in value]
    if isinstance(value, str) and _LOOKS_SPECIAL.fullmatch(value):
        return value[1:] if value.startswith("\\") else _SPECIAL[value]
    return value


def _pretty(value: Any, indent: str = "") -> str:
    """JSON with one line a name: lists, which can be long columns of numbers, stay on one line."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, allow_nan=False)
    inner = indent + "  "
    lines = (f"{inner}{json.dumps(key)}: {_pretty(entry, inner)}" for key, entry in value.items())
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
