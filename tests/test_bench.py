"""The benchmark, tiny: like is compared with like, in turns, by ratios of medians. No time is judged here."""

import contextlib
import functools
import importlib.util
import json
import re
import time

import course_utils

# isort: split
import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import __main__ as bench
from benchmarks import self_attention, time_to_quality, translation, worker
from course_utils import data, measure

pytestmark = pytest.mark.slow
MULTI_HEAD = keras.layers.MultiHeadAttention
TINY = {"tiny": {"batch": 2, "time": 3, "features": 4, "units": 5, "steps": 1}}
SHAPE = {name: size for name, size in TINY["tiny"].items() if name != "steps"}
FRAMEWORKS = [name for name in bench.FRAMEWORKS if name != "torch" or importlib.util.find_spec("torch")]


def rounds_of(*seconds):
    """The answers of a worker that took so many seconds in its rounds, and twice that by the clock."""
    return [{measure: {"cpu": each, "wall": 2 * each} for measure in bench.MEASURES} for each in seconds]


TIMES = {
    ("GRU", "tiny", "ours"): rounds_of(1, 3, 50),
    ("GRU", "tiny", "keras"): rounds_of(2, 4, 0.002),
    ("GRU", "tiny", "torch"): rounds_of(6, 60, 5),
    ("GRU", "tiny", "products"): [{"train": {"cpu": each, "wall": each}} for each in (1.5, 2, 1)],
}


def cells(text):
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not re.fullmatch(r"[-|:]+", "".join(row))]


TRANSLATED = [
    {"ours, greedy": 71_053.7, "Keras' layers, greedy": 74_835.1},
    {"no attention": {"cpu": 0.01, "wall": 0.02}, "dot, after": {"cpu": 0.012, "wall": 0.03}},
]
TIMED = {"ours": {"cpu": 0.01, "wall": 0.02}, "keras": {"cpu": 0.02, "wall": 0.016}}
ATTENDED = [
    [["B2", "inference", whose, times] for whose, times in TIMED.items()],
    [["a KV cache", 48, 1.2345], ["a KV cache", 96, 2.5], ["the full pass for every token", 48, 3]],
]
RUN = {"there": True, "wall": 20.0, "cpu": 30.0, "steps": 400, "write": 0.3}
NEEDED = {"quick": RUN, "slow": {**RUN, "there": False, "wall": 151.2}}
TRANSLATED_ROWS = [
    ["generation", "tokens a second"],
    ["ours, greedy", "71,100"],
    ["Keras' layers, greedy", "74,800"],
    ["training step", "CPU ratio", "wall ratio", "median ms"],
    ["no attention", "1.00", "1.00", "20"],
    ["dot, after", "1.20", "1.50", "30"],
]
ATTENDED_ROWS = [
    ["", "size", "CPU, ours / Keras", "wall, ours / Keras", "median ms, ours", "median ms, Keras"],
    ["inference", "B2", "0.50", "1.25", "20", "16"],
    ["generation with", "tokens", "seconds"],
    ["a KV cache", "48", "1.23"],
    ["a KV cache", "96", "2.5"],
    ["the full pass for every token", "48", "3"],
]
NEEDED_ROWS = [
    ["model", "seeds that got there", "s", "CPU s", "steps", "s to write 1,000"],
    ["quick", "3 of 3", "20", "30", "400", "0.3"],
    ["slow", "0 of 3", *["not in 151 s"] * 3, "0.3"],
]


@pytest.mark.parametrize(
    ("part", "said", "answer", "rows"),
    [
        (bench.translation, bench.TRANSLATION, TRANSLATED, TRANSLATED_ROWS),
        (bench.self_attention, bench.SELF_ATTENTION, ATTENDED, ATTENDED_ROWS),
        (bench.quality, bench.QUALITY, NEEDED, NEEDED_ROWS),
    ],
)
def test_what_a_process_measured_is_reported(part, said, answer, rows):
    text = part(3, command=("-c", f"print({json.dumps(json.dumps(answer))})"))
    assert said in text
    assert cells(text) == rows


def test_the_seed_in_the_middle_is_shown(monkeypatch):
    runs = [{"there": True, "wall": 9, "cpu": 30, "steps": 500}, {"there": False, "wall": 3}, {"wall": 40}]
    seeds = [{"some": {**RUN, **run}} for run in runs]
    monkeypatch.setattr(bench, "ask", lambda _, seed: seeds[seed])
    (_, row) = cells(bench.quality(3))
    assert row == ["some", "2 of 3", "40", "30", "400", "0.3"]
    seeds[2]["some"]["there"] = False
    (_, row) = cells(bench.quality(3))
    assert row[1:3] == ["1 of 3", "not in 3 s"]


def test_the_translating_models_and_attention_are_timed(capsys, monkeypatch):
    size = {"batch": 2, "sources": 3, "source_time": 4, "target_time": 5, "units": 6, "vocabulary": 7}
    monkeypatch.setattr(
        translation, "TRAINED", {"no attention": {}, "dot": translation.TRAINED["dot, after"]}
    )
    translation.main(["1"], size)
    tokens, steps = json.loads(capsys.readouterr().out)
    assert list(tokens) == ["ours, greedy", "ours, beam of 4", "Keras' layers, greedy"]
    assert list(steps) == ["no attention", "dot"]
    text = {"prompts": 2, "prompt_time": 3, "written": 2, "dim": 4, "heads": 2, "vocabulary": 7}
    self_attention.main(["1"], sizes={"tiny": {"batch": 2, "time": 3, "dim": 4, "heads": 2}}, text=text)
    layers, written = json.loads(capsys.readouterr().out)
    *ways, seconds = zip(*written, strict=True)
    kinds = [("tiny", what, whose) for whose in ("ours", "keras") for what in ("training step", "inference")]
    assert [tuple(key) for *key, _ in layers] == kinds
    assert ways == [(*["a KV cache"] * 3, "the full pass for every token"), (2, 4, 8, 2)]
    times = [*steps.values(), *(each for *_, each in layers)]
    assert all(each > 0 for each in [*tokens.values(), *seconds])
    assert all(each["cpu"] > 0 and each["wall"] > 0 for each in times)


def test_translating_models_that_never_end_generate_as_many_tokens():
    source = np.full((3, 4), 5)
    theirs = translation.KerasTranslator(7, 7, 6)
    theirs((source, source))
    for model in (translation.never_ending(translation.translator(7, 6)), translation.never_ending(theirs)):
        generated = model.generate(source, 5)
        assert generated.shape == (3, 5)
        assert (generated != translation.END).all()


def test_the_translator_of_keras_writes_what_it_holds_likeliest_up_to_the_end():
    keras.utils.set_random_seed(3)
    model = translation.KerasTranslator(9, 9, 16, attention=True)
    source = np.random.default_rng(0).integers(3, 9, size=(40, 4))
    source[::2, 2:] = 0
    model((source, source))
    model.set_weights([4 * weight for weight in model.get_weights()])
    generated = model.generate(source, 6)
    read = np.concatenate([np.full((40, 1), translation.START), generated[:, :-1]], axis=1)
    likeliest = np.argmax(model((source, read)), axis=-1)
    ended = np.cumsum(read == translation.END, axis=1) > 0
    assert ended.any()
    np.testing.assert_array_equal(generated, np.where(ended, 0, likeliest))


def test_padding_is_nothing_to_the_translator_of_keras():
    model = translation.KerasTranslator(9, 9, 6, attention=True)
    source, target = np.random.default_rng(0).integers(3, 9, size=(2, 3, 4))
    padded = np.pad(source, ((0, 0), (0, 3)))
    short, long = (model.next_logits(tf.constant(target), *model.read(each))[0] for each in (source, padded))
    np.testing.assert_allclose(short, long, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.*run_functions_eagerly:UserWarning")
@pytest.mark.usefixtures("op_by_op")
@pytest.mark.parametrize(
    ("name", "enough"), [*((name, 0.0) for name in time_to_quality.MODELS), ("ours, GRU and attention", 1.1)]
)
def test_models_are_trained_until_they_are_right_or_time_is_over(name, enough):
    numbers = data.number_words(train=200, validation=5, test=5, digits=3)
    small = functools.partial(time_to_quality.MODELS[name], size=8)
    needed = time_to_quality.trained(small, numbers, 0, enough=enough, seconds=0)
    assert needed["there"] == (enough == 0)
    assert needed["steps"] == 1
    assert min(needed["wall"], needed["cpu"], needed["write"]) > 0


def test_a_clock_stands_still_while_it_looks():
    numbers = data.number_words(train=200, validation=5, test=5, digits=3)

    class Slow:
        stop_training = False

        def generate(self, *_):
            time.sleep(0.2)
            return np.pad(numbers.test.labels, ((0, 0), (0, 1)))

    clock = time_to_quality.Clock(numbers.test, enough=1.0, seconds=100)
    clock.set_model(Slow())
    for _ in range(2):
        clock.on_train_batch_end(0)
    assert clock.spent[0] < 0.2
    assert clock.right == 1
    assert clock.model.stop_training
    clock.enough = 1.1
    clock.on_train_batch_end(0)
    assert not clock.model.stop_training
    clock.seconds = clock.spent[0]
    clock.on_train_batch_end(0)
    assert clock.model.stop_training


def test_each_seed_begins_with_another_model(monkeypatch, capsys):
    begun = []
    monkeypatch.setattr(time_to_quality, "trained", lambda make, *_: begun.append(make) or RUN)
    small = {"train": 200, "validation": 5, "test": 5, "digits": 3}
    for seed in "012":
        time_to_quality.main([seed], small)
        assert list(json.loads(capsys.readouterr().out)) == list(time_to_quality.MODELS)
    assert begun[::3] == list(time_to_quality.MODELS.values())


def test_both_ways_of_generation_write_the_same():
    model = self_attention.writer(8, 2, 9)
    prompts = np.random.default_rng(0).integers(1, 9, size=(3, 4))
    full = self_attention.FullPass(model).generate(prompts, 6)
    np.testing.assert_array_equal(full, model.generate(prompts, 6))


def test_both_layers_of_many_heads_begin_to_learn():
    for kind, mask in ((self_attention.MultiHeadAttention, "mask"), (MULTI_HEAD, "attention_mask")):
        steps = self_attention.layer_steps(kind, mask, 2, 3, 4, 2)
        before = steps["inference"]()
        assert (steps["inference"]() == before).all()
        assert steps["training step"]() > steps["training step"]()
        assert (steps["inference"]() != before).any()


class InThisProcess(contextlib.nullcontext):
    """Answers as the process of a framework does, without one."""

    def __enter__(self):
        self.framework = self.enter_result
        self.layers, self.steps_class, self.versions = worker.load(self.framework)
        return self

    def read(self):
        return self.versions

    def ask(self, request):
        return json.loads(json.dumps(worker.answer(self.layers, self.steps_class, **request)))


def test_a_tiny_run_prints_and_stores_the_whole_page(tmp_path, capsys, monkeypatch):
    for part in ("translation", "attention", "quality"):
        monkeypatch.setitem(bench.PARTS, part, lambda rounds, *_, part=part: f"{part}, {rounds}\n")
    monkeypatch.delitem(bench.FRAMEWORKS, "plain")  # the same code as ours
    monkeypatch.setattr(bench, "LAYERS", ("GRU",))
    monkeypatch.setattr(bench, "Worker", InThisProcess)
    results = tmp_path / "RESULTS.md"
    assert bench.main(["--rounds", "1"], TINY, results) == 0
    page = results.read_text()
    assert page == capsys.readouterr().out.rstrip("\n") + "\n"
    assert page.endswith("|\n\ntranslation, 1\n\nattention, 1\n\nquality, 1\n")
    tables = dict(zip(re.findall("## (.+)", page), page.split("\n## ")[1:], strict=True))
    assert list(tables) == [*bench.MEASURES.values(), "Compiling"]
    for what in bench.MEASURES.values():
        head, *rows = cells(tables[what])
        names = [
            bench.FRAMEWORKS[name]
            for name in FRAMEWORKS
            if name != "plain" and (name != "products" or what == "Training step")
        ]
        assert head == [
            *("layer", "size"),
            *(f"CPU, ours / {name}" for name in names[1:]),
            *(f"best ms, {name}" for name in names),
        ]
        assert [tuple(row[:2]) for row in rows] == [(layer, "B2 T3 D4 U5") for layer in bench.LAYERS]
        assert all(float(cell) >= 0 for row in rows for cell in row[2:])
    _, *rows = cells(tables["Compiling"])
    assert [row[0] for row in rows] == ["GRU"]
    made = r"1 rounds on .+, \d+ cores, load average [\d.]+, .+, Python 3.+Keras 3.+TensorFlow 2"
    assert re.search(made, page)
    assert (bench.WITHOUT_TORCH in page) == ("torch" not in FRAMEWORKS)


def test_ratios_are_of_medians_and_the_best_wall_times_stand_beside_them():
    (_, row) = cells(bench.compared(["ours", "keras", "torch", "products"], TIMES, TINY, "train"))
    assert row[2:] == ["1.50", "0.50", "2.00", "2e+03", "4", "1e+04", "1e+03"]


def test_products_are_beside_the_training_step_alone():
    (_, row) = cells(bench.compared(["ours", "keras", "torch", "products"], TIMES, TINY, "infer"))
    assert row[2:] == ["1.50", "0.50", "2e+03", "4", "1e+04"]


def test_compiling_pays_when_its_cost_is_saved():
    spent = [{"train": {"cpu": 0.002}, "before": {"cpu": 0.005}, "compiling": {"cpu": 1.202}}]
    times = {("GRU", "tiny", "ours"): spent, ("GRU", "tiny", "keras"): [{"train": {"cpu": 1}}]}
    (_, row) = cells(bench.compiling(times, TINY))
    assert row == ["GRU", "B2 T3 D4 U5", "5", "2", "1.2", "400"]
    spent[0]["before"]["cpu"] = 0.001
    (_, row) = cells(bench.compiling(times, TINY))
    assert row[-1] == "never"


def test_without_torch_its_column_is_left_out_and_that_is_said():
    text = bench.report(["ours", "keras"], {"Keras": "3"}, TIMES, 3, TINY)
    assert bench.WITHOUT_TORCH in text
    assert not any("PyTorch" in cell for row in cells(text) for cell in row)
    assert bench.WITHOUT_TORCH not in bench.report(["ours", "keras", "torch"], {}, TIMES, 3, TINY)


def test_compiling_is_timed_anew_in_every_round():
    layers, steps_class, _ = worker.load("ours")
    for _ in range(2):
        times = worker.answer(layers, steps_class, "SimpleRNN", 1, **SHAPE)
        assert times["compiling"]["cpu"] > 5 * times["before"]["cpu"]
        assert times["hundred"]["cpu"] == times["first"]["cpu"] + 99 * times["before"]["cpu"]
    assert "compiling" not in worker.answer(layers, steps_class, "LSTM", 1, **SHAPE)


@pytest.mark.parametrize("name", bench.LAYERS)
def test_products_are_those_of_a_training_step(name):
    layer = getattr(course_utils, name)(SHAPE["units"], unroll=True, fused=False)
    layer.build((SHAPE["batch"], SHAPE["time"], SHAPE["features"]))

    def gradients(inputs):
        with tf.GradientTape() as tape:
            outputs = layer(inputs)
        return tape.gradient(outputs, layer.trainable_variables)

    wanted, _ = measure.products(gradients, [SHAPE["batch"], SHAPE["time"], SHAPE["features"]])
    of_the_first_state = SHAPE["batch"] * SHAPE["units"] * layer.cell.recurrent_kernel.shape[1]
    products = worker.Products(None, name, **SHAPE).products
    counted, _ = measure.products(lambda _: products(), [1])
    assert counted == wanted + of_the_first_state  # which starts as zeros: automatic gradients leave it out


def test_all_take_turns_and_none_is_always_first(monkeypatch):
    asked = []

    class Recorder(contextlib.nullcontext):
        def __enter__(self):
            self.framework = self.enter_result
            return self

        def read(self):
            return {self.framework: "1"}

        def ask(self, request):
            asked.append((self.framework, request["layer"]))
            return request

    monkeypatch.setattr(bench, "Worker", Recorder)
    versions, times = bench.measure(["ours", "keras"], ["LSTM", "GRU"], TINY, rounds=2)
    assert asked[:4] == [("ours", "LSTM"), ("keras", "LSTM"), ("ours", "GRU"), ("keras", "GRU")]
    assert asked[4:] == [("keras", "LSTM"), ("ours", "LSTM"), ("keras", "GRU"), ("ours", "GRU")]
    assert {len(answers) for answers in times.values()} == {2}
    assert versions == {"ours": "1", "keras": "1"}


def test_part_of_it_is_not_stored(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "measure", lambda *_: ({}, TIMES))
    monkeypatch.setattr(bench, "FRAMEWORKS", {name: name for _, _, name in TIMES})
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda _: True)
    monkeypatch.setitem(bench.PARTS, "quality", lambda rounds, *_: "Training step until it is right")
    for option in (["--size", "tiny"], ["--layer", "GRU"], ["--only", "quality"]):
        assert bench.main(option, TINY, tmp_path / "RESULTS.md") == 0
        assert "Training step" in capsys.readouterr().out
    assert not (tmp_path / "RESULTS.md").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "--rounds: must be a positive whole number. Received: 0"),
        (["--rounds", "many"], "--rounds: must be a positive whole number. Received: many"),
        (["--size", "huge"], "--size: invalid choice: 'huge'"),
        (["--layer", "GRU", "--only", "quality"], "--size and --layer are of --only layers"),
    ],
)
def test_bad_arguments_give_one_clear_line(arguments, said, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "PARTS", dict.fromkeys(bench.PARTS, lambda *_: "made"))
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments, results=tmp_path / "RESULTS.md")
    assert str(ended.value).startswith("make bench: ")
    assert said in str(ended.value)
    assert "\n" not in str(ended.value)


def test_a_process_answers_and_one_that_cannot_ends_it_in_one_clear_line(capfd, monkeypatch, tmp_path):
    answers, ask = [], bench.Worker.ask
    monkeypatch.setattr(bench.Worker, "ask", lambda *each: answers.append(ask(*each)) or answers[-1])
    monkeypatch.setattr(bench, "LAYERS", ["GRU", "Nothing"])
    monkeypatch.setattr(bench, "FRAMEWORKS", {"products": "products"})
    said = bench.main(["--rounds", "1"], TINY, tmp_path / "RESULTS.md")
    assert said == "The process of products ended: it says above why."
    assert [each["train"].keys() for each in answers] == [{"cpu", "wall"}]
    assert "KeyError: 'Nothing'" in capfd.readouterr().err
    assert not (tmp_path / "RESULTS.md").exists()


@pytest.mark.parametrize("framework", [name for name in FRAMEWORKS if name != "products"])
@pytest.mark.parametrize("name", bench.LAYERS)
def test_a_step_trains_and_inference_changes_nothing(framework, name):
    layers, steps_class, _ = worker.load(framework)
    steps = steps_class(layers, name, **SHAPE)
    before = steps.infer()
    assert before.shape == (SHAPE["batch"], SHAPE["units"])
    assert (steps.infer() == before).all()
    assert steps.train() > steps.train()
    assert (steps.infer() != before).any()


@pytest.mark.parametrize("name", bench.LAYERS)
def test_like_is_compared_with_like(name):
    made = [worker.load(framework) for framework in ("ours", "keras")]
    ours, keras = (steps_class(layers, name, **SHAPE).layer for layers, steps_class, _ in made)
    assert [weight.shape for weight in ours.weights] == [weight.shape for weight in keras.weights]
    assert type(ours).__module__ == "course_utils.recurrent"
    assert type(keras).__module__.startswith("keras.")
