/**
 * The yardstick: next-character probabilities by counting, with 0 to 5 characters of context.
 *
 * The smoothing is Witten and Bell's, as in `bardgpt`'s `CountTable`: with n(h, c), how often c
 * follows the context h, n(h), how often anything does, d(h), how many different characters have
 * followed it, and h' the context without its oldest character,
 *
 *     p(c | h) = (n(h, c) + d(h) p(c | h')) / (n(h) + d(h)),
 *
 * p(c | h) = p(c | h') where h was never seen, and below the empty context the uniform 1 / V.
 */

/**
 * All sequences of k + 1 characters of a text, as whole numbers with the characters for digits in
 * base V, and how often each occurs. Sequences with one context are neighbours.
 */
class Counts {
  /**
   * @param {Int32Array} ids
   * @param {number} k
   * @param {number} V
   */
  constructor(ids, k, V) {
    const all = new Float64Array(Math.max(0, ids.length - k));
    for (let i = 0; i < all.length; i++) {
      for (let digit = 0; digit <= k; digit++) all[i] = all[i] * V + ids[i + digit];
    }
    all.sort();
    let distinct = 0;
    const counts = new Int32Array(all.length);
    for (let i = 0; i < all.length; i++) {
      if (i > 0 && all[i] !== all[distinct - 1]) all[distinct++] = all[i];
      else if (i === 0) distinct = 1;
      counts[distinct - 1] += 1;
    }
    this.sequences = all.slice(0, distinct);
    this.counts = counts.slice(0, distinct);
    this.V = V;
  }

  /**
   * Mix the counts after a context with what a shorter one says; where never seen, keep that.
   *
   * @param {number} context as a number
   * @param {Float64Array} p (V,) changed in place
   */
  interpolate(context, p) {
    const first = this.place(context * this.V);
    let end = first;
    let total = 0;
    while (end < this.sequences.length && this.sequences[end] < (context + 1) * this.V) {
      total += this.counts[end++];
    }
    const followers = end - first;
    if (followers === 0) return;
    for (let c = 0; c < this.V; c++) p[c] *= followers / (total + followers);
    for (let i = first; i < end; i++) {
      p[this.sequences[i] - context * this.V] += this.counts[i] / (total + followers);
    }
  }

  /**
   * The first place whose sequence is at least a number.
   *
   * @param {number} wanted
   */
  place(wanted) {
    let low = 0;
    let high = this.sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sequences[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class CountTable {
  /**
   * @param {Int32Array} ids of the text to count in
   * @param {number} context k, characters of context
   * @param {number} V
   */
  constructor(ids, context, V) {
    this.context = context;
    this.V = V;
    this.levels = Array.from({ length: context + 1 }, (_, k) => new Counts(ids, k, V));
  }

  /**
   * The distribution of the next character; of a longer context the last k characters count.
   *
   * @param {ArrayLike<number>} ids
   * @returns {Float64Array} (V,)
   */
  probabilities(ids) {
    const p = new Float64Array(this.V).fill(1 / this.V);
    let number = 0;
    for (let k = 0; k <= Math.min(this.context, ids.length); k++) {
      if (k > 0) number += ids[ids.length - k] * this.V ** (k - 1); // one more digit in front
      this.levels[k].interpolate(number, p);
    }
    return p;
  }

  /**
   * The table with a text behind it, ready to go on; as `Neural.begin`.
   *
   * @param {ArrayLike<number>} ids
   */
  begin(ids) {
    const behind = Array.from(ids);
    return {
      /** @param {number} id */
      append: (id) => void behind.push(id),
      logits: async () => this.probabilities(behind.slice(-this.context - 1)).map(Math.log),
      dispose: () => {},
    };
  }

  /**
   * ln p of every possible next character, after each position of a text; as `Neural.read`.
   *
   * @param {Int32Array} ids
   * @param {number} [from]
   */
  async *read(ids, from = 0) {
    const ROWS = 256;
    for (let first = from; first < ids.length; first += ROWS) {
      const n = Math.min(ROWS, ids.length - first);
      const logp = new Float32Array(n * this.V);
      for (let row = 0; row < n; row++) {
        const end = first + row + 1;
        const p = this.probabilities(ids.subarray(Math.max(0, end - this.context), end));
        logp.set(p.map(Math.log), row * this.V);
      }
      yield { from: first, logp };
    }
  }

  /**
   * A table has no heads; it saw its k characters. As `Neural.look`.
   *
   * @param {Int32Array} _ids
   * @param {number} at
   */
  async look(_ids, at) {
    return { start: Math.max(0, at + 1 - this.context), attention: [], hidden: [], stream: [] };
  }

  dispose() {}
}
