// Terms show their definition; buttons and quizzes are mended for screen readers; wide tables fit.
(function () {
  "use strict";

  function terms() {
    const box = document.createElement("div");
    box.id = "term-definition";
    box.setAttribute("role", "tooltip");
    box.hidden = true;
    document.body.append(box);
    const hide = () => { box.hidden = true; };
    const show = (event) => {
      const link = event.currentTarget, place = link.getBoundingClientRect();
      box.textContent = link.dataset.definition;
      box.hidden = false;
      const left = Math.min(place.left, window.innerWidth - box.offsetWidth - 12);
      const above = place.bottom + box.offsetHeight + 12 > window.innerHeight;
      box.style.left = Math.max(12, left) + "px";
      box.style.top = (above ? place.top - box.offsetHeight - 6 : place.bottom + 6) + "px";
    };
    document.querySelectorAll("a[data-definition]").forEach((link) => {
      link.setAttribute("aria-describedby", box.id);
      link.removeAttribute("title");
      for (const [event, act] of [["mouseenter", show], ["focus", show],
        ["mouseleave", hide], ["blur", hide]]) link.addEventListener(event, act);
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    window.addEventListener("scroll", hide, { passive: true });
  }

  // a button with words on it is called by these words (WCAG 2.5.3); icons in it say nothing more
  function buttons() {
    document.querySelectorAll("button[aria-label]").forEach((button) => {
      button.querySelectorAll("svg").forEach((icon) => {
        icon.querySelector("title")?.remove();
        icon.removeAttribute("aria-labelledby");
        icon.setAttribute("aria-hidden", "true");
      });
      button.querySelectorAll("i[title]").forEach((icon) => icon.removeAttribute("title"));
      if (button.textContent.trim()) button.removeAttribute("aria-label");
    });
  }

  // feedback is read aloud; a question and its answers belong together
  function quizzes() {
    document.querySelectorAll(".Quiz").forEach((quiz) => {
      const answers = quiz.querySelector(".Answer"), said = quiz.querySelector(".Feedback");
      const question = quiz.querySelector(".MultipleChoiceQn, .ManyChoiceQn");
      if (said) said.setAttribute("aria-live", "polite");
      if (answers && question) {
        answers.setAttribute("role", "group");
        answers.setAttribute("aria-label", question.innerText.trim());
      }
    });
  }

  // cells that a table paints pale keep dark words in the dark
  function tables() {
    document.querySelectorAll(".cell_output td, .cell_output th").forEach((cell) => {
      const paint = getComputedStyle(cell).backgroundColor.match(/[\d.]+/g) || [];
      const [red, green, blue, alpha = 1] = paint.map(Number);
      const light = 0.299 * red + 0.587 * green + 0.114 * blue;
      if (paint.length && alpha > 0.5 && light > 140)
        cell.classList.add("painted");
    });
  }

  // a table that is a little too wide for its column gets tighter, then smaller letters, down to 9 px
  function fit() {
    if (window.innerWidth < 768) return;
    document.querySelectorAll("article table").forEach((table) => {
      const holder = table.closest(".output, .pst-scrollable-table-container, .cell_output");
      const room = (holder || table.parentElement).clientWidth;
      const wide = () => room && table.getBoundingClientRect().width > room;
      if (wide()) table.classList.add("tight");
      for (let size = 12.5; wide() && size >= 9; size -= 0.5) table.style.fontSize = size + "px";
    });
  }

  // links to files beside the first page, wherever this page lies
  function downloads() {
    const root = document.documentElement.dataset.content_root || "./";
    document.querySelectorAll("a[data-root]").forEach((link) => {
      link.href = root + link.dataset.root;
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    [terms, buttons, quizzes, tables, fit, downloads].forEach((mend) => mend());
    document.querySelectorAll("details").forEach((d) => d.addEventListener("toggle", fit));
    setTimeout(() => { quizzes(); buttons(); }, 600);  // quizzes draw themselves a little later
  });
})();
