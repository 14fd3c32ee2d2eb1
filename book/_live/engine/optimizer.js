/**
 * AdamW and the rate, as `bardgpt.training.optimizers` has them.
 *
 * Source: Loshchilov and Hutter 2019, algorithm 2 (arXiv:1711.05101), as PyTorch computes it.
 */
import { numpy as np, tree } from "@jax-js/jax";

/** @typedef {import("@jax-js/jax").Array} Tensor */
/** @typedef {import("./model.js").Weights} Weights */
/** @typedef {{weights: Weights, mean: Weights, square: Weights}} State weights and their averages */

const BETA1 = 0.9;
const EPS = 1e-8;

/**
 * The rate of step 0, 1, … as a share of the highest.
 *
 * In a warm-up of w steps it is 1/w, 2/w, …, 1. Then it stays, or falls in a straight line that
 * meets `final_rate` after the last step.
 *
 * @param {number} step
 * @param {import("./config.js").TrainingConfig} config
 */
export function rateFactor(step, { warmup, schedule, steps, final_rate }) {
  if (step < warmup) return (step + 1) / warmup;
  if (schedule === "constant") return 1;
  const done = (step - warmup) / Math.max(1, steps - warmup);
  return 1 - done * (1 - final_rate);
}

/**
 * What changes from step to step, as numbers that compiled code is given.
 *
 * @param {number} step from 0
 * @param {import("./config.js").TrainingConfig} config
 */
export function stepNumbers(step, config) {
  const rate = config.learning_rate * rateFactor(step, config);
  return {
    rate: rate / (1 - BETA1 ** (step + 1)), // with the first average's correction
    correction: Math.sqrt(1 - config.beta2 ** (step + 1)),
    decay: 1 - rate * config.weight_decay,
  };
}

/**
 * One step. Uses up all that it is given.
 *
 * @param {State} state
 * @param {Weights} gradients
 * @param {Record<"rate" | "correction" | "decay", Tensor>} numbers of `stepNumbers`
 * @param {import("./config.js").TrainingConfig} config
 * @returns {State}
 */
export function adamw(state, gradients, numbers, config) {
  /** @type {State} */
  const next = { weights: {}, mean: {}, square: {} };
  const scale = config.clip === null ? null : clipFactor(gradients, config.clip);
  for (const [name, raw] of Object.entries(gradients)) {
    const gradient = scale ? raw.mul(scale.ref) : raw;
    const isDecayed = config.decay === "all" || gradient.ndim === 2;
    const weight = state.weights[name];
    const kept = isDecayed ? weight.mul(numbers.decay.ref) : weight;
    const mean = state.mean[name].mul(BETA1).add(gradient.ref.mul(1 - BETA1));
    const square = state.square[name]
      .mul(config.beta2)
      .add(np.square(gradient).mul(1 - config.beta2));
    const root = np.sqrt(square.ref).div(numbers.correction.ref).add(EPS);
    next.weights[name] = kept.sub(mean.ref.mul(numbers.rate.ref).div(root));
    next.mean[name] = mean;
    next.square[name] = square;
  }
  tree.dispose([numbers, scale ?? []]);
  return next;
}

/**
 * By what all gradients are multiplied, so that their norm together is at most `clip`.
 *
 * @param {Weights} gradients kept
 * @param {number} clip
 */
function clipFactor(gradients, clip) {
  const squares = Object.values(gradients).map((gradient) => np.square(gradient.ref).sum());
  const norm = np.sqrt(squares.reduce((sum, square) => sum.add(square)));
  return np.minimum(np.array(clip).div(norm.add(1e-6)), 1);
}
