"""Keras' own tests of the layers that the course teaches, run with ours in their place.

They come with the installed Keras. What ours do not offer is listed below, and must fail: whatever passes is
to be taken off the list.
"""

import fnmatch
import functools
import importlib.util
import re
import types
from pathlib import Path
from unittest import TestCase

import keras
import pytest

import course_utils

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
STORED = re.search(r"^keras==(.+)$", CONSTRAINTS.read_text("utf-8"), re.MULTILINE)[1]
if keras.__version__ != STORED:
    pytest.skip(f"They belong to Keras {STORED}, this is {keras.__version__}", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed:UserWarning")  # by Keras' tests
REPLACED = {
    "rnn/simple_rnn_test.py": ("SimpleRNN",),
    "rnn/lstm_test.py": ("LSTM",),
    "rnn/gru_test.py": ("GRU",),
    "rnn/bidirectional_test.py": ("Bidirectional", "SimpleRNN", "LSTM", "GRU"),
    "rnn/stacked_rnn_cells_test.py": ("SimpleRNNCell", "LSTMCell", "GRUCell"),
    "core/embedding_test.py": ("Embedding",),
    "attention/multi_head_attention_test.py": ("MultiHeadAttention",),
}
DROPOUT = "dropout within the recurrence, and regularizers: not offered"
FUSED = "`use_cudnn`, and the fused kernels that it chooses: not offered"
IMPLEMENTATION = "`implementation`: there is one; `unit_forget_bias` is `forget_bias`"
QUANTIZED = "quantisation, and low-rank adapters: not offered"
# By file and reason: the tests that fail, as patterns of their names.
NOT_OFFERED = {
    "rnn/simple_rnn_test.py": {DROPOUT: ("test_basics",)},
    "rnn/lstm_test.py": {DROPOUT: ("test_basics",), IMPLEMENTATION: ("test_correctness*",)},
    "rnn/gru_test.py": {
        DROPOUT: ("test_basics",),
        IMPLEMENTATION: ("test_legacy_implementation_argument",),
    },
    "rnn/bidirectional_test.py": {
        FUSED: ("test_fused_*", "test_keeps_use_cudnn"),
        "a way back that goes on from the last batch has no meaning: refused": ("test_statefulness",),
    },
    "rnn/stacked_rnn_cells_test.py": {DROPOUT: ("test_basics",)},
    "core/embedding_test.py": {
        QUANTIZED: (
            "test_embedding_quantize_*",
            "test_embedding_int8_*",
            "test_quantize_[!o]*",
            "test_quantize_on_subclass_*",
            "test_int4_*",
            "test_*lora*",
        ),
        "constraints: not offered": ("test_embedding_constraints",),
        "`weights`: an initializer gives them": ("test_weights_constructor_arg",),
        "sizes are refused in other words": ("test_invalid_*_dim",),
        "ragged ids: not offered": ("test_ragged",),
        "files that an older Keras stored": ("test_legacy_load_own_variables",),
    },
    "attention/multi_head_attention_test.py": {
        "`attention_axes`, more than one axis of time: not offered": (
            "test_attention_axes_negative_indexing",
            "test_causal_only_masks_non_4d_inputs",
            "test_high_dim_attention_*",
        ),
        "`output_shape`: the context has the size of the query": (
            "test_compute_output_shape_*",
            "test_multi_head_attention_output_shape_*",
        ),
        "`use_gate`, `sliding_window` and constraints: not offered": (
            "test_basics",
            "test_initializer",
            "test_mha_constraints",
            "test_sliding_window",
            "test_sliding_window_serialization",
        ),
        "`mask` stands in the place of `attention_mask`": (
            "test_masking_*",
            "test_causal_only_fast_path",
            "test_causal_only_masks_when_fused_path_disabled_dropout_only",
            "test_causal_only_with_other_mask_falls_back",
        ),
        "what Keras' layer has within": (
            "test_causal_only_skipped_for_subclass",
            "test_compute_attention_*",
            "test_dtype_policy_map",
        ),
        "what is wrong is refused in other words": (
            "test_invalid_scalar_args_rejected",
            "test_shape_mismatch_error_*",
        ),
        QUANTIZED: ("test_quantize_*", "test_lora"),
    },
}


def load(file, names):
    """Return Keras' test cases in a file, with our layers of these names in the place of its own."""
    path = Path(keras.__file__).parent / "src" / "layers" / file
    spec = importlib.util.spec_from_file_location(f"keras_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    ours = {name: getattr(course_utils, name) for name in names}
    module.layers = types.SimpleNamespace(**{**vars(module.layers), **ours})
    cases = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, TestCase)]
    for case in cases:  # tests/test_contract.py trains each layer
        case.run_layer_test = functools.partialmethod(case.run_layer_test, run_training_check=False)
    return cases


def named(cases, pattern):
    """Return the tests whose names fit a pattern, each as its case and its name."""
    return [(case, name) for case in cases for name in fnmatch.filter(dir(case), pattern)]


def expect_failures(cases, reasons):
    """Mark the tests that are not offered: each must fail."""
    for reason, patterns in reasons.items():
        for case, name in [found for pattern in patterns for found in named(cases, pattern)]:
            setattr(case, name, pytest.mark.xfail(reason=reason, strict=True)(getattr(case, name)))


CASES = {file: load(file, names) for file, names in REPLACED.items()}
for each in NOT_OFFERED:
    expect_failures(CASES[each], NOT_OFFERED[each])
globals().update({f"{case.__module__}_{case.__name__}": case for cases in CASES.values() for case in cases})


@pytest.fixture(autouse=True, scope="module")
def _as_before():
    yield
    keras.config.enable_traceback_filtering()  # Keras' tests turn it off


@pytest.mark.parametrize("file", REPLACED)
def test_every_file_tests_our_layers(file):
    source = (Path(keras.__file__).parent / "src" / "layers" / file).read_text("utf-8")
    assert named(CASES[file], "test_*")
    for name in REPLACED[file]:
        assert re.search(rf"\blayers\.{name}\b", source), name


@pytest.mark.parametrize("file", NOT_OFFERED)
def test_every_pattern_names_a_test(file):
    for patterns in NOT_OFFERED[file].values():
        for pattern in patterns:
            assert named(CASES[file], pattern), pattern
