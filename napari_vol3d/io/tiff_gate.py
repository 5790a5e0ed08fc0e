"""What is proved about a TIFF before it is read: all pages that are declared are there, and all of each."""

from __future__ import annotations

import math
from pathlib import Path

import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.tiff_pages import AGAIN, Chain


def only_series(tif: tifffile.TiffFile, path: Path, chain: Chain, size: int) -> tifffile.TiffPageSeries:
    """Give the stack, after proving that all of it is in the file.

    Parameters
    ----------
    tif : TiffFile
    path : Path
        For messages.
    chain : Chain
        The pages that `walk_pages` found.
    size : int
        Bytes of the file.

    Raises
    ------
    FileProblem
        If pages or voxels are missing, or there is not exactly one stack.
    """
    if not tif.series:
        raise FileProblem(f"No image in {path.name}.", hint=AGAIN)
    if len(tif.series) > 1:
        shapes = ", ".join(str(series.shape) for series in tif.series[:3])
        raise FileProblem(
            f"Several images in one file: {path.name} has {len(tif.series)}, of shapes {shapes}.",
            hint="Save the one you want as a file of its own, for instance with Fiji.",
        )
    if chain.odd:  # tifffile looks at some of the pages only
        raise FileProblem(
            f"Pages that differ: page {chain.odd} of {path.name} is of another size or kind than the first.",
            hint="Save it again as one stack.",
        )
    series = tif.series[0]
    declared = math.prod(series.shape) // math.prod(series.keyframe.shape)
    said = int((tif.imagej_metadata or {}).get("images", declared)) if tif.is_imagej else declared
    # ImageJ and tifffile may describe one page and put the voxels of all behind it.
    behind = chain.count == 1 and tif.pages[0].is_contiguous and not tif.is_ome
    if behind and declared > 1:
        gate.check_stored(path, series.keyframe.dataoffsets[0] + declared * series.keyframe.nbytes, size)
    elif declared != chain.count or (said > chain.count > 1) or (said > declared == 1):
        raise FileProblem(
            f"Truncated or damaged: {path.name} holds {chain.count} pages, its metadata says {max(declared, said)}.",
            hint=AGAIN,
        )
    # Asking for each page parses it; only OME says which page is which.
    if tif.is_ome and any(page is None for page in series):
        raise FileProblem(f"Pages are missing in {path.name}.", hint=AGAIN)
    return series
