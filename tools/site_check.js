// What tools/site_check.py asks of a page, in the page: the first three return what is wrong, in words, the others what they see.
window.siteCheck = {
  content() {
    const all = (selector) => [...(document.querySelector("article") ?? document.body).querySelectorAll(selector)];
    const prose = all("p, li, td, th, h1, h2, h3, h4").map((each) => {
      const copy = each.cloneNode(true);
      copy.querySelectorAll("code, pre, mjx-container").forEach((part) => part.remove());
      return copy;
    });
    const equations = [
      ...all(".math").filter((each) => !each.querySelector("mjx-container")),
      ...all("mjx-container [data-mml-node=merror]"),
      ...prose.filter((each) => /\$[^$]+\$|\\[a-z]+[{(]/.test(each.textContent)),
    ];
    const told = all(".verdict > div, .help > :not(summary)").filter((each) => each.checkVisibility());
    return [
      ...equations.map((each) => `an equation left as text: ${each.textContent.slice(0, 60)}`),
      ...all("img").filter((each) => !each.alt).map((each) => `a picture without a text: ${each.src}`),
      ...told.map((each) => `told unasked: ${each.textContent.slice(0, 60)}`),
    ];
  },

  layout(isDark) {
    const wide = [];
    const look = (each) => {
      if (each.getBoundingClientRect().right > window.innerWidth + 1) wide.push(each);
      else if (getComputedStyle(each).overflowX === "visible") [...each.children].forEach(look);
    };
    look(document.querySelector("article") ?? document.body); // the theme hides what sticks out of the window
    const color = (each) => getComputedStyle(each).backgroundColor.match(/[\d.]+/g).slice(0, 3).map(Number);
    const isWhite = (each) => Math.min(...color(each)) === 255 && getComputedStyle(each).filter === "none";
    const all = (selector) => [...document.querySelectorAll(selector)];
    const pictures = all("article img").filter((each) => !isWhite(each));
    const outputs = all(".cell_output pre").filter((each) => each.scrollWidth > each.clientWidth);
    return [
      ...wide.map((each) => `wider than the window: ${each.textContent.slice(0, 60)}`),
      ...(Math.max(...color(document.body)) < 128 === isDark ? [] : ["not in the scheme of the reader"]),
      ...outputs.map((each) => `an output that does not wrap: ${each.textContent.slice(0, 60)}`),
      ...pictures.map((each) => `a picture that is not on white: ${each.src}`),
    ];
  },

  votes() {
    return [...document.querySelectorAll(".vote input")].flatMap((vote) => {
      vote.click();
      const sees = (selector) => vote.closest("fieldset").querySelector(selector).checkVisibility();
      const isRight = vote.classList.contains("right");
      const isTold = sees(".verdict > div") && sees(".yes") === isRight && sees(".no") !== isRight;
      return isTold ? [] : [`a vote that is not answered: ${vote.name}`];
    });
  },

  dateMap() {
    const written = [...document.querySelectorAll(".date-map [role=radio]")].map((each) => each.textContent);
    const weights = written.map(() => []);
    for (const cell of document.querySelectorAll(".date-map td.written")) {
      weights[cell.dataset.at].push(+cell.style.getPropertyValue("--weight"));
    }
    return { written, weights };
  },

  fading() {
    const lines = [...document.querySelectorAll(".fading path[class]")];
    const frame = document.querySelector(".fading .figure");
    const drawing = frame.firstElementChild?.getBoundingClientRect() ?? {};
    return {
      told: document.querySelector(".fading [role=status]").textContent.replace(/\s+/g, " "),
      steps: lines.map((each) => each.getAttribute("d").split("L").length - 1),
      fits: Math.abs(drawing.width - frame.clientWidth) < 1 && drawing.right <= window.innerWidth,
    };
  },

  chosen() {
    const answer = [...document.querySelectorAll(".date-map [role=radio]")];
    const chosen = answer.flatMap((each, at) => (each.ariaChecked === "true" ? [at] : []));
    const told = document.querySelector(".date-map [role=status]").textContent;
    const marked = [...document.querySelectorAll(".date-map td.chosen")];
    const isTold = told.startsWith(answer[chosen[0]]?.textContent) && marked.length > 0 &&
      marked.every((each) => +each.dataset.at === chosen[0]);
    return { chosen, focused: answer.indexOf(document.activeElement), told: isTold };
  },
};
