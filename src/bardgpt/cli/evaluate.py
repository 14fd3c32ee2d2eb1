"""`bardgpt evaluate`: a model's loss on the text that judges it."""

from dataclasses import dataclass

from bardgpt import corpus
from bardgpt.cli.models import OfModel
from bardgpt.config import MOST_COUNT, short
from bardgpt.evaluation import estimate, evaluate, losses_in_context
from bardgpt.progress import working
from bardgpt.text import Text
from bardgpt.text_file import read_text
from bardgpt.training.folder import RunError, text_of


@dataclass(frozen=True)
class Evaluate(OfModel):
    """Print a model's loss on the whole validation split of its own text, or on another text."""

    text: str | None = None
    """A text file to judge the model on, the whole of it. If not given, the last tenth of the text
    that the model was trained on, which training does not see."""

    least_context: int | None = None
    """Judge only characters with at least so many before them, in windows that overlap. If not
    given, every character once, in neighbouring windows."""
    random_batches: int | None = None
    """Estimate the loss on so many batches of 64 random windows instead, as the lecture and nanoGPT
    do (with 200), and say its standard error."""

    def __call__(self) -> None:
        """Evaluate and print, in float32."""
        if self.least_context is not None and self.random_batches is not None:
            raise RunError("both --least-context and --random-batches are given; take one of them")
        model, tokenizer = self.load()
        with working("reading the text"):
            if self.text is not None:
                ids, of_what = tokenizer.encode(read_text(self.text).text), "loss"
            else:
                own = corpus.load() if self.run is None else text_of(self.run)
                ids, of_what = Text.of(own, tokenizer).validation, "validation loss"
        ids = ids.to(next(model.parameters()).device)
        if self.random_batches is not None:
            _require(
                2 <= self.random_batches <= MOST_COUNT,
                "--random-batches",
                self.random_batches,
                f"at least 2, at most {MOST_COUNT:,}",
            )
            mean, error = estimate(model, ids, batches=self.random_batches, progress=True)
            print(f"{of_what} {mean:.4f} ± {error:.4f} nats per character, on random windows")
            return
        if self.least_context is not None:
            T = model.config.block_size
            _require(
                1 <= self.least_context <= T,
                "--least-context",
                self.least_context,
                f"from 1 to {T}, the model's window",
            )
            each = losses_in_context(model, ids, self.least_context, progress=True)
            loss = each.cpu().double().mean().item()
            print(
                f"{of_what} {loss:.4f} nats per character, with {self.least_context} characters "
                "or more before each"
            )
            return
        loss = evaluate(model, ids, progress=True)
        print(f"{of_what} {loss:.4f} nats per character")


def _require(right: bool, option: str, value: int, limit: str) -> None:
    if not right:
        raise RunError(f"{option} {short(value)}: must be {limit}")
