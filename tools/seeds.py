"""Run every lesson under every seed, and show for each claim by how much it held."""

import argparse
import html
import math
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from tools import kept, lessons
from tools.run import count_claims

BUILD = lessons.ROOT / "build"
SHOWN = 60  # characters of a claim in the printed table


@dataclass
class Bound:
    """One bound of a claim or statement, with what was measured under each seed."""

    lesson: str
    what: str
    relation: str
    limit: float
    measured: dict = field(default_factory=dict)

    def margins(self):
        """Return by how much it held under each seed; negative where it did not."""
        sign = {"<": -1, "<=": -1}.get(self.relation, 1)
        margins = {seed: sign * (value - self.limit) for seed, value in self.measured.items()}
        if self.relation == "==":
            margins = {seed: -abs(margin) for seed, margin in margins.items()}
        return {seed: -math.inf if math.isnan(margin) else margin for seed, margin in margins.items()}

    def spread(self):
        """Return the standard deviation between the seeds."""
        values = list(self.measured.values())
        return statistics.pstdev(values) if all(map(math.isfinite, values)) else math.inf

    def held(self):
        """Say whether it held under every seed."""
        strict = self.relation in ("<", ">")
        return all(margin > 0 if strict else margin >= 0 for margin in self.margins().values())

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


def _in_spreads(*values):
    *measured, limit = values
    spread = statistics.pstdev(measured)
    return min(abs(value - limit) for value in measured) / spread if spread else math.inf


def main(arguments=None, folder=lessons.NOTEBOOKS, build=BUILD):
    """Run what has not been run yet, write and print the table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make seeds", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default="0-4", metavar="SEEDS", help="such as 0-9 or 0,3,5")
    parser.add_argument("--one", nargs="?", metavar="N", help="only the lesson with this number")
    options = parser.parse_args(arguments)
    try:
        paths = lessons.find(options.one or None, folder)
    except ValueError as error:
        return str(error)
    results = run(paths, options.seeds, build / "seeds")
    bounds, failures = gather(results)
    lessons.write(build / "seeds.html", page(bounds, failures, options.seeds))
    print(table(bounds, options.seeds))
    for failure in failures:
        print(f"\n{failure}")
    weak = sum(bound.weak() for bound in bounds)
    print(f"\n{len(bounds)} bounds, {weak} of them weak; all figures are in {build.name}/seeds.html.")
    return int(bool(failures) or not all(bound.held() for bound in bounds))


def seeds(text):
    """Return the seeds that a text names.

    Raises:
        argparse.ArgumentTypeError: the text names none.
    """
    try:
        chosen = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            chosen += range(int(first), int(last or first) + 1)
    except ValueError:
        chosen = []
    if not chosen or min(chosen) < 0:
        raise argparse.ArgumentTypeError(f"must be seeds such as 0-9 or 0,3,5. Received: {text}")
    return sorted(set(chosen))


def run(paths, chosen, folder):
    """Run each lesson under each seed, unless its result is kept from before.

    Returns:
        The results in the order of lessons and seeds: dicts with `lesson`, `seed`, `log`, `errors` and the
        number of `claims` in the source.
    """
    package = kept.package()
    cases = {
        f"{path.stem}-{seed}-{kept.key(kept.code(path), package, seed)}": (run_one, path, seed)
        for path in paths
        for seed in chosen
    }
    return list(kept.results(cases, folder).values())


def run_one(path, seed):
    """Run one lesson under one seed, to its end even where a claim does not hold; return its result."""
    notebook = lessons.read(path)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        settings = {"COURSE_QUIET": "1", "COURSE_LOG": str(log), "COURSE_SEED": str(seed)}
        settings |= kept.ONE_THREAD  # two lessons on two cores
        executed = lessons.execute(notebook, path.parent, settings, go_on_after=["ClaimError"])
        entries = lessons.read_log(log)
    errors = [f"{error.ename}: {error.evalue}" for error in lessons.errors(executed)]
    return {
        "lesson": path.stem,
        "seed": seed,
        "log": entries,
        "errors": errors,
        "claims": count_claims(notebook),
    }


def gather(results):
    """Return all bounds with what was measured under each seed, and a text for each run that failed."""
    bounds, failures = {}, []
    for result in results:
        name = f"{result['lesson']}, seed {result['seed']}"
        failures += [f"{name}: {error}" for error in result["errors"]]
        entries = [entry for entry in result["log"] if entry["kind"] in ("claim", "statement")]
        reached = sum(entry["kind"] == "claim" for entry in entries)
        if reached < result["claims"]:
            failures.append(f"{name}: {reached} of {result['claims']} claims were reached")
        for entry in entries:
            what = entry["text"] if entry["kind"] == "claim" else f"{entry['number']}: {entry['said']}"
            for number, each in enumerate(entry["bounds"]):
                bound = bounds.setdefault(
                    (result["lesson"], what, number),
                    Bound(result["lesson"], what, each["relation"], each["limit"]),
                )
                bound.measured[result["seed"]] = each["measured"]
    return list(bounds.values()), failures


def table(bounds, chosen):
    """Return the bounds as text: one line for each claim, by the bound that held by the least."""
    thinnest = {}
    for bound in bounds:
        other = thinnest.setdefault((bound.lesson, bound.what), bound)
        if bound.slack() < other.slack():
            thinnest[bound.lesson, bound.what] = bound
    rows = [[bound.lesson[:2], _short(bound.what), *_cells(bound, chosen)] for bound in thinnest.values()]
    return tabulate(rows, _head(chosen), disable_numparse=True)


def page(bounds, failures, chosen):
    """Return the page with every bound."""
    rows = [[bound.lesson[:2], bound.what, *_cells(bound, chosen)] for bound in bounds]
    parts = [
        "<!doctype html><meta charset='utf-8'><title>Claims by seeds</title>",
        "<style>body{font:14px sans-serif;margin:2em}td,th{padding:2px 8px;text-align:left;"
        "vertical-align:top}tr:nth-child(even){background:#f2f2f2}</style>",
        "<h1>Claims by seeds</h1><p>What was measured under each seed. The margin is the smallest distance "
        "to the limit, on the side that holds; the spread is the standard deviation between the seeds. A "
        "bound is weak where the margin is below the spread, for the figures and, if they are positive, for "
        "their logarithms.</p>",
        tabulate(rows, _head(chosen), tablefmt="html", disable_numparse=True),
        *(f"<pre>{html.escape(failure)}</pre>" for failure in failures),
    ]
    return "\n".join(parts) + "\n"


def _head(chosen):
    return ["", "claim", "bound", *map(str, chosen), "margin", "spread", ""]


def _cells(bound, chosen):
    measured = [f"{bound.measured[seed]:.3g}" if seed in bound.measured else "-" for seed in chosen]
    state = "FAILED" if not bound.held() else "weak" if bound.weak() else ""
    margin = min(bound.margins().values())
    return [f"{bound.relation} {bound.limit:.3g}", *measured, f"{margin:.2g}", f"{bound.spread():.2g}", state]


def _short(text):
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


if __name__ == "__main__":
    sys.exit(main())
