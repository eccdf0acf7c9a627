"""Files of NAS-Bench-101 in exactly the official form, byte by byte, without the kit and without protobuf."""

import base64
import json
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path

import google_crc32c
import numpy as np
from nasbench_pytorch.model import ModelSpec, Network
from nasbench_pytorch.model.graph_util import hash_module

#: Current epoch is field 1; then training time and the accuracies of training, validation and test images
Evaluation = tuple[float, float, float, float]


def frame(data: bytes) -> bytes:
    """One record of a record file."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    rotated = (crc >> 15) | (crc & 0x7FFF) << 17
    return struct.pack("<I", (rotated + 0xA282EAD8) % 2**32)


def metrics(params: int, epochs: int, evaluations: Iterable[Evaluation], total_time: float = 1000.0) -> bytes:
    """The protocol buffer of one run."""
    message = b""
    for reached, evaluation in zip((0.0, epochs / 2, float(epochs)), evaluations, strict=True):
        numbers = (reached, *evaluation)
        part = b"".join(bytes([field << 3 | 1]) + struct.pack("<d", value) for field, value in enumerate(numbers, 1))
        message += bytes([1 << 3 | 2, len(part)]) + part
    return message + bytes([2 << 3]) + _varint(params) + bytes([3 << 3 | 1]) + struct.pack("<d", total_time)


def _varint(number: int) -> bytes:
    groups = []
    while True:
        groups.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(groups)


def record(module_hash: str, epochs: int, matrix: Iterable[Iterable[int]], ops: Sequence[str], message: bytes) -> bytes:
    """One run as JSON."""
    digits = "".join(str(int(entry)) for row in matrix for entry in row)
    return json.dumps([module_hash, epochs, digits, ",".join(ops), base64.encodebytes(message).decode()]).encode()


#: Length of the first record of the official nasbench_full.tfrecord, and the checksums of its length and of its data
FIRST_LENGTH, FIRST_CHECKSUMS = 401, (0x9BED2598, 0x03691668)
FIRST_HASH, FIRST_PARAMS, FIRST_EPOCHS = "00005c142e6f48ac74fdcf73e3439874", 8_555_530, 4
FIRST_MATRIX = ("0100110", "0010000", "0001001", "0000010", "0000010", "0000001", "0000000")
FIRST_EVALUATIONS = (
    (0.0, 0.1002604141831398, 0.09775640815496445, 0.09985977411270142),
    (45.152000427246094, 0.10166265815496445, 0.10526842623949051, 0.10436698794364929),
    (89.90399932861328, 0.3498597741127014, 0.3489583432674408, 0.3504607379436493),
)
FIRST_TOTAL_TIME = 413.7015450000763


def first_record() -> bytes:
    """The data of that record, from its numbers: made rightly, it has the official checksum."""
    message = metrics(FIRST_PARAMS, FIRST_EPOCHS, FIRST_EVALUATIONS, FIRST_TOTAL_TIME)
    return record(FIRST_HASH, FIRST_EPOCHS, *CELLS["first"], message)


CONV3, CONV1, POOL = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
#: Matrix and labels of some cells; the last one is that of the first record
CELLS = {
    "nothing": (("01", "00"), ("input", "output")),
    "one": (("010", "001", "000"), ("input", CONV1, "output")),
    "wide": (("0111", "0001", "0001", "0000"), ("input", CONV1, POOL, "output")),
    "first": (FIRST_MATRIX, ("input", CONV3, POOL, CONV3, CONV3, CONV1, "output")),
}


@lru_cache
def entry(name: str) -> tuple[str, int]:
    """Hash and number of parameters of one of ``CELLS``: published ones, or by the package nasbench-pytorch."""
    if name == "first":
        return FIRST_HASH, FIRST_PARAMS
    matrix, ops = CELLS[name]
    spec = ModelSpec(np.array([[int(digit) for digit in row] for row in matrix]), list(ops))
    weights = Network(spec, num_labels=10).parameters()
    params = sum(weight.numel() for weight in weights if weight.dim())  # those without dimensions are placeholders
    labels = [-1, *((CONV3, CONV1, POOL).index(op) for op in spec.ops[1:-1]), -2]
    return hash_module(spec.matrix.numpy().astype(int), labels), params


def numbers(epochs: Sequence[int] = (108,), seed: int = 0) -> dict[tuple[str, int], np.ndarray]:
    """Made-up results of all ``CELLS``: shape (3 runs, 3 evaluations, 4 fields of an ``Evaluation``)."""
    rng = np.random.default_rng(seed)
    results = {}
    for name, budget in product(CELLS, epochs):
        results[name, budget] = np.float32(rng.integers(0, 9985, (3, 3, 4)) / 9984)
        results[name, budget][..., 0] = np.float32(rng.uniform(0, 100, (3, 3)) + np.array([0, 300, 600]))
    return results


def records(results: dict[tuple[str, int], np.ndarray]) -> list[bytes]:
    """The data of a file's records; the runs of a cell lie apart from each other."""
    entries = {name: entry(name) for name in CELLS}
    return [
        record(entries[name][0], epochs, *CELLS[name], metrics(entries[name][1], epochs, runs[run].tolist()))
        for run in range(3)
        for (name, epochs), runs in results.items()
    ]


def write(path: Path, contents: Iterable[bytes]) -> Path:
    """A record file."""
    path.write_bytes(b"".join(map(frame, contents)))
    return path
