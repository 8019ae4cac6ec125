"""The task `state_tracking`: letters act on a state, one after the other; which state is it now?

    parity            letters 0 and 1; the state is the sum of the letters so far, modulo 2
    modular_addition  letters 0 to `modulus` - 1; the state is their sum so far, modulo `modulus`
    s3, s5            letters are the 6, the 120 permutations of 3, of 5 things; the state is their product so
                      far, each letter applied to what the ones before it have left: the word problem of the
                      symmetric group

Letters are drawn uniformly. The target is the state at every step, so that a model is trained on every prefix
of every word. Training and validation words are `shortest` to `longest` letters long, test words `test_length`.

Accuracy at step t of a test word is accuracy on words of t letters: the prefix of a random word is a random
word, and a forward network does not see what follows. So one pass gives accuracy at every length from 1 to
`test_length`, and each trial keeps that curve. Validation words are no longer than training words.

With the option `packed` several words lie one after the other in a row, and the state is set to its initial
values where each begins. Loss, gradients and metrics are those of the words in rows of their own, with less
padding (benchsuite.data.packing).

Merrill, Petty and Sabharwal, ICML 2024 (arXiv:2404.08819): a state-space model whose transition is diagonal, or
the same at every step, cannot solve the word problem of S5 at every length with a fixed number of layers
(unless TC0 = NC1); a recurrent network with a nonlinear step can. Grazzi et al., ICLR 2025 (arXiv:2411.12537):
in finite precision, a linear recurrence whose transition has no negative eigenvalue cannot track parity at
every length. An affine cell with factors between 0 and 1, such as the minGRU, is one of these: it may fit the
trained lengths and still fail beyond them. Trained lengths of 3 to 40 and a test up to 256 are those of Grazzi
et al.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_state_tracking.task import StateTracking

    return StateTracking()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="state_tracking",
            load=_load,
            summary=(
                "the running product of a word's letters, beyond the trained lengths too; affine recurrences "
                "without negative factors cannot track parity"
            ),
            sources={
                "parity": "sums of bits modulo 2; generated, needs no download",
                "modular_addition": "sums modulo the option `modulus`; generated, needs no download",
                "s3": "products of permutations of three things; generated, needs no download",
                "s5": "products of permutations of five things; generated, needs no download",
            },
            offline=("parity", "modular_addition", "s3", "s5"),
            architectures=("plain", "deep"),
            options={
                "modulus": Option(5, "what source modular_addition counts modulo", least=2, most=100),
                "shortest": Option(3, "letters of the shortest training word", least=1),
                "longest": Option(40, "letters of the longest training word", least=1),
                "test_length": Option(256, "letters of a test word; more than `longest`", least=2),
                "examples": Option(10_000, "words in the training split", least=1),
                "packed": Option(
                    0,
                    "0: a word is a row; n: words lie one after the other in rows of n steps, with resets",
                    least=0,
                    added=True,
                ),
            },
            packing="packed",
        )
    ]
