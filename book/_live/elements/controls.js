/**
 * The trainer's controls, as the page's data describes them (`bardgpt.teaching.live.trainers`), and
 * what they make of the model.
 */

/**
 * @typedef {object} Control
 * @property {string} label
 * @property {Record<string, string>} [options] words by name
 * @property {[number, number, number]} [range] from, to, step
 * @property {[number, number]} [number] from, to
 */
/** @typedef {Record<string, string>} Settings what each control stands at */
/** @typedef {import("../engine/config.js").GPTConfig} GPTConfig */
/** @typedef {import("../engine/config.js").TrainingConfig} TrainingConfig */

export const NOTHING = "nothing"; // is broken
let made = 0;

/** @param {Settings} settings @returns {Partial<GPTConfig>} */
export function modelOfSettings(settings) {
  const { wiring, start, dropout } = settings;
  const blocks = Number(settings.blocks);
  const [activation, layers] = settings["feed-forward"].split("-");
  const broken = settings.break;
  return {
    n_layer: blocks,
    n_head: Number(settings.heads),
    block: /** @type {GPTConfig["block"]} */ (wiring === "no-final-norm" ? "pre-norm" : wiring),
    final_norm: wiring === "pre-norm",
    // As on the ladder: heads' outputs are mixed from the first stack of blocks on.
    projection: blocks > 1 || wiring !== "plain",
    feed_forward: layers ? (layers === "1" ? "one-layer" : "two-layer") : "none",
    activation: activation === "relu" || activation === "gelu" ? activation : "none",
    initialization: /** @type {GPTConfig["initialization"]} */ (start),
    dropout: Number(dropout),
    mask: broken !== "mask",
    scale: broken !== "scale",
    positions: broken !== "positions",
    softmax: broken === "queries" ? "queries" : "keys",
  };
}

/** @param {Settings} settings @param {number} steps @returns {Partial<TrainingConfig>} */
export const trainingOfSettings = (settings, steps) => ({
  steps,
  learning_rate: Number(settings.rate),
  warmup: Number(settings["warm-up"]),
  seed: Number(settings.seed),
  shift: settings.break !== "shift",
});

/**
 * The recorded model that is most like the one that is set: wiring counts most, then blocks.
 *
 * @param {Settings} settings
 * @param {Record<string, {settings: Settings}>} recorded
 */
export function nearest(settings, recorded) {
  /** @param {Settings} other */
  const distance = (other) =>
    (other.wiring === settings.wiring ? 0 : 8) +
    Math.abs(Number(other.blocks) - Number(settings.blocks)) +
    (other["feed-forward"] === settings["feed-forward"] ? 0 : 2) +
    (other.heads === settings.heads ? 0 : 1);
  const all = Object.keys(recorded).map(
    (name) => /** @type {const} */ ([name, distance(recorded[name].settings)]),
  );
  return all.reduce((best, one) => (one[1] < best[1] ? one : best));
}

/**
 * The model in words; how it is trained is named where it is not the usual way.
 *
 * @param {Settings} settings
 * @param {Record<string, Control>} controls
 * @param {Settings} usual
 */
export function inWords(settings, controls, usual) {
  /** @param {string} name */
  const word = (name) => controls[name].options?.[settings[name]] ?? settings[name];
  const blocks = `${settings.blocks} ${settings.blocks === "1" ? "block" : "blocks"}`;
  const heads = `${settings.heads} ${settings.heads === "1" ? "head" : "heads"}`;
  const forward = settings["feed-forward"] === "none" ? "no feed-forward" : word("feed-forward");
  const rest = ["start", "rate", "warm-up", "dropout", "seed"]
    .filter((name) => settings[name] !== usual[name])
    .map((name) => `${controls[name].label.split(",")[0].toLowerCase()} ${word(name)}`);
  const broken = settings.break === NOTHING ? [] : [`broken: ${word("break")}`];
  return [`${blocks}, ${word("wiring")}`, heads, forward, ...rest, ...broken].join("; ");
}

export class Controls {
  /**
   * @param {Record<string, Control>} all
   * @param {string[]} shown
   * @param {Settings} begin of those that are shown and of those that are not
   */
  constructor(all, shown, begin) {
    made += 1;
    this.begin = begin;
    this.root = document.createElement("form");
    this.root.className = "trainer-controls";
    this.root.noValidate = true;
    const fields = shown.map((name) => field(name, all[name], begin[name]));
    this.root.innerHTML = `<fieldset><legend class="visually-hidden">The model and its training</legend>${fields.join("")}</fieldset>`;
    this.fields = /** @type {HTMLFieldSetElement} */ (this.root.firstElementChild);
    this.shown = shown;
    for (const name of shown) this.control(name).value = begin[name];
    this.root.addEventListener("change", ({ target }) => {
      const { name, type } = /** @type {HTMLInputElement} */ (target);
      if (type === "number") this.control(name).value = this.valueOf(name);
    });
    this.say();
  }

  /** @param {string} name */
  control(name) {
    return /** @type {HTMLInputElement} */ (this.root.elements.namedItem(name));
  }

  /** @returns {Settings} */
  get settings() {
    const set = this.shown.map((name) => [name, this.valueOf(name)]);
    return { ...this.begin, ...Object.fromEntries(set) };
  }

  /** What a number's field holds may be anything; left alone, it shows what counts. @param {string} name */
  valueOf(name) {
    const { type, value, min, max } = this.control(name);
    if (type !== "number") return value;
    if (value === "") return this.begin[name];
    return String(Math.min(Math.max(Math.trunc(Number(value)), Number(min)), Number(max)));
  }

  /** What was changed, for a link. @returns {Settings} */
  get changed() {
    const all = Object.entries(this.settings);
    return Object.fromEntries(all.filter(([name, value]) => value !== this.begin[name]));
  }

  /** The controls as a link has them; what they cannot stand at is left. @param {Settings} given */
  take(given) {
    for (const name of this.shown) {
      const control = this.control(name);
      control.value = this.begin[name];
      const before = control.value;
      if (given[name] === undefined) continue;
      control.value = given[name]; // a slider takes the nearest that it can
      if (control.value === "") control.value = before;
    }
    this.say();
  }

  /** Says beside a slider what it stands at. */
  say() {
    for (const output of this.root.querySelectorAll("output")) {
      const slider = this.control(/** @type {string} */ (output.dataset.of));
      output.textContent = slider.value;
    }
  }
}

/**
 * @param {string} name
 * @param {Control} control
 * @param {string} value
 */
function field(name, { label, options, range, number }, value) {
  const id = `trainer-${made}-${name}`;
  const named = `id="${id}" name="${name}"`;
  // Of an object's names the whole numbers come first, so a rate of 1 must be put back in its place.
  const all = Object.entries(options ?? {}).sort(([a], [b]) => Number(a) - Number(b) || 0);
  const control = range
    ? `<input ${named} type="range" min="${range[0]}" max="${range[1]}" step="${range[2]}" value="${value}">`
    : number
      ? `<input ${named} type="number" min="${number[0]}" max="${number[1]}" step="1" inputmode="numeric">`
      : `<select ${named}>${all.map(([key, word]) => `<option value="${key}">${word}</option>`).join("")}</select>`;
  const output = range ? `<output for="${id}" data-of="${name}"></output>` : "";
  return `<div class="field"><div class="label"><label for="${id}">${label}</label>${output}</div>${control}</div>`;
}
