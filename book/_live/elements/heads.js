/**
 * Where each head of each block looked: one of them is picked, and some elements can turn heads off.
 *
 * A small window stands there whole, each head a row and each character a column. A large one is
 * drawn as a grid of bars, of which each to the left reaches twice as far back.
 */
import { SIGNS } from "./bars.js";
import { nameOf } from "./ink.js";

const WHOLE = 16; // characters of a window that stands there whole
let made = 0;

/** @typedef {import("../engine/config.js").GPTConfig} Config */

export class Heads {
  /**
   * @param {Config} config
   * @param {boolean} canTurnOff
   * @param {() => void} pick
   * @param {() => void} turn
   */
  constructor({ n_layer, n_head, block_size }, canTurnOff, pick, turn) {
    this.isWhole = block_size <= WHOLE;
    const hasSwitches = canTurnOff && this.isWhole; // in a grid there is no room for them
    this.n = this.isWhole ? block_size : Math.log2(block_size) + 1;
    this.root = document.createElement("fieldset");
    this.root.className = `heads${this.isWhole ? "" : " grid"}`;
    const name = `heads-${++made}`;
    /** @param {string} what @param {number} n */
    const times = (what, n) => what.repeat(n);
    /** @param {number} block @param {number} head */
    const row = (block, head) =>
      `<div class="head"><label><input type="radio" name="${name}" value="${block + 1}.${head + 1}">` +
      `<span class="name">${this.isWhole ? "head " : ""}${head + 1}</span>` +
      `<span class="visually-hidden"></span><span class="cells" aria-hidden="true">${times("<i></i>", this.n)}</span></label>` +
      (hasSwitches
        ? `<label class="switch"><input type="checkbox" value="${block + 1}.${head + 1}" checked>on<span class="visually-hidden"> head ${head + 1}</span></label>`
        : "") +
      "</div>";
    /** @param {number} block */
    const group = (block) =>
      (n_layer > 1 ? `<p>${this.isWhole ? "Block " : ""}${block + 1}</p>` : "") +
      Array.from({ length: n_head }, (_, head) => row(block, head)).join("");
    this.root.innerHTML =
      `<legend><span></span><span>${n_layer * n_head > 1 ? "Which head is drawn under the text" : "Drawn under the text"}</span></legend>` +
      (this.isWhole
        ? `<div class="columns" aria-hidden="true"><span class="cells">${times("<b></b>", this.n)}</span></div>`
        : `<p class="how">A row for each block. From the right: the last character, the one before it, then 2, 4, 8, … together.</p>`) +
      `<div class="groups" style="--heads: ${n_head}">` +
      Array.from({ length: n_layer }, (_, block) => `<div>${group(block)}</div>`).join("") +
      "</div>";
    const [from, asks] = /** @type {HTMLElement[]} */ ([
      ...this.root.querySelectorAll("legend span"),
    ]);
    this.from = from;
    this.asks = asks;
    this.columns = [...this.root.querySelectorAll(".columns b")];
    this.rows = /** @type {HTMLElement[]} */ ([...this.root.querySelectorAll(".head")]);
    this.radios = /** @type {HTMLInputElement[]} */ ([
      ...this.root.querySelectorAll("[type=radio]"),
    ]);
    this.switches = /** @type {HTMLInputElement[]} */ ([
      ...this.root.querySelectorAll("[type=checkbox]"),
    ]);
    this.radios[0].checked = true;
    this.root.addEventListener("change", ({ target }) => {
      if (/** @type {HTMLInputElement} */ (target).type === "radio") pick();
      else turn();
    });
  }

  /** Block and head, from 1: "1.3". */
  get picked() {
    return this.radios.find(({ checked }) => checked)?.value ?? "1.1";
  }

  set picked(value) {
    const radio = this.radios.find((one) => one.value === value);
    if (radio) radio.checked = true;
  }

  /** Those that are turned off. */
  get off() {
    return this.switches.filter(({ checked }) => !checked).map(({ value }) => value);
  }

  set off(values) {
    for (const one of this.switches) one.checked = !values.includes(one.value);
  }

  /** The weights of the picked head. @param {Float32Array[][]} attention */
  weights(attention) {
    return attention.flat()[this.radios.findIndex(({ checked }) => checked)];
  }

  /**
   * @param {Float32Array[][]} attention of each block and head, a weight for each character seen
   * @param {string} seen those characters: the last of them looks
   * @param {string} next the character that it has to predict
   */
  show(attention, seen, next) {
    const [from, to] = [seen[seen.length - 1], next].map((one) => SIGNS[one] ?? one);
    this.from.textContent = `From “${from}”, to predict “${to}” `;
    this.asks.className = "visually-hidden"; // the buttons show it
    for (const [i, column] of this.columns.entries()) {
      const character = seen[seen.length - this.n + i] ?? "";
      column.textContent = SIGNS[character] ?? character;
    }
    for (const [i, weights] of attention.flat().entries()) this.fill(this.rows[i], weights, seen);
  }

  /** There is no text to look at. */
  clear() {
    this.from.textContent = "";
    this.asks.className = "";
    for (const column of this.columns) column.textContent = "";
    for (const row of this.rows) {
      for (const cell of row.querySelectorAll("i")) {
        cell.removeAttribute("style");
        cell.className = cell.textContent = "";
      }
      const words = row.querySelector(".visually-hidden");
      if (words) words.textContent = "";
    }
  }

  /**
   * @param {HTMLElement} row
   * @param {Float32Array} weights
   * @param {string} seen
   */
  fill(row, weights, seen) {
    const shares = this.isWhole ? weights : octaves(weights, this.n);
    const cells = /** @type {HTMLElement[]} */ ([...row.querySelectorAll("i")]);
    const before = this.n - shares.length;
    const most = shares.indexOf(Math.max(...shares));
    for (const [i, cell] of cells.entries()) {
      const share = shares[i - before] ?? 0;
      const isMost = i - before === most;
      cell.style.setProperty("--w", share.toFixed(3));
      cell.className = i < before ? "none" : isMost ? "most" : "";
      if (this.isWhole) cell.textContent = isMost ? hundredths(share) : "";
    }
    const at = weights.indexOf(Math.max(...weights));
    const words = row.querySelector(".visually-hidden");
    const per = Math.round(weights[at] * 100);
    if (words) words.textContent = `, most at ${nameOf(seen[at])}, ${per} per cent`;
  }
}

/** @param {number} share */
const hundredths = (share) => (share >= 0.995 ? "1" : share.toFixed(2).slice(1));

/**
 * Shares by distance: the last character, the one before it, then 2, 4, 8, … together.
 *
 * @param {Float32Array} weights oldest first
 * @param {number} n
 */
function octaves(weights, n) {
  const shares = new Float32Array(n);
  for (const [i, weight] of weights.entries()) {
    const back = weights.length - 1 - i;
    shares[n - 1 - (back ? Math.floor(Math.log2(back)) + 1 : 0)] += weight;
  }
  return shares;
}
