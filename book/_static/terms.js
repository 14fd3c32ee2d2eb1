// A term of the glossary says what it means: under the mouse, with the keyboard on it, or tapped.
// Without a script, and at a second key or click, its link leads to the glossary.

const PATIENCE = 200; // milliseconds between a word and its entry, both ways

function settle(entry, link) {
  // Below the word, or above it where there is no room; never beyond the window.
  const word = link.getClientRects()[0];
  const room = 8;
  const left = Math.min(word.left, document.documentElement.clientWidth - entry.offsetWidth - room);
  const below = word.bottom + 4;
  const fits = below + entry.offsetHeight <= innerHeight - room;
  entry.style.left = `${Math.max(room, left)}px`;
  entry.style.top = `${fits ? below : Math.max(room, word.top - entry.offsetHeight - 4)}px`;
}

function explain(link, entry) {
  let waiting;
  let touched = false;
  link.setAttribute("aria-describedby", entry.id);

  const show = () => {
    clearTimeout(waiting);
    if (entry.matches(":popover-open")) return;
    entry.showPopover();
    settle(entry, link);
  };
  const hide = () => {
    clearTimeout(waiting);
    if (entry.matches(":popover-open")) entry.hidePopover();
  };
  const soon = (act) => {
    clearTimeout(waiting);
    waiting = setTimeout(act, PATIENCE);
  };

  link.addEventListener("pointerdown", (event) => {
    touched = event.pointerType !== "mouse";
  });
  for (const part of [link, entry]) {
    part.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") soon(show);
    });
    part.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") soon(hide);
    });
  }
  link.addEventListener("focus", () => {
    if (link.matches(":focus-visible") && !touched) show();
  });
  link.addEventListener("blur", (event) => {
    if (!entry.contains(event.relatedTarget)) hide();
  });
  link.addEventListener("click", (event) => {
    if (!touched) return; // a mouse or the Enter key follows the link
    event.preventDefault();
    touched = false;
    show();
  });
}

if ("popover" in HTMLElement.prototype) {
  const close = () => document.querySelector(".bard-entry:popover-open")?.hidePopover();
  addEventListener("scroll", close, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") close(); // also an entry that opened by itself, with the focus
  });
  for (const link of document.querySelectorAll("a.bard-term")) {
    const entry = document.getElementById(`entry-${link.hash.slice(1)}`);
    if (entry) explain(link, entry);
  }
}
