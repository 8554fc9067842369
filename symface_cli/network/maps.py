"""What the maps of the networks say of a face, and from which values on; without torch."""

from enum import IntEnum

PARSING_SIZE = 64  # px, side of the level faces that are looked at, and of the maps
PARTS = 6
UNKNOWN = 255  # label of what nobody knows
CORRECTION_UNIT = 0.15  # normalized face coordinates; corrections are small: so the layer's outputs are near 1
FAR = 0.04  # mean length of a correction, in normalized face coordinates, after which the guess is corrected again
CORRECTIONS = 4  # at most; 99 of 100 photos need one
VISIBLE_POWER = 8  # uncovered faces have a visibility of 0.96 and more, so that less already is a sign
LEAST_VISIBLE = 1e-3  # weight of what is hidden: where both sides are, their foreshortening still decides
LEAST_AREA = 1e-5  # of foreshortening, where a warp folds over; 0.016 is that of a crop taken as it is
SEEN, UNSEEN = 0.8, 0.4  # visibility from which the photo is trusted, and below which it is not


class Part(IntEnum):
    """What a point shows."""

    SURROUNDINGS = 0
    """Background, ears, neck, clothes."""
    SKIN = 1
    """With eyes, brows and lips."""
    HAIR = 2
    """Hair of the head, and what is worn on it."""
    GLASSES = 3
    BEARD = 4
    FRONT = 5
    """Hands, microphones, whatever else lies in front of the face."""


FACE_PARTS = (Part.SKIN, Part.GLASSES, Part.BEARD)
"""What belongs to a face, and becomes symmetric."""
