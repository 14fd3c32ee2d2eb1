/**
 * An element's last line: how it stands, a bar while something comes, and a link to the setting.
 */
import { megabytes } from "./catalogue.js";

export const FROM_DISK = "To move this, serve the book: <code>make serve</code>";

export class Foot {
  constructor() {
    this.root = document.createElement("div");
    this.root.className = "live-foot";
    this.root.innerHTML =
      '<div class="progress" role="progressbar" aria-label="Loading" aria-valuemin="0" aria-valuemax="100"><div></div></div>' +
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

  /** @param {import("./desk.js").Progress} progress */
  showProgress({ got, all }) {
    this.bar.setAttribute("aria-valuenow", String(Math.round((100 * got) / all)));
    const fill = /** @type {HTMLElement} */ (this.bar.firstElementChild);
    fill.style.transform = `scaleX(${got / all})`;
    const number = this.status.querySelector(".number");
    if (number) number.textContent = `${megabytes(got)} of ${megabytes(all)} MB`;
  }
}
