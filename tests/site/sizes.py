"""What a window is too small for, as scripts that a page answers with what sticks out of it."""

# Elements beyond the right edge of a page that scrolls sideways.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
# Text that its box cuts off: wider than the box, which does not scroll.
CUT_OFF = """() => [...document.querySelectorAll(
    ":is(article, main) :is(h1, h2, h3, p, li, th, td, label)")]
  .filter((element) => element.checkVisibility() && element.clientWidth > 0 &&
    ["hidden", "clip"].includes(getComputedStyle(element).overflowX) &&
    element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.textContent.slice(0, 80))"""
