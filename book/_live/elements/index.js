/**
 * The script of pages that can be touched: it puts life into the still pictures that stand there.
 */
import { Writer } from "./writer.js";

customElements.define("bard-writer", Writer);
