// What one turns, what is left and what arrives, and the figure of both: in the place of the table that stands there.
function showFading(box, networks, { network, turned, others, note }) {
  box.querySelector(".still").remove();
  box.classList.add("live");
  const sliders = { ...turned, ...others }, group = `network-${document.querySelectorAll(".fading.live").length}`;
  const choice = (name) =>
    `<label><input type="radio" name="${group}" value="${name}" ${name === network ? "checked" : ""}> ${name}</label>`;
  const slider = ([key, { name, least, most, step, value }]) =>
    `<label data-key="${key}">${name} <output></output>
    <input type="range" min="${least}" max="${most}" step="${step}" value="${value}"></label>`;
  box.insertAdjacentHTML("beforeend", `
    <div class="choices" role="radiogroup" aria-label="The network, before training">
      ${Object.keys(turned).map(choice).join("")}</div>
    <div class="sliders">${Object.entries(sliders).map(slider).join("")}</div>
    <p role="status"></p><div class="figure"></div><p class="note">${note}</p>`);
  const figure = box.querySelector(".figure");

  function draw() {
    const chosen = box.querySelector(":checked").value, values = { network: chosen };
    for (const input of box.querySelectorAll("[type=range]")) {
      const { key } = input.parentNode.dataset, { step } = sliders[key], decimals = String(step).split(".")[1] ?? "";
      const gate = key === "LSTM" ? `, gate ${sigmoid(+input.value).toFixed(3)}` : "";
      input.previousElementSibling.textContent = (+input.value).toFixed(decimals.length) + gate;
      input.parentNode.hidden = key in turned && key !== chosen;
      if (!input.parentNode.hidden) values[key === chosen ? "turned" : key] = +input.value;
    }
    const { left, arrived } = networks.measure(values);
    box.querySelector("[role=status]").innerHTML = `After ${values.steps} steps
      <b class="forward">${wording(left.at(-1), "difference", "is left")}</b>, and
      <b class="backward">${wording(arrived[0], "gradient", "arrives")}</b>.`;
    figure.innerHTML = drawing(left, arrived, figure.clientWidth || 320);
  }

  box.addEventListener("input", draw);
  new ResizeObserver(() => figure.clientWidth !== figure.firstChild.clientWidth && draw()).observe(box);
  draw();
}

function drawing(left, arrived, width) { // from a millionth of a billionth at the bottom to a million at the top
  const high = 290, wide = width - 58, steps = left.length - 1, every = steps > 20 ? 10 : 5;
  const x = (at) => (at / steps) * wide, y = (value) => ((6 - Math.log10(value)) / 21) * high;
  const path = (values, kind) => `<path class="${kind}" d="M${Array.from(values, (v, at) => `${x(at)} ${y(v)}`).join("L")}"/>`;
  const beside = (value) => Math.max(16, Math.min(high - 8, y(value) + (value < 1 ? 22 : -12))); // away from its own line
  const level = (power) => `<path d="M48 ${10 + y(10 ** power)}h${wide}"/><text x="42" y="${15 + y(10 ** power)}"
    text-anchor="end">${power ? `10${raised(power)}` : 1}</text>`;
  const mark = (at) => `<text x="${48 + x(at)}" y="${high + 28}" text-anchor="middle">${at}</text>`;
  return `<svg viewBox="0 0 ${width} ${high + 50}" width="${width}" height="${high + 50}" role="img"
    aria-label="Two lines over the steps, on a logarithmic axis: the difference that is left, the gradient that arrives">
    ${[6, 3, 0, -3, -6, -9, -12, -15].map(level).join("")}
    ${left.reduce((marks, _, at) => marks + (at % every ? "" : mark(at)), "")}
    <text x="${48 + wide / 2}" y="${high + 46}" text-anchor="middle">steps from the first state</text>
    <svg x="48" y="10" width="${wide}" height="${high}">${path(left, "forward")}${path(arrived, "backward")}
    <text class="forward" x="${wide - 4}" y="${beside(left[steps])}" text-anchor="end">difference →</text>
    <text class="backward" x="4" y="${beside(arrived[0])}">← gradient</text></svg></svg>`;
}

const raised = (power) => String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);

function inWords(value) { // two digits
  const [digits, power] = value.toExponential(1).split("e").map(Number);
  if (power < -4 || power > 3) return `${digits} · 10${raised(power)}`;
  return (+value.toPrecision(2)).toLocaleString("en", { maximumFractionDigits: 5 });
}

function wording(value, thing, happens) {
  const words = inWords(value);
  if (words === "1") return `all of the ${thing} ${happens}`;
  return value < 1 ? `${words} of the ${thing} ${happens}` : `the ${thing} is ${words} times as large`;
}
