/**
 * Attention weights under a mask of dropout; and a prediction as the mean over several masks.
 */
import { Random } from "../../engine/random.js";
import { columns, fixed, sum } from "./frame.js";

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{weights: number[][], seed: number}} given
 */
export function mask(frame, { weights, seed }) {
  const cells = frame.all("[data-weight]");
  const sums = frame.all("[data-sum]");
  let turn = 0;

  frame.listen((did) => {
    if (did === "new") turn += 1;
    if (did === "reset") turn = 0;
    const p = frame.control("p").valueAsNumber;
    const random = new Random(seed + turn);
    // The same draws for every p: a larger p drops more of the same weights.
    const kept = weights.map((row) => row.map((one) => (random.uniform() < p ? 0 : one / (1 - p))));
    frame.stand("p", `p = ${fixed(p)}`);
    for (const [i, weight] of kept.flat().entries()) {
      cells[i].textContent = fixed(weight);
      cells[i].style.background =
        `color-mix(in oklab, var(--bard-k) ${Math.min(35 * weight, 35)}%, transparent)`;
      cells[i].classList.toggle("toy-dropped", weight === 0);
    }
    const rows = kept.map(sum);
    for (const [t, row] of rows.entries()) sums[t].textContent = fixed(row);
    const all = kept.flat();
    const ends = [Math.min(...rows), Math.max(...rows)].map((row) => fixed(row));
    frame.one(".toy-says").textContent =
      `${all.filter((one) => one === 0).length} of ${all.length} weights are 0. ` +
      `The others are multiplied by 1 / (1 − ${fixed(p)}) = ${fixed(1 / (1 - p))}. ` +
      `The rows sum to ${[...new Set(ends)].join(" to ")}.`;
  });
}

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{under: number[][], without: number[]}} given under in thousandths, a row for each mask
 */
export function masks(frame, { under, without }) {
  const show = columns(frame);
  let turn = 0;

  frame.listen((did) => {
    if (did === "reset") turn = 0;
    if (did === "other") turn += 1;
    const many = 4 ** frame.control("many").valueAsNumber;
    const chosen = Array.from({ length: many }, (_, i) => under[(turn * many + i) % under.length]);
    const mean = without.map((_, i) => sum(chosen.map((one) => one[i])) / many / 1000);
    frame.stand("many", String(many));
    frame.allow("other", many < under.length);
    show(mean);
    const farthest = Math.max(...mean.map((share, i) => Math.abs(share - without[i])));
    frame.one(".toy-says").textContent =
      `${many === 1 ? "One mask" : `The mean of ${many} masks`}. At most ` +
      `${fixed(100 * farthest, 0)} per cent lie between a bar and its line, the prediction at ` +
      "test time, when nothing is dropped.";
  });
}
