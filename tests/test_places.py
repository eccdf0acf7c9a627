"""Files are whole or absent."""

import os

import pytest

from mngnas_lib.places import whole_file, write_text


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "a" / "b" / "table.csv"
    with whole_file(path) as file:
        file.write(b"one\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\n" and path.stat().st_mode & 0o777 == 0o644
    write_text(path, "ä\n")
    assert path.read_bytes() == b"\xc3\xa4\n" and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_an_error_and_leaves_the_old_file_alone(tmp_path, monkeypatch, step):
    """Also text is on the disk before it gets its name."""
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
