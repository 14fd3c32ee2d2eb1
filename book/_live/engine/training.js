/**
 * A run: draw windows, predict, measure, step; and the loss on a split, once for each character.
 */
import { jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { modelConfig, trainingConfig } from "./config.js";
import { initialize } from "./initialization.js";
import { forward, losses, nextCharacterLoss } from "./model.js";
import { adamw, stepNumbers } from "./optimizer.js";
import { Random } from "./random.js";
import { randomKey, toArrays, toTensors } from "./tensors.js";

/** @typedef {import("@jax-js/jax").Array} Tensor */
/** @typedef {import("./model.js").Weights} Weights */

const DROPOUT_STREAM = 0x5eed; // dropout's random numbers are others than the windows'

/**
 * The loss of a batch and its gradients. Uses up all that it is given.
 *
 * @param {Weights} weights
 * @param {Tensor} inputs (B, T) int32
 * @param {Tensor} targets likewise
 * @param {import("./config.js").GPTConfig} config
 * @param {Tensor | null} key for dropout
 * @returns {[Tensor, Weights]}
 */
export function lossAndGradients(weights, inputs, targets, config, key = null) {
  /** @param {Weights} w */
  const loss = (w) => nextCharacterLoss(forward(w, inputs, config, { key }), targets);
  return /** @type {[Tensor, Weights]} */ (valueAndGrad(loss)(weights));
}

export class Trainer {
  /**
   * @param {Partial<import("./config.js").GPTConfig>} model
   * @param {Partial<import("./config.js").TrainingConfig>} training
   * @param {Int32Array} ids of the text to learn from
   * @param {Record<string, Float32Array>} [weights] to start from; new ones from the seed if not
   *   given
   */
  constructor(model, training, ids, weights) {
    this.model = modelConfig(model);
    this.config = trainingConfig(training);
    this.ids = ids;
    this.random = new Random(this.config.seed);
    this.step = 0;
    const start = toTensors(weights ?? initialize(this.model, this.config.seed), this.model);
    this.state = { weights: start, mean: zerosLike(start), square: zerosLike(start) };
    const { model: m, config: c } = this;
    this.usesDropout = m.dropout > 0 || m.embedding_dropout > 0 || (m.attention_dropout ?? 0) > 0;
    this.keys = new Random(this.config.seed ^ DROPOUT_STREAM);
    /** @type {(state: any, windows: Tensor, numbers: any, key: any) => [any, Tensor]} */
    const step = (state, windows, numbers, key) => {
      const [inputs, targets] = inputsAndTargets(windows, c.shift);
      const [loss, gradients] = lossAndGradients(
        tree.ref(state.weights),
        inputs,
        targets,
        m,
        this.usesDropout ? randomKey(key) : null,
      );
      if (!this.usesDropout) key.dispose();
      return [adamw(state, gradients, numbers, c), loss];
    };
    this.compiled = jit(step);
  }

  /**
   * One optimizer step.
   *
   * @param {Tensor} [windows] (B, T + 1) int32; drawn if not given
   * @returns {Promise<number>} the batch's loss, in nats per character
   */
  async advance(windows = this.windows()) {
    const numbers = stepNumbers(this.step, this.config);
    const [state, loss] = this.compiled(
      this.state,
      windows,
      {
        rate: np.array(numbers.rate),
        correction: np.array(numbers.correction),
        decay: np.array(numbers.decay),
      },
      np.array(new Uint32Array([this.keys.bits()])).reshape([]),
    );
    this.state = state;
    this.step += 1;
    return (await loss.data())[0];
  }

  /** (B, T + 1) windows from random places, drawn independently and uniformly. */
  windows() {
    const { block_size: T } = this.model;
    const { batch_size: B } = this.config;
    const windows = new Int32Array(B * (T + 1));
    for (let b = 0; b < B; b++) {
      const start = this.random.below(this.ids.length - T);
      windows.set(this.ids.subarray(start, start + T + 1), b * (T + 1));
    }
    return np.array(windows).reshape([B, T + 1]);
  }

  /** The weights as they are now, by name. */
  async weights() {
    return toArrays(tree.ref(this.state.weights));
  }

  /** Gives all memory back; the trainer is of no use afterwards. */
  dispose() {
    tree.dispose(this.state);
    this.compiled.dispose();
  }
}

/**
 * (B, T + 1) -> twice (B, T): a target is the character that follows; unshifted, the input itself.
 *
 * @param {Tensor} windows
 * @param {boolean} shift
 */
function inputsAndTargets(windows, shift) {
  const T = windows.shape[1] - 1;
  const inputs = windows.ref.slice([], [0, T]);
  return [inputs, shift ? windows.slice([], [1, T + 1]) : windows.slice([], [0, T])];
}

/** @param {Weights} weights */
const zerosLike = (weights) =>
  Object.fromEntries(Object.entries(weights).map(([name, w]) => [name, np.zeros(w.shape)]));

/**
 * The loss on a part of the text, every character once, in neighbouring windows.
 *
 * Windows go through the model in batches of one size, the last filled up with copies that do not
 * count; a ragged last window is left out.
 */
export class Evaluation {
  /**
   * @param {import("./config.js").GPTConfig} config
   * @param {Int32Array} ids
   * @param {object} [options]
   * @param {number} [options.batch] windows in a batch
   * @param {{every: number, from: number}} [options.share] of how many windows one is measured, the
   *   first which
   * @param {boolean} [options.shift] whether targets are the next characters, as in training
   */
  constructor(config, ids, { batch = 256, share = { every: 1, from: 0 }, shift = true } = {}) {
    const T = config.block_size;
    this.T = T;
    this.ids = ids;
    this.share = share;
    this.ahead = shift ? 1 : 0; // of a target before its input
    const windows = Math.floor((ids.length - 1) / T);
    this.count = Math.floor((windows - 1 - share.from) / share.every) + 1;
    this.batch = Math.min(batch, this.count);
    /** @type {(weights: Weights, inputs: Tensor, targets: Tensor) => Tensor} */
    const measure = (weights, inputs, targets) => losses(forward(weights, inputs, config), targets);
    this.compiled = jit(measure);
  }

  /**
   * @param {Weights} weights kept
   * @param {() => Promise<void>} [pause] between two batches
   * @returns {Promise<number>} nats per character
   */
  async loss(weights, pause) {
    let sum = 0;
    for (let first = 0; first < this.count; first += this.batch) {
      await pause?.();
      const here = Math.min(this.batch, this.count - first);
      const each = await this.compiled(
        tree.ref(weights),
        this.windows(first, 0),
        this.windows(first, this.ahead),
      ).data();
      for (let i = 0; i < here * this.T; i++) sum += each[i];
    }
    return sum / (this.count * this.T);
  }

  /**
   * @param {number} first the first window
   * @param {number} ahead by how many characters: 0 for inputs
   */
  windows(first, ahead) {
    const { T, batch, share } = this;
    const start = Math.min(first, this.count - batch);
    // The last batch begins early, so that it is full; what counts is moved to its front.
    const rows = new Int32Array(batch * T);
    for (let row = 0; row < batch; row++) {
      const window = share.from + share.every * (start + ((row + first - start) % batch));
      rows.set(this.ids.subarray(window * T + ahead, (window + 1) * T + ahead), row * T);
    }
    return np.array(rows).reshape([batch, T]);
  }

  dispose() {
    this.compiled.dispose();
  }
}
