/**
 * The keys and values of the positions so far: a new character needs only its own.
 *
 * Compiled code has fixed shapes, so the cache has a row for every position of the window from the
 * beginning, and a mask hides those that are not filled yet. New rows take their places by a
 * comparison with their positions; what a chunk's surplus rows write is hidden until it is
 * overwritten, or lies beyond the window.
 *
 * Shapes: S = block_size, T new positions, nh heads of hs.
 */
import { numpy as np } from "@jax-js/jax";

/** @typedef {import("@jax-js/jax").Array} Tensor */
/** @typedef {{k: Tensor, v: Tensor}[]} Rows of each block, (1, nh, S, hs) */

/**
 * An empty cache's rows.
 *
 * @param {import("./config.js").GPTConfig} config
 * @returns {Rows}
 */
export function emptyRows({ n_layer, n_head, n_embd, block_size }) {
  const shape = [1, n_head, block_size, n_embd / n_head];
  return Array.from({ length: n_layer }, () => ({ k: np.zeros(shape), v: np.zeros(shape) }));
}

export class Cache {
  /**
   * @param {Rows} rows used up
   * @param {Tensor} start scalar int32, the first new position; the caller's
   * @param {number} S
   */
  constructor(rows, start, S) {
    this.rows = rows;
    this.start = start;
    this.S = S;
    /** @type {Rows} with the new positions, once a pass has gone through */
    this.extended = [];
  }

  /** @param {number} T */
  positions(T) {
    // A surplus row beyond the window needs some position, whichever.
    return np.clip(np.arange(T).add(this.start.ref), 0, this.S - 1); // (T,)
  }

  /**
   * True where a new position may look: at itself and at what stands before it.
   *
   * @param {number} T
   */
  mask(T) {
    const queries = np.arange(T).reshape([T, 1]).add(this.start.ref); // (T, 1)
    return np.arange(this.S).reshape([1, this.S]).lessEqual(queries); // (T, S)
  }

  /**
   * @param {number} i the block
   * @param {Tensor} k (1, nh, T, hs)
   * @param {Tensor} v likewise
   * @returns {[Tensor, Tensor]} all keys and all values, (1, nh, S, hs)
   */
  extend(i, k, v) {
    const old = this.rows[i];
    const extended = { k: this.place(old.k, k), v: this.place(old.v, v) };
    this.extended.push(extended);
    return [extended.k.ref, extended.v.ref];
  }

  /**
   * @param {Tensor} old (1, nh, S, hs)
   * @param {Tensor} rows (1, nh, T, hs)
   */
  place(old, rows) {
    const T = rows.shape[2];
    const from = np.arange(this.S).sub(this.start.ref).reshape([1, 1, this.S, 1]); // which new row
    const isNew = np.logicalAnd(from.ref.greaterEqual(0), from.ref.less(T));
    if (T === 1) {
      from.dispose();
      return np.where(isNew, rows, old);
    }
    const there = np.clip(from, 0, T - 1).reshape([this.S]);
    return np.where(isNew, rows.slice([], [], there), old);
  }
}
