/**
 * The parameters of a model: their names, as PyTorch's `state_dict` has them, and their shapes.
 *
 * All heads' queries, keys and values are one matrix, as in the package's `CausalSelfAttention`.
 */
import { hasNorms } from "./config.js";

/**
 * @param {import("./config.js").GPTConfig} config
 * @returns {Record<string, number[]>} shapes by name, in PyTorch's order
 */
export function shapes(config) {
  const { vocab_size: V, block_size: T, n_embd: C } = config;
  /** @type {Record<string, number[]>} */
  const found = {};
  /** @type {(name: string, inputs: number, outputs: number, bias?: boolean) => void} */
  const linear = (name, inputs, outputs, bias = true) => {
    found[`${name}.weight`] = [outputs, inputs];
    if (bias) found[`${name}.bias`] = [outputs];
  };
  /** @param {string} name */
  const norm = (name) => {
    found[`${name}.weight`] = [C];
    found[`${name}.bias`] = [C];
  };
  found["token_embedding.weight"] = [V, C];
  if (config.positions) found["position_embedding.weight"] = [T, C];
  for (let i = 0; i < config.n_layer; i++) {
    const block = `blocks.${i}`;
    linear(`${block}.attention.qkv`, C, 3 * C, false);
    if (config.projection) linear(`${block}.attention.proj`, C, C);
    if (config.feed_forward === "one-layer") linear(`${block}.feed_forward.hidden`, C, C);
    if (config.feed_forward === "two-layer") {
      linear(`${block}.feed_forward.hidden`, C, config.expansion * C);
      linear(`${block}.feed_forward.proj`, config.expansion * C, C);
    }
    if (hasNorms(config)) {
      norm(`${block}.attention_norm`);
      norm(`${block}.feed_forward_norm`);
    }
  }
  if (config.final_norm && config.norm === "layer") norm("norm");
  linear("lm_head", C, V);
  return found;
}

/** @param {number[]} shape */
export const size = (shape) => shape.reduce((product, n) => product * n, 1);

/**
 * How many numbers training may change.
 *
 * @param {import("./config.js").GPTConfig} config
 */
export const nParameters = (config) =>
  Object.values(shapes(config)).reduce((sum, shape) => sum + size(shape), 0);
