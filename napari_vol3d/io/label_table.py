"""The table of class names and colours in a NIfTI file: a header extension of XML, as Connectome Workbench has it.

TotalSegmentator writes the same table; both programs read the one that is written here.
"""

from __future__ import annotations

import logging
import struct
from xml.etree import ElementTree

from napari_vol3d.core.labels import LabelClass, default_color

log = logging.getLogger(__name__)

TABLE_CODE = 0  # as TotalSegmentator writes it; Workbench's own code is 30, and both are read


def read_table(between: bytes, order: str) -> tuple[LabelClass, ...]:
    """Find the classes among the extensions; a damaged table is left out, the voxels are still whole.

    Parameters
    ----------
    between : bytes
        What lies between the header and the voxels.
    order : str
        Byte order of the header, "<" or ">".
    """
    for content in _extensions(between, order):
        # No entities: a few bytes of them could unfold to gigabytes.
        if b"<CaretExtension" not in content or b"<!DOCTYPE" in content:
            continue
        try:
            root = ElementTree.fromstring(content.rstrip(b"\0 \r\n\t"))
            classes = {c.id: c for c in map(_class_of, root.iter("Label")) if c.id > 0}
        except (ElementTree.ParseError, ValueError) as error:
            log.warning("table of classes left out: %s", error)
            continue
        return tuple(classes.values())
    return ()


def table_extension(classes: tuple[LabelClass, ...]) -> bytes:
    """Give the header extension that holds these classes, padded as the standard wants it."""
    root = ElementTree.Element("CaretExtension")
    information = ElementTree.SubElement(root, "VolumeInformation", Index="0")
    table = ElementTree.SubElement(information, "LabelTable")
    for item in classes:
        shares = [int(item.color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        colors = dict(zip(("Red", "Green", "Blue"), (f"{share:.6f}" for share in shares), strict=True))
        label = ElementTree.SubElement(table, "Label", {"Key": str(item.id), **colors, "Alpha": "1"})
        label.text = "".join(c for c in item.name if c.isprintable())
    ElementTree.SubElement(information, "StudyMetaDataLinkSet")
    ElementTree.SubElement(information, "VolumeType").text = "Label"
    return _extension(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _class_of(label: ElementTree.Element) -> LabelClass:
    number = int(label.get("Key", ""))
    shares = [label.get(name) for name in ("Red", "Green", "Blue")]
    if any(share is None for share in shares):
        color = default_color(number)
    else:
        color = "#" + "".join(f"{round(255 * min(max(float(share or 0), 0.0), 1.0)):02x}" for share in shares)
    return LabelClass(id=number, name=(label.text or "").strip() or f"class {number}", color=color)


def _extensions(between: bytes, order: str) -> tuple[bytes, ...]:
    """Cut the bytes between header and voxels into the extensions' contents; stops where they make no sense."""
    found = []
    at = 4
    while between[:1] not in (b"", b"\0") and at + 8 <= len(between):
        (size,) = struct.unpack_from(f"{order}i", between, at)
        if size < 8 or at + size > len(between):
            break
        found.append(between[at + 8 : at + size])
        at += size
    return tuple(found)


def _extension(content: bytes) -> bytes:
    size = -(-(len(content) + 8) // 16) * 16
    return struct.pack("<ii", size, TABLE_CODE) + content.ljust(size - 8, b"\0")
