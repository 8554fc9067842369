"""Records of films whose numbers are known."""

import numpy as np

from symface_cli.films.measuring.records import NUMBERS, PLACES, FrameMeasurement
from symface_cli.measurement.points.scheme import COUNT


def records_of(times, curves=None, missing=(), turned=(), person=1, shots=None, **others):
    """Records with curves by the names of numbers; all other numbers are 0, and pupils are 60 px apart."""
    records = []
    for index, time in enumerate(times):
        numbers = np.zeros(len(NUMBERS), np.float32)
        numbers[PLACES["pupil_distance_px"]] = 60
        for name, curve in (curves or {}).items():
            numbers[PLACES[name]] = curve[index]
        is_found = index not in missing
        records.append(
            FrameMeasurement(
                frame=index,
                time_s=float(time),
                shot=0 if shots is None else shots[index],
                person=person,
                sides="person",
                is_yaw_too_large=index in turned,
                numbers=numbers if is_found else None,
                places=np.full((COUNT, 2), 50, np.float32) + np.arange(COUNT)[:, None] if is_found else None,
                **others,
            )
        )
    return records


def smile(times, start=2.0, rise=0.5, hold=1.0, amplitude=8.0):
    """A curve that rises by a raised cosine, holds, and falls in the same way."""
    phase = np.interp(times, [start, start + rise, start + rise + hold, start + 2 * rise + hold], [0, 1, 1, 0])
    return amplitude * (1 - np.cos(np.pi * phase)) / 2


def sided(name, left, right):
    """The three curves of a measure of either side."""
    return {f"{name}_left": left, f"{name}_right": right, f"{name}_diff": left - right}
