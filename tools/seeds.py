"""Run every lesson under every seed, show for each claim by how much it held, and store what it measured."""

import argparse
import json
import math
import re
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from tools import kept, lessons

BUILD = lessons.ROOT / "build"
STORED = lessons.ROOT / "docs/seeds"
SHOWN = 60  # characters of a claim in the printed table
FAULT = 100  # characters of a failure that are stored
EXPLANATION = """\
The margin is the smallest distance to the limit, on the side that holds; the spread is the standard deviation
between the seeds. A bound is weak where the margin is below the spread, for the figures and, if they are
positive, for their logarithms."""


@dataclass
class Bound:
    """One bound of a claim or statement, with what was measured under each seed.

    The limit may be measured too, and then `limits` has that of each seed.
    """

    lesson: str
    what: str
    relation: str
    limit: float
    measured: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)

    def margin(self):
        """Return by how much it held under the seed where that is least; negative where it did not."""
        return min(-math.inf if math.isnan(margin) else margin for margin in map(self._margin, self.measured))

    def held(self):
        """Say whether it held under every seed."""
        return not self.failing()

    def failing(self):
        """Return the seeds under which it did not hold."""
        margins = {seed: self._margin(seed) for seed in self.measured}
        met = self.relation in ("<=", ">=", "==")
        return [seed for seed, margin in margins.items() if not (margin > 0 or (met and margin == 0))]

    def spread(self):
        """Return the standard deviation between the seeds."""
        values = list(self.measured.values())
        return statistics.pstdev(values) if all(map(math.isfinite, values)) else math.inf

    def slack(self):
        """Return how many spreads lie between the limit and the nearest measurement.

        Ratios may differ by powers of ten between seeds, so what is positive is compared by its logarithm,
        too, and the clearer of the two counts.
        """
        values = [*self.measured.values(), self.limit]
        if not self.held() or not all(map(math.isfinite, values)):
            return -math.inf
        if self.relation == "==":
            return math.inf
        scales = [values, [math.log(value) for value in values]] if min(values) > 0 else [values]
        return max(_in_spreads(*scale) for scale in scales)

    def weak(self):
        """Say whether the smallest margin is thinner than what lies between seeds."""
        return self.slack() < 1

    def row(self, chosen, shown=None):
        """Return its cells in the table of the `chosen` seeds, with its text cut to `shown` characters."""
        what = f"{self.what[: shown - 1]}…" if shown and len(self.what) > shown else self.what
        measured = [f"{self.measured[seed]:.3g}" if seed in self.measured else "-" for seed in chosen]
        state = "FAILED" if not self.held() else "weak" if self.weak() else ""
        figures = [f"{self.margin() + 0:.2g}", f"{self.spread():.2g}"]
        number, bound = self.lesson.partition("_")[0], f"{self.relation} {self.limit:.3g}"
        return [number, what, bound, *measured, *figures, state]

    def _margin(self, seed):
        distance = self.measured[seed] - self.limits.get(seed, self.limit)
        return {"<": -distance, "<=": -distance, "==": -abs(distance)}.get(self.relation, distance)


def _in_spreads(*values):
    *measured, limit = values
    spread = statistics.pstdev(measured)
    return min(abs(value - limit) for value in measured) / spread if spread else math.inf


def main(arguments=None, folder=lessons.NOTEBOOKS, build=BUILD, stored=STORED):
    """Run what has not been run yet, print, write and store what came, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make seeds", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default="0-4", metavar="SEEDS", help="such as 0-9 or 0,3,5")
    parser.add_argument("--one", nargs="?", metavar="N", help="02 for a lesson, 02e for its evidence")
    options = parser.parse_args(arguments)
    try:
        paths = lessons.find(options.one or None, folder)
    except ValueError as error:
        return str(error)
    package = kept.package()
    keys = {path: {"code": code_key(path), "package": package} for path in paths}
    results = run(paths, options.seeds, build / "seeds", package)
    for path in paths:
        its_own = [each for each in results if each["lesson"] == lessons.name_of(path)]
        store(place(path, stored), keys[path], its_own)
    bounds, failures = gather(results)
    head = ["", "claim", "bound", *map(str, options.seeds), "margin", "spread", ""]
    rows = [bound.row(options.seeds) for bound in bounds]
    lessons.write(build / "seeds.txt", f"{tabulate(rows, head, disable_numparse=True)}\n\n{EXPLANATION}\n")
    rows = [bound.row(options.seeds, SHOWN) for bound in thinnest(bounds)]
    print(tabulate(rows, head, disable_numparse=True))
    for failure in failures:
        print(f"\n{failure}")
    weak = sum(bound.weak() for bound in bounds)
    print(f"\n{len(bounds)} bounds, {weak} of them weak; all figures are in {build.name}/seeds.txt.")
    print("`make claims` writes their ranges into CLAIMS.md.")
    return int(bool(failures) or not all(bound.held() for bound in bounds))


def seeds(text):
    """Return the seeds that a text names.

    Raises:
        argparse.ArgumentTypeError: the text names none.
    """
    ranges = re.findall(r"(\d+)(?:-(\d+))?", text)
    chosen = {seed for first, last in ranges for seed in range(int(first), int(last or first) + 1)}
    if not chosen or not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise argparse.ArgumentTypeError(f"must be seeds such as 0-9 or 0,3,5. Received: {text}")
    return sorted(chosen)


def run(paths, chosen, folder, package):
    """Run each lesson under each seed, unless its result is kept from before.

    Returns:
        The results in the order of lessons and seeds: dicts with `lesson`, `seed`, `log` and `failed`.
    """
    cases = {
        kept.name(path, seed, kept.code(path), package): (run_one, path, seed)
        for path in paths
        for seed in chosen
    }
    return list(kept.results(cases, folder).values())


def run_one(path, seed):
    """Run one lesson under one seed; return its result."""
    settings = {"COURSE_SEED": str(seed), **kept.ONE_THREAD}  # two lessons on two cores
    outcome = lessons.run(lessons.read(path), path.parent, settings)
    return {"lesson": lessons.name_of(path), "seed": seed, "log": outcome.log, "failed": outcome.failed}


def place(path, folder=STORED):
    """Return where it is stored what the claims of the notebook at `path` measured."""
    return folder / Path(lessons.place_of(path)).relative_to("notebooks").with_suffix(".json")


def code_key(path):
    """Return the key of a notebook's code: that of its set-up cell changes with the course's address."""
    return kept.key(kept.code(path, without=["setup"]))


def read(path, folder=STORED):
    """Return what is stored of the notebook at `path`, as `store` writes it, or None."""
    file = place(path, folder)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def store(file, key, results):
    """Store what the claims of a notebook measured, beside other seeds of the same code and package.

    Args:
        file: where it is stored.
        key: `code` and `package`, that of the notebook's code and that of what it uses.
        results: those of the notebook. For each seed it is stored what failed, and for each claim and
            statement its bounds, with what was measured under each seed.
    """
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    stored = old if key.items() <= old.items() else {**key, "seeds": {}, "claims": {}}
    for result in results:
        stored["seeds"][str(result["seed"])] = [text.splitlines()[0][:FAULT] for text in result["failed"]]
    for (_, what, number), bound in _bounds(results).items():
        rows = stored["claims"].setdefault(what, [])
        if number == len(rows):
            rows.append({"relation": bound.relation, "limit": bound.limit, "measured": {}, "limits": {}})
        for seed, measured in bound.measured.items():
            rows[number]["measured"][str(seed)] = measured
            if bound.limits[seed] != rows[number]["limit"]:
                rows[number]["limits"][str(seed)] = bound.limits[seed]
    file.parent.mkdir(parents=True, exist_ok=True)
    lessons.write(file, kept.as_json(stored))


def bounds_of(stored, what):
    """Return the bounds of a claim or statement from what `read` returned; none where it is not there."""
    for row in stored["claims"].get(what, []):
        figures = ({int(seed): value for seed, value in row[name].items()} for name in ("measured", "limits"))
        yield Bound("", what, row["relation"], row["limit"], *figures)


def gather(results):
    """Return all bounds with what was measured under each seed, and a text for each run that failed."""
    failures = [
        f"{result['lesson']}, seed {result['seed']}: {text}"
        for result in results
        for text in result["failed"]
    ]
    return list(_bounds(results).values()), failures


def _bounds(results):
    """Return the bounds by the lesson, the claim and the place of each in it."""
    bounds = {}
    for result in results:
        lesson, seed = result["lesson"], result["seed"]
        for entry in (entry for entry in result["log"] if entry["kind"] in ("claim", "statement")):
            what = entry["text"] if entry["kind"] == "claim" else f"{entry['number']}: {entry['said']}"
            for number, each in enumerate(entry["bounds"]):
                new = Bound(lesson, what, each["relation"], each["limit"])
                bound = bounds.setdefault((lesson, what, number), new)
                bound.measured[seed], bound.limits[seed] = each["measured"], each["limit"]
    return bounds


def thinnest(bounds):
    """Return for each claim the bound that held by the least."""
    chosen = {}
    for bound in sorted(bounds, key=Bound.slack, reverse=True):
        chosen[bound.lesson, bound.what] = bound
    return [bound for bound in bounds if chosen[bound.lesson, bound.what] is bound]


if __name__ == "__main__":
    sys.exit(main())
