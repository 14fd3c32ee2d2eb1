/**
 * A file that comes in pieces. Each is checked, and kept in the browser's cache: a download that
 * breaks off goes on where it was, also after the page was closed, from any server.
 */

/** @typedef {import("../elements/catalogue.js").Piece} Piece */
/** @typedef {import("../elements/desk.js").Progress} Progress */

const CACHE = "bardgpt-live";

/** A file that did not arrive, or not as it should; says so in words for the reader. */
export class DownloadError extends Error {
  name = "DownloadError";
}

export class Download {
  /**
   * @param {Piece[]} pieces
   * @param {string} base
   * @param {Record<string, Uint8Array>} held by path
   */
  constructor(pieces, base, held) {
    this.pieces = pieces;
    this.base = base;
    this.all = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    /** Pieces that have come, for browsers that keep nothing. @type {Map<string, Uint8Array>} */
    this.held = new Map(Object.entries(held));
    /** Paths of pieces that came damaged: no cache on the way may give them again. */
    this.damaged = new Set();
    /** The one that is going on. @type {Promise<ArrayBuffer> | null} */
    this.going = null;
    /** Who waits for it: what each wants to hear. @type {Set<(progress: Progress) => void>} */
    this.waiting = new Set();
    this.aborter = new AbortController();
  }

  /** Whether all of it is in the browser's cache. */
  async isKept() {
    const cache = await openCache();
    if (!cache) return false;
    for (const piece of this.pieces) {
      if (!(await cache.match(this.address(piece)))) return false;
    }
    return true;
  }

  /**
   * All who want the file at once share one download. Each may leave; when all have, it ends.
   *
   * @param {AbortSignal} [signal]
   * @param {(progress: Progress) => void} [progress]
   * @returns {Promise<ArrayBuffer>} for reading: the others have the same
   */
  whole(signal, progress) {
    const hear = (/** @type {Progress} */ news) => progress?.(news);
    return new Promise((resolve, reject) => {
      this.waiting.add(hear);
      signal?.addEventListener("abort", () => {
        reject(signal.reason);
        if (this.waiting.delete(hear) && this.waiting.size === 0) this.aborter.abort();
      });
      this.going ??= this.start();
      this.going.then(resolve, reject);
    });
  }

  start() {
    const { waiting } = this;
    const aborter = new AbortController();
    this.aborter = aborter;
    const going = this.arriving(aborter.signal, (news) => {
      for (const hear of waiting) hear(news);
    });
    const end = () => {
      if (this.going !== going) return; // all had left, and another has begun
      this.going = null;
      this.waiting = new Set();
    };
    aborter.signal.addEventListener("abort", end);
    going.then(end, end);
    return going;
  }

  /**
   * @param {AbortSignal} signal
   * @param {(progress: Progress) => void} progress
   * @returns {Promise<ArrayBuffer>}
   */
  async arriving(signal, progress) {
    const cache = await openCache();
    const file = new Uint8Array(this.all);
    let got = 0;
    for (const piece of this.pieces) {
      /** @param {number} more */
      const count = (more) => progress({ got: got + more, all: this.all });
      const bytes = await this.piece(piece, cache, count, got, signal);
      this.held.set(piece.path, bytes);
      file.set(bytes, got);
      got += piece.bytes;
      count(0);
    }
    if (this.base) this.held.clear(); // what the page carries comes from nowhere else
    return file.buffer;
  }

  /**
   * @param {Piece} piece
   * @param {Cache | null} cache
   * @param {(bytes: number) => void} count
   * @param {number} before bytes of the file that are there
   * @param {AbortSignal} [signal]
   * @returns {Promise<Uint8Array>}
   */
  async piece(piece, cache, count, before, signal) {
    const held = this.held.get(piece.path);
    if (held) return held;
    const address = this.address(piece);
    const stored = await cache?.match(address);
    if (stored) {
      const bytes = new Uint8Array(await stored.arrayBuffer());
      if (await isRight(bytes, piece)) return bytes;
      await cache?.delete(address);
    }
    const bytes = await this.fetched(address, piece, count, before, signal);
    if (!(await isRight(bytes, piece))) {
      this.damaged.add(piece.path);
      throw new DownloadError("A part of the model arrived damaged.");
    }
    // Storage may be full: the model is there all the same.
    const body = /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
    await cache?.put(address, new Response(body)).catch(() => {});
    return bytes;
  }

  /**
   * @param {string} address
   * @param {Piece} piece
   * @param {(bytes: number) => void} count
   * @param {number} before
   * @param {AbortSignal} [signal]
   */
  async fetched(address, piece, count, before, signal) {
    const bytes = new Uint8Array(piece.bytes);
    let got = 0;
    try {
      const cache = this.damaged.has(piece.path) ? "reload" : "default";
      const response = await fetch(address, { signal, cache });
      if (!response.ok || !response.body) throw new Error(`${response.status}`);
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        bytes.set(value, got); // of a part that is too long this fails, as it should
        got += value.length;
        count(got);
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      const size = (/** @type {number} */ n) => (n / 1e6).toFixed(1);
      throw new DownloadError(
        `The connection broke after ${size(before + got)} of ${size(this.all)} MB.`,
      );
    }
    return bytes.subarray(0, got);
  }

  /** The hash is in it, so that no cache takes another version for this one. @param {Piece} piece */
  address({ path, sha256 }) {
    return `${new URL(path, this.base).href}?v=${sha256.slice(0, 16)}`;
  }
}

/** The browser's cache; null where it is blocked, or the page is not from a secure place. */
async function openCache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return null;
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {Piece} piece
 */
async function isRight(bytes, piece) {
  if (bytes.length !== piece.bytes) return false;
  if (!globalThis.crypto?.subtle) return true; // not from a secure place: the length must do
  const view = /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", view));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") === piece.sha256;
}
