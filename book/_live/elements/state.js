/**
 * What is set in an element stands in the page's address, so that a setting can be linked:
 * `#writer.model=full&writer.seed=7`.
 *
 * Names begin with the element's, from the second of its kind on with a number: `writer2.seed`. An
 * address may hold anything: an element takes of it what it understands. Anchors stay anchors.
 */

/** @typedef {Record<string, string | number | null | undefined>} Settings null: nothing to say */

const LONGEST = 2000; // characters of a value: longer addresses are cut by what passes them on
const PAUSE = 250; // milliseconds: browsers refuse an address that changes with every key
const NAME = /^[a-z]+\d*\.[a-z-]+$/;

/** What each element said last. @type {Map<HTMLElement, Settings>} */
const kept = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon;

/** @param {HTMLElement} element */
function prefixOf(element) {
  const place = [...document.querySelectorAll(element.localName)].indexOf(element);
  return `${element.localName.replace("bard-", "")}${place > 0 ? place + 1 : ""}.`;
}

/** What elements say in the address. @returns {[string, string][]} */
function written() {
  const all = [...new URLSearchParams(location.hash.slice(1))];
  return all.filter(([name]) => NAME.test(name));
}

/**
 * @param {HTMLElement} element
 * @param {Settings} settings
 * @returns {[string, string][]}
 */
function named(element, settings) {
  const prefix = prefixOf(element);
  const said = Object.entries(settings).filter(([, value]) => value != null);
  return said.map(([name, value]) => [prefix + name, String(value).slice(0, LONGEST)]);
}

/** @param {[string, string][]} all */
const address = (all) =>
  location.href.replace(/#.*/, "") + (all.length ? `#${new URLSearchParams(all)}` : "");

/**
 * Hands an element what the address says of it: now, and whenever such a link is followed in the
 * page. The page turns to the element that a link is about.
 *
 * @param {HTMLElement} element
 * @param {(given: Record<string, string>) => void} take
 */
export function opened(element, take) {
  /** @param {boolean} isNew */
  const look = (isNew) => {
    const prefix = prefixOf(element);
    const all = written();
    const own = all.filter(([name]) => name.startsWith(prefix));
    if (!own.length) return;
    const given = Object.fromEntries(
      own.map(([name, value]) => [name.slice(prefix.length), value]),
    );
    kept.set(element, given);
    take(given);
    const { top } = element.getBoundingClientRect();
    const isSeen = top >= 0 && top < innerHeight / 2;
    if (isNew && !isSeen && all[0][0].startsWith(prefix)) element.scrollIntoView();
  };
  addEventListener("hashchange", () => element.isConnected && look(true));
  const [visit] = performance.getEntriesByType("navigation");
  // Of a page that is loaded again the browser knows where it was.
  look(/** @type {PerformanceNavigationTiming} */ (visit)?.type === "navigate");
}

/**
 * Puts what is set into the address, in place of what stood there of this element.
 *
 * @param {HTMLElement} element
 * @param {Settings} settings
 */
export function keep(element, settings) {
  kept.set(element, settings);
  clearTimeout(soon);
  soon = setTimeout(write, PAUSE);
}

function write() {
  const before = written();
  let all = before;
  for (const [element, settings] of kept) {
    if (!element.isConnected) continue;
    const prefix = prefixOf(element);
    all = [...all.filter(([name]) => !name.startsWith(prefix)), ...named(element, settings)];
  }
  if (!all.length && !before.length) return; // an anchor may stand there
  try {
    history.replaceState(history.state, "", address(all));
  } catch {
    // The address is a convenience; some pages may not change theirs.
  }
}

/**
 * A button that copies a link to the element as it is set.
 *
 * @param {HTMLElement} element
 * @param {() => Settings} settings
 * @param {(words: string) => void} say
 */
export function copyButton(element, settings, say) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy link";
  button.addEventListener("click", async () => {
    const now = settings();
    const isCut = Object.values(now).some((value) => String(value).length > LONGEST);
    try {
      await navigator.clipboard.writeText(address(named(element, now)));
      say(isCut ? `Link copied, with the first ${LONGEST} characters.` : "Link copied.");
    } catch {
      keep(element, now);
      say("This page may not copy; the link is in the address bar.");
    }
  });
  return button;
}
