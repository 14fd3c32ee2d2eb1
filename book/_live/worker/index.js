/**
 * The engine at work beside the page: it answers calls, so that the page never waits.
 *
 * A call is `{call, what, given}`; its answer `{call, value}` or `{call, error, name}`. A session is
 * a model with a text behind it, which goes on as often as it is asked.
 */
import { drawn, probabilities, Random, Tokenizer } from "../engine/index.js";
import { Library } from "./library.js";
import { Readings } from "./readings.js";
import { advance, begin, endRun, measure, sample } from "./runs.js";

/** @typedef {import("../elements/catalogue.js").Catalogue} Catalogue */
/** @typedef {import("../engine/sampling.js").Draw} Draw */

/**
 * @typedef {object} Session
 * @property {{append: (id: number) => void, logits: () => Promise<ArrayLike<number>>, dispose: () => void}} text
 * @property {Random} random
 * @property {ArrayLike<number>} logits of the character that is next, or was drawn last
 * @property {number | null} id that was drawn from them
 */

const BARS = 10;
/** @type {Library} */
let library;
/** @type {Readings} */
let readings;
/** @type {Tokenizer} */
let tokenizer;
/** @type {Map<number, Session>} */
const sessions = new Map();
/** @type {Map<number, AbortController>} */
const loads = new Map();

/** @param {number} number */
function session(number) {
  const found = sessions.get(number);
  if (!found) throw new Error("this text is closed");
  return found;
}

/**
 * The likeliest next characters: those beyond top-k have the share that they would have without it.
 *
 * @param {Session} session
 * @param {Draw} draw
 */
function bars({ logits, id }, draw) {
  const all = probabilities(logits, { ...draw, topK: null });
  const kept = probabilities(logits, draw);
  return Array.from(all, (_, i) => i)
    .sort((a, b) => logits[b] - logits[a] || a - b)
    .slice(0, BARS)
    .map((i, rank) => {
      const isCut = draw.topK != null && rank >= draw.topK;
      const share = isCut ? all[i] : kept[i];
      return { character: tokenizer.decode([i]), share, isCut, isDrawn: i === id };
    });
}

/** @type {Record<string, (given: any, call: number) => any>} */
const answers = {
  /**
   * @param {{catalogue: Catalogue, base: string, held?: Record<string, Uint8Array>}} given held are
   *   files that the page carries
   */
  open({ catalogue, base, held = {} }) {
    library = new Library(catalogue, base, held);
    readings = new Readings(library);
    tokenizer = new Tokenizer(catalogue.vocabulary);
  },

  /** @param {{number: number}} given */
  cancel({ number }) {
    loads.get(number)?.abort();
  },

  /** @param {{file: string}} given */
  kept({ file }) {
    return library.isKept(file);
  },

  /**
   * @param {{model: string}} given
   * @param {number} call
   */
  async load({ model }, call) {
    const aborter = new AbortController();
    loads.set(call, aborter);
    try {
      await library.model(model, aborter.signal, (progress) => postMessage({ call, progress }));
    } finally {
      loads.delete(call);
    }
  },

  /**
   * @param {{files: string[]}} given
   * @param {number} call
   */
  async texts({ files }, call) {
    const aborter = new AbortController();
    loads.set(call, aborter);
    try {
      for (const file of files) {
        await library.text(file, aborter.signal, (progress) => postMessage({ call, progress }));
      }
    } finally {
      loads.delete(call);
    }
  },

  train: (given, call) => begin(library, given, call),
  advance,
  measure,
  sample,
  "end-run": endRun,

  /**
   * @param {{model: string, text: string, seed: number}} given an empty text is what every text
   *   begins after
   * @param {number} call by whose number the session is known from here on
   */
  async begin({ model, text, seed }, call) {
    const loaded = await library.model(model);
    const ids = tokenizer.encode(text || tokenizer.beginning);
    const begun = loaded.begin(ids);
    const logits = await begun.logits();
    sessions.set(call, { text: begun, random: new Random(seed), logits, id: null });
    return call;
  },

  /** @param {{number: number, draw: Draw}} given */
  bars({ number, draw }) {
    return bars(session(number), draw);
  },

  /** @param {{number: number, draw: Draw, most: number}} given */
  async write({ number, draw, most }) {
    const writing = session(number);
    let text = "";
    for (let n = 0; n < most; n++) {
      if (writing.id !== null) {
        writing.text.append(writing.id);
        writing.logits = await writing.text.logits();
      }
      writing.id = drawn(probabilities(writing.logits, draw), writing.random.uniform());
      text += tokenizer.decode([writing.id]);
    }
    return { text, bars: bars(writing, draw) };
  },

  /**
   * @param {import("./readings.js").Wish} given
   * @param {number} call whose progress are costs
   */
  read(given, call) {
    return readings.read(given, (costs) => postMessage({ call, progress: costs }));
  },

  /** @param {{reading: number, at: number}} given */
  expected: (given) => readings.expected(given),

  /** @param {{reading: number, at: number}} given */
  look: (given) => readings.look(given),

  /** @param {{reading: number}} given */
  "stop-reading": (given) => readings.stop(given),

  /** @param {{reading: number}} given */
  "end-reading": (given) => readings.end(given),

  /** @param {{number: number}} given */
  end({ number }) {
    sessions.get(number)?.text.dispose();
    sessions.delete(number);
  },
};

addEventListener("message", async ({ data: { call, what, given } }) => {
  try {
    postMessage({ call, value: await answers[what](given, call) });
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error);
    postMessage({ call, name, error: message });
  }
});
