/* The book's search: results in the theme's dialog while one types. The index is made by
   book/_ext/bardgpt_search.py, and is loaded with the first letter. A page that was opened from the
   disk may load nothing: there the dialog leads to the theme's own page of results, as it always did. */
(() => {
  "use strict";
  const dialog = document.getElementById("pst-search-dialog");
  const input = dialog?.querySelector("input[type=search]");
  if (!input || location.protocol === "file:") return;

  const ROOT = new URL(document.documentElement.dataset.content_root, document.baseURI);
  const MOST = { chapter: 6, around: 3, API: 3 };
  const CANDIDATES = 16; // of each kind, from which the best are taken
  const PATIENCE = 120; // milliseconds without a letter
  const BEFORE = 12; // words that an extract may have before what was found,
  const LENGTH = 30; // and altogether

  const status = document.createElement("p");
  status.className = "bard-hits-status";
  status.setAttribute("role", "status");
  const list = document.createElement("div");
  list.className = "bard-hits";
  list.id = "bard-hits";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What was found");
  list.hidden = true;
  dialog.append(status, list);
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  })) {
    input.setAttribute(name, value);
  }

  let loaded; // Pagefind, once it was asked for
  let asked = ""; // what the list answers, or is about to
  let answer = Promise.resolve(); // settled when the list is there
  let failed = false; // then the theme's page of results is to answer
  let active = -1;

  const load = () =>
    (loaded ??= import(new URL("_static/pagefind/pagefind.js", ROOT)).then(async (pagefind) => {
      await pagefind.init();
      return pagefind;
    }));
  const plain = (word) => word.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

  /** Pagefind also finds what shares no more than a beginning: "perplexity" would find "per". */
  function akin(wanted, found) {
    let same = 0;
    while (same < wanted.length && wanted[same] === found[same]) same += 1;
    return same >= Math.max(Math.min(3, wanted.length), wanted.length - 3);
  }

  function reallyThere(query, words, marked) {
    const found = [...marked].map((place) => plain(words[place] ?? ""));
    return query
      .split(/\s+/)
      .map(plain)
      .filter(Boolean)
      .every((wanted) => found.some((word) => akin(wanted, word) || word.includes(wanted)));
  }

  /** Some words of prose around the first that was found, from the start of a sentence if it is near. */
  function extract(words, marked, from, to) {
    const first = [...marked].filter((place) => place >= from && place < to).sort((a, b) => a - b)[0];
    let start = from;
    if (first !== undefined && first - from > BEFORE) {
      start = first - BEFORE;
      for (let place = first; place > first - BEFORE; place -= 1) {
        if (/[.!?:]["”’)]?$/.test(words[place - 1])) {
          start = place;
          break;
        }
      }
    }
    const end = Math.min(start + LENGTH, to);
    const said = document.createElement("span");
    said.className = "bard-hit-text";
    if (start > from && !/[.!?:]["”’)]?$/.test(words[start - 1])) said.append("… ");
    for (let place = start; place < end; place += 1) {
      if (marked.has(place)) {
        const mark = document.createElement("mark");
        mark.textContent = words[place];
        said.append(mark, " ");
      } else {
        said.append(`${words[place]} `);
      }
    }
    if (end < to) said.append("…");
    return said;
  }

  function option({ meta, words, marked }) {
    const hit = document.createElement("a");
    hit.className = "bard-hit";
    hit.setAttribute("role", "option");
    hit.setAttribute("aria-selected", "false");
    hit.tabIndex = -1;
    hit.href = new URL(meta.address, ROOT);
    const title = document.createElement("span");
    title.className = "bard-hit-title";
    title.textContent = meta.title;
    hit.append(title);
    if (meta.page !== meta.title) {
      const page = document.createElement("span");
      page.className = "bard-hit-page";
      page.textContent = meta.page;
      hit.append(page);
    }
    const from = Number(meta.from);
    hit.append(extract(words, marked, from, from + Number(meta.to)));
    hit.addEventListener("click", () => dialog.close());
    return hit;
  }

  /** What is found of one kind: first what says it in prose, then what has all of it in one place. */
  async function find(query, kind) {
    const { results } = await (await load()).search(query, { filters: { kind } });
    const found = await Promise.all(
      results.slice(0, CANDIDATES).map(async ({ data, score }) => {
        const { content, locations, meta } = await data();
        const words = content.split(/\s+/);
        const prose = Number(meta.from) + Number(meta.to);
        return {
          meta,
          words,
          marked: new Set(locations),
          score,
          codeOnly: locations.every((place) => place >= prose),
          together: words.slice(0, prose).join(" ").toLowerCase().includes(query.toLowerCase()),
        };
      }),
    );
    return found
      .filter(({ words, marked }) => reallyThere(query, words, marked))
      .sort((a, b) => a.codeOnly - b.codeOnly || b.together - a.together || b.score - a.score)
      .slice(0, MOST[kind]);
  }

  /** The chapter that explains it, then its definition, then the others; the API comes last. */
  async function findAll(query) {
    const kinds = Object.keys(MOST).map((kind) => find(query, kind));
    const [chapters, around, api] = await Promise.all(kinds);
    const said = (hit) => !hit.codeOnly;
    const [first, ...others] = chapters.filter(said);
    const [definition, ...more] = around.filter(said);
    const inCode = [...chapters, ...around].filter((hit) => hit.codeOnly);
    return [first, definition, ...others, ...more, ...inCode, ...api].filter(Boolean);
  }

  function show(hits, said) {
    list.replaceChildren(...hits.map(option));
    [...list.children].forEach((hit, place) => (hit.id = `bard-hit-${place}`));
    list.hidden = hits.length === 0;
    list.scrollTop = 0;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    input.removeAttribute("aria-activedescendant");
    status.textContent = said;
    active = -1;
  }

  async function search(query) {
    if (!query) return show([], "");
    let hits;
    try {
      hits = await findAll(query);
    } catch {
      failed = true;
      if (query === asked) show([], "Results could not be loaded. Enter shows them on another page.");
      return;
    }
    if (query !== asked) return;
    const count = hits.length === 1 ? "1 place" : `${hits.length} places`;
    show(hits, hits.length ? `${count} found` : `Nothing found for “${query}”`);
  }

  function choose(place) {
    const hits = [...list.children];
    active = (place + hits.length) % hits.length;
    hits.forEach((hit, one) => hit.setAttribute("aria-selected", String(one === active)));
    input.setAttribute("aria-activedescendant", hits[active].id);
    hits[active].scrollIntoView({ block: "nearest" });
  }

  /** Have the list answer what stands in the field now, at once or when no letter has come for a while. */
  function ask(patience) {
    const query = input.value.trim();
    if (query === asked) return;
    asked = query;
    answer = new Promise((done) => setTimeout(done, patience)).then(() =>
      query === asked ? search(query) : undefined,
    );
  }

  input.addEventListener("input", () => ask(PATIENCE));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.children.length) {
      event.preventDefault();
      choose(active < 0 && step < 0 ? -1 : active + step);
    }
  });
  input.form.addEventListener("submit", async (event) => {
    if (failed) return;
    event.preventDefault();
    ask(0);
    await answer;
    list.children[Math.max(active, 0)]?.click();
  });
})();
