/**
 * What all toys share. The picture and its controls stand in the page
 * (`bardgpt.teaching.live.toys`); a toy shows the controls, and moves what is there.
 */

const QUIET = 500; // milliseconds without a change before the words are read out

/**
 * A number with so many decimals, as the still picture has it.
 *
 * @param {number} value
 * @param {number} [digits]
 */
export function fixed(value, digits = 2) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** @param {number[]} numbers */
export const sum = (numbers) => numbers.reduce((all, one) => all + one, 0);

/** @param {number[]} scores */
export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const all = sum(powers);
  return powers.map((power) => power / all);
}

/** The form in a toy's element. */
export class Frame {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.form = /** @type {HTMLFormElement} */ (root.querySelector("form"));
    this.status = document.createElement("p");
    this.status.className = "visually-hidden";
    this.status.setAttribute("role", "status");
    this.form.append(this.status);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.soon = undefined;
    for (const part of this.all("[data-hand]")) part.hidden = false;
  }

  /**
   * @param {string} what a selector
   * @returns {HTMLElement[]}
   */
  all(what) {
    return [...this.form.querySelectorAll(what)].map((one) => /** @type {HTMLElement} */ (one));
  }

  /** @param {string} what a selector */
  one(what) {
    return this.all(what)[0];
  }

  /**
   * @param {string} name
   * @returns {HTMLInputElement}
   */
  control(name) {
    return /** @type {HTMLInputElement} */ (this.form.querySelector(`[name="${name}"]`));
  }

  /**
   * @param {string} name
   * @returns {HTMLInputElement[]}
   */
  controls(name) {
    return /** @type {HTMLInputElement[]} */ (this.all(`[name="${name}"]`));
  }

  /**
   * Calls at once, and whenever a control was moved or a button was pressed.
   *
   * @param {(did: string) => void} change gets the button's name, if it was one
   */
  listen(change) {
    const { form } = this;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => this.changed(change, ""));
    form.addEventListener("reset", () => setTimeout(() => this.changed(change, "reset")));
    form.addEventListener("click", ({ target }) => {
      const button = /** @type {Element} */ (target).closest("button[data-do]");
      if (button) this.changed(change, /** @type {HTMLElement} */ (button).dataset.do ?? "");
    });
    change("");
    // Who comes back finds the controls as they were left: a browser sets them after the script ran.
    addEventListener("pageshow", () => change(""));
  }

  /**
   * @param {(did: string) => void} change
   * @param {string} did
   */
  changed(change, did) {
    change(did);
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      this.status.textContent = this.all(".toy-says")
        .map((words) => words.textContent)
        .join(" ");
    }, QUIET);
  }

  /**
   * Says beside a control what it stands at.
   *
   * @param {string} name
   * @param {string} words
   */
  stand(name, words) {
    this.one(`[data-of="${name}"]`).textContent = words;
    this.control(name).setAttribute("aria-valuetext", words);
  }

  /**
   * @param {string} did a button's name
   * @param {boolean} can
   */
  allow(did, can) {
    /** @type {HTMLButtonElement} */ (this.one(`[data-do="${did}"]`)).disabled = !can;
  }
}

/**
 * What moves the bars that stand side by side.
 *
 * @param {Frame} frame
 * @returns {(shares: number[]) => void}
 */
export function columns(frame) {
  const bars = frame.all("[data-column]");
  const numbers = frame.all("[data-percent]");
  return (shares) => {
    for (const [i, share] of shares.entries()) {
      bars[i].style.height = `${100 * share}%`;
      numbers[i].textContent = fixed(100 * share, 0);
    }
  };
}
