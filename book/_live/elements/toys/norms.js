/**
 * A table to edit, normalized by row or by column.
 */
import { fixed, sum } from "./frame.js";

const SIZE = 4;
const MOMENTUM = 0.1; // PyTorch's: of a new batch in the running statistics
const ALL = [...Array(SIZE).keys()];

/** @param {number[]} numbers */
function moments(numbers) {
  const mean = sum(numbers) / SIZE;
  return { mean, variance: sum(numbers.map((one) => (one - mean) ** 2)) / SIZE };
}

/** What the reader typed as a number; NaN if it is none. @param {string} text */
const parsed = (text) =>
  text.trim() === "" ? Number.NaN : Number(text.trim().replace("−", "-").replace(",", "."));

/** @param {number} value */
const plain = (value) => String(value).replace("-", "−");

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{eps: number, limit: number}} given
 */
export function normTable(frame, { eps, limit }) {
  const inputs = frame.controls("cell");
  const stills = frame.all("[data-cell]");
  const warning = frame.one(".toy-warn");
  /** The last right number of each cell. */
  const table = inputs.map((input) => parsed(input.defaultValue));
  let last = 0; // the cell whose way the words tell
  let running = start();
  for (const still of stills) still.hidden = true;
  for (const [i, input] of inputs.entries()) {
    for (const event of ["focus", "input"]) {
      input.addEventListener(event, () => {
        last = i;
      });
    }
    input.addEventListener("focus", () => {
      input.select();
      show();
    });
  }

  function start() {
    return ALL.map(() => ({ mean: 0, variance: 1 }));
  }

  /** Takes what is right, and says what is not. */
  function read() {
    const wrong = inputs.flatMap((input, i) => {
      const value = parsed(input.value);
      const isWrong = !(Math.abs(value) <= limit);
      input.setAttribute("aria-invalid", String(isWrong));
      if (!isWrong) table[i] = value;
      stills[i].textContent = plain(table[i]);
      if (!isWrong) return [];
      const what = Number.isNaN(value)
        ? input.value.trim() === ""
          ? "is empty"
          : "is no number"
        : `is not from −${limit} to ${limit}`;
      return [`${input.getAttribute("aria-label")} ${what}; ${plain(table[i])} still counts.`];
    });
    if (warning.textContent !== wrong.join(" ")) warning.textContent = wrong.join(" ");
  }

  /** @param {"row" | "column"} of @param {number[]} numbers in the order of the table */
  const lines = (of, numbers) =>
    ALL.map((i) => ALL.map((j) => numbers[of === "row" ? SIZE * i + j : SIZE * j + i]));

  /** @param {string} name @param {number[]} numbers */
  function edges(name, numbers) {
    for (const of of /** @type {const} */ (["row", "column"])) {
      for (const [i, line] of lines(of, numbers).entries()) {
        const { mean, variance } = moments(line);
        frame.all(`[data-${name}-${of}-mean]`)[i].textContent = fixed(mean);
        frame.all(`[data-${name}-${of}-sd]`)[i].textContent = fixed(Math.sqrt(variance));
      }
    }
  }

  function show() {
    const isRows = frame.control("dim").value === "1";
    const isTraining = frame.control("mode").value === "train";
    const keeps = !isRows && !isTraining;
    const [gain, bias] = ["gain", "bias"].map((name) => frame.control(name).valueAsNumber);
    frame.stand("gain", fixed(gain, 1));
    frame.stand("bias", fixed(bias, 1));
    frame.allow("pass", !isRows && isTraining);
    frame.one(".toy-tables").dataset.dim = isRows ? "1" : "0";
    const found = lines(isRows ? "row" : "column", table).map(moments);
    const used = keeps ? running : found;
    const out = table.map((value, i) => {
      const { mean, variance } = used[isRows ? Math.floor(i / SIZE) : i % SIZE];
      return ((value - mean) / Math.sqrt(variance + eps)) * gain + bias;
    });
    edges("in", table);
    edges("out", out);
    for (const [i, cell] of frame.all("[data-out]").entries()) cell.textContent = fixed(out[i]);
    for (const j of ALL) {
      frame.all("[data-kept]")[j].textContent = fixed(running[j].mean);
      frame.all("[data-spread]")[j].textContent = fixed(running[j].variance);
    }

    const line = isRows ? Math.floor(last / SIZE) : last % SIZE;
    const { mean, variance } = used[line];
    const sd = Math.sqrt(variance);
    const name = `${isRows ? "Row" : "Channel"} ${line}`;
    const how = keeps
      ? `By the running statistics, whatever is in the batch. ${name} is taken to have`
      : `Each ${isRows ? "row" : "column"} by itself. ${name} has`;
    const shift = mean < 0 ? `(${fixed(mean)})` : fixed(mean);
    const after =
      gain === 1 && bias === 0
        ? ""
        : ` · ${fixed(gain, 1)} + ${bias < 0 ? `(${fixed(bias, 1)})` : fixed(bias, 1)}`;
    const self =
      isRows && !isTraining ? " Layer norm keeps nothing: evaluation is the same as training." : "";
    frame.one(".toy-says").textContent =
      `${how} mean ${fixed(mean)} and standard deviation ${fixed(sd)}: ` +
      `its ${plain(table[last])} becomes (${plain(table[last])} − ${shift}) / ${fixed(sd)}${after} = ${fixed(out[last])}.${self}`;
  }

  frame.listen((did) => {
    if (did === "reset") {
      running = start();
      last = 0;
    }
    read();
    if (did === "pass") {
      // The running variance takes the batch's with n - 1, as PyTorch has it.
      const batch = lines("column", table).map(moments);
      running = running.map((old, j) => ({
        mean: (1 - MOMENTUM) * old.mean + MOMENTUM * batch[j].mean,
        variance:
          (1 - MOMENTUM) * old.variance + (MOMENTUM * batch[j].variance * SIZE) / (SIZE - 1),
      }));
    }
    show();
  });
}
