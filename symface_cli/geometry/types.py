"""Names of the arrays that the package passes around."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Photo = NDArray[np.uint8]
"""A photo: `(H, W, 3) uint8`, sRGB, upright."""
Pixels: TypeAlias = NDArray[np.uint8 | np.uint16]
"""(H, W, C) samples as a file stores them: C = 1 gray, 3 RGB, 4 CMYK (0 is no ink); or (H, W) alpha."""
