"""What is proved about an HDF5 dataset before it is read: HDF5 itself fills what is missing, and unpacks what comes."""

from __future__ import annotations

import logging
import math
import zlib
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import h5py

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate

log = logging.getLogger(__name__)

AGAIN = "Copy or download it again, or save it anew."
DEFLATE, FLETCHER = 1, 3
# Deflate, shuffle, checksum, szip, n-bit, scale-offset, LZF; and those that many install: LZ4, bitshuffle, Blosc, Zstd.
FILTERS = (DEFLATE, 2, FLETCHER, 4, 5, 6, 32000, 32001, 32004, 32008, 32015, 32026)


def prove_stored(dataset: h5py.Dataset, path: Path, size: int) -> None:
    """Prove that the voxels of a dataset are in the file, can be unpacked, and a chunk of them fits into memory.

    Chunks that were never written are allowed by the format, and counted in the log; a dataset of nothing else is not
    a volume.

    Raises
    ------
    FileProblem
        If one of these is not so.
    """
    declared = gate.declared_bytes(path, dataset.shape, dataset.dtype.itemsize)
    _check_filters(dataset, path)
    if dataset.chunks is None:
        stored = int(dataset.id.get_storage_size())
        if stored == 0:
            raise _never_written(dataset, path)
        offset = dataset.id.get_offset()  # None where they lie in the header
        if stored < declared or (offset is not None and offset + declared > size):
            raise gate.truncated(path, declared, min(stored, size))
        return
    packed = math.prod(dataset.chunks) * dataset.dtype.itemsize
    gate.check_memory(path, packed)
    chunks = _chunks(dataset)
    if not chunks:
        raise _never_written(dataset, path)
    end = max(offset + length for offset, length in chunks)
    if end > size:
        raise gate.truncated(path, end, size)
    grid = math.prod(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    if len(chunks) < grid:
        log.warning("%s: %d of %d chunks are absent and show as their fill value", path.name, grid - len(chunks), grid)


class ChunkProof:
    """Proves of deflated chunks, once each, that they unpack to what is declared: HDF5 would unpack a bomb."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._proved: set[tuple[int, ...]] = set()

    def prove(self, dataset: h5py.Dataset, index: Sequence[slice]) -> None:
        """Prove the chunks that these slices, each with a start, a stop and a positive step, touch."""
        filters = [number for number, _ in _filters(dataset)]
        if DEFLATE not in filters:
            return
        length = math.prod(dataset.chunks) * dataset.dtype.itemsize
        if FLETCHER in filters and filters.index(FLETCHER) < filters.index(DEFLATE):
            length += 4  # the checksum is packed too
        edges = zip(index, dataset.chunks, strict=True)
        for at in product(*(sorted({k // edge for k in range(s.start, s.stop, s.step)}) for s, edge in edges)):
            start = tuple(k * edge for k, edge in zip(at, dataset.chunks, strict=True))
            if start not in self._proved:
                self._prove(dataset, start, length, filters)
                self._proved.add(start)

    def _prove(self, dataset: h5py.Dataset, start: tuple[int, ...], length: int, filters: list[int]) -> None:
        if dataset.id.get_chunk_info_by_coord(start).byte_offset is None:
            return
        mask, raw = dataset.id.read_direct_chunk(start)
        if mask & (1 << filters.index(DEFLATE)):  # this chunk was left as it is
            return
        content = raw[:-4] if FLETCHER in filters and filters.index(FLETCHER) > filters.index(DEFLATE) else raw
        unpacking = zlib.decompressobj()
        found = len(unpacking.decompress(content, length + 1))
        if found != length or not unpacking.eof:
            raise FileProblem(f"Damaged file: a chunk of {self._path.name} is not of its declared size.", hint=AGAIN)


def _chunks(dataset: h5py.Dataset) -> list[tuple[int, int]]:
    """List offset and length of the chunks that are in the file."""
    found: list[tuple[int, int]] = []
    dataset.id.chunk_iter(lambda chunk: found.append((int(chunk.byte_offset), int(chunk.size))))
    return found


def _filters(dataset: h5py.Dataset) -> list[tuple[int, str]]:
    creation: Any = dataset.id.get_create_plist()
    entries = [creation.get_filter(k) for k in range(creation.get_nfilters())]
    return [(int(entry[0]), entry[3].decode("utf-8", "replace")) for entry in entries]


def _check_filters(dataset: h5py.Dataset, path: Path) -> None:
    for number, name in _filters(dataset):
        if number not in FILTERS or not h5py.h5z.filter_avail(number):
            raise FileProblem(
                f"Compression not supported: {path.name} uses {name.partition(';')[0] or f'filter {number}'}.",
                hint="Save it with gzip or without compression.",
            )


def _never_written(dataset: h5py.Dataset, path: Path) -> FileProblem:
    return FileProblem(f"No voxels: {dataset.name} of {path.name} was never written.", hint=AGAIN)
