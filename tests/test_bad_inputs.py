"""Bad inputs: what is typed, what is said to it, and the exit code, as tables.

To all of them the same applies: no traceback, at most three lines, and every file is left as it
was. What is refused when the arguments are read has exit code 2, everything later 1.
"""

import io
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

import bardgpt
from bardgpt import cli
from bardgpt.batches import WindowError
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS, Preset
from bardgpt.sampling import SamplingError
from bardgpt.text import Text
from bardgpt.text_file import TextFileError, read_text
from bardgpt.tokenizer import CharTokenizer, UnknownCharacterError
from bardgpt.training import checkpoint, distributed
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.folder import RunError
from bardgpt.training.run import load_run, train_in_folder

TEXT = "".join(random.Random(0).choices("abcdefg \n", k=900)) + "abcdefg \n"
HUGE = str(10**30)
# The options of the run that the tables speak of.
OPTIONS = "--n-embd 8 --n-layer 1 --n-head 2 --steps 2 --batch-size 2"
TINY = PRESETS["tiny"]
PRESET = Preset(
    replace(TINY.model, vocab_size=9, n_embd=8, n_layer=1, n_head=2),
    replace(TINY.training, steps=2, batch_size=2),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The folder in which all is typed: a run, texts good and bad, and things that are no files."""
    folder = tmp_path_factory.mktemp("world")
    contents = {
        "ok.txt": TEXT.encode(),
        "empty.txt": b"",
        "mark.txt": b"\xef\xbb\xbf",
        "one.txt": b"a",
        "same.txt": b"a" * 8,
        "short.txt": b"abcde\n" * 3,
        "other.txt": b"xyz" * 300,
        "utf16.txt": "hallo".encode("utf-16"),
        "latin1.txt": b"gut\nb\xe4d",
        "program": b"ELF\0\1\2",
        "file": b"precious",
        "full/thesis.txt": b"precious",
        "emoji.txt": ("🎭" + TEXT).encode(),
    }
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.png")
    (folder / "dangling").symlink_to(folder / "nowhere")
    for name in ("loop", "loop.png"):
        (folder / name).symlink_to(folder / name)
    train_in_folder(folder / "run", PRESET, text=read_text(folder / "ok.txt"), progress=False)
    (folder / "run" / ".lock").touch()  # which a process that asks for it may leave
    return folder


def state(folder):
    """What is in a folder, to the byte."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() and not path.is_symlink() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def refused(world, monkeypatch, capsys):
    """A command is refused, with this code and these words, and leaves everything as it was."""
    monkeypatch.chdir(world)
    monkeypatch.setenv("BARDGPT_CORPUS", "ok.txt")  # what is no Shakespeare ends soon

    def check(command, code, *says, lines=2):
        before = state(world)
        assert cli.main([word.replace("HUGE", HUGE) for word in shlex.split(command)]) == code
        out, err = capsys.readouterr()
        assert out == ""
        assert all(words.replace("HUGE", HUGE) in err for words in says)
        *_, last = err.splitlines()
        assert len(err.splitlines()) <= lines
        assert all(len(line) < 1_500 for line in err.splitlines())
        assert "Traceback" not in err
        assert "output cannot be written" not in err
        if code == 2:
            assert last.startswith("bardgpt: ")
            assert last.endswith(("--help` lists the options", "bash, fish, zsh after it"))
        assert state(world) == before

    return check


# --- values of options ----------------------------------------------------------------------------

# Each option that takes a number: the least and the most that it may be.
COUNTS = {
    "train tiny --n-embd": (1, "1,000,000,000,000"),
    "train tiny --n-head": (1, "1,000,000,000,000"),
    "train tiny --n-layer": (0, "1,000"),
    "train tiny --block-size": (1, "1,000,000,000,000"),
    "train tiny --expansion": (1, "1,000,000,000,000"),
    "train tiny --vocab-size": (1, "1,000,000,000,000"),
    "train tiny --training.steps": (0, "1,000,000,000,000"),
    "train tiny --batch-size": (1, "1,000,000,000,000"),
    "train tiny --warmup": (0, "1,000,000,000,000"),
    "train tiny --evaluate-every": (1, "1,000,000,000,000"),
    "train tiny --training.seed": (0, "4,611,686,018,427,387,904"),
    "sample --run run --length": (0, "1,000,000,000,000"),
    "sample --run run --samples": (1, "1,000,000,000,000"),
    "sample --run run --seed": (0, "4,611,686,018,427,387,904"),
    "sample --run run --top-k": (1, None),  # all characters if there are fewer
}


@pytest.mark.parametrize("option", COUNTS)
def test_no_whole_number(refused, option):
    values = ["1.5", "nan", "ten", ""]
    if "steps" in option or "seed" in option:
        values += ["1e3", "0x10", "inf", " ", "--1", "1 2"]
    for value in values:
        says = f"{option.split()[-1]} '{value}': must be a whole number; "
        refused(f"{option}='{value}'", 2, says)


@pytest.mark.parametrize("option", COUNTS)
def test_whole_number_out_of_range(refused, option):
    (least, most), typed = COUNTS[option], option.split()[-1]
    for value in (least - 1, -(2**63) - 1, 2**64, 10**30):
        if value > 0 and most is None:
            continue
        shown = value if value < 10**20 else "about 2**99"
        if "train" in option:
            rule = f"a whole number of at least {least}" if value < least else f"at most {most}"
            refused(f"{option} {value}", 2, f"{typed} {shown}: must be {rule}; ")
        else:
            rule = f"at least {least}" if most is None else f"{least} or more, at most {most}"
            refused(f"{option} {value}", 1, f"{typed} is {shown}; it must be {rule}\n")


SHARE, ABOVE = "be at least 0 and below 1", "be finite and above 0"
FROM, MOST = "be finite and at least 0", "be at most 1e+30"
NUMBERS = {
    "train tiny --dropout": {"-0.1 1 nan inf HUGE": SHARE},
    "train tiny --attention-dropout": {"-0.1 1 nan inf HUGE": SHARE},
    "train tiny --embedding-dropout": {"-0.1 1 nan inf HUGE": SHARE},
    "train tiny --final-rate": {"-0.1 1 nan inf HUGE": SHARE},
    "train tiny --beta2": {"-0.1 1 nan inf HUGE": SHARE},
    "train tiny --learning-rate": {"-1 0 -0.0 nan inf 1e400": ABOVE, "1e31 1e308": MOST},
    "train tiny --muon-rate": {"-1 0 -0.0 nan inf 1e400": ABOVE, "1e31 1e308": MOST},
    "train tiny --clip": {"-1 0 -0.0 nan inf 1e400": ABOVE, "1e31 1e308": MOST},
    "train tiny --weight-decay": {"-1 nan inf 1e400": FROM, "1e31 1e308": MOST},
    "train tiny --muon-decay": {"-1 nan inf 1e400": FROM, "1e31 1e308": MOST},
    "sample --run run --temperature": {"-1 nan inf -inf 1e400": "be 0 (greedy) or a finite number"},
    "sample --run run --top-p": {"-1 0 nan inf 1.001 HUGE": "be above 0 and at most 1"},
}


@pytest.mark.parametrize(
    ("option", "values", "rule"),
    [(option, *rules) for option, row in NUMBERS.items() for rules in row.items()],
)
def test_number_out_of_range(refused, option, values, rule):
    for value in values.split():
        shown = float(value.replace("HUGE", HUGE))
        says = f"{option.split()[-1]} {shown}: must {rule}"
        if "sample" in option:
            says = f"{option.split()[-1]} is {shown}; it must {rule}"
        refused(f"{option} {value}", 1 if "sample" in option else 2, says)


@pytest.mark.parametrize("option", NUMBERS)
def test_no_number(refused, option):
    for value in ("", "much", "1,5", "1e"):
        refused(f"{option}='{value}'", 2, f"{option.split()[-1]} '{value}': must be a number; ")


CHOICES = {
    "train tiny --block": "plain, post-norm, pre-norm, residual",
    "train tiny --feed-forward": "none, one-layer, two-layer",
    "train tiny --activation": "gelu, none, relu",
    "train tiny --norm": "batch, layer",
    "train tiny --initialization": "default, depth-scaled, normal, xavier, zero",
    "train tiny --optimizer": "adamw, muon",
    "train tiny --schedule": "constant, linear",
    "train tiny --decay": "all, matrices",
    "train tiny --device": "cpu, cuda, mps",
    "train tiny --precision": "bfloat16, float16, float32",
    "sample --weights": "best, last",
    "sample --device": "cpu, cuda, mps",
    "evaluate --weights": "best, last",
    "evaluate --device": "cpu, cuda, mps",
}


@pytest.mark.parametrize("option", CHOICES)
def test_no_choice(refused, option):
    for value in ("", "1", CHOICES[option].split(",")[0].upper()):
        says = f"{option.split()[-1]} '{value}': choose one of {CHOICES[option]}; "
        refused(f"{option}='{value}'", 2, says)


@pytest.mark.parametrize("option", [*COUNTS, *NUMBERS, *CHOICES, "train tiny --run", "plot --save"])
def test_value_is_missing(refused, option):
    refused(option, 2, f"{option.split()[-1]}: its value is missing; ")


# --- commands -------------------------------------------------------------------------------------

# What is typed: what is said. All of it is refused when it is read.
UNREADABLE = {
    # no such command, preset or option
    "": "Expected one of {train, sample, evaluate, plot, runs, page}",
    "''": "'' is no command: choose one of train, sample, evaluate, plot, runs, page",
    "trian tiny": "'trian' is no command: choose one of train, sample, evaluate, plot, runs, page",
    "help": "'help' is no command",
    "-": "'-' is no command",
    "--": "Expected one of {train,",
    "--versio": "--versio is no option of `bardgpt`; perhaps --version",
    "train": "Expected one of {tiny, small, full, sprint}",
    "train ''": "'' is no preset: choose one of tiny, small, full, sprint",
    "train Tiny": "'Tiny' is no preset: choose one of tiny, small, full, sprint",
    "train --tiny": "--tiny is no option of `bardgpt train`",
    "train -- tiny": "'tiny' is not expected after `bardgpt train`",
    "train tiny full": "'full' is not expected after `bardgpt train tiny`",
    "train tiny mine.txt": "'mine.txt' is not expected after `bardgpt train tiny`",
    "train tiny -5": "'-5' is not expected after `bardgpt train tiny`",
    "train tiny --stepz 3": "--stepz is no option of `bardgpt train tiny`; perhaps --steps",
    "train tiny --stepz=3": "--stepz is no option of `bardgpt train tiny`; perhaps --steps",
    "train tiny --N-EMBD 3": "--N-EMBD is no option of `bardgpt train tiny`; perhaps --n-embd",
    "train tiny --lr 3": "--lr is no option of `bardgpt train tiny`; perhaps --learning-rate",
    "train tiny --layers 3": "--layers is no option of `bardgpt train tiny`; perhaps --n-layer",
    "train tiny --batch 3": "--batch is no option of `bardgpt train tiny`; perhaps --batch-size",
    "train tiny --model.steps 3": "--model.steps is no option of `bardgpt train tiny`; perhaps "
    "--training.steps",
    "train tiny --training.n-embd 3": "perhaps --model.n-embd",
    "train tiny --xyzzy": "--xyzzy is no option of `bardgpt train tiny`; `bardgpt train tiny --he",
    "train tiny -n 3": "-n is no option of `bardgpt train tiny`",
    "train tiny ---steps 3": "---steps is no option of `bardgpt train tiny`; perhaps --steps",
    "sample tiny": "'tiny' is not expected after `bardgpt sample`",
    "sample --runs run": "--runs is no option of `bardgpt sample`; perhaps --run",
    "sample --temp 1": "--temp is no option of `bardgpt sample`; perhaps --temperature",
    "sample --top_kk 1": "--top_kk is no option of `bardgpt sample`; perhaps --top-k",
    "sample --no-run": "--no-run is no option of `bardgpt sample`; perhaps --run",
    "sample --=3": "-- is no option of `bardgpt sample`",
    "evaluate run": "'run' is not expected after `bardgpt evaluate`",
    "evaluate --txt ok.txt": "--txt is no option of `bardgpt evaluate`; perhaps --text",
    "plot run --sav x.png": "--sav is no option of `bardgpt plot`; perhaps --save",
    "runs --all": "--all is no option of `bardgpt runs`",
    "--tyro-print-completion": "--tyro-print-completion: name one of bash, fish, zsh after it",
    "--tyro-print-completion cmd": "--tyro-print-completion: name one of bash, fish, zsh after it",
    "--tyro-write-completion tcsh x": "--tyro-write-completion: name one of bash, fish, zsh after",
    # values and flags
    "train tiny --positions maybe": "'maybe' after --positions: it takes no value; say --positions "
    "or --no-positions",
    "train tiny --model.fused=1": "'1' after --fused: it takes no value; say --fused or --no-fused",
    "train tiny --restart=yes": "'yes' after --restart: it takes no value; say --restart or --no-r",
    "train tiny --run --steps 3": "--run: its value is missing",
    "train tiny --steps 1 --steps x": "--steps 'x': must be a whole number",
    "train tiny --run ''": "'' is no path",
    "train tiny --run=": "'' is no path",
    "sample --run ''": "'' is no path",
    "sample --save ''": "'' is no path",
    "evaluate --run ''": "'' is no path",
    "plot ''": "'' is no path",
    "plot run --save ''": "'' is no path",
    "runs ''": "'' is no path",
    "sample --prompt": "--prompt: its value is missing",
    f"sample --length {'9' * 5_000}": "--length: that number has too many digits",
    "evaluate --random-batches x": "--random-batches 'x': must be a whole number",
    "evaluate --least-context 1.5": "--least-context '1.5': must be a whole number",
    # values that contradict each other
    "train tiny --n-head 5": "--n-head 5: must divide --model.n-embd 32, which the heads share; "
    "choose one of [1, 2, 4, 8, 16, 32]",
    "train tiny --n_head 5": "--n-head 5: must divide --model.n-embd 32",
    "train tiny --model.n-head 5": "--model.n-head 5: must divide --model.n-embd 32",
    "train tiny --n-head 64": "--n-head 64: must divide --model.n-embd 32",
    "train tiny --n-embd 1000000000 --n-head 7": "--n-head 7: must divide --n-embd 1000000000, "
    "which the heads share; choose one of [1, 2, 4, 5, 8, 10, 16, 20]",
    "train tiny --no-fused --n-embd 500 --n-head 500 --n-layer 50": "--n-head 500 with --n-layer "
    "50: without --model.fused True each head is a layer of its own, and there may be at most "
    "10,000; take fewer",
    "train tiny --feed-forward none": "--feed-forward 'none' with --model.block 'pre-norm': only "
    "a plain block can go without; choose 'one-layer' or 'two-layer'",
    "train tiny --initialization zero --no-projection": "--initialization 'zero' is about the "
    "output projections; it needs --model.projection True and --model.feed-forward 'two-layer'",
}


@pytest.mark.parametrize("command", UNREADABLE, ids=lambda command: command[:60])
def test_unreadable(refused, command):
    refused(command, 2, UNREADABLE[command])


def test_an_option_without_end(capsys):
    """The search for the one that is nearest takes a minute with it."""
    before = time.monotonic()
    assert cli.main(["train", "tiny", f"--{'x' * 10**6}"]) == 2
    assert time.monotonic() - before < 10
    says = f"bardgpt: --{'x' * 98}… is no option; `bardgpt train tiny --help` lists the options\n"
    assert capsys.readouterr() == ("", says)


NEW = "train tiny --text ok.txt --run new"
# What is typed: what is said. All of it can be read, and be refused all the same.
IMPOSSIBLE = {
    # sizes
    f"{NEW} --n-embd 1000000000": "a model of 36,000,000,058,000,000,009 parameters and batches of "
    "32 windows of 8: at least 576,000,004,000.0 GB of memory are needed, and this cpu has ",
    f"{NEW} --expansion 1000000000": "a model of 6,240,000,013,769 parameters",
    f"{NEW} --batch-size 1000000000": "batches of 1,000,000,000 windows of 8: at least 3,360.0 GB",
    f"{NEW} --n-layer 1000 --n-embd 10000": "GB of memory are needed",
    f"{NEW} --block-size 1000": "the text has 909 characters, and its last tenth, which judges the "
    "model, 91; a window of 1,000 needs 1,001: take block_size 90 or less, or take a text of "
    "10,001 characters or more",
    f"{NEW} --block-size 1000000000": "take a text of 10,000,000,001 characters or more",
    f"{NEW} --norm batch --batch-size 1 --block-size 1": "--norm 'batch' of one number for each "
    "channel: take a larger batch_size or block_size, or --norm 'layer'",
    f"{NEW} --vocab-size 3": "--vocab-size 3: the text has 9 different characters; set it to that",
    f"{NEW} --vocab-size 1000000000": "--vocab-size 1000000000: the text has 9 different",
    # texts
    "train tiny --run new --text nowhere.txt": "nowhere.txt does not exist; check the path (in",
    "train tiny --run new --text file/x": "file/x does not exist; check the path",
    "train tiny --run new --text ''": "'' is no path; name a text file",
    "train tiny --run new --text ~nobody-of-this-name/x": "~nobody-of-this-name/x does not exist",
    "train tiny --run new --text empty.txt": "empty.txt is empty; name a file with a text in it",
    "train tiny --run new --text mark.txt": "mark.txt is empty",
    "train tiny --run new --text one.txt": "a text of 1 characters, split at 0.9, leaves no",
    "train tiny --run new --text same.txt": "the text has 8 characters, and its last tenth, which "
    "judges the model, 1; a window of 8 needs 9: take a text of 81 characters or more",
    "train tiny --run new --text short.txt": "take block_size 1 or less, or take a text of 81 ch",
    "train tiny --run new --text latin1.txt": "latin1.txt is not UTF-8: byte 0xe4 in line 2; "
    "convert it, from its own encoding, for instance with `iconv -f latin1 -t utf-8`",
    "train tiny --run new --text utf16.txt": "utf16.txt is in UTF-16; convert it",
    "train tiny --run new --text program": "program is no text: it holds a NUL character, at pos",
    "train tiny --run new --text folder": "folder is a folder; name a text file in it",
    "train tiny --run new --text pipe": "pipe is a pipe or a device; save the text as a file first",
    "train tiny --run new --text /dev/zero": "/dev/zero is a pipe or a device",
    "train tiny --run new --text dangling": "dangling does not exist",
    "train tiny --run new --text loop": "loop cannot be read (Too many levels of symbolic links)",
    f"train tiny --run new --text {'x' * 300}": "cannot be read (File name too long)",
    # folders
    "train tiny --text ok.txt --run file": "file is no folder; name another one",
    "train tiny --text ok.txt --run file/x": "Not a directory: 'file/x'",
    "train tiny --text ok.txt --run pipe": "pipe is no folder; name another one",
    "train tiny --text ok.txt --run /dev/null": "/dev/null is no folder; name another one",
    "train tiny --text ok.txt --run dangling": "dangling is no folder; name another one",
    "train tiny --text ok.txt --run loop": "loop is no folder; name another one",
    "train tiny --text ok.txt --run full": "full is not empty and holds no run; name another fo",
    "train tiny --text ok.txt --run .": ". is not empty and holds no run; name another folder",
    "train tiny --text ok.txt --run run/config.json": "run/config.json is no folder",
    "train tiny --text ok.txt --run /proc/x": "No such file or directory: '/proc/x'",
    f"train tiny --text ok.txt --run {'x' * 300}": "File name too long: 'xxx",
    # other runs
    "train tiny --text ok.txt --run run": "run holds another run: model.n_embd is 8 there and 32 "
    "here; model.n_layer is 1 there and 3 here",
    f"train tiny --run run {OPTIONS} --seed 4": "run holds another run: training.seed is 0 there "
    "and 4 here. Go on with its config, name another folder, or begin anew with --restart, which "
    "puts aside what is there",
    f"train tiny --run run {OPTIONS} --steps 1": "training.steps is 2 there and 1 here",
    f"train tiny --run run {OPTIONS} --text other.txt": "its text is another",
    f"train tiny --run run {OPTIONS} --vocab-size 66": "--vocab-size 66: the text has 9 different",
    f"{NEW} --restart --from-best": "both --restart and --from-best are given; take one of them",
    f"{NEW} --from-best": "new has no best.safetensors to go on from; name another folder",
    "train tiny --text ok.txt --run folder --from-best": "folder has no best.safetensors to go on",
    # devices
    f"{NEW} --device mps": "device 'mps': this machine has ['cpu']; choose one of them",
    "sample --run run --device mps": "device 'mps': this machine has ['cpu']; choose one of them",
    "evaluate --run run --device mps": "device 'mps': this machine has ['cpu']; choose one of them",
    # sample
    "sample --run nowhere": "nowhere holds no run: there is no config.json in it",
    "sample --run folder": "folder holds no run: there is no config.json in it",
    "sample --run file": "file holds no run: there is no config.json in it",
    "sample --run pipe": "pipe holds no run: there is no config.json in it",
    "sample --run loop": "loop holds no run: there is no config.json in it",
    "sample --run run/config.json": "run/config.json holds no run",
    "sample --run 'a\nb\x1b[31m\r'": r"a\nb\x1b[31m\r holds no run",
    "sample --run ~nobody-of-this-name/x": "~nobody-of-this-name/x holds no run",
    "sample --run seed=3": "seed=3 holds no run",
    f"sample --run {'x' * 300}": "File name too long: 'xxx",
    "sample --run run --prompt ''": "the prompt is empty; it must have at least one character",
    "sample --run run --prompt Z": r"character 'Z' (U+005A) at position 0 is not among the 9 of "
    r"the vocabulary: '\n abcdefg'",
    "sample --run run --prompt aé": "character 'é' (U+00E9) at position 1 is not among the 9",
    r"sample --run run --prompt 'a\tb'": r"character '\\' (U+005C) at position 1 is not among the",
    "sample --run run --prompt-file other.txt": "character 'x' (U+0078) at position 0 is not among",
    "sample --run run --prompt a --prompt-file ok.txt": "both --prompt and --prompt-file are given",
    "sample --run run --prompt-file nowhere.txt": "nowhere.txt does not exist; check the path",
    "sample --run run --prompt-file ''": "'' is no path; name a text file",
    "sample --run run --prompt-file empty.txt": "empty.txt is empty; name a file with a text in it",
    "sample --run run --prompt-file latin1.txt": "latin1.txt is not UTF-8: byte 0xe4 in line 2",
    "sample --run run --prompt-file utf16.txt": "utf16.txt is in UTF-16; convert it",
    "sample --run run --prompt-file program": "program is no text: it holds a NUL character",
    "sample --run run --prompt-file folder": "folder is a folder; name a text file in it",
    "sample --run run --prompt-file pipe": "pipe is a pipe or a device; save the text as a file",
    "sample --run run --prompt-file /dev/zero": "/dev/zero is a pipe or a device",
    "sample --run run --prompt-file dangling": "dangling does not exist",
    "sample --run run --save ok.txt": "ok.txt is there already; take another name for --save",
    "sample --run run --save run/best.safetensors": "run/best.safetensors is there already",
    "sample --run run --save folder": "folder is there already; take another name for --save",
    "sample --run run --save nowhere/x.txt": "No such folder: 'nowhere'",
    "sample --run run --save file/x.txt": "No such folder: 'file'",
    "sample --run run --save pipe": "pipe is there already; take another name for --save",
    "sample --run run --save /dev/null": "/dev/null is there already; take another name for --save",
    "sample --run run --save loop": "loop is there already; take another name for --save",
    "sample --run run --save dangling": "dangling is there already; take another name for --save",
    # evaluate
    "evaluate --run nowhere": "nowhere holds no run: there is no config.json in it",
    "evaluate --run file": "file holds no run: there is no config.json in it",
    "evaluate --run run --text nowhere.txt": "nowhere.txt does not exist; check the path",
    "evaluate --run run --text ''": "'' is no path; name a text file",
    "evaluate --run run --text empty.txt": "empty.txt is empty; name a file with a text in it",
    "evaluate --run run --text one.txt": "the text has 1 characters; a window of 8 needs 9, one "
    "more for its last target: take a longer text or a smaller block_size",
    "evaluate --run run --text other.txt": "character 'x' (U+0078) at position 0 is not among the",
    "evaluate --run run --text latin1.txt": "latin1.txt is not UTF-8: byte 0xe4 in line 2",
    "evaluate --run run --text program": "program is no text: it holds a NUL character",
    "evaluate --run run --text folder": "folder is a folder; name a text file in it",
    "evaluate --run run --text pipe": "pipe is a pipe or a device; save the text as a file first",
    "evaluate --run run --text loop": "loop cannot be read (Too many levels of symbolic links)",
    "evaluate --run run --random-batches 1": "--random-batches 1: must be at least 2",
    "evaluate --run run --random-batches -1": "--random-batches -1: must be at least 2",
    "evaluate --run run --random-batches HUGE": "--random-batches about 2**99: must be at least 2",
    "evaluate --run run --least-context 0": "--least-context 0: must be from 1 to 8, the model's",
    "evaluate --run run --least-context 9": "--least-context 9: must be from 1 to 8, the model's",
    "evaluate --run run --least-context HUGE": "--least-context about 2**99: must be from 1 to 8",
    "evaluate --run run --least-context 1 --random-batches 2": "both --least-context and --random-",
    # plot and runs
    "plot": "no run in runs: name the folder of a run, or one that holds some",
    "plot nowhere": "no run in nowhere: name the folder of a run, or one that holds some",
    "plot file": "no run in file",
    "plot loop": "no run in loop",
    "plot run nowhere": "no run in nowhere",
    "plot run --save x.gif": "x.gif: its ending must be one of .png, .svg, .pdf",
    "plot run --save .png": ".png: its ending must be one of .png, .svg, .pdf",
    "plot run --save folder": "folder: its ending must be one of .png, .svg, .pdf",
    "plot run --save nowhere/x.png": "No such folder: 'nowhere'",
    "plot run --save pipe.png": "Is a pipe or a device, not a file: 'pipe.png'",
    "plot run --save folder.png": "Is a directory: 'folder.png'",
    "plot run --save loop.png": "Too many levels of symbolic links: 'loop.png'",
    f"plot {'run ' * 21}": "21 runs are too many for a picture: name 20 or less",
    "runs": "no run in runs: name the folder of a run, or one that holds some",
    "runs nowhere": "no run in nowhere",
    "runs folder": "no run in folder",
    "runs pipe": "no run in pipe",
    "runs run nowhere": "no run in nowhere",
}


@pytest.mark.parametrize("command", IMPOSSIBLE, ids=lambda command: command[:80])
def test_impossible(refused, command):
    refused(command, 1, IMPOSSIBLE[command])


# --- what the environment says --------------------------------------------------------------------

NOT_THE_TEXT = "Set it to a copy of Tiny Shakespeare, or unset it to have the text fetched."
ENVIRONMENTS = [
    # set; typed; said
    ("BARDGPT_CORPUS=nowhere.txt", "train tiny --run new", "nowhere.txt does not exist"),
    ("BARDGPT_CORPUS=folder", "train tiny --run new", "folder is a folder; name a text file in it"),
    ("BARDGPT_CORPUS=pipe", "train tiny --run new", "pipe is a pipe or a device"),
    ("BARDGPT_CORPUS=/dev/zero", "train tiny --run new", "/dev/zero is a pipe or a device"),
    ("BARDGPT_CORPUS=dangling", "train tiny --run new", "dangling does not exist"),
    ("BARDGPT_CORPUS=loop", "train tiny --run new", "Too many levels of symbolic links"),
    ("BARDGPT_CORPUS=empty.txt", "train tiny --run new", "empty.txt is empty"),
    ("BARDGPT_CORPUS=utf16.txt", "train tiny --run new", "utf16.txt is in UTF-16; convert it"),
    ("BARDGPT_CORPUS=latin1.txt", "train tiny --run new", "is not UTF-8: byte 0xe4 in line 2"),
    ("BARDGPT_CORPUS=program", "train tiny --run new", "program is no text"),
    ("BARDGPT_CORPUS=ok.txt", "train tiny --run new", "wrong hash: expected 86c4e6aa"),
    ("BARDGPT_CORPUS=~/ok.txt", "train tiny --run new", "wrong hash: expected 86c4e6aa"),
    ("BARDGPT_CORPUS=~/nowhere", "train tiny --run new", "nowhere does not exist"),
    ("BARDGPT_CORPUS=nowhere.txt", "evaluate", "nowhere.txt does not exist"),
    ("COLUMNS=1", "sample --run ~/nowhere", "world0/nowhere holds no run"),  # not "~/nowhere"
    ("RANK=0", NEW, "the environment has RANK and not WORLD_SIZE: start several processes with "),
    ("RANK=1", "train tiny --run new --text ok.txt", "the environment has RANK and not WORLD_SIZE"),
    ("WORLD_SIZE=2", NEW, "the environment has WORLD_SIZE and not RANK: start several processes"),
    ("RANK=2 WORLD_SIZE=2", NEW, "RANK=2 and WORLD_SIZE=2 are no process and number of processes"),
    ("RANK=-1 WORLD_SIZE=2", NEW, "RANK=-1 and WORLD_SIZE=2 are no process and number of"),
    ("RANK=x WORLD_SIZE=2", NEW, "start them with torchrun, or unset both"),
    ("RANK=0 WORLD_SIZE=0", NEW, "RANK=0 and WORLD_SIZE=0 are no process and number of processes"),
    ("RANK=0 WORLD_SIZE=HUGE MASTER_ADDR=localhost MASTER_PORT=1", NEW, "WORLD_SIZE=HUGE are no p"),
    ("RANK=0 WORLD_SIZE=2", NEW, "process 0 of 2 did not meet the others at None:None within 1 s"),
    ("RANK=1 WORLD_SIZE=2 MASTER_ADDR=localhost", NEW, "did not meet the others at localhost:None"),
    ("RANK=1 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=x", NEW, "others at localhost:x"),
    ("RANK=1 WORLD_SIZE=2 MASTER_ADDR=localhost MASTER_PORT=1", NEW, "process 1 of 2 did not meet "
     "the others at localhost:1 within 1 s; start all of them with torchrun"),
    ("RANK=0 WORLD_SIZE=2", f"{NEW} --from-best", "from the best weights is for one process"),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "command", "says"), ENVIRONMENTS)
def test_environment(world, refused, monkeypatch, variables, command, says):
    monkeypatch.setattr(distributed, "WAIT_SECONDS", 1)
    monkeypatch.setenv("HOME", str(world))
    for variable in variables.replace("HUGE", HUGE).split():
        monkeypatch.setenv(*variable.split("="))
    remedy = NOT_THE_TEXT if variables.startswith("BARDGPT_CORPUS") else ""
    refused(command, 1, says, remedy, lines=3)


# --- runs that are damaged ------------------------------------------------------------------------


def file(name, content):
    """The content of a file, or what stands in its place; None for nothing."""

    def damage(run):
        (run / name).unlink()
        if callable(content):
            content(run / name)
        elif content is not None:
            (run / name).write_bytes(content)

    return damage


def config(part, **fields):
    """Other values in a part of `config.json`; None takes a field away."""

    def damage(run):
        about = json.loads((run / "config.json").read_text(encoding="utf-8"))
        for name, value in fields.items():
            (about[part] if part else about)[name] = value
            if value is None:
                del (about[part] if part else about)[name]
        (run / "config.json").write_text(json.dumps(about), encoding="utf-8")

    return damage


def tensor(name, key, value):
    """Another tensor in a checkpoint that is well otherwise; None takes it away."""

    def damage(run):
        tensors, values = checkpoint.load(run / f"{name}.safetensors")
        tensors[key] = value
        kept = {k: v for k, v in tensors.items() if v is not None}
        checkpoint.save(run / f"{name}.safetensors", kept, values)

    return damage


def values(name, **fields):
    """Other values in a checkpoint that is well otherwise; None takes one away."""

    def damage(run):
        tensors, kept = checkpoint.load(run / f"{name}.safetensors")
        kept = {k: v for k, v in (kept | fields).items() if v is not None}
        checkpoint.save(run / f"{name}.safetensors", tensors, kept)

    return damage


def others(*damages):
    """Several damages."""

    def damage(run):
        for one in damages:
            one(run)

    return damage


def folder(path):
    path.mkdir()


def dangling(path):
    path.symlink_to("nowhere")


def loop(path):
    path.symlink_to(path)


def unreadable(name):
    """A file or folder without permissions."""
    return lambda run: (run / name).chmod(0)


NO_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
BIASES = "model.lm_head.bias"
DEEP = b'{"model": ' * 100_000
DAMAGES = [
    # config.json
    ("sample", file("config.json", None), "holds no run: there is no config.json in it"),
    ("sample", file("config.json", b""), "config.json is not a run's config (JSONDecodeError: Exp"),
    ("train", file("config.json", b"[]"), "is not a run's config (TypeError: list indices"),
    ("evaluate", file("config.json", DEEP), "is not a run's config (RecursionError: "),
    ("sample", file("config.json", b" " * 10_000_001), "ValueError: it has more than 10,000,000 b"),
    ("sample", file("config.json", b"\xff{}"), "is not a run's config (UnicodeDecodeError: "),
    ("sample", file("config.json", b"1" * 5_000), "is not a run's config (ValueError: Exceeds the"),
    ("sample", file("config.json", folder), "holds no run: there is no config.json in it"),
    ("runs", file("config.json", folder), "no run in damaged"),
    ("sample", file("config.json", os.mkfifo), "holds no run: there is no config.json in it"),
    ("runs", file("config.json", dangling), "no run in "),
    ("sample", config("model", n_head=4), "config.json has been changed: model.n_head is 4 there, "
     "and best.safetensors was trained with 2; put that back"),
    ("train", config("model", n_head=4), "holds another run: model.n_head is 4 there and 2 here"),
    ("sample", config("model", block="post-norm"), "has been changed: model.block is 'post-norm'"),
    ("sample", config("model", activation="gelu"), "has been changed: model.activation is 'gelu'"),
    ("sample", config("model", n_embd=0), "ConfigError: n_embd=0: must be a whole number of at le"),
    ("sample", config("model", n_embd=10**30), "ConfigError: n_embd=about 2**99: must be at most"),
    ("sample", config("model", n_embd="wide"), "ConfigError: n_embd='wide': must be a whole num"),
    ("sample", config("model", n_embd=True), "ConfigError: n_embd=True: must be a whole number"),
    ("sample", others(config("model", n_embd=10**9), values("best", of=None)), "GB of memory are"),
    ("sample", config("model", n_layer=10**6), "n_layer=1000000: must be at most 1,000"),
    ("sample", config("model", dropout=float("nan")), "ConfigError: dropout=nan: must be at least"),
    ("sample", config("model", wings=2), "GPTConfig has no field ['wings']; it has "),
    ("sample", config("model", vocab_size=None), "GPTConfig lacks ['vocab_size']"),
    ("sample", config("model", vocab_size=8), "its vocabulary has 9 characters, 9 different ones, "
     "and its vocab_size is 8"),
    ("sample", config("training", steps=-1), "ConfigError: steps=-1: must be a whole number"),
    ("shorter", config("training", steps=1), "has made 2 steps, and 1 are asked for: ask for as"),
    ("sample", config(None, model=None), "is not a run's config (KeyError: 'model')"),
    ("sample", config(None, model=[1]), "not a GPTConfig: expected a JSON object, got '[1]'"),
    ("sample", config(None, vocabulary="gfedcba \n"), "its vocabulary is not the one that best.sa"),
    ("sample", config(None, vocabulary=""), "its vocabulary has 0 characters, 0 different ones"),
    ("sample", config(None, vocabulary="aabcdefg\n"), "its vocabulary has 9 characters, 8 diff"),
    ("sample", config(None, vocabulary=["a"]), "TypeError: its vocabulary is no text"),
    ("evaluate", config(None, text={}), "what it says of its text is of another kind"),
    ("evaluate", config(None, text="ok.txt"), "what it says of its text is of another kind"),
    ("evaluate", config("text", sha256=7), "what it says of its text is of another kind"),
    ("evaluate", config("text", characters=None), "what it says of its text is of another kind"),
    ("evaluate", config("text", path=5), "what it says of its text is of another kind"),
    ("evaluate", config("text", sha256="0"), "was trained on a text of 909 characters that is no"),
    # text.txt
    ("evaluate", others(file("text.txt", None), config("text", path=None)), "no longer in"),
    ("train", others(file("text.txt", b"abc"), config("text", path="ok.txt2")), "or has changed"),
    ("evaluate", others(file("text.txt", os.mkfifo), config("text", path="pipe")), "no longer in"),
    # the weights, in the place of a file and in it
    ("sample", file("best.safetensors", None), "has no best.safetensors yet: let it run until its"),
    ("sample", file("best.safetensors", b""), "best.safetensors is damaged or no safetensors file"),
    ("sample", file("best.safetensors", b"hello" * 100), "is damaged or no safetensors file"),
    ("sample", file("best.safetensors", folder), "is a folder, pipe or device, and no checkpoint"),
    ("sample", file("best.safetensors", os.mkfifo), "is a folder, pipe or device, and no check"),
    ("sample", file("best.safetensors", dangling), "no checkpoint at "),
    ("evaluate", file("best.safetensors", loop), "best.safetensors"),
    pytest.param("sample", unreadable("best.safetensors"), "Permission denied: ", marks=NO_ROOT),
    pytest.param("train", unreadable("last.safetensors"), "Permission denied: ", marks=NO_ROOT),
    pytest.param("sample", unreadable("config.json"), "Permission denied: ", marks=NO_ROOT),
    pytest.param("runs", unreadable("."), "Permission denied: ", marks=NO_ROOT),
    ("sample", tensor("best", BIASES, torch.zeros(8)), "holds another model's weights"),
    ("sample", tensor("best", BIASES, None), "Missing key(s) in state_dict: \"lm_head.bias\"."),
    ("sample", tensor("best", "model.more", torch.zeros(1)), "Unexpected key(s) in state_dict"),
    ("sample", tensor("best", BIASES, torch.zeros(9).int()), "holds lm_head.bias as torch.int32"),
    ("sample", tensor("best", BIASES, torch.zeros(9).bool()), "holds lm_head.bias as torch.bool"),
    ("sample", tensor("best", BIASES, torch.full((9,), torch.nan)), "weights that are no finite n"),
    ("sample", tensor("best", BIASES, torch.full((9,), 9.0).double() * 1e300), "no finite n"),
    ("sample", values("best", of=7), "does not say what its weights are good for; put a good copy"),
    ("sample", values("best", of={"model": 1, "vocabulary": 2}), "does not say what its weights"),
    ("from-best", values("best", step=None), "does not say of which step its weights are"),
    ("from-best", values("best", step="two"), "does not say of which step its weights are"),
    ("from-best", file("best.safetensors", b"hello"), "best.safetensors is damaged"),
    # the state
    ("train", file("last.safetensors", None), "last.safetensors is missing. Beside it there is"),
    ("train", file("last.safetensors", b""), "last.safetensors is damaged or no safetensors file"),
    ("train", file("last.safetensors", folder), "last.safetensors is a folder, pipe or device"),
    ("train", file("last.safetensors", os.mkfifo), "last.safetensors is a folder, pipe or device"),
    ("train", file("last.safetensors", dangling), "no checkpoint at "),
    ("longer", file("last.safetensors", b""), "last.safetensors is damaged or no safetensors file"),
    ("train", tensor("last", BIASES, torch.zeros(8)), "holds another model's weights"),
    ("train", tensor("last", "random.windows.cpu", torch.zeros(3)), "holds weights and no state"),
    ("train", tensor("last", "random.dropout", torch.zeros(3).byte()), "weights and no state"),
    ("train", tensor("last", "optimizer.0.0.exp_avg", torch.zeros(2)), "exp_avg has shape (2,)"),
    ("train", tensor("last", "optimizer.0.99.exp_avg", torch.zeros(2)), "weights and no state"),
    ("train", tensor("last", "optimizer.0.x.exp_avg", torch.zeros(2)), "weights and no state"),
    ("train", tensor("last", "optimizer.0.0.exp_avg", torch.full((9, 8), torch.inf)), "not finite"),
    ("train", values("last", trainer=None), "holds weights and no state to go on from"),
    ("train", values("last", trainer=[]), "holds weights and no state to go on from"),
    ("train", values("last", trainer={"step": "2", "scaler": {}}), "its step is '2'"),
    ("train", values("last", trainer={"step": -2, "scaler": {}}), "its step is -2"),
    ("train", values("last", trainer={"step": 2}), "holds weights and no state"),
    ("train", values("last", trainer={"step": 9, "scaler": {}}), "has made 9 steps, and 2 are"),
    ("train", values("last", log=None), "holds weights and no state to go on from"),
    ("train", values("last", log=[1]), "holds a log that this version cannot read"),
    ("train", values("last", log={"lines": [{"step": 2}]}), "holds a log that this version cannot"),
    ("train", values("last", log={"lines": [7]}), "holds a log that this version cannot read"),
    # the lock
    ("train", file(".lock", folder), "Is a directory: "),
    ("train", file(".lock", loop), "Too many levels of symbolic links: "),
]  # fmt: skip
COMMANDS = {
    "sample": "sample --length 1 --run",
    "evaluate": "evaluate --run",
    "runs": "runs",
    "train": f"train tiny {OPTIONS} --run",
    "shorter": f"train tiny {OPTIONS} --steps 1 --run",
    "longer": f"train tiny {OPTIONS} --steps 3 --run",
    "from-best": f"train tiny {OPTIONS} --from-best --run",
}


@pytest.mark.parametrize(("command", "damage", "says"), DAMAGES)
def test_damaged_run(world, refused, command, damage, says):
    run = world / "damaged"
    shutil.copytree(world / "run", run)
    try:
        damage(run)
        refused(f"{COMMANDS[command]} damaged", 1, says)
    finally:
        run.chmod(0o700)
        shutil.rmtree(run)


# What may stand in a log: none of it is a line of ours, and all of it is passed over.
NO_LINES = {
    "nothing": b"",
    "bytes": bytes(range(256)),
    "zeros, which a crash may leave": bytes(5_000),
    "deep": b"[" * 100_000,
    "a number without end": b'{"step": ' + b"9" * 5_000 + b"}",
    "no object": b"7\n[]\nnull\n",
    "half a line": b'{"step": 2, "characters": 3',
    "other things": b'{"seconds": 1}\n{"step": "2"}\n{"step": true, "characters": 2, "seconds": 1}',
    "a negative step": b'{"step": -1, "characters": 2, "seconds": 1}',
    "no loss": b'{"step": 1, "characters": 2, "seconds": 1, "train": "low", "validation": null}',
    "no number": b'{"step": 1, "characters": 2, "seconds": NaN}',
    "too large": b'{"step": 1, "characters": 2, "seconds": 1, "train": 1' + b"0" * 400 + b"}",
    "a folder": folder,
    "a pipe": os.mkfifo,
    "a link to nowhere": dangling,
    "a link to itself": loop,
}


@pytest.mark.parametrize("content", NO_LINES)
def test_no_log(world, refused, monkeypatch, capsys, content):
    run = world / "damaged"
    shutil.copytree(world / "run", run)
    try:
        file("metrics.jsonl", NO_LINES[content])(run)
        refused("plot damaged", 1, "damaged: no reading yet, so nothing to draw")
        assert cli.main(["runs", "damaged"]) == 0
        assert capsys.readouterr() == ("damaged: step 0 of 2\n", "")
    finally:
        shutil.rmtree(run)


# --- in a program ---------------------------------------------------------------------------------


def generator(**others):
    """A call that samples from an untrained model."""
    model, tokenizer = GPT(GPTConfig(3)), CharTokenizer("abc")
    return lambda _: bardgpt.sample(model, tokenizer, **{"prompt": "a", "length": 1} | others)


CALLS = [
    (lambda world: bardgpt.load("nowhere"), RunError, "nowhere holds no run"),
    (lambda world: bardgpt.load(str(world)), RunError, "holds no run: there is no config.json"),
    (lambda world: bardgpt.load(str(world / "file")), RunError, "file holds no run"),
    (lambda world: load_run("nowhere", "last"), RunError, "nowhere holds no run"),
    (lambda world: bardgpt.read_text("nowhere"), TextFileError, "nowhere does not exist"),
    (lambda world: bardgpt.read_text(""), TextFileError, "'' is no path; name a text file"),
    (lambda world: bardgpt.read_text("a\0b"), TextFileError, "is no path"),
    (lambda world: bardgpt.read_text(str(world)), TextFileError, "is a folder; name a text file"),
    (lambda world: checkpoint.load("nowhere"), FileNotFoundError, "no checkpoint at nowhere"),
    (lambda world: checkpoint.load(str(world)), CheckpointError, "is a folder, pipe or device"),
    (lambda world: train_in_folder(str(world / "file"), PRESET, text=TEXT), RunError, "no folder"),
    (lambda world: train_in_folder(str(world / "full"), PRESET, text=TEXT), RunError, "not empty"),
    (lambda world: train_in_folder(str(world / "new"), PRESET, text="aabb" * 9), ConfigError, "the "
     "text has 2 different characters; set it to that"),
    (lambda world: train_in_folder(world / "new", PRESET, text="a"), WindowError, "take a longer"),
    (lambda world: Text.of("a"), WindowError, "leaves no training part: take a longer text"),
    (lambda world: Text.of(""), ValueError, "the vocabulary is empty"),
    (lambda world: CharTokenizer("aa"), ValueError, "holds ['a'] more than once"),
    (lambda world: CharTokenizer("".join(map(chr, range(10**4)))).encode("\U0010ffff"),
     UnknownCharacterError, "and so on"),
    (lambda world: GPTConfig(65, n_layer=10**6), ConfigError, "n_layer=1000000: must be at most"),
    (lambda world: GPTConfig(-(10**5_000)), ConfigError, "vocab_size=about -2**16609: must"),
    (lambda world: GPTConfig.from_json("[" * 10**5), ConfigError, "it is nested too deeply"),
    (lambda world: GPTConfig.from_json("9" * 10**5), ConfigError, "not a GPTConfig: Exceeds the"),
    (lambda world: TrainingConfig(learning_rate=10**400), ConfigError, "must be at most 1e+30"),
    (lambda world: TrainingConfig(seed=2**63), ConfigError, "must be at most 4,611,686,018,427"),
    (generator(prompt=""), SamplingError, "the prompt is empty; it must have at least one"),
    (generator(prompt="d"), UnknownCharacterError, "character 'd' (U+0064) at position 0 is not"),
    (generator(prompt="\udc80"), UnknownCharacterError, r"character '\udc80' (U+DC80)"),
    (generator(seed=2**64), SamplingError, "seed is 18446744073709551616; it must be 0 or more"),
    (generator(seed=-1), SamplingError, "seed is -1; it must be 0 or more"),
    (generator(length=-1), SamplingError, "length is -1; it must be 0 or more"),
    (generator(temperature=float("nan")), SamplingError, "temperature is nan; it must be"),
    (generator(top_k=0), SamplingError, "top_k is 0; it must be at least 1"),
    (generator(top_p=0.0), SamplingError, "top_p is 0.0; it must be above 0 and at most 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "says"), CALLS)
def test_call(world, call, kind, says):
    before = state(world)
    with pytest.raises(kind) as caught:
        call(world)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert state(world) == before


# --- standard input, output, signals --------------------------------------------------------------

STDIN = {
    b"": "standard input is empty",
    b"a\xff": "standard input is not UTF-8: byte 0xff in line 1",
    "a".encode("utf-16"): "standard input is in UTF-16; convert it",
    b"a\0": "standard input is no text: it holds a NUL character, at position 1",
    b"abcZ": "character 'Z' (U+005A) at position 3 is not among the 9",
}


@pytest.mark.parametrize("data", STDIN)
def test_stdin(refused, monkeypatch, data):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    refused("sample --run run --prompt-file -", 1, STDIN[data])


class Impatient:
    """An import that raises something."""

    def __init__(self, error):
        self.error = error

    def find_spec(self, name, *_):
        if name == "bardgpt.cli.command":
            raise self.error


def test_ctrl_c_while_pytorch_is_imported(monkeypatch, capsys):
    """Nothing is said, and one more does not disturb the end of the process."""
    monkeypatch.delitem(sys.modules, "bardgpt.cli.command")
    monkeypatch.setattr(sys, "meta_path", [Impatient(KeyboardInterrupt), *sys.meta_path])
    monkeypatch.setattr(sys, "argv", ["bardgpt", "sample"])
    before = signal.getsignal(signal.SIGINT)
    try:
        assert cli.main() == 128 + signal.SIGINT
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr() == ("", "")


def test_a_variable_that_a_library_cannot_read(monkeypatch, capsys):
    """Which one it is, tqdm does not say; without any the error is the program's."""
    monkeypatch.delitem(sys.modules, "bardgpt.cli.command")
    error = ValueError("could not convert string to float: 'x'")
    monkeypatch.setattr(sys, "meta_path", [Impatient(error), *sys.meta_path])
    for name in [name for name in os.environ if name.startswith("TQDM_")]:
        monkeypatch.delenv(name)
    with pytest.raises(ValueError, match="could not convert"):
        cli.main(["runs"])
    monkeypatch.setenv("TQDM_MININTERVAL", "x")
    assert cli.main(["runs"]) == 1
    says = f"bardgpt: in the environment TQDM_MININTERVAL cannot be used ({error}); unset it\n"
    assert capsys.readouterr() == ("", says)


def test_current_folder_is_gone(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert cli.main(["train", "tiny", "--text", "ok.txt"]) == 1
    says = "bardgpt: the current folder is not there any more; change to another\n"
    assert capsys.readouterr() == ("", says)


def test_names_are_shown_in_a_line(world, tmp_path, monkeypatch, capsys):
    """What a terminal would obey is not printed."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(world / "run", tmp_path / "\x1b[2J\nrun")
    assert cli.main(["runs", "."]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(r"\x1b[2J\nrun: step 2 of 2, validation loss ")
    assert (len(out.splitlines()), err) == (1, "")


# By a shell, which runs `bardgpt` in a process of its own: exit codes of all in a pipe, output and
# error, as regular expressions.
SHELL = {
    "bardgpt sample --run run --length 20000 | head -c 50": ("0 0", r"[a-g \n]{50}", ""),
    "bardgpt sample --run run --length 50 > /dev/full": (
        "1",
        "",
        "bardgpt: the output cannot be written: No space left on device\n",
    ),
    f"ulimit -f 4; bardgpt train tiny --run new --text ok.txt {OPTIONS}": (
        "1",
        "",
        r"ok.txt: .*\n(step .*\n)?bardgpt: File too large: 'new/\w+.safetensors'\n",
    ),
    "PYTHONIOENCODING=latin-1 bardgpt --help": ("0", r"usage: bardgpt [^√]*\?[^√]*", ""),
    "PYTHONIOENCODING=cp1252 bardgpt sample --run emoji --prompt 🎭a --length 9 --temperature 0": (
        "0",
        r"\?a.*",
        "bardgpt: 1 characters that cp1252 lacks are shown as \\?; PYTHONIOENCODING=.*\n",
    ),
    r"cp -r run '_$\frac$'; MPLBACKEND=nosuch bardgpt plot '_$\frac$' run --save x.png": (
        "0",
        r"2 runs drawn in x\.png\n",
        "",
    ),
    "PYTHONIOENCODING=ascii bardgpt sample --run run --prompt 🎭": (
        "1",
        "",
        r"bardgpt: character '\?' \(U\+1F3AD\) at position 0 is not among the 9 .*\n",
    ),
    "bardgpt sample --run run --prompt-file - <&- >&-": (
        "1",
        "",
        "bardgpt: standard input is empty.*\n",
    ),
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are a shell's")
@pytest.mark.parametrize("command", SHELL, ids=lambda command: command[:60])
def test_in_a_shell(world, tmp_path, command):
    codes, out, err = SHELL[command]
    shutil.copytree(world / "run", tmp_path / "run")
    shutil.copy(world / "ok.txt", tmp_path)
    if "emoji" in command:
        preset = replace(PRESET, model=replace(PRESET.model, vocab_size=10))
        text = read_text(world / "emoji.txt")
        train_in_folder(tmp_path / "emoji", preset, text=text, progress=False)
    before = state(tmp_path)
    bardgpt_ = f'bardgpt() {{ {shlex.quote(sys.executable)} -m bardgpt "$@"; }}'
    done = subprocess.run(
        ["bash", "-c", f"{bardgpt_}; {command}; echo ${{PIPESTATUS[@]}} > codes"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=100,
    )
    assert (tmp_path / "codes").read_text(encoding="ascii").strip() == codes, done.stderr
    assert re.fullmatch(out, done.stdout.decode("latin-1"), re.DOTALL), done.stdout
    assert re.fullmatch(err, done.stderr.decode(), re.DOTALL), done.stderr
    kept = {name: content for name, content in state(tmp_path).items() if name in before}
    assert kept == before
