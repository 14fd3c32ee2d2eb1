/**
 * What a page carries that is to be opened without a server (`bardgpt page`): the worker's script,
 * and the files that it would fetch. Any other page carries nothing.
 */

const script = document.getElementById("bard-worker");

/** Whether this page has all it needs inside. */
export const carried = script !== null;

/** The worker, if the page carries its script: no module, for Chromium starts none from the disk. */
export function carriedWorker() {
  if (!script) return null;
  const text = new Blob([script.textContent ?? ""], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(text));
}

/** Bytes by path, as the list of models has them. @returns {Record<string, Uint8Array>} */
export function carriedFiles() {
  const found = document.querySelectorAll("script[data-bard-file]");
  return Object.fromEntries(
    Array.from(found, (one) => {
      const text = atob((one.textContent ?? "").trim());
      const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
      return [/** @type {HTMLElement} */ (one).dataset.bardFile, bytes];
    }),
  );
}
