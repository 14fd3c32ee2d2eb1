"""What a trainer says of a broken model (`trainers.BREAKS`) is what happens to one."""

from itertools import pairwise
from statistics import mean

import pytest
from engine_page import as_json

from bardgpt import records
from bardgpt.config import TrainingConfig
from bardgpt.lab.ladder import RUNGS
from bardgpt.records import load
from bardgpt.teaching.live.sweeps import NEAR

STEPS = 500
PROMPT = "ROMEO:"
# The loss as the curve has it; the loss as it is when the model writes, which has 4 to 8 characters
# before it and none after them; and what it writes.
BROKEN = """async (engine, { model, training, address, prompt }) => {
  const text = await (await fetch(address)).text();
  const tokenizer = new engine.Tokenizer([...new Set(text)].sort().join(""));
  const ids = tokenizer.encode(text);
  const cut = Math.floor(0.9 * ids.length);
  const unseen = ids.subarray(cut);
  const trainer = new engine.Trainer(model, training, ids.subarray(0, cut));
  while (trainer.step < training.steps) await trainer.advance();
  const options = { share: { every: 13, from: 10 }, shift: trainer.config.shift };
  const curve = await new engine.Evaluation(trainer.model, unseen, options)
    .loss(trainer.state.weights);
  const weights = await trainer.weights();
  const [rows, V] = [512, trainer.model.vocab_size];
  let writing = 0;
  for (const T of [4, 5, 6, 7, 8]) {
    const windows = new Int32Array(rows * T);
    for (let r = 0; r < rows; r++) windows.set(unseen.subarray(r * 200, r * 200 + T), r * T);
    const logits = await engine.forward(engine.toTensors(weights, trainer.model),
      engine.toIds(windows, [rows, T]), trainer.model).data();
    for (let r = 0; r < rows; r++) {
      const last = logits.subarray((r * T + T - 1) * V, (r + 1) * T * V);
      const shares = engine.probabilities(last, { temperature: 1 });
      writing -= Math.log(Math.max(shares[unseen[r * 200 + T]], 1e-30)) / rows / 5;
    }
  }
  const neural = new engine.Neural(trainer.model, weights);
  const written = neural.begin(tokenizer.encode(prompt));
  const random = new engine.Random(1);
  const out = [];
  for (let n = 0; n < 100; n++) {
    const shares = engine.probabilities(await written.logits(), { temperature: 1 });
    out.push(engine.drawn(shares, random.uniform()));
    written.append(out.at(-1));
  }
  return { curve, writing, text: tokenizer.decode(out) };
}"""


@pytest.fixture
def broken(engine, text):
    """`broken(model, training)`: the pre-norm rung, changed so, after a run."""

    def broken(model, training):
        return engine.call(
            BROKEN,
            model=as_json(RUNGS["pre-norm"].config) | model,
            training=as_json(TrainingConfig(steps=STEPS, seed=1)) | training,
            address=text,
            prompt=PROMPT,
        )

    return broken


BAND = load("pre-norm").band(STEPS)
FLAT = records.tables()[0]["validation"]  # nats: of the characters' frequencies


@pytest.mark.parametrize("model", [{"mask": False}, {"softmax": "queries"}])
def test_too_good_and_nothing_behind_it(broken, model):
    found = broken(model, {})
    assert found["curve"] < BAND.mean / 2
    assert found["writing"] > FLAT - NEAR


def test_unshifted_it_repeats(broken):
    found = broken({}, {"shift": False})
    assert found["curve"] < 0.1
    again = [a == b for a, b in pairwise(PROMPT[-1] + found["text"])]
    assert mean(again) > 0.8


def test_without_scale_nothing_shows(broken):
    found = broken({"scale": False}, {})
    assert abs(found["curve"] - BAND.mean) < 0.05
    assert abs(found["writing"] - found["curve"]) < 0.2


def test_without_positions_the_curve_is_like_the_recorded(broken):
    assert abs(broken({"positions": False}, {})["curve"] - BAND.mean) < 0.05
