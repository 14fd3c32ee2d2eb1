/**
 * Models come to an element: what a click must ask for, how far it is, and how it can fail.
 */
import { bytesOf, catalogue, modelOf } from "./catalogue.js";
import { arrived, ask, cancel, isThere } from "./desk.js";

/** @typedef {import("./desk.js").Progress} Progress */

/**
 * Files of some models that a click must ask for.
 *
 * @param {string[]} models
 */
const missing = (models) =>
  [...new Set(models.map((id) => modelOf(id).file))].filter((file) => !isThere(file));

/**
 * Megabytes that a click must ask for; 0 if all is there.
 *
 * @param {string[]} models
 */
export function toLoad(models) {
  const bytes = missing(models).reduce((sum, file) => sum + bytesOf(file), 0);
  return bytes && Math.max(1, Math.round(bytes / 1e6));
}

/** @type {Promise<unknown> | null} */
let looked = null;

/** Looks once which large files the browser has kept. */
export function lookAround() {
  const files = Object.keys(catalogue().files).filter((file) => !isThere(file));
  looked ??= Promise.allSettled(
    files.map(async (file) => {
      if (await ask("kept", { file }).answer) arrived(file);
    }),
  );
  return looked;
}

export class Loading {
  /** The engine's number for what is going on. @type {number | null} */
  number = null;
  cancels = 0;

  /**
   * @param {string[]} models
   * @param {(progress: Progress) => void} progress
   */
  async load(models, progress) {
    const { cancels } = this;
    for (const model of models) {
      if (cancels !== this.cancels) throw cancelled();
      const call = ask("load", { model }, progress);
      this.number = call.number;
      try {
        await call.answer;
      } finally {
        if (this.number === call.number) this.number = null;
      }
      arrived(modelOf(model).file);
    }
  }

  cancel() {
    this.cancels += 1;
    if (this.number !== null) cancel(this.number);
  }
}

/** @param {Error} error */
export const isCancelled = (error) => error.name === "AbortError";
/** As the engine says it, which may be too busy to answer at once. */
export const cancelled = () => new DOMException("cancelled", "AbortError");
export const CANCELLED = "Cancelled. What has come is kept.";

/** @param {Error} error */
export function inWords({ name, message }) {
  return `It did not work: ${message}${name === "DownloadError" ? " What came before is kept." : ""}`;
}
