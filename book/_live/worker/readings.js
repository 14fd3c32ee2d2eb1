/**
 * Texts that are read: what each character costs, what was expected in its place, and where the
 * model looked.
 *
 * A reading begins as after a line's end, so that the first character has a cost, too. What was
 * read of a text stays as far as the next one is the same.
 */

/** @typedef {import("./library.js").Library} Library */
/** @typedef {import("./library.js").Model} Model */
/** @typedef {[number, number][]} Heads block and head of each, from 0 */
/** @typedef {{from: number, costs: Float32Array}} Costs of characters from one on, in nats */

/**
 * @typedef {object} Wish
 * @property {number} reading
 * @property {string} model
 * @property {Heads} off
 * @property {string} text
 */

const BARS = 10;
const MOST = 24; // milliseconds before other calls have their turn

export class Readings {
  /** @param {Library} library */
  constructor(library) {
    this.library = library;
    /** @type {Map<number, Reading>} */
    this.all = new Map();
  }

  /**
   * @param {Wish} wish
   * @param {(costs: Costs) => void} tell
   * @returns {Promise<boolean>} whether it came to the end: another text may be wanted by then
   */
  async read({ reading, model, off, text }, tell) {
    const { tokenizer } = this.library;
    const known = this.all.get(reading) ?? new Reading(tokenizer.vocabulary);
    this.all.set(reading, known);
    const turn = ++known.turn;
    const loaded = await this.library.model(model);
    if (!(await known.take(loaded, model, off, turn))) return false;
    return known.read(tokenizer.encode(tokenizer.beginning + text), turn, tell);
  }

  /** @param {{reading: number, at: number}} given a place in the text */
  expected({ reading, at }) {
    return this.all.get(reading)?.expected(at) ?? null;
  }

  /** @param {{reading: number, at: number}} given */
  async look({ reading, at }) {
    return (await this.all.get(reading)?.look(at)) ?? null;
  }

  /** What is read by then stays. @param {{reading: number}} given */
  stop({ reading }) {
    this.all.get(reading)?.stop();
  }

  /** @param {{reading: number}} given */
  end({ reading }) {
    this.all.get(reading)?.end();
    this.all.delete(reading);
  }
}

class Reading {
  /** @param {string[]} vocabulary */
  constructor(vocabulary) {
    this.vocabulary = vocabulary;
    /** The line's end and the text. @type {Int32Array} */
    this.ids = new Int32Array();
    /** ln p of every character after each position. @type {Float32Array[]} */
    this.rows = [];
    /** Goes up with each text that is wanted. */
    this.turn = 0;
    /** Which model, without which heads. */
    this.name = "";
    /** @type {Model | null} */
    this.model = null;
    /** @type {Model | null} made for this reading alone */
    this.own = null;
  }

  /**
   * @param {Model} model
   * @param {string} id
   * @param {Heads} off
   * @param {number} turn
   * @returns {Promise<boolean>} whether it is still wanted
   */
  async take(model, id, off, turn) {
    const name = `${id} ${off.join(" ")}`;
    if (turn !== this.turn || name === this.name) return turn === this.turn;
    const own = off.length && "without" in model ? await model.without(off) : null;
    if (turn !== this.turn) {
      own?.dispose();
      return false;
    }
    this.own?.dispose();
    this.own = own;
    this.model = own ?? model;
    this.name = name;
    this.ids = new Int32Array();
    this.rows = [];
    return true;
  }

  /**
   * @param {Int32Array} ids
   * @param {number} turn
   * @param {(costs: Costs) => void} tell
   */
  async read(ids, turn, tell) {
    let same = 0;
    while (same < ids.length && ids[same] === this.ids[same]) same++;
    this.ids = ids;
    this.rows.length = Math.min(same, this.rows.length);
    tell(this.costs(0));
    const model = /** @type {Model} */ (this.model);
    const V = this.vocabulary.length;
    let then = performance.now();
    for await (const { from, logp } of model.read(ids, this.rows.length)) {
      if (turn !== this.turn) return false;
      for (let at = 0; at < logp.length; at += V) this.rows.push(logp.subarray(at, at + V));
      tell(this.costs(from));
      if (performance.now() - then < MOST) continue;
      await new Promise((done) => setTimeout(done));
      if (turn !== this.turn) return false;
      then = performance.now();
    }
    return true;
  }

  /**
   * @param {number} from a place in the text
   * @returns {Costs} of what is read from there on
   */
  costs(from) {
    const end = Math.min(this.rows.length, this.ids.length - 1);
    const costs = new Float32Array(Math.max(0, end - from));
    for (let i = 0; i < costs.length; i++) {
      costs[i] = -this.rows[from + i][this.ids[from + i + 1]];
    }
    return { from, costs };
  }

  /**
   * The likeliest characters at a place in the text.
   *
   * @param {number} at
   */
  expected(at) {
    const row = this.rows[at];
    if (!row) return null;
    const right = this.ids[at + 1];
    const ranked = Array.from(row, (_, i) => i).sort((a, b) => row[b] - row[a] || a - b);
    const bars = ranked.slice(0, BARS).map((i) => ({
      character: this.vocabulary[i],
      share: Math.exp(row[i]),
      isCut: false,
      isDrawn: i === right,
    }));
    return { bars, rank: ranked.indexOf(right) + 1 };
  }

  /**
   * What the model saw when it expected the character at a place in the text.
   *
   * @param {number} at
   */
  async look(at) {
    if (!this.rows[at]) return null;
    const sight = await /** @type {Model} */ (this.model).look(this.ids, at);
    // Places in the text: the line's end before it is at -1.
    return { start: sight.start - 1, attention: sight.attention, hidden: sight.hidden };
  }

  stop() {
    this.turn += 1;
  }

  end() {
    this.stop();
    this.own?.dispose();
  }
}
