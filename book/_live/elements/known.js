/**
 * What of a reader's text the models know.
 */
import { Tokenizer } from "../engine/tokenizer.js";
import { catalogue } from "./catalogue.js";

const NAMED = 8; // characters that are left out, at most

/** @param {string} text */
export function known(text) {
  const tokenizer = new Tokenizer(catalogue().vocabulary);
  return tokenizer.decode(tokenizer.encode(text));
}

/**
 * Names what is left out, or says nothing.
 *
 * @param {string} text
 */
export function leftOut(text) {
  const { vocabulary } = catalogue();
  const unknown = new Tokenizer(vocabulary).unknown(text);
  if (!unknown.length) return "";
  const named = unknown.slice(0, NAMED).join(" ") + (unknown.length > NAMED ? " …" : "");
  return `Left out, for the models have never seen them: ${named}. They know ${vocabulary.length} characters: letters without accents, and .,:;!?'-&$3.`;
}
