"""TensorFlow's record files, read without TensorFlow.

A file is a row of records, each of them: its length (8 bytes, little-endian), a checksum of these 8 bytes, the data, a
checksum of the data. A checksum is a CRC-32C, rotated and shifted so that it stays of use where data holds checksums.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import google_crc32c

from mngnas_lib.errors import BenchmarkError

_HEAD = struct.Struct("<QI")
_TAIL = struct.Struct("<I")
#: Bytes of a record that are not its data
OVERHEAD = _HEAD.size + _TAIL.size


def read_records(path: Path) -> Iterator[bytes]:
    """The data of each record, one at a time, after both checksums were found right.

    Raises:
        BenchmarkError: the file cannot be read, ends within a record, or a checksum is wrong.
    """
    try:
        with path.open("rb", buffering=1 << 20) as file:
            left = os.fstat(file.fileno()).st_size
            number = 0
            while head := file.read(_HEAD.size):
                number += 1
                if len(head) < _HEAD.size:
                    raise _cut_short(path, number)
                length, checksum = _HEAD.unpack(head)
                if masked_crc(head[:8]) != checksum:
                    raise _damaged(path, number)
                left -= length + OVERHEAD
                if left < 0:
                    raise _cut_short(path, number)
                data = file.read(length)
                if masked_crc(data) != _TAIL.unpack(file.read(_TAIL.size))[0]:
                    raise _damaged(path, number)
                yield data
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error.strerror}): check its permissions") from error


def masked_crc(data: bytes) -> int:
    """The checksum that a record file has of ``data``: its CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _cut_short(path: Path, number: int) -> BenchmarkError:
    return BenchmarkError(f"{path} is cut short, it ends within record {number}: get the file again")


def _damaged(path: Path, number: int) -> BenchmarkError:
    return BenchmarkError(f"{path} is damaged, a checksum of record {number} is wrong: get the file again")
