/**
 * `<bard-reader>`: a text of the reader's, each character coloured by what it costs a model; of a
 * chosen one, what was expected there, where each head looked and which hidden units fired.
 *
 * Inside stands a still picture: a `figure[data-model]` with the model's name, the mean loss and
 * the coloured text. Attributes: `at`, the chosen character; `show="heads"` opens the heads at once;
 * `switches` lets them be turned off. The first touch starts the engine.
 */
import { modelConfig } from "../engine/config.js";
import { carried } from "./carried.js";
import { catalogue, modelOf, offer } from "./catalogue.js";
import { ask, news } from "./desk.js";
import { counted } from "./foot.js";
import { Heads } from "./heads.js";
import { Ink } from "./ink.js";
import { beginning, known, leftOut } from "./known.js";
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
import { bits, MOST_UNITS, oneIn, Panel } from "./panel.js";
import { copyButton, keep, opened } from "./state.js";

/** @typedef {import("./foot.js").Foot} Foot */
/** @typedef {{start: number, attention: Float32Array[][], hidden: Float32Array[]}} Sight */

const LONGEST = 2000; // characters that are read
const LONG = 300; // milliseconds of reading after which it can be stopped
const REST = 400; // milliseconds without a key before it is said how much is read
const HEADS = /^\d+\.\d+( \d+\.\d+)*$/; // block and head of each, from 1
let made = 0;

const CONTROLS = `
  <div class="field text"><div class="label"><label for="ID-text">Text</label></div><textarea id="ID-text" name="text" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></div>
  <div class="field"><div class="label"><label for="ID-model">Model</label></div><select id="ID-model" name="model"></select></div>
  <div class="buttons"><button class="button primary" type="button" data-go hidden></button><button class="button" type="button" data-clear>Clear</button></div>`;

export class Reader extends Living {
  number = ++made; // by which the engine knows its text
  turn = 0; // goes up with each text that is wanted
  heard = 0; // the turn that the costs are from
  /** Nats of each character, as far as it is read. @type {number[]} */
  costs = [];
  /** Mean cost with all heads on, and of what. @type {{of: string, mean: number} | null} */
  whole = null;
  /** The character that is shown, and the one that was chosen and not only pointed at. */
  at = /** @type {number | null} */ (null);
  firm = /** @type {number | null} */ (null);
  /** What the model saw there. @type {Sight | null} */
  sight = null;
  /** @type {Heads | null} */
  heads = null;
  loading = new Loading();
  isReached = false;
  isAsking = false;
  isStale = false;
  isRecorded = true; // the colours are the still picture's

  disconnectedCallback() {
    this.turn += 1;
    this.loading.cancel();
    if (this.isReached) ask("end-reading", { reading: this.number });
  }

  build() {
    const foot = /** @type {Foot} */ (this.foot);
    this.figure = /** @type {HTMLElement} */ (this.querySelector("figure"));
    const voice = /** @type {HTMLElement} */ (this.figure.querySelector(".voice"));
    this.form = document.createElement("form");
    this.form.className = "live-controls";
    this.form.innerHTML = CONTROLS.replaceAll("ID", `reader-${this.number}`);
    this.note = document.createElement("p");
    this.note.className = "live-note";
    this.note.setAttribute("role", "status");
    this.panel = new Panel(
      (by) => this.choose((this.firm ?? this.at ?? -1) + by),
      () => (this.size ? "Known as soon as the model is loaded" : "Not read yet"),
    );
    this.more = document.createElement("details");
    this.more.className = "more";
    this.more.innerHTML = "<summary>Where it looked</summary>";
    this.more.open = this.getAttribute("show") === "heads";
    const looks = this.stillLooks();
    this.ink = new Ink(
      voice,
      (at, isFirm) => (isFirm ? this.choose(at) : this.point(at)),
      () => this.firm !== null && this.point(this.firm),
    );
    voice.style.minHeight = `${voice.getBoundingClientRect().height}px`;
    this.figure.before(this.form, this.note);
    this.panel.units.before(this.more);
    this.append(this.panel.root, foot.root);
    const copy = copyButton(
      this,
      () => this.changed,
      (words) => foot.say(words),
    );
    foot.root.append(copy);
    offer(this.select);
    this.begin = { model: this.figure.dataset.model ?? "", text: this.ink.text };
    this.area.value = this.begin.text;
    this.select.value = this.begin.model;
    this.furnish();
    this.listen();
    this.invite();
    const at = this.getAttribute("at");
    if (at !== null) this.firm = this.at = Number(at);
    this.show();
    if (at !== null && looks.length) {
      this.sight = { start: Number(at) - looks[0].length, attention: [looks], hidden: [] };
    }
    this.draw();
    foot.say(
      this.size
        ? `A recorded reading. Loading brings ${this.size} MB, which your browser keeps.`
        : "Choose a character, or type a text of yours.",
    );
    opened(this, (given) => this.take(given));
    if (carried) this.reach(); // nothing is recorded of the model that such a page carries
  }

  /** Where the heads of the still picture looked, which gives way. */
  stillLooks() {
    const picture = this.querySelector(".heads");
    const rows = [...(picture?.querySelectorAll(".head") ?? [])];
    picture?.remove();
    return rows.map((row) => {
      const cells = /** @type {NodeListOf<HTMLElement>} */ (row.querySelectorAll("i:not(.none)"));
      return Float32Array.from(cells, ({ style }) => Number(style.getPropertyValue("--w")));
    });
  }

  listen() {
    this.form?.addEventListener("submit", (event) => event.preventDefault());
    this.area.addEventListener("input", () => this.type());
    this.select.addEventListener("change", () => {
      this.whole = null;
      this.furnish();
      this.read();
    });
    this.go.addEventListener("click", () => {
      this.reach();
      if (this.dataset.state === "loading") this.cancel();
      else if (this.dataset.state === "running") this.stop();
      else this.load();
    });
    this.clear.addEventListener("click", () => {
      this.area.value = "";
      this.type();
      this.area.focus();
    });
    for (const event of ["pointerenter", "pointerdown", "focusin"]) {
      this.addEventListener(event, () => this.reach(), { once: true });
    }
    news.addEventListener("there", () => {
      if (this.isConnected && this.isReached && this.dataset.state !== "loading") this.read();
    });
  }

  /** @param {string} selector */
  find(selector) {
    return /** @type {any} */ (this.querySelector(selector));
  }

  get area() {
    return /** @type {HTMLTextAreaElement} */ (this.find("[name=text]"));
  }

  get select() {
    return /** @type {HTMLSelectElement} */ (this.find("[name=model]"));
  }

  get go() {
    return /** @type {HTMLButtonElement} */ (this.find("[data-go]"));
  }

  get clear() {
    return /** @type {HTMLButtonElement} */ (this.find("[data-clear]"));
  }

  get model() {
    return this.select.value;
  }

  get parts() {
    return /** @type {{ink: Ink, panel: Panel, foot: Foot, more: HTMLDetailsElement}} */ (
      /** @type {unknown} */ (this)
    );
  }

  /** The text as the model can read it. */
  get text() {
    return known(this.area.value).slice(0, LONGEST);
  }

  /** Megabytes that a click must ask for. */
  get size() {
    return toLoad([this.model]);
  }

  /** What was changed, for a link. */
  get changed() {
    const { begin, heads, firm } = this;
    const at = this.getAttribute("at");
    const picked = heads?.picked === "1.1" ? null : heads?.picked;
    return {
      model: this.model === begin?.model ? null : this.model,
      text: this.area.value === begin?.text ? null : this.area.value,
      at: firm === (at === null ? null : Number(at)) ? null : firm,
      head: picked ?? null,
      off: heads?.off.length ? heads.off.join(" ") : null,
    };
  }

  /**
   * The element as a link has it; what makes no sense is left as it is.
   *
   * @param {Record<string, string>} given
   */
  take({ model, text, at, head, off }) {
    const isKnown = catalogue().models.some(({ id }) => id === model);
    this.select.value = (isKnown ? model : this.begin?.model) ?? "";
    this.area.value = text ?? this.begin?.text ?? "";
    this.furnish();
    if (this.heads && HEADS.test(head)) this.heads.picked = head;
    if (this.heads && HEADS.test(off)) this.heads.off = off.split(" ");
    if (/^\d+$/.test(at)) this.firm = this.at = Number(at);
    this.isReached = false;
    this.reach();
  }

  /** The heads of the chosen model. */
  furnish() {
    const { config } = modelOf(this.model);
    const whole = modelConfig(config ?? {});
    this.heads = null;
    const { more } = this.parts;
    more.querySelector("fieldset")?.remove();
    more.hidden = !config || whole.n_layer === 0;
    const units = (whole.feed_forward === "two-layer" ? whole.expansion : 1) * whole.n_embd;
    this.parts.panel.units.hidden =
      more.hidden || whole.feed_forward === "none" || units > MOST_UNITS;
    this.sight = null;
    if (more.hidden) return;
    this.heads = new Heads(
      whole,
      this.hasAttribute("switches"),
      () => {
        this.draw();
        keep(this, this.changed);
      },
      () => this.read(),
    );
    more.append(this.heads.root);
  }

  /** The engine starts at the reader's first touch, and looks into the browser's cache. */
  async reach() {
    if (this.isReached) return;
    this.isReached = true;
    await lookAround();
    await this.read();
  }

  /** A key in the text: the chosen character goes with it. */
  type() {
    const end = known(this.area.value.slice(0, this.area.selectionStart)).length;
    this.firm = this.at = end ? Math.min(end, LONGEST) - 1 : null;
    this.read();
  }

  /** The text is there, with the colours that are known. */
  show() {
    const { ink, panel } = this.parts;
    const { text } = this;
    if (this.note) {
      const all = known(this.area.value).length;
      const cut =
        all > LONGEST ? ` Of ${all.toLocaleString("en")} characters the first 2,000 are read.` : "";
      this.note.textContent = (leftOut(this.area.value) + cut).trim();
    }
    if (text !== ink.text) ink.show(text);
    if (this.firm !== null) this.firm = text ? Math.min(this.firm, text.length - 1) : null;
    this.at = this.firm;
    ink.choose(this.at);
    if (!text) this.heads?.clear();
    if (this.at === null) panel.clear(!text);
    else panel.show(text, this.at, this.costs[this.at]);
  }

  async read() {
    keep(this, this.changed);
    this.sight = null;
    const { ink, foot } = this.parts;
    const { text, model } = this;
    const off = this.heads?.off ?? [];
    this.isRecorded &&= text === this.begin?.text && model === this.begin.model;
    const { isRecorded } = this;
    const isComing = this.dataset.state === "loading" && this.coming === model;
    if (!isComing) this.turn += 1;
    const { turn } = this;
    if (this.size) {
      this.costs = [];
      this.show();
      if (!this.isRecorded) {
        ink.fade(0);
        this.mean();
      }
      if (isComing) return;
      this.invite();
      foot.say(`Loading brings ${this.size} MB, which your browser keeps.`);
      return;
    }
    this.show();
    this.invite();
    this.dataset.state = "running";
    const canStop = setTimeout(() => {
      if (turn !== this.turn) return;
      if (this.heard !== turn && !isRecorded) this.forget();
      this.name("Stop", false);
      foot.say("Reading…");
    }, LONG);
    try {
      await this.loading.load([model], () => {});
      if (turn !== this.turn) return;
      this.isRecorded = false;
      const heads = off.map((head) => head.split(".").map((n) => Number(n) - 1));
      const wish = { reading: this.number, model, off: heads, text };
      await ask("read", wish, (part) => turn === this.turn && this.hear(part, text)).answer;
      if (turn !== this.turn) return;
      const of = model + text;
      const mean = this.mean();
      if (!off.length) this.whole = { of, mean };
      this.mean(of);
      this.invite();
      this.rest(`${counted(text.length, "character")} read.`);
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error));
    } finally {
      clearTimeout(canStop);
    }
  }

  /**
   * Says how it stands, once no key comes any more.
   *
   * @param {string} words
   */
  rest(words) {
    const { turn } = this;
    setTimeout(() => turn === this.turn && this.parts.foot.say(words), REST);
  }

  stop() {
    this.turn += 1;
    ask("stop-reading", { reading: this.number });
    this.dataset.state = "stopped";
    this.name("Go on", true);
    this.parts.foot.say(`Stopped after ${counted(this.costs.length, "character")}.`);
  }

  cancel() {
    this.turn += 1;
    this.loading.cancel();
    this.fail(cancelled());
  }

  /** What stands there is of another text or model, and what is wanted takes its time. */
  forget() {
    this.costs = [];
    this.parts.ink.fade(0);
    this.show();
    this.mean();
  }

  /**
   * Costs have come.
   *
   * @param {{from: number, costs: Float32Array}} part
   * @param {string} text
   */
  hear({ from, costs }, text) {
    if (!costs.length && text) return; // what stands there stands until there is something new
    const { ink, panel } = this.parts;
    this.heard = this.turn;
    this.costs.length = Math.min(this.costs.length, from);
    this.costs.push(...costs);
    ink.colour(from, costs);
    ink.fade(this.costs.length);
    this.mean();
    const { at } = this;
    if (at === null || at >= this.costs.length) return;
    if (this.sight) return;
    panel.show(text, at, this.costs[at]);
    this.facts();
  }

  /**
   * Says what a character costs on average.
   *
   * @param {string} [of] model and text, once all of it is read
   */
  mean(of) {
    const { costs } = this;
    const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
    const place = /** @type {HTMLElement} */ (this.figure?.querySelector("figcaption span"));
    const title = /** @type {HTMLElement} */ (this.figure?.querySelector("figcaption b"));
    title.textContent = modelOf(this.model).title;
    this.figure?.style.setProperty("--bar-colour", `var(--bard-${modelOf(this.model).role})`);
    const { whole } = this;
    const isLess = of !== undefined && this.heads?.off.length && whole?.of === of;
    place.textContent = costs.length
      ? `${mean.toFixed(3)} nats per character${isLess ? `, ${whole.mean.toFixed(3)} with all heads` : ""}`
      : this.text
        ? "not read yet"
        : "no text";
    place.title = costs.length ? `${bits(mean)} bits, ${oneIn(mean)}` : "";
    return mean;
  }

  /** @param {number} at */
  choose(at) {
    if (!this.text) return;
    this.firm = Math.min(Math.max(at, 0), this.text.length - 1);
    keep(this, this.changed);
    this.point(this.firm);
    this.parts.ink.reveal();
  }

  /** @param {number} at */
  point(at) {
    if (at === this.at && this.sight) return;
    this.at = at;
    this.parts.ink.choose(at);
    this.parts.panel.show(this.text, at, this.costs[at]);
    this.facts();
  }

  /** What is known of the character that is shown; asked again if another is by then. */
  async facts() {
    this.isStale = true;
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      while (this.isStale) {
        this.isStale = false;
        await this.askFor(/** @type {number} */ (this.at), this.turn);
      }
    } catch (error) {
      if (!this.isStale) this.fail(/** @type {Error} */ (error));
    } finally {
      this.isAsking = false;
    }
  }

  /**
   * @param {number | null} at
   * @param {number} turn
   */
  async askFor(at, turn) {
    if (at === null || this.costs[at] === undefined) return;
    const { panel, ink } = this.parts;
    const place = { reading: this.number, at };
    const isOver = () => at !== this.at || turn !== this.turn;
    const expected = await ask("expected", place).answer;
    if (isOver() || !expected) return;
    panel.expect(expected.bars, expected.rank);
    if (at === this.firm) panel.tell(ink.text[at], this.costs[at], expected.bars);
    /** @type {Sight | null} */
    const sight = await ask("look", place).answer;
    if (isOver() || !sight) return;
    this.sight = sight;
    panel.fire(sight.hidden);
    this.draw();
  }

  /** Where it looked. */
  draw() {
    const { sight, heads, at } = this;
    const { ink } = this.parts;
    if (!sight || at === null) return;
    if (heads) {
      heads.show(
        sight.attention,
        `${beginning()}${ink.text}`.slice(sight.start + 1, at + 1),
        ink.text[at],
      );
      ink.look(sight.start, heads.weights(sight.attention));
      return;
    }
    // A table saw its context, a bigram model one character: a thin line, for nothing was weighed.
    const n = Math.min(modelOf(this.model).context ?? 1, at + 1);
    ink.look(at - n, new Float32Array(n));
  }

  /** A click that names its size. */
  async load() {
    if (!this.size) return this.read();
    const turn = ++this.turn;
    this.coming = this.model;
    const { foot } = this.parts;
    this.dataset.state = "loading";
    this.name("Cancel", false);
    foot.say(`Loading ${this.size} MB`, true);
    try {
      await this.loading.load([this.model], (progress) => foot.showProgress(progress));
      if (turn !== this.turn) return; // another model is chosen, and perhaps read, by now
      this.dataset.state = "idle";
      await this.read();
    } catch (error) {
      if (turn === this.turn) this.fail(/** @type {Error} */ (error));
    }
  }

  /** @param {Error} error */
  fail(error) {
    const { foot } = this.parts;
    if (isCancelled(error)) {
      this.dataset.state = "idle";
      this.invite();
      foot.say(CANCELLED);
      return;
    }
    this.dataset.state = "failed";
    this.name("Try again", true);
    foot.say(inWords(error));
  }

  /** The button is there as long as something must be loaded, and says what it brings. */
  invite() {
    if (this.dataset.state === "loading") this.loading.cancel();
    this.dataset.state = "idle";
    const isFocused = document.activeElement === this.go;
    this.name(`Load ${this.size} MB`, true);
    this.go.hidden = !this.size;
    if (isFocused && !this.size) this.parts.ink.root.focus({ preventScroll: true });
  }

  /**
   * @param {string} word
   * @param {boolean} isPrimary
   */
  name(word, isPrimary) {
    this.go.hidden = false;
    this.go.textContent = word;
    this.go.classList.toggle("primary", isPrimary);
  }
}
