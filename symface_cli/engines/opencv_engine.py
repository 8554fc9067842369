"""The network computed by OpenCV: loaded in a fraction of the time that torch takes to be imported."""

import threading

import cv2
import numpy as np

from symface_cli.engines import maps
from symface_cli.engines.engine import EngineName, Located
from symface_cli.engines.parts import (
    Dense,
    Head,
    Tensors,
    coarse_part,
    decoder_part,
    encoder_part,
    fine_part,
    parser_part,
)
from symface_cli.engines.shapes import shapes_of
from symface_cli.geometry.types import Floats, Photo
from symface_cli.geometry.warps import GRID, control_points, similarity_of_warp
from symface_cli.network.architecture import FACE_SIZE, GRAY, Architecture
from symface_cli.network.maps import CORRECTION_UNIT, CORRECTIONS, FAR
from symface_cli.network.weights import WeightsFile

HALF = FACE_SIZE // 2  # px, side of the faces that the VAE's stacks work on


class OpenCvEngine:
    """symface's network, as `network.vae` defines it; parts are loaded when they are needed.

    Args:
        file: The weights.

    Raises:
        WeightsError: If the tensors are not those of the architecture.

    Attributes:
        name: What computes it.
        can_fork: That a process can be forked with it.
        stage: The stage in which the weights were trained last.
    """

    name: EngineName = "opencv"
    can_fork = True

    def __init__(self, file: WeightsFile) -> None:
        if {name: tensor.shape for name, tensor in file.tensors.items()} != shapes_of(file.architecture):
            raise file.refuse()
        self.stage = file.stage
        self._file = file
        self._pose_field = np.asarray(file.tensors["pose_field"], np.float32)
        self._own = threading.local()  # OpenCV's networks are for one thread at a time

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self._file.sha256

    def locate(self, crop: Photo) -> Located:
        """Locate the face in a crop (160, 160, 3)."""
        image = maps.normalize(crop)
        return self._localizer.locate(image, self._pose_field)

    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3)."""
        located = self.locate(crop) if located is None else located
        blended = maps.blend_sides(maps.rectify(maps.normalize(crop), located.warp), located.weights)
        shown = maps.keep_face(blended, located.mask * (1 - located.hidden))
        face = maps.keep_face(self._vae.reconstruct(shown), located.mask)
        pixels: Photo = ((face + face[:, ::-1]) / 2 * 255).round().clip(0, 255).astype(np.uint8)
        return pixels

    @property
    def _localizer(self) -> "_Localizer":
        if not hasattr(self._own, "localizer"):
            self._own.localizer = _Localizer(self._file.tensors, self._file.architecture)
        localizer: _Localizer = self._own.localizer
        return localizer

    @property
    def _vae(self) -> "_Vae":
        if not hasattr(self._own, "vae"):
            self._own.vae = _Vae(self._file.tensors, self._file.architecture)
        vae: _Vae = self._own.vae
        return vae


class _Localizer:
    """`network.localizer.Localizer`, for one face."""

    def __init__(self, tensors: Tensors, architecture: Architecture) -> None:
        leak = architecture.leak
        self._coarse = coarse_part(tensors, architecture)
        self._guess = Head(tensors, ("localizer.coarse.1", "localizer.coarse_warp"), leak)
        self._fine = fine_part(tensors, architecture)
        self._maps = Head(tensors, ("localizer.fine.1", "localizer.fine_maps"), leak)
        self._parser = parser_part(tensors, architecture)

    def locate(self, image: Floats, pose_field: Floats) -> Located:
        """Locate the face in a crop (160, 160, 3) in 0..1."""
        half = maps.halve(image)
        guess = self._guess(self._coarse(crop=_planes(half - GRAY)))
        warp = guess.reshape(GRID, GRID, 2) + control_points().astype(np.float32)
        for _ in range(CORRECTIONS):
            shift, mask = self._correct(image, warp)
            warp = maps.compose_warps(warp, shift)
            if np.linalg.norm(shift, axis=-1).mean() <= FAR:
                break
        crop_from_level = similarity_of_warp(warp)
        parts = self._parse(maps.sample_face(half, crop_from_level))
        visible = maps.visibility(parts, warp, crop_from_level)
        return Located(
            warp=warp,
            mask=mask,
            parts=parts,
            visible=visible,
            weights=maps.side_weights(warp, visible),
            hidden=maps.hidden_on_both_sides(visible),
            pose_field=pose_field,
        )

    def _correct(self, image: Floats, warp: Floats) -> tuple[Floats, Floats]:
        """Return the correction of a warp, and the mask."""
        face = _beside_mirror_image(_planes(maps.rectify(image, warp) - GRAY))
        correction = self._maps(self._fine(face=face)).reshape(GRID, GRID, 3)
        mask = maps.sigmoid(correction[..., 2])
        return CORRECTION_UNIT * correction[..., :2], 0.5 * (mask + mask[:, ::-1])

    def _parse(self, level: Floats) -> Floats:
        """Return what a level face (64, 64, 3) shows, (PARTS + 1, 64, 64)."""
        logits = self._parser(face=_beside_mirror_image(_planes(level - GRAY)))[0]
        return maps.probabilities(maps.shuffle(logits))


class _Vae:
    """Encoder and decoder of `network.vae`, for one face, with z = mu."""

    def __init__(self, tensors: Tensors, architecture: Architecture) -> None:
        self._stack = encoder_part(tensors, architecture)
        self._added = Dense(tensors, "encoder.statistics", architecture.latent)  # mu, without log_var
        self._encode_linearly = Dense(tensors, "encoder.linear")
        self._deviation = np.asarray(tensors["encoder.deviation"], np.float32)
        self._decode_linearly = Dense(tensors, "decoder.linear")
        self._start = Dense(tensors, "decoder.start")
        self._start_shape = (1, architecture.encoder_widths[-1], 4, 2)
        self._detail = decoder_part(tensors, architecture)

    def reconstruct(self, face: Floats) -> Floats:
        """Return a symmetric face (128, 128, 3) in 0..1 as encoded and decoded, the same size."""
        z = self._encode(_planes(maps.halve(face) - GRAY))
        small = self._decode_linearly(z).reshape(1, 3, HALF, HALF // 2)
        detail = self._detail(start=self._start(z).reshape(self._start_shape), face=small)[0]
        whole = np.concatenate([small, small[..., ::-1]], -1)[0].transpose(1, 2, 0)
        large = cv2.resize(whole, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_LINEAR)
        left = GRAY + large[:, :HALF] + maps.shuffle(detail).transpose(1, 2, 0)
        return np.concatenate([left, left[:, ::-1]], 1)

    def _encode(self, small: Floats) -> Floats:
        """Return mu, (1, latent), of a face (1, 3, 64, 64)."""
        mu: Floats = self._encode_linearly(small[..., : HALF // 2]) + self._deviation * self._added(
            self._stack(face=small)
        )
        return mu


def _beside_mirror_image(planes: Floats) -> Floats:
    """Return an image and its mirror image, each (1, C, H, W), as one: (1, 2 C, H, W)."""
    return np.concatenate([planes, planes[..., ::-1]], 1)


def _planes(image: Floats) -> Floats:
    """Turn an image (H, W, C) into its planes (1, C, H, W)."""
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None])
