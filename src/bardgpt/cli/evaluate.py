"""`bardgpt evaluate`: a model's loss on the text that judges it."""

from dataclasses import dataclass

from bardgpt import corpus
from bardgpt.cli.models import OfModel
from bardgpt.evaluation import evaluate
from bardgpt.text import Text
from bardgpt.text_file import read_text
from bardgpt.training.folder import text_of


@dataclass(frozen=True)
class Evaluate(OfModel):
    """Print a model's loss on the whole validation split of its own text, or on another text."""

    text: str | None = None
    """A text file to judge the model on, the whole of it. If not given, the last tenth of the text
    that the model was trained on, which training does not see."""

    def __call__(self) -> None:
        """Evaluate and print, in float32."""
        model, tokenizer = self.load()
        if self.text is not None:
            ids, of_what = tokenizer.encode(read_text(self.text).text), "loss"
        else:
            own = corpus.load() if self.run is None else text_of(self.run)
            ids, of_what = Text.of(own, tokenizer).validation, "validation loss"
        loss = evaluate(model, ids.to(next(model.parameters()).device), progress=True)
        print(f"{of_what} {loss:.4f} nats per character")
