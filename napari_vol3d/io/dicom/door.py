"""The door to DICOM: image series, and the label objects in their folders."""

from __future__ import annotations

from pathlib import Path

from napari_vol3d.core.volume import Volume
from napari_vol3d.io.dicom.images import REPAIR, groups_in, read_image
from napari_vol3d.io.dicom.labels import read_dicom_labels
from napari_vol3d.io.parts import Part, choose


def read_dicom(path: Path, part: str | None = None, *, repair: bool = False) -> Volume:
    """Read a DICOM series.

    Parameters
    ----------
    path : Path
        A folder, also of folders, or one file of a series, whose other files lie beside it.
    part : str, optional
        Which of several: the key of one of `parts`. Behind it "+repair" for `repair`.
    repair : bool
        Fill in uneven distances between slices linearly, and keep a tilted gantry as sheared voxels. Without it such
        a series is refused.

    Returns
    -------
    Volume
        (Z, Y, X), or (Z, Y, X, T) where several volumes lie at the same positions. The header of its stored grid has
        "series", "study" and "frame_of_reference" (UIDs), "modality", and for each stored slice, time after time,
        its file in "files" and which frame of that it is in "frames", both empty where slices were filled in.

    Raises
    ------
    SeveralParts
        If there are several series and none is named.
    Irregular
        If distances or angles are such that it can only be opened repaired.
    FileProblem
        If it is no volume, is damaged, or too large.
    """
    groups, folder = groups_in(path)
    key = None if part is None else part.removesuffix(REPAIR)
    wanted = choose(path, [group.part for group in groups], key)
    group = next(one for one in groups if one.part.key == wanted.key)
    if group.problem is not None:
        raise group.problem
    if not group.planes:
        return read_dicom_labels(group.path, folder)
    return read_image(group, path, folder, repair=repair or part != key)


def dicom_parts(path: Path) -> tuple[Part, ...]:
    """List what can be opened in a folder, or beside one file of a series.

    Raises
    ------
    FileProblem
        If there is nothing, or a file is damaged.
    """
    return tuple(group.part for group in groups_in(path)[0])
