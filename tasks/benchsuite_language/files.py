"""The pinned file of the task `language`."""

from __future__ import annotations

from benchsuite.data import DataFile

SHAKESPEARE = DataFile(
    "tinyshakespeare_input.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/"
    "data/tinyshakespeare/input.txt",
    "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    1_115_394,
    "MIT (of the repository); the text is in the public domain",
)
