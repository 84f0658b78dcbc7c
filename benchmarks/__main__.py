"""Time our SimpleRNN, LSTM and GRU beside those of Keras and PyTorch, then attention and what translates.

All take turns, round by round, in a process each. What is compared is the ratio of medians.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("RESULTS.md")
FRAMEWORKS = {"ours": "ours", "keras": "Keras", "torch": "PyTorch"}
LAYERS = ("SimpleRNN", "LSTM", "GRU")
MEASURES = {"train": "training step", "infer": "inference", "first": "first step"}
SIZES = {
    "small": {"batch": 32, "time": 40, "features": 32, "units": 64, "steps": 60},
    "medium": {"batch": 64, "time": 50, "features": 64, "units": 128, "steps": 15},
    "large": {"batch": 64, "time": 200, "features": 128, "units": 256, "steps": 2},
}
SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "OMP_WAIT_POLICY": "PASSIVE",  # or PyTorch's threads spin while they wait, which counts as work
}
EXPLANATION = """\
A training step is forward, backward and an update by plain gradient descent, on a fixed batch; the first
step is that with the making of the layer and its tracing, but without imports. Each ratio is our median
over the rounds divided by the other's: below 1, ours is faster. CPU time is that of all cores together; the
best wall times stand beside it, in milliseconds. Threads that wait do not spin. B is the batch, T the
steps in time, D the features, U the units."""
TRANSLATION = """\
The model that translates, all in one process: tokens generated in a second for 1,000 sources of 14 tokens,
18 tokens each, beside the same model from Keras' own layers; and a training step (B64, 14 tokens to 18, U64)
with attention after or before the recurrence, beside the same without."""
SELF_ATTENTION = """\
Attention of many heads, a sequence to itself without the future, beside `keras.layers.MultiHeadAttention`,
all in one process; and a language model of two blocks (64 prompts of 16 tokens, 48 written, size 64) that
has a KV cache, beside the same model when it reads the whole text again for every token."""
WITHOUT_TORCH = "PyTorch is not installed here (`make torch` does it) and left out."


class Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message):
        """End with the message alone."""
        sys.exit(f"{self.prog}: {message}")


class Worker(subprocess.Popen):
    """A process that times one framework. It begins with the versions, then answers requests."""

    def __init__(self, framework):
        self.framework = framework
        super().__init__(
            [sys.executable, "-m", "benchmarks.worker", framework],
            cwd=ROOT,
            env={**os.environ, **SETTINGS},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, request):
        """Send a request and return the answer."""
        self.stdin.write(json.dumps(request) + "\n")
        self.stdin.flush()
        return self.read()

    def read(self):
        """Return what the process says next.

        Raises:
            RuntimeError: it has ended instead.
        """
        line = self.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {FRAMEWORKS[self.framework]} ended: it says above why.")
        return json.loads(line)


def main(arguments=None, sizes=SIZES, results=RESULTS):
    """Time everything, print the table, and store it where it is complete; return the exit code."""
    parser = Parser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=whole, default=7, help="how often each is timed; 7 if left out")
    parser.add_argument("--size", choices=sizes, help="only this size; the table is not stored then")
    parser.add_argument("--layer", choices=LAYERS, help="only this layer; the table is not stored then")
    options = parser.parse_args(arguments)
    layers = [options.layer] if options.layer else LAYERS
    chosen = {options.size: sizes[options.size]} if options.size else sizes
    frameworks = [name for name in FRAMEWORKS if name != "torch" or importlib.util.find_spec("torch")]
    try:
        versions, times = measure(frameworks, layers, chosen, options.rounds)
    except RuntimeError as error:
        return str(error)
    text = report(frameworks, versions, times, options.rounds, chosen)
    if not options.size and not options.layer:
        text += translation(options.rounds) + self_attention(options.rounds)
        results.write_text(text, encoding="utf-8")
    print(text)
    return 0


def whole(text):
    """Return a number of rounds.

    Raises:
        argparse.ArgumentTypeError: the text is no positive whole number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number. Received: {text}")
    return int(text)


def measure(frameworks, layers, sizes, rounds):
    """Let the frameworks take turns.

    Returns:
        The versions by name, and the answers of the workers, one a round, by (layer, size, framework).
    """
    cases = [(layer, size) for size in sizes for layer in layers]
    times = {(*case, framework): [] for case in cases for framework in frameworks}
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(framework)) for framework in frameworks]
        versions = {name: version for worker in workers for name, version in worker.read().items()}
        for _ in tqdm(range(rounds), unit="round", leave=False, disable=None):
            for layer, size in cases:
                for worker in workers:
                    times[layer, size, worker.framework].append(worker.ask({"layer": layer, **sizes[size]}))
            workers.append(workers.pop(0))  # so that none is always the first
    return versions, times


def report(frameworks, versions, times, rounds, sizes=SIZES):
    """Return the page with the machine and the table."""
    made = " · ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    parts = [
        "# Our layers beside others",
        f"Made by `make bench`: {rounds} rounds on {machine()}, {made}.",
        *([] if "torch" in frameworks else [WITHOUT_TORCH]),
        EXPLANATION,
        table(frameworks, times, sizes),
    ]
    return "\n\n".join(parts) + "\n"


def translation(rounds, command=("-m", "benchmarks.translation")):
    """Time the model that translates in a process of its own; return its part of the page."""
    tokens, steps = ask(command, rounds)
    generated = [[name, f"{round(each, -2):,.0f}"] for name, each in tokens.items()]
    plain = steps["no attention"]
    trained = [
        [name, *(f"{each[kind] / plain[kind]:.2f}" for kind in ("cpu", "wall")), f"{1000 * each['wall']:.3g}"]
        for name, each in steps.items()
    ]
    heads = ["generation", "tokens a second"], ["training step", "CPU ratio", "wall ratio", "median ms"]
    tables = (
        tabulate(rows, head, tablefmt="github", disable_numparse=True)
        for rows, head in zip((generated, trained), heads, strict=True)
    )
    return "\n" + "\n\n".join([TRANSLATION, *tables]) + "\n"


def self_attention(rounds, command=("-m", "benchmarks.self_attention")):
    """Time attention of many heads and the language model in a process of their own; return their part."""
    layers, tokens = ask(command, rounds)
    seconds = {(size, what, whose): each for size, what, whose, each in layers}
    timed = []
    for size, what in dict.fromkeys(key[:2] for key in seconds):
        ours, theirs = (seconds[size, what, whose] for whose in ("ours", "keras"))
        ratios = [f"{ours[kind] / theirs[kind]:.2f}" for kind in ("cpu", "wall")]
        timed.append([what, size, *ratios, f"{1000 * ours['wall']:.3g}", f"{1000 * theirs['wall']:.3g}"])
    written = [[name, f"{round(each, -2):,.0f}"] for name, each in tokens.items()]
    heads = (
        ["", "size", "CPU, ours / Keras", "wall, ours / Keras", "median ms, ours", "median ms, Keras"],
        ["generation with", "tokens a second"],
    )
    tables = (
        tabulate(rows, head, tablefmt="github", disable_numparse=True)
        for rows, head in zip((timed, written), heads, strict=True)
    )
    return "\n" + "\n\n".join([SELF_ATTENTION, *tables]) + "\n"


def ask(command, rounds):
    """Let a process of its own measure so many rounds, and return its answer."""
    made = subprocess.run(
        [sys.executable, *command, str(rounds)],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(made.stdout)


def table(frameworks, times, sizes=SIZES):
    """Return the ratios and the best times as a table in Markdown."""
    compared = [(kind, name) for kind in ("CPU", "wall") for name in frameworks if name != "ours"]
    head = ["", "layer", "size", *(f"{kind}, ours / {FRAMEWORKS[other]}" for kind, other in compared)]
    head += [f"best ms, {FRAMEWORKS[name]}" for name in frameworks]
    rows = []
    for key, what in MEASURES.items():
        for layer, size in dict.fromkeys(case[:2] for case in times):
            ratios = [ratio(times, layer, size, key, kind.lower(), other) for kind, other in compared]
            best = [min(series(times, layer, size, key, "wall", name)) for name in frameworks]
            row = [what, layer, "B{batch} T{time} D{features} U{units}".format(**sizes[size])]
            rows.append(row + [f"{each:.2f}" for each in ratios] + [f"{1000 * each:.3g}" for each in best])
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def ratio(times, layer, size, measure, kind, other):
    """Return our median time divided by that of the other framework."""
    ours, theirs = (series(times, layer, size, measure, kind, name) for name in ("ours", other))
    return statistics.median(ours) / statistics.median(theirs)


def series(times, layer, size, measure, kind, framework):
    """Return the seconds of all rounds, `kind` being `"cpu"` or `"wall"`."""
    return [answer[measure][kind] for answer in times[layer, size, framework]]


def machine():
    """Name the processor, the cores, what else they do, the system and the Python of this machine."""
    cores = f"{os.cpu_count()} cores, load average {os.getloadavg()[2]:.1f}"
    system = f"{platform.system()} {platform.machine()}"
    return f"{processor()}, {cores}, {system}, Python {platform.python_version()}"


def processor():
    """Return the name of the processor, as far as the system tells it."""
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main())
