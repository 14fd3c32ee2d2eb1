/**
 * How the weights start: the package's five ways, by name (`bardgpt.initialization`).
 *
 *     default        linear layers U(-1/sqrt(n), 1/sqrt(n)) for n inputs; embeddings N(0, 1)
 *     normal         N(0, 0.02²) for all weights and embeddings, biases 0
 *     depth-scaled   "normal", and the output projections divided by sqrt(2 L)
 *     zero           "default", and the output projections 0
 *     xavier         linear layers U(-a, a), a = sqrt(6 / (n + m)) for m outputs, biases 0;
 *                    embeddings N(0, 1)
 */
import { Random } from "./random.js";
import { shapes, size } from "./shapes.js";

const STD = 0.02;

/**
 * @param {import("./config.js").GPTConfig} config
 * @param {number} seed
 * @returns {Record<string, Float32Array>} weights by name
 */
export function initialize(config, seed) {
  const random = new Random(seed);
  const all = shapes(config);
  return Object.fromEntries(
    Object.entries(all).map(([name, shape]) => [
      name,
      Float32Array.from({ length: size(shape) }, start(name, all, config, random)),
    ]),
  );
}

/**
 * What draws the numbers of one parameter.
 *
 * @param {string} name
 * @param {Record<string, number[]>} all
 * @param {import("./config.js").GPTConfig} config
 * @param {Random} random
 * @returns {() => number}
 */
function start(name, all, config, random) {
  const way = config.initialization;
  const layer = name.slice(0, name.lastIndexOf("."));
  const isBias = name.endsWith(".bias");
  const isProjection = layer.endsWith(".proj");
  if (layer.endsWith("norm")) return () => (isBias ? 0 : 1);
  if (isProjection && way === "zero") return () => 0;
  if (isBias && way !== "default" && way !== "zero") return () => 0;
  if (way === "normal" || way === "depth-scaled") {
    const std = isProjection && way === "depth-scaled" ? STD / Math.sqrt(2 * config.n_layer) : STD;
    return () => std * random.normal();
  }
  if (layer.endsWith("embedding")) return () => random.normal();
  const [outputs, inputs] = all[`${layer}.weight`];
  // q, k and v are C x C each, though they are stacked.
  const each = layer.endsWith(".qkv") ? inputs : outputs;
  const bound = way === "xavier" ? Math.sqrt(6 / (inputs + each)) : 1 / Math.sqrt(inputs);
  return () => bound * (2 * random.uniform() - 1);
}
