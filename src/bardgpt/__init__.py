"""bardGPT: a character-level GPT that writes Shakespeare, built one tested piece at a time.

Data goes one way::

    corpus -> tokenizer -> batches -> gpt -> loss -> training -> sampling -> text

Every module can be read on its own, and none imports from one further down the line.
"""

from importlib.metadata import version

__version__ = version("bardgpt")
