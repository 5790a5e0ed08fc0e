"""NIfTI-1 and NIfTI-2, plain or gzipped, with the class names that Connectome Workbench and TotalSegmentator keep.

Voxels are held as (Z, Y, X) turned to the nearest of superior, posterior, left; the header's own geometry fields are
kept untouched and written back bit for bit. Which matrix counts: the sform if its code is above 0, else the qform if
its code is above 0, else neither: then only the spacing is known, and nothing is turned.

nibabel parses and makes the headers. The bytes are read and written here, because nibabel skips the checksum of
.nii.gz, and rescales or narrows labels to what a reused header says.
"""

from __future__ import annotations

import gzip
import logging
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass, default_color, to_label_dtype
from napari_vol3d.core.volume import Affine, Geometry, StoredGrid, Volume
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import same_voxels, write_safely

log = logging.getLogger(__name__)

HEADERS: dict[int, Any] = {348: nib.Nifti1Header, 540: nib.Nifti2Header}
UNITS = {1: ("mm", 1000.0), 2: ("mm", 1.0), 3: ("um", 1.0)}  # of xyzt_units & 7; where it says nothing: mm
UNIT_CODES = {"mm": 2, "um": 3}
INTENT_LABEL = 1002
MOST_EXTENSIONS = 1 << 26
TABLE_CODE = 0  # as TotalSegmentator writes it; Workbench's own code is 30, and both are read
XYZ = StoredGrid(axes=(2, 1, 0))
GEOMETRY_FIELDS = (
    "pixdim", "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Contents:
    """What a file holds, as it holds it: voxels in its own axis order, scaled once, native byte order."""

    header: Any
    voxels: NDArray[Any]
    extensions: tuple[bytes, ...]


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file.

    Returns
    -------
    Volume
        (Z, Y, X), or (Z, Y, X, C) for a series of volumes. The stored integer type, or float32 where the header
        scales; NaN is kept. `is_labels` is True where the file has a table of classes or says that it is a label
        map, else None.

    Raises
    ------
    FileProblem
        If it is damaged, too large, or holds colours or complex numbers.
    """
    contents = _load(path)
    shape = contents.voxels.shape
    fields = _geometry_fields(contents.header)
    with gate.reading(path, HeaderDataError):
        affine, anatomical, unit = _world(fields)
        gate.check_affine(path, affine)
        geometry = _hold(affine, (shape[0], shape[1], shape[2]), anatomical=anatomical, unit=unit, header=fields)
    classes = _read_classes(contents.extensions)
    labelled = bool(classes) or int(contents.header["intent_code"]) == INTENT_LABEL
    return Volume(
        data=geometry.stored.to_held(contents.voxels),
        geometry=geometry,
        name=path.name.split(".nii")[0],
        source=path,
        channels=tuple(f"volume {i + 1}" for i in range(shape[3])) if len(shape) == 4 else (),
        is_labels=True if labelled and _could_be_labels(contents.voxels) else None,
        classes=classes,
    )


def write_nifti(target: Path, volume: Volume) -> Path:
    """Write a volume, in the axis order and with the geometry fields of the NIfTI file it came from if it did.

    Labels get a fresh header, the smallest unsigned type that holds every id, and a table of their classes. Volumes
    from elsewhere are stored in (x, y, z) order with sform and, where that can hold it, qform.

    Parameters
    ----------
    target : Path
        Gzipped if it ends in .gz.

    Raises
    ------
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    held = to_label_dtype(np.asarray(volume.data)) if volume.is_labels else _storable(target, np.asarray(volume.data))
    grid, header = _header_for(volume)
    header.set_data_shape(tuple(held.shape[axis] for axis in np.argsort(grid.axes)) + held.shape[3:])
    header.set_data_dtype(held.dtype)
    header["scl_slope"], header["scl_inter"] = 1, 0
    header["descrip"] = b"napari-vol3d"
    if volume.is_labels:
        header["intent_code"] = INTENT_LABEL
    table = _extension(_table(volume.classes)) if volume.is_labels and volume.classes else b""
    header["vox_offset"] = int(header["sizeof_hdr"]) + 4 + len(table)
    stored = grid.to_stored(held)

    def write(path: Path) -> None:
        with _packing(path, level=6 if volume.is_labels else 1) as file:
            file.write(header.binaryblock + bytes((bool(table), 0, 0, 0)) + table)
            for k in range(stored.shape[-1]):  # by slab, so that a volume is never in memory twice
                file.write(stored[..., k].tobytes(order="F"))

    def check(path: Path) -> None:
        found = _load(path)
        # The reader drops trailing axes of one volume; both sides are compared without them.
        meant = stored[..., 0] if stored.ndim == 4 and stored.shape[3] == 1 else stored
        same = all(found.header[name].tobytes() == header[name].tobytes() for name in GEOMETRY_FIELDS)
        if not same or not same_voxels(found.voxels, meant):
            raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")

    return write_safely(target, write, check)


def _load(path: Path) -> _Contents:
    gate.require(path, "a NIfTI file")
    also = (HeaderDataError, ImageFileError, WrapStructError)
    with gate.reading(path, *also) as size, gate.unpacked(path) as file:
        packed = isinstance(file, gzip.GzipFile)
        header = _read_header(file, path, size)
        shape, dtype = _declared_shape(header, path), _declared_dtype(header, path)
        slope, inter = _scaling(header)
        scaled = (slope, inter) != (1.0, 0.0) or dtype.itemsize > 8
        voxel_bytes = gate.declared_bytes(path, shape, dtype.itemsize)
        offset = _offset(header, path)
        declared = offset + voxel_bytes
        gate.check_stored(path, declared, size, packed=packed)
        gate.check_memory(path, voxel_bytes + (4 * math.prod(shape) if scaled else 0))
        start = int(header["sizeof_hdr"])
        between = bytearray(offset - start)
        gate.fill(file, between, path, declared, start)
        buffer = np.empty(voxel_bytes, np.uint8)
        gate.fill(file, buffer, path, declared, offset)
        gate.finish(file, path, declared)
        voxels = buffer.view(dtype).reshape(_spatial(shape, path), order="F")
        voxels = _scaled(voxels, slope, inter) if scaled else _native(voxels)
    return _Contents(header=header, voxels=voxels, extensions=_extensions(bytes(between), header.endianness))


def _read_header(file: IO[bytes], path: Path, size: int) -> Any:
    start = bytearray(4)
    gate.fill(file, start, path, size)
    length = next(n for n in HEADERS if bytes(start) in (struct.pack("<i", n), struct.pack(">i", n)))
    order = "<" if bytes(start) == struct.pack("<i", length) else ">"
    rest = bytearray(length - 4)
    gate.fill(file, rest, path, length, 4)
    # Without nibabel's own checks, which repair silently what should be said.
    return HEADERS[length](bytes(start + rest), endianness=order, check=False)


def _declared_shape(header: Any, path: Path) -> tuple[int, ...]:
    count = int(header["dim"][0])
    if not 1 <= count <= 7:
        raise FileProblem(f"Damaged header: {path.name} declares {count} axes.", hint="Export the volume again.")
    return tuple(int(length) for length in header["dim"][1 : count + 1])


def _declared_dtype(header: Any, path: Path) -> np.dtype[Any]:
    dtype: np.dtype[Any] = header.get_data_dtype()
    if dtype.names:
        raise FileProblem(
            f"Colours, not intensities: {path.name} holds {''.join(dtype.names)} voxels.",
            hint="Convert it to one grey value or label a voxel.",
        )
    if dtype.kind not in "iuf":
        kind = "complex numbers" if dtype.kind == "c" else "a voxel type that is not known"
        raise FileProblem(f"Not plain numbers: {path.name} holds {kind}.", hint="Save its magnitude instead.")
    return dtype


def _offset(header: Any, path: Path) -> int:
    offset, least = float(header["vox_offset"]), int(header["sizeof_hdr"]) + 4
    if not least <= offset <= least + MOST_EXTENSIONS or offset != int(offset):
        raise FileProblem(
            f"Damaged header: {path.name} says that its voxels begin at byte {offset:g}.",
            hint="Export the volume again.",
        )
    return int(offset)


def _scaling(header: Any) -> tuple[float, float]:
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    if not math.isfinite(inter):
        raise ValueError(f"scl_inter is {inter}")
    return slope, inter


def _spatial(shape: tuple[int, ...], path: Path) -> tuple[int, ...]:
    """Give three or four axes: trailing single ones dropped, and the empty time axis of vector files."""
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) == 5 and shape[3] == 1:
        shape = shape[:3] + shape[4:]
    if len(shape) > 4:
        raise FileProblem(
            f"Too many axes: {path.name} has the shape {shape}.", hint="Save one volume, or one series of volumes."
        )
    return shape + (1,) * (3 - len(shape))


def _native(voxels: NDArray[Any]) -> NDArray[Any]:
    if voxels.dtype.isnative:
        return voxels
    return voxels.byteswap(inplace=True).view(voxels.dtype.newbyteorder("="))


def _scaled(voxels: NDArray[Any], slope: float, inter: float) -> NDArray[np.float32]:
    """Apply the header's scaling, computed in float64, slab by slab so that no float64 volume is ever made."""
    result = np.empty(voxels.shape, np.float32, order="F")
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(voxels.shape[-1]):
            result[..., k] = voxels[..., k].astype(np.float64) * slope + inter
    return result


def _geometry_fields(header: Any) -> dict[str, Any]:
    """Take the header's geometry as it stands: every number of it, in types that keep it exactly."""
    qform_header = header.copy()
    if qform_header["pixdim"][0] not in (-1, 1):
        qform_header["pixdim"][0] = 1  # the standard: 0 means 1
    try:
        qform = np.asarray(qform_header.get_qform(), np.float64)
    except (HeaderDataError, ValueError):
        qform = None  # not a rotation; only a problem if the qform is what counts
    return {
        "format": "nifti2" if int(header["sizeof_hdr"]) == 540 else "nifti1",
        "sform": np.asarray(header.get_sform(), np.float64),
        "qform": qform,
        "sform_code": int(header["sform_code"]),
        "qform_code": int(header["qform_code"]),
        "xyzt_units": int(header["xyzt_units"]),
        "pixdim": tuple(float(v) for v in header["pixdim"]),
        "quatern": tuple(float(header[f"quatern_{axis}"]) for axis in "bcd"),
        "qoffset": tuple(float(header[f"qoffset_{axis}"]) for axis in "xyz"),
    }


def _put_geometry_fields(header: Any, fields: dict[str, Any]) -> None:
    header["pixdim"] = fields["pixdim"]
    for name in ("sform_code", "qform_code", "xyzt_units"):
        header[name] = fields[name]
    for row, axis in enumerate("xyz"):
        header[f"srow_{axis}"] = fields["sform"][row]
        header[f"qoffset_{axis}"] = fields["qoffset"][row]
        header[f"quatern_{'bcd'[row]}"] = fields["quatern"][row]


def _world(fields: dict[str, Any]) -> tuple[Affine, bool, str]:
    """Give the matrix from the file's own index to the world, whether that is a patient's, and the unit."""
    unit, factor = UNITS.get(fields["xyzt_units"] & 7, ("mm", 1.0))
    anatomical = fields["sform_code"] > 0 or fields["qform_code"] > 0
    if fields["sform_code"] > 0:
        affine = fields["sform"]
    elif fields["qform_code"] > 0:
        if fields["qform"] is None:
            raise ValueError("its qform is not a rotation")
        affine = fields["qform"]
    else:
        affine = np.diag([*np.abs(fields["pixdim"][1:4]), 1.0])
    return np.diag([factor, factor, factor, 1.0]) @ affine, anatomical, unit


def _hold(affine: Affine, shape: Triple, *, anatomical: bool, unit: str, header: dict[str, Any]) -> Geometry:
    """Choose the held axes for a file with this matrix and this shape in its own axis order."""
    axes, flips = [2, 1, 0], [False, False, False]
    if anatomical:
        for stored, (world, sign) in enumerate(nib.io_orientation(affine)):  # type: ignore[no-untyped-call]
            held = 2 - int(world)
            axes[held] = stored
            flips[held] = bool(sign < 0) if held == 0 else bool(sign > 0)
    grid = StoredGrid(axes=(axes[0], axes[1], axes[2]), flips=(flips[0], flips[1], flips[2]), header=header)
    lengths = (shape[axes[0]], shape[axes[1]], shape[axes[2]])
    return Geometry(affine=affine @ _stored_from_held(grid, lengths), unit=unit, anatomical=anatomical, stored=grid)


def _stored_from_held(grid: StoredGrid, shape: Triple) -> Affine:
    """Give the matrix from the held index to the file's, for a held shape."""
    matrix = np.zeros((4, 4))
    for held, (stored, flip) in enumerate(zip(grid.axes, grid.flips, strict=True)):
        matrix[stored, held] = -1.0 if flip else 1.0
        matrix[stored, 3] = shape[held] - 1.0 if flip else 0.0
    matrix[3, 3] = 1.0
    return matrix


def _header_for(volume: Volume) -> tuple[StoredGrid, Any]:
    """Give grid and header geometry to save a volume with: its file's own if they still say where it lies."""
    geometry, fields = volume.geometry, volume.geometry.stored.header
    if fields.get("format") in ("nifti1", "nifti2"):
        affine, anatomical, unit = _world(fields)
        order = np.argsort(geometry.stored.axes)
        shape = (volume.shape[order[0]], volume.shape[order[1]], volume.shape[order[2]])
        own = _hold(affine, shape, anatomical=anatomical, unit=unit, header=fields)
        same_axes = (own.stored.axes, own.stored.flips) == (geometry.stored.axes, geometry.stored.flips)
        # Not so after cropping or resampling; then the header's matrix would put the voxels elsewhere.
        if same_axes and np.array_equal(own.affine, geometry.affine):
            header = HEADERS[540 if fields["format"] == "nifti2" else 348]()
            _put_geometry_fields(header, fields)
            return geometry.stored, header
    return XYZ, _fresh_header(volume)


def _fresh_header(volume: Volume) -> Any:
    geometry = volume.geometry
    # NIfTI-1 counts voxels in 16 bits.
    header = HEADERS[540 if max(volume.shape) > 32767 else 348]()
    affine = geometry.affine[:, (2, 1, 0, 3)]
    code = 1 if geometry.anatomical else 2
    header["pixdim"][1:4] = geometry.spacing[::-1]
    direction = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    if np.allclose(direction.T @ direction, np.eye(3), atol=1e-4):  # a qform can't hold a shear
        header.set_qform(affine, code)
    header.set_sform(affine, code)
    header["xyzt_units"] = UNIT_CODES.get(geometry.unit, 0)
    return header


def _storable(target: Path, voxels: NDArray[Any]) -> NDArray[Any]:
    if voxels.dtype.kind == "b":
        return voxels.view(np.uint8)
    if voxels.dtype == np.float16:
        return voxels.astype(np.float32)
    if voxels.dtype.kind not in "iuf" or voxels.dtype.itemsize > 8:
        raise SaveProblem(f"{target.name} was not saved: NIfTI can't hold {voxels.dtype}.", hint="Convert it first.")
    return voxels.astype(voxels.dtype.newbyteorder("="), copy=False)


@contextmanager
def _packing(path: Path, *, level: int) -> Iterator[IO[bytes]]:
    with path.open("wb") as raw:
        if not path.name.lower().endswith(".gz"):
            yield raw
            return
        # Without name and time in the stream, so that the same labels give the same bytes.
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=level, mtime=0) as file:
            yield file  # type: ignore[misc]


def _could_be_labels(voxels: NDArray[Any]) -> bool:
    if voxels.ndim != 3:
        return False
    return voxels.dtype.kind in "iu" or bool((np.isfinite(voxels) & (voxels == np.round(voxels))).all())


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


def _read_classes(extensions: tuple[bytes, ...]) -> tuple[LabelClass, ...]:
    """Find the table of classes; a damaged one is left out, the voxels are still whole."""
    for content in extensions:
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


def _class_of(label: ElementTree.Element) -> LabelClass:
    number = int(label.get("Key", ""))
    shares = [label.get(name) for name in ("Red", "Green", "Blue")]
    if any(share is None for share in shares):
        color = default_color(number)
    else:
        color = "#" + "".join(f"{round(255 * min(max(float(share or 0), 0.0), 1.0)):02x}" for share in shares)
    return LabelClass(id=number, name=(label.text or "").strip() or f"class {number}", color=color)


def _table(classes: tuple[LabelClass, ...]) -> bytes:
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
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
