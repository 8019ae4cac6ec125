"""Films of two bouncing digits, by the procedure of Srivastava et al. 2015, section 4.1, and of its code.

The corner of a digit's picture moves in the unit square, which is mapped to all the places where the picture
is inside the frame. It starts anywhere in it, in any direction, and takes steps of a tenth of its side. A step
that leaves the square ends at its wall, and the velocity across that wall turns round. Corners are cut down to
whole pixels; where two digits overlap the brighter one is seen.
"""

from __future__ import annotations

import numpy as np

from benchsuite.data.pictures import LabelledImages

STEP = 0.1
"""Of the unit square's side, from frame to frame."""
DIGITS = 2

_CHUNK = 64


def trajectories(random: np.random.RandomState, count: int, frames: int) -> np.ndarray:
    """Corners (count, frames, 2), row and column, in the unit square; the first is a step from the start."""
    place = random.uniform(size=(count, 2))
    angle = random.uniform(0, 2 * np.pi, count)
    velocity = STEP * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    path = np.empty((count, frames, 2))
    for frame in range(frames):
        place = place + velocity
        velocity = np.where((place <= 0) | (place >= 1), -velocity, velocity)
        place = np.clip(place, 0, 1)
        path[:, frame] = place
    return path


def films(pictures: np.ndarray, chosen: np.ndarray, paths: np.ndarray, side: int, scale: int) -> np.ndarray:
    """(n, frames, (side / scale)^2) float32, the frames row by row, in the pictures' values.

    pictures  (N, height, width) uint8
    chosen    (n, DIGITS) which of them a film shows
    paths     (n, DIGITS, frames, 2) their corners in the unit square
    side      of a frame in pixels, before the mean over every scale x scale of them is taken
    """
    n, _, frames, _ = paths.shape
    pixels = (side // scale) ** 2
    found = np.zeros((n, frames, pixels), np.float32)
    for start in range(0, n, _CHUNK):  # so that whole frames of a few films alone are in memory
        part = slice(start, start + _CHUNK)
        whole = _whole(pictures[chosen[part]], paths[part], side)
        for row, column in np.ndindex(scale, scale):
            found[part] += whole[:, :, row::scale, column::scale].reshape(-1, frames, pixels)
    found /= scale**2
    return found


def _whole(pictures: np.ndarray, paths: np.ndarray, side: int) -> np.ndarray:
    """Pictures (n, DIGITS, height, width) along their paths: (n, frames, side, side) uint8."""
    n, digits, frames, _ = paths.shape
    height, width = pictures.shape[2:]
    corners = (paths * [side - height, side - width]).astype(np.int64)
    whole = np.zeros((n, frames, side, side), np.uint8)
    film, frame = np.arange(n)[:, None, None, None], np.arange(frames)[:, None, None]
    for digit in range(digits):
        row = corners[:, digit, :, 0, None, None] + np.arange(height)[:, None]
        column = corners[:, digit, :, 1, None, None] + np.arange(width)
        at = (film, frame, row, column)
        whole[at] = np.maximum(whole[at], pictures[:, digit, None])
    return whole


def draw_films(
    part: LabelledImages, count: int, frames: int, side: int, scale: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """`count` films of the pictures of one split: see films(); and the digits they show, (count, DIGITS)."""
    random = np.random.RandomState(seed)  # its stream is frozen, so these films never change
    chosen = random.randint(len(part.labels), size=(count, DIGITS))
    paths = trajectories(random, count * DIGITS, frames).reshape(count, DIGITS, frames, 2)
    return films(part.pictures, chosen, paths, side, scale), part.labels[chosen]
