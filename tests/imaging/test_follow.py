"""What describes the pixels follows them: turned or cut out, and without the parts that a result does not have."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from symface_cli.imaging.decoding import register_heic
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.metadata.exif import follow_exif
from symface_cli.imaging.metadata.move import Move
from symface_cli.imaging.metadata.photoshop import follow_resources, pack_resources
from symface_cli.imaging.metadata.xmp import follow_xmp
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import NOISE, camera_exif, png, saved, tiff

STILL = Move(width=32, height=24, moved=False)
TURNED = Move(width=24, height=32, moved=True, turned=True)
CUT = Move(width=10, height=10, moved=True)


def packet(properties: str, attributes: str = "") -> bytes:
    """An XMP packet with a title, and some more."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" {attributes}><dc:title>Jörg &amp; me</dc:title>{properties}'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


GOOGLE, ADOBE = "http://ns.google.com/photos/1.0/", "http://ns.adobe.com/"
DIRECTORY = (
    f'<C:Directory xmlns:C="{GOOGLE}container/" xmlns:I="{GOOGLE}container/item/"><rdf:Seq>'
    '<rdf:li rdf:parseType="Resource"><C:Item I:Semantic="GainMap" I:Length="1782"/></rdf:li></rdf:Seq></C:Directory>'
)
# Properties and attributes that point to other parts of a file, and a word that has to be gone.
POINTERS = {
    "gain map": ("", f'xmlns:hdrgm="{ADOBE}hdr-gain-map/1.0/" hdrgm:Version="1.0"', "hdr"),
    "gain map of another prefix": ("<g:Version>1.0</g:Version>", f'xmlns:g="{ADOBE}hdr-gain-map/1.0/"', "hdr"),
    "container": (DIRECTORY, "", "Directory"),
    "micro video": ("", f'xmlns:G="{GOOGLE}camera/" G:MicroVideo="1" G:MicroVideoOffset="5012"', "MicroVideo"),
    "motion photo": ("<G:MotionPhoto>1</G:MotionPhoto>", f'xmlns:G="{GOOGLE}camera/"', "MotionPhoto"),
    "extended XMP": ("", f'xmlns:n="{ADOBE}xmp/note/" n:HasExtendedXMP="0123"', "HasExtendedXMP"),
    "depth map": ("", f'xmlns:D="{GOOGLE}depthmap/" D:Format="RangeInverse"', "Range"),
    "depth map's picture": ("", f'xmlns:I="{GOOGLE}image/" I:Data="AAAA"', "AAAA"),
    "dynamic depth": ("<V:Device>x</V:Device>", 'xmlns:V="http://ns.google.com/photos/dd/1.0/device/"', "Device"),
    "Apple's gain map": ("", 'xmlns:H="http://ns.apple.com/HDRGainMap/1.0/" H:HDRGainMapVersion="65536"', "HDRGainMap"),
    "Xiaomi's watermark": ("", 'xmlns:M="http://ns.xiaomi.com/photos/1.0/camera/" M:XMPMeta="offset"', "offset"),
    "OPPO's video": ("", 'xmlns:O="http://ns.oplus.com/photos/1.0/camera/" O:VideoLength="99"', "VideoLength"),
    "thumbnail": ("<x1:Thumbnails>AAAA</x1:Thumbnails>", f'xmlns:x1="{ADOBE}xap/1.0/"', "AAAA"),
    "credentials": ("", 'xmlns:t="http://purl.org/dc/terms/" t:provenance="self#jumbf=c2pa"', "jumbf"),
}
REGIONS = (
    '<m:Regions xmlns:m="http://www.metadataworkinggroup.com/schemas/regions/" rdf:parseType="Resource">'
    '<m:RegionList><rdf:Bag><rdf:li xmlns:a="http://ns.adobe.com/xmp/sType/Area#" a:x="0.3" a:y="0.2" m:Name="me"/>'
    "</rdf:Bag></m:RegionList></m:Regions>"
)
MICROSOFT = (
    '<MP:RegionInfo xmlns:MP="http://ns.microsoft.com/photo/1.2/" xmlns:R="http://ns.microsoft.com/photo/1.2/t/Region#">'
    '<rdf:Bag><rdf:li R:Rectangle="0.3, 0.2, 0.1, 0.1"/></rdf:Bag></MP:RegionInfo>'
)
PLACES = {
    "regions": (REGIONS, "", "0.3"),
    "Microsoft's regions": (MICROSOFT, "", "0.3"),
    "IPTC's regions": (
        "<i:ImageRegion>0.3</i:ImageRegion>",
        'xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"',
        "0.3",
    ),
    "ACDSee's regions": ('<a:Regions xmlns:a="http://ns.acdsee.com/regions/">0.3</a:Regions>', "", "0.3"),
    "Camera Raw's crop": ("", f'xmlns:c="{ADOBE}camera-raw-settings/1.0/" c:HasCrop="True" c:CropTop="0.3"', "0.3"),
    "panorama": ("", f'xmlns:P="{GOOGLE}panorama/" P:CroppedAreaLeftPixels="9"', "CroppedArea"),
    "subject": ("<e:SubjectArea>0.3</e:SubjectArea>", f'xmlns:e="{ADOBE}exif/1.0/"', "0.3"),
}


@pytest.mark.parametrize("kind", POINTERS)
@pytest.mark.parametrize("move", [STILL, TURNED])
def test_pointers_to_other_parts_are_removed_and_the_rest_stays(kind: str, move: Move) -> None:
    properties, attributes, word = POINTERS[kind]
    followed = follow_xmp(packet(properties, attributes), move)
    assert followed.packet is not None and word.encode() not in followed.packet
    assert "<dc:title>Jörg &amp; me</dc:title>".encode() in followed.packet and followed.notes == ()
    assert follow_xmp(followed.packet, STILL).packet == followed.packet


@pytest.mark.parametrize("kind", PLACES)
def test_places_stay_where_the_pixels_do(kind: str) -> None:
    properties, attributes, word = PLACES[kind]
    given = packet(properties, attributes)
    assert follow_xmp(given, STILL).packet == given
    for move in (TURNED, CUT):
        followed = follow_xmp(given, move)
        assert followed.packet is not None and word.encode() not in followed.packet and b"dc:title" in followed.packet
        assert followed.notes == ("the places in its XMP are not kept: its pixels lie elsewhere now",)


def test_sizes_and_orientation_in_xmp_are_those_of_the_result() -> None:
    given = packet(
        "<e:PixelXDimension>32</e:PixelXDimension>",
        f'xmlns:e="{ADOBE}exif/1.0/" xmlns:t="{ADOBE}tiff/1.0/" e:PixelYDimension="24" t:Orientation="6"',
    )
    followed = follow_xmp(given, TURNED).packet
    assert followed is not None
    for said in (b"PixelXDimension>24<", b'PixelYDimension="32"', b't:Orientation="1"', "Jörg &amp; me".encode()):
        assert said in followed
    assert followed.startswith(b"<?xpacket begin") and followed.endswith(b'<?xpacket end="w"?>')


BOMB = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>'
DAMAGED = [packet("")[:-40], b"<x", b"no XML", b"<a:b/>", BOMB, BOMB.decode().encode("utf-16"), b"<a>" * 100_000]


@pytest.mark.parametrize("damaged", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_xmp_is_left_out_with_a_note(damaged: bytes) -> None:
    assert follow_xmp(damaged, STILL) == (None, ("its XMP is damaged, and not kept",))


# ---- EXIF


def exif_with_places(orientation: int) -> bytes:
    exif = Image.Exif()
    exif.update({0x0100: 32, 0x0101: 24, 0x0112: orientation, 0x011A: 300.0, 0x011B: 150.0, 0x010F: "Maker"})
    exif.get_ifd(0x8769).update(
        {0xA002: 32, 0xA003: 24, 0x9214: (3, 4, 5, 6), 0xA214: (3, 4), 0x829A: 0.5, 0xA434: "50 mm"}
    )
    exif.get_ifd(0x8769).update({0xA20E: 1000.0, 0xA20F: 500.0, 0xA210: 2})
    return exif.tobytes()


def as_read(exif: bytes | None) -> tuple[dict[int, object], dict[int, object]]:
    assert exif is not None
    read = Image.Exif()
    read.load(exif)
    return dict(read), dict(read.get_ifd(0x8769))


def test_exif_has_the_size_of_the_result() -> None:
    first, details = as_read(follow_exif(exif_with_places(6), TURNED))
    assert (first[0x0100], first[0x0101], first[0x0112], first[0x010F]) == (24, 32, 1, "Maker")
    assert (first[0x011A], first[0x011B]) == (150, 300)
    assert (details[0xA002], details[0xA003], details[0x829A], details[0xA434]) == (24, 32, 0.5, "50 mm")
    assert (details[0xA20E], details[0xA20F]) == (500, 1000)
    assert not {0x9214, 0xA214} & details.keys()


@pytest.mark.parametrize("orientation", [1, 3, 8])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_of_a_file_follows_its_pixels(format: str, orientation: int) -> None:
    picture = read_picture(saved(NOISE, format, exif=exif_with_places(orientation)))
    _, details = as_read(picture.metadata.exif)
    height, width = picture.pixels.shape[:2]
    assert (details[0xA002], details[0xA003]) == (width, height) == ((24, 32) if orientation == 8 else (32, 24))
    assert (0x9214 in details) == (orientation == 1)


def test_cut_out_part_has_its_own_size_and_no_places() -> None:
    picture = read_picture(saved(NOISE, "JPEG", exif=exif_with_places(1), xmp=packet(REGIONS)))
    part = picture.cropped(slice(2, 12), slice(5, 25))
    first, details = as_read(part.metadata.exif)
    assert (first[0x0100], first[0x0101], details[0xA002], details[0xA003]) == (20, 10, 20, 10)
    assert 0x9214 not in details and (first[0x011A], first[0x011B]) == (300, 150)
    assert part.metadata.xmp is not None and b"Regions" not in part.metadata.xmp
    assert picture.metadata.xmp == packet(REGIONS)
    np.testing.assert_array_equal(part.pixels, picture.pixels[2:12, 5:25])
    np.testing.assert_array_equal(part.photo, picture.photo[2:12, 5:25])


def test_exif_whose_directory_points_to_itself_is_followed_once() -> None:
    loop = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 0)
    assert follow_exif(loop, TURNED) == b"Exif\0\0" + loop


# ---- other parts of a file

PARTS = {
    "HDR gain map": [b"http://ns.adobe.com/hdr-gain-map/1.0/", b"urn:iso:std:iso:ts:21496:-1\0", b"HDRGainMapVersion"],
    "video": [b'GCamera:MotionPhoto="1"', b"<GCamera:MicroVideo>1<", b"MotionPhoto_Data", b"mpvd\0\0\0\x18ftyp"],
    "depth map": [b"http://ns.google.com/photos/1.0/depthmap/", b"http://ns.google.com/photos/dd/1.0/device/"],
    "content credentials": [b"\0\0\0\x1ejumdc2pa\0\x11\0\x10"],
    "extended XMP": [b"http://ns.adobe.com/xmp/extension/\0GUID"],
}


@pytest.mark.parametrize(("what", "mark"), [(what, mark) for what, marks in PARTS.items() for mark in marks])
def test_parts_that_are_not_kept_are_noted(what: str, mark: bytes) -> None:
    (note,) = read_picture(saved(NOISE, "JPEG") + mark).notes
    assert what in note and "not kept" in note


def test_video_that_is_not_there_is_not_missed() -> None:
    assert read_picture(saved(NOISE, "JPEG") + b'GCamera:MotionPhoto="0"').notes == ()


def test_further_pictures_of_a_jpeg_are_noted_but_thumbnails_are_not() -> None:
    two = saved(NOISE, "MPO", save_all=True, append_images=[Image.fromarray(NOISE)])
    assert read_picture(two).notes == ("only the first of its 2 pictures is taken",)
    with Image.open(io.BytesIO(two)) as image:
        attribute = image.mpinfo[0xB002][1]["Attribute"]
    assert not attribute["MPType"].startswith("Large Thumbnail")


def test_result_of_an_ultra_hdr_photo_is_a_plain_one() -> None:
    gain = saved(NOISE[:8, :8], "JPEG")
    first = saved(NOISE, "JPEG", xmp=packet(DIRECTORY, f'xmlns:hdrgm="{ADOBE}hdr-gain-map/1.0/" hdrgm:Version="1.0"'))
    picture = read_picture(first + gain)
    assert picture.notes == ("its HDR gain map is not kept: the result is the picture without it",)
    written = encode_picture(picture, picture.pixels)
    assert read_picture(written).notes == ()
    assert not any(word in written for word in (b"hdrgm", b"GainMap", b"Container", b"1782"))
    assert written.count(b"\xff\xd8\xff") == 1 and "Jörg".encode() in written


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 16), (9, 18), (12, 13)])
def test_numbers_for_colors_stay_in_a_heic(primaries: int, transfer: int) -> None:
    """BT.2020 with PQ or HLG, as cameras write HDR, and Display P3; ITU-T H.273."""
    pytest.importorskip("pillow_heif")
    register_heic("")
    told = {"color_primaries": primaries, "transfer_characteristics": transfer, "matrix_coefficients": 9}
    picture = read_picture(saved(NOISE, "HEIF", **told))
    with Image.open(io.BytesIO(encode_picture(picture, picture.pixels))) as image:
        written = image.info["nclx_profile"]
    assert {key: written[key] for key in told} == told


def test_colors_that_an_avif_cannot_keep_are_noted() -> None:
    plain = saved(NOISE, "AVIF")
    at = plain.index(b"colrnclx") + 8
    hdr = plain[:at] + struct.pack(">HH", 9, 16) + plain[at + 4 :]
    assert read_picture(plain).notes == ()
    assert read_picture(hdr).notes == ("its wide or HDR colors are not kept: the result says sRGB",)


# ---- other descriptions


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """8BIM, number, name and data, each of the two padded to an even number of bytes."""
    named = bytes([len(name)]) + name
    padded = named + bytes(len(named) % 2)
    return b"8BIM" + struct.pack(">H", number) + padded + struct.pack(">I", len(data)) + data + bytes(len(data) % 2)


CAPTION, THUMBNAIL, GUIDES = (
    resource(1028, b"\x1c\x02\x50\0\x02me"),
    resource(1036, bytes(99)),
    resource(1032, bytes(4), b"a"),
)


def test_photoshops_thumbnail_goes_and_captions_stay() -> None:
    assert follow_resources(THUMBNAIL + CAPTION + GUIDES, STILL) == CAPTION + GUIDES
    assert follow_resources(THUMBNAIL + GUIDES + CAPTION, TURNED) == CAPTION
    assert follow_resources(CAPTION + THUMBNAIL[:-9], STILL) == CAPTION
    for damaged in (b"", b"8BIM", b"8BIM\4\4\xff", b"x" * 99):
        assert follow_resources(damaged, STILL) == b""


def test_photoshops_resources_of_several_blocks_are_joined() -> None:
    large = resource(1028, bytes(100_000))
    data = saved(NOISE, "JPEG", extra=pack_resources(THUMBNAIL + large))
    picture = read_picture(data)
    assert picture.metadata.resources == large
    assert read_picture(encode_picture(picture, picture.pixels)).metadata.resources == large


def test_texts_of_a_png_that_describe_the_old_pixels_are_left_out() -> None:
    texts = PngImagePlugin.PngInfo()
    for key in ("exif:Orientation", "Thumb::Image::Width", "tiff:ImageWidth", "Title"):
        texts.add_text(key, "6")
    picture = read_picture(saved(NOISE, pnginfo=texts))
    with Image.open(io.BytesIO(encode_picture(picture, picture.pixels))) as image:
        assert image.info == {"Title": "6"}


def test_resolution_is_turned_with_the_pixels() -> None:
    for orientation, expected in ((1, (300, 150)), (3, (300, 150)), (6, (150, 300))):
        picture = read_picture(saved(NOISE, "JPEG", dpi=(300, 150), exif=camera_exif("<", orientation)))
        assert picture.metadata.dpi == expected


def test_thumbnail_of_a_jfif_extension_is_dropped() -> None:
    extension = b"JFXX\0\x13\1\1" + bytes(3)
    data = saved(NOISE, "JPEG")
    data = data[:20] + b"\xff\xe0" + struct.pack(">H", len(extension) + 2) + extension + data[20:]
    picture = read_picture(data)
    assert b"JFXX" in data and b"JFXX" not in encode_picture(picture, picture.pixels)


def test_bigtiff_and_deep_png_keep_places_only_where_they_are() -> None:
    upright = read_picture(tiff(NOISE, 2))
    assert upright.metadata.exif is None
    data = png(NOISE.astype(np.uint16) * 257, (b"eXIf", exif_with_places(3)[6:]))
    picture = read_picture(data)
    assert 0x9214 not in as_read(picture.metadata.exif)[1]
    assert read_picture(encode_picture(replace(picture), picture.pixels)).metadata.exif == picture.metadata.exif
