"""Answering requests: load, open, patch, fit, adopt. One at a time, each a generator of reports."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

from napari_vol3d.core.errors import EngineProblem, Vol3dError
from napari_vol3d.engine.backends import gist, library_errors, ran_out_of_memory
from napari_vol3d.engine.bench import Bench
from napari_vol3d.engine.inbox import Inbox
from napari_vol3d.engine.kernel import PatchKernel
from napari_vol3d.engine.load import Network, load_network
from napari_vol3d.engine.messages import (
    Adopt,
    Done,
    Fit,
    Loaded,
    LoadModels,
    Message,
    Open,
    Opened,
    Patch,
    Request,
    Score,
    Scored,
)

log = logging.getLogger(__name__)
MOST_KERNELS = 4  # of one set of networks: compiling takes about as long as a small scan


class Server:
    """Holds the loaded networks, their compiled kernels, and what patches come and go in."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.networks: tuple[Network, ...] = ()
        self.bench: Bench | None = None
        self._kernels: dict[tuple[object, ...], PatchKernel] = {}

    def answer(self, request: Request) -> Iterator[Message]:
        """Do what is asked and report on the way."""
        try:
            match request:
                case LoadModels():
                    yield self._load(request)
                case Open():
                    yield self._open(request)
                case Patch():
                    yield self._patch(request)
                case Score():
                    yield self._score(request)
                case Fit():
                    yield from self._fit(request)
                case Adopt():
                    from napari_vol3d.engine.adopt import adopt  # a run never needs it

                    yield adopt(request)
        except library_errors() as error:
            log.exception("the request %s failed", request.kind)
            if ran_out_of_memory(error):
                raise MemoryError(str(error)) from error
            raise EngineProblem(f"The network failed: {gist(error)}.", hint="The log has the details.") from error

    def _load(self, request: LoadModels) -> Loaded:
        self.bench, self._kernels = None, {}
        self.networks = tuple(load_network(Path(item.weights), item.card) for item in request.models)
        anatomies = [network.anatomy for network in self.networks]
        return Loaded(
            reach=max(each.halo for each in anatomies),
            instance_statistics=any(each.instance_statistics for each in anatomies),
            bytes_per_voxel=max(each.bytes_per_voxel for each in anatomies),
            flops_per_voxel=sum(each.flops_per_voxel for each in anatomies),
            rewrites=tuple(line for network in self.networks for line in network.rewrites),
        )

    def _open(self, request: Open) -> Opened:
        if not self.networks:
            raise Vol3dError("No model is loaded.", hint="Load a model first.")
        self.bench = None  # lets go of the files of the last run
        self.bench = Bench(request, self._kernel)
        return Opened()

    def _kernel(self, **kind: object) -> PatchKernel:
        """Give the kernel of this kind: compiled once, kept for the next run; what was unused longest goes."""
        key = tuple(sorted(kind.items()))
        if key in self._kernels:
            self._kernels[key] = self._kernels.pop(key)
        else:
            while len(self._kernels) >= MOST_KERNELS:
                del self._kernels[next(iter(self._kernels))]
            self._kernels[key] = PatchKernel(self.networks, **kind)  # type: ignore[arg-type]
        return self._kernels[key]

    def _patch(self, request: Patch) -> Message:
        if self.bench is None:
            raise Vol3dError("No run is open.", hint="Open one first.")
        return self.bench.compute(request)

    def _score(self, request: Score) -> Scored:
        if not self.networks:
            raise Vol3dError("No model is loaded.", hint="Load a model first.")
        network = self.networks[0]
        found = network.model(np.load(request.inputs)[None], training=False)
        if network.card.output.activation != "none":
            found = network.probabilities(found)
        np.save(request.outputs, np.asarray(keras.ops.convert_to_numpy(found), np.float32)[0])
        return Scored()

    def _fit(self, request: Fit) -> Iterator[Message]:
        from napari_vol3d.engine.fit import fit  # TensorFlow alone trains; other backends never need it

        for report in fit(request):
            yield report
            if self.inbox.cancelled.is_set():
                break
        yield Done()
