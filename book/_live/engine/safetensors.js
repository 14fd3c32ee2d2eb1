/**
 * Weights from a safetensors file: 8 bytes with the header's length, the header as JSON, the numbers.
 *
 * Reads what the package writes: float32, and the recorded model's matrices in 8 bits with a scale
 * for each row (`bardgpt.pretrained`). A list of heads becomes one matrix, as in
 * `CausalSelfAttention.from_heads`, so that every model has the names of `shapes.js`.
 */
import { shapes, size } from "./shapes.js";

/** A file that does not hold the model's weights; says what is wrong with it. */
export class WeightsError extends Error {}

/**
 * @param {ArrayBuffer} file
 * @param {import("./config.js").GPTConfig} config whose weights they must be
 * @returns {Record<string, Float32Array>} by PyTorch's names
 */
export function readWeights(file, config) {
  const found = stackHeads(dequantize(readTensors(file)), config);
  /** @type {Record<string, Float32Array>} */
  const weights = {};
  for (const [name, shape] of Object.entries(shapes(config))) {
    const tensor = found[name];
    if (!tensor) throw new WeightsError(`another model's weights: there is no ${name}`);
    if (tensor.length !== size(shape)) {
      throw new WeightsError(`another model's weights: ${name} has ${tensor.length} numbers`);
    }
    weights[name] = /** @type {Float32Array} */ (tensor);
  }
  return weights;
}

/**
 * @param {ArrayBuffer} file
 * @returns {Record<string, Float32Array | Int8Array>}
 */
function readTensors(file) {
  const broken = new WeightsError("the file is cut off, or no safetensors file");
  if (file.byteLength < 8) throw broken;
  const length = Number(new DataView(file).getBigUint64(0, true));
  const begin = 8 + length;
  if (begin > file.byteLength) throw broken;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length)));
  /** @type {Record<string, Float32Array | Int8Array>} */
  const tensors = {};
  for (const [name, { dtype, data_offsets }] of Object.entries(header)) {
    if (dtype !== "F32" && dtype !== "I8") continue; // the header's own entry, random states
    const [from, to] = data_offsets;
    if (begin + to > file.byteLength) throw broken;
    const bytes = file.slice(begin + from, begin + to); // a copy, for numbers start at any byte
    const kept = name.replace(/^model\./, "");
    tensors[kept] = dtype === "I8" ? new Int8Array(bytes) : new Float32Array(bytes);
  }
  return tensors;
}

/**
 * Float32 from 8-bit numbers times their rows' scales.
 *
 * @param {Record<string, Float32Array | Int8Array>} tensors
 * @returns {Record<string, Float32Array>}
 */
function dequantize(tensors) {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => {
      if (tensor instanceof Float32Array) return [name, tensor];
      const scale = tensors[`${name}.scale`];
      const columns = tensor.length / scale.length;
      const whole = new Float32Array(tensor.length);
      for (let i = 0; i < whole.length; i++) {
        whole[i] = tensor[i] * scale[Math.floor(i / columns)];
      }
      return [name, whole];
    }),
  );
}

/**
 * Row i of a linear layer's weight makes channel i of its output: so the queries of all heads,
 * stacked, are the first C rows of qkv, then come keys and values.
 *
 * @param {Record<string, Float32Array>} tensors
 * @param {import("./config.js").GPTConfig} config
 */
function stackHeads(tensors, { n_layer, n_head, n_embd: C }) {
  const stacked = { ...tensors };
  for (let i = 0; i < n_layer; i++) {
    const attention = `blocks.${i}.attention`;
    if (!(`${attention}.heads.0.query.weight` in tensors)) continue;
    const qkv = new Float32Array(3 * C * C);
    let end = 0;
    for (const part of ["query", "key", "value"]) {
      for (let head = 0; head < n_head; head++) {
        const rows = tensors[`${attention}.heads.${head}.${part}.weight`]; // (hs, C)
        qkv.set(rows, end);
        end += rows.length;
      }
    }
    stacked[`${attention}.qkv.weight`] = qkv;
  }
  return stacked;
}
