// The bound book taken apart into the files of an EPUB. Run by epub.py, after binding.js.

/** Every formula as MathML, as MathJax has read it, with its TeX as the words for it. */
function writeFormulas() {
  for (const item of MathJax.startup.document.math) {
    const text = MathJax.startup.toMML(item.root);
    const parsed = new DOMParser().parseFromString(text, "text/xml").documentElement;
    for (const element of [parsed, ...parsed.querySelectorAll("*")]) {
      for (const { name } of [...element.attributes]) {
        if (name.startsWith("data-")) element.removeAttribute(name);
      }
    }
    parsed.setAttribute("alttext", item.math.trim());
    item.typesetRoot.replaceWith(document.importNode(parsed, true));
  }
}

/** Of an element that moves keep the still picture inside: XHTML has no such names. */
function standStill(element) {
  const still = document.createElement("div");
  still.append(...element.childNodes);
  element.replaceWith(still);
}

/**
 * The pages as XHTML, each with the pictures that it shows.
 *
 * @returns {{key: string, xhtml: string, images: string[]}[]}
 */
function takeApart() {
  writeFormulas();
  for (const element of document.querySelectorAll("article *")) {
    if (element.localName.includes("-")) standStill(element);
  }
  // What only a script could move: a reader's device need not run any.
  const controls = "[data-hand], script, button, input, select, textarea";
  for (const control of document.querySelectorAll(`article :is(${controls})`)) {
    control.remove();
  }
  for (const form of document.querySelectorAll("article form")) {
    form.replaceWith(...form.childNodes);
  }
  for (const element of document.querySelectorAll("[style=''], .bard-aside")) {
    element.removeAttribute("style");
  }
  for (const link of document.querySelectorAll('article a[href^="#"]')) {
    const id = link.getAttribute("href").slice(1);
    const page = document.getElementById(id).closest("article").id;
    link.setAttribute("href", id === page ? `${page}.xhtml` : `${page}.xhtml#${id}`);
    link.removeAttribute("download");
  }
  return [...document.querySelectorAll("article.bd-article")].map((article) => {
    const images = [...article.querySelectorAll("img")].map((image) => {
      const address = image.src;
      image.setAttribute("src", `images/${address.split("/").at(-1).split("?")[0]}`);
      image.removeAttribute("loading");
      return address;
    });
    return { key: article.id, xhtml: new XMLSerializer().serializeToString(article), images };
  });
}
