/**
 * What is known of the chosen character: its cost, what was expected, which hidden units fired.
 */
import { Bars, SIGNS } from "./bars.js";
import { nameOf } from "./ink.js";

const BEFORE = 8; // characters that are shown before the chosen one
export const MOST_UNITS = 512; // of a block: of more nothing can be seen
const PAUSE = 400; // milliseconds of rest before a choice is read out

/** @param {number} cost in nats @returns {string} */
export function oneIn(cost) {
  const n = Math.exp(cost);
  if (n < 1.05) return "as good as certain";
  if (n < 9.95) return `one in ${n.toFixed(1)}`;
  return `one in ${Number(n.toPrecision(2)).toLocaleString("en")}`;
}

/** @param {number} nats */
export const bits = (nats) => (nats / Math.LN2).toFixed(2);

/** @param {string} text */
const signs = (text) => text.replace(/[\n ]/g, (character) => SIGNS[character]);

export class Panel {
  /**
   * @param {(by: number) => void} step
   * @param {() => string} waiting says why a cost is not known
   */
  constructor(step, waiting) {
    this.root = document.createElement("div");
    this.root.className = "reader-panel";
    this.root.innerHTML =
      '<div class="reader-step"><button class="button" type="button" aria-label="Character before">‹</button>' +
      '<p></p><button class="button" type="button" aria-label="Next character">›</button></div>' +
      '<p class="reader-cost number"></p><p class="visually-hidden" aria-live="polite"></p>' +
      '<details class="more units" hidden><summary></summary><div></div></details>';
    const [line, cost, spoken, units] = /** @type {HTMLElement[]} */ ([...this.root.children]);
    const [back, what, on] = /** @type {HTMLElement[]} */ ([...line.children]);
    back.addEventListener("click", () => step(-1));
    on.addEventListener("click", () => step(1));
    this.what = what;
    this.cost = cost;
    this.spoken = spoken;
    this.units = units;
    this.waiting = waiting;
    this.bars = new Bars();
    cost.after(this.bars.root);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.soon = undefined;
    this.clear();
  }

  /** @param {boolean} [isEmpty] whether there is no text */
  clear(isEmpty = false) {
    this.what.textContent = isEmpty ? "No text yet" : "Choose a character";
    this.cost.textContent = isEmpty
      ? "Type one to see its colours."
      : "Tap it, or use the arrow keys.";
    this.bars.show([], "What was expected there");
    this.fire([]);
  }

  /**
   * @param {string} text
   * @param {number} at
   * @param {number | undefined} cost unknown as long as it is not read
   */
  show(text, at, cost) {
    const before = text.slice(Math.max(0, at - BEFORE), at);
    const chosen = document.createElement("b");
    chosen.textContent = signs(text[at]);
    this.what.replaceChildren(chosen, before ? ` after “${signs(before)}”` : " at the beginning");
    this.cost.textContent =
      cost === undefined
        ? this.waiting()
        : `${cost.toFixed(2)} nats · ${bits(cost)} bits · ${oneIn(cost)}`;
    if (cost === undefined) this.bars.show([], "What was expected there");
  }

  /**
   * @param {import("./bars.js").Bar[]} bars
   * @param {number} rank of the right character, from 1
   */
  expect(bars, rank) {
    const isAmong = rank <= bars.length;
    this.bars.show(
      bars,
      isAmong
        ? "What was expected, in per cent"
        : `Expected, in per cent; the right one: place ${rank}`,
    );
  }

  /**
   * Reads a choice out, once the reader rests on it.
   *
   * @param {string} character
   * @param {number} cost
   * @param {import("./bars.js").Bar[]} bars
   */
  tell(character, cost, bars) {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      const best = bars.slice(0, 3).map((bar) => nameOf(bar.character));
      this.spoken.textContent = `${nameOf(character)}: ${cost.toFixed(2)} nats, ${oneIn(cost)}. Likeliest: ${best.join(", ")}.`;
    }, PAUSE);
  }

  /** @param {Float32Array[]} hidden of each block */
  fire(hidden) {
    const few = hidden.filter(({ length }) => length <= MOST_UNITS);
    const [summary, rows] = this.units.children;
    const counts = few.map((units) => `${units.filter((h) => h > 0).length} of ${units.length}`);
    summary.textContent = few.length
      ? `Hidden units that fired: ${counts.join(" · ")}`
      : "Hidden units that fired";
    while (rows.children.length < few.length) rows.append(document.createElement("div"));
    while (rows.children.length > few.length) rows.lastElementChild?.remove();
    for (const [i, units] of few.entries()) {
      const row = /** @type {HTMLElement} */ (rows.children[i]);
      const strongest = Math.max(...units, 1e-6);
      const best = [...units.keys()].sort((a, b) => units[b] - units[a]).slice(0, 3);
      row.setAttribute("role", "img");
      row.ariaLabel = `Block ${i + 1}: ${counts[i]} fired; strongest ${best.join(", ")}`;
      if (row.childElementCount !== units.length) row.innerHTML = "<i></i>".repeat(units.length);
      for (const [unit, h] of units.entries()) {
        const cell = /** @type {HTMLElement} */ (row.children[unit]);
        cell.style.setProperty("--w", Math.max(0, h / strongest).toFixed(2));
        cell.title = `unit ${unit}: ${h.toFixed(2)}`;
      }
    }
  }
}
