/**
 * Builds what the pages load: `node build.mjs OUT` leaves the modules in the folder OUT.
 */
import { copyFile, mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { build } from "esbuild";

const [out] = process.argv.slice(2);
if (!out) throw new Error("say where to: node build.mjs OUT");

/** jax-js can also compute on the GPU, by modules that it loads when asked; it never is. */
const withoutGpu = {
  name: "without-gpu",
  /** @param {import("esbuild").PluginBuild} build */
  setup: (build) => {
    build.onResolve({ filter: /^\.\/web(gpu|gl)-/ }, ({ path }) => ({ path, external: true }));
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: import.meta.dirname,
  bundle: true,
  legalComments: "none",
  minify: true,
  outdir: resolve(out),
  target: ["es2022"],
};

await build({
  ...common,
  chunkNames: "[name]-[hash]",
  entryPoints: { engine: "engine/index.js", worker: "worker/index.js" },
  format: "esm",
  plugins: [withoutGpu],
  splitting: true,
});
// The worker by itself, for pages that carry all they need: they cannot load parts of it. No module,
// for Chromium starts none in a page from the disk.
await build({
  ...common,
  entryPoints: { "worker-alone": "worker/index.js" },
  format: "iife",
  plugins: [withoutGpu],
});
// No module: a page that is opened from the disk may load it, too, and says what to do.
await build({ ...common, entryPoints: { elements: "elements/index.js" }, format: "iife" });

await mkdir(out, { recursive: true });
await copyFile(
  resolve(import.meta.dirname, "node_modules/@jax-js/jax/LICENSE"),
  resolve(out, "LICENSE-jax-js.txt"),
);
