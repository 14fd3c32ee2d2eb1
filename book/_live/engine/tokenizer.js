/**
 * Characters as tokens: text -> ids -> text. A character's id is its rank in the vocabulary.
 */
export class Tokenizer {
  /** @param {string} vocabulary each character once, in code-point order */
  constructor(vocabulary) {
    this.vocabulary = [...vocabulary];
    this.ids = new Map(this.vocabulary.map((character, i) => [character, i]));
  }

  /** What a text begins after: a line's end, or the first character of a vocabulary without one. */
  get beginning() {
    return this.ids.has("\n") ? "\n" : this.vocabulary[0];
  }

  /**
   * The ids of the characters that are in the vocabulary; others are left out.
   *
   * @param {string} text
   */
  encode(text) {
    return Int32Array.from([...text].flatMap((character) => this.ids.get(character) ?? []));
  }

  /** @param {Iterable<number>} ids */
  decode(ids) {
    return Array.from(ids, (i) => this.vocabulary[i]).join("");
  }

  /**
   * The different characters of a text that the vocabulary has not.
   *
   * @param {string} text
   */
  unknown(text) {
    return [...new Set(text)].filter((character) => !this.ids.has(character));
  }
}
