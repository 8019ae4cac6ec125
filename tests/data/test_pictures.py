import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from benchsuite.data.pictures import digits, read_idx
from benchsuite.errors import DataError


def write_idx(path: Path, values: np.ndarray) -> Path:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    path.write_bytes(gzip.compress(header + values.astype(np.uint8).tobytes()))
    return path


def test_idx_files_are_read_by_their_header(tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4)
    assert np.array_equal(read_idx(write_idx(tmp_path / "a.gz", values)), values)
    assert np.array_equal(read_idx(write_idx(tmp_path / "b.gz", np.arange(5))), np.arange(5))


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\x01\0", b"\0\0\x08\x01\0\0\0\x09ab"]
)
def test_what_is_no_idx_file_is_a_data_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=r"bad\.gz"):
        read_idx(path)


def test_the_digits_of_scikit_learn_are_split_once() -> None:
    images = digits()
    assert [len(part.labels) for part in (images.train, images.validation, images.test)] == [1258, 270, 269]
    assert images.train.pictures.shape[1:] == (8, 8)
    assert (images.train.pictures.max(), images.maximum) == (16, 16)
