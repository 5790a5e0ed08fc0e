"""A case as one volume for a network: the images it wants as channels, on the case's reference grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from napari_vol3d.core.channel_names import likely_channels
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import join_channels, lay_on
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
    every = [first if one == case.images[0] else read_volume(project.place_of(one.path)) for one in wanted]
    if len(every) == 1:
        return first.with_data(np.asarray(lay_on(first, every[0], channels[0])), is_labels=False, classes=())
    return replace(join_channels(first, every, channels), is_labels=False, classes=())


def choose_images(case: Case, channels: Sequence[str]) -> tuple[ImageRef, ...]:
    """Choose the images of a case for the channels of a network, by their roles, as Segment does by names of layers.

    For a network of one channel that no role names it is the first image. An image that is the only one may have all
    channels in it. Nameless images are taken in their order if there are as many as channels.

    Raises
    ------
    ScanMismatch
        If it is not clear which.
    """
    likely = likely_channels(channels, [image.role for image in case.images])
    if all(likely):
        _refuse_rivals(case, channels, likely)
        return tuple(case.images[places[0]] for places in likely)
    if len(channels) == 1 or len(case.images) == 1:
        return case.images[:1]
    if len(case.images) == len(channels) and not any(map(_is_contrast, case.images)):
        return case.images
    has = ", ".join(image.role or "an image" for image in case.images)
    lacking = ", ".join(channel for channel, places in zip(channels, likely, strict=True) if not places)
    raise ScanMismatch(
        f"No image of {lacking}: {case.code} has {has}; the model wants {', '.join(channels)}.",
        hint="Name the images after the channels.",
    )


def _refuse_rivals(case: Case, channels: Sequence[str], likely: Sequence[Sequence[int]]) -> None:
    """Refuse to guess between images of one kind, where that is not the only image that is wanted."""
    for channel, places in zip(channels, likely, strict=True):
        roles = [case.images[at].role for at in places]
        if len(channels) > 1 and len(set(roles)) > 1:
            raise ScanMismatch(
                f"Not clear which is {channel}: {case.code} has {' and '.join(roles)}; the model wants one.",
                hint="Make the project of a table (CSV) with one image for each channel.",
            )


def _is_contrast(image: ImageRef) -> bool:
    return bool(image.role) and not image.role.startswith("channel")
