"""What the stored crop of a training photo shows: as pixel labels say, or as MediaPipe's networks see it.

These know hair (Tkachenka et al. 2019) and persons; where a face lies, its mesh says. What is skin, hair or something
else follows from all three; where they do not agree, nothing is known. Glasses and beards are skin then, as they belong
to the face, and what lies in front of it is known where it is hair.
"""

import threading
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.published import locate
from symface_cli.data.segmentation import LabelMap, PixelClass, Segmentation
from symface_cli.geometry.frames import apply, crop_from_box, pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Floats, Landmarks, Photo
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks, load_network
from symface_cli.landmarks.mesh import MESH_468
from symface_cli.landmarks.shape import face_from_image
from symface_cli.network.maps import UNKNOWN, Part
from symface_cli.training.data.prepared.targets import (
    MASK_SIZE,
    STORED_BOXES,
    STORED_SIZE,
    LabeledFace,
    draw_mask,
)

HAIR, PERSON = "hair_segmentation.tflite", "selfie_segmentation.tflite"
HAIR_SIZE, PERSON_SIZE = 512, 256  # px, sides of the networks' inputs
REGION_BOXES = 2.4  # side of what they are shown, in Viola-Jones box widths: the head, and the shoulders' beginning
IS_HAIR, IS_NO_HAIR = 0.6, 0.3  # probabilities of hair, above and below which it is, and is not
IS_PERSON = 0.3  # probability of a person, below which there is none

PARTS = {
    PixelClass.BACKGROUND: Part.SURROUNDINGS,
    PixelClass.EAR: Part.SURROUNDINGS,
    PixelClass.NECK: Part.SURROUNDINGS,
    PixelClass.CLOTHES: Part.SURROUNDINGS,
    PixelClass.SKIN: Part.SKIN,
    PixelClass.HAIR: Part.HAIR,
    PixelClass.HAT: Part.HAIR,
    PixelClass.GLASSES: Part.GLASSES,
    PixelClass.BEARD: Part.BEARD,
    PixelClass.IN_FRONT: Part.FRONT,
}
"""What the parser calls that which a pixel shows."""

UNKNOWN_SEGMENTS = np.full((MASK_SIZE, MASK_SIZE), UNKNOWN, np.uint8)


def find_segments(segmentation: Segmentation, face: LabeledFace) -> tuple[NDArray[np.uint8]]:
    """Find what the stored crop of a face shows: parts (96, 96), UNKNOWN beyond the photo's edge.

    The first and the last place in a row lie at the centers of the stored crop's first and last pixel.
    """
    label = segmentation.label_of(face.name)
    if label is None:
        return (UNKNOWN_SEGMENTS,)
    height, width = read_photo(face.photo.path).shape[:2]
    return (_look_up(label, (_places_in_photo(face) + 0.5) / [width, height]),)


def _places_in_photo(face: LabeledFace) -> Array:
    """Return where the points of a face's parts (96, 96) lie, (96, 96, 2) in photo pixels."""
    photo_from_stored = np.linalg.inv(crop_from_box(face.box, STORED_SIZE, STORED_BOXES))
    return apply(photo_from_stored @ pixel_from_normalized(STORED_SIZE), control_points(MASK_SIZE))


def _look_up(label: LabelMap, places: Array) -> NDArray[np.uint8]:
    """Return the parts at places (..., 2) of a photo, 0..1 from edge to edge, by its label map (h, w)."""
    size = np.array(label.shape[::-1])
    x, y = np.moveaxis(np.floor(places * size).astype(int).clip(0, size - 1), -1, 0)
    inside = ((places >= 0) & (places < 1)).all(-1)
    return np.where(inside, part_table()[label[y, x]], UNKNOWN).astype(np.uint8)


def part_table() -> NDArray[np.uint8]:
    """Return the parts, or UNKNOWN, that the numbers in a label map stand for, (256,)."""
    table = np.full(256, UNKNOWN, np.uint8)
    table[list(PARTS)] = list(PARTS.values())
    return table


class MediaPipeSegments:
    """Finds what the stored crops of faces show, in any number of threads.

    Raises:
        WeightsError: If the models are not here and cannot be downloaded.
    """

    files = (*MediaPipeLandmarks.files, HAIR, PERSON)

    def __init__(self) -> None:
        for name in self.files:
            locate(name)  # says at once, not in a thread, what cannot be had
        self._loaded = threading.local()  # OpenCV's networks are for one thread at a time

    def __call__(self, face: LabeledFace) -> tuple[NDArray[np.uint8]]:
        """Find what the stored crop of a face shows: parts (96, 96), UNKNOWN beyond the photo's edge.

        Nothing is known of a face without a mesh.
        """
        networks, photo = self._networks(), read_photo(face.photo.path)
        found = networks.mesh.label(photo, face.box)
        if found is None:
            return (UNKNOWN_SEGMENTS,)
        region_from_photo = crop_from_box(face.box, HAIR_SIZE, REGION_BOXES)
        region = resample(photo, region_from_photo, HAIR_SIZE)
        places = _places_in_photo(face)
        in_region = apply(region_from_photo, places).astype(np.float32)
        hair, person = (
            remap(seen, in_region, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
            for seen in (networks.find_hair(region), networks.find_person(region))
        )
        parts = name_parts(hair, person, _inside_mesh(face, found[0]), _below_eyes(places, found[0]))
        height, width = photo.shape[:2]
        inside = ((places > -1) & (places < [width, height])).all(-1)
        return (np.where(inside, parts, UNKNOWN).astype(np.uint8),)

    def _networks(self) -> "_Networks":
        """Return this thread's networks."""
        networks: _Networks | None = getattr(self._loaded, "networks", None)
        if networks is None:
            networks = _Networks(MediaPipeLandmarks(), *(load_network(locate(name)) for name in (HAIR, PERSON)))
            self._loaded.networks = networks
        return networks


class _Networks(NamedTuple):
    mesh: MediaPipeLandmarks
    hair: cv2.dnn.Net
    person: cv2.dnn.Net

    def find_hair(self, region: Photo) -> Floats:
        """Return the probability of hair at each pixel of a region (512, 512, 3), in 0..1."""
        before = np.zeros((HAIR_SIZE, HAIR_SIZE, 1), np.float32)  # in a film, what was found in the frame before
        self.hair.setInput(cv2.dnn.blobFromImage(np.concatenate([region / np.float32(255), before], -1)))
        other, hair = self.hair.forward()[0]
        probability: Floats = 1 / (1 + np.exp(other - hair))
        return probability

    def find_person(self, region: Photo) -> Floats:
        """Return the probability of a person at each pixel of a region (512, 512, 3), in 0..1."""
        self.person.setInput(cv2.dnn.blobFromImage(region, 1 / 255, (PERSON_SIZE, PERSON_SIZE)))
        probability: Floats = cv2.resize(self.person.forward()[0, 0], (HAIR_SIZE, HAIR_SIZE))
        return probability


def name_parts(
    hair: Floats, person: Floats, in_face: NDArray[np.bool_], below_eyes: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Say what points show, a `Part` or UNKNOWN, from the probabilities of hair and of a person there.

    Args:
        hair: In 0..1, of any shape.
        person: In 0..1.
        in_face: Whether they lie in the outline of the face's mesh.
        below_eyes: Whether they lie below the eyes, as the head is held.
    """
    bare = hair < IS_NO_HAIR
    parts = np.full(hair.shape, UNKNOWN, np.uint8)  # above the eyes, beside the mesh: a bald head, or a hat
    parts[bare & ~in_face & (below_eyes | (person < IS_PERSON))] = Part.SURROUNDINGS
    parts[bare & in_face] = Part.SKIN
    parts[hair > IS_HAIR] = Part.HAIR
    return parts


def _inside_mesh(face: LabeledFace, mesh: Landmarks) -> NDArray[np.bool_]:
    """Return which points of a stored crop lie in the outline of its mesh (468, 2) in photo pixels, (96, 96)."""
    return draw_mask(apply(crop_from_box(face.box, STORED_SIZE, STORED_BOXES), mesh)) > 127


def _below_eyes(places: Array, mesh: Landmarks) -> NDArray[np.bool_]:
    """Return which places (96, 96, 2) in photo pixels lie below the eyes of a mesh (468, 2)."""
    face_from_photo = face_from_image(mesh, MESH_468)
    eyes: float = apply(face_from_photo, mesh)[MESH_468.eyes, 1].mean()
    below: NDArray[np.bool_] = apply(face_from_photo, places)[..., 1] > eyes
    return below
