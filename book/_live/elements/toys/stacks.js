/**
 * Sizes of stream and gradient in a stack of layers f(x) = s W2 relu(W1 x), with or without `x +`.
 */
import { Random } from "../../engine/random.js";
import { fixed } from "./frame.js";

/** @typedef {Float64Array} Matrix by rows */
/**
 * @typedef {object} Given
 * @property {number} N inputs
 * @property {number} C channels
 * @property {Record<string, number>} seeds
 * @property {number} std of a normal start
 * @property {number} low powers of ten that the axis shows
 * @property {number} high
 */

/** @param {number} count @param {() => number} next @returns {Matrix} */
const drawn = (count, next) => Float64Array.from({ length: count }, next);

/** @param {Matrix} x */
const rms = (x) => Math.sqrt(x.reduce((all, one) => all + one * one, 0) / x.length);

/**
 * x W^T, and with `isBack` x W: (N, C) and (C, C) to (N, C).
 *
 * @param {Matrix} x
 * @param {Matrix} weights
 * @param {number} C
 * @param {boolean} [isBack]
 */
function mapped(x, weights, C, isBack = false) {
  const out = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += C) {
    for (let i = 0; i < C; i++) {
      for (let j = 0; j < C; j++) {
        out[at + i] += x[at + j] * (isBack ? weights[j * C + i] : weights[i * C + j]);
      }
    }
  }
  return out;
}

/**
 * Both matrices of each layer.
 *
 * @param {number} depth
 * @param {string} start
 * @param {Given} given
 */
function weightsOf(depth, start, { C, seeds, std }) {
  const isNormal = start === "normal" || start === "depth-scaled";
  const random = new Random(isNormal ? seeds.normal : seeds.uniform);
  const bound = start === "xavier" ? Math.sqrt(3 / C) : 1 / Math.sqrt(C);
  const next = () => (isNormal ? std * random.normal() : bound * (2 * random.uniform() - 1));
  const factor = start === "zero" ? 0 : start === "depth-scaled" ? 1 / Math.sqrt(depth) : 1;
  return Array.from({ length: depth }, () => {
    const first = drawn(C * C, next);
    return { first, last: drawn(C * C, () => factor * next()) };
  });
}

/**
 * @param {number} depth
 * @param {boolean} adds
 * @param {number} scale
 * @param {string} start
 * @param {Given} given
 */
function sizes(depth, adds, scale, start, given) {
  const { N, C, seeds } = given;
  const layers = weightsOf(depth, start, given);
  const inputs = new Random(seeds.inputs);
  let x = drawn(N * C, () => inputs.normal());
  const stream = [rms(x)];
  /** @type {Matrix[]} before the ReLU, by layer */
  const hidden = [];
  for (const { first, last } of layers) {
    const before = mapped(x, first, C);
    hidden.push(before);
    const after = before.map((one) => Math.max(one, 0));
    const branch = mapped(after, last, C);
    x = branch.map((one, i) => scale * one + (adds ? x[i] : 0));
    stream.push(rms(x));
  }

  const direction = new Random(seeds.gradient);
  let g = drawn(N * C, () => direction.normal());
  const top = rms(g);
  const gradient = [1];
  for (const [l, { first, last }] of [...layers.entries()].reverse()) {
    const arrived = mapped(g, last, C, true);
    const passed = arrived.map((one, i) => (hidden[l][i] > 0 ? scale * one : 0));
    const branch = mapped(passed, first, C, true);
    g = branch.map((one, i) => one + (adds ? g[i] : 0));
    gradient.unshift(rms(g) / top);
  }
  return [stream, gradient];
}

/** A size in three digits, or as a power of ten. @param {number} value */
function words(value) {
  if (value === 0) return "0";
  if (value >= 0.01 && value < 1000) return fixed(value);
  const power = Math.floor(Math.log10(value));
  return `${fixed(value / 10 ** power, 1)} · 10<sup>${String(power).replace("-", "−")}</sup>`;
}

/**
 * @param {import("./frame.js").Frame} frame
 * @param {Given} given
 */
export function stack(frame, given) {
  const { low, high } = given;
  const curves = [...frame.form.querySelectorAll("[data-curve]")];

  frame.listen(() => {
    const depth = frame.control("depth").valueAsNumber;
    const scale = frame.control("scale").valueAsNumber;
    const adds = frame.control("adds").checked;
    frame.stand("depth", String(depth));
    frame.stand("scale", fixed(scale, 1));
    const rows = sizes(depth, adds, scale, frame.control("start").value, given);
    for (const [k, row] of rows.entries()) {
      const points = row.map((value, i) => {
        const power = value > 0 ? Math.min(Math.max(Math.log10(value), low), high) : low;
        const y = (100 * (high - power)) / (high - low);
        return `${((100 * i) / depth).toFixed(2)},${y.toFixed(3)}`;
      });
      curves[k].setAttribute("points", points.join(" "));
      curves[k].setAttribute("data-sizes", row.join(" "));
    }
    const [stream, gradient] = rows;
    frame.one(".toy-says").innerHTML =
      `From the first layer to the last the stream's size goes from ${words(stream[0])} to ` +
      `${words(stream[depth])}. On the way back the gradient's goes from ` +
      `${words(gradient[depth])} to ${words(gradient[0])}.`;
  });
}
