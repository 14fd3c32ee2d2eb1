"""The whole model, drawn from its config: from the ids of the characters to probabilities.

One drawing serves every rung of the ladder and the full model. Beside each part of a whole model
stands how many parameters it has, counted in the model itself; on a rung, what the rung before did
not have is in colour and called new.
"""

from collections.abc import Iterable

import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.ladder import RUNGS
from bardgpt.layers.feed_forward import EXPANSION
from bardgpt.presets import PRESETS
from bardgpt.teaching.diagrams.shapes import (
    INK,
    LINE,
    MUTED,
    PAPER,
    Diagram,
    box,
    label,
    named_box,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

WIDE = 432
STREAM, BRANCH = 96, 266  # the middles of the two columns
PART, BAR, STEP = 164, 26, 32  # width of a part; height of a bar inside it, and to the next one
THICK = 4  # a stream that passes by; a path through everything is thin


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
        "the stream with its additions": (config.block != "plain", None),
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


class _Drawing:
    """A model from top to bottom; `y` is how far it has come.

    Args:
        config: of what is drawn.
        model: where the parameters beside the parts are counted; None leaves them out.
        fresh: the pieces in colour; None colours all of them.
    """

    def __init__(
        self, config: GPTConfig, *, model: GPT | None = None, fresh: set[str] | None = None
    ) -> None:
        self.config, self.model, self.fresh = config, model, fresh
        self.shapes: list[str] = []
        self.y = 16.0
        self._flow(34, "ids (B, T)", tip=True, stream=False)
        self._box(STREAM, "token embedding", "input", "token embedding", "token_embedding")
        self._positions()
        self._flow(40, "x (B, T, C)", tip=not config.n_layer)
        if config.n_layer:
            self._block()
            self._flow(34, "x (B, T, C)", tip=True)
        if config.final_norm:
            self._box(STREAM, "final norm", "norm", "final norm", "norm")
            self._flow(24, tip=True, stream=False)
        self._box(STREAM, "output layer", "output", "output layer", "lm_head")
        self._flow(34, "logits (B, T, V)", tip=True, stream=False)
        self._box(STREAM, "softmax", "output", "softmax")
        self._flow(34, "probabilities (B, T, V)", tip=True, stream=False)

    def finished(
        self, name: str, title: str, description: str, total: str, notes: tuple[str, ...] = ()
    ) -> Diagram:
        """The diagram, with the sum of all parameters and some lines below it."""
        self.y += 30
        self.shapes.append(label(18, self.y, total, font_weight="600"))
        for note in notes:
            self.y += 22
            self.shapes.append(label(18, self.y, note, colour=MUTED))
        return Diagram(name, title, description, self.y + 16, self.shapes, width=WIDE)

    # One piece each; all begin at `y`, and those on the path move it.

    def _is_fresh(self, piece: str) -> bool:
        return self.fresh is None or piece in self.fresh

    def _colour(self, role: str, piece: str) -> str:
        return COLOURS[role] if self._is_fresh(piece) else MUTED

    def _filling(self, role: str, piece: str) -> dict[str, object]:
        """Edge and filling of a box: in its role's colour, or grey and empty."""
        if not self._is_fresh(piece):
            return {"edge": MUTED, "fill": MUTED, "strength": 0}
        strength = {"norm": 0.3, "dropout": 0.35}.get(role, 0.15)
        edge = INK if role == "dropout" else COLOURS[role]
        return {"edge": edge, "fill": COLOURS[role], "strength": strength}

    def _flow(
        self, length: float, text: str = "", *, tip: bool = False, stream: bool = True
    ) -> None:
        """The path goes down, with what flows there beside it."""
        stream = stream and self.config.block != "plain"
        colour = self._colour("stream", "the stream with its additions") if stream else MUTED
        ends = [(STREAM, self.y), (STREAM, self.y + length)]
        self.shapes.append(route(ends, colour=colour, width=THICK if stream else 1.5, tip=tip))
        if text:
            middle = self.y + length / 2 + (2 if tip else 5)
            self.shapes.append(label(STREAM + 12, middle, text, colour=MUTED))
        self.y += length

    def _box(
        self, x: float, text: str, role: str, piece: str, *modules: str, width: float = PART
    ) -> None:
        """A named box on the path."""
        style = self._filling(role, piece)
        self.shapes += [
            named_box(x - width / 2, self.y, width, 36, text, **style),
            *self._beside(x + width / 2, self.y + 23, piece, modules),
        ]
        self.y += 36

    def _beside(self, right: float, y: float, piece: str, modules: Iterable[str]) -> list[str]:
        """What stands to the right of a box: that it is new, or how many parameters it has."""
        if self.fresh is not None and piece in self.fresh:
            return [label(right + 8, y, "new", font_weight="600")]
        if self.model is None or not modules:
            return []
        parts = (self.model.get_submodule(name) for name in modules)
        size = sum(p.numel() for part in parts for p in part.parameters())
        return [label(right + 8, y, f"{size:,}", colour=MUTED)]

    def _positions(self) -> None:
        if not self.config.positions:
            return
        piece = "position embedding"
        edge = self._colour("input", piece)
        self._flow(26, stream=False)
        joined, top = self.y + 11, self.y - 7
        style = self._filling("input", piece)
        self.shapes += [
            route([(BRANCH - PART / 2, joined), (STREAM + 11, joined)], colour=edge, width=2),
            named_box(BRANCH - PART / 2, top, PART, 36, piece, **style),
            plus(STREAM, joined, colour=edge),
        ]
        self.shapes += self._beside(BRANCH + PART / 2, top + 23, piece, ["position_embedding"])
        self.y = joined + 11

    def _block(self) -> None:
        """The dashed frame with what repeats, and how many times it does."""
        config, top, start = self.config, self.y, len(self.shapes)
        self._flow(16)
        self._part("attention", self._attention())
        if config.feed_forward != "none":
            self._part("feed-forward", self._feed_forward())
        self._flow(22)
        text = f"{config.n_layer} blocks" if config.n_layer > 1 else "a block"
        if self.model is not None:
            text += f" of {sum(p.numel() for p in self.model.blocks[0].parameters()):,}"
        fresh = self.fresh is not None and "more than one block" in self.fresh
        text = f"new: {text}" if fresh else text
        edge = INK if fresh else MUTED
        self.shapes.append(
            label(WIDE - 18, self.y - 10, text, at="end", font_weight="600", colour=edge)
        )
        frame = box(8, top, WIDE - 16, self.y - top, edge=INK if fresh else LINE, dash="5 4")
        self.shapes.insert(start, frame)

    def _attention(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """The rows in attention: text, piece, and the modules whose parameters they are.

        A row that is no piece is the shape of what passes.
        """
        config, inside = self.config, "blocks.0.attention"
        heads = f"{config.n_head} head{'s' * (config.n_head > 1)} of {config.head_size}"
        maps = ("qkv",) if config.fused else ("heads",)
        bars = [(heads, "heads", tuple(f"{inside}.{name}" for name in maps))]
        if self.model is not None:
            bars += [("q, k, v (B, T, hs)", "", ()), ("A (B, T, T)", "", ())]
        if config.dropout if config.attention_dropout is None else config.attention_dropout:
            bars.append(("dropout on A", "dropout", ()))
        if config.projection:
            text = f"proj: {config.n_embd} → {config.n_embd}"
            bars.append((text, "attention's projection", (f"{inside}.proj",)))
        if config.dropout:
            bars.append(("dropout", "dropout", ()))
        return bars

    def _feed_forward(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """The rows in the feed-forward layer, likewise."""
        config, inside = self.config, "blocks.0.feed_forward"
        two = config.feed_forward == "two-layer"
        hidden = config.n_embd * (EXPANSION if two else 1)
        cut = ", ReLU" * (config.activation == "relu")
        bars = [(f"{config.n_embd} → {hidden}{cut}", "hidden units", (f"{inside}.hidden",))]
        if self.model is not None:
            bars.append(("(B, T, 4C)", "", ()))
        if two:
            back = "the way back from the hidden units"
            bars.append((f"proj: {hidden} → {config.n_embd}", back, (f"{inside}.proj",)))
        if config.dropout:
            bars.append(("dropout", "dropout", ()))
        return bars

    def _part(self, part: str, bars: list[tuple[str, str, tuple[str, ...]]]) -> None:
        """Attention or feed-forward, in its place in the block's wiring."""
        wiring, joins = self.config.block, "the stream with its additions"
        if wiring == "plain":
            self._flow(20, tip=True)
            self._bars(STREAM, part, bars)
            return
        fork, role = self.y + 6, self._colour(part, joins)
        start = len(self.shapes)
        self.y += 6
        if wiring == "pre-norm":
            self.y += 20
            self._norm(BRANCH, part)
        self.y += 20
        entry = self.y
        self._bars(BRANCH, part, bars)
        joined = self.y + 18
        ways = [route([(STREAM, fork), (BRANCH, fork), (BRANCH, entry)], colour=role, width=2)]
        if wiring == "pre-norm":
            ways[0] = route(
                [(STREAM, fork), (BRANCH, fork), (BRANCH, fork + 20)], colour=role, width=2
            ) + route([(BRANCH, entry - 20), (BRANCH, entry)], colour=role, width=2)
        ways.append(
            route([(BRANCH, self.y), (BRANCH, joined), (STREAM + 11, joined)], colour=role, width=2)
        )
        stream = self._colour("stream", joins)
        line = route([(STREAM, fork - 6), (STREAM, joined)], colour=stream, width=THICK, tip=False)
        self.shapes[start:start] = [line, *ways]
        self.shapes.append(plus(STREAM, joined, colour=stream))
        self.shapes += self._beside(STREAM + 10, joined - 8, joins, [])
        self.y = joined + 11
        if wiring == "post-norm":
            self._flow(18, tip=True)
            self._norm(STREAM, part)
        self._flow(10)

    def _norm(self, middle: float, part: str) -> None:
        name = part.replace("-", "_") + "_norm"
        self._box(middle, "norm", "norm", "the norms' place", f"blocks.0.{name}", width=76)

    def _bars(self, middle: float, part: str, bars: list[tuple[str, str, tuple[str, ...]]]) -> None:
        """A part as a box with its name, and a bar for each thing in it."""
        left, top = middle - PART / 2, self.y
        self.y += 28
        rows: list[str] = []
        for text, piece, modules in bars:
            if not piece:
                rows.append(label(middle, self.y + 13, text, at="middle", colour=MUTED))
                self.y += 20
                continue
            dropout = piece == "dropout"
            style = self._filling("dropout" if dropout else part, piece)
            if dropout:  # it stands out from its part
                style["dash"] = "5 4"
                rows.append(box(left + 6, self.y, PART - 12, BAR, edge=PAPER, fill=PAPER))
            rows += [
                box(left + 6, self.y, PART - 12, BAR, **style),
                label(middle, self.y + 18, text, at="middle"),
            ]
            rows += self._beside(middle + PART / 2, self.y + 18, piece, modules)
            self.y += STEP
        self.shapes += [
            box(left, top, PART, self.y - top, edge=PAPER, fill=PAPER),
            box(left, top, PART, self.y - top, **self._filling(part, part)),
            label(middle, top + 20, part, at="middle", font_weight="600"),
            *rows,
        ]
