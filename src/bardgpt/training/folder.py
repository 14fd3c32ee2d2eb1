"""The folder of a run: one run's alone, and it says what it trains."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.files import remove_leftovers, write_whole
from bardgpt.presets import Preset
from bardgpt.tokenizer import CharTokenizer

CONFIG, METRICS, LAST, BEST = "config.json", "metrics.jsonl", "last.safetensors", "best.safetensors"
LOCK = ".lock"


class RunError(RuntimeError):
    """A folder that cannot take this run, or one without a run; says what to do."""


@contextlib.contextmanager
def claimed(folder: Path, preset: Preset, tokenizer: CharTokenizer, text: str) -> Iterator[None]:
    """While the `with` block lasts the folder is this run's alone, and says what it trains.

    Raises:
        RunError: if it holds something else or another run, or another process trains there.
    """
    about = {
        "model": dataclasses.asdict(preset.model),
        "training": dataclasses.asdict(preset.training),
        "vocabulary": tokenizer.vocabulary,
        "text": {"characters": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()},
    }
    config = folder / CONFIG
    # Of a run that was killed while it wrote its first file the rest may lie there.
    strange = [p for p in folder.glob("*") if not p.name.startswith((f".{CONFIG}.", LOCK))]
    if strange and not config.is_file():
        raise RunError(f"{folder} is not empty and holds no run; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for name in (CONFIG, METRICS, LAST, BEST):
            remove_leftovers(folder / name)
        if config.is_file():
            _require_same(folder, preset, about)
        else:
            write_whole(config, (json.dumps(about, indent=1) + "\n").encode())
        yield


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


def _require_same(folder: Path, preset: Preset, about: dict[str, Any]) -> None:
    there, kept = read_config(folder / CONFIG)
    differing = [
        f"{part}.{field.name} is {before!r} there and {now!r} here"
        for part in ("model", "training")
        for field in dataclasses.fields(getattr(preset, part))
        for before in [getattr(getattr(there, part), field.name)]
        for now in [getattr(getattr(preset, part), field.name)]
        if before != now
    ]
    if (kept["vocabulary"], kept["text"]) != (about["vocabulary"], about["text"]):
        differing.append("its text is another")
    if differing:
        raise RunError(
            f"{folder} holds another run: {'; '.join(differing)}. Go on with its config, or name "
            "another folder"
        )


def read_config(file: Path) -> tuple[Preset, dict[str, Any]]:
    """What `config.json` says: model and training, and everything as it stands.

    Raises:
        RunError: if it is not one of ours, or not one that this version understands.
    """
    try:
        about = json.loads(file.read_text(encoding="utf-8"))
        model, training, *_ = (about[part] for part in ("model", "training", "vocabulary", "text"))
        preset = Preset(
            GPTConfig.from_json(json.dumps(model)), TrainingConfig.from_json(json.dumps(training))
        )
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ConfigError) as error:
        raise RunError(
            f"{file} is not a run's config ({type(error).__name__}: {error}); name another folder"
        ) from None
    return preset, about
