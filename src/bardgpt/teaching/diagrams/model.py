"""The whole model, drawn from its config: from the ids of the characters to probabilities.

One drawing serves every rung of the ladder and the full model. Beside each part of a whole model
stands how many parameters it has, counted in the model itself; on a rung, what the rung before did
not have is in colour and called new.
"""

from collections.abc import Iterable, Sequence

import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.ladder import RUNGS
from bardgpt.presets import PRESETS
from bardgpt.teaching.diagrams.block import SIGN, Column, Piece, look, named
from bardgpt.teaching.diagrams.shapes import (
    INK,
    LINE,
    MUTED,
    PAPER,
    Diagram,
    box,
    label,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

WIDE = 432
STREAM, BRANCH = 96, 266  # the middles of the two columns
PART, BAR, STEP = 164, 26, 32  # width of a part; height of a bar inside it, and to the next one
ADDITIONS = "the stream with its additions"


def whole_model() -> Diagram:
    """The full model: every part, its parameters, and the shapes between them."""
    config = PRESETS["full"].model
    model = _untouched(config)
    drawing = _Drawing(config, model=model)
    notes = (
        f"B texts of T = {config.block_size} characters, V = {config.vocab_size} kinds",
        f"C = {config.n_embd} channels, nh = {config.n_head} heads of hs = {config.head_size}",
        "beside a part: how many parameters it has",
    )
    return drawing.finished(
        "whole-model",
        "The whole model, from characters to probabilities",
        f"{_told(config)} The numbers of parameters stand beside the parts: "
        f"{model.n_parameters():,} in all.",
        f"{model.n_parameters():,} parameters",
        notes,
    )


def rung(name: str) -> Diagram:
    """A rung of the ladder: what it has that the rung below has not is in colour and called new.

    The lowest has no colour: there is nothing to compare it with.

    Raises:
        KeyError: if there is no such rung.
    """
    names = list(RUNGS)
    config, at = RUNGS[name].config, names.index(name)
    size = _untouched(config).n_parameters()
    if at == 0:
        return _Drawing(config, fresh=set()).finished(
            f"rung-{name}",
            f"The model of chapter {RUNGS[name].chapter}: {RUNGS[name].title}",
            _told(config),
            f"{size:,} parameters",
        )
    below = RUNGS[names[at - 1]].config
    more = size - _untouched(below).n_parameters()
    fresh = _fresh(below, config)
    first = {"the norms' place": "the norms"} if below.block in ("plain", "residual") else {}
    return _Drawing(config, fresh=fresh).finished(
        f"rung-{name}",
        f"The model of chapter {RUNGS[name].chapter}, {RUNGS[name].title}: what is new",
        f"{_told(config)} New against the model before, and drawn in colour: "
        f"{', '.join(sorted(first.get(piece, piece) for piece in fresh))}.",
        f"{size:,} parameters, " + (f"{more:,} more" if more else "as many as before"),
        ("in colour: what is new",),
    )


def _untouched(config: GPTConfig) -> GPT:
    """A model to count in: it takes no memory, and no random numbers from the chapter."""
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        return GPT(config)


def _pieces(config: GPTConfig) -> dict[str, object]:
    """What the drawing of a config shows, by name, with the value that may change."""
    two = config.feed_forward == "two-layer"
    pieces: dict[str, tuple[object, object]] = {  # whether it is there, and as what
        "position embedding": (config.positions, None),
        "attention": (config.n_layer, None),
        "heads": (config.n_layer, (config.n_head, config.head_size)),
        "attention's projection": (config.n_layer and config.projection, None),
        "feed-forward": (config.feed_forward != "none", None),
        "hidden units": (config.feed_forward != "none", config.feed_forward),
        "the way back from the hidden units": (two, None),
        ADDITIONS: (config.block != "plain", None),
        "the norms' place": (config.block in ("post-norm", "pre-norm"), config.block),
        "final norm": (config.final_norm, None),
        "more than one block": (config.n_layer > 1, config.n_layer),
        "dropout": (config.dropout, config.dropout),
    }
    return {name: value for name, (there, value) in pieces.items() if there}


def _fresh(before: GPTConfig, after: GPTConfig) -> set[str]:
    """The pieces that a config has and another has not, or not so."""
    old = _pieces(before)
    return {name for name, value in _pieces(after).items() if name not in old or old[name] != value}


def _told(config: GPTConfig) -> str:
    """The drawing in words."""
    into = "from the ids of the characters through the token embedding"
    if config.positions:
        into += ", to which the position embedding is added,"
    if not config.n_layer:
        return f"A path leads {into} to the output layer, the logits and the softmax."
    parts = f"attention with {config.n_head} head{'s' * (config.n_head > 1)} of {config.head_size}"
    if config.feed_forward != "none":
        parts += " and the feed-forward layer"
    way = {
        "plain": f"runs straight through {parts}",
        "residual": f"is a stream from which {parts} fork off, and to which each is added back",
        "post-norm": f"is a stream to which {parts} are added, with a norm after each addition",
        "pre-norm": f"is a stream to which {parts} are added, with a norm before each of them",
    }[config.block]
    times = f"repeated {config.n_layer} times" if config.n_layer > 1 else "there once"
    end = "a final norm, " if config.final_norm else ""
    return (
        f"A path leads down {into} to a dashed frame, the block, {times}. In it the path {way}. "
        f"Below the frame follow {end}the output layer, the logits and the softmax."
    )


Row = tuple[str, str, tuple[str, ...]]  # in a part: text, piece, modules whose parameters it has


class _Drawing:
    """A model from top to bottom.

    Args:
        config: of what is drawn.
        model: where the parameters beside the parts are counted; None leaves them out.
        fresh: the pieces in colour; None colours all of them.
    """

    def __init__(
        self, config: GPTConfig, *, model: GPT | None = None, fresh: set[str] | None = None
    ) -> None:
        self.config, self.model, self.fresh = config, model, fresh
        stream = None if config.block == "plain" else self._colour("stream", ADDITIONS)
        self.column = column = Column(16, STREAM, BRANCH, colour=stream)
        column.flow(34, "ids (B, T)", tip=True, stream=False)
        column.place(self._box("token embedding", "input", "token_embedding"))
        self._positions()
        column.flow(40, "x (B, T, C)", tip=not config.n_layer)
        if config.n_layer:
            self._block()
            column.flow(34, "x (B, T, C)", tip=True)
        if config.final_norm:
            column.place(self._box("final norm", "norm", "norm"))
            column.flow(24, tip=True, stream=False)
        column.place(self._box("output layer", "output", "lm_head"))
        column.flow(34, "logits (B, T, V)", tip=True, stream=False)
        column.place(self._box("softmax", "output"))
        column.flow(34, "probabilities (B, T, V)", tip=True, stream=False)

    def finished(
        self, name: str, title: str, description: str, total: str, notes: tuple[str, ...] = ()
    ) -> Diagram:
        """The diagram, with the sum of all parameters and some lines below it."""
        y = self.column.y + 30
        shapes = [*self.column.shapes, label(18, y, total, font_weight="600")]
        for note in notes:
            y += 22
            shapes.append(label(18, y, note, colour=MUTED))
        return Diagram(name, title, description, y + 16, shapes, width=WIDE)

    def _is_fresh(self, piece: str) -> bool:
        return self.fresh is None or piece in self.fresh

    def _is_new(self, piece: str) -> bool:
        """Whether the drawing says so."""
        return self.fresh is not None and piece in self.fresh

    def _colour(self, role: str, piece: str) -> str:
        return COLOURS[role] if self._is_fresh(piece) else MUTED

    def _look(self, role: str, piece: str) -> dict[str, object]:
        """Edge and filling of a box: in its role's colour, or grey and empty."""
        if self._is_fresh(piece):
            return look(role)
        return look(role) | {"edge": MUTED, "fill": MUTED, "strength": 0}

    def _size(self, modules: Iterable[str]) -> int:
        """The parameters of some modules."""
        parts = (self.model.get_submodule(name) for name in modules) if self.model else ()
        return sum(p.numel() for part in parts for p in part.parameters())

    def _beside(self, right: float, y: float, piece: str, modules: Sequence[str]) -> list[str]:
        """What stands to the right of a box: that it is new, or how many parameters it has."""
        if self._is_new(piece):
            return [label(right + 8, y, "new", font_weight="600")]
        if self.model is None or not modules:
            return []
        return [label(right + 8, y, f"{self._size(modules):,}", colour=MUTED)]

    def _box(
        self, text: str, role: str, *modules: str, piece: str | None = None, width: float = PART
    ) -> Piece:
        """A box with its name, called new or with its parameters."""
        piece = text if piece is None else piece
        box = named(text, self._look(role, piece), width)
        return Piece(
            box.height,
            lambda middle, top: [
                *box.draw(middle, top),
                *self._beside(middle + width / 2, top + 23, piece, modules),
            ],
        )

    def _positions(self) -> None:
        if not self.config.positions:
            return
        column, piece = self.column, "position embedding"
        edge = self._colour("input", piece)
        column.flow(26, stream=False)
        joined, top = column.y + SIGN, column.y + SIGN - 18
        way = [(BRANCH - PART / 2, joined), (STREAM + SIGN, joined)]
        column.shapes += [
            route(way, colour=edge, width=2),
            *named(piece, self._look("input", piece), PART).draw(BRANCH, top),
            plus(STREAM, joined, colour=edge, radius=SIGN),
            *self._beside(BRANCH + PART / 2, top + 23, piece, [piece.replace(" ", "_")]),
        ]
        column.y = joined + SIGN

    def _block(self) -> None:
        """The dashed frame with what repeats, and how many times it does."""
        config, column = self.config, self.column
        top, start = column.y, len(column.shapes)
        column.flow(16)
        for part, rows in (("attention", self._attention()), ("feed-forward", self._thinking())):
            if rows:
                inside = f"blocks.0.{part.replace('-', '_')}_norm"
                column.part(
                    config.block,
                    [self._part(part, rows)],
                    self._box("norm", "norm", inside, piece="the norms' place", width=76),
                    colour=self._colour(part, ADDITIONS),
                    note="new" if self._is_new(ADDITIONS) else "",
                    font_weight="600",
                )
        column.flow(22)
        text = f"{config.n_layer} blocks" if config.n_layer > 1 else "a block"
        if self.model is not None:
            text += f" of {self._size(['blocks.0']):,}"
        new = self._is_new("more than one block")
        text, edge, colour = (f"new: {text}", INK, INK) if new else (text, LINE, MUTED)
        column.frame(top, start, (8, WIDE - 8), text, edge, colour=colour, font_weight="600")

    def _attention(self) -> list[Row]:
        """The rows in attention. One that is no piece is the shape of what passes."""
        config, inside = self.config, "blocks.0.attention"
        heads = f"{config.n_head} head{'s' * (config.n_head > 1)} of {config.head_size}"
        maps = "qkv" if config.fused else "heads"
        rows: list[Row] = [(heads, "heads", (f"{inside}.{maps}",))]
        if self.model is not None:
            rows += [("q, k, v (B, T, hs)", "", ()), ("A (B, T, T)", "", ())]
        if config.dropout if config.attention_dropout is None else config.attention_dropout:
            rows.append(("dropout on A", "dropout", ()))
        if config.projection:
            text = f"proj: {config.n_embd} → {config.n_embd}"
            rows.append((text, "attention's projection", (f"{inside}.proj",)))
        if config.dropout:
            rows.append(("dropout", "dropout", ()))
        return rows

    def _thinking(self) -> list[Row]:
        """The rows in the feed-forward layer, likewise; none if there is no such layer."""
        config, inside = self.config, "blocks.0.feed_forward"
        if config.feed_forward == "none":
            return []
        two = config.feed_forward == "two-layer"
        hidden = config.n_hidden
        cut = {"relu": ", ReLU", "gelu": ", GELU", "none": ""}[config.activation]
        rows: list[Row] = [
            (f"{config.n_embd} → {hidden}{cut}", "hidden units", (f"{inside}.hidden",))
        ]
        if self.model is not None:
            rows.append((f"(B, T, {hidden // config.n_embd}C)", "", ()))
        if two:
            back = "the way back from the hidden units"
            rows.append((f"proj: {hidden} → {config.n_embd}", back, (f"{inside}.proj",)))
        if config.dropout:
            rows.append(("dropout", "dropout", ()))
        return rows

    def _part(self, part: str, rows: list[Row]) -> Piece:
        """A part as a box with its name, and a bar or a line of text for each row in it."""
        heights = [STEP if piece else 20 for _, piece, _ in rows]
        height = 28 + sum(heights)

        def draw(middle: float, top: float) -> list[str]:
            left, y = middle - PART / 2, top + 28
            shapes = [
                box(left, top, PART, height, edge=PAPER, fill=PAPER),
                box(left, top, PART, height, **self._look(part, part)),
                label(middle, top + 20, part, at="middle", font_weight="600"),
            ]
            for (text, piece, modules), step in zip(rows, heights, strict=True):
                shapes += self._bar(middle, y, part, text, piece)
                shapes += self._beside(middle + PART / 2, y + 18, piece, modules)
                y += step
            return shapes

        return Piece(height, draw)

    def _bar(self, middle: float, y: float, part: str, text: str, piece: str) -> list[str]:
        """One row of a part."""
        if not piece:
            return [label(middle, y + 13, text, at="middle", colour=MUTED)]
        left, width = middle - PART / 2 + 6, PART - 12
        dropout = piece == "dropout"  # it stands out from its part
        return [
            *([box(left, y, width, BAR, edge=PAPER, fill=PAPER)] if dropout else []),
            box(left, y, width, BAR, **self._look("dropout" if dropout else part, piece)),
            label(middle, y + 18, text, at="middle"),
        ]
