/**
 * The script of pages that can be touched: it puts life into the still pictures that stand there.
 */
import { Reader } from "./reader.js";
import { Sweep } from "./sweep.js";
import { Toy } from "./toys/index.js";
import { Trainer } from "./trainer.js";
import { Writer } from "./writer.js";

customElements.define("bard-writer", Writer);
customElements.define("bard-reader", Reader);
customElements.define("bard-trainer", Trainer);
customElements.define("bard-sweep", Sweep);
customElements.define("bard-toy", Toy);
