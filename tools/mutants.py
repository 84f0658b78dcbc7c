"""Change the package in one place after the other, as tutorials got it wrong, and see the tests fail."""

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tabulate import tabulate
from tqdm import tqdm

from tools.lessons import ROOT

AT_ONCE = 2
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "build", "__pycache__", ".*_cache", "*.egg-info")

USES_A_TOOL = re.compile(r"^(from|import) (tools|benchmarks)\b", re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    """One wrong version of the package.

    Attributes:
        wrong: what is wrong with it.
        file: the module, from the folder of the package.
        right, written: the text that is replaced, which stands there once, and what takes its place.
        tests: what is run first: the module's test files, or the one test that sees it where those take long.
    """

    wrong: str
    file: str
    right: str
    written: str
    tests: tuple


def _in(file, *tests):
    """Return a function that makes the mutants of one module."""
    files = tuple(f"tests/{name}.py" for name in tests)

    def mutant(wrong, right, written, seen_by=None):
        return Mutant(wrong, file, right, written, (f"{files[0]}::{seen_by}",) if seen_by else files)

    return mutant


embedding = _in("embedding.py", "test_embedding")
recurrent = _in("recurrent.py", "test_recurrent", "test_contract")
attention = _in("attention.py", "test_attention", "test_contract")
self_attention = _in("attention.py", "test_attention_self")
seq2seq = _in("seq2seq.py", "test_seq2seq")
transformer = _in("transformer.py", "test_transformer")
translator = _in("_translator.py", "test_seq2seq")
generation = _in("generation.py", "test_generation", "test_seq2seq")
measure = _in("measure.py", "test_measure", "test_seq2seq")
plotting = _in("plotting.py", "test_plotting")
lesson = _in("lesson.py", "test_lesson")

MUTANTS = (
    # Embeddings and positions
    embedding(
        "ids wrap round the table", 'ops.cast(ids, "int32"), axis=0)', 'ops.cast(ids, "int32") - 1, axis=0)'
    ),
    embedding("positions begin at one", "angle = t / 10", "angle = (t + 1) / 10"),
    embedding(
        "sines and cosines side by side, not in turns",
        "feature % 2 == 0, ops.sin",
        "feature < len(feature) / 2, ops.sin",
    ),
    embedding(
        "a step at a time always reads position 0",
        't = require_positions("position", position, vectors)[..., 0]',
        't = require_positions("position", 0, vectors)[..., 0]',
    ),
    transformer(
        "embeddings are not scaled before positions are added", " * math.sqrt(self.embedding.output_dim)", ""
    ),
    # Recurrent layers
    recurrent("input and forget gate are swapped", "i, f, g, o = ops.split(z", "f, i, g, o = ops.split(z"),
    recurrent("the forget bias is lost", 'raised_block = "forget"', 'raised_block = "input"'),
    recurrent("the forget bias is lost when saved", '"forget_bias": self.raised_bias', '"forget_bias": 1.0'),
    recurrent("the hidden state leaves out the tanh of the cell", "h = o * ops.tanh(c)", "h = o * c"),
    recurrent(
        "z takes the candidate and not the old state",
        "h = z * states[0] + (1 - z) * g",
        "h = (1 - z) * states[0] + z * g",
    ),
    recurrent("reset comes before the product", "g = ops.tanh(x_g + r * h_g)", "g = ops.tanh(x_g + h_g)"),
    recurrent("reset is left out of the paper's form", "ops.matmul(r * h, w_g)", "ops.matmul(h, w_g)"),
    recurrent(
        "the mask is forgotten",
        "initial_state=initial_state, mask=mask, training=training)",
        "initial_state=initial_state, training=training)",
    ),
    recurrent(
        "the way back reads padding",
        "self.backward_layer(sequences, mask=mask,",
        "self.backward_layer(sequences, ",
    ),
    recurrent("the way back is not turned round", "backward = ops.flip(backward, axis=1)", "pass"),
    recurrent(
        "both ways read forwards",
        '"go_backwards": not layer.go_backwards',
        '"go_backwards": layer.go_backwards',
    ),
    recurrent(
        "the way back starts as it likes",
        '"units": self.units, "recurrent_initializer": recurrent_initializer}',
        '"units": self.units}',
    ),
    recurrent(
        "the LSTM starts as it likes",
        "LSTMCell(units, forget_bias, recurrent_initializer, dtype=",
        "LSTMCell(units, forget_bias, dtype=",
    ),
    recurrent(
        "the GRU starts as it likes",
        "GRUCell(units, reset_after, update_bias, recurrent_initializer, dtype=",
        "GRUCell(units, reset_after, update_bias, dtype=",
    ),
    # Attention
    attention(
        "the softmax runs over the queries", "ops.softmax(masked, axis=-1)", "ops.softmax(masked, axis=-2)"
    ),
    attention(
        "the mask is inverted", "ops.where(mask, 0.0, -LARGEST / 2)", "ops.where(mask, -LARGEST / 2, 0.0)"
    ),
    attention(
        "the mask is forgotten in the weights",
        "return masked_softmax(self.scores(query, key), mask)",
        "return masked_softmax(self.scores(query, key))",
    ),
    attention(
        "padding gets the score 0 and not the lowest",
        "ops.where(mask, 0.0, -LARGEST / 2)",
        "ops.where(mask, 0.0, -wide)",
    ),
    attention(
        "a row with nothing to look at comes out even",
        "    if mask is not None:  # a row where",
        "    if False:  # a row where",
    ),
    attention("the general score loses its matrix", "query = ops.matmul(query, self.kernel)\n", "pass\n"),
    attention(
        "the window is one too narrow",
        "ops.minimum(p, length - 1)) <= self.window",
        "ops.minimum(p, length - 1)) < self.window",
    ),
    attention(
        "the window slides into the padding",
        "ops.abs(positions - ops.minimum(p, length - 1))",
        "ops.abs(positions - p)",
    ),
    attention(
        "local-p leaves out its Gaussian", "weights = weights * ops.cast(gaussian, weights.dtype)", "pass"
    ),
    attention(
        "hard attention draws when it is asked",
        "        if training:  # the largest",
        "        if True:  # the largest",
    ),
    attention(
        "the baseline is dropped", "ops.stop_gradient(losses - self.baseline)", "ops.stop_gradient(losses)"
    ),
    attention(
        "the reward passes a gradient",
        "ops.stop_gradient(losses - self.baseline)",
        "(losses - self.baseline)",
    ),
    attention("pooling asks from padding", "== _true_length(mask) - 1\n", "== ops.shape(value)[1] - 1\n"),
    self_attention("the future is visible", ">= ops.arange(Tv)", ">= 0 * ops.arange(Tv)"),
    self_attention("a position does not see itself", ">= ops.arange(Tv)", "> ops.arange(Tv)"),
    self_attention("scores are not scaled", " / math.sqrt(self.key_dim)\n", "\n"),
    self_attention(
        "one mask for each head is read from the wrong axis",
        "mask[:, None]\n        weights = masked_softmax(scores",
        "mask[:, :, None]\n        weights = masked_softmax(scores",
    ),
    self_attention(
        "keys are averaged in place of values", "self.value_dense(value)\n", "self.key_dense(value)\n"
    ),
    # Sequence to sequence
    seq2seq(
        "the encoder's state is not handed on",
        "outputs, *after = recurrence(outputs, initial_state=before, training=training)",
        "outputs, *after = recurrence(outputs, training=training)",
    ),
    self_attention(
        "all projections start with the same numbers",
        "RandomUniform(-limit, limit)",
        "RandomUniform(-limit, limit, seed=0)",
    ),
    self_attention(
        "dropout of weights is lost when saved",
        '"key_dim": self.key_dim, "dropout": self.dropout.rate}',
        '"key_dim": self.key_dim}',
    ),
    seq2seq(
        "the cell state asks, not the hidden state",
        "states[0][:, None],",
        "states[-1][:, None],",
        "test_before_asks_with_the_hidden_state_and_not_with_the_cell_state",
    ),
    translator(
        "the start mark is lost when saved",
        '            "start": self.start_mark,\n',
        "",
        "test_marks_of_its_own_are_saved",
    ),
    translator(
        "the end mark is lost when saved",
        '            "end": self.end_mark,\n',
        "",
        "test_marks_of_its_own_are_saved",
    ),
    seq2seq(
        "the encoder reads padding",
        "sequences, *last = recurrence(sequences, mask=mask, training=training)",
        "sequences, *last = recurrence(sequences, training=training)",
    ),
    seq2seq(
        "projections are swapped",
        "states = keras.tree.pack_sequence_as(states, projected)",
        "states = keras.tree.pack_sequence_as(states, projected[::-1])",
        "test_where_sizes_differ_the_decoder_begins_with_each_state_projected",
    ),
    seq2seq(
        "the states of both ways are mixed up",
        "ahead, behind = states[: len(states) // 2], states[len(states) // 2 :]",
        "ahead, behind = states[::2], states[1::2]",
        "test_each_state_of_both_ways_stands_beside_its_like",
    ),
    seq2seq(
        "the order of looking is lost when saved",
        '"attend": self.attend}',
        '"attend": "after"}',
        "test_saved_equals_loaded_and_generates_the_same",
    ),
    seq2seq(
        "attention and its weights are not saved",
        '"attention": attention, "attend"',
        '"attention": None, "attend"',
        "test_saved_equals_loaded_and_generates_the_same",
    ),
    seq2seq("the decoder looks at padding", '            mask=state["mask"][:, None],\n', ""),
    seq2seq(
        "positions are not counted",
        '{"position": state["position"] + steps}',
        '{"position": state["position"]}',
    ),
    translator(
        "generation begins with the end mark",
        "ops.full((len(source),), self.start_mark",
        "ops.full((len(source),), self.end_mark",
        "test_greedy_follows_its_own_words",
    ),
    _in("data/parallel.py", "test_data_number_words", "test_data")(
        "the target is not shifted", "return self.target_ids[:, 1:]", "return self.target_ids[:, :-1]"
    ),
    # The Transformer
    transformer("the decoder sees the future", "    causal = True\n", "    causal = False\n"),
    transformer(
        "the residual path is left out",
        "x = x + self.dropout(found, training=training)",
        "x = self.dropout(found, training=training)",
    ),
    transformer(
        "the source's mask is forgotten",
        "        real = None if memory_mask is None else memory_mask[:, None]",
        "        real = None",
    ),
    transformer(
        "generation forgets its position",
        '"position": state["position"] + 1',
        '"position": state["position"]',
    ),
    transformer(
        "new keys are written one too late",
        "ops.arange(ops.shape(room)[1]), position[:, None])",
        "ops.arange(ops.shape(room)[1]), position[:, None] + 1)",
    ),
    transformer(
        "normalisation always comes before",
        'return norm(x) if self.normalize == "before" else x\n\n    def leave',
        "return norm(x)\n\n    def leave",
    ),
    transformer(
        "prompts all end where the longest does",
        'ops.convert_to_tensor(lengths - 1, "int32")',
        'ops.convert_to_tensor(0 * lengths + source.shape[1] - 1, "int32")',
        "TestLanguageModel::test_kept_keys_and_values_equal_the_full_pass",
    ),
    transformer(
        "a text's end is lost when saved",
        '"end": None if self.end_mark < 0 else self.end_mark,',
        "",
        "TestLanguageModel::test_its_end_mark_is_saved",
    ),
    transformer(
        "dropout never reaches the blocks",
        "(block.read, (mask, memory, memory_mask, training))",
        "(block.read, (mask, memory, memory_mask))",
        "test_dropout_reaches_the_blocks",
    ),
    transformer(
        "what a part adds is not dropped",
        "x = x + self.dropout(found, training=training)",
        "x = x + found",
        "TestBlock::test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention",
    ),
    transformer(
        "weights of self-attention are not dropped",
        ".look(looking, *own, seen, training)",
        ".look(looking, *own, seen)",
        "TestBlock::test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention",
    ),
    transformer(
        "weights of attention to the source are not dropped",
        '*kept["memory"], real, training)',
        '*kept["memory"], real)',
        "TestBlock::test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention",
    ),
    transformer(
        "tokens at their places are not dropped",
        "return self.dropout(self.positions(vectors, position=position), training=training)",
        "return self.positions(vectors, position=position)",
        "test_tokens_at_their_places_are_dropped_in_training",
    ),
    transformer(
        "a block's dropout is lost when saved",
        '"normalize": self.normalize,\n            "dropout": self.dropout.rate,',
        '"normalize": self.normalize,',
        "test_dropout_goes_through_the_config",
    ),
    transformer(
        "a stack's dropout is lost when saved",
        '("depth", "num_heads", "units", "normalize", "dropout")',
        '("depth", "num_heads", "units", "normalize")',
        "test_dropout_goes_through_the_config",
    ),
    # Search, measures and pictures
    generation("a sequence does not end", "| (tokens == self.end)", "| (tokens == -7)"),
    generation("padding is chosen as a token", "gains[:, :, 0] = -np.inf  # padding", "pass  # padding"),
    generation(
        "beams go on from each other's states",
        "state = keras.tree.map_structure(lambda leaf: ops.take(leaf, rows, axis=0), state)",
        "pass",
    ),
    generation(
        "generation does not read its own words", "tokens = beam.tokens[:, :, position].ravel()", "pass"
    ),
    generation("the same sequence fills the beam", "self.log_probs[:, 0] = 0  #", "self.log_probs[:] = 0  #"),
    measure(
        "padding counts as right", "real = ops.not_equal(labels, 0)\n", "real = ops.not_equal(labels, -1)\n"
    ),
    measure(
        "one right token is a match",
        "(padded[0] == padded[1]).all(axis=1)",
        "(padded[0] == padded[1]).any(axis=1)",
    ),
    measure("ties count as ranked above", "(difference == 0).mean() / 2", "(difference == 0).mean()"),
    measure(
        "the gradient leaves out the cell state",
        "np.linalg.norm(np.concatenate(states, axis=-1), axis=-1)",
        "np.linalg.norm(states[0], axis=-1)",
    ),
    measure(
        "one exploding gradient decides the mean",
        "mean = np.exp(np.log(np.maximum(norms, tiny)).mean(axis=1))[::-1]",
        "mean = np.maximum(norms, tiny).mean(axis=1)[::-1]",
    ),
    measure("a distance on an edge counts twice", "(distances < high)", "(distances <= high)"),
    plotting(
        "rows of a map stand beside other labels",
        'imshow(values, cmap="RdBu_r", vmin=-limit',
        'imshow(values[::-1], cmap="RdBu_r", vmin=-limit',
    ),
    plotting("a point bears another word", "words[np.flatnonzero(inside)[0]]", "words[number]"),
    plotting("what all words share is not taken away", " - np.mean(vectors, axis=0)", ""),
    # Data
    _in("data/airline.py", "test_data")(
        "the scaler is fitted on all data",
        "logarithm[:train_months].mean(), logarithm[:train_months].std()",
        "logarithm.mean(), logarithm.std()",
    ),
    _in("data/airline.py", "test_data")(
        "a tested month is in training", "split = train_months - window", "split = train_months - window + 1"
    ),
    _in("data/number_words.py", "test_data_number_words")(
        "test numbers are in training", "drawn[~np.isin(drawn, held_out)]", "drawn"
    ),
    _in("data/marked.py", "test_data")(
        "the distance is one off", "distances = time - 1 - marked", "distances = time - marked"
    ),
    *(
        _in(f"data/{name}.py", tests)(
            f"the seed is not read, {name}", "np.random.default_rng(seed)", "np.random.default_rng()"
        )
        for name, tests in (
            ("marked", "test_data"),
            ("grammar", "test_data"),
            ("modular", "test_data_senses"),
        )
    ),
    _in("data/vocabulary.py", "test_data")(
        "padding stands on the left", "row[: len(kept)] = kept", "row[-len(kept) :] = kept"
    ),
    _in("data/vocabulary.py", "test_data")(
        "the start mark is missing", "return [self.ids[START]], [self.ids[END]]", "return [], [self.ids[END]]"
    ),
    lesson("a bound that is just met fails", '">=": operator.ge', '">=": operator.gt'),
    lesson("a claim that is false passes", "    if not held:\n", "    if False:\n"),
    lesson("a figure that is no number passes", "math.isfinite(measured) and compare", "compare"),
)


def main(arguments=None, mutants=MUTANTS, root=ROOT):
    """Try every mutant, print the table, and return 1 if one was not caught."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="those whose description holds the text")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in mutants if options.only in f"{mutant.file}: {mutant.wrong}"]
    if not chosen:
        return f"No mutant's description holds the text. Received: --only {options.only}"
    with _copies(root) as copies, ThreadPoolExecutor(AT_ONCE) as threads:
        tried = threads.map(lambda mutant: _try_in_a_copy(mutant, copies), chosen)
        results = list(tqdm(tried, total=len(chosen), unit="mutant", leave=False, disable=None))
        catchers = sorted({f"tests/{caught}" for caught, _ in results if caught})
        if broken := catchers and _failure(copies.get(), catchers):
            return f"{broken} fails without any mutant, so what it caught says nothing. Mend it first."
    rows = [
        [mutant.file, mutant.wrong, caught or "NOT CAUGHT", f"{seconds:.0f}"]
        for mutant, (caught, seconds) in zip(chosen, results, strict=True)
    ]
    print(tabulate(rows, ["module", "what is wrong", "caught by", "seconds"], disable_numparse=True))
    missed = sum(not caught for caught, _ in results)
    print(f"\n{len(chosen) - missed} of {len(chosen)} wrong versions were caught.")
    return int(missed > 0)


def apply(mutant, root):
    """Write the mutant into the package under `root`, and return the file and what it held.

    Raises:
        ValueError: the text to replace does not stand there once.
    """
    path = Path(root) / "course_utils" / mutant.file
    source = path.read_text(encoding="utf-8")
    if source.count(mutant.right) != 1:
        raise ValueError(
            f"The text that a mutant replaces must stand once in {mutant.file}. "
            f"Received: {source.count(mutant.right)} times {mutant.right!r}"
        )
    path.write_text(source.replace(mutant.right, mutant.written), encoding="utf-8")
    return path, source


def caught_by(mutant, root):
    """Return the name of the test that fails with the mutant, or an empty text.

    Its own tests are run first, and if they pass, all others of the package, but no notebook.
    """
    path, source = apply(mutant, root)
    try:
        return _failure(root, mutant.tests) or _failure(root, of_the_package(root))
    finally:
        path.write_text(source, encoding="utf-8")


def of_the_package(root):
    """Return the test files that use no tool: a tool's test says nothing of the package, and may need git."""
    files = sorted(Path(root, "tests").glob("test_*.py"))
    sources = {file.relative_to(root): file.read_text(encoding="utf-8") for file in files}
    return [file for file, source in sources.items() if not USES_A_TOOL.search(source)]


def _failure(root, tests):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-x", "--tb=no", "--no-header", "-o", "addopts="),
            *("-p", "no:cacheprovider", "-p", "no:nbval", *tests),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    if done.returncode not in (0, 1, 2):  # all passed, a test failed, or a module could not be imported
        raise RuntimeError(f"pytest could not run:\n{done.stdout}{done.stderr}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    failed = [line.partition(" ")[2].partition(" - ")[0] for line in lines]  # a test's name may hold spaces
    return failed[0].removeprefix("tests/") if failed else ""


def _try_in_a_copy(mutant, copies):
    copy, begun = copies.get(), time.monotonic()
    try:
        return caught_by(mutant, copy), time.monotonic() - begun
    finally:
        copies.put(copy)


@contextlib.contextmanager
def _copies(root):
    """Make a copy of the project for each mutant that is tried at once; yield them in a queue."""
    copies = SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(AT_ONCE):
            copy = Path(folder) / str(number)
            shutil.copytree(root, copy, ignore=LEFT_OUT)
            copies.put(copy)
        yield copies


if __name__ == "__main__":
    sys.exit(main())
