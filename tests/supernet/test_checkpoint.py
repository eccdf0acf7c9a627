import os
import pickle

import pytest
import torch

from mngnas_lib.errors import CheckpointError
from mngnas_lib.supernet import latest_checkpoint, load_checkpoint, save_checkpoint
from mngnas_lib.supernet.checkpoint import locked


def state(number: int) -> dict:
    return {"weights": torch.full((10,), float(number)), "step": number, "sizes": {"stages": (2, 3)}}


def test_what_is_saved_is_loaded(tmp_path):
    path = save_checkpoint(tmp_path, 7, state(7))
    loaded = load_checkpoint(path)
    assert torch.equal(loaded["weights"], state(7)["weights"])
    assert (loaded["step"], loaded["sizes"]) == (7, {"stages": (2, 3)})


def test_the_newest_are_kept(tmp_path):
    paths = [save_checkpoint(tmp_path, step, state(step)) for step in (9, 10, 11)]
    assert sorted(tmp_path.iterdir()) == sorted(paths[1:])
    assert latest_checkpoint(tmp_path)[0] == paths[2]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_is_passed_over_with_a_warning(tmp_path, damage):
    good = save_checkpoint(tmp_path, 1, state(1))
    bad = save_checkpoint(tmp_path, 2, state(2))
    content = bytearray(bad.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "flip":
        content[len(content) // 2] ^= 1
    else:
        content.clear()
    bad.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"step-00000002.*damaged"):
        load_checkpoint(bad)
    with pytest.warns(UserWarning, match="step-00000002"):
        assert latest_checkpoint(tmp_path)[0] == good


def test_a_damaged_file_goes_when_its_step_is_saved_again(tmp_path, recwarn):
    first = save_checkpoint(tmp_path, 1, state(1))
    bad = save_checkpoint(tmp_path, 2, state(2))
    bad.write_bytes(bad.read_bytes()[:-1])
    # the bytes of a resumed run's checkpoint, and so its name, may differ though its content is the same
    again = save_checkpoint(tmp_path, 2, state(3))
    assert sorted(tmp_path.iterdir()) == sorted([first, again])
    assert latest_checkpoint(tmp_path)[0] == again and not recwarn


def test_a_kill_between_writing_and_moving_loses_nothing(tmp_path, monkeypatch):
    good = save_checkpoint(tmp_path, 1, state(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            save_checkpoint(tmp_path, 2, state(2))
    assert list(tmp_path.iterdir()) == [good]


def test_leftovers_of_a_killed_writer_are_removed(tmp_path):
    good = save_checkpoint(tmp_path, 1, state(1))
    (tmp_path / ".step-00000002-0123456789abcdef.pt.abc.tmp").write_bytes(b"half")
    with locked(tmp_path):
        pass
    assert list(tmp_path.glob("*[!k]")) == [good] and not list(tmp_path.glob(".step*"))


def test_foreign_and_missing_files_are_refused(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"x")
    with pytest.raises(CheckpointError, match=r"model\.pt is not a checkpoint"):
        load_checkpoint(tmp_path / "model.pt")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "step-00000001-0123456789abcdef.pt")
    assert latest_checkpoint(tmp_path) is None


def test_a_file_cannot_run_code(tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    path = save_checkpoint(tmp_path, 1, {"x": Attack()})
    with pytest.raises(pickle.UnpicklingError):
        load_checkpoint(path)
    assert not (tmp_path / "pwned").exists()
