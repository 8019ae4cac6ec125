"""As NumPy's users write it: formulas as in a textbook, new arrays freely, a dictionary of parameters.

`batched` and `per-sample` are the ways of public packages: a matrix for every gate, and NumPy's own float64,
since nothing in them says otherwise. Beside them stand the same in float32, a batch whose gates are kept, and
`stacked`, all gates in one product: the fastest way that a user would still write.
"""

from __future__ import annotations

import abc
from functools import partial

import numpy as np

from benchmarks.contestants import Contestant, Peers
from benchmarks.peers.numpy_cells import CELLS, Arrays, Cell, State, weight_gradient
from benchmarks.peers.numpy_gates import AGAIN, GATEWISE
from benchmarks.shapes import CLASSES, Shape


class Adam:
    """Moments by parameter (Kingma and Ba 2015, algorithm 1)."""

    def __init__(self, parameters: Arrays, rate: float = 1e-3) -> None:
        self.rate, self.steps = rate, 0
        self.first = {name: np.zeros_like(array) for name, array in parameters.items()}
        self.second = {name: np.zeros_like(array) for name, array in parameters.items()}

    def update(self, parameters: Arrays, gradients: Arrays) -> None:
        self.steps += 1
        for name, gradient in gradients.items():
            self.first[name] = 0.9 * self.first[name] + 0.1 * gradient
            self.second[name] = 0.999 * self.second[name] + 0.001 * gradient**2
            first = self.first[name] / (1 - 0.9**self.steps)
            second = self.second[name] / (1 - 0.999**self.steps)
            parameters[name] -= self.rate * first / (np.sqrt(second) + 1e-8)


class NumPy(Contestant):
    """What does not depend on whether rows are taken together: parameters and their update."""

    def __init__(self, shape: Shape, cells: dict[str, Cell], dtype: str) -> None:
        batch = shape.data()
        self.inputs, self.lengths, self.labels = batch.inputs.astype(dtype), batch.lengths, batch.targets
        self.cell, self.hidden, self.ragged = cells[shape.cell], shape.hidden, shape.ragged
        self.dtype = dtype
        given = {name: array.astype(dtype) for name, array in shape.parameters().items()}
        own = {name.removeprefix("rnn.l0.fwd."): array for name, array in given.items()}
        self.parameters = self.cell.parameters(own)
        self.adam = Adam(self.parameters)
        self.latest = float("nan")

    @abc.abstractmethod
    def gradients(self) -> tuple[float, Arrays]:
        """The batch's loss, and its gradients by parameter."""

    def step(self) -> None:
        self.latest, gradients = self.gradients()
        self.adam.update(self.parameters, gradients)

    def loss(self) -> float:
        return self.latest

    def scores(self, h: np.ndarray) -> np.ndarray:
        scores: np.ndarray = h @ self.parameters["out.W"] + self.parameters["out.b"]
        return scores

    def zeros(self) -> Arrays:
        return {name: np.zeros_like(array) for name, array in self.parameters.items()}

    def start(self, *rows: int) -> State:
        """All zero; no `rows` for the state of a single sequence."""
        return tuple(np.zeros((*rows, self.hidden), self.dtype) for _ in range(self.cell.states))


class Batched(NumPy):
    """All rows together, (B, D) a step; rows beyond their length keep their state."""

    def forward(self) -> tuple[State, list[State]]:
        rows, steps, _ = self.inputs.shape
        state, caches = self.start(rows), []
        for t in range(steps):
            after, cache = self.cell.forward(self.parameters, self.inputs[:, t], state)
            if self.ragged:
                live = (t < self.lengths)[:, None]
                after = tuple(np.where(live, new, old) for new, old in zip(after, state, strict=True))
            caches.append(cache)
            state = after
        return state, caches

    def gradients(self) -> tuple[float, Arrays]:
        state, caches = self.forward()
        rows, found = len(self.inputs), self.zeros()
        probabilities = softmax(self.scores(state[0]))
        loss = -np.log(probabilities[np.arange(rows), self.labels]).mean()
        d_scores = (probabilities - np.eye(CLASSES, dtype=self.dtype)[self.labels]) / rows
        found["out.W"] += weight_gradient(state[0], d_scores)
        found["out.b"] += d_scores.sum(axis=0)
        d_state = (d_scores @ self.parameters["out.W"].T, *self.start(rows)[1:])
        for t in reversed(range(len(caches))):
            if not self.ragged:
                d_state = self.cell.backward(self.parameters, caches[t], d_state, found)
                continue
            live = (t < self.lengths)[:, None]
            entering = tuple(np.where(live, d, 0) for d in d_state)
            before = self.cell.backward(self.parameters, caches[t], entering, found)
            d_state = tuple(np.where(live, new, old) for new, old in zip(before, d_state, strict=True))
        return float(loss), found

    def predict(self) -> None:
        self.scores(self.forward()[0][0])


class PerSample(NumPy):
    """One sequence at a time, one vector a step, each as long as it is."""

    def forward(self, row: int) -> tuple[State, list[State]]:
        state, caches = self.start(), []
        for t in range(self.lengths[row]):
            state, cache = self.cell.forward(self.parameters, self.inputs[row, t], state)
            caches.append(cache)
        return state, caches

    def gradients(self) -> tuple[float, Arrays]:
        loss, rows, found = 0.0, len(self.inputs), self.zeros()
        for row in range(rows):
            state, caches = self.forward(row)
            probabilities = softmax(self.scores(state[0]))
            loss -= float(np.log(probabilities[self.labels[row]])) / rows
            d_scores = probabilities / rows
            d_scores[self.labels[row]] -= 1 / rows
            found["out.W"] += weight_gradient(state[0], d_scores)
            found["out.b"] += d_scores
            d_state = (self.parameters["out.W"] @ d_scores, *self.start()[1:])
            for cache in reversed(caches):
                d_state = self.cell.backward(self.parameters, cache, d_state, found)
        return loss, found

    def predict(self) -> None:
        np.stack([self.scores(self.forward(row)[0][0]) for row in range(len(self.inputs))])


def softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: np.ndarray = raised / raised.sum(axis=-1, keepdims=True)
    return probabilities


PEERS: Peers = {
    "batched": partial(Batched, cells=AGAIN, dtype="float64"),
    "batched-float32": partial(Batched, cells=AGAIN, dtype="float32"),
    "batched-kept": partial(Batched, cells=GATEWISE, dtype="float64"),
    "stacked": partial(Batched, cells=CELLS, dtype="float32"),
    "per-sample": partial(PerSample, cells=GATEWISE, dtype="float64"),
    "per-sample-float32": partial(PerSample, cells=GATEWISE, dtype="float32"),
}
