"""A GPT in one file: a text in, training, sampling, and the weights that come with the book.

    python bardgpt.py train FILE      trains a model on your text, and keeps it in model.pt
    python bardgpt.py sample MODEL    writes: MODEL is model.pt, or a folder with the book's weights

It needs Python and PyTorch, nothing else. Sizes and rates are those of the preset "small" of the
package bardgpt; from the same seed it has the same losses, to the last digit in float32.
"""

import argparse
import json
from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn

SIZE = {"block_size": 128, "n_embd": 128, "n_head": 4, "n_layer": 4, "dropout": 0.1}
STEPS, EVERY, BATCH, WARMUP, RATE, MUON_RATE, SEED = 1_500, 150, 32, 50, 3e-3, 0.025, 1337


class Attention(nn.Module):  # each position gathers from its past, in heads (chapters 2 and 3)
    def __init__(self, n_embd, n_head, dropout):
        super().__init__()
        self.n_head, self.dropout = n_head, nn.Dropout(dropout)
        self.qkv, self.proj = nn.Linear(n_embd, 3 * n_embd, bias=False), nn.Linear(n_embd, n_embd)

    def forward(self, x):  # (B, T, C) -> (B, T, C)
        B, T, C = x.shape
        q, k, v = (z.view(B, T, self.n_head, -1).transpose(1, 2) for z in self.qkv(x).split(C, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)  # (B, nh, T, hs)
        return self.dropout(self.proj(y.transpose(1, 2).reshape(B, T, C)))


class Block(nn.Module):  # gather, then compute; each is normed, and added (chapters 4 to 8)
    def __init__(self, n_embd, n_head, dropout):
        super().__init__()
        self.attention = Attention(n_embd, n_head, dropout)
        hidden, proj = nn.Linear(n_embd, 4 * n_embd), nn.Linear(4 * n_embd, n_embd)
        parts = {"hidden": hidden, "relu": nn.ReLU(), "proj": proj, "dropout": nn.Dropout(dropout)}
        self.feed_forward = nn.Sequential(OrderedDict(parts))
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)

    def forward(self, x):  # (B, T, C) -> (B, T, C)
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


class GPT(nn.Module):  # ids in, a score for each possible next character out
    def __init__(self, vocab_size, block_size, n_embd, n_head, n_layer, dropout):
        super().__init__()
        self.block_size, self.dropout = block_size, nn.Dropout(dropout)
        self.token_embedding = nn.Embedding(vocab_size, n_embd)
        self.position_embedding = nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*(Block(n_embd, n_head, dropout) for _ in range(n_layer)))
        self.norm, self.lm_head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab_size)
        for name, module in self.named_modules():  # as in GPT-2 (chapter 5)
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if name.endswith(".proj"):
                module.weight.data.div_((2 * n_layer) ** 0.5)

    def forward(self, ids, targets=None, reduction="mean"):  # (B, T) -> (B, T, V), or the loss
        x = self.token_embedding(ids) + self.position_embedding.weight[: ids.shape[1]]
        y = self.lm_head(self.norm(self.blocks(self.dropout(x))))
        if targets is None:
            return y
        return nn.functional.cross_entropy(y.flatten(0, 1), targets.flatten(), reduction=reduction)


def muon(p, average, rate):
    """A step along momentum, its directions made about equally large (chapter 9)."""
    x, (rows, columns) = p.grad.lerp(average.lerp_(p.grad, 0.05), 0.95), p.shape
    x = (x.T if rows > columns else x) / x.norm().clamp(min=1e-7)
    for _ in range(5):
        gram = x @ x.T
        gram = torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)
        x = torch.addmm(x, gram, x, beta=3.4445)
    p.data.mul_(1 - rate * 0.1)
    p.data.add_(x.T if rows > columns else x, alpha=-rate * max(1, rows / columns) ** 0.5)


@torch.no_grad()
def evaluate(model, ids):
    """The loss over all of a text, in neighbouring windows; every character counts once."""
    T, found = model.eval().block_size, []
    for x, y in zip(*(z.split(16_384 // T * T) for z in (ids[:-1], ids[1:])), strict=True):
        whole = len(x) // T * T  # and the shorter window at the end
        for part, width in ((slice(whole), T), (slice(whole, None), len(x) - whole)):
            if len(x[part]):
                found.append(model(x[part].view(-1, width), y[part].view(-1, width), "none"))
    model.train()
    return torch.cat(found).cpu().double().mean().item()


def train(model, ids, validation, steps=STEPS, every=EVERY, seed=SEED):
    """Train in place; yields steps done, training loss since the last time, validation loss."""
    hidden = [p for p in model.blocks.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    tables = [m.weight for m in (model.token_embedding, model.position_embedding, model.lm_head)]
    groups = [{"params": tables}, {"params": vectors, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99), weight_decay=0.01)
    averages, read = [torch.zeros_like(p) for p in hidden], []
    torch.manual_seed(seed)
    at = {"device": ids.device, "generator": torch.Generator(ids.device).manual_seed(seed)}
    places = torch.arange(model.block_size + 1, device=ids.device)
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            mean = torch.stack(read).cpu().double().mean().item() if read else None
            yield step, mean, evaluate(model, validation)
            read = []
        if step == steps:
            return
        factor = min((step + 1) / WARMUP, 1 - (step - WARMUP) / max(1, steps - WARMUP) * (1 - 0.05))
        adamw.param_groups[0]["lr"] = adamw.param_groups[1]["lr"] = RATE * factor
        windows = ids[torch.randint(len(ids) - model.block_size, (BATCH, 1), **at) + places]
        loss = model(windows[:, :-1], windows[:, 1:])
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*tables, *vectors, *hidden], 1.0)
        adamw.step()
        for p, average in zip(hidden, averages, strict=True):
            muon(p, average, MUON_RATE * factor)
        read.append(loss.detach())


@torch.no_grad()
def sample(model, ids, length, temperature=1.0, generator=None):
    """Predict, draw, append, repeat: ids (T,) -> the new ones (length,)."""
    given = len(ids)
    for _ in range(length):
        logits = model(ids[None, -model.block_size :])[0, -1] / max(temperature, 1e-6)
        ids = torch.cat([ids, torch.multinomial(logits.softmax(-1), 1, generator=generator)])
    return ids[given:]


def unpack(raw):
    """The tensors of a safetensors file by name; those kept in 8 bits are scaled, row by row."""
    start = 8 + int.from_bytes(raw[:8], "little")  # JSON ends here, and the numbers begin
    numbers, kinds, found = raw[start:], {"F32": torch.float32, "I8": torch.int8}, {}
    for name, about in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            part = bytearray(numbers[slice(*about["data_offsets"])])
            found[name] = torch.frombuffer(part, dtype=kinds[about["dtype"]]).view(about["shape"])
    return {n: found.get(f"{n}.scale", 1) * t for n, t in found.items() if not n.endswith(".scale")}


def load(path):
    """A model and its characters: from model.pt, or from a folder with the book's weights."""
    if (path := Path(path)).is_dir():
        kept = json.loads((path / "config.json").read_text(encoding="utf-8"))
        kept["weights"] = unpack((path / "weights.safetensors").read_bytes())
    else:
        kept = torch.load(path, map_location="cpu", weights_only=True)
    model = GPT(len(kept["vocabulary"]), **{name: kept["model"][name] for name in SIZE})
    model.load_state_dict(kept["weights"])
    return model.eval(), kept["vocabulary"]


def main(words=None):
    """The command line."""
    parser = argparse.ArgumentParser("bardgpt.py", description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=("train", "sample"))
    parser.add_argument("path", help="of a text in UTF-8, or of a model")
    asked = {"steps": STEPS, "prompt": "\n", "length": 500, "temperature": 1.0, "seed": 0}
    for name, default in asked.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    given = parser.parse_args(words)
    try:
        if given.command == "train":
            return train_on(given.path, given.steps)
        model, vocabulary = load(given.path)
        if unknown := set(given.prompt) - set(vocabulary):
            raise ValueError(f"the model does not know {sorted(unknown)}; it knows {vocabulary!r}")
        ids, dice = torch.tensor([*map(vocabulary.index, given.prompt)]), torch.Generator()
        new = sample(model, ids, given.length, given.temperature, dice.manual_seed(given.seed))
        print(given.prompt + "".join(vocabulary[i] for i in new))
    except (OSError, ValueError) as error:
        raise SystemExit(f"bardgpt.py: {error}") from None


def train_on(path, steps):
    """Train a model on a text file, whose last tenth judges."""
    text = Path(path).read_text(encoding="utf-8")
    if len(text) <= (least := 10 * SIZE["block_size"] + 10):
        raise ValueError(f"{path} has {len(text)} characters; more than {least} are needed")
    known = "".join(sorted(set(text)))
    ids = torch.tensor([*map(known.index, text)])
    ids = ids.to("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(SEED)
    model, n = GPT(len(known), **SIZE).to(ids.device), int(0.9 * len(ids))
    for step, loss, judged in train(model, ids[:n], ids[n:], steps):
        print(f"step {step}: training {loss or 0:.3f}, validation {judged:.3f}", flush=True)
        torch.save({"vocabulary": known, "model": SIZE, "weights": model.state_dict()}, "model.pt")


if __name__ == "__main__":
    main()
