"""Make the sample volumes of File > Open Sample again.

Run from the repository's root::

    python sample_data/make_samples.py --data ../shared/data/hippocampus

`nuclei.tif` and `nuclei_labels.tif` are synthetic (`napari_vol3d.core.phantom`). `hippocampus_average.nii.gz` and
`hippocampus_average_labels.nii.gz` are an average of many training scans of the Medical Segmentation Decathlon, made
only where the data is found; README.md beside this file has the credit and the licence. Needs SimpleITK; about
two minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.phantom import nuclei
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.nifti import write_nifti
from napari_vol3d.io.tiff import write_tiff

log = logging.getLogger(__name__)
HERE = Path(__file__).resolve().parent
RECIPE = HERE.parent / "napari_vol3d" / "models" / "bundled" / "hippocampus-t1" / "recipe.json"
SEED = 20
NUCLEI_SPACING_UM = (2.0, 0.65, 0.65)

AVERAGED = 90  # scans in the average: enough that nothing of one person is left
CLASSES = 3  # background, anterior, posterior
COVERAGE = 0.5  # share of scans that must reach a voxel of the grid that is kept
NOISE = 0.04  # Rician sigma over the range of grey levels; a single scan has about as much
SHARPENING = 0.8

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A scan on its own grid or on the average's, axes (z, y, x), z up, y to the front, x to the right.

    Attributes
    ----------
    image : ndarray of float32
        Grey levels, median 0 and interquartile range 1.
    labels : ndarray of float32, shape (3, Z, Y, X)
        One-hot, or what a linear interpolation made of it.
    covered : ndarray of float32
        1 where the scan reaches.
    """

    name: str
    image: Floats
    labels: Floats
    covered: Floats

    @property
    def feature(self) -> Floats:
        """What is aligned: grey levels, raised on the hippocampus so that its borders and its division count too."""
        lift = ndimage.gaussian_filter(self.labels[1] * 2.0 + self.labels[2] * 3.0, 0.7)
        return np.asarray(np.clip(self.image, -2, 2) + lift, np.float32)

    @property
    def centre(self) -> NDArray[np.float64]:
        """Centre of the hippocampus, voxels (z, y, x)."""
        return np.asarray(ndimage.center_of_mass(self.labels[1:].sum(axis=0)))


def main() -> None:
    """Make the files beside this script."""
    parser = argparse.ArgumentParser(description="Make the sample volumes again.")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data" / "hippocampus")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the files (default: beside this script)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_nuclei(arguments.out)
    if (arguments.data / "images").is_dir():
        write_average(arguments.data, arguments.out)
    else:
        log.warning("No scans at %s: hippocampus_average.nii.gz stays as it is.", arguments.data)


def write_nuclei(out: Path) -> None:
    """Write the synthetic nuclei and their labels as OME-TIFF with spacing in um."""
    image, labels = nuclei(spacing_um=NUCLEI_SPACING_UM, seed=SEED)
    geometry = Geometry.from_spacing(NUCLEI_SPACING_UM, unit="um")
    write_tiff(out / "nuclei.tif", Volume(data=image, geometry=geometry, name="nuclei"))
    write_tiff(out / "nuclei_labels.tif", Volume(data=labels, geometry=geometry, name="nuclei_labels", is_labels=True))


def write_average(data: Path, out: Path) -> None:
    """Write the average hippocampus and its labels as NIfTI, 1 mm, RAS."""
    # One thread, so that sums are made in one order and the files come out the same everywhere.
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    recipe = json.loads(RECIPE.read_text(encoding="utf-8"))
    average = group_average(read_scans(data, training_ids(data, recipe)))
    classes = tuple(
        LabelClass(id=int(i), name=name, color=default_color(int(i))) for i, name in recipe["class_names"].items()
    )
    geometry = replace(Geometry.from_spacing((1.0, 1.0, 1.0), unit="mm"), anatomical=True)
    grey = Volume(data=single_scan_look(average), geometry=geometry)
    write_nifti(out / "hippocampus_average.nii.gz", grey)
    ids = np.argmax(average.labels, axis=0).astype(np.uint8)
    write_nifti(out / "hippocampus_average_labels.nii.gz", grey.with_data(ids, is_labels=True, classes=classes))


def training_ids(data: Path, recipe: Mapping[str, Any]) -> list[str]:
    """List the scans that the recipe of the bundled model neither tests nor chooses with."""
    kept_back = {*recipe["test"], *recipe["validation"]}
    names = sorted(path.name.removesuffix(".nii.gz") for path in (data / "labels").glob("*.nii.gz"))
    return [name for name in names if name not in kept_back]


def read_scans(data: Path, names: Iterable[str]) -> list[Scan]:
    """Read scans and labels, grey levels made comparable."""
    found = []
    for name in names:
        image, ids = (
            np.asarray(nib.as_closest_canonical(nib.load(data / folder / f"{name}.nii.gz")).dataobj).transpose(2, 1, 0)
            for folder in ("images", "labels")
        )
        low, middle, high = np.percentile(image, (25, 50, 75))
        grey = ((image - middle) / (high - low)).astype(np.float32)
        one_hot = np.stack([(np.round(ids) == i) for i in range(CLASSES)]).astype(np.float32)
        found.append(Scan(name=name, image=grey, labels=one_hot, covered=np.ones_like(grey)))
    return found


def group_average(scans: Sequence[Scan]) -> Scan:
    """Align all scans group-wise and average those that fit best."""
    template = reference_of(scans)
    aligned = [affine_aligned(template, better_side(template, scan)) for scan in scans]
    template = mean_of(best_fitting(template, aligned))
    chosen = best_fitting(template, aligned)
    log.info("%d of %d scans fit: %s ...", len(chosen), len(scans), ", ".join(s.name for s in chosen[:3]))
    # A second deformable round sharpens by 2 % only, and takes a minute.
    return cropped(mean_of([deformed(template, scan) for scan in chosen]))


def reference_of(scans: Sequence[Scan]) -> Scan:
    """Choose the scan whose shape and hippocampus are nearest to the median: a grid to begin with, no more."""
    sizes = np.array([[*scan.image.shape, scan.labels[1].sum() / 50, scan.labels[2].sum() / 50] for scan in scans])
    return scans[int(np.argmin(np.abs(sizes - np.median(sizes, axis=0)).sum(axis=1)))]


def better_side(template: Scan, scan: Scan) -> Scan:
    """Give the scan or its left-right mirror image, whichever fits better once the centres are put together."""
    mirrored = replace(scan, image=scan.image[..., ::-1].copy(), labels=scan.labels[..., ::-1].copy())
    both = {likeness(template, resampled(one, template, centred(template, one))): one for one in (scan, mirrored)}
    return both[max(both)]


def likeness(template: Scan, scan: Scan) -> float:
    """Correlation of features where the scan reaches, plus Dice of the soft hippocampus."""
    inside = scan.covered > 0.5
    correlation = np.corrcoef(template.feature[inside], scan.feature[inside])[0, 1]
    mine, other = scan.labels[1:], template.labels[1:]
    return float(correlation + 2 * np.minimum(mine, other).sum() / (mine.sum() + other.sum()))


def best_fitting(template: Scan, scans: Iterable[Scan]) -> list[Scan]:
    """Give the `AVERAGED` scans that are most like the template."""
    return sorted(scans, key=lambda scan: likeness(template, scan), reverse=True)[:AVERAGED]


def mean_of(scans: Sequence[Scan]) -> Scan:
    """Average scans on one grid, each voxel over those that reach it."""
    weight = np.sum([scan.covered for scan in scans], axis=0)
    safe = np.maximum(weight, 1)
    return Scan(
        name="average",
        image=np.asarray(np.sum([scan.image * scan.covered for scan in scans], axis=0) / safe, np.float32),
        labels=np.asarray(np.mean([scan.labels for scan in scans], axis=0), np.float32),
        covered=np.asarray(weight / len(scans), np.float32),
    )


def centred(template: Scan, scan: Scan) -> sitk.AffineTransform:
    """Give the shift that puts the centres of the hippocampus together, as an affine transform about the centre."""
    transform = sitk.AffineTransform(3)
    transform.SetCenter(template.centre[::-1].tolist())
    transform.SetTranslation((scan.centre - template.centre)[::-1].tolist())
    return transform


def affine_aligned(template: Scan, scan: Scan) -> Scan:
    """Align by an affine transform: centres of the hippocampus first, then the correlation of the features."""
    fixed, moving = sitk.GetImageFromArray(template.feature), sitk.GetImageFromArray(scan.feature)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.01, 40, relaxationFactor=0.6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(centred(template, scan), inPlace=False)
    method.SetShrinkFactorsPerLevel([2, 1])
    method.SetSmoothingSigmasPerLevel([1.0, 0.5])
    return resampled(scan, template, method.Execute(fixed, moving))


def deformed(template: Scan, scan: Scan) -> Scan:
    """Align an affinely aligned scan further by diffeomorphic demons with a smooth field."""
    # Beyond the scan's faces it takes the template's values, so that nothing pulls there.
    feature = np.where(scan.covered > 0.5, scan.feature, template.feature)
    demons = sitk.DiffeomorphicDemonsRegistrationFilter()
    demons.SetNumberOfIterations(30)
    demons.SetStandardDeviations(1.5)
    demons.SetMaximumUpdateStepLength(1.0)
    field = demons.Execute(sitk.GetImageFromArray(template.feature), sitk.GetImageFromArray(feature))
    return resampled(scan, template, sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64)))


def resampled(scan: Scan, grid: Scan, transform: Any) -> Scan:
    """Bring image, labels and coverage through a transform to the grid of another scan."""
    onto = sitk.GetImageFromArray(grid.image)

    def move(data: Floats, kind: int, outside: float) -> Floats:
        image = sitk.Resample(sitk.GetImageFromArray(data), onto, transform, kind, outside, sitk.sitkFloat32)
        return sitk.GetArrayFromImage(image)

    outside = (1.0, *[0.0] * (CLASSES - 1))
    return Scan(
        name=scan.name,
        image=move(scan.image, sitk.sitkBSpline, 0.0),
        labels=np.stack([move(one, sitk.sitkLinear, o) for one, o in zip(scan.labels, outside, strict=True)]),
        covered=(move(scan.covered, sitk.sitkLinear, 0.0) > 0.99).astype(np.float32),
    )


def cropped(average: Scan) -> Scan:
    """Keep the box that most scans reach."""
    kept = [slice(None)] * 3
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        reached = np.flatnonzero(np.median(average.covered, axis=others) >= COVERAGE)
        kept[axis] = slice(int(reached[0]), int(reached[-1]) + 1)
    box = tuple(kept)
    return replace(
        average, image=average.image[box], labels=average.labels[(slice(None), *box)], covered=average.covered[box]
    )


def single_scan_look(average: Scan) -> NDArray[np.uint8]:
    """Sharpen the blurry average a little and give it the noise that a scanner makes."""
    image = average.image + SHARPENING * (average.image - ndimage.gaussian_filter(average.image, 1.5))
    low, high = np.percentile(image, (0.1, 99.9))
    signal = 0.1 + 0.9 * np.clip((image - low) / (high - low), 0, None)
    noise = np.random.default_rng(SEED).normal(scale=NOISE, size=(2, *signal.shape))
    # Noise of neighbouring voxels hangs together in real scans, which are interpolated after reconstruction.
    noise = ndimage.gaussian_filter(noise, (0, 0.5, 0.5, 0.5)) * 2.0
    magnitude = np.hypot(signal + noise[0], noise[1])
    return np.asarray(np.clip(magnitude * 230, 0, 255), np.uint8)


if __name__ == "__main__":
    main()
