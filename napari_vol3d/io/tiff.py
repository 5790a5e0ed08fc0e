"""TIFF stacks: plain, ImageJ, OME, BigTIFF. No patient axes, so nothing is ever flipped.

Written is OME-TIFF: ImageJ's kind can't hold 32-bit ids. Class names and colours lie in its map annotations, where
OMERO and Bio-Formats show them too.
"""

from __future__ import annotations

import logging
import math
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass, default_color, to_label_dtype
from napari_vol3d.core.volume import Geometry, Spacing, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import same_voxels, write_safely

log = logging.getLogger(__name__)

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
LABELS_NAMESPACE = "napari-vol3d/labels"
CLASS_NAMESPACE = "napari-vol3d/label-class"
AGAIN = "Copy or download it again."
LENGTHS: dict[str, tuple[str, float]] = {
    "m": ("mm", 1e3), "cm": ("mm", 10.0), "mm": ("mm", 1.0), "millimeter": ("mm", 1.0), "inch": ("mm", 25.4),
    "in": ("mm", 25.4), "um": ("um", 1.0), "\N{MICRO SIGN}m": ("um", 1.0), "\N{GREEK SMALL LETTER MU}m": ("um", 1.0),
    "\\u00b5m": ("um", 1.0), "micron": ("um", 1.0), "microns": ("um", 1.0), "micrometer": ("um", 1.0),
    "nm": ("um", 1e-3), "nanometer": ("um", 1e-3),
}  # fmt: skip
OME_UNITS = {"mm": "mm", "um": "\N{MICRO SIGN}m"}
OME_TYPES = {
    "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "int8": "int8", "int16": "int16", "int32": "int32",
    "float32": "float", "float64": "double",
}  # fmt: skip
TAG_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
MOST_FLAT_CHANNELS = 4  # of a single slice
AXIS_NAMES = {"C": "channels", "T": "time points"}
SAMPLES = ("red", "green", "blue", "alpha")


def read_tiff(path: Path) -> Volume:
    """Read a TIFF stack.

    Slices are the Z axis, or the one axis that the file does not name; a single page is one slice. Channels, time
    points and colour samples become the last axis, one kind of them at a time. Where they are the only axis beside
    Y and X and more than four, they are taken as the slices: that is how stacks look whose writer named no axes.

    Returns
    -------
    Volume
        (Z, Y, X) or (Z, Y, X, C). Spacing from ImageJ or OME metadata in "mm" or "um", else "pixel". `is_labels` is
        True where `write_tiff` said so, else None.

    Raises
    ------
    FileProblem
        If it is truncated or damaged, too large, has parts in other files, or its axes are not clear.
    """
    gate.require(path, "a TIFF file")
    with gate.reading(path) as size:
        pages = _count_pages(path, size)
        with tifffile.TiffFile(path) as tif:
            ome = _ome_root(tif, path)
            series = _only_series(tif, path, pages, size)
            keyframe = series.keyframe
            if series.dtype is None or series.dtype.kind not in "buif":
                raise FileProblem(f"Not plain numbers: {path.name} holds {series.dtype}.", hint="Convert it first.")
            shape = tuple(int(n) for n in series.shape)
            gate.check_memory(path, gate.declared_bytes(path, shape, series.dtype.itemsize))
            _check_codec(keyframe, path)
            voxels = np.asarray(series.asarray())
            if voxels.shape != shape:
                raise FileProblem(f"Damaged file: {path.name} gives {voxels.shape} instead of {shape}.", hint=AGAIN)
            held, kind = _arrange(voxels, series.axes, path)
            geometry = _ome_geometry(ome) if ome is not None else _imagej_geometry(tif)
        gate.check_affine(path, geometry.affine)
        classes, is_labels = _ome_classes(ome)
    return Volume(
        data=held, geometry=geometry, name=path.name.split(".tif")[0].removesuffix(".ome"), source=path,
        channels=_channel_names(held, kind, ome), is_labels=True if is_labels else None, classes=classes,
    )  # fmt: skip


def write_tiff(target: Path, volume: Volume) -> Path:
    """Write a volume as OME-TIFF, compressed without loss.

    Spacing, unit, class names and colours are kept; the origin too, but not for patients' volumes: TIFF has no
    place for their axes, and without these it means nothing.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    voxels = np.asarray(volume.data)
    held = to_label_dtype(voxels) if volume.is_labels else _storable(target, voxels)
    planes = held if held.ndim == 3 else np.moveaxis(held, -1, 0)
    description = ElementTree.tostring(_ome_xml(volume, held), encoding="us-ascii", xml_declaration=True)

    def write(path: Path) -> None:
        tifffile.imwrite(
            path, planes, description=description, metadata=None, photometric="minisblack", compression="zlib",
            software="napari-vol3d",
        )  # fmt: skip

    def check(path: Path) -> None:
        found = read_tiff(path)
        where = np.allclose(found.geometry.spacing, volume.geometry.spacing, rtol=1e-9)
        meant = held[..., 0] if held.ndim == 4 and held.shape[3] == 1 else held  # one channel has no axis in a file
        if not where or not same_voxels(found.data, meant):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _count_pages(path: Path, size: int) -> int:
    """Walk the chain of page directories, and prove that it and all it points to lie in the file.

    tifffile stops without a word where the chain leaves the file (a truncated stack then has fewer slices), and
    leaves out tags whose values do (the spacing is gone then).
    """
    seen: set[int] = set()
    with path.open("rb") as file:
        start = file.read(16)
        order = "<" if start[:2] == b"II" else ">"
        big = start[2:4] in (b"+\0", b"\0+")
        count_format, entry, link = (f"{order}Q", f"{order}HHQQ", f"{order}Q")
        if not big:
            count_format, entry, link = (f"{order}H", f"{order}HHII", f"{order}I")
        (offset,) = struct.unpack_from(link, start, 8 if big else 4)
        while offset:
            if offset in seen:
                raise FileProblem(f"Damaged file: the pages of {path.name} run in a circle.", hint=AGAIN)
            seen.add(offset)
            (count,) = _unpack_at(file, path, size, offset, count_format)
            at = offset + struct.calcsize(count_format)
            _check_tags(file, path, size, at, count, entry)
            (offset,) = _unpack_at(file, path, size, at + count * struct.calcsize(entry), link)
    return len(seen)


def _check_tags(file: IO[bytes], path: Path, size: int, at: int, count: int, entry: str) -> None:
    end = at + count * struct.calcsize(entry)
    if end > size:
        raise gate.truncated(path, end, size)
    file.seek(at)
    inside = struct.calcsize(entry) - struct.calcsize(entry[:-1])  # so many bytes lie in the tag itself
    for _, kind, length, where in struct.iter_unpack(entry, file.read(end - at)):
        needed = TAG_SIZES.get(kind, 0) * length
        if needed > inside and where + needed > size:
            raise gate.truncated(path, where + needed, size)


def _unpack_at(file: IO[bytes], path: Path, size: int, at: int, form: str) -> tuple[int, ...]:
    if at + struct.calcsize(form) > size:
        raise gate.truncated(path, at + struct.calcsize(form), size)
    file.seek(at)
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _only_series(tif: tifffile.TiffFile, path: Path, pages: int, size: int) -> tifffile.TiffPageSeries:
    """Give the stack, after proving that all of it is in the file."""
    for page in tif.pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if count <= 0 or offset <= 0:
                raise FileProblem(f"Damaged file: a page of {path.name} has no voxels.", hint=AGAIN)
            if offset + count > size:
                raise gate.truncated(path, offset + count, size)
    if not tif.series:
        raise FileProblem(f"No image in {path.name}.", hint=AGAIN)
    if len(tif.series) > 1:
        shapes = ", ".join(str(series.shape) for series in tif.series[:3])
        raise FileProblem(
            f"Several images in one file: {path.name} has {len(tif.series)}, of shapes {shapes}.",
            hint="Save the one you want as a file of its own, for instance with Fiji.",
        )
    series = tif.series[0]
    declared = math.prod(series.shape) // math.prod(series.keyframe.shape)
    said = int((tif.imagej_metadata or {}).get("images", declared)) if tif.is_imagej else declared
    # ImageJ and tifffile may describe one page and put the voxels of all behind it.
    behind = pages == 1 and tif.pages[0].is_contiguous and not tif.is_ome
    if behind and declared > 1:
        gate.check_stored(path, series.keyframe.dataoffsets[0] + declared * series.keyframe.nbytes, size)
    elif declared != pages or (said > pages and pages > 1) or (said > declared == 1):
        raise FileProblem(
            f"Truncated or damaged: {path.name} holds {pages} pages, its metadata says {max(declared, said)}.",
            hint=AGAIN,
        )
    if any(page is None for page in series):
        raise FileProblem(f"Pages are missing in {path.name}.", hint=AGAIN)
    return series


def _check_codec(page: tifffile.TiffPage, path: Path) -> None:
    """Refuse a compression that this installation can't decode, by name and with what would help."""
    try:
        if page.compression != 1:
            tifffile.TIFF.DECOMPRESSORS[page.compression]
        if page.predictor != 1:
            tifffile.TIFF.UNPREDICTORS[page.predictor]
    except KeyError as error:
        raise FileProblem(
            f"Compression not supported: {path.name} uses {tifffile.COMPRESSION(page.compression).name}.",
            hint="Install imagecodecs (pip install imagecodecs), or save the file with ZIP or no compression.",
        ) from error


def _arrange(voxels: NDArray[Any], axes: str, path: Path) -> tuple[NDArray[Any], str]:
    """Order an array as (Z, Y, X) or (Z, Y, X, C); gives also the letter of the channel axis, or ""."""
    if len(axes) == 3 and axes[0] in "CT" and voxels.shape[0] > MOST_FLAT_CHANNELS:
        log.info("%s: its %d %s are taken as slices", path.name, len(voxels), AXIS_NAMES[axes[0]])
        axes = f"Z{axes[1:]}"
    spare = axes.replace("Y", "", 1).replace("X", "", 1)
    depths = [a for a in spare if a not in "CTS"]
    depth = "Z" if "Z" in depths else "".join(depths[:1])
    channel = spare.replace(depth, "", 1) if depth else spare
    if len(spare) != len(axes) - 2 or len(set(axes)) != len(axes) or len(channel) > 1 or channel not in "CTS":
        raise FileProblem(
            f"Axes that are not clear: {path.name} has {axes} of shape {voxels.shape}.",
            hint="Save one stack, or a stack with channels, with named axes (in Fiji: Image > Hyperstacks).",
        )
    order = [axes.index(letter) for letter in f"{depth}YX{channel}"]
    held = voxels.transpose(order).astype(voxels.dtype.newbyteorder("="), copy=False)
    return (held if depth else held[None]), channel


def _channel_names(held: NDArray[Any], kind: str, ome: ElementTree.Element | None) -> tuple[str, ...]:
    if held.ndim == 3:
        return ()
    count = held.shape[3]
    if kind == "S" and count <= len(SAMPLES):
        return SAMPLES[:count]
    names = [channel.get("Name") for channel in ome.iter() if _tag(channel) == "Channel"] if ome is not None else []
    if kind == "C" and len(names) == count and all(names):
        return tuple(str(name) for name in names)
    word = "time" if kind == "T" else "channel"
    return tuple(f"{word} {i + 1}" for i in range(count))


def _imagej_geometry(tif: tifffile.TiffFile) -> Geometry:
    metadata = tif.imagej_metadata
    if not metadata:  # the resolution of other TIFFs is dots per inch of paper
        return Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")
    tags = tif.pages.first.tags
    unit, factor = LENGTHS.get(str(metadata.get("unit", "")).strip().lower(), ("pixel", 1.0))
    on_paper = unit == "pixel" and tags.valueof("ResolutionUnit", 1) in (2, 3)
    y, x = (1.0, 1.0) if on_paper else (_pixel_size(tags, "YResolution"), _pixel_size(tags, "XResolution"))
    z = _positive(metadata.get("spacing")) or 1.0
    return Geometry.from_spacing((z * factor, y * factor, x * factor), unit=unit)


def _pixel_size(tags: tifffile.TiffTags, name: str) -> float:
    count, per = tags.valueof(name, (1, 1))
    return _positive(per / count if count else None) or 1.0


def _positive(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _tag(element: ElementTree.Element) -> str:
    """Give an element's name without the namespace, which changes with every version of OME."""
    return str(element.tag).rpartition("}")[2]


def _ome_root(tif: tifffile.TiffFile, path: Path) -> ElementTree.Element | None:
    """Parse the OME metadata, and refuse what would make tifffile open other files."""
    text = tif.ome_metadata if tif.is_ome else None
    if not text:
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


def _ome_geometry(root: ElementTree.Element) -> Geometry:
    pixels = next(element for element in root.iter() if _tag(element) == "Pixels")
    sizes: list[float | None] = []
    units: list[str] = []
    for axis in "ZYX":
        default = "" if pixels.get(f"PhysicalSize{axis}") is None else "um"
        unit, factor = _ome_length(pixels.get(f"PhysicalSize{axis}Unit"), default)
        size = _positive(pixels.get(f"PhysicalSize{axis}"))
        sizes.append(size * factor if size else None)
        units.append(unit)
    known = [(size, unit) for size, unit in zip(sizes, units, strict=True) if size]
    if not known:
        return Geometry.from_spacing((1.0, 1.0, 1.0), unit="pixel")
    unit = known[-1][1]
    # A missing size is taken from its neighbour: many writers leave out Z, and 1 would be a length out of the air.
    z, y, x = (_convert(s, u, unit) if s else _convert(*known[-1], unit) for s, u in zip(sizes, units, strict=True))
    return Geometry.from_spacing((z, y, x), unit=unit, origin=_ome_origin(pixels, unit))


def _ome_origin(pixels: ElementTree.Element, unit: str) -> Spacing:
    """Give the position (x, y, z) of the first plane, where it is in a unit of length; else zeros."""
    plane = next((element for element in pixels if _tag(element) == "Plane"), None)
    origin = [0.0, 0.0, 0.0]
    for index, axis in enumerate("XYZ"):
        value = plane.get(f"Position{axis}") if plane is not None else None
        given, factor = _ome_length(plane.get(f"Position{axis}Unit") if plane is not None else None, "")
        if value is not None and math.isfinite(float(value)) and (given == "pixel") == (unit == "pixel") and given:
            origin[index] = _convert(float(value) * factor, given, unit)
    return (origin[2], origin[1], origin[0])


def _ome_length(name: str | None, default: str) -> tuple[str, float]:
    if name is None:
        return default, 1.0
    return LENGTHS.get(name.strip().lower(), ("pixel", 1.0))


def _convert(value: float, unit: str, wanted: str) -> float:
    return value * {("mm", "um"): 1e3, ("um", "mm"): 1e-3}.get((unit, wanted), 1.0)


def _ome_classes(root: ElementTree.Element | None) -> tuple[tuple[LabelClass, ...], bool]:
    classes, is_labels = {}, False
    for note in root.iter() if root is not None else ():
        if _tag(note) != "MapAnnotation":
            continue
        is_labels |= note.get("Namespace") == LABELS_NAMESPACE
        if note.get("Namespace") == CLASS_NAMESPACE:
            entries = {str(m.get("K")): m.text or "" for m in note.iter() if _tag(m) == "M"}
            number = int(entries["id"])
            name, color = entries.get("name") or f"class {number}", entries.get("color") or default_color(number)
            classes[number] = LabelClass(id=number, name=name, color=color)
    return tuple(classes.values()), is_labels


def _ome_xml(volume: Volume, held: NDArray[Any]) -> ElementTree.Element:
    """Describe a volume in OME's terms, planes in order of z, then channel."""
    ElementTree.register_namespace("", OME[1:-1])
    root = ElementTree.Element(f"{OME}OME")
    image = _sub(root, "Image", {"ID": "Image:0", "Name": _clean(volume.name)})
    sizes = dict(zip(("SizeZ", "SizeY", "SizeX", "SizeC"), (*held.shape, 1)[:4], strict=True))
    fixed = {
        "ID": "Pixels:0",
        "DimensionOrder": "XYZCT",
        "SizeT": "1",
        "BigEndian": str(sys.byteorder == "big").lower(),
    }
    lengths = {name: str(length) for name, length in sizes.items()}
    pixels = _sub(image, "Pixels", fixed | {"Type": OME_TYPES[held.dtype.name]} | lengths | _ome_sizes(volume.geometry))
    names: Sequence[str] = volume.channels if len(volume.channels) == sizes["SizeC"] else ()
    for index in range(sizes["SizeC"]):
        named = {"Name": _clean(names[index])} if names else {}
        _sub(pixels, "Channel", {"ID": f"Channel:0:{index}", "SamplesPerPixel": "1"} | named)
    _sub(pixels, "TiffData", {"IFD": "0", "PlaneCount": str(sizes["SizeZ"] * sizes["SizeC"])})
    if not volume.geometry.anatomical and any(volume.geometry.origin):
        unit = OME_UNITS.get(volume.geometry.unit, "pixel")
        position = dict(zip("XYZ", volume.geometry.origin, strict=True))
        attributes = {f"Position{axis}": repr(value) for axis, value in position.items()}
        attributes |= {f"Position{axis}Unit": unit for axis in "XYZ"}
        _sub(pixels, "Plane", {"TheZ": "0", "TheC": "0", "TheT": "0"} | attributes)
    if volume.is_labels:
        _annotate(root, image, volume.classes)
    return root


def _ome_sizes(geometry: Geometry) -> dict[str, str]:
    sizes = dict(zip("ZYX", geometry.spacing, strict=True))
    unit = OME_UNITS.get(geometry.unit, "pixel")
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


def _clean(text: str) -> str:
    """Leave out control characters, which XML can't hold."""
    return "".join(c for c in text if c.isprintable())


def _storable(target: Path, voxels: NDArray[Any]) -> NDArray[Any]:
    if voxels.dtype.kind == "b":
        return voxels.view(np.uint8)
    if voxels.dtype == np.float16:
        return voxels.astype(np.float32)
    if voxels.dtype.name not in OME_TYPES:
        raise SaveProblem(
            f"{target.name} was not saved: OME-TIFF can't hold {voxels.dtype}.", hint="Save it as .nii.gz."
        )
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)
