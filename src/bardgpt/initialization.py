"""How the weights start: five ways, by name.

A linear layer with weights of standard deviation s turns n inputs of size 1 into outputs of size
s sqrt(n). So the start decides how loud each branch is beside the stream it is added to, and
chapters 5 and 7 compare::

    default        PyTorch's: linear layers U(-1/sqrt(n), 1/sqrt(n)), so s = 1/sqrt(3 n);
                   embeddings N(0, 1)
    normal         N(0, 0.02²) for all weights and embeddings, biases 0 (GPT-2, and the lecture's
                   last version)
    depth-scaled   "normal", and the output projections divided by sqrt(2 L): L blocks add 2 L
                   branches (GPT-2)
    zero           "default", and the output projections 0: at the start no branch adds anything
    xavier         linear layers U(-a, a) with a = sqrt(6 / (n + m)) for n inputs and m outputs,
                   biases 0 (Glorot and Bengio 2010, eq. (16)); embeddings N(0, 1)

Sources: Radford et al. 2019, §2.3 for the depth scale, and the code of GPT-2 for 0.02; Glorot and
Bengio 2010; Xiong et al. 2020 (arXiv:2002.04745), who analyse "xavier".
"""

import math

import torch
from torch import nn

from bardgpt.config import GPTConfig

STD = 0.02


@torch.no_grad()
def initialize(model: nn.Module, config: GPTConfig) -> None:
    """Give a new model the start that its config names, in place, from PyTorch's global generator.

    Args:
        model: as PyTorch's constructors left it, which is "default".
        config: of the model.
    """
    start = config.initialization
    for name, module in model.named_modules():
        if start == "xavier" and isinstance(module, nn.Linear):
            bound = math.sqrt(6 / (module.in_features + _outputs(name, module)))
            module.weight.uniform_(-bound, bound)
        if start in ("normal", "depth-scaled") and isinstance(module, nn.Linear | nn.Embedding):
            module.weight.normal_(0.0, STD)
        bias = getattr(module, "bias", None)
        if start not in ("default", "zero") and bias is not None:
            bias.zero_()
        if name.endswith(".proj") and isinstance(module, nn.Linear):
            if start == "depth-scaled":
                module.weight.div_(math.sqrt(2 * config.n_layer))
            if start == "zero":
                module.weight.zero_()
                module.bias.zero_()


def _outputs(name: str, module: nn.Linear) -> int:
    """The matrix's outputs: q, k and v are C x C each, however the heads cut or stack them."""
    part = name.rpartition(".")[2]
    return module.in_features if part in ("query", "key", "value", "qkv") else module.out_features
