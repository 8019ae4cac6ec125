"""The task `parity_bits`: data, model, metric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import LoadedTask, Options, Ragged, Split, Task
from benchsuite.errors import RequestError
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body

SIZES = {"train": 1024, "validation": 256, "test": 256}


class ParityBits(Task):
    """Random sequences of bits: is the number of ones even or odd?"""

    def load(self, source: str, options: Options) -> LoadedParityBits:
        """Sequences (length, 1) of -1 and +1, none of them twice; targets (n,) int32, 1 for odd.

        Raises RequestError where `shortest` is more than `longest`, or there are too few sequences.
        """
        shortest, longest = options.integer("shortest"), options.integer("longest")
        if shortest > longest:
            raise RequestError(
                f"parity_bits: option shortest is {shortest}; it must not be more than longest, {longest}"
            )
        numbers = _distinct_numbers(shortest, longest, sum(SIZES.values()))
        ends = np.cumsum(list(SIZES.values()))[:-1]
        train, validation, test = (_split(part) for part in np.split(numbers, ends))
        guess = int(np.bincount(train.row_targets).argmax())
        return LoadedParityBits(
            name=f"parity_bits/{source}",
            train=train,
            validation=validation,
            test=test,
            longest=longest,
            baselines={"majority": {"accuracy": float(np.mean(test.row_targets == guess))}},
            licence="MIT",
        )


@dataclass(frozen=True, kw_only=True)
class LoadedParityBits(LoadedTask):
    """Two classes, read at the last bit; `accuracy` ranks.

    longest  bits of the longest sequence
    """

    primary = "accuracy"
    higher_is_better = True

    longest: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """One real input, a recurrent stack, its last output, two logits."""
        return ModelSpec(Features(1), recurrent_body(architecture, cell, size), Dense(2), "cross_entropy")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """accuracy of logits (n, 2), and bits_solved: `longest` where every row is right, else 0."""
        accuracy = float(np.mean(predictions.argmax(axis=1) == split.row_targets))
        return {"accuracy": accuracy, "bits_solved": float(self.longest) if accuracy == 1 else 0.0}


def _distinct_numbers(shortest: int, longest: int, count: int) -> np.ndarray:
    """`count` different numbers whose binary digits after the leading one are the sequences."""
    if (2 << longest) - (1 << shortest) < 2 * count:
        raise RequestError(
            f"parity_bits: there are too few sequences of {shortest} to {longest} bits for {count} different "
            "ones; raise longest"
        )
    random = np.random.default_rng(0)
    found = np.zeros(0, np.int64)
    while len(found) < count:
        leading = np.int64(1) << random.integers(shortest, longest + 1, count)
        numbers = np.concatenate([found, leading + random.integers(0, leading)])
        found = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
    return found[:count]


def _split(numbers: np.ndarray) -> Split:
    sequences = [np.array([int(digit) for digit in f"{number:b}"[1:]]) for number in numbers]
    inputs = Ragged.from_sequences([(2.0 * bits - 1.0)[:, None] for bits in sequences])
    return Split(inputs, np.array([bits.sum() % 2 for bits in sequences], np.int32))
