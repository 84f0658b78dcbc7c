"""The benchmark, tiny: like is compared with like, in turns, by ratios of medians. No time is judged here."""

import importlib.util
import json
import re

import keras
import numpy as np
import pytest

from benchmarks import __main__ as bench
from benchmarks import self_attention, translation, worker

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
}


def cells(text):
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not re.fullmatch(r"[-|:]+", "".join(row))]


TRANSLATED = [
    {"ours, greedy": 71_053.7, "Keras' layers, greedy": 74_835.1},
    {"no attention": {"cpu": 0.01, "wall": 0.02}, "dot, after": {"cpu": 0.012, "wall": 0.03}},
]


def test_translation_is_reported_beside_the_model_without_attention():
    text = bench.translation(3, ("-c", f"print({json.dumps(json.dumps(TRANSLATED))})"))
    assert text.startswith("\n" + bench.TRANSLATION)
    assert cells(text) == [
        ["generation", "tokens a second"],
        ["ours, greedy", "71,100"],
        ["Keras' layers, greedy", "74,800"],
        ["training step", "CPU ratio", "wall ratio", "median ms"],
        ["no attention", "1.00", "1.00", "20"],
        ["dot, after", "1.20", "1.50", "30"],
    ]


def test_the_translating_models_are_timed(capsys):
    size = {"batch": 2, "sources": 3, "source_time": 4, "target_time": 5, "units": 6, "vocabulary": 7}
    translation.main(["2"], size)
    tokens, steps = json.loads(capsys.readouterr().out)
    assert list(tokens) == ["ours, greedy", "ours, beam of 4", "Keras' layers, greedy"]
    assert list(steps) == ["no attention", "dot, after", "additive, after", "additive, before"]
    assert all(each > 0 for each in tokens.values())
    assert all(each["cpu"] > 0 and each["wall"] > 0 for each in steps.values())


def test_all_translating_models_generate_as_many_tokens():
    ours = translation.translator(7, 6)
    source = np.full((3, 4), 5)
    assert (ours.generate(source, 5) > 0).all()
    assert translation.KerasTranslator(7, 6).generate(source, 5).shape == (3, 5)


TIMED = {"ours": {"cpu": 0.01, "wall": 0.02}, "keras": {"cpu": 0.02, "wall": 0.016}}
ATTENDED = [
    [["B2", what, whose, times] for what in ("training step", "inference") for whose, times in TIMED.items()],
    {"a KV cache": 12_345.6, "the full pass for every token": 987.6},
]


def test_self_attention_is_reported_beside_keras():
    text = bench.self_attention(3, ("-c", f"print({json.dumps(json.dumps(ATTENDED))})"))
    assert text.startswith("\n" + bench.SELF_ATTENTION)
    ratios = ["0.50", "1.25", "20", "16"]
    assert cells(text) == [
        ["", "size", "CPU, ours / Keras", "wall, ours / Keras", "median ms, ours", "median ms, Keras"],
        ["training step", "B2", *ratios],
        ["inference", "B2", *ratios],
        ["generation with", "tokens a second"],
        ["a KV cache", "12,300"],
        ["the full pass for every token", "1,000"],
    ]


def test_attention_and_the_language_model_are_timed(capsys):
    text = {"prompts": 2, "prompt_time": 3, "written": 2, "dim": 4, "heads": 2, "vocabulary": 7}
    self_attention.main(["2"], sizes={"tiny": {"batch": 2, "time": 3, "dim": 4, "heads": 2}}, text=text)
    layers, tokens = json.loads(capsys.readouterr().out)
    kinds = [("tiny", what, whose) for whose in ("ours", "keras") for what in ("training step", "inference")]
    assert [tuple(key) for *key, _ in layers] == kinds
    assert all(each["cpu"] > 0 and each["wall"] > 0 for *_, each in layers)
    assert list(tokens) == ["a KV cache", "the full pass for every token"]
    assert all(each > 0 for each in tokens.values())


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


def test_a_tiny_run_prints_and_stores_the_whole_table(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "translation", lambda rounds: f"\nas said, {rounds}\n")
    monkeypatch.setattr(bench, "self_attention", lambda rounds: f"\nand so, {rounds}\n")
    results = tmp_path / "RESULTS.md"
    assert bench.main(["--rounds", "1"], TINY, results) == 0
    assert results.read_text() == capsys.readouterr().out.rstrip("\n") + "\n"
    assert results.read_text().endswith("|\n\nas said, 1\n\nand so, 1\n")
    head, *rows = cells(results.read_text())
    others = [bench.FRAMEWORKS[name] for name in FRAMEWORKS[1:]]
    assert head == [
        *("", "layer", "size"),
        *(f"CPU, ours / {name}" for name in others),
        *(f"wall, ours / {name}" for name in others),
        *(f"best ms, {name}" for name in ["ours", *others]),
    ]
    wanted = [(what, layer) for what in bench.MEASURES.values() for layer in bench.LAYERS]
    assert [tuple(row[:2]) for row in rows] == wanted
    assert {row[2] for row in rows} == {"B2 T3 D4 U5"}
    assert all(float(cell) >= 0 for row in rows for cell in row[3:])
    made = r"1 rounds on .+, \d+ cores, load average [\d.]+, .+, Python 3.+Keras 3.+TensorFlow 2"
    assert re.search(made, results.read_text())
    assert (bench.WITHOUT_TORCH in results.read_text()) == ("torch" not in FRAMEWORKS)


def test_ratios_are_of_medians_and_the_best_wall_times_stand_beside_them():
    (_, row, *_) = cells(bench.table(["ours", "keras", "torch"], TIMES, TINY))
    assert row[3:] == ["1.50", "0.50", "1.50", "0.50", "2e+03", "4", "1e+04"]


def test_without_torch_its_column_is_left_out_and_that_is_said():
    text = bench.report(["ours", "keras"], {"Keras": "3"}, TIMES, 3, TINY)
    assert bench.WITHOUT_TORCH in text
    assert not any("PyTorch" in cell for row in cells(text) for cell in row)
    assert bench.WITHOUT_TORCH not in bench.report(["ours", "keras", "torch"], {}, TIMES, 3, TINY)


def test_all_take_turns_and_none_is_always_first(monkeypatch):
    asked = []

    class Recorder:
        def __init__(self, framework):
            self.framework = framework

        def read(self):
            return {self.framework: "1"}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

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
    monkeypatch.setattr(bench.importlib.util, "find_spec", lambda _: True)
    for option in (["--size", "tiny"], ["--layer", "GRU"]):
        assert bench.main(option, TINY, tmp_path / "RESULTS.md") == 0
        assert "training step" in capsys.readouterr().out
    assert not (tmp_path / "RESULTS.md").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "--rounds: must be a positive whole number. Received: 0"),
        (["--rounds", "many"], "--rounds: must be a positive whole number. Received: many"),
        (["--size", "huge"], "--size: invalid choice: 'huge'"),
        (["--layer", "RNN"], "--layer: invalid choice: 'RNN'"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_bad_arguments_give_one_clear_line(arguments, said):
    with pytest.raises(SystemExit) as ended:
        bench.main(arguments)
    assert str(ended.value).startswith("make bench: ")
    assert said in str(ended.value)
    assert "\n" not in str(ended.value)


def test_a_worker_that_ends_gives_one_clear_line(monkeypatch, tmp_path):
    def broken(*_):
        raise RuntimeError("The process of Keras ended: it says above why.")

    monkeypatch.setattr(bench, "measure", broken)
    assert bench.main([], TINY, tmp_path / "RESULTS.md") == "The process of Keras ended: it says above why."
    assert not (tmp_path / "RESULTS.md").exists()


def test_a_worker_that_cannot_answer_is_named(capfd):
    with bench.Worker("keras") as begun:
        begun.read()
        with pytest.raises(RuntimeError, match="The process of Keras ended: it says above why"):
            begun.ask({"layer": "Nothing", **TINY["tiny"]})
    assert "AttributeError" in capfd.readouterr().err


@pytest.mark.parametrize("framework", FRAMEWORKS)
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
