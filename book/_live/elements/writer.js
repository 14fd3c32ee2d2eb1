/**
 * `<bard-writer>`: the reader's prompt, gone on with by one model of the book, or by two side by side.
 *
 * Inside stands a still picture: for each model a `figure[data-model]` with its name and what it
 * wrote in a recorded run. The first touch starts the engine; what is large comes after a click.
 */
import { ask, news } from "./desk.js";
import { counted } from "./foot.js";
import { Form } from "./form.js";
import { known, leftOut } from "./known.js";
import { Living } from "./living.js";
import {
  CANCELLED,
  cancelled,
  inWords,
  isCancelled,
  Loading,
  lookAround,
  toLoad,
} from "./loading.js";
import { Slot } from "./slot.js";
import { copyButton, keep, opened } from "./state.js";

/** @typedef {import("./foot.js").Foot} Foot */
/** @typedef {"idle" | "loading" | "running" | "stopped" | "failed"} State */

const LENGTH = 500; // characters that are written before the writer asks whether to go on
const AT_ONCE = 2; // characters between two looks at the page
const CALM = 50; // likewise, where the reader wants less motion
const PACE = 16; // milliseconds for them at least: faster nobody reads
const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Writer extends Living {
  /** @type {State} */
  state = "idle";
  /** @type {Slot[]} */
  slots = [];
  written = 0;
  turn = 0; // goes up whenever what was going on is over
  loading = new Loading();
  isReached = false;

  disconnectedCallback() {
    if (this.state === "running" || this.state === "loading") this.stop();
  }

  build() {
    const isCompact = this.hasAttribute("compact");
    const stage = /** @type {HTMLElement} */ (this.querySelector(".live-stage"));
    const pictures = /** @type {HTMLElement[]} */ ([...stage.querySelectorAll("[data-model]")]);
    const models = pictures.map((picture) => picture.dataset.model ?? "");
    this.form = new Form(this.getAttribute("prompt") ?? "", models, isCompact);
    this.slots = pictures.map((picture) => new Slot(picture));
    while (this.slots.length < 2) {
      const slot = Slot.empty();
      stage.append(slot.root);
      this.slots.push(slot);
    }
    this.note = document.createElement("p");
    this.note.className = "live-note";
    this.note.setAttribute("role", "status");
    if (isCompact) stage.after(this.form.root, this.note);
    else stage.before(this.form.root, this.note);
    const foot = /** @type {Foot} */ (this.foot);
    const copy = copyButton(
      this,
      () => this.parts.changed,
      (words) => this.say(words),
    );
    foot.root.append(copy);
    this.append(foot.root);
    this.listen();
    this.invite();
    this.say(`Recorded runs. ${this.bringing || "Write one of yours."}`);
    opened(this, (given) => {
      this.parts.take(given);
      this.changePrompt();
    });
  }

  listen() {
    const { root, clear, prompt } = this.parts;
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.press();
    });
    clear.addEventListener("click", () => this.reset());
    root.addEventListener("input", ({ target }) => {
      const { name } = /** @type {HTMLInputElement} */ (target);
      this.parts.say();
      keep(this, this.parts.changed);
      if (name === "temperature" || name === "top-k") this.showBars();
      else if (target === prompt) this.changePrompt();
      else this.reset();
    });
    for (const event of ["pointerenter", "pointerdown", "focusin"]) {
      this.addEventListener(event, () => this.reach(), { once: true });
    }
    news.addEventListener("there", () => {
      if (this.state !== "idle") return;
      this.invite();
      this.say(this.bringing || "Ready.");
    });
  }

  get parts() {
    return /** @type {Form} */ (this.form);
  }

  /** Those that show a model. */
  get used() {
    return this.slots.filter((slot) => slot.model);
  }

  /** Megabytes that a click must ask for. */
  get missingSize() {
    return toLoad(this.parts.settings.models);
  }

  /** What the click will do, if it must ask. */
  get bringing() {
    const size = this.missingSize;
    return size ? `Loading brings ${size} MB, which your browser keeps.` : "";
  }

  /** The engine starts at the reader's first touch, and looks into the browser's cache. */
  async reach() {
    if (this.isReached) return;
    this.isReached = true;
    await lookAround();
    await this.showBars();
  }

  /** Enter, or the button. */
  press() {
    this.reach();
    if (this.state === "running") this.stop();
    else if (this.state === "loading") this.cancel();
    else this.run();
  }

  async run() {
    const turn = ++this.turn;
    try {
      await this.load();
      if (turn !== this.turn) return;
      this.enter("running", "Stop", false);
      this.say("Writing…");
      if (this.written === 0) for (const slot of this.used) slot.start(this.given);
      await this.begin();
      const length = this.written + LENGTH;
      while (turn === this.turn && this.written < length) await this.step();
      if (turn === this.turn) this.rest(`${counted(this.written, "character")} written.`);
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error));
    }
  }

  /** A few characters more, from both models. */
  async step() {
    const began = performance.now();
    const most = still.matches ? CALM : AT_ONCE;
    const { draw, used } = this;
    const texts = used.map((slot) => slot.begun);
    const answers = texts.map(async (begun) => {
      return ask("write", { number: await begun, draw, most }).answer;
    });
    const parts = await Promise.all(answers);
    if (used.some((slot, i) => slot.begun !== texts[i])) return; // other texts by now
    for (const [i, slot] of used.entries()) slot.add(parts[i].text, parts[i].bars);
    this.written += most;
    if (this.state === "stopped") this.say(`Stopped after ${counted(this.written, "character")}.`);
    const left = PACE - (performance.now() - began);
    if (left > 0) await new Promise((done) => setTimeout(done, left));
  }

  /** Loads what is not there yet. */
  async load() {
    const isLong = this.missingSize > 0;
    const models = this.parts.settings.models;
    if (isLong) {
      this.enter("loading", "Cancel", false);
      this.say(`Loading ${this.missingSize} MB`, true);
    } else {
      this.enter("running", "Stop", false);
    }
    await this.loading.load(models, (progress) => isLong && this.foot?.showProgress(progress));
  }

  /** The models with the prompt behind them. */
  begin() {
    const { seed } = this.parts.settings;
    return Promise.all(this.used.map((slot) => slot.begin(this.given, seed)));
  }

  /** What is likely next, where that can be said without a click. */
  async showBars() {
    if (!this.isReached || this.missingSize || this.state === "running") return;
    const turn = this.turn;
    try {
      for (const model of this.parts.settings.models) await ask("load", { model }).answer;
      if (turn !== this.turn) return;
      for (const slot of this.used) {
        const number = await slot.begin(this.given, this.parts.settings.seed);
        const bars = await ask("bars", { number, draw: this.draw }).answer;
        if (turn === this.turn) slot.show(bars);
      }
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error));
    }
  }

  get draw() {
    const { temperature, topK } = this.parts.settings;
    return { temperature, topK };
  }

  /** The prompt as the models can read it. */
  get given() {
    return known(this.parts.prompt.value);
  }

  changePrompt() {
    if (this.note) this.note.textContent = leftOut(this.parts.prompt.value);
    this.reset();
  }

  /** Back to the prompt. */
  reset() {
    this.turn += 1;
    this.loading.cancel();
    const { models } = this.parts.settings;
    this.written = 0;
    for (const [i, slot] of this.slots.entries()) {
      slot.end();
      slot.become(models[i]);
      slot.start(this.given);
    }
    this.state = "idle";
    const word = this.given ? "Ready." : "No prompt: it begins as after a line's end.";
    this.say(this.bringing || word);
    this.invite();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.showBars(), 150);
  }

  stop() {
    this.turn += 1;
    this.rest(
      this.written
        ? `Stopped after ${counted(this.written, "character")}.`
        : "Stopped before the first character.",
    );
  }

  cancel() {
    this.turn += 1;
    this.loading.cancel();
    this.fail(cancelled());
  }

  /** @param {string} word */
  rest(word) {
    this.enter("stopped", "Go on", true);
    this.say(word);
  }

  /** @param {Error} error */
  fail(error) {
    if (isCancelled(error)) {
      this.state = "idle";
      this.say(CANCELLED);
      this.invite();
      return;
    }
    this.enter("failed", "Try again", true);
    this.say(inWords(error));
  }

  /** The button says what it will do. */
  invite() {
    if (this.state !== "idle") return;
    this.enter("idle", this.missingSize ? `Load ${this.missingSize} MB` : "Write", true);
  }

  /**
   * @param {State} state
   * @param {string} word for the button
   * @param {boolean} isPrimary
   */
  enter(state, word, isPrimary) {
    this.state = state;
    this.dataset.state = state;
    this.parts.name(word, isPrimary);
  }

  /**
   * @param {string} words
   * @param {boolean} [counts] whether a number beside them goes up, which is not read out
   */
  say(words, counts = false) {
    this.foot?.say(words, counts);
  }
}
