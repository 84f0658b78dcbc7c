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
        if seen_by and not seen_by.startswith("tests/"):  # most often in the module's own file
            seen_by = f"{files[0]}::{seen_by}"
        return Mutant(wrong, file, right, written, (seen_by,) if seen_by else files)

    return mutant


embedding = _in("embedding.py", "test_embedding")
recurrent = _in("recurrent.py", "test_recurrent", "test_contract")
attention = _in("attention.py", "test_attention", "test_contract")
self_attention = _in("attention.py", "test_attention_self")
local_attention = _in("local_attention.py", "test_attention")
hard_attention = _in("hard_attention.py", "test_attention")
multi_head = _in("multi_head_attention.py", "test_attention_self")
multi_head_in_blocks = _in("multi_head_attention.py", "test_transformer")
seq2seq = _in("seq2seq.py", "test_seq2seq", "test_contract")
tokens = _in("embedding.py", "test_transformer")
blocks = _in("blocks.py", "test_transformer", "test_contract")
transformer = _in("transformer.py", "test_transformer")
language_model = _in("language_model.py", "test_transformer")
translator = _in("translator.py", "test_seq2seq", "test_contract")
generation = _in("generation.py", "test_generation", "test_seq2seq")
measure = _in("measure.py", "test_measure", "test_seq2seq")
plotting = _in("plotting.py", "test_plotting")
lesson = _in("lesson.py", "test_lesson")
properties = _in("exercises/properties.py", "test_exercises")
answers = _in("exercises/exercise.py", "test_exercises")

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
    embedding("the table starts wide", 'embeddings_initializer="uniform"', 'embeddings_initializer="normal"'),
    embedding(
        "learnt positions start at zero",
        'name="positions", shape=shape, initializer="uniform"',
        'name="positions", shape=shape, initializer="zeros"',
    ),
    embedding(
        "learnt positions are counted in float16",
        'ops.take(self.positions, ops.cast(t, "int32")',
        'ops.take(self.positions, ops.cast(ops.cast(t, self.compute_dtype), "int32")',
    ),
    embedding("padding counts and the rest does not", "ops.not_equal(ids, 0)", "ops.equal(ids, 0)"),
    embedding(
        "the mask is asked for and not attached",
        "return ops.not_equal(ids, 0) if self.mask_zero else None",
        "return None",
    ),
    _in("_validation.py", "test_embedding", "test_odd_calls")(
        "vectors of whole numbers stay whole, and what is added to them is cut",
        'return ops.cast(value, self.compute_dtype) if "int" in _dtype(value) else value',
        "return value",
    ),
    tokens(
        "embeddings are not scaled before positions are added", " * math.sqrt(self.embedding.output_dim)", ""
    ),
    # Recurrent layers
    recurrent("input and forget gate are swapped", "i, f, g, o = ops.split(z", "f, i, g, o = ops.split(z"),
    recurrent("the forget bias is lost", 'biased_gate = "forget"', 'biased_gate = "input"'),
    recurrent("the forget bias is lost when saved", '"forget_bias": self.initial_bias', '"forget_bias": 1.0'),
    recurrent(
        "the forget bias is on the gates behind it too",
        "[0, first : first + self.units]",
        "[0, first:]",
    ),
    recurrent(
        "the update bias is on both rows of the bias",
        "np.atleast_2d(keeping)[0, first",
        "np.atleast_2d(keeping)[..., first",
    ),
    recurrent(
        "kernels start wider than Keras'",
        'kernel_initializer="glorot_uniform",\n        recurrent_initializer="orthogonal",\n        bias',
        'kernel_initializer="he_uniform",\n        recurrent_initializer="orthogonal",\n        bias',
    ),
    recurrent(
        "recurrent kernels are not orthogonal",
        'recurrent_initializer="orthogonal",\n        bias_initializer="zeros"',
        'recurrent_initializer="glorot_uniform",\n        bias_initializer="zeros"',
    ),
    recurrent("a layer without bias is saved with one", '"use_bias": self.use_bias}', '"use_bias": True}'),
    recurrent(
        "the cell does not get the layer's policy",
        "self.cell_class(units, *cell_arguments, dtype=dtype, **of_the_cell)",
        "self.cell_class(units, *cell_arguments, **of_the_cell)",
    ),
    recurrent(
        "states are float32 whatever the policy",
        "ops.zeros((batch_size, size), self.compute_dtype)",
        'ops.zeros((batch_size, size), "float32")',
    ),
    recurrent(
        "a mask over time is handed on with the last output",
        "if mask is None or not layer.return_sequences:",
        "if mask is None:",
    ),
    recurrent(
        "the mask is not turned round where the outputs are",
        "return ops.flip(mask, axis=1) if layer.go_backwards else mask",
        "return mask",
    ),
    recurrent(
        "only the first of two outputs has a mask",
        "masks = [mask, mask] if self.merge_mode is None",
        "masks = [mask, None] if self.merge_mode is None",
    ),
    recurrent(
        "the two ways start from each other's states",
        "start, start_back = self._states_of_both",
        "end, begin = self._states_of_both",
    ),
    recurrent(
        "an attached mask wins over one that is given",
        """mask = attached_mask(sequences) if mask is None else mask
        self._require_sequences""",
        """mask = mask if attached_mask(sequences) is None else attached_mask(sequences)
        self._require_sequences""",
    ),
    recurrent(
        "the layer that reads backwards is lost when saved",
        'for name in ("layer", "backward_layer")\n            if name in config',
        'for name in ("layer",)\n        } | {"backward_layer": None',
    ),
    recurrent("the hidden state leaves out the tanh of the cell", "h = o * ops.tanh(c)", "h = o * c"),
    recurrent(
        "z takes the candidate and not the old state",
        "h = z * states[0] + (1 - z) * g",
        "h = (1 - z) * states[0] + z * g",
    ),
    recurrent("reset is left out", "ops.tanh(x_g + r * h_g)", "ops.tanh(x_g + h_g)"),
    recurrent("reset is left out of the paper's form", "ops.matmul(r * h, w_g)", "ops.matmul(h, w_g)"),
    recurrent(
        "the mask is forgotten",
        "initial_state=initial_state, mask=mask, training=training)",
        "initial_state=initial_state, training=training)",
    ),
    recurrent(
        "the way back reads padding",
        "initial_state=start_back, **read",
        "initial_state=start_back,",
    ),
    recurrent("the way back is not turned round", "backward = ops.flip(backward, axis=1)", "pass"),
    recurrent(
        "both ways read forwards",
        '"go_backwards": not layer.go_backwards',
        '"go_backwards": layer.go_backwards',
    ),
    recurrent(
        "the way back starts as it likes",
        '("kernel_initializer", "recurrent_initializer", "bias_initializer")',
        '("kernel_initializer", "bias_initializer")',
    ),
    recurrent(
        "a layer is saved under the name of its cell",
        "return {**self.cell.get_config(), **config}",
        "return {**config, **self.cell.get_config()}",
    ),
    tokens(
        "ids are made float16 before the table reads them",
        """self.autocast = False  # float16 cannot count beyond 2,048
        self.embedding""",
        "self.embedding",
    ),
    _in("_layer.py", "test_contract")(
        "asking for a shape builds the layer",
        "layer = self if self.built else type(self).from_config(self.get_config())",
        "layer = self",
        "test_a_layer_whose_shape_was_asked_can_be_built_for_another_size",
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
        "return masked_softmax(self.scores(query, keys), mask)",
        "return masked_softmax(self.scores(query, keys))",
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
    attention("the general score loses its matrix", "query = product(query, self.kernel)\n", "pass\n"),
    attention(
        "the concat score compares the query with the query's part of W",
        "keys = ops.matmul(keys, self.kernel[self.sizes[0] :])",
        "keys = ops.matmul(keys, self.kernel[: self.sizes[0]])",
    ),
    attention(
        "values are projected like keys",
        "return ops.matmul(value if key is None else key, self.key_kernel), value",
        "return 2 * (ops.matmul(value if key is None else key, self.key_kernel),)",
    ),
    _in("_validation.py", "test_odd_calls")(
        "whole numbers stay whole", 'dtype if "float" in dtype else keras.backend.floatx()', "dtype"
    ),
    attention("pooling asks from padding", "== true_length(mask) - 1\n", "== ops.shape(value)[1] - 1\n"),
    attention(
        "a mask attached to the value is not taken",
        "attached_mask(query), attached_mask(value), attached_mask(key)]",
        "attached_mask(query), None, None]",
    ),
    attention(
        "a mask attached to the query is not taken",
        "[attached_mask(query), attached_mask(value)",
        "[None, attached_mask(value)",
    ),
    attention("the mask of the query does not go on", "return attached_mask(query)\n", "return None\n"),
    attention(
        "the causal mask begins at zero when generating",
        "causal_mask(ops.shape(query)[1], ops.shape(value)[1], query_position)",
        "causal_mask(ops.shape(query)[1], ops.shape(value)[1])",
    ),
    attention(
        "float64 is computed in float32",
        'wide = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))',
        'wide = ops.cast(scores, "float32")',
    ),
    self_attention("the future is visible", '>= _places("Tv", Tv)', '>= 0 * _places("Tv", Tv)'),
    self_attention("a position does not see itself", '>= _places("Tv", Tv)', '> _places("Tv", Tv)'),
    local_attention(
        "the window is one too narrow",
        "ops.minimum(p, length - 1)) <= self.window",
        "ops.minimum(p, length - 1)) < self.window",
    ),
    local_attention(
        "the window slides into the padding",
        "ops.abs(positions - ops.minimum(p, length - 1))",
        "ops.abs(positions - p)",
    ),
    local_attention(
        "local-p leaves out its Gaussian", "weights = weights * ops.cast(gaussian, weights.dtype)", "pass"
    ),
    hard_attention(
        "hard attention draws when it is asked",
        "        if training:  # the largest",
        "        if True:  # the largest",
    ),
    hard_attention(
        "the baseline is dropped", "ops.stop_gradient(losses - self.baseline)", "ops.stop_gradient(losses)"
    ),
    hard_attention(
        "the reward passes a gradient",
        "ops.stop_gradient(losses - self.baseline)",
        "(losses - self.baseline)",
    ),
    hard_attention(
        "the surrogate is logged as the loss",
        "loss += surrogate - ops.stop_gradient(surrogate)",
        "loss += surrogate",
    ),
    hard_attention(
        "the baseline ignores sample weights",
        "mean = ops.sum(weights * losses) / ops.maximum(total, TINY)",
        "mean = ops.mean(losses)",
    ),
    hard_attention("the seed is lost when saved", '("score", "seed")', '("score",)'),
    multi_head("scores are not scaled", " / math.sqrt(self.key_dim)\n", "\n"),
    multi_head(
        "one mask for each head is read from the wrong axis",
        "len(mask.shape) < 3 else mask[:, None]",
        "len(mask.shape) < 3 else mask[:, :, None]",
    ),
    multi_head(
        "keys are averaged in place of values", "self.value_dense(value)\n", "self.key_dense(value)\n"
    ),
    multi_head(
        "all projections start with the same numbers",
        "RandomUniform(-limit, limit)",
        "RandomUniform(-limit, limit, seed=0)",
    ),
    multi_head(
        "kernels start twice as wide", "RandomUniform(-limit, limit)", "RandomUniform(-2 * limit, 2 * limit)"
    ),
    multi_head(
        "dropout of weights is lost when saved",
        '"value_dim", "dropout", "use_bias")',
        '"value_dim", "use_bias")',
    ),
    multi_head("biases are lost when saved", '"dropout", "use_bias")', '"dropout")'),
    multi_head(
        "values have the size of keys", "value_shape[-1], self.value_dim)", "value_shape[-1], self.key_dim)"
    ),
    attention(
        "the value's mask is not taken where there is a key",
        "for each in attached[1:])]",
        "for each in attached[2:])]",
    ),
    attention(
        "pooling asks from as many steps on as count, whatever gaps there are",
        "== true_length(mask) - 1\n        last",
        '== ops.sum(ops.cast(mask, "float32"), axis=-1, keepdims=True) - 1\n        last',
    ),
    local_attention(
        "the Gaussian stays in the source like the window",
        "-((positions - p) ** 2)",
        "-((positions - ops.minimum(p, length - 1)) ** 2)",
    ),
    local_attention(
        "predicted positions are in float16",
        'ops.sigmoid(ops.cast(inner, "float32"))',
        'ops.cast(ops.sigmoid(inner), "float32")',
    ),
    hard_attention(
        "the log-probability of a draw compares with the value and not with the key",
        "keys, _ = self.project(value, key)",
        "keys, _ = self.project(value)",
    ),
    hard_attention(
        "penalties on weights are not in the loss", "return loss + sum(self.losses)", "return loss"
    ),
    # Sequence to sequence
    seq2seq(
        "the encoder's state is not handed on",
        "outputs, *after = recurrence(outputs, initial_state=before, mask=attached_mask(inputs))",
        "outputs, *after = recurrence(outputs, mask=attached_mask(inputs))",
    ),
    seq2seq(
        "the cell state asks, not the hidden state",
        "query, real = ops.expand_dims(states[0], 1)",
        "query, real = ops.expand_dims(states[-1], 1)",
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
        "sequences, *last = layer(sequences, mask=mask)",
        "sequences, *last = layer(sequences)",
    ),
    seq2seq(
        "projections are swapped",
        "states = keras.tree.pack_sequence_as(states, projected)",
        "states = keras.tree.pack_sequence_as(states, projected[::-1])",
        "test_where_sizes_differ_the_decoder_begins_with_each_state_projected",
    ),
    seq2seq(
        "the states of both ways are mixed up",
        "forward, backward = states[: len(states) // 2], states[len(states) // 2 :]",
        "forward, backward = states[::2], states[1::2]",
        "test_each_state_of_both_ways_stands_beside_its_like",
    ),
    seq2seq(
        "the order of attention is lost when saved",
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
    seq2seq(
        "the decoder looks at padding",
        'mask, position = state["mask"][:, None], state["position"]',
        'mask, position = None, state["position"]',
    ),
    seq2seq(
        "the decoder looks at padding before the step",
        "ops.expand_dims(mask, 1) > 0",
        "ops.expand_dims(mask, 1) >= 0",
    ),
    seq2seq(
        "positions are not counted",
        '{"position": state["position"] + steps}',
        '{"position": state["position"]}',
    ),
    seq2seq(
        "a decoder steps on in the padding of its inputs",
        "initial_state=before, mask=attached_mask(inputs))",
        "initial_state=before)",
        "tests/test_contract.py::test_a_decoder_takes_the_masks_of_its_inputs_and_of_the_memory",
    ),
    translator(
        "generation begins with the end mark",
        "ops.full((len(source),), self.start_mark",
        "ops.full((len(source),), self.end_mark",
        "test_greedy_follows_its_own_words",
    ),
    translator(
        "two sources are broadcast against one target",
        "require_ids(**dict(zip(self.reads, inputs, strict=True)))",
        "pass",
        "tests/test_odd_calls.py::test_two_sources_do_not_share_one_target",
    ),
    translator(
        "a model that was never called is not built",
        "if not self.built:",
        "if False:",
        "tests/test_contract.py::test_a_model_that_was_never_called_generates",
    ),
    _in("token_model.py", "test_seq2seq", "test_contract")(
        "logits are in float16",
        'dtype=keras.backend.result_type(dtype, "float32")',
        "dtype=dtype",
        "tests/test_contract.py::test_logits_in_mixed_precision_have_the_digits_of_float32",
    ),
    _in("data/parallel.py", "test_data_number_words", "test_data")(
        "the target is not shifted", "return self.target_ids[:, 1:]", "return self.target_ids[:, :-1]"
    ),
    translator(
        "generation begins with the id 1",
        "ops.full((len(source),), self.start_mark,",
        "ops.full((len(source),), 1,",
        "test_generation_begins_with_the_start_mark_of_the_model",
    ),
    seq2seq(
        "a call counts one step, however many it goes",
        'state["position"] + steps',
        'state["position"] + 1',
        "test_two_calls_of_several_steps_equal_one",
    ),
    seq2seq(
        "the first state alone says whether there are projections",
        "[] if given == wanted else wanted",
        "[] if given[0] == wanted[0] else wanted",
        "test_layers_are_projected_where_not_the_first_of_them_differs",
    ),
    # The Transformer
    blocks("the decoder sees the future", "    causal = True\n", "    causal = False\n"),
    blocks("the residual path is left out", "x = x + self.drop(output)", "x = self.drop(output)"),
    blocks(
        "the source's mask is forgotten",
        'mask_of(memory, memory_mask, "memory_mask")[:, None]',
        "None",
    ),
    blocks(
        "the source's mask is forgotten when generating",
        "real = None if memory_mask is None else memory_mask[:, None]",
        "real = None",
    ),
    attention(
        "an attached mask is taken only where none can be given",
        "mask = attached_mask(value) if mask is None else mask",
        "pass",
    ),
    transformer(
        "generation forgets its position",
        '"position": position + 1}',
        '"position": position}',
    ),
    blocks(
        "new keys are written one too late",
        "places = position[:, None] + ops",
        "places = position[:, None] + 1 + ops",
    ),
    blocks(
        "the cache is not written",
        "return ops.where(ops.any(here",
        "return cache + 0 * ops.where(ops.any(here",
    ),
    blocks(
        "normalisation always comes before",
        'part(norm(x) if self.normalize == "before" else x)',
        "part(norm(x))",
    ),
    blocks(
        "a normalisation has another epsilon",
        "epsilon=1e-6",
        "epsilon=1e-3",
        "tests/test_transformer.py::test_small_vectors_are_normalised_too",
    ),
    language_model(
        "prompts all end where the longest does",
        'ops.convert_to_tensor(lengths - 1, "int32")',
        'ops.convert_to_tensor(0 * lengths + source.shape[1] - 1, "int32")',
        "TestLanguageModel::test_a_step_with_its_cache_equals_the_full_pass",
    ),
    language_model(
        "a text's end is lost when saved",
        '"end": None if self.end_mark < 0 else self.end_mark,',
        "",
        "TestLanguageModel::test_its_end_mark_is_saved",
    ),
    blocks(
        "what a part adds is not dropped",
        "x = x + self.drop(output)",
        "x = x + output",
        "TestBlock::test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention",
    ),
    multi_head_in_blocks(
        "weights of attention are not dropped",
        "self.drop(weights), values)",
        "weights, values)",
        "TestBlock::test_what_each_part_adds_is_dropped_and_so_are_weights_of_attention",
    ),
    tokens(
        "tokens at their places are not dropped",
        "return self.dropout(self.positions(vectors, position=position), training=training)",
        "return self.positions(vectors, position=position)",
        "test_tokens_at_their_places_are_dropped_in_training",
    ),
    blocks(
        "a block's dropout is lost when saved",
        '"cross", "normalize", "dropout")',
        '"cross", "normalize")',
        "test_dropout_goes_through_the_config",
    ),
    blocks(
        "a stack's dropout is lost when saved",
        '("depth", "num_heads", "units", "normalize", "dropout")',
        '("depth", "num_heads", "units", "normalize")',
        "test_dropout_goes_through_the_config",
    ),
    blocks(
        "a step normalises the dense part by the norm of the part before",
        "self.norms[-1])\n        return x, cache, weights",
        "self.norms[1])\n        return x, cache, weights",
    ),
    transformer(
        "what the decoder reads is dropped at the encoder's rate",
        "(self.target_size, decoder))",
        "(self.target_size, encoder))",
        "test_what_each_side_reads_is_dropped_by_its_own_rate",
    ),
    transformer(
        "the weights of a step are those of the first block",
        "[ops.mean(weights[-1][-1], axis=1)[:, 0]]",
        "[ops.mean(weights[0][-1], axis=1)[:, 0]]",
    ),
    language_model(
        "a text may not fill the last position",
        "lengths.max() + max_length - 1)  #",
        "lengths.max() + max_length)  #",
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
    generation(
        "logits that are not numbers are padding",
        "_require_a_likeliest(logits[~self.ended & (self.log_probs > -np.inf)], position)",
        "pass",
    ),
    generation(
        "the first step reads zeros",
        "tokens = ops.convert_to_numpy(model.first_tokens(source))",
        'tokens = np.zeros(batch, "int32")',
    ),
    generation(
        "the temperature multiplies", "logits = logits / temperature", "logits = logits * temperature"
    ),
    generation("top_p leaves out the token that reaches it", "- ranked >= top_p", ">= top_p"),
    generation("top_k keeps one too many", "out[:, top_k:] = top_k", "out[:, (top_k or 0) + 1 :] = top_k"),
    generation(
        "draws go on after the end", "drawn[live, position] = tokens[live]", "drawn[:, position] = tokens"
    ),
    generation(
        "draws are the same at every call", "random.getrandbits(32) if seed is None", "0 if seed is None"
    ),
    translator(
        "marks are 1 and 2 whatever the vocabulary says",
        "return [self.target_vocabulary.ids[mark] for mark in (START, END)]",
        "return [1, 2]",
    ),
    translator(
        "the vocabularies are not saved",
        '"target_size": target.get_config() if target else',
        '"target_size": self.target_size if target else',
    ),
    seq2seq(
        "a decoder may go backwards", "if one_way.go_backwards or one_way.stateful:", "if one_way.stateful:"
    ),
    generation(
        "of equals the last is taken",
        'np.argsort(-totals, axis=1, kind="stable")',
        "np.argsort(-totals, axis=1)",
    ),
    measure("padding counts as right", "ops.not_equal(labels, 0), self.dtype", "labels > -1, self.dtype"),
    measure(
        "the weight of a sample is not read",
        "counts = counts * self._of_tokens(sample_weight, labels.shape)",
        "pass",
    ),
    measure(
        "labels of another shape are compared",
        "if not agree(labels.shape, logits.shape[:-1]):",
        "if False:",
    ),
    measure("an error broadcasts", "    if actual.shape != forecast.shape:", "    if False:"),
    measure(
        "seconds are called milliseconds", "float(1000 * np.median(seconds))", "float(np.median(seconds))"
    ),
    measure(
        "one right token is a match",
        "(padded[0] == padded[1]).all(axis=1)",
        "(padded[0] == padded[1]).any(axis=1)",
    ),
    measure("ties count as ranked above", "equal.mean() / 2", "equal.mean()"),
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
    plotting("a map has no title", 'figure.suptitle(title, fontsize="medium")', "pass"),
    plotting("the level is ignored", "axes.axhline(height,", "axes.axhline(0,"),
    plotting("the colour has another name", "colorbar(image, label=label)", 'colorbar(image, label="value")'),
    plotting("rows without a label are drawn", "if values.shape != (len(rows), len(columns)):", "if False:"),
    generation(
        "a seed of zero is none",
        "seed = random.getrandbits(32) if seed is None else",
        "seed = random.getrandbits(32) if not seed else",
    ),
    generation(
        "the most likely tokens are counted out before the temperature",
        "np.exp(_log_softmax(np.take_along_axis(logits, order, axis=1)))",
        "np.exp(_log_softmax(temperature * np.take_along_axis(logits, order, axis=1)))",
    ),
    # Data
    _in("data/airline.py", "test_data")(
        "the scaler is fitted on all data",
        "logarithm[:train_months].mean(), logarithm[:train_months].std()",
        "logarithm.mean(), logarithm.std()",
    ),
    _in("data/airline.py", "test_data")(
        "a tested month is in training", "split = train_months - window", "split = train_months - window + 1"
    ),
    _in("data/airline.py", "test_data")("two months are mistyped", "461, 472, 535", "461, 482, 525"),
    _in("data/_draw.py", "test_data")(
        "a sequence stands in training and in the test",
        "rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]",
        "pass",
    ),
    _in("data/grammar.py", "test_data")(
        "held-out sentences are trained on", "drawn[train : train + test]", "drawn[:test]"
    ),
    _in("data/topics.py", "test_data_topics", "test_data")(
        "a held-out window stands in training",
        "[window.tobytes() not in trained_on for",
        "[window is not None for",
    ),
    _in("data/modular.py", "test_data")(
        "a symbol never occurs", "rng.integers(modulus, size", "rng.integers(modulus - 1, size"
    ),
    _in("data/number_words.py", "test_data_number_words")(
        "no number begins with nine", "rng.integers(1, 10, size=count)", "rng.integers(1, 9, size=count)"
    ),
    _in("data/dates.py", "test_data_dates")(
        "a style is never drawn",
        "rng.integers(len(styles), size=DAYS)",
        "rng.integers(len(styles) - 1, size=DAYS)",
    ),
    _in("data/clauses.py", "test_data")(
        "both clauses may be about the same", "size=2, replace=False", "size=2, replace=True"
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
    _in("vocabulary.py", "test_data")(
        "padding stands on the left", "row[: len(kept)] = kept", "row[-len(kept) :] = kept"
    ),
    _in("vocabulary.py", "test_data")(
        "the start mark is missing", "return [self.ids[START]], [self.ids[END]]", "return [], [self.ids[END]]"
    ),
    _in("vocabulary.py", "test_data")(
        "the separator is lost when saved", ', "separator": self.separator}', "}"
    ),
    _in("data/sentence_pairs.py", "test_data_sentence_pairs")(
        "the split depends on the order of the lines",
        "sources = sorted({source for source, _ in pairs})",
        "sources = list(dict.fromkeys(source for source, _ in pairs))",
    ),
    # Exercises
    properties("nan passes for a number", "if not np.isfinite(array).all():", "if np.isinf(array).any():"),
    properties("inf passes for a number", "if not np.isfinite(array).all():", "if np.isnan(array).any():"),
    properties("text passes for numbers", '.dtype.kind not in "iuf":', '.dtype.kind not in "iufU":'),
    properties("complex numbers pass", '.dtype.kind not in "iuf":', '.dtype.kind not in "iufc":'),
    properties("True passes for a number", '.dtype.kind not in "iuf":', '.dtype.kind not in "iufb":'),
    properties("masked entries pass", "    if np.ma.is_masked(came):", "    if False:"),
    properties(
        "fractions are refused", "if array.dtype == object and all(", "if array.dtype == complex and all("
    ),
    properties("text in an array of objects passes", "isinstance(each, Real) for", "not callable(each) for"),
    properties("floats pass for indices", 'dtype.kind not in "iu":', 'dtype.kind not in "iuf":'),
    properties("an array of one number passes for a number", "if number.shape:", "if number.size != 1:"),
    properties("NumPy's bool is refused", "array.dtype != bool or", "type(came) is not bool or"),
    properties("a list of results is refused", "isinstance(came, (tuple, list))", "isinstance(came, tuple)"),
    properties("values may be off by 5 %", "rtol=0, atol", "rtol=0.05, atol"),
    properties("one digit more is asked than compared", "round(-math.log10", "round(1 - math.log10"),
    properties("per cent is not spoken of", "if share else", "if not share else"),
    properties(
        "the state of the first sequence alone is compared", "enumerate(mask):", "enumerate(mask[:1]):"
    ),
    answers("an answer may change its arguments", "if guarded.changed:", "if False:"),
    answers("an answer gets the exercise's own arrays", "copy.deepcopy(arguments)", "arguments"),
    answers("an answer may change an array in a list", "and all(map(_same, before, after))", "and True"),
    answers("an answer may empty a list", "len(before) == len(after) and all", "all"),
    answers(
        "a picture gets the exercise's own arrays", "self.picture(_Guarded(answer))", "self.picture(answer)"
    ),
    answers(
        "what a given function says is an error of the answer",
        "        except WrongAnswerError:  # from a function that the answer was given\n            raise\n",
        "",
    ),
    _in("exercises/__init__.py", "test_exercises")(
        "nothing is expected, and that is printed", "if error.expected is not None:", "if True:"
    ),
    _in("exercises/lesson_01.py", "test_exercises")(
        "the neighbours of the first row alone are looked at",
        "if row in properties.whole_numbers(answer(VECTORS, row, 2)):",
        "if 0 in properties.whole_numbers(answer(VECTORS, 0, 2)):",
    ),
    _in("exercises/lesson_02.py", "test_exercises")(
        "gradients clipped too far pass", "if not abs(norm - limit) <=", "if not norm - limit <="
    ),
    _in("exercises/lesson_02.py", "test_exercises")(
        "one limit is tried", "for limit in (2.0, 12.5):", "for limit in (2.0,):"
    ),
    _in("exercises/lesson_03.py", "test_exercises")(
        "long distances are not tried", "(40, 0.9), (100, 0.1)):", "(40, 0.9)):"
    ),
    _in("exercises/lesson_06.py", "test_exercises")(
        "the choice in wider padding is compared with itself",
        "answer(wider, LOG_PROBS), [1, 0])",
        "answer(wider, LOG_PROBS), answer(wider, LOG_PROBS))",
    ),
    _in("exercises/lesson_07.py", "test_exercises")(
        "an unstable exp passes in one exercise of two",
        '("takes scores of a thousand", _takes_high_scores_of_queries),',
        "",
    ),
    _in("exercises/lesson_08.py", "test_exercises")(
        "the first draw alone is looked at", "for drawn in range(3):", "for drawn in range(1):"
    ),
    _in("exercises/lesson_09.py", "test_exercises")(
        "an output is the input itself", "lambda x: np.array(function(x))", "lambda x: function(x)"
    ),
    _in("exercises/lesson_10.py", "test_exercises")(
        "one epsilon alone is right", "EPSILON = 5e-3", "EPSILON = 1e-6"
    ),
    lesson("a bound that is just met fails", '">=": operator.ge', '">=": operator.gt'),
    lesson("a claim that is false passes", "    if not held:\n", "    if False:\n"),
    lesson(
        "a figure that is no number passes",
        "math.isfinite(measured) and math.isfinite(limit)",
        "math.isfinite(limit)",
    ),
    lesson(
        "a limit without end passes",
        "math.isfinite(measured) and math.isfinite(limit)",
        "math.isfinite(measured)",
    ),
    lesson("operations are not deterministic", "    tf.config.experimental.enable_op_determinism()\n", ""),
    lesson("a verdict of another form is accepted", "VERDICT.fullmatch(verdict)", "VERDICT.match(verdict)"),
    lesson("the log keeps the last claim alone", '.open("a"', '.open("w"'),
    lesson("the pictures have no style", "    plotting.style()\n", ""),
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
