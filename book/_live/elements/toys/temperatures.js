/**
 * The likeliest next characters at a temperature.
 */
import { columns, fixed, sum } from "./frame.js";

const BARS = 10;

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{probabilities: number[], best: string}} given the likeliest first
 */
export function temperature(frame, { probabilities, best }) {
  const show = columns(frame);

  frame.listen(() => {
    const T = frame.control("T").valueAsNumber;
    const powers = probabilities.map((one) => (one / probabilities[0]) ** (1 / T));
    const all = sum(powers);
    const shares = powers.map((power) => power / all);
    const entropy = -sum(shares.map((share) => (share > 0 ? share * Math.log(share) : 0)));
    frame.stand("T", fixed(T, 1));
    show(shares.slice(0, BARS));
    frame.one(".toy-says").textContent =
      `At temperature ${fixed(T, 1)} the entropy is ${fixed(entropy)} nats: as unsure as a die ` +
      `with ${fixed(Math.exp(entropy), 1)} faces. The likeliest, ${best}, comes one time in ` +
      `${fixed(1 / shares[0], 1)}.`;
  });
}
