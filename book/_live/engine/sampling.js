/**
 * From scores to the next character: the distribution to draw from, and the draw.
 */

/**
 * @typedef {object} Draw
 * @property {number} temperature divides the logits; 0 takes the best character
 * @property {number | null} [topK] keep only the k best characters
 * @property {number | null} [topP] keep the fewest best characters that have at least this share
 */

/**
 * The distribution to draw from, of which what is left out has probability 0.
 *
 * @param {ArrayLike<number>} logits (V,)
 * @param {Draw} draw
 * @returns {Float64Array} (V,)
 */
export function probabilities(logits, { temperature, topK = null, topP = null }) {
  const V = logits.length;
  const best = Array.from({ length: V }, (_, i) => i).sort(
    (a, b) => logits[b] - logits[a] || a - b,
  );
  const p = new Float64Array(V);
  if (temperature === 0) {
    p[best[0]] = 1;
    return p;
  }
  const kept = topK === null ? best : best.slice(0, topK);
  for (const i of kept) p[i] = Math.exp((logits[i] - logits[best[0]]) / temperature);
  normalize(p);
  if (topP !== null) {
    let share = 0;
    for (const i of kept) {
      if (share >= topP) p[i] = 0;
      share += p[i];
    }
    normalize(p);
  }
  return p;
}

/** @param {Float64Array} p */
function normalize(p) {
  const sum = p.reduce((total, x) => total + x, 0);
  for (let i = 0; i < p.length; i++) p[i] /= sum;
}

/**
 * The id on which a number u from [0, 1) falls, when ids share out that interval in their order.
 *
 * @param {Float64Array} p (V,)
 * @param {number} u
 */
export function drawn(p, u) {
  let share = 0;
  let last = 0;
  for (let i = 0; i < p.length; i++) {
    if (p[i] === 0) continue;
    share += p[i];
    last = i;
    if (u < share) return i;
  }
  return last; // rounding may leave the sum a little below 1
}
