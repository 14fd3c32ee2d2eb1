/**
 * Between plain numbers and jax-js: weights in, results out.
 */
import { init, numpy as np, random } from "@jax-js/jax";
import { shapes } from "./shapes.js";

/** @typedef {import("@jax-js/jax").Array} Tensor */

/** To be awaited once before anything is computed. Fails where there is no WebAssembly. */
export async function ready() {
  const devices = "WebAssembly" in globalThis ? await init("wasm") : [];
  if (!devices.includes("wasm")) throw new Error("this browser has no WebAssembly");
}

/**
 * @param {Record<string, Float32Array>} weights
 * @param {import("./config.js").GPTConfig} config
 * @returns {Record<string, Tensor>}
 */
export function toTensors(weights, config) {
  return Object.fromEntries(
    Object.entries(shapes(config)).map(([name, shape]) => [
      name,
      np.array(/** @type {Float32Array<ArrayBuffer>} */ (weights[name])).reshape(shape),
    ]),
  );
}

/**
 * The numbers of some tensors, which are used up.
 *
 * @param {Record<string, Tensor>} tensors
 * @returns {Promise<Record<string, Float32Array>>}
 */
export async function toArrays(tensors) {
  /** @type {Record<string, Float32Array>} */
  const arrays = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    arrays[name] = /** @type {Float32Array} */ (await tensor.data());
  }
  return arrays;
}

/**
 * @param {Int32Array} ids
 * @param {number[]} shape
 */
export const toIds = (ids, shape) =>
  np.array(/** @type {Int32Array<ArrayBuffer>} */ (ids)).reshape(shape);

/**
 * Where the random numbers of compiled code start from.
 *
 * @param {number | Tensor} seed
 */
export const randomKey = (seed) => random.key(seed);
