/**
 * The engine, by name: what the worker uses and what the tests hold against PyTorch.
 */
export { modelConfig, trainingConfig } from "./config.js";
export { CountTable } from "./counts.js";
export { initialize } from "./initialization.js";
export { forward } from "./model.js";
export { Neural, windowStart } from "./neural.js";
export { rateFactor } from "./optimizer.js";
export { Random } from "./random.js";
export { readWeights, WeightsError } from "./safetensors.js";
export { drawn, probabilities } from "./sampling.js";
export { nParameters, shapes } from "./shapes.js";
export { randomKey, ready, toArrays, toIds, toTensors } from "./tensors.js";
export { Tokenizer } from "./tokenizer.js";
export { Evaluation, lossAndGradients, Trainer } from "./training.js";
