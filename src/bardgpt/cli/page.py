"""`bardgpt page`: one HTML file with a model inside, to open without a server and to send on.

`make book` builds a page with the engine and without a model (`book/_ext/bardgpt_live.py`), and
puts it beside this module, from where a wheel takes it along. Here the model goes into it.
"""

import base64
import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import safetensors.torch

from bardgpt import pretrained
from bardgpt.cli.arguments import PathOption
from bardgpt.cli.models import OfModel
from bardgpt.cli.screen import in_a_line, require_writable
from bardgpt.config import GPTConfig
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.progress import working
from bardgpt.sampling import sample
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training.folder import read_metrics

SHELL = Path(__file__).with_name("page.html")  # built, and in no repository
MODEL = "mine"  # what the page's scripts call it
WEIGHTS = f"{MODEL}-0.bin"  # and its file
WIDEST = 0xFFFF  # the reader counts characters as JavaScript does, which takes later ones for two
LENGTH = 250  # characters that stand there before the page writes any


class PageError(Exception):
    """A page that cannot be made; says why, and what to do."""


@dataclass(frozen=True)
class Page(OfModel):
    """Write one HTML file in which a model writes and reads: to open without a server."""

    out: PathOption = Path("page.html")
    """A new file."""
    title: str | None = None
    """What the page is called; the run's folder if not given."""
    prompt: str | None = None
    r"""What stands in the page's field to begin with; \n is a line break."""

    def __call__(self) -> None:
        """Load the model, put it into the page, and say how large that is."""
        shell = read_shell()
        if os.path.lexists(self.out):
            raise PageError(f"{self.out} is there already; take another name for --out")
        require_writable(self.out)
        model, tokenizer = self.load()
        require_page_knows(model.config)
        title = self.title or ("The full model" if self.run is None else self.run.resolve().name)
        prompt = (self.prompt or "").replace("\\n", "\n")
        with working("writing the page"):
            page = filled(shell, model.cpu(), tokenizer, title, self._loss(), prompt).encode(
                "utf-8"
            )
            write_whole(self.out, page)
        print(f"{in_a_line(str(self.out))}: {len(page) / 1e6:.1f} MB; open it in a browser")

    def _loss(self) -> str:
        """On its validation text, of the weights that are taken; "" if no reading is there."""
        if self.run is None:
            record = json.loads((pretrained.RECORD / "record.json").read_text(encoding="utf-8"))
            return f"{record['validation of the packed weights']:.3f}"
        losses = [one["validation"] for one in read_metrics(self.run) if "validation" in one]
        if not losses:
            return ""
        return f"{min(losses) if self.weights == 'best' else losses[-1]:.3f}"


def read_shell() -> str:
    """The page without a model.

    Raises:
        PageError: if this installation lacks it.
    """
    if not SHELL.is_file():
        raise PageError(
            "the engine for pages is not in this installation; get it by `make book` in a "
            "checkout of the repository, and run this command there"
        )
    return SHELL.read_text(encoding="utf-8")


def require_page_knows(config: GPTConfig) -> None:
    """Let a model pass that the engine of the pages can compute.

    Raises:
        PageError: if it has batch norm.
    """
    if config.norm == "batch" and (config.final_norm or config.block in ("post-norm", "pre-norm")):
        raise PageError("a page cannot compute batch norm; take a model with layer norm")


def filled(
    shell: str, model: GPT, tokenizer: CharTokenizer, title: str, loss: str, prompt: str
) -> str:
    """The page with a model in it.

    Args:
        shell: as `read_shell` gives it.
        model: on the CPU.
        tokenizer: its own.
        title: what the page is called.
        loss: on its validation text, in nats per character; "" if nobody knows.
        prompt: what stands in the page's field to begin with.

    Raises:
        UnknownCharacterError: if the prompt holds a character that the model does not know.
    """
    vocabulary = tokenizer.vocabulary
    first = "\n" if "\n" in vocabulary else vocabulary[0]
    text = sample(model, tokenizer, prompt=prompt or first, length=LENGTH, seed=1)
    weights = packed(model)
    known = catalogue(model.config, vocabulary, title, loss, weights)
    parts = {
        "title": escape(title),
        "about": f"A GPT of {model.config.n_parameters():,} parameters that knows "
        f"{len(vocabulary)} characters. It computes in this page; nothing is sent anywhere.",
        "writer": writer(title, loss, prompt, text),
        "reader": "",
        "model": MODEL,
        "text": escape(prompt + text, quote=False),
        "end": "",
        # In a script's text "</" would end it, and JSON has another way to write "<".
        "catalogue": json.dumps(known, ensure_ascii=False).replace("<", "\\u003c"),
        "files": f'<script type="text/plain" data-bard-file="{WEIGHTS}">'
        f"{base64.b64encode(weights).decode()}</script>",
    }
    if any(ord(character) > WIDEST for character in vocabulary):
        shell = re.sub("@@reader@@.*?@@end@@", "", shell, flags=re.DOTALL)
    pieces = shell.split("@@")  # text, name, text, name, …, text
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))


def catalogue(
    config: GPTConfig, vocabulary: Sequence[str], title: str, loss: str, weights: bytes
) -> dict[str, Any]:
    """What the page's scripts must know of the model: `book/_live/elements/catalogue.js`."""
    about = {"id": MODEL, "title": title, "role": "model", "loss": loss, "file": MODEL}
    piece = {
        "path": WEIGHTS,
        "bytes": len(weights),
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    return {
        "vocabulary": "".join(vocabulary),
        "models": [{**about, "config": dataclasses.asdict(config)}],
        "files": {MODEL: [piece]},
    }


def packed(model: GPT) -> bytes:
    """Weights in 8 bits, as a safetensors file: what `bardgpt.pretrained` makes of them."""
    weights = {name: value.detach().contiguous() for name, value in model.state_dict().items()}
    return safetensors.torch.save(pretrained.quantize(weights))


def writer(title: str, loss: str, prompt: str, text: str) -> str:
    """The element in which the model writes, with what it wrote once."""
    given = f"<b>{escape(prompt)}</b>" if prompt else ""
    known = f"loss {loss}" if loss else ""
    return (
        f'<bard-writer prompt="{escape(prompt)}"><div class="live-stage">'
        f'<figure class="writer-text" data-model="{MODEL}"><figcaption><b>{escape(title)}</b> '
        f'<span>{known}</span></figcaption><p class="voice" style="white-space: pre-wrap; '
        f'overflow-wrap: anywhere">{given}{escape(text)}</p></figure></div></bard-writer>'
    )
