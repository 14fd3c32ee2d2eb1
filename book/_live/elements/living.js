/**
 * What the elements that ask the engine have in common: a foot, and from the disk only their picture.
 */
import { carried } from "./carried.js";
import { Foot, FROM_DISK } from "./foot.js";

export class Living extends HTMLElement {
  /** @type {Foot | undefined} */
  foot;
  task = "Loading"; // what the bar in the foot shows

  connectedCallback() {
    if (this.foot) return; // moved within the page
    this.foot = new Foot(this.task);
    if (location.protocol !== "file:" || carried) {
      this.build();
      return;
    }
    this.foot.status.innerHTML = FROM_DISK;
    this.dataset.state = "still";
    this.append(this.foot.root);
  }

  /** The element takes the picture's place. */
  build() {}
}
