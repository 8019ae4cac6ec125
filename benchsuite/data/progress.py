"""What is told of a download while it goes on."""

from __future__ import annotations

from typing import Protocol


class DownloadProgress(Protocol):
    """What a download tells of itself, as pooch calls it: `total` bytes are set first, then come the bytes of
    each chunk; at the end it is reset, updated by the whole and closed."""

    total: int

    def update(self, count: int) -> object: ...

    def reset(self) -> object: ...

    def close(self) -> object: ...
