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
    const question = fold.previousElementSibling;
    const name = question?.querySelector("strong")?.textContent.replace(/\.$/, "");
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
