/**
 * `<bard-trainer>`: a small model that is trained in the page, beside the recorded runs of the model
 * of the book that is most like it. It can be broken on purpose.
 *
 * Inside stand a still picture and, as JSON, what can be set and what was recorded
 * (`bardgpt.teaching.live.trainers`). A run goes on a little at a time: two trainers take turns.
 */
import { bytesOf, megabytes } from "./catalogue.js";
import { Controls, inWords, modelOfSettings, nearest, trainingOfSettings } from "./controls.js";
import { arrived, ask, cancel, isThere, news } from "./desk.js";
import { counted } from "./foot.js";
import { Living } from "./living.js";
import { CANCELLED, isCancelled, inWords as why } from "./loading.js";
import { grouped, Results } from "./results.js";
import { copyButton, keep, opened } from "./state.js";

/** @typedef {import("./foot.js").Foot} Foot */
/** @typedef {import("./controls.js").Settings} Settings */
/** @typedef {import("./controls.js").Control} Control */
/** @typedef {import("./results.js").Recorded} Recorded */
/** @typedef {import("./results.js").Run} Run */
/**
 * @typedef {object} Given
 * @property {Record<string, Control>} controls
 * @property {Record<string, string>} breaks
 * @property {Settings} usual how the recorded models were trained
 * @property {Record<string, Recorded>} recorded
 */
/** @typedef {"idle" | "loading" | "running" | "stopped" | "failed"} State */

const FILES = ["text", "validation"];
const MOST = 4; // runs that are kept: the last, and three before it
const POINT = 50; // steps between two points of the curve
const SPOKEN = 200; // likewise, between two losses that are read out
const PROMPT = "ROMEO:";
const LENGTH = 160; // characters that it writes

export class Trainer extends Living {
  task = "Training";
  /** @type {State} */
  state = "idle";
  /** @type {Run[]} the last one is the newest */
  runs = [];
  turn = 0; // goes up whenever what was going on is over
  /** @type {number | null} */
  loading = null;
  count = 0;

  disconnectedCallback() {
    this.stop();
  }

  build() {
    const data = this.querySelector('script[type="application/json"]')?.textContent ?? "";
    /** @type {Given} */
    this.given = JSON.parse(data);
    /** @type {Settings} */
    const begin = JSON.parse(this.getAttribute("begin") ?? "{}");
    this.steps = Number(this.getAttribute("steps") ?? 1000);
    const shown = (this.getAttribute("vary") ?? "").split(" ").filter(Boolean);
    this.form = new Controls(this.given.controls, shown, begin);
    this.form.root.insertAdjacentHTML(
      "beforeend",
      '<div class="buttons"><button class="button primary" type="submit" data-go></button>' +
        '<span class="number" aria-hidden="true"></span></div><p class="trainer-model"></p>',
    );
    this.go = /** @type {HTMLButtonElement} */ (this.form.root.querySelector("[data-go]"));
    this.number = /** @type {HTMLElement} */ (this.form.root.querySelector(".number"));
    this.model = /** @type {HTMLElement} */ (this.form.root.querySelector(".trainer-model"));
    const stage = /** @type {HTMLElement} */ (this.querySelector(".live-stage"));
    const usual = { ...this.known.usual, seed: begin.seed }; // of the recorded runs all are meant
    this.results = new Results(stage, this.steps, (settings) =>
      this.nameOf({ ...usual, ...settings }),
    );
    stage.before(this.form.root);
    const { root } = /** @type {Foot} */ (this.foot);
    root.append(
      copyButton(
        this,
        () => this.parts.changed,
        (words) => this.say(words),
      ),
    );
    this.append(root);
    this.listen();
    this.change();
    this.say("Recorded runs. Train one of yours.");
    opened(this, (given) => {
      if (this.state === "running") this.stop();
      this.parts.take(given);
      this.change();
    });
  }

  listen() {
    const { root } = this.parts;
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.press();
    });
    root.addEventListener("input", () => {
      this.parts.say();
      this.change();
      keep(this, this.parts.changed);
    });
    new ResizeObserver(() => this.draw()).observe(this.shown.plot);
    news.addEventListener("there", () => this.invite());
    for (const event of ["pointerenter", "focusin"]) {
      this.addEventListener(event, () => this.reach(), { once: true });
    }
    // A page that is left may be frozen; who comes back finds the run where it was.
    addEventListener("pagehide", () => this.stop());
  }

  /** What the browser's cache has need not be asked for. */
  async reach() {
    for (const file of this.missing) {
      const isKept = await ask("kept", { file }).answer.catch(() => false); // a run will say why
      if (isKept) arrived(file);
    }
  }

  get parts() {
    return /** @type {Controls} */ (this.form);
  }

  get shown() {
    return /** @type {Results} */ (this.results);
  }

  get known() {
    return /** @type {Given} */ (this.given);
  }

  /** The newest run. @returns {Run | undefined} */
  get run() {
    return this.runs.at(-1);
  }

  /** Files that a click must ask for. */
  get missing() {
    return FILES.filter((file) => !isThere(file));
  }

  /** Whether the run that stands still is of what is set. */
  get canGoOn() {
    const { run } = this;
    if (!run?.begun) return false;
    return JSON.stringify(run.settings) === JSON.stringify(this.parts.settings);
  }

  /** Another model is set, or again the one whose run stands still. */
  change() {
    const { settings } = this.parts;
    if (this.state === "stopped" || this.state === "failed") {
      const goesOn = this.run?.begun ? ` Set as before, run ${this.run.name} goes on.` : "";
      this.say(`Another model is set.${goesOn}`);
    }
    if (this.state !== "loading" && this.state !== "running") this.state = "idle";
    if (this.state === "idle" && this.canGoOn) this.halt();
    this.near = nearest(settings, this.known.recorded);
    /** @type {HTMLElement} */ (this.model).textContent = this.nameOf(settings);
    this.invite();
    this.draw();
  }

  /** @param {Settings} settings */
  nameOf(settings) {
    return inWords(settings, this.known.controls, this.parts.begin);
  }

  /** Enter, or the button. */
  press() {
    if (this.state === "running") this.stop();
    else if (this.state === "loading") cancel(/** @type {number} */ (this.loading));
    else this.train();
  }

  async train() {
    const turn = ++this.turn;
    try {
      await this.load();
      if (turn !== this.turn) return;
      this.enter("running", "Stop");
      const run = (this.canGoOn && this.run) || this.begin();
      this.say("Training…");
      const number = await run.begun;
      if (turn !== this.turn || number === null) return;
      while (turn === this.turn && run.step < this.total) await this.advance(run, number, turn);
      if (turn === this.turn) await this.end(run, number, turn);
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error));
    }
  }

  get total() {
    return this.steps ?? 0;
  }

  async load() {
    if (!("WebAssembly" in window)) throw new Error("this browser has no WebAssembly.");
    const { missing } = this;
    if (!missing.length) return;
    this.enter("loading", "Cancel");
    this.say("Loading the text.");
    const { number, answer } = ask("texts", { files: missing }, ({ got, all }) =>
      this.show(got / all, `${megabytes(got)} of ${megabytes(all)} MB`),
    );
    this.loading = number;
    try {
      await answer;
    } finally {
      this.loading = null;
    }
    for (const file of missing) arrived(file);
  }

  /** A new run of what is set. @returns {Run} */
  begin() {
    const { settings } = this.parts;
    this.finish();
    const begun = ask("train", {
      model: modelOfSettings(settings),
      training: trainingOfSettings(settings, this.total),
      files: FILES,
    }).answer;
    this.count += 1;
    /** @type {Run} */
    const run = {
      name: this.count,
      settings,
      words: this.nameOf(settings),
      points: [],
      step: 0,
      losses: [],
      parameters: null,
      end: null,
      begun: begun.then(({ number, parameters }) => {
        run.parameters = parameters;
        return number;
      }),
    };
    run.begun?.catch(() => {
      run.begun = null;
    });
    this.runs = [...this.runs, run].slice(-MOST);
    this.shown.clear();
    this.draw();
    return run;
  }

  /**
   * Steps, and a point of the curve when it is due.
   *
   * @param {Run} run
   * @param {number} number
   * @param {number} turn
   */
  async advance(run, number, turn) {
    if (run.step % POINT === 0 && run.points.at(-1)?.[0] !== run.step)
      await this.measure(run, number);
    if (turn !== this.turn) return;
    const until = Math.min(this.total, (Math.floor(run.step / POINT) + 1) * POINT);
    const { step, losses } = await ask("advance", { number, until }).answer;
    run.step = step;
    run.losses.push(...losses);
    if (turn === this.turn) this.showStep(run);
    else if (run === this.run && this.state === "stopped") this.halt(); // asked before Stop
    if (!Number.isFinite(losses.at(-1))) {
      run.points.push([step, Number.NaN]);
      throw new LostError(step);
    }
    if (turn !== this.turn) return;
    if (step % SPOKEN === 0) {
      const loss = losses.at(-1).toFixed(2);
      this.say(`Step ${grouped(step)} of ${grouped(this.total)}, loss of the last batch ${loss}.`);
    }
  }

  /**
   * @param {Run} run
   * @param {number} number
   */
  async measure(run, number) {
    const loss = await ask("measure", { number, isWhole: false }).answer;
    run.points.push([run.step, loss]);
    if (!Number.isFinite(loss)) throw new LostError(run.step);
    this.draw();
  }

  /**
   * All steps are done: the loss as the records have it, and what the model writes. Stopped here, a
   * run goes on here.
   *
   * @param {Run} run
   * @param {number} number
   * @param {number} turn
   */
  async end(run, number, turn) {
    if (run.end === null) {
      this.say("Measuring on the whole validation text…");
      const loss = await ask("measure", { number, isWhole: true }).answer;
      if (turn !== this.turn) return;
      run.points.push([run.step, loss]);
      if (!Number.isFinite(loss)) throw new LostError(run.step);
      run.end = /** @type {number} */ (loss);
      this.draw();
    }
    this.say("Writing…");
    await this.sample(run, number);
    if (turn !== this.turn) return;
    this.shown.tell(this.known.breaks[run.settings.break]);
    this.finish();
    this.state = "idle";
    this.invite();
    this.say(`${counted(run.step, "step")} done: loss ${run.end.toFixed(3)}.`);
  }

  /**
   * @param {Run} run
   * @param {number} number
   */
  async sample(run, number) {
    const seed = Number(run.settings.seed);
    const given = { number, prompt: PROMPT, length: LENGTH, seed };
    const text = await ask("sample", given).answer;
    if (run === this.run)
      this.shown.write(PROMPT, text, `Run ${run.name} after ${counted(run.step, "step")}`);
  }

  stop() {
    if (this.state === "loading" && this.loading !== null) cancel(this.loading);
    if (this.state !== "running") return;
    const turn = ++this.turn;
    const { run } = this;
    this.halt();
    if (!run?.step || !run.begun || !this.isConnected) return;
    run.begun
      .then((number) => (turn === this.turn ? this.sample(run, number) : undefined))
      .catch(() => {}); // the run went on, or is over
  }

  /** Says where the newest run stands still. */
  halt() {
    this.enter("stopped", "Go on");
    if (!this.run) return;
    this.showStep(this.run);
    this.say(`Stopped after ${counted(this.run.step, "step")}.`);
    this.draw();
  }

  /** Gives the engine's memory of the newest run back. */
  finish() {
    const { run } = this;
    run?.begun?.then((number) => ask("end-run", { number })).catch(() => {});
    if (run) run.begun = null;
  }

  /** @param {Error} error */
  fail(error) {
    if (isCancelled(error)) {
      this.state = "idle";
      this.say(CANCELLED);
      this.invite();
      return;
    }
    if (error instanceof LostError) {
      this.finish();
      this.enter("failed", this.word);
      this.draw();
      this.say(
        `Lost at step ${grouped(error.step)}: the loss is no number any more. A smaller rate or a warm-up may help.`,
      );
      return;
    }
    this.finish();
    this.enter("failed", "Try again");
    this.say(why(error));
  }

  get word() {
    const bytes = this.missing.reduce((sum, file) => sum + bytesOf(file), 0);
    return `Train ${grouped(this.total)} steps${bytes ? ` (loads ${megabytes(bytes)} MB)` : ""}`;
  }

  /** The button says what it will do. */
  invite() {
    if (this.state === "idle") this.enter("idle", this.word);
  }

  /**
   * @param {State} state
   * @param {string} word for the button
   */
  enter(state, word) {
    this.state = state;
    this.dataset.state = state;
    const isBusy = state === "running" || state === "loading";
    const go = /** @type {HTMLButtonElement} */ (this.go);
    go.textContent = word;
    go.classList.toggle("primary", !isBusy);
    const { fields } = this.parts;
    if (isBusy && fields.contains(document.activeElement)) go.focus(); // Enter in a field
    fields.disabled = isBusy;
    if (state === "idle") this.show(0, "");
  }

  /** @param {string} words */
  say(words) {
    this.foot?.say(words);
  }

  /** @param {Run} run */
  showStep({ step }) {
    this.show(step / this.total, `step ${grouped(step)} of ${grouped(this.total)}`);
  }

  /**
   * How far it is: seen, and not read out.
   *
   * @param {number} share
   * @param {string} words
   */
  show(share, words) {
    this.foot?.fill(share);
    /** @type {HTMLElement} */ (this.number).textContent = words;
  }

  draw() {
    const [name, distance] = this.near ?? ["", 0];
    this.shown.draw(this.runs, this.known.recorded[name], distance === 0);
  }
}

/** A run whose loss is no number any more. */
class LostError extends Error {
  /** @param {number} step */
  constructor(step) {
    super("the loss is no number any more");
    this.step = step;
  }
}
