/**
 * What a model and a run are: the package's `GPTConfig` and `TrainingConfig`, with their names.
 *
 * A config arrives as JSON that the package wrote; what it leaves out has the package's defaults.
 * The last three fields of a model are the engine's own. They are for breaking a model on purpose.
 */

/**
 * @typedef {object} GPTConfig
 * @property {number} vocab_size V
 * @property {number} block_size T, at most
 * @property {number} n_embd C
 * @property {number} n_layer L
 * @property {number} n_head nh
 * @property {boolean} positions
 * @property {boolean} projection
 * @property {"none" | "one-layer" | "two-layer"} feed_forward
 * @property {number} expansion hidden units for each channel, in the two-layer kind
 * @property {"relu" | "gelu" | "none"} activation
 * @property {"plain" | "residual" | "post-norm" | "pre-norm"} block
 * @property {"layer" | "none"} norm
 * @property {boolean} final_norm
 * @property {"default" | "normal" | "depth-scaled" | "zero" | "xavier"} initialization
 * @property {number} dropout
 * @property {number | null} attention_dropout
 * @property {number} embedding_dropout
 * @property {boolean} mask whether a query sees only itself and what stands before it
 * @property {boolean} scale whether scores are divided by sqrt(hs)
 * @property {"keys" | "queries"} softmax which of the two the attention weights are shared out over
 */

/**
 * @typedef {object} TrainingConfig
 * @property {number} steps
 * @property {number} batch_size B
 * @property {number} learning_rate at its highest
 * @property {"constant" | "linear"} schedule
 * @property {number} final_rate
 * @property {number} warmup steps
 * @property {number} weight_decay
 * @property {"all" | "matrices"} decay
 * @property {number} beta2
 * @property {number | null} clip
 * @property {number} seed
 * @property {boolean} shift whether targets are the next characters; false breaks the run on purpose
 */

/** @type {GPTConfig} */
const MODEL = {
  vocab_size: 65,
  block_size: 8,
  n_embd: 32,
  n_layer: 1,
  n_head: 1,
  positions: true,
  projection: false,
  feed_forward: "none",
  expansion: 4,
  activation: "relu",
  block: "plain",
  norm: "layer",
  final_norm: false,
  initialization: "default",
  dropout: 0,
  attention_dropout: null,
  embedding_dropout: 0,
  mask: true,
  scale: true,
  softmax: "keys",
};

/** @type {TrainingConfig} */
const TRAINING = {
  steps: 5000,
  batch_size: 32,
  learning_rate: 1e-3,
  schedule: "constant",
  final_rate: 0,
  warmup: 0,
  weight_decay: 0.01,
  decay: "all",
  beta2: 0.999,
  clip: null,
  seed: 0,
  shift: true,
};

/**
 * @param {Partial<GPTConfig>} given
 * @returns {GPTConfig}
 */
export const modelConfig = (given) => ({ ...MODEL, ...given });

/**
 * @param {Partial<TrainingConfig>} given
 * @returns {TrainingConfig}
 */
export const trainingConfig = (given) => ({ ...TRAINING, ...given });

/**
 * Whether a position's keys and values stay what they are when more characters follow. In a model
 * whose positions see what comes later they do not, and nothing of the past can be kept.
 *
 * @param {GPTConfig} config
 */
export const isCausal = (config) => config.mask && config.softmax === "keys";

/** @param {GPTConfig} config */
export const hasNorms = (config) =>
  config.norm === "layer" && (config.block === "pre-norm" || config.block === "post-norm");
