"""Faults of the feed-forward layer."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "hidden-width-not-heard",
        "The config has a choice, and the layer is four times as wide whatever it says.",
        "src/bardgpt/config.py",
        "self.n_embd * (self.expansion if",
        "self.n_embd * (4 if",
        UnitTest("tests/test_feed_forward.py", "test_a_hidden_layer_of_another_width"),
    ),
    Fault(
        "relu-left-out",
        "Two linear layers in a row are one linear layer: more weights, and nothing gained.",
        "src/bardgpt/layers/feed_forward.py",
        '"relu": nn.ReLU',
        '"relu": nn.Identity',
        UnitTest("tests/test_feed_forward.py", "test_without_its_relu_it_is_one_linear_layer"),
    ),
    Fault(
        "feed-forward-mixes-positions",
        "A transpose undone by reshape: the shape is right again, the positions are shuffled.",
        "src/bardgpt/layers/feed_forward.py",
        "self.hidden(x)",
        "self.hidden(x.transpose(-1, -2).reshape(x.shape))",
        UnitTest("tests/test_feed_forward.py", "test_each_position_by_itself"),
    ),
    Fault(
        "gelu-for-relu",
        "GPT-2's, from the snippet that everybody has: close to the ReLU, and not what was run.",
        "src/bardgpt/layers/feed_forward.py",
        '"relu": nn.ReLU',
        '"relu": nn.GELU',
        Cell("book/04-feed-forward.ipynb", "torch.testing.assert_close(layer(gathered), by_hand)"),
    ),
]
