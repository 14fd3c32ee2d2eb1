/**
 * A trained model at work: it goes on from a text, reads one, and shows where it looked.
 *
 * `CountTable` answers to the same three methods, `begin`, `read` and `look`.
 *
 * Shapes: V = vocab_size, S = block_size.
 */
import { jit, nn, tree } from "@jax-js/jax";
import { Cache, emptyRows } from "./cache.js";
import { isCausal } from "./config.js";
import { forward, forwardCached } from "./model.js";
import { toArrays, toIds, toTensors } from "./tensors.js";

/** @typedef {import("@jax-js/jax").Array} Tensor */
/** @typedef {import("./cache.js").Rows} Rows */
/** @typedef {import("./model.js").Seen} Seen */

const CHUNK = 32; // positions that go into the cache at once
const SMALL = 16; // up to this window, every character of a text is read from a full window
const ROWS = 64; // windows of a small model that are read at once

/**
 * What a model saw at one position.
 *
 * @typedef {object} Sight
 * @property {number} start the index in the ids of the first position that it could see
 * @property {Float32Array[][]} attention of each block and head, a weight for each position seen
 * @property {Float32Array[]} hidden of each block
 * @property {Float32Array[]} stream before the first block and after each
 */

/**
 * The first index of the window from which the character after index j is predicted, when a text is
 * written or read one by one: once a window is full, its last half begins the next
 * (`bardgpt.sampling.generate`).
 *
 * @param {number} j
 * @param {number} S
 */
export function windowStart(j, S) {
  if (j < S) return 0;
  const kept = Math.floor(S / 2);
  const step = S - kept;
  return step * (Math.floor((j - S) / step) + 1);
}

/**
 * What a model computes, as code for fixed shapes.
 *
 * @param {import("./config.js").GPTConfig} config
 */
function compile(config) {
  const S = config.block_size;
  /** @type {(rows: Rows) => Rows} */
  const same = (rows) => rows; // a model without blocks has an empty cache
  /** @type {(weights: any, ids: Tensor, rows: any, start: Tensor) => any} */
  const advance = (weights, ids, rows, start) => {
    const cache = new Cache(rows, start, S);
    const logits = forwardCached(weights, ids, config, cache, null);
    start.dispose();
    return { logits, rows: same(cache.extended) };
  };
  /** @type {(weights: any, ids: Tensor, rows: any, start: Tensor) => any} */
  const look = (weights, ids, rows, start) => {
    const cache = new Cache(rows, start, S);
    /** @type {Seen} */
    const seen = { attention: [], hidden: [], stream: [] };
    forwardCached(weights, ids, config, cache, seen).dispose();
    start.dispose();
    tree.dispose(cache.extended);
    return seen;
  };
  /** @type {(weights: any, ids: Tensor) => Tensor} */
  const whole = (weights, ids) => forward(weights, ids, config);
  /** @type {(weights: any, ids: Tensor) => any} */
  const wholeSeen = (weights, ids) => {
    /** @type {Seen} */
    const seen = { attention: [], hidden: [], stream: [] };
    forward(weights, ids, config, { seen }).dispose();
    return seen;
  };
  return {
    advance: jit(advance),
    look: jit(look),
    whole: jit(whole),
    wholeSeen: jit(wholeSeen),
  };
}

export class Neural {
  /**
   * @param {import("./config.js").GPTConfig} config
   * @param {Record<string, Float32Array>} weights by PyTorch's names
   * @param {ReturnType<typeof compile>} [compiled] of a model with this config, which it belongs to
   */
  constructor(config, weights, compiled) {
    this.config = config;
    this.S = config.block_size;
    this.weights = toTensors(weights, config);
    this.chunk = Math.min(CHUNK, this.S);
    /** @type {Context | null} of the last reading */
    this.kept = null;
    this.isCompiledHere = !compiled;
    this.compiled = compiled ?? compile(config);
  }

  /**
   * The same model with some heads turned off: their values are 0, and so is what they give.
   *
   * @param {[number, number][]} heads block and head of each, from 0
   */
  async without(heads) {
    const { n_embd: C, n_head } = this.config;
    const weights = await toArrays(tree.ref(this.weights));
    const size = (C / n_head) * C;
    for (const [block, head] of heads) {
      const name = `blocks.${block}.attention.qkv.weight`; // queries, then keys, then values
      const begin = 2 * C * C + head * size;
      weights[name] = weights[name].slice().fill(0, begin, begin + size);
    }
    return new Neural(this.config, weights, this.compiled);
  }

  /**
   * The model with a text behind it, ready to go on.
   *
   * @param {ArrayLike<number>} ids at least one
   */
  begin(ids) {
    const context = new Context(this);
    context.start(ids);
    return context;
  }

  /**
   * ln p of every possible next character, after each position of a text.
   *
   * @param {Int32Array} ids
   * @param {number} [from] the first position that is asked for
   * @returns {AsyncGenerator<{from: number, logp: Float32Array}>} rows of V, a few positions at a time
   */
  async *read(ids, from = 0) {
    const isSmall = this.S <= SMALL || !isCausal(this.config);
    yield* isSmall ? this.readSliding(ids, from) : this.readHalving(ids, from);
  }

  /**
   * Each position from as many as the model may see.
   *
   * @param {Int32Array} ids
   * @param {number} from
   */
  async *readSliding(ids, from) {
    const { S } = this;
    const V = this.config.vocab_size;
    for (let first = from; first < ids.length; first += ROWS) {
      const n = Math.min(ROWS, ids.length - first);
      const windows = new Int32Array(ROWS * S);
      for (let row = 0; row < n; row++) {
        const start = Math.max(0, first + row + 1 - S);
        windows.set(ids.subarray(start, start + S), row * S);
      }
      const logits = this.compiled.whole(tree.ref(this.weights), toIds(windows, [ROWS, S]));
      const all = await nn.logSoftmax(logits, -1).data();
      const logp = new Float32Array(n * V);
      for (let row = 0; row < n; row++) {
        const at = row * S + Math.min(first + row, S - 1);
        logp.set(all.subarray(at * V, (at + 1) * V), row * V);
      }
      yield { from: first, logp };
    }
  }

  /**
   * Each position as it is reached when the text is written.
   *
   * @param {Int32Array} ids
   * @param {number} from
   */
  async *readHalving(ids, from) {
    const { S } = this;
    const V = this.config.vocab_size;
    for (let next = from; next < ids.length; ) {
      const start = windowStart(next, S);
      let end = next + 1; // of the positions that this window answers for
      while (end < ids.length && windowStart(end, S) === start) end++;
      const context = this.reading(ids, start, next);
      const before = start + context.filled;
      const rows = await context.scores(Math.min(end - before, this.chunk));
      const scored = before + rows.length / V;
      if (scored <= next) continue; // the window's beginning, which was read before
      yield { from: next, logp: logSoftmax(rows.subarray((next - before) * V), V) };
      next = scored;
    }
  }

  /**
   * The context of all readings, over ids from `start` on, with as much of its cache as is the same.
   *
   * To be called before each use: while one reading waits, another may have had its turn.
   *
   * @param {Int32Array} ids
   * @param {number} start
   * @param {number} [next] positions from here on are wanted anew
   */
  reading(ids, start, next = Infinity) {
    this.kept ??= new Context(this);
    this.kept.become(ids.subarray(start, start + this.S), next - start);
    return this.kept;
  }

  /**
   * Where the model looked, and what it computed, at one position of a text.
   *
   * @param {Int32Array} ids
   * @param {number} at
   * @returns {Promise<Sight>}
   */
  async look(ids, at) {
    const { S } = this;
    const isSmall = S <= SMALL || !isCausal(this.config);
    const start = isSmall ? Math.max(0, at + 1 - S) : windowStart(at, S);
    const t = at - start;
    if (!isCausal(this.config)) {
      const window = toIds(ids.subarray(start, at + 1), [1, t + 1]);
      return sight(this.compiled.wholeSeen(tree.ref(this.weights), window), start, t, t + 1);
    }
    for (;;) {
      const context = this.reading(ids, start); // what it has of later positions it keeps
      if (context.filled >= t) return sight(context.look(t), start, 0, t + 1);
      await context.scores(Math.min(t - context.filled, this.chunk));
    }
  }

  /** Gives all memory back; the model is of no use afterwards, nor those made `without` heads. */
  dispose() {
    tree.dispose(this.weights);
    this.kept?.dispose();
    if (!this.isCompiledHere) return;
    for (const compiled of Object.values(this.compiled)) compiled.dispose();
  }
}

/**
 * A text that a model has behind it: a window of at most S ids, and the cache of what it knows of
 * them.
 */
export class Context {
  /** @param {Neural} model */
  constructor(model) {
    this.model = model;
    /** @type {number[]} */
    this.ids = [];
    this.filled = 0; // positions whose keys and values are in the cache
    /** @type {Rows} */
    this.rows = emptyRows(model.config);
  }

  /**
   * Of a text longer than the window the end counts.
   *
   * @param {ArrayLike<number>} ids
   */
  start(ids) {
    this.ids = Array.from(ids).slice(-this.model.S);
    this.filled = 0;
  }

  /**
   * Other ids, of which those that are the same at the beginning need not be computed again.
   *
   * @param {ArrayLike<number>} ids
   * @param {number} [most] keep no more of the cache than these positions
   */
  become(ids, most = Infinity) {
    const next = Array.from(ids);
    let same = 0;
    while (same < Math.min(this.filled, next.length) && next[same] === this.ids[same]) same++;
    this.ids = next;
    this.filled = Math.max(0, Math.min(same, most));
  }

  /**
   * One more id. A window that is full forgets all but its last half first: what is left moves to
   * other positions, so nothing that was computed can be kept.
   *
   * @param {number} id
   */
  append(id) {
    const { S } = this.model;
    if (this.ids.length === S) this.start(this.ids.slice(S - Math.floor(S / 2)));
    this.ids.push(id);
  }

  /**
   * Scores for the next character.
   *
   * @returns {Promise<Float32Array>} (V,)
   */
  async logits() {
    const V = this.model.config.vocab_size;
    if (!isCausal(this.model.config)) return this.wholeLogits();
    this.filled = Math.min(this.filled, this.ids.length - 1);
    /** @type {Float32Array} */
    let rows = new Float32Array();
    while (this.filled < this.ids.length) {
      const missing = this.ids.length - this.filled;
      rows = await this.scores(missing === 1 ? 1 : Math.min(missing, this.model.chunk));
    }
    return rows.subarray(rows.length - V);
  }

  /** Likewise, without a cache: in a model that sees what comes later nothing can be kept. */
  async wholeLogits() {
    const { model, ids } = this;
    const V = model.config.vocab_size;
    const input = toIds(Int32Array.from(ids), [1, ids.length]);
    const logits = await model.compiled.whole(tree.ref(model.weights), input).data();
    return /** @type {Float32Array} */ (logits.subarray(logits.length - V));
  }

  /**
   * The next n positions go into the cache; one by itself is compiled apart, for it is the usual
   * case.
   *
   * @param {number} n
   * @returns {Promise<Float32Array>} their logits, rows of V
   */
  async scores(n) {
    const { model } = this;
    const T = n === 1 ? 1 : model.chunk;
    const input = new Int32Array(T);
    input.set(this.ids.slice(this.filled, this.filled + n));
    const { logits, rows } = model.compiled.advance(
      tree.ref(model.weights),
      toIds(input, [1, T]),
      this.rows,
      toIds(Int32Array.of(this.filled), []),
    );
    this.rows = rows;
    this.filled += n;
    const all = /** @type {Float32Array} */ (await logits.data());
    return all.subarray(0, n * model.config.vocab_size);
  }

  /**
   * What the model sees at a position, when those before it are in the cache.
   *
   * @param {number} at
   * @returns {Seen}
   */
  look(at) {
    const { model } = this;
    return model.compiled.look(
      tree.ref(model.weights),
      toIds(Int32Array.of(this.ids[at]), [1, 1]),
      tree.ref(this.rows),
      toIds(Int32Array.of(at), []),
    );
  }

  dispose() {
    tree.dispose(this.rows);
  }
}

/**
 * Rows of V scores -> rows of ln p.
 *
 * @param {Float32Array} scores
 * @param {number} V
 */
function logSoftmax(scores, V) {
  const logp = new Float32Array(scores.length);
  for (let row = 0; row < scores.length; row += V) {
    const here = scores.subarray(row, row + V);
    const most = Math.max(...here);
    const sum = here.reduce((total, score) => total + Math.exp(score - most), 0);
    for (let i = 0; i < V; i++) logp[row + i] = here[i] - most - Math.log(sum);
  }
  return logp;
}

/**
 * What was seen at position t, of which the first n positions could be seen.
 *
 * @param {Seen} seen used up
 * @param {number} start
 * @param {number} t
 * @param {number} n
 * @returns {Promise<Sight>}
 */
async function sight(seen, start, t, n) {
  const attention = [];
  for (const weights of seen.attention) {
    const [, nh, T, S] = weights.shape; // (1, nh, T, S)
    const all = /** @type {Float32Array} */ (await weights.data());
    attention.push(
      Array.from({ length: nh }, (_, head) => {
        const row = (head * T + t) * S;
        return all.slice(row, row + n);
      }),
    );
  }
  /** @param {Tensor} x (1, T, n) */
  const rowOf = async (x) => {
    const width = x.shape[2];
    const all = /** @type {Float32Array} */ (await x.data());
    return all.slice(t * width, (t + 1) * width);
  };
  const hidden = [];
  for (const h of seen.hidden) hidden.push(await rowOf(h));
  const stream = [];
  for (const x of seen.stream) stream.push(await rowOf(x));
  return { start, attention, hidden, stream };
}
