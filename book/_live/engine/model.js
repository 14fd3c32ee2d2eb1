/**
 * The model: ids in, one score for each possible next character out.
 *
 * The one definition of it in the browser. It reads like the package's `gpt.py` and `layers`, takes
 * weights under the same names and gives the same numbers; `tests/site/live` holds it to that.
 *
 * jax-js counts references: a function uses up the arrays it is given, and `x.ref` keeps x for one
 * use more. So each function here uses up its `x`, and `weight` hands out references.
 *
 * Shapes: B batch, T time, S positions that may be seen, C = n_embd, nh = n_head, hs = C / nh,
 * H hidden units, V = vocab_size.
 */
import { nn, numpy as np, random, tree } from "@jax-js/jax";
import { hasNorms } from "./config.js";

/** @typedef {import("@jax-js/jax").Array} Tensor */
/** @typedef {Record<string, Tensor>} Weights */

const EPS = 1e-5;

/**
 * What a pass may be asked for besides logits, and what it fills in: attention weights
 * (B, nh, T, S) and hidden units (B, T, H) of each block, the stream (B, T, C) before the first
 * block and after each.
 *
 * @typedef {{attention: Tensor[], hidden: Tensor[], stream: Tensor[]}} Seen
 */

/** One pass through the model: what all its parts share. */
class Pass {
  /**
   * @param {Weights} weights
   * @param {import("./config.js").GPTConfig} config
   * @param {object} options
   * @param {Tensor} options.mask (T, S), true where a query may look
   * @param {import("./cache.js").Cache | null} [options.cache] keys and values of what stands before
   * @param {Tensor | null} [options.key] of the random numbers for dropout; without it, no dropout
   * @param {Seen | null} [options.seen]
   */
  constructor(weights, config, { mask, cache = null, key = null, seen = null }) {
    this.weights = weights;
    this.config = config;
    this.mask = mask;
    this.cache = cache;
    this.key = key;
    this.seen = seen;
  }

  /** @param {string} name */
  weight(name) {
    return this.weights[name].ref;
  }

  /**
   * (…, n) -> (…, m)
   *
   * @param {string} name
   * @param {Tensor} x
   */
  linear(name, x) {
    const y = np.matmul(x, this.weight(`${name}.weight`).transpose());
    return `${name}.bias` in this.weights ? y.add(this.weight(`${name}.bias`)) : y;
  }

  /**
   * Each position by itself: mean 0 and variance 1, then gain and bias. (…, C) -> (…, C)
   *
   * @param {string} name
   * @param {Tensor} x
   */
  norm(name, x) {
    const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
    const variance = np.square(centred.ref).mean(-1, { keepdims: true });
    const y = centred.div(np.sqrt(variance.add(EPS)));
    return y.mul(this.weight(`${name}.weight`)).add(this.weight(`${name}.bias`));
  }

  /**
   * In training, sets a share of the numbers to 0 and makes up for it in the rest.
   *
   * @param {Tensor} x
   * @param {number} rate
   */
  dropout(x, rate) {
    if (!this.key || rate === 0) return x;
    const [own, rest] = random.split(this.key);
    this.key = rest;
    const kept = random.bernoulli(own, 1 - rate, x.shape);
    return np.where(kept, x.div(1 - rate), 0);
  }

  /**
   * Attention: each position collects values from those that it may look at. (B, T, C) -> (B, T, C)
   *
   * @param {number} i the block
   * @param {Tensor} x
   */
  attention(i, x) {
    const { config } = this;
    const [B, T, C] = x.shape;
    const hs = C / config.n_head;
    const [q, k, v] = np
      .split(this.linear(`blocks.${i}.attention.qkv`, x), 3, -1)
      .map((z) => z.reshape([B, T, config.n_head, hs]).transpose([0, 2, 1, 3])); // (B, nh, T, hs)
    const [keys, values] = this.cache ? this.cache.extend(i, k, v) : [k, v]; // (B, nh, S, hs)
    let scores = np.matmul(q, keys.transpose([0, 1, 3, 2])); // (B, nh, T, S)
    if (config.scale) scores = scores.mul(hs ** -0.5);
    if (config.mask) scores = np.where(this.mask.ref, scores, -Infinity);
    const weights = nn.softmax(scores, config.softmax === "keys" ? -1 : -2);
    this.seen?.attention.push(weights.ref);
    const kept = this.dropout(weights, config.attention_dropout ?? config.dropout);
    let y = np.matmul(kept, values).transpose([0, 2, 1, 3]).reshape([B, T, C]); // (B, T, C)
    if (config.projection) y = this.linear(`blocks.${i}.attention.proj`, y);
    return this.dropout(y, config.dropout);
  }

  /**
   * Feed-forward: what each position computes by itself. (B, T, C) -> (B, T, C)
   *
   * @param {number} i the block
   * @param {Tensor} x
   */
  feedForward(i, x) {
    const { config } = this;
    if (config.feed_forward === "none") return x;
    let h = this.linear(`blocks.${i}.feed_forward.hidden`, x); // (B, T, H)
    if (config.activation === "relu") h = nn.relu(h);
    if (config.activation === "gelu") h = nn.gelu(h, { approximate: false });
    this.seen?.hidden.push(h.ref);
    if (config.feed_forward === "two-layer") h = this.linear(`blocks.${i}.feed_forward.proj`, h);
    return this.dropout(h, config.dropout);
  }

  /**
   * A block: attention, then feed-forward, wired in one of four ways. (B, T, C) -> (B, T, C)
   *
   * @param {number} i
   * @param {Tensor} x
   */
  block(i, x) {
    const { block } = this.config;
    /** @type {(part: "attention" | "feed_forward", x: Tensor) => Tensor} */
    const norm = (part, x) =>
      hasNorms(this.config) ? this.norm(`blocks.${i}.${part}_norm`, x) : x;
    if (block === "plain") {
      x = this.attention(i, x);
      return this.feedForward(i, x);
    }
    if (block === "post-norm") {
      x = norm("attention", x.ref.add(this.attention(i, x)));
      return norm("feed_forward", x.ref.add(this.feedForward(i, x)));
    }
    if (block === "pre-norm") {
      x = x.ref.add(this.attention(i, norm("attention", x)));
      return x.ref.add(this.feedForward(i, norm("feed_forward", x)));
    }
    x = x.ref.add(this.attention(i, x));
    return x.ref.add(this.feedForward(i, x));
  }

  /**
   * embeddings -> blocks -> logits. (B, T) -> (B, T, V)
   *
   * @param {Tensor} ids int32
   * @param {Tensor | null} positions (T,) int32; null counts from 0
   */
  logits(ids, positions) {
    const { config } = this;
    const T = ids.shape[1];
    let x = this.weight("token_embedding.weight").slice(ids); // (B, T, C)
    if (config.positions) {
      const at = positions ? [positions] : [[0, T]];
      x = x.add(this.weight("position_embedding.weight").slice(.../** @type {any} */ (at)));
    }
    x = this.dropout(x, config.embedding_dropout);
    this.seen?.stream.push(x.ref);
    for (let i = 0; i < config.n_layer; i++) {
      x = this.block(i, x);
      this.seen?.stream.push(x.ref);
    }
    if ("norm.weight" in this.weights) x = this.norm("norm", x);
    return this.linear("lm_head", x);
  }
}

/**
 * Scores for the next character at every position of whole windows. Uses up all that it is given.
 *
 * @param {Weights} weights
 * @param {Tensor} ids (B, T) int32, T at most block_size
 * @param {import("./config.js").GPTConfig} config
 * @param {{key?: Tensor | null, seen?: Seen | null}} [options] as `Pass`
 * @returns {Tensor} (B, T, V)
 */
export function forward(weights, ids, config, options = {}) {
  const mask = np.tri(ids.shape[1], undefined, 0, { dtype: np.bool }); // (T, T)
  const pass = new Pass(weights, config, { mask, ...options });
  const logits = pass.logits(ids, null);
  tree.dispose([weights, mask, pass.key ?? []]);
  return logits;
}

/**
 * Likewise for T positions that follow what a cache holds.
 *
 * @param {Weights} weights
 * @param {Tensor} ids (1, T) int32
 * @param {import("./config.js").GPTConfig} config
 * @param {import("./cache.js").Cache} cache is given the new positions' keys and values
 * @param {Seen | null} seen
 * @returns {Tensor} (1, T, V)
 */
export function forwardCached(weights, ids, config, cache, seen) {
  const T = ids.shape[1];
  const positions = cache.positions(T); // (T,)
  const mask = cache.mask(T); // (T, S)
  const pass = new Pass(weights, config, { mask, cache, seen });
  const logits = pass.logits(ids, positions);
  tree.dispose([weights, mask]);
  return logits;
}

/**
 * Mean cross-entropy of the true next characters, in nats per character.
 *
 * @param {Tensor} logits (B, T, V)
 * @param {Tensor} targets (B, T) int32
 */
export function nextCharacterLoss(logits, targets) {
  return losses(logits, targets).mean();
}

/**
 * -ln p of each target. (B, T, V) and (B, T) -> (B, T)
 *
 * @param {Tensor} logits
 * @param {Tensor} targets int32
 */
export function losses(logits, targets) {
  const V = logits.shape[2];
  const logp = nn.logSoftmax(logits, -1); // (B, T, V)
  return nn.oneHot(targets, V).mul(logp).sum(-1).neg();
}
