"""The task `mnist_rows`: which digit is it, read one row, one column or one pixel at a time?

    mnist   28 x 28 pictures of handwritten digits, 55,000 / 5,000 / 10,000; LeCun et al., Proc. IEEE 1998.
            The validation split is the last 5,000 of the 60,000 training pictures.
    digits  the 8 x 8 pictures that ship with scikit-learn, 1,797 in all, 70/15/15 within each class; Alpaydin
            and Kaynak, UCI 1998 (Optical Recognition of Handwritten Digits, its test part).

Reading pixel by pixel, plain or under a fixed permutation, is the long-memory test of Le et al. 2015
(arXiv:1504.00941). The architecture `cnn` is among the models because convolution wins on pictures.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry
from benchsuite.data.pictures import MNIST_FILES


def _load() -> Task:
    from benchsuite_mnist_rows.task import MnistRows

    return MnistRows()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="mnist_rows",
            load=_load,
            summary="which digit? pictures read row by row, column by column or pixel by pixel",
            sources={
                "mnist": "MNIST, 70,000 pictures of 28 x 28 (LeCun et al. 1998)",
                "digits": "scikit-learn's digits, 1,797 pictures of 8 x 8; needs no download",
            },
            offline=("digits",),
            architectures=("plain", "deep", "bidirectional", "deep_bidirectional", "cnn"),
            options={
                "view": Option(
                    "rows", "what one time step sees", choices=("rows", "columns", "pixels", "permuted")
                ),
                "permutation": Option(
                    0, "seed of the order of pixels in the view `permuted`", least=0, most=2**32 - 1
                ),
                "head": Option(
                    "dense", "output layer: linear, or Euclidean (LeCun et al. 1998)", ("dense", "rbf")
                ),
            },
            files=tuple(MNIST_FILES.values()),
            source_requirements={"digits": ("scikit-learn",)},
            extra="tasks",
        )
    ]
