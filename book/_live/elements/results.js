/**
 * What a trainer shows of its runs: their curves over the recorded ones, a table, what the newest
 * one writes, and what its curve does not show.
 */
import { NOTHING } from "./controls.js";
import { lostAt, plot } from "./plot.js";

/** @typedef {import("./controls.js").Settings} Settings */
/** @typedef {import("./plot.js").Band & {title: string, settings: Settings}} Recorded */
/**
 * @typedef {object} Run
 * @property {number} name
 * @property {Settings} settings
 * @property {string} words
 * @property {import("./plot.js").Point[]} points
 * @property {number} step
 * @property {number[]} losses of each batch
 * @property {number | null} parameters
 * @property {number | null} end loss on all of the validation text, when the run is over
 * @property {Promise<number> | null} begun the engine's number
 */

const HIGH = 3.5; // nats: above it a curve leaves the plot
const HEIGHT = 288;
const EMPTY = "What it writes stands here after the run.";

/** @param {number} n */
export const grouped = (n) => n.toLocaleString("en");

export class Results {
  /**
   * @param {HTMLElement} root with the still picture
   * @param {number} steps of a run
   * @param {(settings: Settings) => string} inWords a recorded model's name
   */
  constructor(root, steps, inWords) {
    this.steps = steps;
    this.inWords = inWords;
    root.insertAdjacentHTML(
      "beforeend",
      '<div class="trainer-text"><p class="tag"></p>' +
        '<p class="voice" role="group" aria-label="What the model writes" tabindex="0"></p></div>' +
        '<details class="trainer-verdict" hidden><summary>What did the curve not show?</summary><p></p></details>' +
        '<div class="trainer-runs" tabindex="0" role="region" aria-label="Runs in this page"><table>' +
        '<thead><tr><th scope="col">run</th><th scope="col">model</th><th scope="col">steps</th>' +
        '<th scope="col">loss</th></tr></thead><tbody></tbody></table></div>',
    );
    /** @param {string} selector */
    const part = (selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
    this.plot = part(".trainer-plot");
    this.key = part(".trainer-still");
    this.tag = part(".tag");
    this.voice = part(".voice");
    this.verdict = /** @type {HTMLDetailsElement} */ (part("details"));
    this.rows = part("tbody");
    this.clear();
  }

  /** Room for the next run. */
  clear() {
    this.write("", "", EMPTY);
    this.verdict.hidden = true;
  }

  /**
   * @param {string} prompt
   * @param {string} text
   * @param {string} whose
   */
  write(prompt, text, whose) {
    const given = document.createElement("b");
    given.textContent = prompt;
    this.voice.replaceChildren(given, text);
    this.tag.textContent = whose;
  }

  /** What the curve did not show, folded. @param {string | undefined} words */
  tell(words) {
    this.verdict.hidden = !words;
    this.verdict.open = false;
    /** @type {HTMLElement} */ (this.verdict.lastElementChild).textContent = words ?? "";
  }

  /**
   * @param {Run[]} runs the last one is the newest
   * @param {Recorded} band
   * @param {boolean} isSame whether it is the very model that is set
   */
  draw(runs, band, isSame) {
    const newest = runs.at(-1);
    const curves = runs.map((run) => ({
      points: run.points,
      look: run === newest ? (run.settings.break === NOTHING ? "now" : "now broken") : "before",
      name: `${run.name}`,
    }));
    this.plot.innerHTML = plot({
      width: Math.max(this.plot.clientWidth, 280),
      height: HEIGHT,
      steps: this.steps,
      curves,
      band: cut(band, this.steps),
      high: HIGH,
      title: `Validation loss by step: ${newest ? `run ${newest.name}, ` : ""}the recorded runs, and earlier ones; the table below has their losses`,
    });
    const recorded = this.inWords(band.settings);
    const words = `${isSame ? "Grey: f" : "Grey: the most like it in the book, f"}ive recorded runs of ${recorded}, measured at the dots.`;
    if (this.key.textContent !== words) this.key.textContent = words;
    this.list(runs, band, recorded);
  }

  /**
   * @param {Run[]} runs
   * @param {Recorded} band
   * @param {string} recorded
   */
  list(runs, band, recorded) {
    const lines = [...runs].reverse().map((run) => {
      const size = run.parameters ? `; ${grouped(run.parameters)} parameters` : "";
      return [`${run.name}`, `${run.words}${size}`, grouped(run.step), lossOf(run)];
    });
    const at = band.steps.findLastIndex((step) => step <= this.steps);
    const spread = `${band.low[at].toFixed(2)} to ${band.high[at].toFixed(2)}`;
    lines.push(["–", `recorded: ${recorded}`, grouped(band.steps[at]), spread]);
    this.rows.replaceChildren(...lines.map(row));
  }
}

/** @param {string[]} cells */
function row(cells) {
  const line = document.createElement("tr");
  for (const [i, words] of cells.entries()) {
    const cell = document.createElement(i ? "td" : "th");
    if (!i) cell.setAttribute("scope", "row");
    cell.textContent = words;
    line.append(cell);
  }
  return line;
}

/** @param {Run} run */
function lossOf(run) {
  if (lostAt(run.points) !== null) return "lost";
  const loss = run.points.at(-1)?.[1];
  if (loss === undefined) return "–";
  return run.end === null ? `about ${loss.toFixed(2)}` : run.end.toFixed(3);
}

/**
 * As much of what was recorded as the plot has steps.
 *
 * @param {Recorded} band
 * @param {number} steps
 */
function cut(band, steps) {
  const n = band.steps.filter((step) => step <= steps).length;
  if (n < 2) return null;
  const [mean, low, high] = [band.mean, band.low, band.high].map((losses) => losses.slice(0, n));
  return { steps: band.steps.slice(0, n), mean, low, high };
}
