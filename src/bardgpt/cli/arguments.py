"""From words on a command line to a command, or to an error of a line that names what was typed."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Sequence
from typing import Any

import tyro

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.presets import PRESETS

# The sections of `train`, whose fields may be named with or without their section.
SECTIONS = {"model": GPTConfig, "training": TrainingConfig}
SECTION_OF = {
    field.name: section
    for section, config in SECTIONS.items()
    for field in dataclasses.fields(config)
}


class UsageError(Exception):
    """Arguments that name no command, or a value that cannot be read; says which, in a line."""


def read(command: Any, arguments: Sequence[str], description: str) -> Any:
    """The command that some arguments name, with its options.

    Args:
        command: the union of all commands, as tyro takes it.
        arguments: as typed.
        description: of all, for `--help`.

    Raises:
        UsageError: if they cannot be read.
        SystemExit: after `--help` or a script for completion, with code 0.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(
                command,
                prog="bardgpt",
                description=description,
                args=with_sections(arguments),
                config=(tyro.conf.OmitSubcommandPrefixes,),
            )
    except SystemExit as end:
        if not end.code:
            raise
        error = as_typed(one_line(said.getvalue()), arguments)
        raise UsageError(f"{error}; `{help_for(arguments)}` lists the options") from None


def with_sections(arguments: Sequence[str]) -> list[str]:
    """The same arguments with each field's section: `--steps 3` becomes `--training.steps 3`.

    No field stands in both sections, so that a name alone says which is meant.
    """
    if not arguments or arguments[0] != "train":
        return list(arguments)
    return [_with_section(word) for word in arguments]


def _with_section(word: str) -> str:
    matched = re.fullmatch(r"--(no-)?([a-z0-9_-]+)(=.*)?", word, re.DOTALL)
    if matched is None:
        return word
    negation, name, value = (part or "" for part in matched.groups())
    section = SECTION_OF.get(name.replace("-", "_"))
    return word if section is None else f"--{section}.{negation}{name}{value}"


def as_typed(message: str, arguments: Sequence[str]) -> str:
    """An error that names a config's fields, with the options in their place.

    >>> as_typed("n_head=5: must divide n_embd=32", ["train", "tiny", "--n-head", "5"])
    '--n-head 5: must divide --model.n-embd 32'
    """

    def option(matched: re.Match[str]) -> str:
        name = matched[1].replace("_", "-")
        whole = f"--{SECTION_OF[matched[1]]}.{name}"
        typed = any(re.fullmatch(rf"--{name}(=.*)?", word, re.DOTALL) for word in arguments)
        return f"{f'--{name}' if typed else whole} "

    fields = "|".join(sorted(SECTION_OF, key=len, reverse=True))
    message = re.sub(rf"(?<![\w.-])({fields})=", option, message)
    for name in (word.split("=")[0] for word in arguments if word.startswith("--")):
        message = message.replace(_with_section(name), name)
    return message


def help_for(arguments: Sequence[str]) -> str:
    """The command whose help is about these arguments."""
    words = ["bardgpt"]
    if arguments and arguments[0] in ("train", "sample", "evaluate", "plot", "runs"):
        words.append(arguments[0])
        if arguments[0] == "train" and len(arguments) > 1 and arguments[1] in PRESETS:
            words.append(arguments[1])
    return " ".join([*words, "--help"])


def one_line(framed: str) -> str:
    """What tyro says in a frame of several lines: the error, and the option that is nearest.

    In the frame stand a title, the error, and what may help, with rules of "─" or "-" between.
    """
    in_box = framed.startswith("╭")
    lines = [line.strip("│ ") for line in framed.splitlines() if not line.startswith(("╭", "╰"))]
    parts: list[list[str]] = [[]] if not in_box else [["title"], []]
    for line in lines:
        if line and set(line) <= {"─", "-"}:
            parts.append([])
        elif line:
            parts[-1].append(line)
    _, error, *help_ = parts
    said = re.sub(r"^Error parsing [\w.-]*dummy[\w.-]*: ", "", " ".join(error))  # its own name
    options = [line.split()[0] for part in help_ for line in part if line.startswith("--")]
    perhaps = help_ and help_[0][:1] == ["Perhaps you meant:"] and options
    return said.rstrip(".") + (f"; perhaps {options[0]}" if perhaps else "")
