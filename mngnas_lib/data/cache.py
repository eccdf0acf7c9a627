"""A file of arrays that is whole, or is noticed not to be.

Layout: magic, SHA-256 of all that follows, length of the header (8 bytes, little-endian), header (JSON), arrays. The
checksum is verified before anything is interpreted, and the file is moved to its place when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from mngnas_lib.places import whole_file

_MAGIC = b"MNGNASi1"
_START = len(_MAGIC) + 32


class DamagedError(Exception):
    """A file that is not what was once written."""


def write_arrays(path: Path, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Write ``arrays`` and ``meta``, which must fit JSON, to ``path`` in one atomic step."""
    described = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    header = json.dumps({"meta": meta, "arrays": described}).encode()
    pieces = [len(header).to_bytes(8, "little"), header]
    pieces += [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays.values()]
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    with whole_file(path) as file:
        file.write(_MAGIC + digest.digest())
        for piece in pieces:
            file.write(piece)


def read_arrays(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """``meta`` and the arrays of a file; the arrays share one buffer.

    Raises:
        DamagedError: the file is cut short, was changed, or is another kind of file.
    """
    content = np.fromfile(path, np.uint8)
    if content[: len(_MAGIC)].tobytes() != _MAGIC:
        raise DamagedError("it does not start as such a file does")
    if hashlib.sha256(content[_START:]).digest() != content[len(_MAGIC) : _START].tobytes():
        raise DamagedError("its checksum differs")
    start = _START + 8
    end = start + int.from_bytes(content[_START:start].tobytes(), "little")
    header = json.loads(content[start:end].tobytes())
    arrays = {}
    for name, dtype, shape in header["arrays"]:
        start, end = end, end + np.dtype(dtype).itemsize * math.prod(shape)
        # a copy only of what is not bytes: its start may not lie on a multiple of its size
        piece = content[start:end]
        arrays[name] = (piece if dtype == "|u1" else np.frombuffer(piece.tobytes(), dtype)).reshape(shape)
    return header["meta"], arrays
