/**
 * Models in training: what the trainers of a page ask for, a little at a time, so that all that is
 * asked of the worker has its turn.
 */
import {
  drawn,
  Evaluation,
  Neural,
  nParameters,
  probabilities,
  Random,
  Trainer,
} from "../engine/index.js";

/** @typedef {import("../engine/config.js").GPTConfig} GPTConfig */
/** @typedef {import("../engine/config.js").TrainingConfig} TrainingConfig */

/**
 * Of how many windows of the validation text a curve is drawn, and the first: chosen so that the
 * recorded models lose on them what they lose on all, within 0.01 nats.
 */
const SHARE = { every: 13, from: 10 };
const TURN = 60; // milliseconds of steps before others have their turn
const WORD = 8; // likewise, characters

/** Lets waiting calls begin. @returns {Promise<void>} */
const pause = () => new Promise((resolve) => setTimeout(resolve));

class Run {
  /**
   * @param {Partial<GPTConfig>} model
   * @param {Partial<TrainingConfig>} training
   * @param {Int32Array} ids
   * @param {Int32Array} unseen
   */
  constructor(model, training, ids, unseen) {
    this.trainer = new Trainer(model, training, ids);
    const { shift } = this.trainer.config; // who forgets it in training forgets it in measuring
    this.some = new Evaluation(this.trainer.model, unseen, { share: SHARE, shift });
    this.all = new Evaluation(this.trainer.model, unseen, { shift });
    this.isOver = false;
    /** @type {Promise<any>} */
    this.last = Promise.resolve();
  }

  /**
   * One thing at a time, in the order in which it is asked for.
   *
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  next(work) {
    const done = this.last.then(() => {
      this.check();
      return work();
    });
    this.last = done.catch(() => {});
    return done;
  }

  check() {
    if (this.isOver) throw new Error("this run is over");
  }

  async rest() {
    await pause();
    this.check();
  }

  end() {
    this.isOver = true;
    this.last.then(() => {
      this.trainer.dispose();
      this.some.dispose();
      this.all.dispose();
    });
  }
}

/** @type {Map<number, Run>} */
const runs = new Map();
/** @type {import("./library.js").Library} */
let library;

/** @param {number} number */
function run(number) {
  const found = runs.get(number);
  if (!found) throw new Error("this run is over");
  return found;
}

/**
 * @param {import("./library.js").Library} from
 * @param {{model: Partial<GPTConfig>, training: Partial<TrainingConfig>, files: string[]}} given
 *   the files of the text to learn from, and of the one to measure on
 * @param {number} call by whose number the run is known from here on
 */
export async function begin(from, { model, training, files }, call) {
  library = from;
  const [ids, unseen] = await Promise.all(files.map((file) => library.text(file)));
  await library.started();
  const begun = new Run(model, training, ids, unseen);
  runs.set(call, begun);
  return { number: call, parameters: nParameters(begun.trainer.model) };
}

/**
 * Steps, as many as there is time for, but none beyond `until`.
 *
 * @param {{number: number, until: number}} given
 */
export function advance({ number, until }) {
  const { trainer } = run(number);
  return run(number).next(async () => {
    const end = performance.now() + TURN;
    const losses = [];
    while (trainer.step < until && (!losses.length || performance.now() < end)) {
      losses.push(await trainer.advance());
      if (!Number.isFinite(losses.at(-1))) break;
    }
    return { step: trainer.step, losses };
  });
}

/**
 * The loss on the validation text, or by default on a part of it.
 *
 * @param {{number: number, isWhole: boolean}} given
 * @returns {Promise<number>}
 */
export function measure({ number, isWhole }) {
  const asked = run(number);
  const evaluation = isWhole ? asked.all : asked.some;
  return asked.next(() => evaluation.loss(asked.trainer.state.weights, () => asked.rest()));
}

/**
 * What the model writes as it is now.
 *
 * @param {{number: number, prompt: string, length: number, seed: number}} given
 * @returns {Promise<string>}
 */
export function sample({ number, prompt, length, seed }) {
  const asked = run(number);
  const { trainer } = asked;
  return asked.next(async () => {
    const model = new Neural(trainer.model, await trainer.weights());
    const text = model.begin(library.tokenizer.encode(prompt));
    const random = new Random(seed);
    const written = [];
    try {
      for (let n = 0; n < length; n++) {
        if (n % WORD === 0) await asked.rest();
        const shares = probabilities(await text.logits(), { temperature: 1 });
        const id = drawn(shares, random.uniform());
        written.push(id);
        text.append(id);
      }
    } finally {
      text.dispose();
      model.dispose();
    }
    return library.tokenizer.decode(written);
  });
}

/** Gives a run's memory back. @param {{number: number}} given */
export function endRun({ number }) {
  runs.get(number)?.end();
  runs.delete(number);
}
