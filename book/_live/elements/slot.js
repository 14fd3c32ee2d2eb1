/**
 * One model in a writer: its name, its text, and what is likely next.
 */
import { Bars } from "./bars.js";
import { modelOf } from "./catalogue.js";
import { ask } from "./desk.js";

/** @typedef {import("./bars.js").Bar} Bar */

export class Slot {
  /** @param {HTMLElement} root a figure with a caption and a paragraph */
  constructor(root) {
    this.root = root;
    /** @type {string | undefined} */
    this.model = root.dataset.model;
    /** The engine's number for the text, once it was asked to begin. @type {Promise<number> | null} */
    this.begun = null;
    this.length = 0;
    const [caption, text] = /** @type {HTMLElement[]} */ ([...root.children]);
    this.caption = caption;
    this.text = text;
    this.tail = new Text();
    this.bars = new Bars();
    root.append(this.bars.root);
    this.text.tabIndex = 0; // it scrolls
    this.text.setAttribute("role", "group");
    this.name();
  }

  static empty() {
    const root = document.createElement("figure");
    root.className = "writer-text";
    root.hidden = true;
    root.innerHTML = '<figcaption><b></b> <span></span></figcaption><p class="voice"></p>';
    return new Slot(root);
  }

  name() {
    const { root, model } = this;
    root.hidden = !model;
    if (!model) return;
    const { role } = modelOf(model);
    root.style.setProperty("--bar-colour", `var(--bard-${role})`);
    this.text.setAttribute("aria-label", `Text by ${this.caption.firstElementChild?.textContent}`);
  }

  /** @param {string} [model] none hides it */
  become(model) {
    if (model === this.model) return;
    this.model = model;
    const [title, loss] = this.caption.children;
    if (model) {
      const found = modelOf(model);
      title.textContent = found.title;
      loss.textContent = found.loss ? `loss ${found.loss}` : "";
    }
    this.name();
  }

  /**
   * Nothing but the prompt.
   *
   * @param {string} prompt
   */
  start(prompt) {
    const height = this.text.offsetHeight; // of the still picture: what stands below stays there
    if (!this.text.style.height && height) this.text.style.height = `${height}px`;
    const given = document.createElement("b");
    given.textContent = prompt;
    this.tail = new Text();
    this.text.replaceChildren(given, this.tail);
    this.text.scrollTop = this.text.scrollHeight;
    this.bars.clear();
    this.length = 0;
  }

  /**
   * @param {string} more
   * @param {Bar[]} bars
   */
  add(more, bars) {
    const { text } = this;
    const isAtEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 40;
    this.tail.appendData(more);
    this.length += more.length;
    if (isAtEnd) text.scrollTop = text.scrollHeight;
    this.show(bars);
  }

  /** @param {Bar[]} bars */
  show(bars) {
    const label = this.length
      ? "Likely for the last character, in per cent"
      : "Likely after the prompt, in per cent";
    this.bars.show(bars, label);
  }

  /**
   * The model with a prompt behind it; the same as before until the text has ended.
   *
   * @param {string} text
   * @param {number} seed
   * @returns {Promise<number>}
   */
  begin(text, seed) {
    if (this.begun) return this.begun;
    /** @type {Promise<number>} */
    const begun = ask("begin", { model: this.model, text, seed }).answer;
    this.begun = begun;
    begun.catch(() => {
      if (this.begun === begun) this.begun = null;
    });
    return begun;
  }

  /** Gives the engine's memory back. */
  end() {
    this.begun?.then((number) => ask("end", { number })).catch(() => {});
    this.begun = null;
  }
}
