from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from medpy.metric import binary

from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.phantom import nuclei
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.nifti import write_nifti
from napari_vol3d.io.registry import read_volume
from napari_vol3d.io.tiff import write_tiff
from napari_vol3d.pipeline.evaluate import Evaluation, evaluate, find_pairs

KIDNEY = (LabelClass(id=1, name="kidney", color="#e69f00"),)


def finished(pairs: list[tuple[Path, Path]]) -> tuple[list[Progress], Evaluation]:
    reports, verb = [], evaluate(pairs)
    while True:
        try:
            reports.append(next(verb))
        except StopIteration as end:
            return reports, end.value


def labels(seed: int = 1) -> np.ndarray:
    """Two classes: large and other nuclei."""
    instances = nuclei((16, 48, 48), (2.0, 0.65, 0.65), 14, seed=seed)[1]
    sizes = np.bincount(instances.reshape(-1))
    kinds = np.where(sizes > np.median(sizes[1:]), 1, 2)
    kinds[0] = 0
    return kinds[instances].astype(np.uint8)


def save(path: Path, data: np.ndarray, geometry: Geometry, classes: tuple[LabelClass, ...] = ()) -> Path:
    write = write_tiff if path.suffix == ".tif" else write_nifti
    return write(path, Volume(data=data, geometry=geometry, is_labels=True, classes=classes))


MM = Geometry.from_spacing((2.0, 0.9, 0.8), unit="mm")


def test_figures_are_medpys_and_names_come_from_the_files(tmp_path: Path) -> None:
    reference = labels()
    prediction = np.roll(reference, 1, axis=2)
    pair = (save(tmp_path / "a.nii.gz", prediction, MM), save(tmp_path / "b.nii.gz", reference, MM, KIDNEY))
    reports, result = finished([pair])
    assert [(report.done, report.total) for report in reports] == [(0, 1), (1, 1)]
    assert result.unit == "mm"
    assert result.worst_scan == "b"
    (scan,) = result.scans
    assert [(item.id, item.name) for item in scan.classes] == [(1, "kidney"), (2, "class 2")]
    for item in scan.classes:
        one, other = prediction == item.id, reference == item.id
        assert item.dice == pytest.approx(binary.dc(one, other), abs=1e-6)
        assert item.hd95_mm == pytest.approx(binary.hd95(one, other, MM.spacing), abs=1e-6)
        assert item.assd_mm == pytest.approx(binary.assd(one, other, MM.spacing), abs=1e-6)
        assert item.volume_ml == pytest.approx(one.sum() * np.prod(MM.spacing) / 1000)
    assert reports[-1].figures["mean dice"] == pytest.approx(np.mean([item.dice for item in scan.classes]))


def test_means_leave_absent_classes_out_and_name_the_worst_scan(tmp_path: Path) -> None:
    reference = labels()
    only_first = np.where(reference == 1, 1, 0).astype(np.uint8)
    folders = {name: tmp_path / name for name in ("found", "wanted")}
    for folder in folders.values():
        folder.mkdir()
    save(folders["found"] / "same.nii.gz", reference, MM)
    save(folders["wanted"] / "same.nii.gz", reference, MM)
    save(folders["found"] / "shifted_labels.nii.gz", np.roll(only_first, 1, axis=0), MM)
    save(folders["wanted"] / "shifted.nii.gz", only_first, MM)
    _, result = finished(find_pairs(folders["found"], folders["wanted"]))
    assert [scan.scan for scan in result.scans] == ["same", "shifted"]
    assert result.worst_scan == "shifted"
    shifted = result.scans[1].classes
    assert [item.id for item in shifted] == [1]
    first, second = result.means
    assert first.dice == pytest.approx((1 + shifted[0].dice) / 2)
    assert second.dice == 1.0
    assert second.hd95_mm == 0.0


def test_micrometres_are_converted_and_formats_may_differ(tmp_path: Path) -> None:
    reference = labels()
    prediction = np.roll(reference, 1, axis=1)
    spacing = (2.0, 0.65, 0.65)
    tiff = save(tmp_path / "a.tif", prediction, Geometry.from_spacing(spacing, unit="um"))
    other = save(tmp_path / "b.tif", reference, Geometry.from_spacing(tuple(s / 1000 for s in spacing), unit="mm"))
    _, result = finished([(tiff, other)])
    first = result.scans[0].classes[0]
    expected = binary.assd(prediction == 1, reference == 1, spacing) / 1000
    assert first.assd_mm == pytest.approx(expected, rel=1e-6)
    assert first.volume_ml == pytest.approx((prediction == 1).sum() * np.prod(spacing) * 1e-12, rel=1e-6)


def test_without_a_unit_distances_are_in_voxels(tmp_path: Path) -> None:
    reference = labels()
    np.save(tmp_path / "a.npy", np.roll(reference, 2, axis=2))
    np.save(tmp_path / "b.npy", reference)
    pair = (tmp_path / "a.npy", tmp_path / "b.npy")
    _, result = finished([pair])
    assert result.unit == "voxels"
    first = result.scans[0].classes[0]
    assert first.hd95_mm == pytest.approx(binary.hd95(np.roll(reference, 2, axis=2) == 1, reference == 1), abs=1e-6)
    assert (first.volume_ml, first.reference_ml) == (None, None)
    same = save(tmp_path / "c.nii.gz", reference, MM)
    with pytest.raises(ScanMismatch, match="in mm and in voxels"):
        finished([pair, (same, same)])


@pytest.mark.parametrize(
    "other",
    [
        Geometry.from_spacing((2.0, 0.9, 0.9)),
        # Where axes are no patient's, NIfTI keeps no place.
        replace(Geometry.from_spacing((2.0, 0.9, 0.8), origin=(0.0, 0.0, 4.0)), anatomical=True),
        Geometry.from_spacing((2.0, 0.9, 0.8), unit="um"),
    ],
    ids=["spacing", "place", "unit"],
)  # fmt: skip
def test_other_grids_are_refused(tmp_path: Path, other: Geometry) -> None:
    pair = (save(tmp_path / "a.nii.gz", labels(), MM), save(tmp_path / "b.nii.gz", labels(), other))
    with pytest.raises(ScanMismatch, match="Different grids"):
        finished([pair])


def test_other_shapes_and_channels_are_refused(tmp_path: Path) -> None:
    whole = save(tmp_path / "a.nii.gz", labels(), MM)
    cut = save(tmp_path / "b.nii.gz", labels()[:-1], MM)
    with pytest.raises(ScanMismatch, match="Different grids"):
        finished([(whole, cut)])
    several = write_nifti(tmp_path / "c.nii.gz", Volume(data=np.stack([labels()] * 2, axis=-1), geometry=MM))
    with pytest.raises(FileProblem, match="has channels"):
        finished([(whole, several)])


def test_pairs_are_two_files_or_two_folders(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for folder, names in (("found", ["one_labels", "two"]), ("wanted", ["one", "two", "three"]), ("else", ["four"])):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / f"{name}.nii.gz").touch()
    (tmp_path / "wanted" / "notes.txt").touch()
    found, wanted = tmp_path / "found", tmp_path / "wanted"
    with caplog.at_level(logging.WARNING):
        pairs = find_pairs(found, wanted)
    assert [(a.name, b.name) for a, b in pairs] == [
        ("one_labels.nii.gz", "one.nii.gz"), ("two.nii.gz", "two.nii.gz")
    ]  # fmt: skip
    assert "1 of 3 references have no prediction: three" in caplog.text
    file = found / "two.nii.gz"
    assert find_pairs(file, wanted / "three.nii.gz") == [(file, wanted / "three.nii.gz")]
    with pytest.raises(FileProblem, match="not one of each"):
        find_pairs(file, wanted)
    with pytest.raises(FileProblem, match="same name"):
        find_pairs(tmp_path / "else", wanted)
    with pytest.raises(FileProblem, match="There is no"):
        find_pairs(tmp_path / "nowhere", wanted)
    with pytest.raises(FileProblem, match="no pairs"):
        finished([])


def test_the_record_survives_json_and_the_table_shows_every_scan(tmp_path: Path) -> None:
    reference = labels()
    pairs = []
    for shift in (0, 1):
        found = save(tmp_path / f"{shift}_labels.nii.gz", np.roll(reference, shift, axis=1), MM)
        pairs.append((found, save(tmp_path / f"{shift}.nii.gz", reference, MM)))
    _, result = finished(pairs)
    assert Evaluation.model_validate_json(result.model_dump_json()) == result
    lines = result.table().splitlines()
    assert len(lines) == 1 + 2 * 2 + 2 + 1
    assert "HD95 mm" in lines[0]
    assert lines[-1] == "Worst scan: 1"


def test_real_labels_against_themselves(shared_data: Path) -> None:
    path = shared_data / "hippocampus" / "labels" / "hippocampus_001.nii.gz"
    _, result = finished([(path, path)])
    voxels = np.asarray(read_volume(path).data)
    assert [(item.dice, item.hd95_mm, item.assd_mm) for item in result.scans[0].classes] == [(1.0, 0.0, 0.0)] * 2
    assert result.means[0].volume_ml == pytest.approx((voxels == 1).sum() / 1000)
