"""The folder of a run: it is one run's alone, and knows its model, its text and its results.

It holds::

    config.json        what is trained on what; a run goes on only under the same
    text.txt           the text, if it is the user's own and not large
    metrics.jsonl      a line for each reading: step, characters, rate, loss, seconds
    last.safetensors   the whole state, from which a killed run goes on
    best.safetensors   the weights with the lowest validation loss so far, to sample from
    .lock              held while a process trains here
    old-…              what stood here before a restart, by date

No result is ever overwritten in silence. Where the state to go on from is missing or damaged while
results stand beside it, the user chooses: begin anew (`put_aside`), or go on from the best weights.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bardgpt import corpus
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.files import remove_leftovers, write_whole
from bardgpt.presets import Preset
from bardgpt.text_file import TextFileError, read_bytes, read_text
from bardgpt.training.log import is_line

CONFIG, METRICS, LAST, BEST = "config.json", "metrics.jsonl", "last.safetensors", "best.safetensors"
TEXT, LOCK, OLD = "text.txt", ".lock", "old-"
MOST_COPIED = 10_000_000  # bytes of a text; a larger one is remembered by its path and hash
MOST_CONFIG = 10_000_000  # bytes of config.json: a vocabulary of all of Unicode has a tenth of it


class RunError(RuntimeError):
    """A folder that cannot take this run, or one without a run; says what to do."""


@dataclass(frozen=True)
class About:
    """What `config.json` says.

    Attributes:
        preset: model and training.
        vocabulary: the characters, in the order of their ids.
        text: "characters", "sha256" and, where it came from a file, "path".
    """

    preset: Preset
    vocabulary: str
    text: dict[str, Any]

    def to_json(self) -> str:
        """As it stands in the file."""
        values = {
            "model": dataclasses.asdict(self.preset.model),
            "training": dataclasses.asdict(self.preset.training),
            "vocabulary": self.vocabulary,
            "text": self.text,
        }
        return json.dumps(values, indent=1) + "\n"

    def bound(self) -> dict[str, Any]:
        """What weights are good for: a checkpoint carries it, so that an edited config shows."""
        return {"model": dataclasses.asdict(self.preset.model), "vocabulary": self.vocabulary}


def facts_of(characters: str, path: Path | None = None) -> dict[str, Any]:
    """What a run remembers of its text: enough to know it again, and where it was."""
    data = characters.encode("utf-8", "surrogatepass")
    facts = {"characters": len(characters), "sha256": hashlib.sha256(data).hexdigest()}
    return facts if path is None else facts | {"path": str(path)}


def read_about(folder: Path) -> About:
    """What the config of a run's folder says.

    Raises:
        RunError: if there is no run, or its config is not one of ours, or not one that this version
            understands.
    """
    file = folder / CONFIG
    if not file.is_file():
        raise RunError(f"{folder} holds no run: there is no {CONFIG} in it")
    try:
        if file.stat().st_size > MOST_CONFIG:
            raise ValueError(f"it has more than {MOST_CONFIG:,} bytes")
        values = json.loads(file.read_text(encoding="utf-8-sig"))  # some editors add a mark
        parts = [values[part] for part in ("model", "training", "vocabulary", "text")]
        model, training, vocabulary, text = parts
        preset = Preset(
            GPTConfig.from_json(json.dumps(model)), TrainingConfig.from_json(json.dumps(training))
        )
        _require_vocabulary(vocabulary, preset.model.vocab_size)
        _require_facts(text)
    except (ValueError, KeyError, TypeError, RecursionError, ConfigError) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else "nothing in it"
        raise RunError(
            f"{file} is not a run's config ({type(error).__name__}: {reason}); name another folder"
        ) from None
    return About(preset, vocabulary, text)


def _require_vocabulary(vocabulary: object, vocab_size: int) -> None:
    if not isinstance(vocabulary, str):
        raise TypeError("its vocabulary is no text")
    if not len(vocabulary) == len(set(vocabulary)) == vocab_size:
        raise ValueError(
            f"its vocabulary has {len(vocabulary):,} characters, {len(set(vocabulary)):,} "
            f"different ones, and its vocab_size is {vocab_size:,}"
        )


def _require_facts(text: object) -> None:
    kinds = {"sha256": str, "characters": int, "path": str}
    fits = isinstance(text, dict) and all(
        isinstance(text[key], kind) if key in text else key == "path" for key, kind in kinds.items()
    )
    if not fits:
        raise TypeError("what it says of its text is of another kind")


def text_of(folder: Path) -> str:
    """The text that a run learned from: Tiny Shakespeare, or its copy, or the file it came from.

    Raises:
        RunError: if there is no run, or its text is nowhere to be had as it was.
        CorpusError: if it is Tiny Shakespeare, and that cannot be had.
    """
    facts = read_about(folder).text
    if facts["sha256"] == corpus.SHA256:
        return corpus.load()
    places = [folder / TEXT, *(Path(facts[key]) for key in ("path",) if key in facts)]
    for place in places:
        with contextlib.suppress(TextFileError):
            text = read_text(place).text
            if facts_of(text)["sha256"] == facts["sha256"]:
                return text
    raise RunError(
        f"{folder} was trained on a text of {facts['characters']:,} characters that is no longer "
        f"in {' or '.join(map(str, places))}, or has changed there; put it back, or name it with "
        "--text"
    )


@contextlib.contextmanager
def claimed(folder: Path, about: About, restart: bool = False) -> Iterator[None]:
    """While the `with` block lasts the folder is this run's alone; `remember` says what it trains.

    Args:
        folder: made if it is not there.
        about: the run.
        restart: put aside what is there and begin anew.

    Raises:
        RunError: if it holds something else or another run, or another process trains there.
    """
    config = folder / CONFIG
    if os.path.lexists(folder) and not folder.is_dir():
        raise RunError(f"{folder} is no folder; name another one")
    # Of a run that was killed while it wrote its first file the rest may lie there.
    ours = (f".{CONFIG}.", LOCK, OLD)
    strange = [path for path in folder.glob("*") if not path.name.startswith(ours)]
    if strange and not config.is_file():
        raise RunError(f"{folder} is not empty and holds no run; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for name in (CONFIG, TEXT, METRICS, LAST, BEST):
            remove_leftovers(folder / name)
        if restart:
            put_aside(folder)
        if config.is_file():
            _made_longer(folder, about)  # which refuses another run
        yield


def remember(folder: Path, about: About, characters: str) -> None:
    """Write into a claimed folder what it trains, once nothing is left that could be refused.

    Args:
        folder: of the run.
        about: the run; it may be longer than what stands there.
        characters: of its text; a copy is kept if it is the user's own and not large.
    """
    config = folder / CONFIG
    if not config.is_file() or _made_longer(folder, about):
        write_whole(config, about.to_json().encode())
    if about.text["sha256"] != corpus.SHA256 and not (folder / TEXT).is_file():
        data = characters.encode("utf-8", "surrogatepass")
        if len(data) <= MOST_COPIED:
            write_whole(folder / TEXT, data)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process out; the system lets go of the lock when a process dies."""
    with contextlib.ExitStack() as held:
        # Where the file system has no locks, it is up to the user.
        with contextlib.suppress(NotImplementedError):
            try:
                held.enter_context(FileLock(folder / LOCK, timeout=0))
            except Timeout:
                raise RunError(
                    f"another process is training in {folder}; wait until it ends, or name "
                    "another folder"
                ) from None
        yield


def _made_longer(folder: Path, about: About) -> bool:
    """Whether a run is the one in the folder with more steps; False if it is that one itself.

    Raises:
        RunError: if the folder holds another run, or one that cannot be made longer.
    """
    there = read_about(folder)
    differing = [
        (f"{part}.{field.name}", before, now)
        for part in ("model", "training")
        for field in dataclasses.fields(getattr(about.preset, part))
        for before in [getattr(getattr(there.preset, part), field.name)]
        for now in [getattr(getattr(about.preset, part), field.name)]
        if before != now
    ]
    same_text = (there.vocabulary, there.text["sha256"]) == (
        about.vocabulary,
        about.text["sha256"],
    )
    if same_text and not differing:
        return False
    steps, more = there.preset.training.steps, about.preset.training.steps
    if same_text and [name for name, *_ in differing] == ["training.steps"] and more > steps:
        if there.preset.training.schedule == "constant":
            return True
        raise RunError(
            f"{folder} holds a run of {steps:,} steps, over which its rate falls; with {more:,} "
            "every step would have had another rate, so it cannot be made longer: name another "
            "folder, or begin anew with --restart"
        )
    said = [f"{name} is {before!r} there and {now!r} here" for name, before, now in differing]
    if not same_text:
        said.append("its text is another")
    raise RunError(
        f"{folder} holds another run: {'; '.join(said)}. Go on with its config, name another "
        "folder, or begin anew with --restart, which puts aside what is there"
    )


def put_aside(folder: Path, keep: tuple[str, ...] = ()) -> Path | None:
    """Move the files of a run into a folder below, named by date; None if there is nothing.

    keep: names of files that stay.
    """
    stay = (LOCK, OLD, *keep)
    files = [path for path in folder.iterdir() if not path.name.startswith(stay)]
    if not files:
        return None
    place = folder / f"{OLD}{time.strftime('%Y-%m-%d-%H%M%S')}"
    while place.exists():
        place = place.with_name(place.name + "-again")
    place.mkdir()
    # The config last: without it, what is left after a kill would be no run's folder any more.
    for path in sorted(files, key=lambda path: path.name == CONFIG):
        os.replace(path, place / path.name)
    return place


def results(folder: Path, best_step: int | None) -> str:
    """What a run has left beside its state, in words; empty if it never made a step.

    best_step: of the best weights, if they can be read.
    """
    kept = []
    if best_step:
        kept.append(f"{BEST}, the best weights, of step {best_step:,}")
    elif best_step is None and os.path.lexists(folder / BEST):
        kept.append(f"{BEST}, which cannot be read")
    lines = read_metrics(folder)
    if lines and lines[-1]["step"] > 0:
        kept.append(f"{METRICS}, its log up to step {lines[-1]['step']:,}")
    return " and ".join(kept)


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's log; half a line at its end, of a run that was killed, is left out."""
    lines = []
    with contextlib.suppress(TextFileError):
        for line in read_bytes(folder / METRICS).splitlines():
            with contextlib.suppress(ValueError, RecursionError):  # also of bytes that are no text
                values = json.loads(line)
                if is_line(values):
                    lines.append(values)
    return lines


def require_bound(values: dict[str, Any], about: About, file: Path) -> None:
    """Let weights pass that were trained as the config says.

    Args:
        values: of the checkpoint; older ones say nothing of what they are good for.
        about: what the config says.
        file: of the checkpoint.

    Raises:
        RunError: if the config has been changed since; names what differs.
    """
    trained = values.get("of")
    if trained is None:
        return
    parts = {"model": dict, "vocabulary": str}
    if not isinstance(trained, dict) or not all(
        isinstance(trained.get(part), kind) for part, kind in parts.items()
    ):
        raise RunError(f"{file} does not say what its weights are good for; put a good copy there")
    now = about.bound()
    for name, before in trained["model"].items():
        if name in now["model"] and now["model"][name] != before:
            raise RunError(
                f"{file.parent / CONFIG} has been changed: model.{name} is "
                f"{now['model'][name]!r} there, and {file.name} was trained with {before!r}; put "
                "that back"
            )
    if trained["vocabulary"] != now["vocabulary"]:
        raise RunError(
            f"{file.parent / CONFIG} has been changed: its vocabulary is not the one that "
            f"{file.name} was trained with, {trained['vocabulary']!r}; put that back"
        )
