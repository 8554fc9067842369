"""XMP packets: let what describes the pixels follow them, remove what points to parts that a result has not."""

import re
from typing import NamedTuple
from xml.dom.minidom import Attr, Document, Element, parseString
from xml.parsers.expat import ExpatError

from symface_cli.imaging.metadata.move import Move


class _Names(NamedTuple):
    """Names of properties.

    Attributes:
        namespace: What the name's namespace begins with.
        pattern: What its local name matches.
    """

    namespace: str
    pattern: str = ".*"


_TIFF, _EXIF = "http://ns.adobe.com/tiff/1.0/", "http://ns.adobe.com/exif/1.0/"
# What points to, or describes, other parts of the file: gain maps, videos, depth maps, sounds, more XMP, thumbnails,
# signatures.
_PARTS = (
    _Names("http://ns.adobe.com/hdr-gain-map/"),
    _Names("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
    _Names("http://ns.adobe.com/xap/1.0/", "Thumbnails"),
    _Names("http://ns.apple.com/HDRGainMap/"),
    _Names("http://ns.apple.com/depthData/"),
    _Names("http://ns.apple.com/pixeldatainfo/"),
    _Names("http://ns.google.com/photos/1.0/audio/"),
    _Names("http://ns.google.com/photos/1.0/camera/", "MicroVideo.*|MotionPhoto.*"),
    _Names("http://ns.google.com/photos/1.0/container/"),
    _Names("http://ns.google.com/photos/1.0/depthmap/"),
    _Names("http://ns.google.com/photos/1.0/image/"),
    _Names("http://ns.google.com/photos/dd/"),
    _Names("http://ns.oplus.com/photos/1.0/camera/"),
    _Names("http://ns.vivo.com/photos/1.0/camera/"),
    _Names("http://ns.xiaomi.com/photos/1.0/camera/"),
    _Names("http://purl.org/dc/terms/", "provenance"),
)
# What says where something lies in the picture. Programs do not agree whether that is meant before or after it is
# turned upright, so that it cannot be turned along.
_PLACES = (
    _Names("http://iptc.org/std/Iptc4xmpExt/", "ImageRegion"),
    _Names("http://ns.acdsee.com/regions/"),
    _Names("http://ns.adobe.com/camera-raw-settings/", "HasCrop|Crop.*|.*Corrections|Retouch.*|RedEye.*|Upright.*"),
    _Names(_EXIF, "SubjectArea|SubjectLocation"),
    _Names("http://ns.google.com/photos/1.0/focus/"),
    _Names("http://ns.google.com/photos/1.0/panorama/"),
    _Names("http://ns.microsoft.com/photo/", "Region.*|Rectangle"),
    _Names("http://www.metadataworkinggroup.com/schemas/regions/"),
)
# What says of the two sides of a pixel which is which.
_SIDES = (_Names(_TIFF, "[XY]Resolution"), _Names(_EXIF, "FocalPlane[XY]Resolution"))
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)")


class FollowedXmp(NamedTuple):
    """An XMP packet as it fits a picture that was moved.

    Attributes:
        packet: Byte for byte as it was where nothing had to change; None if there is none, or a damaged one.
        notes: What a user should know of what was left out, a sentence each.
    """

    packet: bytes | None
    notes: tuple[str, ...] = ()


def follow_xmp(packet: bytes, move: Move) -> FollowedXmp:
    """Return what is still true of an XMP packet when a picture was moved and is written alone into a file."""
    packet = packet.strip(b"\0 \r\n")
    try:
        if _DOCTYPE.search(packet.replace(b"\0", b"")):  # of UTF-16, too; XMP has none, entity bombs have
            raise ValueError("XMP has no entities")
        document = parseString(packet)
        placed = move.moved and _remove(document, _PLACES)
        removed = _remove(document, _PARTS + (_SIDES if move.turned else ()))
        if not (_set_sizes(document, move) or placed or removed):
            return FollowedXmp(packet)
        _remove_declarations(document)
        written = "".join(node.toxml() for node in document.childNodes).encode()
    except (ExpatError, ValueError, LookupError, RecursionError):
        return FollowedXmp(None, ("its XMP is damaged, and not kept",))
    return FollowedXmp(written, ("the places in its XMP are not kept: its pixels lie elsewhere now",) if placed else ())


def _elements(document: Document) -> list[Element]:
    return list(document.getElementsByTagName("*"))


def _attributes(element: Element) -> list[Attr]:
    return list(element.attributes.values())


def _is_of(node: Element | Attr, names: tuple[_Names, ...]) -> bool:
    namespace, local = node.namespaceURI or "", node.localName or ""
    return any(namespace.startswith(known.namespace) and re.fullmatch(known.pattern, local) for known in names)


def _remove(document: Document, names: tuple[_Names, ...]) -> bool:
    """Remove properties, be they elements or attributes; tell whether there were any."""
    removed = False
    for element in _elements(document):
        for attribute in _attributes(element):
            if _is_of(attribute, names):
                element.removeAttributeNode(attribute)
                removed = True
        if _is_of(element, names) and element.parentNode is not None:
            element.parentNode.removeChild(element)
            removed = True
    return removed


def _set_sizes(document: Document, move: Move) -> bool:
    """Set orientation and size to what they are now, where they are said; tell whether one was something else."""
    values = {(_TIFF, "Orientation"): "1"}
    for namespace, across, down in (
        (_TIFF, "ImageWidth", "ImageLength"),
        (_EXIF, "PixelXDimension", "PixelYDimension"),
    ):
        values |= {(namespace, across): str(move.width), (namespace, down): str(move.height)}
    changed = False
    for element in _elements(document):
        for node in (element, *_attributes(element)):
            value = values.get((node.namespaceURI or "", node.localName or ""))
            text = node if isinstance(node, Attr) else node.firstChild
            if value is not None and text is not None and text.nodeValue != value:
                text.nodeValue = value
                changed = True
    return changed


def _remove_declarations(document: Document) -> None:
    """Remove the prefixes of namespaces of which nothing is left."""
    elements = _elements(document)
    used = {node.prefix for element in elements for node in (element, *_attributes(element))}
    for element in elements:
        for attribute in _attributes(element):
            is_known = any(attribute.value.startswith(known.namespace) for known in (*_PARTS, *_PLACES))
            if attribute.prefix == "xmlns" and attribute.localName not in used and is_known:
                element.removeAttributeNode(attribute)
