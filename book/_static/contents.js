/* The contents list marks the section that is being read: while one scrolls, and after a jump. */
(() => {
  "use strict";
  /** What an address names, if it can be read at all. */
  const named = (hash) => {
    try {
      return document.getElementById(decodeURIComponent(hash.slice(1)));
    } catch {
      return null;
    }
  };
  const list = document.getElementById("bard-contents");
  const entries = [...(list?.querySelectorAll("a[href^='#']") ?? [])]
    .map((link) => ({ link, section: named(link.hash) }))
    .filter(({ section }) => section);
  if (!entries.length) return;

  const READ = 0.25; // how far down the window one reads, as a share of its height
  let jumped = null; // the section that was jumped to, until the reader moves on

  /** The last section that begins above the line of reading; near the page's end the line sinks. */
  function reached() {
    const height = window.innerHeight;
    const left = document.documentElement.scrollHeight - window.scrollY - height;
    const line = Math.max(READ * height, height - Math.max(left, 0) - 1);
    return entries.findLast(({ section }) => section.getBoundingClientRect().top <= line);
  }

  function mark() {
    const { link: current } = jumped ?? reached() ?? {};
    for (const { link } of entries) {
      const here = link === current;
      link.classList.toggle("active", here);
      if (here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const entry of list.querySelectorAll(".toc-entry")) {
      entry.classList.toggle("active", Boolean(current) && entry.contains(current));
    }
    // A long list scrolls by itself; its box alone, never the page.
    const box = current?.closest(".bd-sidebar-secondary");
    if (box && box.scrollHeight > box.clientHeight) {
      const [inner, outer] = [current.getBoundingClientRect(), box.getBoundingClientRect()];
      if (inner.top < outer.top) box.scrollTop += inner.top - outer.top;
      else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom;
    }
  }

  /** A place inside a section counts as the section; a page's title as none. */
  function jump(hash) {
    const place = hash.length > 1 && named(hash);
    jumped = (place && entries.findLast(({ section }) => section.contains(place))) || null;
    mark();
  }

  function moveOn() {
    jumped = null;
  }

  let waiting = false;
  function later() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  }

  for (const name of ["wheel", "touchmove", "keydown", "mousedown"]) {
    addEventListener(name, moveOn, { passive: true });
  }
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later, { passive: true });
  addEventListener("scrollend", () => {
    const top = jumped?.section.getBoundingClientRect().top ?? 0;
    if (top < -1 || top > window.innerHeight) moveOn(); // carried away by something else
    later();
  });
  addEventListener("hashchange", () => jump(location.hash));
  addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href]");
    if (link?.hash && link.pathname === location.pathname && link.host === location.host) {
      jump(link.hash);
    }
  });
  jump(location.hash);
})();
