/**
 * Losses by step, drawn on the axes of the still picture (`bardgpt.teaching.live.page`).
 */

/** @typedef {[number, number]} Point a step and a loss, which may be no number */
/**
 * @typedef {object} Curve
 * @property {Point[]} points
 * @property {string} look class names
 * @property {string} [name] stands at its end
 */
/**
 * @typedef {object} Band
 * @property {number[]} steps
 * @property {number[]} mean
 * @property {number[]} low
 * @property {number[]} high
 */
/**
 * @typedef {object} Drawing
 * @property {number} width
 * @property {number} height
 * @property {number} steps where the axis ends
 * @property {Curve[]} curves the last is drawn on top
 * @property {Band | null} [band]
 * @property {number} [level] a dashed line
 * @property {number} high losses above it leave the plot
 * @property {string} title for those who cannot see it
 */

const [LEFT, RIGHT, TOP, BOTTOM] = [40, 12, 12, 34];
const USUAL = 2; // where the axis begins as long as nothing is below
let made = 0;

/** @param {string} text */
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * Where a run was lost, as a point at the upper edge: its loss is no number any more.
 *
 * @param {Point[]} points
 */
export const lostAt = (points) => points.find(([, loss]) => !Number.isFinite(loss))?.[0] ?? null;

/**
 * @param {Drawing} drawing
 * @returns {string} an SVG picture
 */
export function plot({ width, height, steps, curves, band = null, level, high, title }) {
  made += 1;
  const clip = `trainer-clip-${made}`;
  const all = [...curves.flatMap(({ points }) => points.map(([, loss]) => loss))];
  const least = Math.min(...all.filter(Number.isFinite), ...(band?.low ?? []), USUAL + 0.05);
  const low = least < 1.9 ? 0 : Math.min(USUAL, Math.floor(least * 10) / 10);
  const right = width - RIGHT;
  /** @param {number} step */
  const x = (step) => LEFT + (step / steps) * (right - LEFT);
  /** @param {number} loss */
  const y = (loss) => {
    const shown = Number.isFinite(loss) ? loss : high;
    return TOP + ((high - shown) / (high - low)) * (height - TOP - BOTTOM);
  };
  /** @param {Point[]} points */
  const path = (points) =>
    `M${points.map(([s, loss]) => `${x(s).toFixed(1)} ${Math.max(y(loss), -height).toFixed(1)}`).join("L")}`;
  /** Lines of no length, which round ends make dots. @param {Point[]} points */
  const dots = (points) =>
    points.map(([s, loss]) => `M${x(s).toFixed(1)} ${y(loss).toFixed(1)}h0`).join("");
  const ticks = high - low > 2 ? [0, 1, 2, 3, 4] : [2, 2.5, 3, 3.5];
  const grid = ticks
    .filter((tick) => tick >= low && tick <= high)
    .map(
      (tick) =>
        `<path class="grid" d="M${LEFT} ${y(tick)}H${right}"/>` +
        `<text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
    );
  const marks = [0, steps / 2, steps].map(
    (step) =>
      `<text x="${x(step)}" y="${height - BOTTOM + 20}" text-anchor="${step === steps ? "end" : "middle"}">${step.toLocaleString("en")}</text>`,
  );
  /** @type {(side: "low" | "mean" | "high") => Point[]} */
  const side = (name) =>
    band ? band.steps.map((step, i) => /** @type {Point} */ ([step, band[name][i]])) : [];
  const area = band
    ? `<path class="area" d="${path([...side("high"), ...side("low").reverse()])}Z"/><path class="past" d="${path(side("mean"))}"/><path class="past measured" d="${dots(side("mean"))}"/>`
    : "";
  const lines = curves
    .filter(({ points }) => points.length)
    .map(({ points, look }) => {
      const lost = lostAt(points);
      const [step, loss] = /** @type {Point} */ (points.at(-1));
      const end = lost === null ? `<circle cx="${x(step)}" cy="${y(loss)}" r="3.5"/>` : "";
      return `<g class="${look}"><path d="${path(points)}"/>${end}</g>`;
    });
  const names = curves
    .filter(({ name, points }) => name && points.length)
    .map(({ name, points, look }) => {
      const [step, loss] = /** @type {Point} */ (points.at(-1));
      const isEarly = step < steps * 0.7;
      const at = Math.max(y(loss) - 8, TOP + 26); // below the words at the plot's edge
      return `<text class="name ${look}" x="${x(step) + (isEarly ? 6 : 0)}" y="${at}" text-anchor="${isEarly ? "start" : "end"}">${escaped(name ?? "")}</text>`;
    });
  const dashed = level ? `<path class="level" d="M${LEFT} ${y(level)}H${right}"/>` : "";
  return (
    `<svg class="live-curves" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">` +
    `<clipPath id="${clip}"><path d="M0 ${TOP}H${width}V${height}H0Z"/></clipPath>` +
    `<g aria-hidden="true">${grid.join("")}${marks.join("")}<text x="${right}" y="${TOP + 12}" text-anchor="end">validation loss by step</text>` +
    `<g clip-path="url(#${clip})">${area}${dashed}${lines.join("")}</g>${names.join("")}</g></svg>`
  );
}
