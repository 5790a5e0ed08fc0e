"""All pages of a TIFF are there and alike, and each of them whole, before anything is read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.tiff import read_tiff
from napari_vol3d.io.tiff_pages import Chain, walk_pages
from tests.io.bad_tiff import entry

DATA = np.random.default_rng(0).integers(0, 4000, (10, 24, 20), dtype=np.uint16)
GRAY = {"photometric": "minisblack", "metadata": None}
BITS, ROWS, OFFSETS, COUNTS = 258, 278, 273, 279


def written(*stacks, **options) -> bytes:
    file = io.BytesIO()
    kind = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    with tifffile.TiffWriter(file, **kind) as tif:
        for stack in stacks:
            tif.write(stack, **GRAY, **options)
    return file.getvalue()


def walk(path, content: bytes) -> Chain:
    path.write_bytes(content)
    return walk_pages(path, len(content))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {}, {"compression": "zlib"}, {"compression": "lzw", "rowsperstrip": 5}, {"tile": (16, 16)}, {"rowsperstrip": 7},
        {"tile": (16, 16), "compression": "zstd"}, {"compression": "packbits"}, {"compression": "lzma"},
    ],
)  # fmt: skip
def test_whole_files_of_every_layout(tmp_path, byteorder, bigtiff, options):
    for data in (DATA, DATA.astype(np.uint8), np.zeros((3, 700, 900), np.float64), DATA[0] > 2000):
        content = written(data, byteorder=byteorder, bigtiff=bigtiff, **options)
        assert walk(tmp_path / "a.tif", content) == Chain(count=len(data) if data.ndim == 3 else 1)
        np.testing.assert_array_equal(np.squeeze(read_tiff(tmp_path / "a.tif").data), data)


@pytest.mark.parametrize("options", [{"photometric": "rgb"}, {"photometric": "rgb", "planarconfig": "separate"}])
def test_colours(tmp_path, options):
    shape = (4, 24, 20, 3) if "planarconfig" not in options else (4, 3, 24, 20)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, np.uint8), metadata=None, compression="zlib", **options)
    assert walk(tmp_path / "a.tif", (tmp_path / "a.tif").read_bytes()) == Chain(count=4)


def test_the_first_page_that_is_another_is_told(tmp_path):
    for other in (DATA[0, :20], DATA[0].astype(np.uint8), DATA[0].astype(np.int16), DATA[0].astype(np.float32)):
        assert walk(tmp_path / "a.tif", written(DATA, other, other)).odd == 11
    packed = written(DATA[:5], compression="zlib") + b""
    assert walk(tmp_path / "a.tif", packed).odd == 0
    # One of ten, which tifffile does not look at: it reads that page as the first one is stored.
    content = entry(BITS, 8, page=4)(written(DATA))
    assert walk(tmp_path / "a.tif", content) == Chain(count=10, odd=5)
    with pytest.raises(FileProblem, match=r"^Pages that differ: page 5 of a\.tif"):
        read_tiff(tmp_path / "a.tif")


@pytest.mark.parametrize("page", [0, 7])
def test_a_page_that_lacks_strips_or_bytes_is_refused(tmp_path, page):
    path = tmp_path / "a.tif"
    packed = written(DATA, compression="zlib")
    with pytest.raises(FileProblem, match=r"has 1 of 5 strips"):
        walk(path, entry(ROWS, 5, page)(packed))
    with pytest.raises(FileProblem, match=r"^Truncated file: a\.tif, 100 of 960 bytes"):
        walk(path, entry(COUNTS, 100, page)(written(DATA)))
    for tag, value in ((OFFSETS, 0), (COUNTS, 0)):
        with pytest.raises(FileProblem, match="has no voxels"):
            walk(path, entry(tag, value, page)(packed))
    with pytest.raises(FileProblem, match="has no voxels"):
        walk(path, entry(OFFSETS, 8, page, count=0)(packed))


def test_very_old_files_name_no_counts(tmp_path):
    """Tag 279 is renamed to a private one, so that it is missing."""
    content = written(DATA[0])
    at = content.index(struct.pack("<HHI", COUNTS, 4, 1))
    assert walk(tmp_path / "a.tif", content[:at] + struct.pack("<H", 65000) + content[at + 2 :]) == Chain(count=1)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_every_cut_is_refused_or_takes_nothing_away(tmp_path, compression):
    content = written(DATA, compression=compression)
    refused = 0
    for length in range(8, len(content), 37):
        try:
            walk(tmp_path / "a.tif", content[:length])
        except FileProblem:
            refused += 1
            continue
        np.testing.assert_array_equal(read_tiff(tmp_path / "a.tif").data, DATA)
    assert refused > 0.9 * len(range(8, len(content), 37))


def test_real_stacks_are_whole(shared_data):
    found = sorted((shared_data / "microscopy").rglob("*.tif*"))
    assert len(found) > 5
    for path in found:
        chain = walk_pages(path, path.stat().st_size)
        with tifffile.TiffFile(path) as tif:
            assert chain == Chain(count=len(tif.pages))
