"""Every page that is declared is there, whole, or the file is refused."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.tiff import read_tiff

DATA = np.random.default_rng(0).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
GRAY = {"photometric": "minisblack"}


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["plain", "shaped", "imagej", "ome"])
def test_truncation_is_never_a_shorter_stack(tmp_path, compression, kind):
    """tifffile gives one slice of ten for the compressed ones, without a word."""
    options = {"plain": {"metadata": None}, "shaped": {}, "imagej": {"imagej": True}, "ome": {"ome": True}}[kind]
    tifffile.imwrite(tmp_path / "whole.tif", DATA, compression=compression, **options, **GRAY)
    whole = (tmp_path / "whole.tif").read_bytes()
    np.testing.assert_array_equal(read_tiff(tmp_path / "whole.tif").data, DATA)
    path = tmp_path / "cut.tif"
    for percent in range(1, 100, 3):
        path.write_bytes(whole[: len(whole) * percent // 100])
        with pytest.raises(FileProblem):
            read_tiff(path)


def test_missing_pages_are_noticed(tmp_path):
    """A chain that ends early but cleanly, as after a program was stopped between two pages."""
    for kind in ("imagej", "ome"):
        tifffile.imwrite(tmp_path / "a.tif", DATA, **{kind: True}, **GRAY)
        with tifffile.TiffFile(tmp_path / "a.tif") as tif:
            description = tif.pages[0].description
        if kind == "ome":
            description = description.encode("ascii", "xmlcharrefreplace").decode()
        tifffile.imwrite(tmp_path / "b.tif", DATA[:6], description=description, metadata=None, **GRAY)
        with pytest.raises(FileProblem, match=r"6 pages|damaged|declares"):
            read_tiff(tmp_path / "b.tif")


def test_imagej_voxels_behind_one_page(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DATA, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        description = tif.pages[0].description
    # As ImageJ writes stacks beyond 4 GB: one page, then all voxels in a row.
    tifffile.imwrite(tmp_path / "b.tif", DATA[0], description=description, metadata=None, byteorder=">", **GRAY)
    one = (tmp_path / "b.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        offset = tif.pages[0].dataoffsets[0]
    voxels = DATA.astype(">u2").tobytes()
    (tmp_path / "b.tif").write_bytes(one[:offset] + voxels)
    np.testing.assert_array_equal(read_tiff(tmp_path / "b.tif").data, DATA)
    (tmp_path / "b.tif").write_bytes(one[:offset] + voxels[:-2])
    with pytest.raises(FileProblem):
        read_tiff(tmp_path / "b.tif")
