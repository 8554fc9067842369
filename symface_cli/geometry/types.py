"""Names of the arrays that the package passes around."""

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
"""Points (..., 2) as (x, y), 3 x 3 matrices, warps (17, 17, 2)."""
Floats: TypeAlias = NDArray[np.float32]
"""Values at pixels or control points: masks and weights (17, 17) in 0..1, images (H, W, C)."""
Photo: TypeAlias = NDArray[np.uint8]
"""Photo (H, W, 3), sRGB, upright."""
Gray: TypeAlias = NDArray[np.uint8]
"""Gray image (H, W)."""
Pixels: TypeAlias = NDArray[np.uint8 | np.uint16]
"""(H, W, C) samples as a file stores them: C = 1 gray, 3 RGB, 4 CMYK (0 is no ink); or (H, W) alpha."""
Sample = TypeVar("Sample", bound=np.uint8 | np.uint16)
"""Type of a sample, for what returns pixels of the depth that it was given."""
Landmarks: TypeAlias = NDArray[np.float32]
"""Landmarks of a face, (N, 2), N = 68 where nothing else is said, as (x, y) in pixels of the image they lie in."""
