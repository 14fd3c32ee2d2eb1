"""One colour for each role, through the whole book.

The hues are those of Okabe and Ito (2008), which people with any common colour blindness can tell
apart; no figure relies on colour alone. The first four are a page's own and change in dark mode.
"""

COLOURS = {
    "ink": "#1f2933",
    "muted": "#5b6770",
    "line": "#c5ccd3",
    "paper": "#ffffff",
    "input": "#0072b2",
    "target": "#b36b00",
    "train": "#e69f00",
    "validation": "#0072b2",
    "count": "#5b6770",
    "model": "#0072b2",
    "reported": "#5b6770",
    "query": "#56b4e9",
    "key": "#d55e00",
    "value": "#009e73",
    "output": "#cc79a7",
    "head 0": "#0072b2",
    "head 1": "#d55e00",
    "head 2": "#009e73",
    "head 3": "#cc79a7",
    "attention": "#d55e00",
    "feed-forward": "#009e73",
    "stream": "#0072b2",
    "gradient": "#cc79a7",
    "plain": "#5b6770",
    "residual": "#0072b2",
    "norm": "#e69f00",
    "batch norm": "#56b4e9",
    "dropout": "#f0e442",
    "post-norm": "#d55e00",
    "pre-norm": "#0072b2",
    "no-final-norm": "#56b4e9",
    "default": "#0072b2",
    "zero": "#cc79a7",
    "xavier": "#b36b00",
    "float32": "#5b6770",
    "bfloat16": "#0072b2",
}
