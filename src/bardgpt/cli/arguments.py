"""From words on a command line to a command, or to an error of a line that names what was typed."""

import contextlib
import dataclasses
import difflib
import io
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.presets import PRESETS
from bardgpt.text_file import expanded

# The sections of `train`, whose fields may be named with or without their section.
SECTIONS = {"model": GPTConfig, "training": TrainingConfig}
COMPLETION = ("--tyro-print-completion", "--tyro-write-completion")
LONGEST = 100  # characters of an option's name that are looked at
SHELLS = ("bash", "fish", "zsh")  # tyro has a tcsh, too, which needs one more package
COMMANDS = ("train", "sample", "evaluate", "plot", "runs", "page")
SECTION_OF = {
    field.name: section
    for section, config in SECTIONS.items()
    for field in dataclasses.fields(config)
}


# What `sample` calls its options, where an error says how they are.
OF_SAMPLE = re.compile(r"^(length|samples|temperature|top_k|top_p|seed) is ")


def _path(typed: list[str]) -> Path:
    if not typed[0] or "\0" in typed[0]:  # "" would mean this folder
        raise UsageError(f"{typed[0]!r} is no path")
    return expanded(typed[0])


# A path on the command line. The shell leaves the "~" of `--run=~/runs/a` to the command.
PathOption = Annotated[
    Path,
    tyro.constructors.PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=_path,
        is_instance=lambda value: isinstance(value, Path),
        str_from_instance=lambda path: [str(path)],
    ),
]


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

    def parsed(typed: Sequence[str]) -> Any:
        return tyro.cli(
            command,
            prog="bardgpt",
            description=description,
            args=with_sections(typed),
            config=(tyro.conf.OmitSubcommandPrefixes,),
        )

    if endless := [word for word in arguments if word[:2] == "--" and LONGEST < len(_name(word))]:
        raise UsageError(
            f"{endless[0][:LONGEST]}… is no option; `{help_for(arguments)}` lists the options"
        )
    if arguments and arguments[0] in COMPLETION and {*arguments[1:2]}.isdisjoint(SHELLS):
        raise UsageError(f"{arguments[0]}: name one of {', '.join(SHELLS)} after it")
    said = io.StringIO()
    asks = {"-h", "--help"} & {*arguments}
    try:
        # What is for people to read has their terminal's width; what is read here has no breaks.
        with contextlib.redirect_stderr(said), contextlib.nullcontext() if asks else _wide():
            return parsed(arguments)
    except UsageError as error:
        raise UsageError(f"{error}; `{help_for(arguments)}` lists the options") from None
    except SystemExit as end:
        if not end.code:
            raise
    error = in_our_words(one_line(said.getvalue()), arguments)
    if error.startswith(UNRECOGNIZED):
        help_ = io.StringIO()
        with contextlib.redirect_stdout(help_), contextlib.suppress(SystemExit):
            parsed(help_for(arguments).split()[1:])
        options = re.findall(r"--([a-z][\w.-]*\w)", help_.getvalue())
        known = {name.split(".")[-1] for name in options}
        error = _unknown(error.removeprefix(UNRECOGNIZED).strip(), arguments, known)
    raise UsageError(f"{as_typed(error, arguments)}; `{help_for(arguments)}` lists the options")


@contextlib.contextmanager
def _wide() -> Iterator[None]:
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "10000"
    try:
        yield
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before


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
        typed = f"--{name}" in {_name(word).replace("_", "-") for word in arguments}
        return f"{f'--{name}' if typed else whole} "

    if arguments[:1] == ["sample"]:
        message = OF_SAMPLE.sub(lambda name: f"--{name[1].replace('_', '-')} is ", message)
    fields = "|".join(sorted(SECTION_OF, key=len, reverse=True))
    message = re.sub(rf"(?<![\w.-])({fields})=", option, message)
    for name in (_name(word) for word in arguments if word.startswith("--")):
        message = message.replace(_with_section(name), name)
    return message


def _name(word: str) -> str:
    """Of an option with its value: all before the value."""
    return word.split("=", 1)[0]


def help_for(arguments: Sequence[str]) -> str:
    """The command whose help is about these arguments."""
    words = ["bardgpt"]
    if arguments and arguments[0] in COMMANDS:
        words.append(arguments[0])
        if arguments[0] == "train" and len(arguments) > 1 and arguments[1] in PRESETS:
            words.append(arguments[1])
    return " ".join([*words, "--help"])


def one_line(framed: str) -> str:
    """The error alone of what tyro says in a frame of several lines.

    In the frame stand a title, the error, and what may help, with rules of "─" or "-" between.
    """
    framed = re.sub(r"\x1b\[[\d;]*m", "", framed)  # colours
    in_box = framed.startswith("╭")
    lines = [line.strip("│ ") for line in framed.splitlines() if not line.startswith(("╭", "╰"))]
    parts: list[list[str]] = [[]] if not in_box else [["title"], []]
    for line in lines:
        if line and set(line) <= {"─", "-"}:
            parts.append([])
        elif line:
            parts[-1].append(line)
    said = " ".join(parts[1])
    return re.sub(r"^Error parsing [\w.-]*dummy[\w.-]*: ", "", said).rstrip(".")  # its own name


UNRECOGNIZED = "Unrecognized options:"
# tyro's and Python's words, and ours. What stands in brackets there is put in here.
PHRASES = {
    r"Error parsing (\S+): .*invalid literal for int\(\) with base 10: (.*)": (
        "{0} {1}: must be a whole number"
    ),
    r"Error parsing (\S+): .*could not convert string to float: (.*)": "{0} {1}: must be a number",
    r"Error parsing (\S+): .*Exceeds the limit.*": "{0}: that number has too many digits",
    r"Error parsing (\S+): (?:.*Got errors: .*> *: )?(.*)": "{0}: {1}",
    r"Missing value for argument '(\S+)'.*": "{0}: its value is missing",
}


def in_our_words(error: str, arguments: Sequence[str]) -> str:
    """An error of tyro's, a line, as this package says such things: what came, what is allowed."""
    error = re.sub(
        r"(--[\w.-]+)/(--[\w.-]+)", lambda two: two[1] if two[1] in arguments else two[2], error
    )
    for pattern, ours in PHRASES.items():
        if matched := re.fullmatch(pattern, error, re.DOTALL):
            return ours.format(*matched.groups())
    choice = re.fullmatch(r"invalid choice (.*) for argument '(\S+)'\. Expected one of (.*)", error)
    if choice:
        allowed = sorted({*re.findall(r"'([^']*)'", choice[3])} - {"None"})
        return f"{choice[2]} {choice[1]}: choose one of {', '.join(allowed)}"
    return error


def _unknown(listed: str, arguments: Sequence[str], known: Collection[str]) -> str:
    """What to say of words that the command has no place for: of the first of them.

    Args:
        listed: with commas between.
        arguments: as typed.
        known: names of options, without section and dashes.
    """
    first = [word for word in arguments if f"{listed}, ".startswith(f"{word.strip()}, ")]
    word = max(first, key=len, default=listed)
    name, where = _name(word), help_for(arguments).removesuffix(" --help")
    if re.match(r"-[^\d.]", word):
        *section, name_alone = name.lstrip("-").replace("_", "-").lower().split(".")
        near = _nearest(name_alone, known)
        if near and section:
            near = ".".join([*filter(None, [SECTION_OF.get(near.replace("-", "_"))]), near])
        return f"{name} is no option of `{where}`" + (f"; perhaps --{near}" if near else "")
    for place, (kind, choices) in enumerate((("command", COMMANDS), ("preset", PRESETS))):
        if list(arguments[: place + 1]) == [*["train"] * place, word]:
            return f"{word!r} is no {kind}: choose one of {', '.join(choices)}"
    flag = _flag_before(word, arguments, known)
    if flag:
        return f"{word!r} after --{flag}: it takes no value; say --{flag} or --no-{flag}"
    return f"{word!r} is not expected after `{where}`"


def _flag_before(word: str, arguments: Sequence[str], known: Collection[str]) -> str | None:
    """The option that a word is given to as a value, if it is one that takes none."""
    pairs = [*zip(arguments, arguments[1:], strict=False), *(x.split("=", 1) for x in arguments)]
    given_to = [one for one, *value in pairs if value == [word] and one.startswith("--")]
    names = [name.lstrip("-").split(".")[-1].replace("_", "-") for name in given_to]
    return next((name for name in names if f"no-{name}" in known), None)


def _nearest(name: str, known: Collection[str]) -> str | None:
    """The option that is meant: spelled alike, abbreviated, or by its initials ("lr")."""
    like = difflib.get_close_matches(name, sorted(known), 1)
    begins = sorted(option for option in known if name and option.startswith(name))
    initials = [x for x in sorted(known) if "".join(re.findall(r"\b\w", x)) == name != x[:1]]
    return next(iter([*like, *begins, *initials]), None)
