"""The rigid search itself: SimpleITK on two volumes in mm, in a thread that can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Affine, Volume

MOST_VOXELS = 1 << 21  # larger scans are looked at with a coarser stride: a voxel of 2 mm gives 0.05 mm
SAMPLES = 25_000  # voxels at which the scans are compared, at each level
SEED = 7
ITERATIONS = 150  # at most, at each level
BINS = 50  # of the joint histogram
POLL = 0.1  # seconds between two reports
LPS = np.diag((-1.0, -1.0, 1.0, 1.0))  # ITK's world runs to left and posterior


class Search:
    """One search for the motion between two volumes, both in mm.

    Parameters
    ----------
    together : bool
        Whether the search begins with the middles of the volumes laid together, not where they lie.

    Raises
    ------
    ScanMismatch
        If one of them has the same value everywhere.
    """

    def __init__(self, fixed: Volume, moving: Volume, *, together: bool) -> None:
        import SimpleITK as sitk

        self._fixed, self._moving = _to_itk(fixed), _to_itk(moving)
        self._transform = sitk.Euler3DTransform()
        self._transform.SetCenter(_middle(self._fixed).tolist())
        if together:
            self._transform.SetTranslation((_middle(self._moving) - _middle(self._fixed)).tolist())
        smallest = min(self._fixed.GetSize())
        self._shrinks = [s for s in (4, 2, 1) if smallest >= 4 * s or s == 1]
        self._method = _method(self._fixed, self._shrinks)
        self._stop, self._problem = threading.Event(), ""

    @property
    def matrix(self) -> Affine:
        """What was found: from the moving world to the fixed one, RAS."""
        matrix, centre = np.eye(4), np.asarray(self._transform.GetCenter())
        matrix[:3, :3] = np.reshape(self._transform.GetMatrix(), (3, 3))
        matrix[:3, 3] = np.asarray(self._transform.GetTranslation()) + centre - matrix[:3, :3] @ centre
        return np.asarray(np.linalg.inv(LPS @ matrix @ LPS))  # ITK's runs from the fixed scan to the moving one

    def measure(self, *, moved: bool) -> float:
        """Give the mutual information of the volumes in nats, moved or as they lie; 0 where they do not meet."""
        import SimpleITK as sitk

        method = _method(self._fixed, [1])
        method.SetInitialTransform(self._transform if moved else sitk.Euler3DTransform())
        try:
            return -float(method.MetricEvaluate(self._fixed, self._moving))
        except RuntimeError:  # ITK's way to say that all samples are outside
            return 0.0

    def go(self) -> Generator[Progress, None, None]:
        """Search, and tell about ten times a second how far it is; closing ends the search.

        Raises
        ------
        ScanMismatch
            If the volumes slide off each other.
        """
        import SimpleITK as sitk

        began = time.perf_counter()
        self._method.SetInitialTransform(self._transform, inPlace=True)
        self._method.AddCommand(sitk.sitkIterationEvent, self._on_iteration)
        worker = threading.Thread(target=self._run, name="registration")  # ITK holds no lock of Python's
        worker.start()
        try:
            while worker.is_alive():
                yield self._progress(time.perf_counter() - began)
                worker.join(POLL)
        finally:
            self._stop.set()
            worker.join()
            self._method.RemoveAllCommands()  # they hold on to this object, which holds the method
        if self._problem:
            raise ScanMismatch(
                "The scans have too little in common to be registered.", hint="Do both show the same part of the body?"
            ) from RuntimeError(self._problem)

    def _run(self) -> None:
        try:
            self._method.Execute(self._fixed, self._moving)
        except RuntimeError as error:
            self._problem = str(error)

    def _on_iteration(self) -> None:
        if self._stop.is_set():
            self._method.StopRegistration()

    def _progress(self, seconds: float) -> Progress:
        done = self._method.GetCurrentLevel() * ITERATIONS + self._method.GetOptimizerIteration()
        total = len(self._shrinks) * ITERATIONS
        return Progress(phase="Registering", done=min(done, total), total=total, seconds=seconds)


def _method(fixed: Any, shrinks: list[int]) -> Any:
    """Make the optimiser; it goes from the coarsest of `shrinks` to the finest."""
    import SimpleITK as sitk

    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    voxels, step = float(np.prod(fixed.GetSize())), min(fixed.GetSpacing())
    method.SetMetricSamplingPercentagePerLevel([min(1.0, SAMPLES * s**3 / voxels) for s in shrinks], SEED)
    method.SetInterpolator(sitk.sitkLinear)
    # Gradients are asked for at the samples only; computed for all voxels they take longer and are no better.
    method.SetMetricUseFixedImageGradientFilter(False)
    method.SetMetricUseMovingImageGradientFilter(False)
    method.SetNumberOfWorkUnits(1)  # sums of several threads differ in their last bits, and the search goes apart there
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=step, minStep=1e-3 * step, numberOfIterations=ITERATIONS, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(shrinks)
    method.SetSmoothingSigmasPerLevel([s * step if s > 1 else 0.0 for s in shrinks])
    method.SetSmoothingSigmasAreSpecifiedInPhysicalUnits(True)
    return method


def _to_itk(volume: Volume) -> Any:
    """Give a volume as ITK has it, in LPS, thinned where it is large."""
    import SimpleITK as sitk

    steps = thinning(volume.shape, volume.geometry.spacing)
    z, y, x = steps
    data = np.nan_to_num(np.asarray(volume.data[::z, ::y, ::x]).astype(np.float32), posinf=0, neginf=0)
    if data.min() == data.max():
        raise ScanMismatch(f"Nothing can be seen in {volume.name}: it is {data.min():g} everywhere.",
                           hint="Choose another scan.")  # fmt: skip
    affine = LPS @ volume.geometry.affine @ np.diag((*steps, 1.0))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image = sitk.GetImageFromArray(data)
    image.SetSpacing(spacing[::-1].tolist())
    image.SetDirection((affine[:3, :3] / spacing)[:, ::-1].ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def thinning(shape: Triple, spacing: tuple[float, float, float]) -> Triple:
    """Give every how manieth voxel of each axis is enough; the finest axes are thinned first."""
    steps = [1, 1, 1]
    while np.prod([-(-length // step) for length, step in zip(shape, steps, strict=True)]) > MOST_VOXELS:
        steps[int(np.argmin(np.multiply(steps, spacing)))] += 1
    return (steps[0], steps[1], steps[2])


def _middle(image: Any) -> Any:
    return np.asarray(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
