// On paper: light colours also from a dark page, and the solutions at the end of the chapter.
// `make pdf` and `make epub` use the same function for every page of the book.

/**
 * Move what the folds of an article hide behind the text, each under its exercise's name.
 *
 * @param {Element} article
 * @returns {() => void} puts everything back
 */
function bardGatherSolutions(article) {
  const folds = [...article.querySelectorAll("details.solution")];
  if (!folds.length) return () => {};
  const document = article.ownerDocument;
  const element = (name, content, attributes = {}) => {
    const made = document.createElement(name);
    made.append(...content);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const list = element("section", [element("h2", ["Solutions"])], {
    class: "bard-solutions",
    id: "solutions-on-paper",
  });
  const places = folds.map((fold, index) => {
    const number = index + 1;
    const name = bardExerciseOf(fold);
    const id = `solution-on-paper-${number}`;
    const link = element("a", ["Solution at the end of the chapter"], { href: `#${id}` });
    const note = element("p", [link], { class: "bard-to-solution", id: `exercise-on-paper-${number}` });
    const back = element("a", [name || `Solution ${number}`], { href: `#exercise-on-paper-${number}` });
    const answer = element("div", [element("h3", [back])], { class: "bard-solution", id });
    const parts = [...fold.childNodes].filter((part) => part.nodeName !== "SUMMARY");
    answer.append(...parts);
    list.append(answer);
    fold.replaceWith(note);
    return { fold, note, parts };
  });
  (article.querySelector("section") || article).append(list);
  return () => {
    for (const { fold, note, parts } of places) {
      fold.append(...parts);
      note.replaceWith(fold);
    }
    list.remove();
  };
}

/**
 * What an exercise is called: its bold beginning, in front of the fold and of the cell for the
 * answer; of several in one list, the heading above them.
 *
 * @param {Element} fold
 * @returns {string | undefined}
 */
function bardExerciseOf(fold) {
  const words = (element) => element.textContent.trim().replace(/\.$/, "");
  for (let part = fold.previousElementSibling; part; part = part.previousElementSibling) {
    if (part.matches("h1, h2, h3, details.solution, .bard-to-solution")) return undefined;
    if (part.matches("p") && part.firstChild?.nodeName === "STRONG") return words(part.firstChild);
    if (part.matches("ol, ul") && part.querySelector("strong")) {
      const heading = fold.closest("section")?.querySelector(":scope > :is(h2, h3)")?.cloneNode(true);
      heading?.querySelector(".headerlink")?.remove();
      return heading && words(heading);
    }
  }
  return undefined;
}

(() => {
  const look = document.documentElement.dataset;
  let theme;
  let putBack = () => {};
  addEventListener("beforeprint", () => {
    putBack();
    theme ??= look.theme;
    look.theme = "light";
    const article = document.querySelector("article.bd-article");
    putBack = article ? bardGatherSolutions(article) : () => {};
  });
  addEventListener("afterprint", () => {
    if (theme !== undefined) look.theme = theme;
    theme = undefined;
    putBack();
    putBack = () => {};
  });
})();
