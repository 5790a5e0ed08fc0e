"""OME's description of a TIFF stack, an XML text in its first page: geometry, channel names, and our classes.

Classes lie in map annotations, a namespace of ours and key-value pairs, where OMERO and Bio-Formats show them too.
"""

from __future__ import annotations

import logging
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tifffile
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.io import times
from napari_vol3d.io.lengths import convert, length_unit, positive

log = logging.getLogger(__name__)

AGAIN = "Copy or download it again, or save it again as OME-TIFF."
OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
LABELS_NAMESPACE = "napari-vol3d/labels"
CLASS_NAMESPACE = "napari-vol3d/label-class"
MOST_ID = 2**32 - 1
UNITS = {"mm": "mm", "um": "\N{MICRO SIGN}m"}
TYPES = {
    "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "int8": "int8", "int16": "int16", "int32": "int32",
    "float32": "float", "float64": "double",
}  # fmt: skip


def read_root(tif: tifffile.TiffFile, path: Path) -> ElementTree.Element | None:
    """Parse the description, or give None where there is none.

    Raises
    ------
    FileProblem
        If it names other files, which tifffile would open, or declares XML entities.
    """
    text = tif.ome_metadata if tif.is_ome else None
    if not text:
        given = tif.pages.first.description
        if "<OME " in given and given.startswith("<"):  # tifffile takes it for a remark, and its spacing would be gone
            raise FileProblem(f"Damaged metadata: the OME description of {path.name} is cut.", hint=AGAIN)
        return None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FileProblem(f"Damaged metadata: {path.name} declares XML entities.", hint="Save it again as OME-TIFF.")
    root = ElementTree.fromstring(text)
    own = root.get("UUID")
    parts = {(part.text, part.get("FileName", "")) for part in root.iter() if _tag(part) == "UUID"}
    if own is None and len({uuid for uuid, _ in parts}) == 1:
        own = next((uuid for uuid, name in parts if name.lower() == tif.filename.lower()), None)
    others = sorted(name or str(uuid) for uuid, name in parts if uuid != own)
    if others or any(_tag(part) == "BinaryOnly" for part in root):
        named = f" ({Path(others[0]).name})" if others else ""
        raise FileProblem(
            f"Only a part of an image: {path.name} has its other parts in other files{named}.",
            hint="Save it as one OME-TIFF, for instance with Fiji.",
        )
    return root


def check_planes(root: ElementTree.Element, path: Path, pages: int) -> None:
    """Refuse a description of more planes than the file has pages; tifffile would make room for them.

    Raises
    ------
    FileProblem
        If it does, or of less than one.
    """
    for pixels in (element for element in root.iter() if _tag(element) == "Pixels"):
        sizes = [int(pixels.get(f"Size{axis}", 1)) for axis in "ZCTYX"]
        samples = [int(part.get("SamplesPerPixel", 1)) for part in pixels if _tag(part) == "Channel"]
        planes = math.prod(sizes[:3])
        if min(sizes) < 1:
            raise FileProblem(f"Damaged metadata: {path.name} declares the sizes {sizes}.", hint=AGAIN)
        if planes > pages * max(samples, default=1):
            raise FileProblem(
                f"Truncated or damaged: {path.name} holds {pages} pages, its metadata says {planes}.", hint=AGAIN
            )


def read_geometry(root: ElementTree.Element) -> Geometry:
    """Give spacing and origin in "mm", "um" or "pixel"; the axes of OME's world are the stack's own."""
    pixels = next(element for element in root.iter() if _tag(element) == "Pixels")
    sizes: list[float | None] = []
    units: list[str] = []
    for axis in "ZYX":
        default = "" if pixels.get(f"PhysicalSize{axis}") is None else "um"
        unit, factor = _length(pixels.get(f"PhysicalSize{axis}Unit"), default)
        size = positive(pixels.get(f"PhysicalSize{axis}"))
        sizes.append(size * factor if size else None)
        units.append(unit)
    known = [(size, unit) for size, unit in zip(sizes, units, strict=True) if size]
    if not known:
        return Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")
    unit = known[-1][1]
    # A missing size is taken from its neighbour: many writers leave out Z, and 1 would be a length out of the air.
    z, y, x = (convert(s, u, unit) if s else convert(*known[-1], unit) for s, u in zip(sizes, units, strict=True))
    return Geometry.from_spacing((z, y, x), unit=unit, origin=_origin(pixels, unit))


def time_step(root: ElementTree.Element) -> float | None:
    """Give the seconds between time points, or None where the description does not say."""
    pixels = next(element for element in root.iter() if _tag(element) == "Pixels")
    return times.seconds(pixels.get("TimeIncrement"), pixels.get("TimeIncrementUnit", "s"))


def read_classes(root: ElementTree.Element) -> tuple[tuple[LabelClass, ...], bool]:
    """Give the classes, and whether `describe` said that this is a label map; a class whose id is none is left out."""
    classes, is_labels = {}, False
    for note in root.iter():
        if _tag(note) != "MapAnnotation":
            continue
        is_labels |= note.get("Namespace") == LABELS_NAMESPACE
        if note.get("Namespace") == CLASS_NAMESPACE:
            entries = {str(m.get("K")): m.text or "" for m in note.iter() if _tag(m) == "M"}
            given, color = entries.get("id", ""), entries.get("color", "")
            number = int(given) if re.fullmatch("[0-9]{1,10}", given) else 0
            if not 0 < number <= MOST_ID:
                log.warning("class left out: %.40r is no label", given)
                continue
            color = color if re.fullmatch("#[0-9a-fA-F]{6}", color) else default_color(number)
            classes[number] = LabelClass(id=number, name=entries.get("name") or f"class {number}", color=color)
    return tuple(classes.values()), is_labels


def read_channel_names(root: ElementTree.Element) -> list[str]:
    """List the names of the channels in order, "" for one without."""
    return [channel.get("Name", "") for channel in root.iter() if _tag(channel) == "Channel"]


def describe(volume: Volume, held: NDArray[Any]) -> bytes:
    """Describe a volume in OME's terms, as the XML text for its first page.

    Parameters
    ----------
    volume : Volume
        For geometry, names and classes.
    held : ndarray, shape (Z, Y, X), (Z, Y, X, C), (Z, Y, X, T) or (Z, Y, X, C, T)
        As it will be stored, of a type in `TYPES`; planes in order of z, then channel, then time.
    """
    ElementTree.register_namespace("", OME[1:-1])
    root = ElementTree.Element(f"{OME}OME")
    image = _sub(root, "Image", {"ID": "Image:0", "Name": _clean(volume.name)})
    frames = held.shape[-1] if volume.timed else 1
    many = held.shape[3] if held.ndim == 4 + volume.timed else 1
    sizes = dict(zip(("SizeZ", "SizeY", "SizeX", "SizeC", "SizeT"), (*held.shape[:3], many, frames), strict=True))
    fixed = {"ID": "Pixels:0", "DimensionOrder": "XYZCT", "BigEndian": str(sys.byteorder == "big").lower()}
    step = times.time_step(volume)
    fixed |= {"TimeIncrement": repr(step), "TimeIncrementUnit": "s"} if step else {}
    lengths = {name: str(length) for name, length in sizes.items()}
    pixels = _sub(image, "Pixels", fixed | {"Type": TYPES[held.dtype.name]} | lengths | _sizes(volume.geometry))
    names: Sequence[str] = volume.channels if len(volume.channels) == sizes["SizeC"] else ()
    for index in range(sizes["SizeC"]):
        named = {"Name": _clean(names[index])} if names else {}
        _sub(pixels, "Channel", {"ID": f"Channel:0:{index}", "SamplesPerPixel": "1"} | named)
    _sub(pixels, "TiffData", {"IFD": "0", "PlaneCount": str(sizes["SizeZ"] * many * frames)})
    if not volume.geometry.anatomical and any(volume.geometry.origin):
        unit = UNITS.get(volume.geometry.unit, "pixel")
        position = dict(zip("XYZ", volume.geometry.origin, strict=True))
        attributes = {f"Position{axis}": repr(value) for axis, value in position.items()}
        attributes |= {f"Position{axis}Unit": unit for axis in "XYZ"}
        _sub(pixels, "Plane", {"TheZ": "0", "TheC": "0", "TheT": "0"} | attributes)
    if volume.is_labels:
        _annotate(root, image, volume.classes)
    return bytes(ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True))


def _origin(pixels: ElementTree.Element, unit: str) -> Spacing:
    """Give the position (x, y, z) of the first plane, where it is in a unit of length; else zeros."""
    plane = next((element for element in pixels if _tag(element) == "Plane"), None)
    origin = [0.0, 0.0, 0.0]
    for index, axis in enumerate("XYZ"):
        value = plane.get(f"Position{axis}") if plane is not None else None
        given, factor = _length(plane.get(f"Position{axis}Unit") if plane is not None else None, "")
        if value is not None and math.isfinite(float(value)) and (given == "pixel") == (unit == "pixel") and given:
            origin[index] = convert(float(value) * factor, given, unit)
    return (origin[2], origin[1], origin[0])


def _length(name: str | None, default: str) -> tuple[str, float]:
    return (default, 1.0) if name is None else length_unit(name)


def _sizes(geometry: Geometry) -> dict[str, str]:
    sizes = dict(zip("ZYX", geometry.spacing, strict=True))
    unit = UNITS.get(geometry.unit, "pixel")
    attributes = {f"PhysicalSize{axis}": repr(size) for axis, size in sizes.items()}
    return attributes | {f"PhysicalSize{axis}Unit": unit for axis in "ZYX"}


def _annotate(root: ElementTree.Element, image: ElementTree.Element, classes: tuple[LabelClass, ...]) -> None:
    notes = _sub(root, "StructuredAnnotations", {})
    maps: list[tuple[str, dict[str, str]]] = [(LABELS_NAMESPACE, {"program": "napari-vol3d"})]
    maps += [(CLASS_NAMESPACE, {"id": str(c.id), "name": _clean(c.name), "color": c.color}) for c in classes]
    for index, (namespace, entries) in enumerate(maps):
        note = _sub(notes, "MapAnnotation", {"ID": f"Annotation:{index}", "Namespace": namespace})
        value = _sub(note, "Value", {})
        for key, text in entries.items():
            _sub(value, "M", {"K": key}).text = text
        _sub(image, "AnnotationRef", {"ID": f"Annotation:{index}"})


def _sub(parent: ElementTree.Element, name: str, attributes: dict[str, str]) -> ElementTree.Element:
    return ElementTree.SubElement(parent, f"{OME}{name}", attributes)


def _tag(element: ElementTree.Element) -> str:
    """Give an element's name without the namespace, which changes with every version of OME."""
    return str(element.tag).rpartition("}")[2]


def _clean(text: str) -> str:
    """Leave out control characters, which XML can't hold."""
    return "".join(c for c in text if c.isprintable())
