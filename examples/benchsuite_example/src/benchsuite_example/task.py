"""The task `parity_bits`: data set, model, metric."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts import Dataset, Ragged, Split, Task
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema import Dense, Features, ModelSpec, Size, recurrent_body
from benchsuite.schema.trial import Scalar

SIZES = {"train": 1024, "validation": 256, "test": 256}
MOST_BITS = 60


class ParityBits(Task):
    """Even or odd? Bits enter as -1 and +1, the class is read at the last one; `accuracy` ranks."""

    primary = "accuracy"
    higher_is_better = True

    def dataset(self, source: str, options: Mapping[str, Scalar]) -> Dataset:
        """Sequences (length, 1) of -1 and +1, none of them twice; targets (n,) int32, 1 for odd."""
        if source != "generated":
            raise UnknownNameError("source of parity_bits", source, ["generated"])
        shortest, longest = _bounds(options)
        numbers = _distinct_numbers(shortest, longest, sum(SIZES.values()))
        ends = np.cumsum(list(SIZES.values()))[:-1]
        train, validation, test = (_split(part) for part in np.split(numbers, ends))
        assert isinstance(train.targets, np.ndarray)
        assert isinstance(test.targets, np.ndarray)
        guess = int(np.bincount(train.targets).argmax())
        return Dataset(
            name=f"parity_bits/{shortest}-{longest}",
            train=train,
            validation=validation,
            test=test,
            metadata={"classes": 2},
            baselines={"majority": {"accuracy": float(np.mean(test.targets == guess))}},
            licence="MIT",
        )

    def model(
        self,
        dataset: Dataset,  # noqa: ARG002 - the shapes are the same for all lengths
        architecture: str,
        cell: str,
        size: Size,
        options: Mapping[str, Scalar],  # noqa: ARG002
    ) -> ModelSpec:
        """One real input, a recurrent stack, its last output, two logits."""
        return ModelSpec(Features(1), recurrent_body(architecture, cell, size), Dense(2), "cross_entropy")

    def score(self, predictions: np.ndarray, split: Split, dataset: Dataset) -> dict[str, float]:  # noqa: ARG002
        """accuracy of logits (n, 2)."""
        return {"accuracy": float(np.mean(predictions.argmax(axis=1) == split.targets))}


def _bounds(options: Mapping[str, Scalar]) -> tuple[int, int]:
    shortest, longest = options["shortest"], options["longest"]
    if not (isinstance(shortest, int) and isinstance(longest, int) and 1 <= shortest <= longest <= MOST_BITS):
        raise RequestError(
            f"parity_bits: shortest {shortest!r} and longest {longest!r} must be whole numbers with "
            f"1 <= shortest <= longest <= {MOST_BITS}"
        )
    return shortest, longest


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
