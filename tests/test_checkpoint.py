"""Checkpoints come back as they went, and a file that is anything else is named as such."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from bardgpt.training.checkpoint import FORMAT, CheckpointError, load, load_weights, save

TENSORS = {
    "float32": torch.randn(3, 5),
    "bfloat16": torch.randn(7).bfloat16(),
    "float16": torch.randn(2, 2).half(),
    "int64": torch.arange(-3, 4),
    "uint8": torch.arange(256, dtype=torch.uint8),
    "int8": torch.arange(-128, 128).to(torch.int8),
    "bool": torch.tensor([True, False]),
    "0-dim": torch.tensor(4.0),
    "empty": torch.empty(0, 3),
    "special": torch.tensor([float("inf"), float("nan"), -0.0]),
}
VALUES = {"step": 7, "text": "Bürger\n", "list": [1, 2.5, None], "nothing": {}}


def as_bytes(tensor):
    return tensor.reshape(-1).view(torch.uint8)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "folder" / "some.safetensors"
    save(path, TENSORS, VALUES)
    return path


def test_comes_back_as_it_went(path):
    tensors, values = load(path)
    assert values == VALUES
    assert tensors.keys() == TENSORS.keys()
    for name, value in TENSORS.items():
        assert (tensors[name].dtype, tensors[name].shape) == (value.dtype, value.shape)
        assert torch.equal(as_bytes(tensors[name]), as_bytes(value)), name
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_views_and_parameters_come_back_too(path):
    whole = torch.randn(4, 6)
    layer = nn.Linear(2, 3)
    save(path, {"turned": whole.T, "part": whole[:, 2:4], "parameter": layer.weight}, {})
    tensors, _ = load(path)
    assert torch.equal(tensors["turned"], whole.T)
    assert torch.equal(tensors["part"], whole[:, 2:4])
    assert torch.equal(tensors["parameter"], layer.weight)
    assert not tensors["parameter"].requires_grad


def test_anybody_can_read_it(path):
    """It is a plain safetensors file."""
    theirs = safetensors.torch.load_file(path)
    assert torch.equal(theirs["float32"], TENSORS["float32"])


def test_no_pickle_is_involved(path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a pickle can run any code")

    for name in ("load", "save"):
        monkeypatch.setattr(torch, name, refuse)
    monkeypatch.setattr("pickle.loads", refuse)
    save(path, TENSORS, VALUES)
    assert load(path)[1] == VALUES


def test_every_cut_is_found(path):
    content = path.read_bytes()
    for length in [0, 1, 7, 8, 9, 100, len(content) // 2, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"some\.safetensors is damaged or no saf"):
            load(path)


def test_something_appended_is_found(path):
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(CheckpointError, match="damaged"):
        load(path)


def test_every_flipped_byte_is_found(path):
    """Any byte of the file: the header's length, names, shapes, values, hash, and the numbers."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    places = [*range(start), *range(start, len(content), 13), len(content) - 1]
    unnoticed = []
    for place in places:
        for bit in (0x01, 0x10):
            changed = bytearray(content)
            changed[place] ^= bit
            path.write_bytes(changed)
            try:
                tensors, values = load(path)
            except CheckpointError:
                continue
            # Blanks that fill the header up, say, mean nothing: what is read must be the same.
            if values != VALUES or any(
                not torch.equal(as_bytes(tensors[n]), as_bytes(v)) for n, v in TENSORS.items()
            ):
                unnoticed.append(place)
    assert unnoticed == []


def test_a_safetensors_file_of_somebody_else_is_named_as_such(path):
    safetensors.torch.save_file({"weight": torch.ones(3)}, path)
    with pytest.raises(CheckpointError, match=r"is a safetensors file, but no checkpoint of this"):
        load(path)
    safetensors.torch.save_file({"weight": torch.ones(3)}, path, {"format": "pt"})
    with pytest.raises(CheckpointError, match=rf"its format is 'pt', not '{FORMAT}'"):
        load(path)


def test_a_file_that_only_claims_to_be_one_is_damaged(path):
    safetensors.torch.save_file({"weight": torch.ones(3)}, path, {"format": FORMAT})
    with pytest.raises(CheckpointError, match="is damaged: its contents have changed"):
        load(path)


@pytest.mark.parametrize("content", [b"hello, world", b"PK\x03\x04" + bytes(500), b"{}" * 50])
def test_a_file_that_is_no_safetensors_file_is_named_as_such(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"some\.safetensors is damaged or no safetensors"):
        load(path)


def test_no_file_is_another_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*nowhere"):
        load(tmp_path / "nowhere")


def test_weights_find_their_places():
    ours, theirs = nn.Linear(2, 3), nn.Linear(2, 3)
    tensors = theirs.state_dict(prefix="model.") | {"optimizer.0.0.step": torch.tensor(1.0)}
    load_weights(ours, tensors, "x")
    assert torch.equal(ours.weight, theirs.weight)


@pytest.mark.parametrize(
    ("other", "why"),
    [(nn.Linear(4, 3), "size mismatch for weight"), (nn.Linear(2, 3, bias=False), "Missing key")],
)
def test_another_models_weights_are_named_as_such_on_one_screen(other, why):
    with pytest.raises(CheckpointError, match=rf"^a/b holds another model's weights .*{why}") as e:
        load_weights(nn.Linear(2, 3), other.state_dict(prefix="model."), Path("a/b"))
    assert len(str(e.value)) < 500


# --- writes that fail half-way ----------------------------------------------------------------


def assert_untouched(path, before):
    assert path.read_bytes() == before
    assert load(path)[1] == VALUES
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="has no RLIMIT_FSIZE")
def test_a_file_that_grows_too_large_leaves_the_old_one(path):
    """EFBIG by the system itself, in a process that may write files of 100 kB and no more."""
    before = path.read_bytes()
    program = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from bardgpt.training.checkpoint import save\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "save(Path(sys.argv[1]), {'small': torch.ones(10_000)}, {})\n"  # 40 kB: this one fits
        "print('small')\n"
        "try:\n"
        "    save(Path(sys.argv[2]), {'large': torch.ones(100_000)}, {})\n"
        "except OSError as error:\n"
        "    print(error.errno)\n"
    )
    small = path.with_name("small")
    done = subprocess.run(
        [sys.executable, "-c", program, small, path], capture_output=True, encoding="utf-8"
    )
    assert done.stdout.split() == ["small", str(errno.EFBIG)], done.stderr
    small.unlink()
    assert_untouched(path, before)


class FullDisk:
    """A file that takes `room` bytes, writes them for real, and then has no space left."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def write(self, content):
        self.file.write(content[: self.room])
        if len(content) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(content)
        return len(content)

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


@pytest.mark.parametrize("room", [0, 1, 300, 1_000])
def test_a_full_disk_leaves_the_old_one(path, monkeypatch, room):
    before = path.read_bytes()
    assert len(before) > 1_000
    really = Path.open
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda self, *a, **k: FullDisk(really(self, *a, **k), room))
        with pytest.raises(OSError, match="No space left on device"):
            save(path, TENSORS, {"step": 8})
    assert_untouched(path, before)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_late_leaves_the_old_one(path, monkeypatch, step):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="Input/output error"):
            save(path, TENSORS, {"step": 8})
    assert_untouched(path, before)


def test_ctrl_c_during_a_write_leaves_the_old_one(path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            save(path, TENSORS, {"step": 8})
    assert_untouched(path, before)
