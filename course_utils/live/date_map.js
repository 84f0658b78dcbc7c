// What one types, what the reader writes, and the map between the two: in the place of the map that stands there.
function watchDates(box, reader, { longest, examples }) {
  const add = (parent, tag, given = {}, ...inside) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
    made.append(...inside);
    return parent.appendChild(made);
  };
  const shown = (sign) => ({ " ": "␣", [reader.target[reader.end]]: "end" })[sign] ?? sign;
  let chosen = 0, signs = [], written = [], isTall;

  box.querySelector(".still").remove();
  box.classList.add("live");
  const label = add(box, "label", {}, "A date, in one of seven languages");
  const plain = { spellcheck: false, autocomplete: "off", autocapitalize: "off" };
  const input = add(label, "input", { maxlength: longest, ...plain });
  for (const [said, texts] of Object.entries(examples)) {
    const row = add(box, "div", { class: "examples", role: "group", "aria-label": said }, add(box, "span", {}, said));
    for (const text of texts) add(row, "button", { type: "button" }, text).onclick = () => type(text);
  }
  const asked = "What it writes: choose a character, and see where it looked";
  const answer = add(box, "div", { class: "answer", role: "radiogroup", "aria-label": asked });
  const told = add(box, "p", { role: "status" });
  const frame = add(box, "div", { class: "frame" });
  const note = add(box, "p", { class: "note" });

  function type(text) {
    input.value = text;
    read();
  }

  function read() {
    signs = [...input.value.normalize("NFC")].filter((sign) => reader.knows(sign));
    written = reader.read(signs.join(""));
    answer.replaceChildren();
    written.forEach(({ sign }, at) => {
      const named = { role: "radio", "aria-label": `${shown(sign)}, character ${at + 1}` };
      add(answer, "button", { type: "button", ...named }, shown(sign));
    });
    draw();
  }

  function draw() { // what is read stands above, and where that is too wide, at the left
    isTall = isTooWide();
    frame.replaceChildren();
    const name = "The map: how much weight each character that is written puts on each that is read";
    const map = add(frame, "table", { role: "img", "aria-label": name, class: isTall ? "tall" : "" });
    const [downwards, across] = isTall ? [signs, written] : [written, signs];
    const head = add(add(map, "thead"), "tr");
    const titled = (parent, each, at) => {
      const isWritten = typeof each !== "string";
      add(parent, "th", { class: isWritten ? "written" : "read", "data-at": at }, shown(isWritten ? each.sign : each));
    };
    add(head, "td");
    across.forEach((each, at) => titled(head, each, at));
    const body = add(map, "tbody");
    downwards.forEach((each, row) => {
      const line = add(body, "tr");
      titled(line, each, row);
      across.forEach((_, column) => {
        const [step, place] = isTall ? [column, row] : [row, column], weight = written[step].weights[place];
        const title = `${shown(written[step].sign)} looks at ${shown(signs[place])}: ${percent(weight)}`;
        add(line, "td", { class: "written", "data-at": step, style: `--weight: ${weight}`, title });
      });
    });
    const [rows, columns] = isTall ? ["reads", "writes"] : ["writes", "reads"];
    note.textContent = `Rows: what it ${rows}. Columns: what it ${columns}. The stronger the colour, the more weight.`;
    choose(chosen);
  }

  function choose(at) {
    chosen = Math.max(0, Math.min(at, written.length - 1));
    const { weights = [] } = written[chosen] ?? {};
    [...answer.children].forEach((button, step) => {
      button.setAttribute("aria-checked", step === chosen);
      button.tabIndex = step === chosen ? 0 : -1;
    });
    const all = (kind) => frame.querySelectorAll(kind);
    for (const each of all(".written")) each.classList.toggle("chosen", +each.dataset.at === chosen);
    for (const each of all(".read")) each.style.setProperty("--weight", weights[each.dataset.at]);
    told.replaceChildren(...sentences(weights));
  }

  function sentences(weights) {
    const strange = [...new Set(input.value.normalize("NFC"))].filter((sign) => !reader.knows(sign));
    const left = strange.length ? `It leaves out what it has never seen: ${strange.join(" ")} ` : "";
    if (!written.length) return [left || "Type a date."];
    const most = Array.from(weights, (weight, at) => [weight, at]).sort((a, b) => b[0] - a[0]).slice(0, 3);
    const seen = most.filter(([weight]) => weight >= 0.01);
    const looks = seen.map(([weight, at]) => `“${shown(signs[at])}” ${percent(weight)}`);
    const sign = document.createElement("b");
    sign.append(shown(written[chosen].sign));
    return [left, sign, ` looks at ${looks.join(", ")}`];
  }

  const percent = (weight) => `${Math.round(100 * weight)} %`;
  const isTooWide = () => box.clientWidth < 22 * signs.length + 70;
  const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

  answer.onkeydown = (event) => {
    if (!(event.key in MOVES)) return;
    event.preventDefault();
    choose(chosen + MOVES[event.key]);
    answer.children[chosen].focus();
  };
  answer.onpointerover = answer.onclick = ({ target }) => {
    const at = [...answer.children].indexOf(target);
    if (at >= 0) choose(at);
  };
  frame.onpointerover = ({ target }) => {
    if (target.matches(".written")) choose(+target.dataset.at);
  };
  input.oninput = read;
  new ResizeObserver(() => isTall !== isTooWide() && draw()).observe(box);
  type(box.dataset.text);
}
