"""Files of NAS-Bench-101 in exactly the official form, byte by byte, without the kit and without protobuf."""

import base64
import json
import struct
from collections.abc import Iterable, Sequence

import google_crc32c

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
FIRST_OPS = ("input", "conv3x3", "maxpool3x3", "conv3x3", "conv3x3", "conv1x1", "output")
FIRST_EVALUATIONS = (
    (0.0, 0.1002604141831398, 0.09775640815496445, 0.09985977411270142),
    (45.152000427246094, 0.10166265815496445, 0.10526842623949051, 0.10436698794364929),
    (89.90399932861328, 0.3498597741127014, 0.3489583432674408, 0.3504607379436493),
)
FIRST_TOTAL_TIME = 413.7015450000763


def first_record() -> bytes:
    """The data of that record, from its numbers: made rightly, it has the official checksum."""
    message = metrics(FIRST_PARAMS, FIRST_EPOCHS, FIRST_EVALUATIONS, FIRST_TOTAL_TIME)
    ops = [op + "-bn-relu" if op.startswith("conv") else op for op in FIRST_OPS]
    return record(FIRST_HASH, FIRST_EPOCHS, FIRST_MATRIX, ops, message)
