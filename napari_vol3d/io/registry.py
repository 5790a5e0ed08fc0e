"""Formats by extension: the one place that knows which module reads and writes what."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.volume import Volume
from napari_vol3d.io import magic


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One file format.

    Attributes
    ----------
    name : str
        For people.
    extensions : tuple of str
        Of files, or of folders for Zarr. Lower case with the dot, compound ones too; the first is the one to recommend.
    read : str or None
        "module:function" taking a Path and giving a Volume; imported on first use, format libraries are slow. None for
        what can only be exported.
    several : bool
        Whether a file may hold several volumes: `read` then also takes the key of a part, see `parts`.
    saves : tuple of str
        Those of the extensions in which labels can be saved.
    write : str or None
        "module:function" taking a Path and a Volume and giving the Path.
    """

    name: str
    extensions: tuple[str, ...]
    read: str | None = None
    several: bool = False
    saves: tuple[str, ...] = ()
    write: str | None = None


FORMATS = (
    Format(
        name="NIfTI", extensions=(".nii.gz", ".nii"), saves=(".nii.gz", ".nii"),
        read="napari_vol3d.io.nifti:read_nifti", write="napari_vol3d.io.nifti:write_nifti",
    ),
    Format(
        name="TIFF", extensions=(".tif", ".tiff", ".ome.tif", ".ome.tiff"),
        saves=(".tif", ".tiff", ".ome.tif", ".ome.tiff"),
        read="napari_vol3d.io.tiff:read_tiff", write="napari_vol3d.io.tiff:write_tiff",
    ),
    Format(
        name="DICOM", extensions=(".dcm", ".ima", ".dicom"), several=True, saves=(".dcm",),
        read="napari_vol3d.io.dicom.door:read_dicom", write="napari_vol3d.io.dicom.seg:write_dicom_seg",
    ),
    Format(
        name="NRRD", extensions=(".seg.nrrd", ".nrrd", ".nhdr"), saves=(".seg.nrrd", ".nrrd"),
        read="napari_vol3d.io.nrrd:read_nrrd", write="napari_vol3d.io.nrrd:write_nrrd",
    ),
    Format(name="MetaImage", extensions=(".mha", ".mhd"), read="napari_vol3d.io.metaimage:read_metaimage"),
    Format(
        name="Zarr", extensions=(".ome.zarr", ".zarr"), several=True, saves=(".ome.zarr", ".zarr"),
        read="napari_vol3d.io.ome_zarr:read_zarr", write="napari_vol3d.io.label_image:write_label_image",
    ),
    Format(name="HDF5", extensions=(".h5", ".hdf5", ".hdf"), several=True, read="napari_vol3d.io.hdf5:read_hdf5"),
    Format(name="FreeSurfer", extensions=(".mgz", ".mgh"), read="napari_vol3d.io.mgh:read_mgh"),
    Format(name="NumPy", extensions=(".npy",), read="napari_vol3d.io.npy:read_npy"),
    Format(name="slices", extensions=(), several=True, read="napari_vol3d.io.slices:read_slices"),
    Format(name="STL", extensions=(".stl",), saves=(".stl",), write="napari_vol3d.io.mesh:write_mesh"),
    Format(name="OBJ", extensions=(".obj",), saves=(".obj",), write="napari_vol3d.io.mesh:write_mesh"),
    Format(
        name="label table", extensions=(".label", ".json"), saves=(".label", ".json"),
        write="napari_vol3d.io.label_files:write_table",
    ),
    Format(name="volumes", extensions=(".csv",), saves=(".csv",), write="napari_vol3d.io.volumes_csv:write_volumes"),
)  # fmt: skip


def _extensions(formats: tuple[Format, ...]) -> tuple[str, ...]:
    """List extensions, compound ones before the simple ones they end in."""
    return _longest_first(e for f in formats for e in f.extensions)


def _longest_first(extensions: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(extensions, key=lambda e: (-e.count("."), e)))


READ_EXTENSIONS = _extensions(tuple(f for f in FORMATS if f.read))
READ_PATTERNS = tuple(f"*{extension}" for extension in READ_EXTENSIONS)
NAMELESS_PATTERNS = ("*[0-9]", "*/")  # what scanners call their files, and folders of them
LABEL_EXTENSIONS = _longest_first(e for f in FORMATS if f.read for e in f.saves)
EXPORT_EXTENSIONS = _longest_first(e for f in FORMATS if not f.read for e in f.saves)


def is_volume_file(path: Path) -> bool:
    """Whether a registered format claims this; only folders, and files whose names say nothing, are looked into."""
    return _format_of(path) is not None


def stem(path: Path | str) -> str:
    """Give the name without folder and extension, also without a compound one such as ".nii.gz"."""
    path = Path(path)
    lower = path.name.lower()
    found = next((e for e in READ_EXTENSIONS if lower.endswith(e) and lower != e), None)
    return path.name[: -len(found)] if found else path.stem


def read_volume(path: Path | str, part: str | None = None) -> Volume:
    """Read a volume, whatever format its name claims; the file's first bytes must agree.

    Parameters
    ----------
    part : str, optional
        Which of several volumes in it: the key of one of the parts that `SeveralParts` lists.

    Raises
    ------
    SeveralParts
        If it holds several volumes and none is named.
    FileProblem
        If it can't be read, or no format has this extension.
    """
    path = Path(path)
    found = _format_of(path)
    if found is None or found.read is None:
        kind = magic.kind_of(path)
        raise FileProblem(
            f"Unknown extension: {path.name} is {kind}.",
            hint=f"Formats that can be read: {', '.join(READ_EXTENSIONS)}.",
        )
    if part is not None and not found.several:
        raise FileProblem(f"One volume only: {path.name} has no parts to choose from.", hint="Leave the part out.")
    volume: Volume = _load(found.read)(path, part) if found.several else _load(found.read)(path)
    if volume.is_labels is not False and not volume.classes:
        from napari_vol3d.io.label_files import find_beside

        volume = replace(volume, classes=find_beside(path, stem(path)))
    return volume if found.several else replace(volume, name=stem(path))


def coarser_levels(volume: Volume) -> tuple[Volume, ...]:
    """Give the smaller copies of a volume that its file keeps for display, the finest first; nothing of them is read.

    Only a volume as it was read has them: not one that was resampled or cropped since.
    """
    found = _format_of(volume.source) if volume.source is not None else None
    if volume.source is None or found is None or found.name != "Zarr":
        return ()
    levels: tuple[Volume, ...] = _load("napari_vol3d.io.ome_zarr:read_levels")(volume.source)
    lazy = not isinstance(volume.data, np.ndarray)  # voxels of a Zarr folder are read lazily: an array is another's
    same = lazy and levels[0].shape == volume.shape and levels[0].geometry.matches(volume.geometry)
    return levels[1:] if same else ()


def write_labels(target: Path | str, volume: Volume) -> Path:
    """Write a label volume in the format that the target's extension names.

    Raises
    ------
    FileProblem
        If the extension is missing, or none that labels can be saved in.
    SaveProblem
        If it can't be written, or does not read back the same; what was there before is untouched.
    """
    target = Path(target)
    found = _format_of(target)
    inside = _format_inside(target) is not None  # a label image in an image's Zarr folder
    if found is None or found.write is None or not (inside or target.name.lower().endswith(found.saves)):
        raise FileProblem(
            f"Labels can't be saved as {target.name}: the extension says no format.",
            hint="End the name in .nii.gz or .tif.",
        )
    written: Path = _load(found.write)(target, replace(volume, is_labels=True))
    return written


def label_name(scan: Path | str, extension: str | None = None) -> str:
    """Propose a file name for the labels of a scan: its own format where that keeps labels, else NIfTI."""
    own = _format_of(Path(scan))
    keeps = own.saves[0] if own is not None and own.read and own.saves else FORMATS[0].saves[0]
    return f"{stem(scan)}_labels{extension or keeps}"


def _format_of(path: Path) -> Format | None:
    return _format_named(path.name) or _format_inside(path) or _format_found(path)


def _format_found(path: Path) -> Format | None:
    """Look into a folder, or at a file without a known extension: scanners and archives give theirs none."""
    from napari_vol3d.io.folder_kind import is_dicom, kind_of_folder

    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):  # no permission, too long a name: reading it says so
        return None
    kind = kind_of_folder(path) if is_folder else "DICOM" if is_dicom(path) else ""
    return next((f for f in FORMATS if f.name == kind), None)


def _format_named(name: str) -> Format | None:
    lower = name.lower()
    return next((f for f in FORMATS if any(lower.endswith(e) and lower != e for e in f.extensions)), None)


def _format_inside(path: Path) -> Format | None:
    """Give the format of a folder inside a Zarr folder, such as ``scan.zarr/labels/cells``; it has no extension."""
    inside = not path.suffix and any(parent.name.lower().endswith(".zarr") for parent in path.parents)
    return _format_named("x.zarr") if inside else None


def _load(entry: str) -> Callable[..., Any]:
    module, function = entry.split(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded
