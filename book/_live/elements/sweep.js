/**
 * `<bard-sweep>`: the recorded runs of chapter 7 as a table, of which one cell is looked at.
 *
 * The table is the still picture (`bardgpt.teaching.live.sweeps`): each cell has its runs with it, so
 * nothing is loaded and nothing computed.
 */
import { plot } from "./plot.js";
import { copyButton, keep, opened } from "./state.js";

const HEIGHT = 150;
const HIGH = 4.6;
const COUNTS = ["No run", "One run", "Two runs", "All three runs"];
/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
const WARMUPS = { 0: "none", 200: "200 steps" };
let made = 0;

export class Sweep extends HTMLElement {
  warmup = "0";
  /** @type {HTMLButtonElement[]} */
  buttons = [];
  /** @type {HTMLButtonElement | null} */
  at = null;

  connectedCallback() {
    if (this.panel) return; // moved within the page
    made += 1;
    for (const cell of this.querySelectorAll("span.cell")) {
      const button = document.createElement("button");
      button.type = "button";
      for (const { name, value } of cell.attributes) button.setAttribute(name, value);
      button.append(...cell.childNodes);
      button.tabIndex = -1;
      button.setAttribute("aria-pressed", "false");
      cell.replaceWith(button);
      this.buttons.push(button);
    }
    const choices = Object.entries(WARMUPS).map(
      ([value, word]) =>
        `<label><input type="radio" name="sweep-${made}" value="${value}"><span>${word}</span></label>`,
    );
    this.panel = document.createElement("form");
    this.panel.className = "sweep-controls";
    this.panel.innerHTML = `<fieldset><legend>Warm-up</legend>${choices.join("")}</fieldset>`;
    this.prepend(this.panel);
    this.detail = document.createElement("div");
    this.detail.className = "sweep-detail";
    this.detail.innerHTML = '<div class="sweep-plot"></div><p role="status"></p>';
    this.plot = /** @type {HTMLElement} */ (this.detail.firstElementChild);
    this.status = /** @type {HTMLElement} */ (this.detail.lastElementChild);
    this.append(this.detail);
    this.detail.append(
      copyButton(
        this,
        () => this.settings,
        (words) => {
          if (this.status) this.status.textContent = `${this.words} ${words}`;
        },
      ),
    );
    this.take("0", "12-default-post-norm-0.003");
    this.listen();
    opened(this, ({ warmup = "0", cell = "" }) => this.take(warmup, cell));
  }

  listen() {
    this.panel?.addEventListener("change", ({ target }) => {
      this.take(/** @type {HTMLInputElement} */ (target).value, this.settings.cell);
      keep(this, this.settings);
    });
    this.addEventListener("click", ({ target }) => {
      const button = /** @type {Element} */ (target).closest("button");
      if (button && this.buttons.includes(button)) this.choose(button);
    });
    this.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      const button = /** @type {Element} */ (event.target).closest("td button");
      if (!move || !button) return;
      event.preventDefault();
      this.neighbour(/** @type {HTMLButtonElement} */ (button), move)?.focus();
    });
    this.addEventListener("focusin", ({ target }) => {
      const button = /** @type {HTMLButtonElement} */ (target);
      if (this.buttons.includes(button) && button !== this.at) this.choose(button);
    });
    new ResizeObserver(() => this.draw()).observe(/** @type {HTMLElement} */ (this.plot));
  }

  /** What a link says. */
  get settings() {
    return { warmup: this.warmup, cell: keyOf(this.at).replace(/-\d+$/, "") };
  }

  /**
   * @param {string} warmup
   * @param {string} cell without its warm-up
   */
  take(warmup, cell) {
    this.warmup = Object.hasOwn(WARMUPS, warmup) ? warmup : "0";
    this.dataset.warmup = this.warmup;
    for (const input of this.panel?.querySelectorAll("input") ?? []) {
      input.checked = input.value === this.warmup;
    }
    const same = this.buttons.find((button) => keyOf(button) === `${cell}-${this.warmup}`);
    this.show(same ?? /** @type {HTMLButtonElement} */ (this.shown[0]));
  }

  get shown() {
    return this.buttons.filter((button) => button.closest("tr")?.dataset.warmup === this.warmup);
  }

  /** @param {HTMLButtonElement} button */
  choose(button) {
    this.show(button);
    keep(this, this.settings);
  }

  /** One stop for the tab key; the arrows move inside. @param {HTMLButtonElement} chosen */
  show(chosen) {
    this.at = chosen;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button === chosen));
      button.tabIndex = button === chosen ? 0 : -1;
    }
    if (this.status) this.status.textContent = this.words;
    this.draw();
  }

  /**
   * The next cell with runs in a direction.
   *
   * @param {HTMLButtonElement} button
   * @param {[number, number]} move
   */
  neighbour(button, [down, right]) {
    const lines = [...this.querySelectorAll(`tr[data-warmup="${this.warmup}"]`)].map((row) => [
      ...row.querySelectorAll("td"),
    ]);
    let y = lines.findIndex((line) => line.some((cell) => cell.contains(button)));
    let x = lines[y].findIndex((cell) => cell.contains(button));
    for (;;) {
      y += down;
      x += right;
      if (!lines[y]?.[x]) return null;
      const found = lines[y][x].querySelector("button");
      if (found) return found;
    }
  }

  /** Losses of the chosen cell's runs by step; null for a loss that is no number. */
  get losses() {
    const runs = this.at?.dataset.runs?.split(";") ?? [];
    return runs.map((run) => run.split(",").map((loss) => (loss ? Number(loss) : Number.NaN)));
  }

  get words() {
    const signs = this.at?.querySelector(".signs")?.textContent ?? "";
    const stuck = [...signs].filter((sign) => sign === "✕").length;
    const lost = [...signs].filter((sign) => sign === "∞").length;
    const ends = this.losses.map((run) => {
      const end = run[run.length - 1];
      return Number.isFinite(end) ? end.toFixed(2) : "no number";
    });
    const flat = Number(this.getAttribute("flat")).toFixed(2);
    const said = [`${this.at?.dataset.name}. Losses: ${ends.join(", ")}.`];
    if (stuck || !lost) {
      const are = stuck > 1 ? "are" : "is";
      said.push(
        `${COUNTS[stuck]} ${are} stuck near ${flat} (dashed), the loss of the characters' frequencies, or above it.`,
      );
    }
    if (lost)
      said.push(
        `${COUNTS[lost]} ${lost > 1 ? "were" : "was"} lost: the loss was no number any more.`,
      );
    return said.join(" ");
  }

  draw() {
    const box = /** @type {HTMLElement} */ (this.plot);
    const steps = (this.getAttribute("steps") ?? "").split(",").map(Number);
    const signs = [...(this.at?.querySelector(".signs")?.textContent ?? "")];
    box.innerHTML = plot({
      width: Math.max(box.clientWidth, 200),
      height: HEIGHT,
      steps: steps[steps.length - 1],
      curves: this.losses.map((run, i) => ({
        points: run.map((loss, k) => [steps[k], loss]),
        look: signs[i] === "●" ? "now" : "now broken",
      })),
      level: Number(this.getAttribute("flat")),
      high: HIGH,
      title: this.words,
    });
  }
}

/** @param {HTMLElement | null} button */
const keyOf = (button) => button?.dataset.key ?? "";
