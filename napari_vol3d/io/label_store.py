"""A label image on disk that grows box by box while a run goes on, and that a later run can continue.

It is OME-Zarr 0.5 in a folder of its own beside the target, which takes the target's name when it is whole. A text file
in it counts the boxes that are done, one JSON line each; voxels are on the disk before the line that counts them, so
that neither a kill nor a power cut ever counts voxels that were not written.
"""

from __future__ import annotations

import logging
import shutil
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec
from zarr.storage import LocalStore

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import SaveProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass, to_label_dtype
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.folders import folder_beside, moved_away, refuse_occupied, saving
from napari_vol3d.io.ngff import describe_labels
from napari_vol3d.io.progress_file import append_record, inside, make_durable, read_progress

log = logging.getLogger(__name__)

CHUNKS = (64, 128, 128)
LEVEL = "0"
PROGRESS = "napari_vol3d_progress.jsonl"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelSpec:
    """What a label image on disk is to be.

    Attributes
    ----------
    shape : tuple of int
        (Z, Y, X).
    dtype : dtype
        Of the ids: unsigned integers.
    run : str
        What tells this run from others, such as a digest of scan, model and plan.
    chunks : tuple of int
        What lies in one file, in voxels (z, y, x).
    """

    geometry: Geometry
    shape: Triple
    dtype: np.dtype[Any]
    classes: Sequence[LabelClass]
    run: str
    chunks: Triple = CHUNKS

    @property
    def header(self) -> dict[str, Any]:
        """What must be the same for one run to continue another's store."""
        return {
            "format_version": FORMAT_VERSION, "run": self.run, "shape": list(self.shape),
            "dtype": np.dtype(self.dtype).name,
        }  # fmt: skip


class LabelStore:
    """Labels that are written box by box; made by `create` or `resume_or_create`.

    Boxes need not lie along chunks, but are disjoint; one may be written again. There must be one writer at a time.

    Attributes
    ----------
    target : Path
        Where the labels will lie; until `finish`, there is nothing there, or what is to be replaced.
    partial : Path
        The folder that grows.
    shape : tuple of int
        (Z, Y, X).
    dtype : dtype
        Unsigned integers.
    """

    def __init__(self, target: Path, done: dict[Box, int], *, overwrite: bool) -> None:
        self.target = target
        self.partial = partial_of(target)
        array = zarr.open_array(LocalStore(self.partial / LEVEL), mode="r+")
        # Chunks of zeros are written too, so that one that is lost later does not pass for background.
        self._array: Any = array.with_config({"write_empty_chunks": True})
        z, y, x = self._array.shape
        self.shape: Triple = (z, y, x)
        self.dtype = np.dtype(self._array.dtype)
        self._done = done  # checksums of the boxes that are on the disk
        self._overwrite = overwrite

    @classmethod
    def create(cls, target: Path, spec: LabelSpec, *, overwrite: bool = False) -> LabelStore:
        """Start a label image; one that an earlier run left unfinished here is thrown away.

        Parameters
        ----------
        target : Path
            The final name, ending in .zarr.
        overwrite : bool
            Whether an older Zarr folder at `target` is replaced in the end.

        Raises
        ------
        SaveProblem
            If something is in the way, or the folder can't be written to.
        """
        refuse_occupied(target, overwrite=overwrite)
        if np.dtype(spec.dtype).kind != "u":
            raise Vol3dError(f"Labels are kept as unsigned integers; received {spec.dtype}.", hint="Choose uint8.")
        partial = partial_of(target)
        with saving(target):
            if partial.exists():
                if not (partial / PROGRESS).is_file():
                    raise SaveProblem(f"{target.name} was not saved: {partial.name} is in the way.", hint="Move it.")
                shutil.rmtree(partial)
            # Made elsewhere and moved here whole: a folder of this name can always be continued.
            with folder_beside(target) as beside:
                _make(beside / partial.name, target, spec)
                (beside / partial.name).rename(partial)
            make_durable(target.parent)
            return cls(target, {}, overwrite=overwrite)

    @classmethod
    def resume_or_create(cls, target: Path, spec: LabelSpec, *, overwrite: bool = False) -> LabelStore:
        """Continue what a run of the same name, shape and dtype left unfinished here, else start anew as `create`."""
        refuse_occupied(target, overwrite=overwrite)
        partial = partial_of(target)
        try:
            with saving(target):
                header, done = read_progress(partial / PROGRESS, spec.shape)
                if header == spec.header:
                    return cls(target, done, overwrite=overwrite)
        except SaveProblem as problem:  # a damaged store is no reason not to run
            log.warning("%s can't be continued: %s", partial.name, problem.message)
        return cls.create(target, spec, overwrite=overwrite)

    @property
    def finished(self) -> list[Box]:
        """Boxes whose voxels are on the disk, in the order in which they were first written."""
        return list(self._done)

    def write(self, box: Box, labels: NDArray[Any]) -> None:
        """Write the labels of a box, and count it once they are on the disk.

        Parameters
        ----------
        box : Box
            Inside the volume; one that was written before, or disjoint from all of these.
        labels : ndarray of integers, of the box's shape

        Raises
        ------
        Vol3dError
            If the box is none of those, or an id does not fit into the store's type.
        SaveProblem
            If the disk is full or the like; boxes that were counted before stay.
        """
        if labels.shape != box.shape or not inside(box, self.shape):
            raise Vol3dError(f"A box in {self.shape} was expected; received {box} with labels {labels.shape}.")
        if box not in self._done and any(box.intersect(other).size for other in self._done):
            raise Vol3dError(f"Boxes must be disjoint; {box} reaches into one that was written before.")
        voxels = np.ascontiguousarray(to_label_dtype(labels, self.dtype))
        with saving(self.target):
            if box in self._done:
                self._forget(box)
            self._array[box.slices] = voxels
            chunks = list(self._chunks(box))
            # The names of new files and folders lie in the three folders above them and in the array's own.
            for path in (*chunks, *{folder for chunk in chunks for folder in chunk.parents[:4]}):
                make_durable(path)
            self._count(box, zlib.crc32(voxels.data))

    def read(self, box: Box) -> NDArray[Any]:
        """Give the labels of a box; 0 where nothing was written."""
        with saving(self.target):
            return np.asarray(self._array[box.slices])

    def finish(self) -> Path:
        """Check what is on the disk against what was written, and give it its final name.

        Raises
        ------
        SaveProblem
            If boxes do not read back the same: these and their neighbours no longer count, and a new run writes them
            again. If something is in the way, or the folder can't be renamed: what was there before is untouched.
        """
        refuse_occupied(self.target, overwrite=self._overwrite)
        bad = [box for box in self._done if not self._reads_back(box)]
        with saving(self.target):
            if bad:
                self._give_up(bad)
                raise SaveProblem(
                    f"{self.target.name} was not saved: {len(bad)} of its parts did not read back the same.",
                    hint="Run it again: only these are computed again. If it stays so, try another disk.",
                )
            for left in self.partial.rglob("*.partial"):  # zarr's, of a write that was cut short
                left.unlink()
            with moved_away(self.target):
                self.partial.rename(self.target)
            # After the rename: a folder without this file can't be continued.
            (self.target / PROGRESS).unlink()
            make_durable(self.target)
            make_durable(self.target.parent)
        return self.target

    def _count(self, box: Box, checksum: int | None) -> None:
        record = {"start": box.start, "stop": box.stop, "crc32": checksum}
        append_record(self.partial / PROGRESS, record)
        if checksum is not None:
            self._done[box] = checksum

    def _forget(self, box: Box) -> None:
        self._count(box, None)
        del self._done[box]

    def _give_up(self, bad: Sequence[Box]) -> None:
        """Forget boxes with all that shares a chunk with them, and remove these chunks: they may be unreadable."""
        lost = {chunk for box in bad for chunk in self._chunks(box)}
        for box in [box for box in self._done if not lost.isdisjoint(self._chunks(box))]:
            self._forget(box)
        for chunk in lost:
            chunk.unlink(missing_ok=True)

    def _reads_back(self, box: Box) -> bool:
        try:
            with saving(self.target):
                if not all(path.is_file() for path in self._chunks(box)):
                    return False  # zarr would give zeros
                voxels = np.ascontiguousarray(self._array[box.slices])
        except SaveProblem as problem:
            log.warning("%s: %s", self.partial.name, problem.message)
            return False
        return zlib.crc32(voxels.data) == self._done[box]

    def _chunks(self, box: Box) -> Iterator[Path]:
        spans = zip(box.start, box.stop, self._array.chunks, strict=True)
        for z, y, x in product(*(range(start // edge, -(-stop // edge)) for start, stop, edge in spans)):
            yield self.partial / LEVEL / "c" / str(z) / str(y) / str(x)


def partial_of(target: Path) -> Path:
    """Name the folder in which labels grow; by its name it is no Zarr folder, so that nobody takes it for a result."""
    return target.with_name(f"{target.name}.partial")


def _make(folder: Path, target: Path, spec: LabelSpec) -> None:
    """Make a store without voxels, on the disk down to the last name."""
    described = Volume(data=None, geometry=spec.geometry, classes=tuple(spec.classes))
    attributes = describe_labels(target.name, described, {LEVEL: (1, 1, 1)})
    root = zarr.create_group(LocalStore(folder), zarr_format=3, attributes=attributes)
    root.create_array(
        LEVEL, shape=spec.shape, dtype=np.dtype(spec.dtype), chunks=tuple(map(min, spec.chunks, spec.shape)),
        fill_value=0, compressors=[ZstdCodec(checksum=True)], dimension_names=("z", "y", "x"),
    )  # fmt: skip
    append_record(folder / PROGRESS, spec.header)
    for path in (*folder.rglob("*"), folder):
        make_durable(path)
