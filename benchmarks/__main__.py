"""Time our SimpleRNN, LSTM and GRU beside those of Keras and PyTorch, then attention and what translates.

All take turns, round by round, in a process each. What is compared is the ratio of medians. Last comes how
long models train until they translate well.
"""

import argparse
import importlib.util
import json
import math
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
FRAMEWORKS = {"ours": "ours", "plain": "plain", "keras": "Keras", "torch": "PyTorch", "products": "products"}
LAYERS = ("SimpleRNN", "LSTM", "GRU")
MEASURES = {
    "train": "Training step",
    "hundred": "First 100 steps",
    "first": "First step",
    "infer": "Inference",
}
SIZES = {
    "lesson": {"batch": 64, "time": 50, "features": 9, "units": 32, "steps": 60},
    "lesson-64": {"batch": 64, "time": 50, "features": 9, "units": 64, "steps": 40},
    "read-64": {"batch": 64, "time": 14, "features": 32, "units": 64, "steps": 60},
    "write-64": {"batch": 64, "time": 19, "features": 32, "units": 64, "steps": 60},
    "read-128": {"batch": 64, "time": 14, "features": 32, "units": 128, "steps": 40},
    "write-128": {"batch": 64, "time": 19, "features": 32, "units": 128, "steps": 40},
    "small": {"batch": 32, "time": 40, "features": 32, "units": 64, "steps": 60},
    "medium": {"batch": 64, "time": 50, "features": 64, "units": 128, "steps": 15},
    "large": {"batch": 64, "time": 200, "features": 128, "units": 256, "steps": 2},
}
SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "COURSE_QUIET": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # or PyTorch's threads spin while they wait, which counts as work
}
EXPLANATION = """\
A training step is forward, backward and an update by plain gradient descent, on a fixed batch; the first
step is that with the making of the layer and its tracing, but without imports. The first 100 steps are the
first and 99 times one of those that follow. Plain is ours with `fused=False`, ours is as it comes, with
`fused="auto"`; products are the matrix products of a training step alone, which no loop can save. Each
ratio is our median over the rounds divided by the other's: below 1, ours is faster. CPU time is that of all
cores together; the best wall times stand beside it, in milliseconds. Threads that wait do not spin. B is the
batch, T the steps in time, D the features, U the units."""
COMPILING = """\
Some of ours are compiled by XLA in `lesson.train`, where many steps are to come: the training steps above are
those, the first 100 those of a short training. What it costs to trace and to compile them, in CPU time, is
made up for after so many steps."""
TRANSLATION = """\
The model that translates, all in one process: tokens generated in a second for 1,000 sources of 14 tokens,
18 tokens each, beside the same model from Keras' own layers; and a training step (B64, 14 tokens to 18, U64)
with attention after or before the recurrence, beside the same without."""
SELF_ATTENTION = """\
Attention of many heads, a sequence to itself without the future, beside `keras.layers.MultiHeadAttention`,
all in one process; and a language model of two blocks (64 prompts of 16 tokens, size 64) that has a KV
cache, beside the same model when it reads the whole text again for every token. With it each token costs
one step, which looks at all the keys that are kept: the seconds grow a little faster than the tokens."""
QUALITY = """\
How long a model trains (128 units, batches of 128) until it writes 99 of 100 held-out number words right,
from the first token to the end mark: tracing and compiling included, looking whether it is there (after
every 20 steps) not. Of the seeds, the one in the middle is shown. Beside it stand the seconds in which the
trained model then writes 1,000 number words, greedily."""
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
    """Time everything, print the page, and store it where it is complete; return the exit code."""
    parser = Parser(prog="make bench", description=__doc__)
    only = {name: f"only this {name}; nothing is stored then" for name in ("size", "layer", "part")}
    parser.add_argument("--rounds", type=whole, default=5, help="how often each is timed; 5 if left out")
    parser.add_argument("--size", choices=sizes, help=only["size"])
    parser.add_argument("--layer", choices=LAYERS, help=only["layer"])
    parser.add_argument("--only", choices=PARTS, help=only["part"])
    options = parser.parse_args(arguments)
    if (options.size or options.layer) and options.only not in (None, "layers"):
        parser.error("--size and --layer are of --only layers")
    only_some = options.only or options.size or options.layer
    chosen = [options.only or "layers"] if only_some else PARTS
    layers = [options.layer] if options.layer else LAYERS
    sizes = {options.size: sizes[options.size]} if options.size else sizes
    try:
        made = [PARTS[part](options.rounds, layers, sizes) for part in chosen]
    except RuntimeError as error:
        return str(error)
    text = "\n".join(made)
    if chosen is PARTS:
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


def recurrences(rounds, layers=LAYERS, sizes=SIZES):
    """Time the recurrent layers; return their part of the page."""
    frameworks = [name for name in FRAMEWORKS if name != "torch" or importlib.util.find_spec("torch")]
    versions, times = measure(frameworks, layers, sizes, rounds)
    return report(frameworks, versions, times, rounds, sizes)


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
    """Return the part with the machine and the tables."""
    made = " · ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    parts = [
        "# Our layers beside others",
        f"Made by `make bench`: {rounds} rounds on {machine()}, {made}.",
        *([] if "torch" in frameworks else [WITHOUT_TORCH]),
        EXPLANATION,
    ]
    for key, what in MEASURES.items():
        parts += [f"## {what}", compared(frameworks, times, sizes, key)]
    return "\n\n".join([*parts, "## Compiling", COMPILING, compiling(times, sizes)]) + "\n"


def compared(frameworks, times, sizes, measure):
    """Return the ratios of one measure to ours, and the best times, of those that have it."""
    frameworks = [name for name in frameworks if name != "products" or measure == "train"]
    head = ["layer", "size", *(f"CPU, ours / {FRAMEWORKS[other]}" for other in frameworks[1:])]
    rows = []
    for layer, size in dict.fromkeys(case[:2] for case in times):
        cpu, wall = (
            [[answer[measure][kind] for answer in times[layer, size, name]] for name in frameworks]
            for kind in ("cpu", "wall")
        )
        ours, *others = map(statistics.median, cpu)
        figures = [f"{ours / other:.2f}" for other in others] + [f"{1000 * min(each):.3g}" for each in wall]
        rows.append([layer, shape(sizes[size]), *figures])
    return markdown([*head, *(f"best ms, {FRAMEWORKS[name]}" for name in frameworks)], rows)


def compiling(times, sizes):
    """Return what compiling costs and saves, where one of our layers does it."""
    rows = []
    for (layer, size, framework), answers in times.items():
        if framework == "ours" and "compiling" in answers[0]:
            step, before, once = (
                statistics.median(answer[key]["cpu"] for answer in answers)
                for key in ("train", "before", "compiling")
            )
            pays = f"{math.ceil((once - step) / (before - step)):,}" if before > step else "never"
            figures = [f"{1000 * before:.3g}", f"{1000 * step:.3g}", f"{once - step:.2g}", pays]
            rows.append([layer, shape(sizes[size]), *figures])
    head = ["layer", "size", "ms a step, without", "with", "compiling, s", "steps until it pays"]
    return markdown(head, rows)


def shape(size):
    """Name the sizes of a case."""
    return "B{batch} T{time} D{features} U{units}".format(**size)


def translation(rounds, *_, command=("-m", "benchmarks.translation")):
    """Time the model that translates in a process of its own; return its part of the page."""
    tokens, steps = ask(command, rounds)
    generated = [[name, f"{round(each, -2):,.0f}"] for name, each in tokens.items()]
    plain = steps["no attention"]
    trained = [
        [name, *(f"{each[kind] / plain[kind]:.2f}" for kind in ("cpu", "wall")), f"{1000 * each['wall']:.3g}"]
        for name, each in steps.items()
    ]
    tables = (
        markdown(["generation", "tokens a second"], generated),
        markdown(["training step", "CPU ratio", "wall ratio", "median ms"], trained),
    )
    return "\n\n".join(["## Translation", TRANSLATION, *tables]) + "\n"


def self_attention(rounds, *_, command=("-m", "benchmarks.self_attention")):
    """Time attention of many heads and the language model in a process of their own; return their part."""
    layers, written = ask(command, rounds)
    seconds = {(size, what, whose): each for size, what, whose, each in layers}
    timed = []
    for size, what in dict.fromkeys(key[:2] for key in seconds):
        ours, theirs = (seconds[size, what, whose] for whose in ("ours", "keras"))
        ratios = [f"{ours[kind] / theirs[kind]:.2f}" for kind in ("cpu", "wall")]
        timed.append([what, size, *ratios, f"{1000 * ours['wall']:.3g}", f"{1000 * theirs['wall']:.3g}"])
    head = ["", "size", "CPU, ours / Keras", "wall, ours / Keras", "median ms, ours", "median ms, Keras"]
    written = [[name, tokens, f"{each:.3g}"] for name, tokens, each in written]
    tables = markdown(head, timed), markdown(["generation with", "tokens", "seconds"], written)
    return "\n\n".join(["## Attention of many heads", SELF_ATTENTION, *tables]) + "\n"


def quality(rounds, *_, command=("-m", "benchmarks.time_to_quality")):
    """Train all models that write number words, with a seed in each round; return their part."""
    seeds = [ask(command, seed) for seed in tqdm(range(rounds), unit="seed", leave=False, disable=None)]
    rows = []
    for name in seeds[0]:
        runs = sorted((seed[name] for seed in seeds), key=lambda run: (not run["there"], run["wall"]))
        middle, there = runs[rounds // 2], sum(run["there"] for run in runs)
        needed = [f"not in {middle['wall']:.0f} s"] * 3
        if middle["there"]:
            needed = [f"{middle[key]:.3g}" for key in ("wall", "cpu", "steps")]
        writes = statistics.median(run["write"] for run in runs)
        rows.append([name, f"{there} of {rounds}", *needed, f"{writes:.2g}"])
    head = ["model", "seeds that got there", "s", "CPU s", "steps", "s to write 1,000"]
    return "\n\n".join(["## Time to quality", QUALITY, markdown(head, rows)]) + "\n"


PARTS = {
    "layers": recurrences,
    "translation": translation,
    "attention": self_attention,
    "quality": quality,
}


def markdown(head, rows):
    """Return a table."""
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def ask(command, number):
    """Let a process of its own measure so many rounds, or with such a seed, and return its answer."""
    made = subprocess.run(
        [sys.executable, *command, str(number)],
        cwd=ROOT,
        env={**os.environ, **SETTINGS},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(made.stdout)


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
