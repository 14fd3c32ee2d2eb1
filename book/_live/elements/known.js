/**
 * What of a reader's text the models know.
 */
import { Tokenizer } from "../engine/tokenizer.js";
import { carried } from "./carried.js";
import { catalogue } from "./catalogue.js";

const NAMED = 8; // characters that are left out, at most

/** @param {string} text */
export function known(text) {
  const tokenizer = new Tokenizer(catalogue().vocabulary);
  return tokenizer.decode(tokenizer.encode(text));
}

/** What stands before every text. */
export const beginning = () => new Tokenizer(catalogue().vocabulary).beginning;

/**
 * A character, or its name if nothing would be seen of it.
 *
 * @param {string} character
 */
function nameOf(character) {
  if (character === "\t") return "tab";
  if (!/[\s\p{C}]/u.test(character)) return character;
  return `U+${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`;
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
  const named =
    unknown.slice(0, NAMED).map(nameOf).join(" ") + (unknown.length > NAMED ? " …" : "");
  const which = carried ? "" : ": letters without accents, and .,:;!?'-&$3";
  const who = carried ? ["the model has", "It knows"] : ["the models have", "They know"];
  return `Left out, for ${who[0]} never seen them: ${named}. ${who[1]} ${vocabulary.length} characters${which}.`;
}
