/**
 * `<bard-toy kind="…">`: a picture that answers to the hand, without a model.
 */
import { Frame } from "./frame.js";
import { mask, masks } from "./masks.js";
import { normTable } from "./norms.js";
import { normPlace } from "./places.js";
import { scores } from "./scores.js";
import { stack } from "./stacks.js";
import { temperature } from "./temperatures.js";

/** @type {Record<string, (frame: Frame, given: any) => void>} */
const KINDS = {
  mask,
  masks,
  "norm-place": normPlace,
  "norm-table": normTable,
  scores,
  stack,
  temperature,
};

export class Toy extends HTMLElement {
  isAwake = false;

  connectedCallback() {
    if (this.isAwake) return; // moved within the page
    this.isAwake = true;
    const kind = this.getAttribute("kind") ?? "";
    KINDS[kind]?.(new Frame(this), JSON.parse(this.dataset.given ?? "{}"));
  }
}
