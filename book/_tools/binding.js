// The whole book as one document, from the pages as they were built. Run by binding.py.

/** What only a screen can do. */
const ON_SCREEN_ONLY = [
  "script", "noscript", "template", "canvas", "iframe",
  ".headerlink", ".screen-only", "details.code", "[popover]",
].join(", ");
/** Within an element that moves they have a place in its rows, and are hidden there by the site. */
const CONTROLS = "button, input, select, textarea";
/** Parts of code in the colour of all code: a PDF would describe each of some 30,000. */
const OF_NO_COLOUR = "pre span:is(.n, .p, .w, :empty)";
/** Attributes that name an element of the page, or several. */
const NAMING = ["for", "headers", "aria-labelledby", "aria-describedby", "aria-controls"];

/** So many characters at least stand beside a drawing. */
const BESIDE = 800;

/** A page's name in the bound book: that of its file, in one word. */
const keyOf = (path) => path.replace(/\.html$/, "").replaceAll("/", "-");

/**
 * Put all pages into this document, one section each.
 *
 * Every id gets the page's name in front, since the pages have "exercises" in common; links between
 * pages become links within the document, and links to what is not in the book become words.
 *
 * @param {{path: string, html: string}[]} pages in the order in which they are read
 * @param {string} site the site's address, where pictures are
 */
function bind(pages, site) {
  const paths = new Set(pages.map(({ path }) => path));
  for (const { path, html } of pages) {
    const key = keyOf(path);
    const article = new DOMParser()
      .parseFromString(html, "text/html")
      .querySelector("article.bd-article");
    for (const element of article.querySelectorAll(ON_SCREEN_ONLY)) element.remove();
    for (const control of article.querySelectorAll(CONTROLS)) {
      if (!moving(control)) control.remove();
    }
    for (const element of article.querySelectorAll(OF_NO_COLOUR)) {
      element.replaceWith(...element.childNodes);
    }
    for (const element of article.querySelectorAll("details:not(.solution)")) element.open = true;
    bardGatherSolutions(article);
    putAside(article);
    for (const element of article.querySelectorAll("*")) {
      nameAnew(element, key);
      if (element.localName === "a") lead(element, key, path, paths, site);
      if (element.localName === "img") {
        element.src = new URL(element.getAttribute("src"), site + path).href;
        element.loading = "eager";
      }
    }
    article.id = key;
    document.body.append(article);
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    const id = link.getAttribute("href").slice(1);
    if (!document.getElementById(id)) link.setAttribute("href", `#${id.split("--")[0]}`);
  }
}

/**
 * A drawing much higher than wide stands beside the text, with its caption: no sheet is left white.
 *
 * At the end of a section it would come to stand beside the next: it begins below the heading.
 */
function putAside(article) {
  for (const svg of article.querySelectorAll("svg[role=img]:not(.bard-narrow)")) {
    const [, , width, height] = (svg.getAttribute("viewBox") || "0 0 1 1").split(/\s+/).map(Number);
    const wide = svg.matches(".bard-wide");
    if (wide && svg.closest("details")) continue; // nothing of the fold would stand beside it
    const cell = svg.closest(".cell") || svg.closest(".bard-figure") || svg.closest(".cell_output");
    const several = cell?.querySelectorAll("svg[role=img]:not(.bard-narrow)").length !== 1;
    if (several || height < (wide ? 0.88 : 1.4) * width) continue;
    const aside = document.createElement("div");
    aside.className = wide ? "bard-aside bard-half" : "bard-aside";
    aside.style.setProperty("--height", height);
    const caption = cell.nextElementSibling;
    cell.before(aside);
    aside.append(cell);
    if (caption?.matches("p.caption")) aside.append(caption);
    const heading = aside.parentElement.querySelector(":scope > :is(h2, h3)");
    if (heading && wordsAfter(aside) < BESIDE) heading.after(aside);
  }
}

/** Whether an element is part of one that moves, a toy or the like: those have a hyphen in their names. */
function moving(element) {
  for (let around = element.parentElement; around; around = around.parentElement) {
    if (around.localName.includes("-")) return true;
  }
  return false;
}

/** How many characters follow an element in its section. */
function wordsAfter(element) {
  let sum = 0;
  for (let next = element.nextElementSibling; next; next = next.nextElementSibling) {
    if (next.localName === "section") break;
    sum += next.textContent.length;
  }
  return sum;
}

/** What a list of contents says: of each page its title, and its sections. */
function contents() {
  return [...document.querySelectorAll("article.bd-article")].map((article) => ({
    key: article.id,
    title: words(article.querySelector("h1")),
    sections: [...article.querySelectorAll("section[id] > h2")].map((heading) => ({
      id: heading.parentElement.id,
      title: words(heading),
    })),
  }));
}

/** What a heading says. */
const words = (heading) => heading.textContent.replace(/\s+/g, " ").trim();

/** Give an element's id, and the ids that it speaks of, the page's name. */
function nameAnew(element, key) {
  if (element.id) element.id = `${key}--${element.id}`;
  for (const name of NAMING) {
    const ids = element.getAttribute(name)?.split(/\s+/).filter(Boolean);
    if (ids) element.setAttribute(name, ids.map((id) => `${key}--${id}`).join(" "));
  }
  if (element.namespaceURI !== "http://www.w3.org/2000/svg") return;
  for (const { name, value } of [...element.attributes]) {
    if (/^(xlink:)?href$/.test(name) && value.startsWith("#")) {
      element.setAttribute(name, `#${key}--${value.slice(1)}`);
    } else if (value.includes("url(#")) {
      element.setAttribute(name, value.replaceAll("url(#", `url(#${key}--`));
    }
  }
}

/** Let a link lead to its place in this document, or make words of it. */
function lead(link, key, path, paths, site) {
  const href = link.getAttribute("href");
  if (href === null) return;
  const target = new URL(href, site + path);
  if (!target.href.startsWith(site)) return;
  const page = decodeURI(target.pathname.slice(new URL(site).pathname.length));
  if (paths.has(page)) {
    const id = decodeURIComponent(target.hash.slice(1));
    link.setAttribute("href", id ? `#${keyOf(page)}--${id}` : `#${keyOf(page)}`);
  } else {
    link.replaceWith(...link.childNodes);
  }
}

/** Wait until formulas are set, pictures are there and letters are known. */
async function settle() {
  await MathJax.startup.promise;
  await Promise.all([...document.images].map((image) => image.decode()));
  await document.fonts.ready;
}
