"""The engine of the pages, built, and loaded in a page of Chromium."""

import base64
import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import playwright
import torch
from playwright.sync_api import Page
from torch import Tensor

from bardgpt.training import checkpoint

ROOT = Path(__file__).resolve().parents[3]
LIVE = ROOT / "book/_live"

# Calls a function of the test's with the engine and what it is given. Typed arrays, which JSON has
# not, come back as base64.
CALL = """async ([module, source, given]) => {
  const engine = await import(module);
  await engine.ready();
  const encode = (value) => {
    if (ArrayBuffer.isView(value)) {
      const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      let text = "";
      for (const byte of bytes) text += String.fromCharCode(byte);
      return { dtype: value.constructor.name, bytes: btoa(text) };
    }
    if (Array.isArray(value)) return value.map(encode);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, encode(v)]));
  };
  return encode(await eval(source)(engine, given));
}"""
DTYPES = {
    "Float32Array": torch.float32,
    "Float64Array": torch.float64,
    "Int32Array": torch.int32,
}


class Engine:
    """A page with the engine, and the folder that it is served from."""

    def __init__(self, page: Page, address: str, folder: Path) -> None:
        self.page, self.address, self.folder = page, address, folder
        self.names = itertools.count()

    def call(self, source: str, **given: Any) -> Any:
        """What a JavaScript function `async (engine, given) => …` returns."""
        found = self.page.evaluate(CALL, [f"{self.address}engine.js", f"({source})", given])
        return _decoded(found)

    def weights(self, tensors: dict[str, Tensor]) -> str:
        """The address of a safetensors file with some tensors, as the package writes it."""
        name = f"weights-{next(self.names)}.safetensors"
        checkpoint.save(self.folder / name, tensors, {})
        return self.address + name


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"dtype", "bytes"}:
        numbers = bytearray(base64.b64decode(value["bytes"]))
        if not numbers:
            return torch.empty(0)
        return torch.frombuffer(numbers, dtype=DTYPES[value["dtype"]])
    return {key: _decoded(one) for key, one in value.items()}


def build_engine(source: Path, out: Path) -> None:
    """The modules of a folder like `book/_live`, built into another."""
    node = Path(playwright.__file__).parent / "driver/node"
    subprocess.run([node, source / "build.mjs", out], check=True, capture_output=True)


def as_json(config: Any) -> dict[str, Any]:
    """A config of the package, as the engine is given it."""
    return json.loads(config.to_json())
