/**
 * The page's side of the engine: one worker for all elements, started when the first is reached for.
 */

import { carried, carriedFiles, carriedWorker } from "./carried.js";
import { catalogue, isLarge } from "./catalogue.js";

/** @typedef {{got: number, all: number}} Progress of a download, in bytes */

/**
 * @typedef {object} Call
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((progress: any) => void)} [progress]
 */

const here = /** @type {HTMLScriptElement} */ (document.currentScript).src;
/** @type {Map<number, Call>} */
const calls = new Map();
/** @type {Worker | null} */
let worker = null;
let last = 0;

/** Files that are there, or will come from the browser's cache. */
const there = new Set();
/** Says "there" when a file has come. */
export const news = new EventTarget();

function started() {
  if (worker) return worker;
  worker = carriedWorker() ?? new Worker(new URL("worker.js", here), { type: "module" });
  worker.onmessage = ({ data }) => {
    const call = calls.get(data.call);
    if (data.progress) return call?.progress?.(data.progress);
    calls.delete(data.call);
    if (data.error) call?.reject(Object.assign(new Error(data.error), { name: data.name }));
    else call?.resolve(data.value);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const call of calls.values()) call.reject(new Error("the engine did not start"));
    calls.clear();
    worker?.terminate();
    worker = null;
  };
  const base = carried ? "" : new URL(".", here).href;
  const given = { catalogue: catalogue(), base, held: carriedFiles() };
  worker.postMessage({ call: 0, what: "open", given });
  return worker;
}

/**
 * Ask the engine; `worker/index.js` says what can be asked.
 *
 * @param {string} what
 * @param {object} given
 * @param {(progress: any) => void} [progress] hears what comes before the answer
 * @returns {{number: number, answer: Promise<any>}} the call's number, by which it can be cancelled
 */
export function ask(what, given, progress) {
  const number = ++last;
  const answer = new Promise((resolve, reject) => {
    calls.set(number, { resolve, reject, progress });
    started().postMessage({ call: number, what, given });
  });
  return { number, answer };
}

/** @param {number} number of a call that loads */
export const cancel = (number) =>
  worker?.postMessage({ call: 0, what: "cancel", given: { number } });

/** @param {string} file */
export const isThere = (file) => carried || !isLarge(file) || there.has(file);

/** @param {string} file */
export function arrived(file) {
  if (isThere(file)) return;
  there.add(file);
  news.dispatchEvent(new Event("there"));
}
