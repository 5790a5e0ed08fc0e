"""A case as one volume for a network: the images it wants as channels, on the case's reference grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project


def volume_for(project: Project, case: Case, channels: Sequence[str]) -> Volume:
    """Read the images that a network wants, on the grid of the case's first image.

    Parameters
    ----------
    channels : sequence of str
        What the network's card calls them.

    Returns
    -------
    Volume
        (Z, Y, X), or (Z, Y, X, C) where several are wanted; as the file says where the case has one image alone.

    Raises
    ------
    FileProblem
        If an image can't be read.
    ScanMismatch
        If the case has not the images that are wanted, or they have no common space.
    """
    wanted = choose_images(case, channels)
    first = read_volume(project.place_of(case.images[0].path))
    if wanted == case.images[:1]:
        return first
    every = [_on(first, first if one == case.images[0] else read_volume(project.place_of(one.path))) for one in wanted]
    if len(every) == 1:
        return every[0]
    data = np.stack([np.asarray(volume.data) for volume in every], axis=-1)
    return replace(first, data=data, channels=tuple(channels), is_labels=False, classes=())


def choose_images(case: Case, channels: Sequence[str]) -> tuple[ImageRef, ...]:
    """Choose the images of a case for the channels of a network, by their roles: "T1" and "T1w" are alike.

    For a network of one channel that no role names it is the first image. An image that is the only one may have all
    channels in it. Nameless images are taken in their order if there are as many as channels.

    Raises
    ------
    ScanMismatch
        If it is not clear which.
    """
    of_role = {_plain(image.role): image for image in reversed(case.images)}
    if all(_plain(channel) in of_role for channel in channels):
        return tuple(of_role[_plain(channel)] for channel in channels)
    if len(channels) == 1 or len(case.images) == 1:
        return case.images[:1]
    if len(case.images) == len(channels) and not any(map(_is_contrast, case.images)):
        return case.images
    has = ", ".join(image.role or "an image" for image in case.images)
    raise ScanMismatch(
        f"{case.code} has {has}; the model wants {', '.join(channels)}.", hint="Name the images after the channels."
    )


def _on(first: Volume, volume: Volume) -> Volume:
    """Give a volume on the grid of the first image; its own voxels where that is its own grid."""
    if volume.shape == first.shape and volume.geometry.matches(first.geometry):
        return volume
    if not (volume.geometry.anatomical and first.geometry.anatomical) or volume.geometry.unit != first.geometry.unit:
        if volume.shape == first.shape:  # nothing says that they lie apart
            return volume
        raise ScanMismatch(
            f"No common space: {first.name} {first.shape} and {volume.name} {volume.shape}.",
            hint="Resample them to one grid first.",
        )
    laid = Onto(volume, first.geometry, first.shape)
    return volume.with_data(np.asarray(laid), geometry=first.geometry)


def _plain(role: str) -> str:
    return role.lower().removesuffix("w")


def _is_contrast(image: ImageRef) -> bool:
    return bool(image.role) and not image.role.startswith("channel")
