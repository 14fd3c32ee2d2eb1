/**
 * A text whose characters have the colour of what they cost, and of which one is chosen.
 */

const STEPS = [0.5, 1.5, 3, 5]; // nats: from here on the next colour; `still` in Python has the same
const NAMES = /** @type {Record<string, string>} */ ({ "\n": "line end", " ": "space" });
const SLACK = 4; // pixels between the tops of characters on one line
let made = 0;

/** @param {number} cost */
const step = (cost) => `s${STEPS.filter((least) => cost >= least).length}`;

/** @param {string} character */
export const nameOf = (character) => NAMES[character] ?? character;

export class Ink {
  /** @type {HTMLElement[]} a mark for each character */
  marks = [];
  text = "";
  /** @type {number | null} */
  chosen = null;
  /** @type {HTMLElement[]} */
  looked = [];

  /**
   * @param {HTMLElement} root
   * @param {(at: number, isFirm: boolean) => void} choose told of a choice; of one that only stands
   *   while the mouse is there it is not firm
   * @param {() => void} leave told when the mouse has left
   */
  constructor(root, choose, leave) {
    this.root = root;
    this.name = `ink-${++made}`;
    const runs = [...root.children].flatMap(({ className, textContent }) =>
      [...textContent].map((character) => ({ character, className })),
    );
    root.replaceChildren();
    this.show(runs.map(({ character }) => character).join(""));
    for (const [i, { className }] of runs.entries()) this.marks[i].className = className;
    root.tabIndex = 0;
    root.setAttribute("aria-label", "The text: the arrow keys choose a character");
    root.addEventListener("click", (event) => this.text && choose(this.nearest(event), true));
    root.addEventListener("pointermove", (event) => {
      const at = this.placeOf(event.target);
      if (event.pointerType === "mouse" && at !== null) choose(at, false);
    });
    root.addEventListener("pointerleave", leave);
    root.addEventListener("keydown", (event) => {
      const at = this.after(event);
      if (at === null || !this.text) return;
      event.preventDefault();
      choose(Math.min(Math.max(at, 0), this.text.length - 1), true);
    });
  }

  /**
   * Another text; what is the same at the beginning keeps its colours.
   *
   * @param {string} text
   */
  show(text) {
    let same = 0;
    while (same < text.length && text[same] === this.text[same]) same++;
    for (const mark of this.marks.splice(same)) mark.remove();
    const more = [...text.slice(same)].map((character, i) => {
      const mark = document.createElement("span");
      mark.textContent = character;
      mark.id = `${this.name}-${same + i}`;
      mark.role = "option";
      if (character in NAMES) mark.ariaLabel = NAMES[character];
      if (character === "\n") mark.dataset.end = "";
      return mark;
    });
    this.marks.push(...more);
    this.root.append(...more);
    this.text = text;
    if (text) this.root.setAttribute("role", "listbox");
    else this.root.removeAttribute("role");
    if (this.chosen !== null && this.chosen >= text.length) this.choose(null);
  }

  /**
   * @param {number} from
   * @param {Float32Array} costs
   */
  colour(from, costs) {
    for (const [i, cost] of costs.entries()) {
      const { classList } = this.marks[from + i];
      const wanted = step(cost);
      if (classList.contains(wanted)) continue;
      classList.remove("s0", "s1", "s2", "s3", "s4");
      classList.add(wanted);
    }
  }

  /** @param {number} from characters from here on are not read yet */
  fade(from) {
    for (const mark of this.marks.slice(from)) mark.className = "";
  }

  /** @param {number | null} at */
  choose(at) {
    const before = this.root.querySelector('[aria-selected="true"]');
    before?.removeAttribute("aria-selected");
    this.chosen = at;
    this.look(0, null);
    if (at === null) {
      this.root.removeAttribute("aria-activedescendant");
      return;
    }
    const mark = this.marks[at];
    mark.ariaSelected = "true";
    this.root.setAttribute("aria-activedescendant", mark.id);
  }

  /** Brings the chosen character into sight, where the text scrolls. */
  reveal() {
    if (this.chosen === null) return;
    const { root } = this;
    const { offsetTop, offsetHeight } = this.marks[this.chosen];
    const low = offsetTop + 2 * offsetHeight - root.clientHeight;
    root.scrollTop = Math.max(low, Math.min(root.scrollTop, offsetTop - offsetHeight));
  }

  /**
   * Where the model looked: weights are drawn under the characters.
   *
   * @param {number} start
   * @param {ArrayLike<number> | null} weights
   */
  look(start, weights) {
    for (const mark of this.looked) {
      mark.classList.remove("looked");
      mark.style.removeProperty("--w");
    }
    this.looked = weights ? this.marks.slice(Math.max(0, start), start + weights.length) : [];
    const first = Math.max(0, -start); // the line's end before the text has no mark
    for (const [i, mark] of this.looked.entries()) {
      mark.classList.add("looked");
      mark.style.setProperty("--w", Number(weights?.[first + i]).toFixed(3));
    }
  }

  /** @param {EventTarget | null} target */
  placeOf(target) {
    const mark = target instanceof Element ? target.closest("[role=option]") : null;
    return mark ? Number(mark.id.split("-")[2]) : null;
  }

  /**
   * The character at a point, or the one that is nearest.
   *
   * @param {MouseEvent} event
   */
  nearest({ target, clientX: x, clientY: y }) {
    const exact = this.placeOf(target);
    if (exact !== null) return exact;
    let best = 0;
    let least = Infinity;
    for (const [i, mark] of this.marks.entries()) {
      const { left, right, top, bottom } = mark.getBoundingClientRect();
      const away = Math.max(left - x, 0, x - right) + 9 * Math.max(top - y, 0, y - bottom);
      if (away < least) [best, least] = [i, away];
    }
    return best;
  }

  /**
   * Where a key leads from the chosen character.
   *
   * @param {KeyboardEvent} event
   * @returns {number | null}
   */
  after({ key, ctrlKey, metaKey, altKey }) {
    if (ctrlKey || metaKey || altKey) return null;
    const last = this.text.length - 1;
    if (key === "Home") return 0;
    if (key === "End") return last;
    if (!key.startsWith("Arrow")) return null;
    if (this.chosen === null) return key === "ArrowLeft" || key === "ArrowUp" ? last : 0;
    if (key === "ArrowRight") return this.chosen + 1;
    if (key === "ArrowLeft") return this.chosen - 1;
    return this.inNextLine(this.chosen, key === "ArrowDown" ? 1 : -1);
  }

  /**
   * @param {number} at
   * @param {1 | -1} way
   */
  inNextLine(at, way) {
    const from = this.marks[at].getBoundingClientRect();
    let best = at;
    let least = Infinity;
    let line = null;
    for (let i = at + way; i >= 0 && i < this.marks.length; i += way) {
      const { left, top } = this.marks[i].getBoundingClientRect();
      if (Math.abs(top - from.top) < SLACK) continue;
      line ??= top;
      if (Math.abs(top - line) > SLACK) break;
      const away = Math.abs(left - from.left);
      if (away < least) [best, least] = [i, away];
    }
    return best;
  }
}
