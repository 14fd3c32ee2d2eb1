/**
 * The models of the book: fetched when they are first asked for, and then at hand.
 */
import { CountTable, modelConfig, Neural, readWeights, ready, Tokenizer } from "../engine/index.js";
import { Download } from "./download.js";

/** @typedef {import("../elements/catalogue.js").Catalogue} Catalogue */
/** @typedef {import("../elements/desk.js").Progress} Progress */
/** @typedef {CountTable | Neural} Model */

export class Library {
  /**
   * @param {Catalogue} catalogue
   * @param {string} base address that paths begin from
   * @param {Record<string, Uint8Array>} [held] pieces that are there already, by their path
   */
  constructor(catalogue, base, held = {}) {
    this.catalogue = catalogue;
    this.tokenizer = new Tokenizer(catalogue.vocabulary);
    this.downloads = Object.fromEntries(
      Object.entries(catalogue.files).map(([file, pieces]) => [
        file,
        new Download(pieces, base, held),
      ]),
    );
    /** @type {Map<string, Promise<Model>>} */
    this.models = new Map();
    /** @type {Map<string, Promise<Int32Array>>} */
    this.texts = new Map();
    /** @type {Promise<void> | null} */
    this.engine = null;
  }

  /** @param {string} file */
  isKept(file) {
    return this.downloads[file].isKept();
  }

  /**
   * @param {string} id
   * @param {AbortSignal} [signal]
   * @param {(progress: Progress) => void} [progress]
   * @returns {Promise<Model>}
   */
  async model(id, signal, progress) {
    const model = this.catalogue.models.find((one) => one.id === id);
    if (!model) throw new Error(`there is no model ${id}`);
    const known = this.models.get(id);
    if (known) return known;
    const file = await this.downloads[model.file].whole(signal, progress);
    const coming = this.models.get(id) ?? this.made(model, file); // another may have had the file
    this.models.set(id, coming);
    coming.catch(() => this.models.delete(id)); // the next time it may go well
    return coming;
  }

  /**
   * @param {import("../elements/catalogue.js").Model} model
   * @param {ArrayBuffer} file
   * @returns {Promise<Model>}
   */
  async made(model, file) {
    if (model.context !== undefined) {
      const ids = this.tokenizer.encode(new TextDecoder().decode(file));
      return new CountTable(ids, model.context, this.tokenizer.vocabulary.length);
    }
    await this.started();
    const config = modelConfig(model.config ?? {});
    return new Neural(config, readWeights(file, config));
  }

  /** What is computed in this browser can be computed from here on. */
  async started() {
    this.engine ??= ready();
    await this.engine;
  }

  /**
   * @param {string} file of a text
   * @param {AbortSignal} [signal]
   * @param {(progress: Progress) => void} [progress]
   * @returns {Promise<Int32Array>} its ids
   */
  text(file, signal, progress) {
    const known = this.texts.get(file);
    if (known) return known;
    const coming = this.downloads[file]
      .whole(signal, progress)
      .then((bytes) => this.tokenizer.encode(new TextDecoder().decode(bytes)));
    this.texts.set(file, coming);
    coming.catch(() => this.texts.delete(file));
    return coming;
  }
}
