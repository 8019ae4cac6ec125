"""One test for each trap that PyTorch sets: the trap is there, and the backend is not in it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fixtures.kit import SUPPORTED
from torch.nn.utils.rnn import pack_padded_sequence

from benchsuite.contracts import Batch, Program
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.parity import relative_error
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch import fused, loops, runtime
from benchsuite_torch.attention import multiplicative
from benchsuite_torch.backend import TorchBackend
from benchsuite_torch.layers import RecurrentStack
from benchsuite_torch.placement import RowLengths
from benchsuite_torch.program import TorchProgram

UNROLLS = sorted(SUPPORTED["torch"])
"""Those that run the built-in cells."""

DOUBLE = Execution(precision="float64", unroll="fused")
CPU = torch.device("cpu")


def case(cell: str, recipe: Recipe | None = None, bidirectional: bool = False, layers: int = 1) -> Case:
    body = Recurrent(cell, 6, layers, bidirectional)
    return Case(f"trap-{cell}", ModelSpec(Features(5), body, Dense(4), "cross_entropy"), recipe or Recipe())


def build(given: Case, execution: Execution = DOUBLE) -> TorchProgram:
    weights = given.parameters(execution.dtype)
    return TorchBackend().build(given.model, weights, given.recipe, execution)


def build_reference(given: Case) -> Program:
    return ReferenceBackend().build(given.model, given.parameters("float64"), given.recipe, DOUBLE)


def random_stack(body: Recurrent, inputs: int = 3) -> RecurrentStack:
    torch.manual_seed(0)
    return RecurrentStack(body, inputs, CPU, torch.float64)


def rows_of(*lengths: int) -> RowLengths:
    return RowLengths(max(lengths), max(lengths), torch.tensor(lengths), CPU, torch.float64)


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_second_bias_is_neither_trained_nor_counted_in_the_norm(cell: str, unroll: str) -> None:
    given = case(cell, Recipe(optimiser="sgd", learning_rate=0.1, clip="norm", clip_at=0.05))
    program = build(given, Execution(precision="float64", unroll=unroll))
    reference = build_reference(given)
    for index in range(5):
        program.step(program.place(given.batch("float64", index)))
        reference.step(reference.place(given.batch("float64", index)))
    assert relative_error(program.drain().norm, reference.drain().norm) < 1e-13
    for name, expected in reference.parameters().items():
        assert relative_error(program.parameters()[name], expected) < 1e-12, name

    # torch's own layer trains both, and its bias moves twice as far
    stack = random_stack(Recurrent(cell, 6))
    direction = stack.layers[0][0]
    assert not direction.b_hh.requires_grad
    assert not direction.b_hh.any()
    direction.b_hh.requires_grad_(True)
    x = torch.ones(2, 3, 3, dtype=torch.float64)
    y, _ = fused.run(stack, x, rows_of(2, 2, 2), None, None)
    both = torch.autograd.grad(y.sum(), [direction.b_ih, direction.b_hh])
    assert torch.allclose(*both, rtol=1e-12, atol=1e-15)
    assert both[0].abs().max() > 0.1


def test_both_biases_of_the_gru_are_trained() -> None:
    names = build(case("gru")).parameters()
    assert {"rnn.l0.fwd.bx", "rnn.l0.fwd.bh"} <= set(names)
    assert random_stack(Recurrent("gru", 2)).layers[0][0].b_hh.requires_grad


def test_packed_outputs_keep_the_chunks_length() -> None:
    stack = random_stack(Recurrent("lstm", 2))
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    live = torch.tensor([3, 2])
    packed = pack_padded_sequence(x, live)
    y, _ = stack.module(packed)
    assert len(torch.nn.utils.rnn.pad_packed_sequence(y)[0]) == 3  # the trap: two steps are gone
    y, _ = fused._segment(stack, stack.flat, x, stack.initial_state(2), live)
    assert y.shape == (5, 2, 2)
    assert not y[3:].any()


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_rows_that_ended_before_a_chunk_keep_their_state(cell: str) -> None:
    stack = random_stack(Recurrent(cell, 2))
    x = torch.randn(4, 3, 3, dtype=torch.float64)
    live = torch.tensor([0, 4, 2])
    with pytest.raises(RuntimeError, match="Length of all samples has to be greater than 0"):
        pack_padded_sequence(x, live, enforce_sorted=False)
    before = tuple(torch.randn_like(part) for part in stack.initial_state(3))
    y, after = fused._segment(stack, stack.flat, x, before, live)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[:, 0], new[:, 0])
        assert not torch.equal(old[:, 1], new[:, 1])
    assert torch.allclose(y[1, 2], after[0][0, 2], rtol=0, atol=1e-15)


def test_clipping_by_norm_has_no_epsilon() -> None:
    at = 1e-4
    given = case("gru", Recipe(optimiser="sgd", learning_rate=1.0, clip="norm", clip_at=at))
    program = build(given)
    placed = program.place(given.batch("float64"))
    gradients = program.gradients(placed).parameters
    before = program.parameters()
    program.step(placed)
    moved = math.sqrt(sum(((p - before[n]) ** 2).sum() for n, p in program.parameters().items()))
    assert moved == pytest.approx(at, rel=1e-10)

    leaves = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in gradients.values()]
    for leaf, gradient in zip(leaves, gradients.values(), strict=True):
        leaf.grad = torch.from_numpy(gradient.copy())
    torch.nn.utils.clip_grad_norm_(leaves, at)
    theirs = math.sqrt(sum(float(leaf.grad.square().sum()) for leaf in leaves))
    assert abs(theirs / at - 1) > 1e-8  # the trap: torch adds 1e-6 to the norm


@pytest.mark.parametrize("small", [True, False])
def test_gradients_within_the_bound_are_left_as_they_are(small: bool) -> None:
    given = case(
        "rnn", Recipe(optimiser="sgd", learning_rate=1.0, clip="norm", clip_at=1e3 if small else 1e-3)
    )
    program = build(given)
    placed = program.place(given.batch("float64"))
    expected, before = program.gradients(placed).parameters, program.parameters()
    program.step(placed)
    untouched = all(
        relative_error(before[name] - value, expected[name]) < 1e-12
        for name, value in program.parameters().items()
    )
    assert untouched is small


def test_float32_turns_tf32_off() -> None:
    switches = [torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn.rnn]
    for switch in switches:
        switch.fp32_precision = "tf32"  # what torch itself sets for cuDNN
    runtime._applied = None
    build(case("lstm"), Execution(precision="float32"))
    assert [switch.fp32_precision for switch in switches] == ["ieee"] * 3


def test_a_program_restores_its_own_precision_after_another_ran() -> None:
    given = case("lstm")
    program = build(given, Execution(precision="float32"))
    placed = program.place(given.batch("float32"))
    runtime.apply(replace(runtime.Settings.of(Execution()), tf32=True))
    assert torch.backends.cudnn.rnn.fp32_precision == "tf32"
    program.step(placed)
    assert torch.backends.cudnn.rnn.fp32_precision == "ieee"


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_padding_gives_the_numbers_of_packing(cell: str, layers: int) -> None:
    stack = random_stack(Recurrent(cell, 4, layers))
    rows = rows_of(6, 1, 4)
    x = torch.randn(6, 3, 3, dtype=torch.float64) * rows.mask
    padded, _ = fused.run(stack, x, rows, None, None)
    packed, _ = fused.run(stack, x, rows, None, None, final=True)
    assert torch.allclose(padded * rows.mask, packed, rtol=0, atol=1e-15)
    assert not torch.allclose(padded, packed, rtol=0, atol=1e-3)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_reversing_rows_gives_the_numbers_of_packing(cell: str) -> None:
    stack = random_stack(Recurrent(cell, 4, 2, bidirectional=True))
    rows = rows_of(6, 1, 4)
    x = torch.randn(6, 3, 3, dtype=torch.float64) * rows.mask
    backward, _ = fused.run(stack, x, rows, None, None, packing=False)
    packed, _ = fused.run(stack, x, rows, None, None, packing=True)
    assert torch.allclose(backward * rows.mask, packed, rtol=0, atol=1e-15)


def frozen_rows_detached(given: Case, batch: Batch, everywhere: bool) -> np.ndarray:
    """Gradient of Wh when states are frozen beyond a row's end, and truncation detaches every row's state
    (`everywhere`, the trap) or that of live rows."""
    weights = {name: torch.tensor(w, requires_grad=True) for name, w in given.parameters("float64").items()}
    x, lengths = torch.tensor(batch.inputs), torch.tensor(batch.lengths)
    h, chunk = torch.zeros(batch.size, 6, dtype=torch.float64), given.recipe.truncation or batch.time
    for t in range(batch.time):
        live = (t < lengths)[:, None]
        if t and t % chunk == 0:
            h = h.detach() if everywhere else torch.where(live, h.detach(), h)
        projected = x[:, t] @ weights["rnn.l0.fwd.Wx"] + weights["rnn.l0.fwd.b"]
        h = torch.where(live, (projected + h @ weights["rnn.l0.fwd.Wh"]).tanh(), h)
    scores = h @ weights["out.W"] + weights["out.b"]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(batch.targets).long())
    found: np.ndarray = torch.autograd.grad(loss, weights["rnn.l0.fwd.Wh"])[0].numpy()
    return found


@pytest.mark.parametrize("unroll", UNROLLS)
def test_truncation_does_not_detach_rows_that_have_ended(unroll: str) -> None:
    given = case("rnn", Recipe(truncation=3))
    batch = given.batch("float64")
    program = build(given, Execution(precision="float64", unroll=unroll))
    found = program.gradients(program.place(batch)).parameters["rnn.l0.fwd.Wh"]
    assert relative_error(found, frozen_rows_detached(given, batch, everywhere=False)) < 1e-13
    assert relative_error(found, frozen_rows_detached(given, batch, everywhere=True)) > 0.1


def test_reversed_rows_are_their_own_inverse_forward_and_in_the_gradient() -> None:
    rows = rows_of(5, 2, 1, 4)
    x = torch.randn(5, 4, 2, dtype=torch.float64, requires_grad=True)
    once = fused.ReverseRows.apply(x, rows.reversal)
    assert torch.equal(fused.ReverseRows.apply(once, rows.reversal), x)
    assert torch.equal(once[0, 0], x[4, 0])
    assert torch.equal(once[2:, 1], x[2:, 1])
    assert torch.autograd.gradcheck(lambda given: fused.ReverseRows.apply(given, rows.reversal), x)


def test_loops_give_final_states_at_each_rows_own_end() -> None:
    stack, rows = random_stack(Recurrent("lstm", 4, 2)), rows_of(6, 1, 4)
    x = torch.randn(6, 3, 3, dtype=torch.float64) * rows.mask
    _, by_loop = loops.run(stack, x, rows, None, None, final=True)
    _, by_kernel = fused.run(stack, x, rows, None, None, final=True)
    assert by_loop is not None
    assert by_kernel is not None
    for one, other in zip(by_loop, by_kernel, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-15)


def test_mean_of_ctc_is_over_rows_not_over_labels() -> None:
    body = Recurrent("rnn", 6)
    model = ModelSpec(Features(5), body, Dense(4), "ctc", "steps")
    given = Case("trap-ctc", model)
    program, batch = build(given), given.batch("float64")
    assert batch.target_lengths is not None
    scores = torch.from_numpy(program.predict(program.place(batch))[0])
    log_p, targets = scores.log_softmax(2).transpose(0, 1), torch.from_numpy(batch.targets).long()
    lengths = torch.from_numpy(batch.lengths).long(), torch.from_numpy(batch.target_lengths).long()
    by_row = torch.nn.functional.ctc_loss(log_p, targets, *lengths, reduction="none")
    loss = program.gradients(program.place(batch)).loss
    assert loss == pytest.approx(float(by_row.mean()), rel=1e-14)
    assert len(set(batch.target_lengths.tolist())) > 1
    theirs = torch.nn.functional.ctc_loss(log_p, targets, *lengths)
    assert abs(float(theirs) / loss - 1) > 0.1  # the trap: torch's mean divides by each row's labels first


def test_softmax_never_sees_attention_on_padding() -> None:
    """Whatever the memory's padding holds: a masked product, 0 * y, would let it in."""
    memory = torch.randn(2, 3, 4, dtype=torch.float64)
    score_mask = torch.tensor([[0, 0, -torch.inf], [0, -torch.inf, -torch.inf]], dtype=torch.float64)
    queries = torch.randn(2, 5, 4, dtype=torch.float64)
    context, weights = multiplicative(queries, memory, score_mask[:, None])
    short, _ = multiplicative(queries[1:], memory[1:, :1], None)
    assert torch.equal(context[1:], short)
    assert not weights[0, :, 2].any()
    assert torch.allclose(weights.sum(2), torch.ones(2, 5, dtype=torch.float64), rtol=0, atol=1e-15)
