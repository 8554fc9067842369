"""A server as it runs, asked over the network of this machine."""

import io
import json
import socket
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import httpx
import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.serve import server
from tests.processes import forking
from tests.serve.conftest import KILLING

pytestmark = forking
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def site(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)


def sent(site: httpx.Client, photo: Path, action: str, **fields: object) -> httpx.Response:
    return site.post(f"/api/{action}", files={"photo": (photo.name, photo.read_bytes())}, data=fields)


def bomb(side: int) -> bytes:
    """A PNG that claims to have side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9999))) + chunk(b"IEND", b"")
    )


def test_a_result_is_what_the_library_makes(site: httpx.Client, portrait: Path) -> None:
    answer = sent(site, portrait, "symmetrize", shape="0.5", color="0")
    assert answer.headers["content-type"] == "image/jpeg"
    assert unquote(answer.headers["content-disposition"]).endswith("''portrait.symmetric.jpg")
    assert answer.content == symface_cli.symmetrize(portrait.read_bytes(), shape=0.5, color=0)


def test_what_a_photo_says_beside_its_pixels_is_kept(site: httpx.Client, portrait: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    stream = io.BytesIO()
    Image.open(portrait).resize((200, 200)).save(stream, "JPEG", exif=exif, icc_profile=b"", dpi=(123, 123))
    answer = site.post("/api/symmetrize", content=stream.getvalue(), headers={"Content-Type": "image/jpeg"})
    image = Image.open(io.BytesIO(answer.content))
    assert image.getexif()[0x010E] == "a description"
    assert image.info["dpi"] == (123, 123)


def test_several_results_are_an_archive(site: httpx.Client, pair: Path) -> None:
    answer = sent(site, pair, "symmetrize", output="face", size="64")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["pair.symmetric-face-1.png", "pair.symmetric-face-2.png"]
        face = pixels(archive.read("pair.symmetric-face-2.png"))
    assert face.shape == (64, 64, 3)
    assert (face == face[:, ::-1]).all()


def test_measures_are_those_of_the_library(site: httpx.Client, portrait: Path, tmp_path: Path) -> None:
    photo = tmp_path / "small.png"
    Image.open(portrait).resize((128, 128)).save(photo)
    answered = sent(site, photo, "measure")
    (face,), (expected,) = answered.json()["faces"], symface_cli.measure(photo)
    assert face["photo"] == "small.png"
    assert face["values"]["whole_shape_pct"]["value"] == pytest.approx(
        expected.values["whole_shape_pct"].value, abs=1e-4
    )
    assert unquote(answered.headers["content-disposition"]).endswith("''small.asymmetry.json")
    heatmap = sent(site, photo, "measure", output="heatmap")
    assert pixels(heatmap.content).shape == (576, 1024, 3)
    overlay = sent(site, photo, "measure", output="overlay", screen="64")
    assert (overlay.headers["content-type"], pixels(overlay.content).shape) == ("image/jpeg", (64, 64, 3))


def test_a_preview_shows_the_photo_with_boxes(site: httpx.Client, pair: Path) -> None:
    answer = sent(site, pair, "preview")
    changed = (abs(pixels(answer.content) - pixels(pair.read_bytes())) > 60).any(-1)
    assert 0.001 < changed.mean() < 0.1
    small = sent(site, pair, "preview", screen="300")
    assert (small.headers["content-type"], pixels(small.content).shape) == ("image/jpeg", (164, 300, 3))


@pytest.fixture(scope="module")
def kept(site: httpx.Client) -> dict:
    """The pair, kept: two faces."""
    photo = Path(__file__).parents[2] / "examples" / "pair.jpg"
    answer = site.post("/api/photos", files={"photo": ("pair.jpg", photo.read_bytes())})
    assert answer.status_code == 201
    return answer.json()


def shown(site: httpx.Client, kept: dict, action: str = "symmetrize", **fields: object) -> bytes:
    answer = site.post(f"/api/photos/{kept['key']}/{action}", data=fields)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_kept_photo_is_described(kept: dict) -> None:
    assert (kept["width"], kept["height"], kept["suffix"]) == (1235, 675, ".jpg")
    for face in kept["faces"]:
        box, eyes, midline = (np.array(face[name]) for name in ("box", "eyes", "midline"))
        assert (box.min(0) < eyes).all()
        assert (eyes < box.max(0)).all()
        assert eyes[0, 0] < midline[:, 0].mean() < eyes[1, 0]
        assert midline[0, 1] < eyes[:, 1].min() < midline[1, 1]


def test_what_is_on_the_screen_is_the_full_result_made_smaller(site: httpx.Client, kept: dict) -> None:
    small = pixels(shown(site, kept, screen="600"))
    full = Image.open(io.BytesIO(shown(site, kept)))
    assert small.shape == (328, 600, 3)
    assert abs(small - np.asarray(full.resize((600, 328), Image.Resampling.BOX), np.int16)).mean() < 1
    assert (small == pixels(shown(site, kept, screen="600", shape="1"))).all()


def test_only_the_marked_face_is_changed(site: httpx.Client, kept: dict) -> None:
    plain = pixels(shown(site, kept, screen="600", shape="0", color="0"))
    one = abs(pixels(shown(site, kept, screen="600", marks='[{"number": 2}]')) - plain).max(-1)
    half = 300 if kept["faces"][1]["box"][0][0] > kept["width"] / 2 else 0
    assert one[:, half : half + 300].max() > 30
    assert one[:, 300 - half : 600 - half].max() < 10


def test_a_midline_that_is_dragged_moves_the_symmetry_with_it(site: httpx.Client, kept: dict) -> None:
    face = kept["faces"][0]
    (x1, y1), (x2, y2) = face["midline"]
    apart = np.hypot(*np.subtract(*face["eyes"]))

    def result(aside: float) -> np.ndarray:
        midline = [x1 + aside, y1, x2 + aside, y2]
        return pixels(shown(site, kept, screen="1235", marks=json.dumps([{"number": 1, "midline": midline}])))

    same = pixels(shown(site, kept, screen="1235", marks='[{"number": 1}]'))
    assert abs(result(0) - same).mean() < 0.05
    assert abs(result(0.1 * apart) - same).mean() > 0.2


def test_eyes_that_are_given_find_a_face_again(site: httpx.Client, kept: dict) -> None:
    eyes = [coordinate for point in kept["faces"][1]["eyes"] for coordinate in point]
    marked = pixels(shown(site, kept, screen="600", marks=json.dumps([{"eyes": eyes}])))
    found = pixels(shown(site, kept, screen="600", marks='[{"number": 2}]'))
    assert abs(marked - found).mean() < 1.5
    numbers = [face["face"] for face in json.loads(shown(site, kept, "measure", marks='[{"number": 2}]'))["faces"]]
    assert numbers == [2]


def test_an_animation_is_made_of_the_small_photo(site: httpx.Client, kept: dict) -> None:
    image = Image.open(io.BytesIO(shown(site, kept, screen="100", gif="true", marks='[{"number": 1}]')))
    assert (image.format, image.size, image.n_frames) == ("GIF", (100, 55), 24)


@pytest.mark.parametrize(
    ("content", "kind", "exit_status"),
    [
        (b"", "photo", 3),
        (b"no picture", "photo", 3),
        (b"\xff\xd8\xff\xe0 cut short", "photo", 3),
        (b"%!PS-Adobe-3.0 (/etc/passwd) run", "photo", 3),
        (b"file:///etc/passwd", "photo", 3),
        (bomb(30_000), "photo", 3),
        (bomb(64), "photo", 3),
    ],
)
def test_what_is_no_picture_is_refused(site: httpx.Client, content: bytes, kind: str, exit_status: int) -> None:
    for path in ("/api/symmetrize", "/api/measure", "/api/preview", "/api/photos"):
        problem = site.post(path, content=content, headers=PNG).json()
        assert (problem["status"], problem["type"]) == (422, f"urn:symface:{kind}"), problem
        assert problem["exit_status"] == exit_status


def test_a_photo_without_a_face_says_so(site: httpx.Client) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), "gray").save(stream, "PNG")
    problem = site.post("/api/symmetrize", content=stream.getvalue(), headers=PNG).json()
    assert (problem["type"], problem["exit_status"]) == ("urn:symface:no-face", 4)
    kept = site.post("/api/photos", content=stream.getvalue(), headers=PNG)
    assert (kept.status_code, kept.json()["faces"]) == (201, [])
    assert site.delete(kept.headers["location"]).status_code == 204


def test_a_picture_that_kills_its_process_costs_nobody_else(site: httpx.Client, portrait: Path, kept: dict) -> None:
    for _ in range(3):
        problem = site.post("/api/symmetrize", content=KILLING, headers=PNG).json()
        assert (problem["status"], problem["type"]) == (500, "urn:symface:worker")
        assert sent(site, portrait, "symmetrize", screen="64").status_code == 200
        assert shown(site, kept, screen="64")


def test_fifty_at_once_are_all_answered_rightly(site: httpx.Client, portrait: Path) -> None:
    small = io.BytesIO()
    Image.open(portrait).resize((160, 160)).save(small, "PNG")
    good = small.getvalue()
    right = site.post("/api/symmetrize", content=good, headers=PNG).content

    def ask(number: int) -> bool:
        content = good if number % 2 else good[: len(good) // 2]
        answer = site.post("/api/symmetrize", content=content, headers=PNG)
        return answer.content == right if number % 2 else answer.status_code == 422

    with ThreadPoolExecutor(50) as threads:
        assert all(threads.map(ask, range(50)))
    assert site.get("/api/health").json()["busy"] == 0


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "//etc/passwd", "/static//etc/passwd"]
)
def test_paths_lead_nowhere_else(address: str, path: str) -> None:
    assert raw(address, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").split()[1] == b"404"


def raw(address: str, request: str) -> bytes:
    """What is answered to these very bytes."""
    url = httpx.URL(address)
    with socket.create_connection((url.host, url.port), 30) as connection:
        connection.sendall(request.encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_half_a_gigabyte_is_refused_before_it_is_sent(address: str) -> None:
    head = f"POST /api/symmetrize HTTP/1.1\r\nHost: localhost\r\nContent-Length: {500 * 2**20}\r\n"
    answer = raw(address, head + "Content-Type: image/png\r\nConnection: close\r\n\r\n")
    assert answer.split()[1] == b"413"


def test_a_request_that_trickles_in_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ASKING_SECONDS", 0.2)
    start = time.monotonic()
    assert raw(address, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ") == b""
    assert time.monotonic() - start < 15
