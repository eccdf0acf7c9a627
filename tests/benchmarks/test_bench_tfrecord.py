"""Record files: checksums against published ones, any contents there and back, every kind of damage."""

import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from official101_files import FIRST_CHECKSUMS, FIRST_LENGTH, first_record, frame

from mngnas_lib.benchmarks import tfrecord
from mngnas_lib.benchmarks.tfrecord import masked_crc, read_records
from mngnas_lib.errors import BenchmarkError

quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_checksum_is_the_published_one():
    crc = 0xE3069283  # CRC-32C of these digits: RFC 3720, and every catalogue of checksums
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32
    assert tfrecord.google_crc32c.value(b"123456789") == crc


def test_checksums_of_an_official_record():
    data = first_record()
    assert len(data) == FIRST_LENGTH
    assert (masked_crc(struct.pack("<Q", FIRST_LENGTH)), masked_crc(data)) == FIRST_CHECKSUMS


@quickly
@given(contents=st.lists(st.binary(max_size=300), max_size=6))
def test_there_and_back(tmp_path, contents):
    path = tmp_path / "any.tfrecord"
    path.write_bytes(b"".join(map(frame, contents)))
    assert list(read_records(path)) == contents


@quickly
@given(data=st.data())
def test_every_cut_is_noticed(tmp_path, data):
    path = tmp_path / "cut.tfrecord"
    whole = frame(b"first") + frame(b"") + frame(b"third")
    boundaries = {0, 21, 37, len(whole)}
    end = data.draw(st.integers(0, len(whole)).filter(lambda place: place not in boundaries))
    path.write_bytes(whole[:end])
    record = 1 if end < 21 else 2 if end < 37 else 3
    with pytest.raises(BenchmarkError, match=rf"cut.tfrecord is cut short, it ends within record {record}: get"):
        list(read_records(path))


@quickly
@given(bit=st.integers(0, 8 * (21 + 21) - 1))
def test_every_flipped_bit_is_noticed(tmp_path, bit):
    path = tmp_path / "flipped.tfrecord"
    content = bytearray(frame(b"first") + frame(b"third"))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    records = read_records(path)
    if bit >= 8 * 21:
        assert next(records) == b"first"
    with pytest.raises(BenchmarkError, match=rf"a checksum of record {1 if bit < 8 * 21 else 2} is wrong"):
        list(records)


def test_a_length_beyond_the_file_is_a_cut_and_takes_no_memory(tmp_path):
    path = tmp_path / "long.tfrecord"
    length = struct.pack("<Q", 2**62)
    path.write_bytes(length + struct.pack("<I", masked_crc(length)) + b"x" * 100)
    with pytest.raises(BenchmarkError, match=r"is cut short, it ends within record 1"):
        list(read_records(path))


def test_nothing_and_no_file(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert list(read_records(tmp_path / "empty")) == []
    with pytest.raises(BenchmarkError, match=r"absent cannot be read \(No such file"):
        list(read_records(tmp_path / "absent"))
