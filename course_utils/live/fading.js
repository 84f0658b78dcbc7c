// Two networks before training: a small difference of the first state forward, the gradient of the last state back.

class Fading {
  constructor({ weights, sequences }) {
    const rows = Object.entries(weights).map(([name, kept]) => [name, DateReader.rows(kept)]);
    const { inputs, ...kernels } = Object.fromEntries(rows), long = inputs.length / sequences;
    const of = (at) => inputs.slice(at * long, (at + 1) * long);
    Object.assign(this, { kernels, sequences: Array.from({ length: sequences }, (_, at) => of(at)) });
  }

  measure({ network, turned, size, steps }) { // how much is left after each step, and how much arrives there
    const left = new Float64Array(steps + 1), arrived = new Float64Array(steps + 1);
    for (const sequence of this.sequences) {
      const taken = this.run(network, turned, sequence.slice(0, steps + 1), size);
      const [h, ...others] = taken[0].state, all = h.map(() => 1), none = others.map((c) => c.map(() => 0));
      let moved = [...none, all], gradient = [all, ...none]; // of h, or of h and c: the last is moved, h is summed
      taken.forEach((step, at) => {
        if (at) moved = step.push(moved);
        left[at] += Math.log(Math.hypot(...moved.at(-1)));
      });
      for (let at = steps; at >= 0; at--) {
        const { here, before } = taken[at].pull(gradient);
        arrived[at] += Math.log(Math.hypot(...here));
        gradient = before;
      }
    }
    const inUnitsOf = (first) => (sum) => Math.exp((sum - first) / this.sequences.length); // geometric means
    return { left: left.map(inUnitsOf(left[0])), arrived: arrived.map(inUnitsOf(arrived[steps])) };
  }

  run(network, turned, sequence, size) { // each step with its state, and its derivative both ways
    const [kernel, recurrent] = ["kernel", "recurrent_kernel"].map((name) => this.kernels[`${network}.${name}`]);
    const none = new Float64Array(recurrent.length), step = { SimpleRNN, LSTM }[network];
    let state = network === "LSTM" ? [none, none] : [none];
    return sequence.map((x) => {
      const taken = step(affine(x.map((each) => size * each), kernel), state, recurrent, turned);
      state = taken.state;
      return taken;
    });
  }
}

const each = (rows, combine) => rows[0].map((_, unit) => combine(...rows.map((row) => row[unit])));
const inside = (values, gates) => each([values, gates], (value, gate) => value * gate * (1 - gate));
const transposed = (rows, gradient) => Float64Array.from(rows, (row) => dot(row, gradient));

function SimpleRNN(read, [old], recurrent, gain) {
  const h = each([read, affine(old, recurrent)], (x, turned) => Math.tanh(x + gain * turned));
  const slopes = h.map((value) => 1 - value ** 2);
  return {
    state: [h],
    push: ([moved]) => [each([slopes, affine(moved, recurrent)], (slope, turned) => slope * gain * turned)],
    pull: ([a]) => ({ here: a, before: [transposed(recurrent, each([slopes, a], (slope, b) => gain * slope * b))] }),
  };
}

function LSTM(read, [oldH, oldC], recurrent, forgetBias) { // gates in the order i, f, g, o
  const gates = (z) => [0, 1, 2, 3].map((gate) => z.slice(gate * oldC.length, (gate + 1) * oldC.length));
  const z = gates(affine(oldH, recurrent, read)), g = z[2].map(Math.tanh);
  const [i, f, o] = [z[0], z[1].map((value) => value + forgetBias), z[3]].map((row) => row.map(sigmoid));
  const c = each([f, oldC, i, g], (forget, old, input, candidate) => forget * old + input * candidate);
  const h = each([o, c], (output, value) => output * Math.tanh(value));
  const toC = [inside(g, i), inside(oldC, f), each([i, g], (gate, value) => gate * (1 - value ** 2))];
  const toH = inside(c.map(Math.tanh), o); // how much h moves with what stands inside o, as c with i, f and g
  const fromC = each([o, c], (gate, value) => gate * (1 - Math.tanh(value) ** 2));
  return {
    state: [h, c],
    push: ([movedH, movedC]) => {
      const dz = gates(affine(movedH, recurrent));
      const dc = movedC.map((moved, k) => f[k] * moved + toC.reduce((sum, row, gate) => sum + row[k] * dz[gate][k], 0));
      return [dc.map((moved, k) => fromC[k] * moved + toH[k] * dz[3][k]), dc];
    },
    pull: ([a, fromLater]) => {
      const ac = each([fromLater, fromC, a], (later, slope, b) => later + slope * b);
      const [di, df, dg] = toC.map((row) => each([row, ac], (slope, b) => slope * b));
      const dz = Float64Array.of(...di, ...df, ...dg, ...each([toH, a], (slope, b) => slope * b));
      return { here: [...a, ...ac], before: [transposed(recurrent, dz), each([f, ac], (gate, b) => gate * b)] };
    },
  };
}
