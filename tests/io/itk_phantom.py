"""NRRD and MetaImage files of known content, for the tests of this room."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from napari_vol3d.core.volume import Volume

NOISE = np.random.default_rng(0).integers(0, 4000, (12, 11, 10), dtype=np.int16)  # (x, y, z)
NRRD_TYPES = {
    "i1": "signed char", "u1": "uint8", "i2": "short", "u2": "unsigned short", "i4": "int", "u4": "uint32_t",
    "i8": "long long", "u8": "uint64", "f4": "float", "f8": "double",
}  # fmt: skip
MET_TYPES = {
    "i1": "MET_CHAR", "u1": "MET_UCHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT", "u4": "MET_UINT",
    "i8": "MET_LONG_LONG", "u8": "MET_ULONG_LONG", "f4": "MET_FLOAT", "f8": "MET_DOUBLE",
}  # fmt: skip


def nrrd_fields(data: np.ndarray, **changes: str | None) -> dict[str, str]:
    """Header fields for voxels in the file's own axis order; None takes one away, "_" stands for a space."""
    fields = {
        "type": NRRD_TYPES[data.dtype.str[1:]],
        "dimension": str(data.ndim),
        "sizes": " ".join(map(str, data.shape)),
        "encoding": "raw",
        "endian": "big" if data.dtype.str[0] == ">" else "little",
    }
    for name, value in changes.items():
        fields[name.replace("_", " ")] = value
    return {name: value for name, value in fields.items() if value is not None}


def nrrd_bytes(data: np.ndarray, *, keys: dict[str, str] | None = None, body: bytes | None = None, **changes) -> bytes:
    fields = nrrd_fields(data, **changes)
    lines = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items())]
    lines += [f"{name}:={value}" for name, value in (keys or {}).items()]
    content = data.tobytes(order="F") if body is None else body
    if body is None and fields.get("encoding") == "gzip":
        content = gzip.compress(content, mtime=0)
    return "\n".join([*lines, "", ""]).encode() + content


def mha_fields(data: np.ndarray, **changes: str | None) -> dict[str, str]:
    fields = {
        "ObjectType": "Image",
        "NDims": str(data.ndim),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(data.dtype.str[0] == ">"),
        "CompressedData": "False",
        "TransformMatrix": " ".join(map(str, np.eye(data.ndim, dtype=int).ravel())),
        "Offset": " ".join("0" * data.ndim),
        "ElementSpacing": " ".join("1" * data.ndim),
        "DimSize": " ".join(map(str, data.shape)),
        "ElementType": MET_TYPES[data.dtype.str[1:]],
        **changes,
    }
    fields["ElementDataFile"] = changes.get("ElementDataFile") or "LOCAL"
    fields = {name: fields[name] for name in fields if name != "ElementDataFile"} | {
        "ElementDataFile": fields["ElementDataFile"]
    }
    return {name: value for name, value in fields.items() if value is not None}


def mha_bytes(data: np.ndarray, *, body: bytes | None = None, **changes) -> bytes:
    content = data.tobytes(order="F") if body is None else body
    if body is None and changes.get("CompressedData") == "True":
        content = zlib.compress(content)
        # Without it, ITK gives whatever lies in its memory.
        changes = {"CompressedDataSize": str(len(content)), **changes}
    fields = mha_fields(data, **changes)
    return "".join(f"{name} = {value}\n" for name, value in fields.items()).encode() + content


def save(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def stored(volume: Volume) -> np.ndarray:
    """Voxels in the axis order of the file."""
    return volume.geometry.stored.to_stored(np.asarray(volume.data))


def assert_as_itk_reads_it(volume: Volume, path: Path) -> None:
    """Same voxels, each at the same place of the patient."""
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(stored(volume), sitk.GetArrayFromImage(image).transpose())
    for index in np.argwhere(np.asarray(volume.data) == np.asarray(volume.data).max())[:3]:
        itk_index = [int(n) for n in np.argwhere(_at(volume, index))[0]]
        world = volume.geometry.affine @ [*index, 1]
        lps = (np.diag((-1, -1, 1, 1)) @ world)[:3] if volume.geometry.anatomical else world[:3]
        np.testing.assert_allclose(image.TransformIndexToPhysicalPoint(itk_index), lps, atol=1e-6)


def _at(volume: Volume, index: np.ndarray) -> np.ndarray:
    held = np.zeros(volume.shape, bool)
    held[tuple(index)] = True
    return volume.geometry.stored.to_stored(held)


def itk_image(data: np.ndarray, affine: np.ndarray) -> sitk.Image:
    """An image of voxels (x, y, z) with a RAS affine."""
    image = sitk.GetImageFromArray(data.transpose())
    lps = np.diag((-1, -1, 1, 1)) @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    return image
