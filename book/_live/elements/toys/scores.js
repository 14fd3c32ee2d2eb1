/**
 * Scores to move, their weights, and the mean of the values.
 */
import { fixed, softmax, sum } from "./frame.js";

const HIGH = 6; // of a score, either way

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{values: number[]}} given
 */
export function scores(frame, { values }) {
  const sliders = frame.controls("score");
  const slidesHead = frame.controls("hs").length > 0;
  const [low, high] = [Math.min(...values) - 1, Math.max(...values) + 1];

  frame.listen((did) => {
    for (const slider of sliders) {
      if (did === "add") slider.valueAsNumber += 1;
      if (did === "double") slider.valueAsNumber *= 2;
    }
    const set = sliders.map((slider) => slider.valueAsNumber);
    const hs = slidesHead ? 2 ** frame.control("hs").valueAsNumber : 1;
    const isScaled = !slidesHead || frame.control("scale").checked;
    const used = set.map((score) => (isScaled ? score : score * Math.sqrt(hs)));
    const weights = softmax(used);
    const mean = sum(weights.map((weight, i) => weight * values[i]));

    if (slidesHead) frame.stand("hs", `hs = ${hs.toLocaleString("en")}`);
    frame.allow("add", Math.max(...set) <= HIGH - 1);
    frame.allow("double", Math.max(...set.map(Math.abs)) <= HIGH / 2);
    const [said, bars, shares, dots] = ["score", "bar", "weight", "dot"].map((name) =>
      frame.all(`[data-${name}]`),
    );
    for (const [i, weight] of weights.entries()) {
      said[i].textContent = fixed(used[i], 1);
      sliders[i].setAttribute("aria-valuetext", fixed(set[i], 1));
      bars[i].style.width = `${100 * weight}%`;
      shares[i].textContent = fixed(weight);
      dots[i].style.width = dots[i].style.height = `${6 + 34 * Math.sqrt(weight)}px`;
    }
    const pointer = frame.one("[data-mean]");
    pointer.style.left = `${(100 * (mean - low)) / (high - low)}%`;
    /** @type {Element} */ (pointer.querySelector("span")).textContent = fixed(mean);
    const terms = weights.map((weight, i) => {
      const value = values[i] < 0 ? `(${fixed(values[i], 0)})` : fixed(values[i], 0);
      return `<b class="toy-k">${fixed(weight)}</b> · <b class="toy-v">${value}</b>`;
    });
    frame.one(".toy-says").innerHTML =
      `mean = ${terms.join(" + ")} = <b class="toy-output">${fixed(mean)}</b>`;
    const words = isScaled
      ? ""
      : ` Not divided, scores of head size ${hs.toLocaleString("en")} are ${fixed(Math.sqrt(hs), 1)} times as large.`;
    frame.one("[data-largest]").textContent =
      `The largest weight is ${fixed(Math.max(...weights))}.${words}`;
  });
}
