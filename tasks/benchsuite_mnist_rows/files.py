"""The pinned files of the task `mnist_rows`."""

from __future__ import annotations

from benchsuite.data import DataFile

_URL = "https://raw.githubusercontent.com/fgnt/mnist/ae608a02b796c9ee908c082585a5f006fe05258e"
_LICENCE = "none in the copy's repository; Keras documents MNIST as CC BY-SA 3.0 (LeCun and Cortes)"

FILES = {
    file.name: file
    for file in (
        DataFile(
            "mnist_train-images-idx3-ubyte.gz",
            f"{_URL}/train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
            _LICENCE,
        ),
        DataFile(
            "mnist_train-labels-idx1-ubyte.gz",
            f"{_URL}/train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
            _LICENCE,
        ),
        DataFile(
            "mnist_t10k-images-idx3-ubyte.gz",
            f"{_URL}/t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
            _LICENCE,
        ),
        DataFile(
            "mnist_t10k-labels-idx1-ubyte.gz",
            f"{_URL}/t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
            _LICENCE,
        ),
    )
}
