/**
 * What the page can be asked: models and their files. The build writes it into every page that has
 * an element, so that a choice of models stands there before anything is loaded.
 */

/**
 * @typedef {object} Piece of a file, a hosted file by itself: what has arrived need not come again
 * @property {string} path beside the scripts
 * @property {number} bytes
 * @property {string} sha256 hexadecimal
 */

/**
 * @typedef {object} Model
 * @property {string} id
 * @property {string} title
 * @property {"model" | "count"} role
 * @property {string} loss on the validation text, in nats per character; "" if nobody knows
 * @property {string} file a name in `files`
 * @property {number} [context] of a count table
 * @property {Partial<import("../engine/config.js").GPTConfig>} [config] of a trained model
 */

/** @typedef {{vocabulary: string, models: Model[], files: Record<string, Piece[]>}} Catalogue */

/** @type {Catalogue | null} */
let read = null;

/** @returns {Catalogue} */
export function catalogue() {
  read ??= JSON.parse(document.getElementById("bard-live")?.textContent ?? "null");
  if (!read) throw new Error("this page has no list of models");
  return read;
}

/** @param {string} id */
export function modelOf(id) {
  const model = catalogue().models.find((one) => one.id === id);
  if (!model) throw new Error(`there is no model ${id}`);
  return model;
}

/**
 * Every model as a choice. A closed list has little room: the chapter stands above those that it has.
 *
 * @param {HTMLSelectElement} select
 */
export function offer(select) {
  for (const { id, title } of catalogue().models) {
    const [chapter, name] = title.split(" · ");
    const last = select.lastElementChild;
    const isSame = last instanceof HTMLOptGroupElement && last.label === chapter;
    const group = isSame ? last : document.createElement("optgroup");
    group.label = chapter;
    group.append(new Option(name ?? title, id));
    select.append(name ? group : new Option(title, id));
  }
}

/** A file that is larger comes only after a click that names its size. */
const SMALL = 400_000; // bytes

/** @param {string} file */
export const bytesOf = (file) =>
  catalogue().files[file].reduce((sum, piece) => sum + piece.bytes, 0);

/** @param {string} file */
export const isLarge = (file) => bytesOf(file) > SMALL;

/** @param {number} bytes */
export const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
