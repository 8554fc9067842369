"""What is learned from a labeled photo, in its stored crop: warp, mask and irises of its face.

What is made of the teachers, and how much it counts, its label says.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.geometry.frames import CROP_BOXES, Box, apply, crop_from_box, pixel_from_normalized
from symface_cli.geometry.types import Array, Landmarks
from symface_cli.geometry.warps import GRID
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.iris import MediaPipeIrises
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import MESH_468, mesh_warp
from symface_cli.landmarks.shape import face_outline, symmetric_warp
from symface_cli.training.data.labels import Label, judge, weight_of
from symface_cli.training.data.prepared.irises import UNKNOWN_IRISES, find_irises
from symface_cli.training.data.teachers import DLIB, MESH, MOST_SPREAD, NOTHING, Teacher, blend_warps

STORED_SIZE = 192  # px, side of a stored crop
STORED_BOXES = CROP_BOXES * 1.2  # its side in box widths: the crop's, and room to jitter
MASK_SIZE = 96  # px
FINE = 4  # times finer is a mask drawn than stored, so that its edge is smooth
EDGE_BLUR = 1.0  # px of the mask, standard deviation


class LabeledFace(NamedTuple):
    """A face of a training photo."""

    label: Label
    box: Box
    """The label's, which has one."""
    photo: DatasetPhoto

    @property
    def name(self) -> str:
        """Its photo's path in the data set."""
        return self.label.photo


class Target(NamedTuple):
    """What is learned of a face."""

    warp: Array
    """(17, 17, 2), face frame -> normalized coordinates of the stored crop; NaN if there is nothing to learn."""
    mask: NDArray[np.uint8]
    """Face region (96, 96) of the stored crop, 0 to 255."""
    irises: Array = UNKNOWN_IRISES
    """x, y and radius (2, 3) in normalized coordinates of the stored crop, of the left eye and of the right one; NaN if
    not known, a radius of 0 if the eye is closed."""
    weight: Array = np.ones(())
    """How much the photo counts, (), 0 to 1."""


NO_TARGET = Target(np.full((GRID, GRID, 2), np.nan), np.zeros((MASK_SIZE, MASK_SIZE), np.uint8))


def target_maker(teacher: Teacher) -> Callable[[LabeledFace], Target]:
    """Return what makes targets, in any number of threads."""
    return target_by_landmarks if teacher == "dlib" else _MeshReader(teacher)


def target_by_landmarks(face: LabeledFace) -> Target:
    """Make a face's target from its landmarks."""
    if face.label.landmarks is None:
        return NO_TARGET
    landmarks = apply(crop_from_box(face.box, STORED_SIZE, STORED_BOXES), face.label.landmarks)
    warp, mask = _normalize(symmetric_warp(landmarks)[0]), draw_mask(face_outline(landmarks))
    return Target(warp, mask, weight=np.array(weight_of(face.label)))


def _target_by_mesh(face: LabeledFace, mesh: Landmarks) -> Target:
    """Make a face's target from its mesh (468, 2) in photo pixels."""
    points = apply(crop_from_box(face.box, STORED_SIZE, STORED_BOXES), mesh)
    warp, mask = _normalize(mesh_warp(points)), draw_mask(face_outline(points, MESH_468))
    return Target(warp, mask, weight=np.array(weight_of(face.label)))


def _target_by_both(face: LabeledFace, mesh: Landmarks) -> Target:
    """Make a face's target as its label says, of its landmarks and its mesh (468, 2) in photo pixels."""
    if face.label.made_of == NOTHING:
        return NO_TARGET
    by_mesh = _target_by_mesh(face, mesh)
    if face.label.made_of == MESH:
        return by_mesh
    by_landmarks = target_by_landmarks(face)
    return by_landmarks._replace(warp=blend_warps(by_landmarks.warp, by_mesh.warp))


class _Finders(NamedTuple):
    mesh: MediaPipeLandmarks
    irises: MediaPipeIrises


class _MeshReader:
    """Makes targets of the mesh, or of what labels name: it, landmarks or both; those that name nothing are judged."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher
        self._loaded = threading.local()  # OpenCV's networks are for one thread at a time

    def __call__(self, face: LabeledFace) -> Target:
        """Make a face's target; irises are known where the mesh is learned from and to be trusted."""
        if face.label.is_by_hand or face.label.made_of == DLIB:
            return target_by_landmarks(face)
        finders, photo = self._finders(), read_photo(face.photo.path)
        found = finders.mesh.label(photo, face.box)
        if found is None:
            return NO_TARGET
        mesh, spread = found
        if self._teacher == "mesh":
            face = face._replace(label=replace(face.label, landmarks=None, made_of=None))
        if face.label.made_of is None:
            face = face._replace(label=judge(face.label, found))
        target = _target_by_both(face, mesh)
        if spread > MOST_SPREAD:
            return target
        return target._replace(irises=_normalize_irises(find_irises(finders.irises, photo, mesh), face.box))

    def _finders(self) -> _Finders:
        """Return this thread's finders."""
        finders: _Finders | None = getattr(self._loaded, "finders", None)
        if finders is None:
            finders = self._loaded.finders = _Finders(MediaPipeLandmarks(), MediaPipeIrises())
        return finders


def _normalize(warp: Array) -> Array:
    """Take a warp from pixels of the stored crop to its normalized coordinates."""
    return apply(np.linalg.inv(pixel_from_normalized(STORED_SIZE)), warp)


def _normalize_irises(irises: Array, box: Box) -> Array:
    """Take irises (2, 3) from photo pixels to normalized coordinates of the stored crop."""
    stored_from_photo = crop_from_box(box, STORED_SIZE, STORED_BOXES)
    centers = _normalize(apply(stored_from_photo, irises[:, :2]))
    return np.column_stack([centers, irises[:, 2] * stored_from_photo[0, 0] * 2 / (STORED_SIZE - 1)])


def draw_mask(outline: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Draw the face region, a mask (96, 96), 0 to 255 with a soft edge, from its outline (N, 2) in the stored crop."""
    hull = cv2.convexHull(outline.astype(np.float32))
    corners = (hull + 0.5) * (MASK_SIZE * FINE / STORED_SIZE) - 0.5
    mask = np.zeros((MASK_SIZE * FINE,) * 2, np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
    small = cv2.resize(mask, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    soft: NDArray[np.uint8] = cv2.GaussianBlur(small, (0, 0), EDGE_BLUR)
    return soft
