import os

import pytest

from bardgpt.files import remove_leftovers, write_whole


def test_writes_and_replaces_and_makes_folders(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "file"
    write_whole(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    plain.write_bytes(b"")
    write_whole(whole, b"")
    assert whole.stat().st_mode == plain.stat().st_mode


def test_leftovers_of_killed_writes_are_removed_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    with monkeypatch.context() as patch:  # as if the process died before it could clean up
        patch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError))
        patch.setattr(type(path), "unlink", lambda *_, **__: None)
        with pytest.raises(OSError, match=r"^$"):
            write_whole(path, b"half")
    (leftover,) = tmp_path.iterdir()
    others = [tmp_path / name for name in ("file", ".file.bak", ".filed.0a1b2c3d", "0a1b2c3d")]
    for other in others:
        other.write_bytes(b"")
    remove_leftovers(path)
    assert not leftover.exists()
    assert set(tmp_path.iterdir()) == set(others)
    remove_leftovers(tmp_path / "no folder" / "file")  # nothing to do
