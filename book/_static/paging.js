// The arrow keys lead to the previous and the next page, where they mean nothing else.

const PAGES = { ArrowLeft: "prev", ArrowRight: "next" };

// What has the focus may want the arrows itself: a field, a slider, code that scrolls sideways.
// A link does not, nor does the page.
function takesArrows(element) {
  return element !== document.body && element !== document.documentElement && !element.matches("a");
}

addEventListener("keydown", (event) => {
  const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
  const where = PAGES[event.key];
  if (!where || modified || event.defaultPrevented || event.isComposing) return;
  if (takesArrows(document.activeElement ?? document.body)) return;
  if (document.querySelector("dialog[open]")) return;
  const link = document.querySelector(`link[rel="${where}"]`);
  if (link) location.assign(link.href);
});
