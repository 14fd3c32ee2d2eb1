"""One colour for each role, through the whole book, in a light and in a dark theme.

A picture is drawn in the light values; `bardgpt.teaching.svg` writes each of them as a variable
of the page, `--bard-q` say, so that the page's theme decides. Hues that meet in a picture can be
told apart with any common colour blindness, and no picture relies on colour alone.
"""

# By variable: the light and the dark value. `book/_static/custom.css` has the same for the website.
HUES = {
    "q": ("#0668a9", "#56b4f5"),
    "k": ("#b4350c", "#ef7838"),
    "v": ("#38a28a", "#4be3b4"),
    "output": ("#7b375a", "#c97aae"),
    "residual": ("#c37d00", "#fbc840"),
    "model": ("#2846a0", "#5c8df0"),
    "count": ("#6e7a8a", "#aab4bf"),
    "ink": ("#222832", "#ced6dd"),
    "muted": ("#48566b", "#9ca4af"),
    "edge": ("#75808d", "#7d8896"),
    "line": ("#d1d5da", "#48566b"),
    "grid": ("#e1e4e7", "#353e4a"),
    "paper": ("#ffffff", "#121212"),
    "over": ("#fffefc", "#fffefc"),  # on a map whose colours are the same in both themes
}
# The hues in which words would not stand out from the paper have another value for them.
WORDS = {
    "v": ("#0f7560", "#4be3b4"),
    "residual": ("#8a5600", "#fbc840"),
    "model": ("#2846a0", "#7fa9f8"),
    "count": ("#566270", "#aab4bf"),
}
ROLES = {
    "query": "q",
    "key": "k",
    "value": "v",
    "output": "output",
    "head 0": "q",
    "head 1": "k",
    "head 2": "v",
    "head 3": "output",
    "input": "residual",
    "target": "output",
    "train": "residual",
    "validation": "model",
    "count": "count",
    "reported": "count",
    "model": "model",
    "attention": "k",
    "feed-forward": "v",
    "stream": "residual",
    "gradient": "output",
    "plain": "count",
    "residual": "residual",
    "norm": "q",
    "batch norm": "output",
    "dropout": "output",
    "post-norm": "k",
    "pre-norm": "model",
    "no-final-norm": "residual",
    "default": "model",
    "zero": "output",
    "xavier": "k",
    "float32": "count",
    "bfloat16": "model",
}
COLOURS = {name: light for name, (light, _) in HUES.items()} | {
    role: HUES[hue][0] for role, hue in ROLES.items()
}
