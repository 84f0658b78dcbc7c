// The search shows a piece of the page around what it has found: not of solutions, nor of verdicts before a vote.
if (typeof Search !== "undefined") {
  const toText = Search.htmlToText;
  Search.htmlToText = (page, anchor) => {
    const parsed = new DOMParser().parseFromString(page, "text/html");
    parsed.querySelectorAll("details.help, .verdict").forEach((hidden) => hidden.remove());
    for (const equation of parsed.querySelectorAll(".math")) equation.textContent = equation.textContent.trim().slice(2, -2);
    return toText(parsed.documentElement.outerHTML, anchor);
  };
}
