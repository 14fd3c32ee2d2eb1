"""What a reader can touch in a page of the website, and what stands there where nothing moves.

On the website a script puts life into an element (`book/_live`); in Jupyter, in Colab and on paper
its still picture stands.
"""

from bardgpt.teaching.live.readers import Reader, reader
from bardgpt.teaching.live.still import Still, Writer, writer
from bardgpt.teaching.live.sweeps import Sweep, sweep
from bardgpt.teaching.live.toys.frame import Toy
from bardgpt.teaching.live.toys.masks import toy_mask, toy_masks
from bardgpt.teaching.live.toys.norms import toy_norm_table
from bardgpt.teaching.live.toys.places import toy_norm_place
from bardgpt.teaching.live.toys.scores import toy_scores
from bardgpt.teaching.live.toys.stacks import toy_stack
from bardgpt.teaching.live.toys.temperatures import toy_temperature
from bardgpt.teaching.live.trainers import Trainer, trainer

__all__ = [
    "Reader",
    "Still",
    "Sweep",
    "Toy",
    "Trainer",
    "Writer",
    "reader",
    "sweep",
    "toy_mask",
    "toy_masks",
    "toy_norm_place",
    "toy_norm_table",
    "toy_scores",
    "toy_stack",
    "toy_temperature",
    "trainer",
    "writer",
]
