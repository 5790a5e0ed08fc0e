"""A case becomes the volume that a network wants: the right images, in its order, on the case's own grid."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.io.registry import read_volume
from napari_vol3d.review.project.case_volume import choose_images, volume_for
from napari_vol3d.review.project.gather import gather
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project


def case(*roles):
    return Case(name="c", code="c", images=tuple(ImageRef(path=f"{n}.nii", role=r) for n, r in enumerate(roles)))


@pytest.mark.parametrize(
    ("roles", "channels", "chosen"),
    [
        (("T1", "FLAIR"), ("FLAIR", "T1"), [1, 0]), (("T1w", "T2w"), ("t2", "T1"), [1, 0]),
        (("T1", "FLAIR"), ("image",), [0]), (("T1", "FLAIR"), ("FLAIR",), [1]), (("",), ("T1", "FLAIR"), [0]),
        (("channel 1", "channel 2"), ("T1", "FLAIR"), [0, 1]), (("T1", "FLAIR", "T2"), ("T1", "T2"), [0, 2]),
        (("T1 run-1", "T1"), ("T1",), [1]), (("T1", "T1"), ("T1",), [0]),
        (("T1w", "T1c", "T2w", "FLAIR"), ("FLAIR", "T1ce", "T1", "t2-weighted"), [3, 1, 0, 2]),
        (("T1w", "T1w ce-gadolinium", "FLAIR"), ("T1c", "FLAIR", "T1"), [1, 2, 0]),
        (("T1n", "T2f"), ("FLAIR", "T1"), [1, 0]), (("T1w run-1", "T1w run-2"), ("T1",), [0]),
    ],
)  # fmt: skip
def test_images_by_role(roles, channels, chosen):
    assert [image.path for image in choose_images(case(*roles), channels)] == [f"{n}.nii" for n in chosen]


@pytest.mark.parametrize(
    ("roles", "channels"),
    [
        (("T1", "PD"), ("T1", "FLAIR")), (("", "", ""), ("T1", "FLAIR")), (("T1", ""), ("a", "b")),
        (("T1c", "FLAIR"), ("T1", "FLAIR")), (("T1w run-1", "T1w run-2", "FLAIR"), ("T1", "FLAIR")),
    ],
)  # fmt: skip
def test_images_that_are_missing(roles, channels):
    with pytest.raises(ScanMismatch, match="the model wants"):
        choose_images(case(*roles), channels)


def test_what_is_missing_is_named_first():
    with pytest.raises(ScanMismatch, match=r"^No image of T2: \S+ has T1w, FLAIR; the model wants FLAIR"):
        choose_images(case("T1w", "FLAIR"), ("FLAIR", "T1", "T2"))


def save(path, data, affine):
    image = nib.Nifti1Image(data.T, affine)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)


@pytest.fixture
def project(tmp_path):
    """One case whose second image has half the spacing, and begins 2 mm further to the left."""
    rng = np.random.default_rng(0)
    save(tmp_path / "a_T1.nii.gz", rng.integers(0, 200, (5, 6, 7)).astype(np.uint8), np.diag([2.0, 2.0, 2.0, 1.0]))
    fine = np.diag([1.0, 1.0, 1.0, 1.0])
    fine[0, 3] = -2.0
    save(tmp_path / "a_FLAIR.nii.gz", rng.integers(0, 900, (12, 14, 18)).astype(np.int16), fine)
    return Project.create(tmp_path / "p.vol3d", name="p", cases=gather([tmp_path], base=tmp_path).cases)


def test_channels_lie_on_the_first_images_grid(project, tmp_path):
    (one,) = project.cases()
    volume = volume_for(project, one, ("FLAIR", "T1"))
    first, second = read_volume(tmp_path / "a_T1.nii.gz"), read_volume(tmp_path / "a_FLAIR.nii.gz")
    assert volume.channels == ("FLAIR", "T1")
    assert volume.geometry.matches(first.geometry)
    assert np.array_equal(volume.data[..., 1], first.data)
    # Each voxel of the coarse grid has its place in common with one of the fine grid.
    index = np.indices(first.shape).reshape(3, -1)
    world = first.geometry.affine @ np.vstack([index, np.ones(index.shape[1])])
    there = np.linalg.solve(second.geometry.affine, world)[:3]
    z, y, x = there.round().astype(int)
    assert np.allclose(there, there.round())
    assert np.array_equal(volume.data[..., 0].ravel(), np.asarray(second.data)[z, y, x])


def test_one_channel(project, tmp_path):
    (one,) = project.cases()
    assert np.array_equal(volume_for(project, one, ("image",)).data, read_volume(tmp_path / "a_T1.nii.gz").data)
    flair = volume_for(project, one, ("FLAIR",))
    assert (flair.shape, len(flair.data.shape)) == ((5, 6, 7), 3)


def test_real_images_are_the_channels_that_their_files_are_named_for(shared_data, tmp_path):
    """Four images of one head on one grid: each channel is its file, bit for bit, and nothing is read ahead."""
    folder = shared_data / "scans" / "ms_patient19"
    files = [path for path in folder.iterdir() if not path.name.startswith("GOLD")]
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=gather(files, base=tmp_path).cases)
    (one,) = project.cases()
    volume = volume_for(project, one, ("FLAIR", "T1", "T1 post", "T2"))
    for at, word in enumerate(("FLAIR", "T1", "T1POST", "T2")):
        (path,) = [each for each in files if each.name.startswith(f"{word}_")]
        own = read_volume(path)
        assert np.array_equal(volume.data[90:92, :, :, at], np.asarray(own.data[90:92]))


def test_no_common_space(tmp_path):
    for name, length in (("a_T1", 6), ("a_T2", 7), ("b_T1", 3), ("b_T2", 3)):
        np.save(tmp_path / f"{name}.npy", np.zeros((3, 3, length), np.uint8))
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=gather([tmp_path], base=tmp_path).cases)
    apart, alike = project.cases()
    with pytest.raises(ScanMismatch, match="nothing says where"):
        volume_for(project, apart, ("T1", "T2"))
    assert volume_for(project, alike, ("T1", "T2")).data.shape == (3, 3, 3, 2)
