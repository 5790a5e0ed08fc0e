"""The bench at which one run is worked on: patches come in slots, labels go out in slots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.blend import Blender, Span, gaussian_weights
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.engine.kernel import PatchKernel, intensity_rows, resampling_ways
from napari_vol3d.engine.messages import Open, Patch, PatchDone


class Bench:
    """Computes the patches of one run; its memory is a patch's, and with blending a slab's.

    Parameters
    ----------
    job : Open
        What the run needs; its files are mapped until the bench is forgotten.
    make_kernel : callable
        Gives the kernel for keyword arguments of `PatchKernel`.
    """

    def __init__(self, job: Open, make_kernel: Callable[..., PatchKernel]) -> None:
        self._job = job
        self._inputs: NDArray[Any] = np.load(job.inputs, mmap_mode="r")
        self._outputs: NDArray[Any] = np.load(job.outputs, mmap_mode="r+")
        self._scores_file = np.load(job.probabilities, mmap_mode="r+") if job.probabilities else None
        wanted = "scores" if job.windows else "both" if job.probabilities else "labels"
        axis, first, _ = job.kept or (0, 0, 0)
        self._kernel = make_kernel(
            dtype=self._inputs.dtype.name, resampled=not job.grid.identity, wanted=wanted, mirror_axes=job.mirror_axes,
            kept=job.kept, length=job.patch_size[axis] if job.kept else None,
        )  # fmt: skip
        self._skipped = tuple(first * (each == axis) for each in range(3))  # voxels of a patch ahead of the kept rows
        self._intensity = intensity_rows(job.intensity)
        self._blender: Blender | None = None
        self._top = 0  # first row of the scan that a blended window covers

    def compute(self, request: Patch) -> PatchDone:
        """Compute one patch and put what became final into its output slot."""
        patch = Box.of(self._job.patch_size).shifted(request.start)
        owned = Box(start=request.owned_start, stop=request.owned_stop)
        if self._job.windows:
            return self._blend(request, patch)
        size = self._outputs.shape[1:]
        ways = [] if self._job.grid.identity else self._ways(patch, owned, (size[0], size[1], size[2]))
        found = self._kernel(self._inputs[request.slot], self._intensity, ways)
        z, y, x = (at + skipped for at, skipped in zip(request.start, self._skipped, strict=True))
        inside = Box.of(owned.shape) if ways else owned.shifted((-z, -y, -x))
        self._put(request.slot, Box.of(owned.shape), [each[(..., *inside.slices)] for each in found])
        return PatchDone(slot=request.slot, start=owned.start, stop=owned.stop)

    def _ways(self, patch: Box, owned: Box, owned_size: Triple) -> list[NDArray[np.float32]]:
        return resampling_ways(self._job.grid, patch, self._inputs.shape[1:4], owned, owned_size)

    def _blend(self, request: Patch, patch: Box) -> PatchDone:
        """Add a window to the slab; final are the rows that no later window touches."""
        origins = self._job.windows
        if origins is None:
            raise Vol3dError("This run has no windows to blend.")
        index = tuple(axis.index(at) for axis, at in zip(origins, request.start, strict=True))
        seen = self._seen(patch)
        ways = [] if self._job.grid.identity else self._ways(patch, seen, seen.shape)
        scores = self._kernel(self._inputs[request.slot], self._intensity, ways)[0]
        if not ways:
            scores = scores[seen.shifted((-patch.start[0], -patch.start[1], -patch.start[2])).slices]
        if self._blender is None:
            self._blender = self._make_blender(origins, scores.shape[-1])
        self._blender.add((index[0], index[1], index[2]), scores)
        first = last = None
        for box, rows in self._blender.finished():
            first = box.start[0] if first is None else first
            last = box.stop[0]
            self._put(request.slot, box.shifted((-first, 0, 0)), list(self._kernel.decide(rows)))
        _, y, x = self._job.grid.scan_shape
        return PatchDone(
            slot=request.slot, start=(self._top + (first or 0), 0, 0), stop=(self._top + (last or 0), y, x)
        )  # fmt: skip

    def _make_blender(self, origins: tuple[tuple[int, ...], ...], classes: int) -> Blender:
        """Blend the rows that the windows cover: those of a region are far fewer than the scan's."""
        z, y, x = (self._spans(axis, along) for axis, along in enumerate(origins))
        self._top = z[0].start
        z = [replace(span, start=span.start - self._top, stop=span.stop - self._top) for span in z]
        _, height, width = self._job.grid.scan_shape
        return Blender((z[-1].stop, height, width), (z, y, x), classes=classes)

    def _put(self, slot: int, place: Box, found: list[NDArray[Any]]) -> None:
        self._outputs[(slot, *place.slices)] = found[0]
        if self._scores_file is not None:
            self._scores_file[(slot, slice(None), *place.slices)] = found[1]

    def _seen(self, patch: Box) -> Box:
        """Give the scan voxels whose centres lie in a patch."""
        return self._job.grid.owned(patch.intersect(Box.of(self._job.grid.model_shape)))

    def _spans(self, axis: int, origins: tuple[int, ...]) -> list[Span]:
        """Give what the windows weigh along one axis of the scan."""
        grid, edge = self._job.grid, self._job.patch_size[axis]
        weights, spans = gaussian_weights(edge), []
        for origin in origins:
            start, stop = grid.owned_along(axis, origin, min(origin + edge, grid.model_shape[axis]))
            way = grid.weights_to_scan(axis, (origin, origin + edge), (start, stop))
            spans.append(Span(start=start, stop=stop, weights=(way @ weights).astype(np.float32)))
        return spans
