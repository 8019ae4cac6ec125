"""Tables of numbers as tiny PNG pictures, inside the page: a pixel a number."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

INK = (11, 78, 138)
PAPER = (244, 246, 249)


def heat(values: np.ndarray, low: float, high: float) -> str:
    """A data: address of a picture (height, width): `low` and what is not finite as paper, `high` as ink.

    :param values: (height, width).
    """
    span = (high - low) or 1.0
    share = np.clip((np.nan_to_num(np.asarray(values, np.float64), nan=low) - low) / span, 0, 1)[..., None]
    pixels = np.array(PAPER) + share * (np.array(INK) - np.array(PAPER))
    return _address(np.round(pixels).astype(np.uint8))


def grey(values: np.ndarray) -> str:
    """A data: address of a grey picture: 0 is black, 1 is white."""
    share = np.clip(np.nan_to_num(np.asarray(values, np.float64)), 0, 1)[..., None]
    return _address(np.repeat(np.round(255 * share), 3, axis=2).astype(np.uint8))


def _address(pixels: np.ndarray) -> str:
    """PNG (ISO/IEC 15948) of 8-bit RGB, no filter."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    data = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()
