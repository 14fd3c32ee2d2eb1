/**
 * An element's last line: how it stands, a bar while something comes, and a link to the setting.
 */
import { megabytes } from "./catalogue.js";

export const FROM_DISK = "To move this, serve the book: <code>make serve</code>";

/** How many there are, in words: "1 step", "1,000 steps". @type {(n: number, word: string) => string} */
export const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

export class Foot {
  /** @param {string} task what the bar shows */
  constructor(task) {
    this.root = document.createElement("div");
    this.root.className = "live-foot";
    this.root.innerHTML =
      `<div class="progress" role="progressbar" aria-label="${task}" aria-valuemin="0" aria-valuemax="100"><div></div></div>` +
      '<span role="status"></span>';
    const [bar, status] = /** @type {HTMLElement[]} */ ([...this.root.children]);
    this.bar = bar;
    this.status = status;
  }

  /**
   * @param {string} words
   * @param {boolean} [counts] whether a number beside them goes up, which is not read out
   */
  say(words, counts = false) {
    this.status.textContent = words;
    if (counts) {
      this.status.insertAdjacentHTML(
        "beforeend",
        ' <span class="number" aria-hidden="true"></span>',
      );
    }
  }

  /** @param {number} share of the bar */
  fill(share) {
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    const inside = /** @type {HTMLElement} */ (this.bar.firstElementChild);
    inside.style.transform = `scaleX(${share})`;
  }

  /** @param {import("./desk.js").Progress} progress */
  showProgress({ got, all }) {
    this.fill(got / all);
    const number = this.status.querySelector(".number");
    if (number) number.textContent = `${megabytes(got)} of ${megabytes(all)} MB`;
  }
}
