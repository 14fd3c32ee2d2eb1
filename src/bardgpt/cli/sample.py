"""`bardgpt sample`: text from a model, printed as it is written."""

import contextlib
import itertools
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from bardgpt.cli.arguments import PathOption
from bardgpt.cli.models import OfModel
from bardgpt.cli.screen import remark, require_writable
from bardgpt.config import MOST_COUNT, short
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import SamplingError, prepared, stream
from bardgpt.text_file import decoded, read_text
from bardgpt.tokenizer import CharTokenizer

BETWEEN = "─" * 40  # separates several samples


@dataclass(frozen=True)
class Sample(OfModel):
    """Print text from a model: the recorded one, or one of your runs."""

    prompt: str | None = None
    r"""What the text begins with; \n is a line break. A line break if not given, or the first
    character of the vocabulary if the model knows none."""
    prompt_file: str | None = None
    """A file with the prompt in its place; "-" is standard input."""
    length: int = 500
    """Characters to add."""
    samples: int = 1
    """Texts, one after the other, each drawn anew."""
    temperature: float = 1.0
    """Below 1 safer, above 1 wilder, 0 always the likeliest character."""
    top_k: int | None = None
    """Draw from the k likeliest characters alone."""
    top_p: float | None = None
    """Draw from the likeliest characters that together have this probability."""
    seed: int | None = None
    """The same seed gives the same text."""
    save: PathOption | None = None
    """A new file that takes the text too, written at the end or at Ctrl-C."""

    def __call__(self) -> None:
        """Sample and print; what is written when Ctrl-C comes is kept."""
        _require_count("length", self.length, 0)
        _require_count("samples", self.samples, 1)
        asked = self._asked()
        if self.save is not None:
            if os.path.lexists(self.save):  # a text is drawn once: it is never written over
                raise SamplingError(f"{self.save} is there already; take another name for --save")
            require_writable(self.save)
        model, tokenizer = self.load()
        prompt = _first_prompt(tokenizer) if asked is None else asked
        ids, generator = prepared(model, tokenizer, prompt, self.seed)
        kept: list[str] = []
        try:
            for i in range(self.samples):
                if i:
                    _write(f"\n{BETWEEN}\n", kept)
                characters = self._characters(model, tokenizer, ids, generator)
                # With the first one, for it takes a good temperature, top_k and top_p to draw it.
                _write(prompt + next(characters, ""), kept)
                for character in characters:
                    _write(character, kept)
            print()
        except KeyboardInterrupt:
            if kept:
                print(flush=True)
            raise
        finally:
            if self.save is not None and kept:
                write_whole(self.save, ("".join(kept) + "\n").encode("utf-8"))
        _say_what_is_missing("".join(kept))

    def _asked(self) -> str | None:
        """The prompt as it was asked for, if it was."""
        if self.prompt_file is None:
            return None if self.prompt is None else self.prompt.replace("\\n", "\n")
        if self.prompt is not None:
            raise SamplingError("both --prompt and --prompt-file are given; take one of them")
        if self.prompt_file != "-":
            return read_text(self.prompt_file).text
        return decoded(sys.stdin.buffer.read(), "standard input")[0]

    def _characters(
        self,
        model: GPT,
        tokenizer: CharTokenizer,
        ids: torch.Tensor,
        generator: torch.Generator | None,
    ) -> Iterator[str]:
        following = stream(
            model,
            ids,
            temperature=self.temperature,
            top_k=self.top_k,
            top_p=self.top_p,
            generator=generator,
        )
        with contextlib.closing(following):
            for new in itertools.islice(following, self.length):
                yield tokenizer.decode([int(new)])


def _first_prompt(tokenizer: CharTokenizer) -> str:
    """What a text begins with if nobody says: a line break, where the model knows one."""
    return "\n" if "\n" in tokenizer.vocabulary else tokenizer.vocabulary[0]


def _write(text: str, kept: list[str]) -> None:
    kept.append(text)
    print(text, end="", flush=True)


def _require_count(name: str, value: int, least: int) -> None:
    if not least <= value <= MOST_COUNT:
        raise SamplingError(
            f"{name} is {short(value)}; it must be {least} or more, at most {MOST_COUNT:,}"
        )


def _say_what_is_missing(text: str) -> None:
    """Tell of characters that the output's encoding has shown as "?"."""
    encoding = sys.stdout.encoding or "utf-8"
    lacking = sorted({c for c in text if c.encode(encoding, "replace") == b"?" and c != "?"})
    if lacking:
        remark(
            f"bardgpt: {len(lacking)} characters that {encoding} lacks are shown as ?; "
            "PYTHONIOENCODING=utf-8 shows them, --save FILE keeps them"
        )
