// The date reader of lesson 08 without Python: embedding, GRU, attention, greedy search. In a page and in node.

const GRU = ["kernel", "recurrent_kernel", "bias"];

class DateReader {
  constructor({ weights, source, target, start, end, most }) {
    const rows = Object.entries(weights).map(([name, kept]) => [name, DateReader.rows(kept)]);
    Object.assign(this, { weights: Object.fromEntries(rows), target, start, end, most });
    this.ids = new Map(source.map((sign, id) => [sign, id]));
  }

  static rows({ shape, float16 }) { // little-endian, in base64
    const halves = new DataView(Uint8Array.from(atob(float16), (each) => each.charCodeAt(0)).buffer);
    const value = (at) => DateReader.number(halves.getUint16(2 * at, true));
    const [width, count = 1] = [...shape].reverse();
    const row = (at) => Float64Array.from({ length: width }, (_, column) => value(at * width + column));
    return Array.from({ length: count }, (_, at) => row(at));
  }

  static number(half) {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, (half & 1023) / 1024];
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
  }

  knows(sign) {
    return this.ids.has(sign);
  }

  read(text) { // the characters that it writes, each with the weights of where it looked
    const signs = [...text].filter((sign) => this.knows(sign));
    if (!signs.length) return [];
    const memory = this.memory(signs), written = [];
    const half = memory[0].length / 2; // each way begins at its own end
    let state = Float64Array.of(...memory.at(-1).slice(0, half), ...memory[0].slice(half)), token = this.start;
    while (token !== this.end && written.length < this.most) {
      const step = this.step(token, state, memory);
      [state, token] = [step.state, step.logits.indexOf(Math.max(...step.logits))];
      written.push({ sign: this.target[token], weights: step.weights });
    }
    return written;
  }

  memory(signs) { // of each character, the states of both ways
    const vectors = signs.map((sign) => this.weights.source_embedding[this.ids.get(sign)]);
    const forward = this.carry(vectors, "encoder.forward");
    const backward = this.carry([...vectors].reverse(), "encoder.backward").reverse();
    return forward.map((state, at) => Float64Array.of(...state, ...backward[at]));
  }

  carry(vectors, part) {
    let state = new Float64Array(this.weights[`${part}.recurrent_kernel`].length);
    return vectors.map((vector) => (state = this.gru(vector, state, part)));
  }

  gru(x, h, part) { // gates in the order update, reset, candidate
    const [kernel, recurrent, bias] = GRU.map((each) => this.weights[`${part}.${each}`]);
    const a = affine(x, kernel, bias[0]), b = affine(h, recurrent, bias[1]), units = h.length;
    return h.map((old, i) => {
      const z = sigmoid(a[i] + b[i]), r = sigmoid(a[units + i] + b[units + i]);
      return z * old + (1 - z) * Math.tanh(a[2 * units + i] + r * b[2 * units + i]);
    });
  }

  step(token, before, memory) { // Luong's order: step, look, join
    const w = this.weights;
    const state = this.gru(w.target_embedding[token], before, "decoder.cell");
    const query = affine(state, w["decoder.attention.kernel"]);
    const weights = softmax(memory.map((key) => dot(query, key)));
    const context = affine(weights, memory);
    const joined = affine([...context, ...state], w["decoder.join.kernel"]).map(Math.tanh);
    return { state, weights, logits: affine(joined, w["next_token.kernel"], w["next_token.bias"][0]) };
  }
}

function affine(x, rows, bias = new Float64Array(rows[0].length)) { // x W + b
  const sum = Float64Array.from(bias);
  rows.forEach((row, i) => row.forEach((weight, j) => (sum[j] += x[i] * weight)));
  return sum;
}

function softmax(scores) {
  const most = Math.max(...scores), powers = scores.map((each) => Math.exp(each - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((each) => each / sum);
}

const dot = (a, b) => a.reduce((sum, each, i) => sum + each * b[i], 0);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

if (typeof module === "object") module.exports = { DateReader };
