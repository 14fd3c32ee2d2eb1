/**
 * The likeliest next characters as ten bars.
 */

/** @typedef {{character: string, share: number, isCut: boolean, isDrawn: boolean}} Bar */

const BARS = 10;
export const SIGNS = /** @type {Record<string, string>} */ ({ "\n": "↵", " ": "␣" });
const WORDS = /** @type {Record<string, string>} */ ({ "\n": "line end", " ": "space" });

export class Bars {
  constructor() {
    this.root = document.createElement("div");
    this.root.className = "next";
    this.root.setAttribute("role", "img");
    this.root.innerHTML =
      '<p class="label" aria-hidden="true"></p><div class="next-bars">' +
      '<div><div class="well"><div class="fill"></div></div><b></b><i></i></div>'.repeat(BARS) +
      "</div>";
    this.label = /** @type {HTMLElement} */ (this.root.firstElementChild);
    this.columns = [.../** @type {HTMLElement} */ (this.root.lastElementChild).children];
    this.clear();
  }

  clear() {
    this.show([], "Likely next: here, as soon as it writes");
  }

  /**
   * @param {Bar[]} bars
   * @param {string} label
   */
  show(bars, label) {
    this.label.textContent = label;
    for (const [i, column] of this.columns.entries()) {
      const bar = bars[i];
      const [well, sign, number] = column.children;
      column.className = bar ? `${bar.isCut ? "cut" : ""} ${bar.isDrawn ? "drawn" : ""}` : "";
      const fill = /** @type {HTMLElement} */ (well.firstElementChild);
      fill.style.setProperty("--p", String(bar?.share ?? 0));
      sign.textContent = bar ? (SIGNS[bar.character] ?? bar.character) : "";
      number.textContent = bar ? percent(bar) : "";
    }
    const spoken = bars.slice(0, 3).map((bar) => {
      const name = WORDS[bar.character] ?? bar.character;
      return `${name} ${Math.round(bar.share * 100)} per cent`;
    });
    this.root.setAttribute("aria-label", spoken.length ? `${label}: ${spoken.join(", ")}` : label);
  }
}

/** @param {Bar} bar */
function percent({ share, isCut }) {
  if (isCut) return "–";
  return share >= 0.005 ? String(Math.round(share * 100)) : "";
}
