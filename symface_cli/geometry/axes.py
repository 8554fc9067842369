"""Round values along the axis of a chart."""

from math import ceil, floor, log10

SMALLEST_SPAN = 0.1  # of values, where all are the same


def round_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Return evenly spaced round values, about `most` of them, that reach over all values from the low to the high one.

    Args:
        low: The lowest value.
        high: The highest one.
        most: Number of values, that are one more where the lowest value is not round.
    """
    span = max(high - low, SMALLEST_SPAN)
    decade = 10.0 ** floor(log10(span))
    step = next(part * decade for part in (0.2, 0.5, 1, 2, 5, 10) if span / (part * decade) <= most - 1)
    first, last = floor(low / step + 1e-9), ceil((low + span) / step - 1e-9)
    return tuple(round(number * step, 10) for number in range(first, last + 1))
