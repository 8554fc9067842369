"""SDM's file of matrices."""

import struct

import numpy as np
import pytest

from symface_cli.landmarks.sdm import read_matrices


def test_sdm_matrices_are_stored_row_after_row() -> None:
    data = struct.pack("<4i6f", 1, 3, 2, 5, 1, 2, 3, 4, 5, 6)
    np.testing.assert_array_equal(read_matrices(data)[0], [[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ValueError, match="too long"):
        read_matrices(data + b"x")
