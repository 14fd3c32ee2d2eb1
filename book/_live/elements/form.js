/**
 * The writer's controls: what the reader can set, as an HTML form.
 */
import { catalogue, modelOf, offer } from "./catalogue.js";

let made = 0;

/**
 * @typedef {object} Settings
 * @property {string} prompt
 * @property {string[]} models one or two ids
 * @property {number} temperature
 * @property {number | null} topK
 * @property {number} seed
 */

/**
 * @param {string} name
 * @param {string} label
 * @param {string} place class names for the grid
 * @param {string} control HTML, in which ID stands for the control's id
 * @param {string} [output] what the label shows beside its words
 */
function field(name, label, place, control, output = "") {
  const id = `writer-${made}-${name}`;
  const shown = output && `<output for="${id}" data-of="${name}">${output}</output>`;
  return (
    `<div class="field ${place}"><div class="label"><label for="${id}">${label}</label>${shown}</div>` +
    `${control.replaceAll("ID", `id="${id}" name="${name}"`)}</div>`
  );
}

export class Form {
  /** The controls as the page has them. @type {Record<string, string>} */
  before = {};

  /**
   * @param {string} prompt
   * @param {string[]} models
   * @param {boolean} isCompact
   */
  constructor(prompt, models, isCompact) {
    made += 1;
    const V = catalogue().vocabulary.length;
    const hint = `writer-${made}-hint`;
    const text = field(
      "prompt",
      "Prompt",
      isCompact ? "wide" : "span-4",
      `<textarea ID class="prompt" rows="1" autocomplete="off" autocapitalize="off" spellcheck="false" aria-describedby="${hint}"></textarea>` +
        `<span class="visually-hidden" id="${hint}">Enter writes; Shift and Enter make a new line.</span>`,
    );
    const rest =
      field("model", "Model", "span-4 half", "<select ID></select>") +
      field("beside", "Beside it", "span-4 half", "<select ID></select>");
    const draw =
      field(
        "temperature",
        "Temperature",
        "span-3 half",
        '<input ID type="range" min="0" max="2" step="0.1" value="1">',
        "1.0",
      ) +
      field(
        "top-k",
        "Top-k",
        "span-3 half",
        `<input ID type="range" min="1" max="${V}" step="1" value="${V}">`,
        "all",
      ) +
      field(
        "seed",
        "Seed",
        "span-2 third",
        '<input ID type="number" min="0" max="4294967295" step="1" value="1" inputmode="numeric">',
      );
    const go = '<button class="button primary" type="submit" data-go>Write</button>';
    const clear = '<button class="button" type="button" data-clear>Clear</button>';
    this.root = document.createElement("form");
    this.root.className = "live-controls";
    this.root.noValidate = true;
    this.root.innerHTML = isCompact
      ? `${text}<div class="buttons">${go}</div>` +
        `<details class="more"><summary>Models, temperature, what is likely next</summary>` +
        `<div class="live-grid">${rest}${draw}<div class="buttons span-4 two-thirds">${clear}</div></div></details>`
      : `${text}${rest}${draw}<div class="buttons span-4 two-thirds">${go}${clear}</div>`;
    this.go = /** @type {HTMLButtonElement} */ (this.root.querySelector("[data-go]"));
    this.clear = /** @type {HTMLButtonElement} */ (this.root.querySelector("[data-clear]"));
    this.fill(prompt, models);
    this.prompt.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.root.requestSubmit();
    });
    const seed = /** @type {HTMLInputElement} */ (this.root.elements.namedItem("seed"));
    seed.addEventListener("change", () => {
      seed.value = String(this.settings.seed); // what the field holds may be anything
    });
  }

  /**
   * @param {string} prompt
   * @param {string[]} models
   */
  fill(prompt, [first, second = ""]) {
    this.prompt.value = prompt;
    for (const name of ["model", "beside"]) offer(this.choice(name));
    this.choice("beside").prepend(new Option("nothing", ""));
    this.choice("model").value = first;
    this.choice("beside").value = second;
    this.before = this.written;
  }

  /** Every control by its name, as text. @returns {Record<string, string>} */
  get written() {
    const controls = /** @type {HTMLInputElement[]} */ ([...this.root.elements]);
    const named = controls.filter(({ name }) => name);
    return Object.fromEntries(named.map(({ name, value }) => [name, value]));
  }

  /** What was changed, for a link. */
  get changed() {
    const all = /** @type {[string, string][]} */ (Object.entries(this.written));
    return Object.fromEntries(all.filter(([name, value]) => value !== this.before[name]));
  }

  /**
   * The controls as a link has them; what they cannot stand at is left as it is.
   *
   * @param {Record<string, string>} given
   */
  take(given) {
    for (const [name, value] of Object.entries({ ...this.before, ...given })) {
      const control = /** @type {HTMLInputElement | null} */ (this.root.elements.namedItem(name));
      if (!control) continue;
      const before = control.value;
      control.value = value; // a slider takes the nearest that it can
      const isRefused = control.value !== value && control.value === "";
      if (isRefused || (name === "model" && value === "")) control.value = before;
    }
    this.say();
  }

  get prompt() {
    return /** @type {HTMLTextAreaElement} */ (this.root.elements.namedItem("prompt"));
  }

  /** @param {string} name */
  choice(name) {
    return /** @type {HTMLSelectElement} */ (this.root.elements.namedItem(name));
  }

  /** @param {string} name */
  number(name) {
    return Number(/** @type {HTMLInputElement} */ (this.root.elements.namedItem(name)).value);
  }

  /** @returns {Settings} */
  get settings() {
    const V = catalogue().vocabulary.length;
    const topK = this.number("top-k");
    const models = [this.choice("model").value, this.choice("beside").value];
    return {
      prompt: this.prompt.value,
      models: models.filter(Boolean).map((id) => modelOf(id).id),
      temperature: this.number("temperature"),
      topK: topK < V ? topK : null,
      seed: Math.min(Math.max(Math.trunc(this.number("seed")), 0), 2 ** 32 - 1),
    };
  }

  /** Says beside a slider what it stands at. */
  say() {
    const { temperature, topK } = this.settings;
    const said = { temperature: temperature.toFixed(1), "top-k": String(topK ?? "all") };
    for (const [name, word] of Object.entries(said)) {
      const output = /** @type {Element} */ (this.root.querySelector(`[data-of="${name}"]`));
      output.textContent = word;
      const slider = /** @type {HTMLInputElement} */ (this.root.elements.namedItem(name));
      slider.setAttribute("aria-valuetext", word);
    }
  }

  /**
   * @param {string} word
   * @param {boolean} isPrimary
   */
  name(word, isPrimary) {
    this.go.textContent = word;
    this.go.classList.toggle("primary", isPrimary);
  }
}
