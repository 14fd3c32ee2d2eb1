/**
 * The place of the norm in a block: drawing, marked row and sentence go together.
 */

/**
 * @param {import("./frame.js").Frame} frame
 * @param {{words: Record<string, string>, at: Record<string, [number, number] | null>}} given
 */
export function normPlace(frame, { words, at }) {
  frame.listen(() => {
    const place = frame.controls("place").find((radio) => radio.checked)?.value ?? "before";
    const norm = frame.one("[data-norm]");
    norm.style.visibility = at[place] ? "visible" : "hidden";
    if (at[place]) norm.style.transform = `translate(${at[place][0]}px, ${at[place][1]}px)`;
    for (const row of frame.all("[data-place]")) {
      if (row.dataset.place === place) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    frame.one(".toy-says").textContent = words[place];
  });
}
