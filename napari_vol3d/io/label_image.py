"""Labels as OME-Zarr: in levels for zooming, beside the image that they belong to or alone.

Inside an image's folder (``scan.zarr/labels/cells``) they are of the image's own version, so that a store has one:
OME 0.4 on Zarr 2 or OME 0.5 on Zarr 3; alone they are 0.5. Of the image only ``labels``, its list of label images, is
touched; metadata that the image may keep consolidated are not made again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec
from zarr.storage import LocalStore

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.core.labels import to_label_dtype
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.folders import folder_beside, moved_away, refuse_occupied, saving
from napari_vol3d.io.ngff import OWN, describe_labels
from napari_vol3d.io.ome_zarr import LABELS, read_levels
from napari_vol3d.io.progress_file import make_durable
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.io.zarr_parts import ome_of
from napari_vol3d.io.zarr_store import attributes_of, is_node, kind_of

CHUNKS = (64, 128, 128)
TRIES = 5
FROM_EDGE = 256  # a level with a longer edge along y or x has a coarser one


def write_label_image(target: Path, volume: Volume) -> Path:
    """Write labels as an OME-Zarr label image, whole or not at all.

    Parameters
    ----------
    target : Path
        A name that ends in .zarr, or ``IMAGE/labels/NAME`` inside the folder of an OME-Zarr image, which then lists
        it. Labels that are there are replaced; anything else is not.
    volume : Volume
        Labels (Z, Y, X), or (Z, Y, X, T) if timed. Coarser levels hold every second voxel.

    Raises
    ------
    SaveProblem
        If something else is there, it can't be written, or does not read back the same.
    """
    held = to_label_dtype(np.asarray(volume.data))
    if held.ndim != 3 + volume.timed:
        raise SaveProblem(f"{target.name} was not saved: labels of several channels.", hint="Save one channel.")
    with saving(target):
        image = image_of(target)
        _refuse_images(target)
        refuse_occupied(target, overwrite=True)
        if image is not None:
            _listing(target, image)  # a list that is damaged is told of while nothing is changed yet
            target.parent.mkdir(exist_ok=True)
        with folder_beside(target) as beside:
            made = beside / target.name
            levels = _make(made, volume, held, image)
            _check(made, target, volume, held, levels)
            for path in (*made.rglob("*"), made):
                make_durable(path)
            with moved_away(target):
                made.rename(target)
            make_durable(target.parent)
    if image is not None:
        _enlist(target, image)
    return target


def image_of(target: Path) -> Path | None:
    """Give the folder of the OME-Zarr image inside which `target` names labels, or None where it is not inside one."""
    image = target.parent.parent
    if target.parent.name != LABELS or not is_node(image) or kind_of(image) != "group":
        return None
    return image if "multiscales" in ome_of(attributes_of(image)) else None


def steps_of(shape: Triple, geometry: Geometry) -> list[Triple]:
    """Give the steps of the levels along (z, y, x), in voxels of the finest.

    An axis is halved where its voxels are not much longer than those of the finest, so that voxels become cubes and
    not needles.
    """
    steps = np.ones(3, np.int64)
    found: list[Triple] = []
    while True:
        found.append((int(steps[0]), int(steps[1]), int(steps[2])))
        lengths = -(-np.asarray(shape) // steps)
        if max(lengths[1:]) < FROM_EDGE:
            return found
        spacing = np.where(lengths > 1, steps * geometry.spacing, np.inf)
        steps = np.where(spacing < 2 * spacing.min(), 2 * steps, steps)


def _make(folder: Path, volume: Volume, held: NDArray[Any], image: Path | None) -> dict[str, Triple]:
    old = image is not None and not (image / "zarr.json").is_file()
    levels = {str(i): steps for i, steps in enumerate(steps_of(volume.shape, volume.geometry))}
    version, inside = "0.4" if old else "0.5", "../../" if image is not None else None
    attributes = describe_labels(folder.name, volume, levels, version=version, image=inside)
    group = zarr.create_group(LocalStore(folder), zarr_format=2 if old else 3, attributes=attributes)
    for name, steps in levels.items():
        voxels = _level(held, steps)
        chunks = (*(1 for _ in range(voxels.ndim - 3)), *map(min, CHUNKS, voxels.shape[-3:]))
        names = ("t", "z", "y", "x")[-voxels.ndim :]
        how: dict[str, Any] = {"compressors": [ZstdCodec(checksum=True)], "dimension_names": names}
        if old:
            how = {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
        # Chunks of zeros are written too, so that one that is lost later does not pass for background.
        group.create_array(
            name, shape=voxels.shape, dtype=voxels.dtype, chunks=chunks, fill_value=0,
            config={"write_empty_chunks": True}, attributes={OWN: {"whole": True}}, **how,
        )[...] = voxels  # fmt: skip
    return levels


def _level(held: NDArray[Any], steps: Triple) -> NDArray[Any]:
    """View labels as they are stored, (Z, Y, X) or (T, Z, Y, X), every so many voxels."""
    part = held[tuple(slice(None, None, step) for step in steps)]
    return part if part.ndim == 3 else np.moveaxis(part, -1, 0)


def _check(made: Path, target: Path, volume: Volume, held: NDArray[Any], levels: dict[str, Triple]) -> None:
    found = read_levels(made)
    same = len(found) == len(levels) and found[0].geometry.matches(volume.geometry)
    for level, steps in zip(found, levels.values(), strict=True):
        meant = held[tuple(slice(None, None, step) for step in steps)]
        meant = meant[..., 0] if meant.shape[3:] == (1,) else meant  # one time point has no axis in a volume
        same = same and (level.data.shape, level.data.dtype) == (meant.shape, meant.dtype)
        slabs = range(0, len(meant), CHUNKS[0])
        same = same and all(np.array_equal(level.data[k : k + CHUNKS[0]], meant[k : k + CHUNKS[0]]) for k in slabs)
    if not same or {c.id for c in found[0].classes} != {c.id for c in volume.classes} - {0}:
        raise SaveProblem(f"{target.name} was not saved: it did not read back the same.", hint="Try another disk.")


def _refuse_images(target: Path) -> None:
    """Refuse to put labels in the place of an image: the scan itself lies under a name like this."""
    if not is_node(target):
        return
    if kind_of(target) == "array" or "image-label" not in ome_of(attributes_of(target)):
        raise SaveProblem(f"{target.name} was not saved: what is there holds no labels.", hint="Choose another name.")


def _listing(target: Path, image: Path) -> tuple[Path, str]:
    """Give the file in which the image lists its labels, and what it is to say, or "" where it lists these already."""
    old = not (image / "zarr.json").is_file()
    file = target.parent / (".zattrs" if old else "zarr.json")
    content: Any = json.loads(file.read_bytes()) if file.is_file() else {}
    attributes: Any = content if old else content.get("attributes", {}) if isinstance(content, dict) else None
    listed: Any = attributes if old or not isinstance(attributes, dict) else attributes.get("ome", {})
    names: Any = listed.get(LABELS) or [] if isinstance(listed, dict) else None
    if not isinstance(names, list):
        raise SaveProblem(
            f"{target.name} was not saved: the list of labels in {image.name} is damaged.",
            hint=f"Repair {LABELS}/{file.name}, or save outside the image.",
        )
    if target.name in names:
        return file, ""
    named = {**listed, LABELS: [*names, target.name]}
    if old:
        return file, json.dumps(named)
    content.pop("consolidated_metadata", None)  # it would hide what is new
    ome = {"version": "0.5", **named}
    return file, json.dumps(
        {"zarr_format": 3, "node_type": "group", **content, "attributes": {**attributes, "ome": ome}}
    )


def _enlist(target: Path, image: Path) -> None:
    """Name the labels in the list that the image keeps of them; other entries and attributes stay.

    Two programs may do so at once: it is read again until it says so.
    """
    try:
        if not (image / "zarr.json").is_file() and not (target.parent / ".zgroup").is_file():
            write_text(target.parent / ".zgroup", json.dumps({"zarr_format": 2}))
        for _ in range(TRIES):
            file, text = _listing(target, image)
            if not text:
                return
            write_text(file, text)
    except (OSError, ValueError, SaveProblem) as error:
        raise SaveProblem(
            f"{target.name} was saved, but {image.name} does not list it.",
            hint="It opens by its own path; save it again to list it.",
        ) from error
