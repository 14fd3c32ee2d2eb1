"""Which model a command speaks of: the recorded one, or one of the user's runs."""

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from bardgpt import pretrained
from bardgpt.cli.arguments import PathOption
from bardgpt.gpt import GPT
from bardgpt.progress import working
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import devices
from bardgpt.training.devices import DeviceName
from bardgpt.training.run import load_run

# A run's folder is called the same in every command; `--folder` is its older name.
RunFolder = Annotated[PathOption | None, tyro.conf.arg(aliases=("--folder",))]


@dataclass(frozen=True)
class OfModel:
    """The options that choose a model; commands inherit them."""

    run: RunFolder = None
    """A folder that `bardgpt train` wrote; the recorded model if not given."""
    weights: Literal["best", "last"] = "best"
    """Of a run: those with the lowest validation loss, or those after its last step."""
    device: DeviceName | None = None
    """Where to compute; the best there is if not given."""

    def load(self) -> tuple[GPT, CharTokenizer]:
        """The model, in evaluation mode on its device, and its tokenizer."""
        device = devices.choose_device(devices.facts(), self.device)
        with working("loading the model"):
            if self.run is None:
                model, tokenizer = pretrained.load()
            else:
                model, tokenizer = load_run(self.run, self.weights)
            return model.to(device), tokenizer
