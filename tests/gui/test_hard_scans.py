"""Scans that are whole but odd: without a value, without contrast, without depth, in rare types. The window takes them
as files and as layers, segments them or says in one sentence why not, and lives on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import nibabel as nib
import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.layers import Image, Labels
from napari.utils.notifications import notification_manager
from numpy.typing import NDArray

from napari_vol3d.core.metrics import dice
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.hooks import sample_file
from napari_vol3d.gui.region import start_drawing
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.io.registry import read_volume
from tests.builders import phantom, save_nifti
from tests.gui.conftest import drop, press_segment

SHAPE = (12, 20, 16)
MM = ("mm",) * 3


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is told and nothing is logged: pytest's filter makes an error of each warning, so none was given."""
    notification_manager.records.clear()
    yield
    told = [str(record.message) for record in notification_manager.records]
    notification_manager.records.clear()
    assert told == []
    assert [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


def grey(shape: tuple[int, int, int] = SHAPE) -> NDArray[np.float32]:
    """A scan with something in it, whole numbers."""
    return np.rint(phantom((24, 24, 24))[0])[tuple(slice(n) for n in shape)]


def plane() -> NDArray[np.float32]:
    return grey((1, 20, 16))[0]


def holed() -> NDArray[np.float32]:
    """Voxels that are no number, as masked or divided images have them, and infinite ones."""
    data = grey()
    data[:, :4], data[5, 5, 5], data[6, 6, 6] = np.nan, np.inf, -np.inf
    return data


# ---- what comes out ------------------------------------------------------------------------------------------------


def segmented(qtbot: Any, bench: Workbench, viewer: Viewer, scan: Image) -> NDArray[Any]:
    """Segment a layer by the button; give its labels, after a look at all that may be wrong with them."""
    panel = bench.segment
    panel.ui.scan.setValue(scan)
    panel.update_plan()
    press_segment(qtbot, bench)
    assert "Done in" in panel.ui.result.text(), panel.ui.status.text()
    assert "nan" not in panel.ui.result.text().lower()
    labels = viewer.layers.selection.active
    assert isinstance(labels, Labels)
    assert labels.name.startswith(f"{scan.name} labels")
    assert labels.data.shape == ((1,) * (3 - scan.data.ndim) + scan.data.shape)
    assert set(np.unique(labels.data)) <= {0, 1, 2}
    # What the engine's libraries had to say, a traceback or a warning of NumPy's too, stands in its log.
    log = (panel._keeper.get(panel.settings.device).folder / "engine.log").read_text()
    assert "Traceback" not in log
    assert "Warning:" not in log
    window_lives(qtbot, viewer, labels)
    return np.asarray(labels.data)


def window_lives(qtbot: Any, viewer: Viewer, labels: Labels) -> None:
    """The canvas draws the labels, the sliders move, and a brush paints and undoes."""
    for axis, steps in enumerate(viewer.dims.nsteps):
        viewer.dims.set_current_step(axis, steps - 1)
    picture = viewer.screenshot(canvas_only=True, flash=False)
    assert picture.std() > 0
    before = labels.data.copy()
    labels.selected_label, labels.brush_size = 2, 1
    labels.paint((0, 0, 0), 2 if before[0, 0, 0] != 2 else 1)
    assert (labels.data != before).sum() == 1
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


# ---- dropped files -------------------------------------------------------------------------------------------------


def bigendian_nifti(path: Path) -> Path:
    image = nib.Nifti1Image(grey().astype(">i2").T, np.eye(4), header=nib.Nifti1Header(endianness=">"))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    assert path.read_bytes()[:4] == (348).to_bytes(4, "big")
    return path


def tiff(path: Path, data: NDArray[Any], **more: Any) -> Path:
    tifffile.imwrite(path, data, photometric="minisblack", **more)
    return path


def npy(path: Path, data: NDArray[Any]) -> Path:
    np.save(path, data)
    return path


Files = dict[str, tuple[str, Callable[[Path], Path], tuple[int, int, int]]]
IN_MM: Files = {
    "holes": (".nii.gz", lambda path: save_nifti(path, holed()), SHAPE),
    "holes, resampled": (".nii.gz", lambda path: save_nifti(path, holed(), spacing=(2.5, 1, 0.7)), SHAPE),
    "no number": (".nii", lambda path: save_nifti(path, np.full(SHAPE, np.nan, np.float32)), SHAPE),
    "constant": (".nii.gz", lambda path: save_nifti(path, np.full(SHAPE, 7.5, np.float32)), SHAPE),
    "zero": (".nii.gz", lambda path: save_nifti(path, np.zeros(SHAPE, np.int16)), SHAPE),
    "one axial slice": (".nii.gz", lambda path: save_nifti(path, grey((1, 20, 16)), spacing=(5, 1, 1)), (1, 20, 16)),
    "one coronal slice": (".nii.gz", lambda path: save_nifti(path, grey((20, 1, 16))), (20, 1, 16)),
    "one sagittal slice": (".nii", lambda path: save_nifti(path, grey((20, 16, 1))), (20, 16, 1)),
    "big-endian": (".nii", bigendian_nifti, SHAPE),
}
IN_PIXELS: Files = {
    "holes": (".npy", lambda path: npy(path, holed()), SHAPE),
    "constant": (".tif", lambda path: tiff(path, np.full(SHAPE, 300, np.uint16)), SHAPE),
    "zero": (".tif", lambda path: tiff(path, np.zeros(SHAPE, np.uint8)), SHAPE),
    "zero, NumPy": (".npy", lambda path: npy(path, np.zeros(SHAPE)), SHAPE),
    "one page": (".tif", lambda path: tiff(path, plane().astype(np.uint16)), (1, 20, 16)),
    "a plane": (".npy", lambda path: npy(path, plane()), (1, 20, 16)),
    "one voxel": (".npy", lambda path: npy(path, grey((1, 1, 1))), (1, 1, 1)),
    "big-endian": (".tif", lambda path: tiff(path, grey().astype(np.uint16), byteorder=">"), SHAPE),
    "big-endian NumPy": (".npy", lambda path: npy(path, grey().astype(">f4")), SHAPE),
}


@pytest.mark.parametrize("files", [IN_MM, IN_PIXELS], ids=["mm", "pixels"])
def test_odd_files_are_dropped_and_segmented(
    qtbot: Any, bench: Workbench, viewer: Viewer, tmp_path: Path, subtests: pytest.Subtests, files: Files
) -> None:
    """All in one window, one after the other: none spoils it for the next."""
    open_drops_here()
    for name, (extension, write, shape) in files.items():
        with subtests.test(name):
            drop(viewer, write(tmp_path / f"{name}{extension}"))
            scan = viewer.layers[name]
            assert isinstance(scan, Image)
            assert scan.data.shape == shape
            assert scan.data.dtype.isnative
            assert np.isfinite(scan.contrast_limits).all()
            assert scan.contrast_limits[0] < scan.contrast_limits[1]
            segmented(qtbot, bench, viewer, scan)


def test_a_dropped_mask_is_no_scan_and_the_panel_says_what_it_waits_for(
    qtbot: Any, bench: Workbench, viewer: Viewer, tmp_path: Path
) -> None:
    open_drops_here()
    drop(viewer, npy(tmp_path / "mask.npy", phantom(SHAPE)[1] > 0))
    (mask,) = viewer.layers
    assert isinstance(mask, Labels)
    assert mask.data.dtype == np.uint8
    qtbot.waitUntil(lambda: bench.segment.ui.run.toolTip() == "Open a scan first.", timeout=5000)
    assert not bench.segment.ui.run.isEnabled()


# ---- layers --------------------------------------------------------------------------------------------------------

ORGAN = read_volume(sample_file("hippocampus_average.nii.gz")).data.astype(np.float32)  # whole numbers up to 255
PLAIN = {
    "grey": ORGAN, "upside down": ORGAN[::-1], "mask": (ORGAN > 120).astype(np.uint8),
    "nothing": np.zeros(SHAPE, np.float32), "slice": ORGAN[17:18],
}  # fmt: skip
ODD: dict[str, tuple[Any, str]] = {  # what is shown, and the plain scan that must give the same labels
    "big-endian i2": (ORGAN.astype(">i2"), "grey"),
    "big-endian u2": (ORGAN.astype(">u2"), "grey"),
    "big-endian f4": (ORGAN.astype(">f4"), "grey"),
    "big-endian f8": (ORGAN.astype(">f8"), "grey"),
    "int64": (ORGAN.astype(np.int64), "grey"),
    "float16": (ORGAN.astype(np.float16), "grey"),
    "lazy": (da.from_array(ORGAN, chunks=20), "grey"),
    "lazy big-endian": (da.from_array(ORGAN.astype(">i2"), chunks=20), "grey"),
    "another order": (np.asfortranarray(ORGAN)[::-1], "upside down"),
    "bool": (ORGAN > 120, "mask"),
    "constant": (np.full(SHAPE, 7.5, np.float32), "nothing"),
    "constant bool": (np.ones(SHAPE, bool), "nothing"),
    "plane": (ORGAN[17], "slice"),
}


def test_odd_layers_give_the_labels_of_plain_ones(
    qtbot: Any, bench: Workbench, viewer: Viewer, subtests: pytest.Subtests
) -> None:
    def labels_of(name: str, data: Any) -> NDArray[Any]:
        scan = viewer.add_image(data, name=name, units=MM[: data.ndim], contrast_limits=(0, 255))
        return segmented(qtbot, bench, viewer, scan)

    expected = {name: labels_of(name, data) for name, data in PLAIN.items()}
    assert all(expected[name].any() for name in ("grey", "upside down"))  # else equality would say nothing
    with dask.config.set(scheduler="synchronous"):  # its own threads would be seen as left behind
        for name, (data, plain) in ODD.items():
            with subtests.test(name):
                np.testing.assert_array_equal(labels_of(name, data), expected[plain])


@pytest.mark.parametrize("region", ["What is in view", "Drawn box"])
def test_a_part_of_a_plane_is_segmented_too(qtbot: Any, bench: Workbench, viewer: Viewer, region: str) -> None:
    scan = viewer.add_image(plane(), name="plane", units=MM[1:])
    bench.segment.ui.region.setCurrentText(region)
    if region == "Drawn box":
        start_drawing(viewer, scan).add_rectangles(np.array([[2, 3], [2, 9], [11, 9], [11, 3]]))
    segmented(qtbot, bench, viewer, scan)


def test_values_that_are_no_numbers_end_no_run(
    qtbot: Any, bench: Workbench, viewer: Viewer, subtests: pytest.Subtests
) -> None:
    scans = {"holes": holed(), "holes f8": holed().astype(np.float64), "no number": np.full(SHAPE, np.nan)}
    for name, data in scans.items():
        with subtests.test(name):
            scan = viewer.add_image(data, name=name, units=MM, contrast_limits=(0, 400))
            segmented(qtbot, bench, viewer, scan)


def test_a_few_values_that_are_no_numbers_do_not_cost_the_organ(
    qtbot: Any, bench: Workbench, viewer: Viewer, real_case: tuple[Path, Path], tmp_path: Path
) -> None:
    """The real scan, with the corner that a registration left empty, and a speck of infinity."""
    stored, reference = nib.load(real_case[0]), np.asarray(nib.load(real_case[1]).dataobj)
    voxels = np.asarray(stored.dataobj).astype(np.float32)
    voxels[:4, :4], voxels[-1, -1, -1], voxels[0, -1, -1] = np.nan, np.inf, -np.inf
    nib.save(nib.Nifti1Image(voxels, stored.affine), tmp_path / "holed.nii.gz")
    open_drops_here()
    drop(viewer, tmp_path / "holed.nii.gz")
    found = segmented(qtbot, bench, viewer, viewer.layers["holed"])
    for class_id in (1, 2):
        # The file runs right, anterior, superior; the layer superior, posterior, left.
        score = dice(found.T[::-1, ::-1] == class_id, reference == class_id)
        assert score is not None
        assert score > 0.8


# ---- and why not ---------------------------------------------------------------------------------------------------


def test_one_voxel_of_known_size_is_refused_in_one_sentence(
    qtbot: Any, bench: Workbench, viewer: Viewer, tmp_path: Path
) -> None:
    open_drops_here()
    drop(viewer, save_nifti(tmp_path / "speck.nii.gz", grey((1, 1, 1))))
    assert isinstance(viewer.layers["speck"], Image)
    panel = bench.segment
    qtbot.waitUntil(lambda: "far too small" in panel.ui.status.text(), timeout=5000)
    assert not panel.ui.run.isEnabled()
    assert panel.ui.run.toolTip() == panel.ui.status.text()


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (np.zeros((2, 3, *SHAPE), np.uint8), "5 axes"),
        (np.zeros((3, *SHAPE), np.uint8), "4 axes"),
    ],
    ids=["five axes", "time"],
)
def test_what_can_not_be_segmented_is_refused_in_one_sentence(
    qtbot: Any, bench: Workbench, viewer: Viewer, data: NDArray[Any], part: str
) -> None:
    viewer.add_image(data, contrast_limits=(0, 1))
    panel = bench.segment
    qtbot.waitUntil(lambda: part in panel.ui.status.text(), timeout=5000)
    assert not panel.ui.run.isEnabled()
    assert "\n" not in panel.ui.status.text()
