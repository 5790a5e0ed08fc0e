"""The table says what a person would have counted, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_vol3d.core.errors import SaveProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.volumes_csv import write_volumes
from tests.core.watched import geometry

SHAPE = (6, 7, 8)
CLASSES = (
    LabelClass(id=2, name='left, "upper"', color="#d55e00"), LabelClass(id=9, name="Ödem 脾", color="#0072b2"),
)  # fmt: skip


def labels(where: Geometry, **changes: Any) -> Volume:
    data = np.zeros(SHAPE, np.uint8)
    data[1:4, 2:6, 3:5], data[5, 6, 7] = 2, 77
    return Volume(data=data, geometry=where, is_labels=True, classes=CLASSES, **changes)


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=True)


def test_amounts_and_places_of_an_oblique_patient(tmp_path: Path) -> None:
    where = geometry(20, (2.5, 0.8, 0.9))
    found = table(write_volumes(tmp_path / "a.csv", labels(where)))
    assert list(found["id"]) == [2, 9, 77]
    assert list(found["name"]) == ['left, "upper"', "Ödem 脾", "class 77"]
    assert list(found["voxels"]) == [24, 0, 1]
    np.testing.assert_allclose(found["volume_ml"], np.array([24, 0, 1]) * 2.5 * 0.8 * 0.9 / 1000)
    assert set(found["space"]) == {"RAS"}
    row = found.iloc[0]
    np.testing.assert_allclose(row[["centroid_x_mm", "centroid_y_mm", "centroid_z_mm"]].astype(float),
                               (where.affine @ (2, 3.5, 3.5, 1))[:3])  # fmt: skip
    faces = np.array([(z, y, x, 1) for z in (0.5, 3.5) for y in (1.5, 5.5) for x in (2.5, 4.5)])
    world = (faces @ where.affine.T)[:, :3]
    np.testing.assert_allclose(row[["min_x_mm", "min_y_mm", "min_z_mm"]].astype(float), world.min(axis=0))
    np.testing.assert_allclose(row[["max_x_mm", "max_y_mm", "max_z_mm"]].astype(float), world.max(axis=0))
    assert found.iloc[1].filter(like="_x_").isna().all()  # no voxel, no place


def test_a_leaning_gantry_has_the_volume_of_its_parallelepiped(tmp_path: Path) -> None:
    affine = geometry(0, (2.0, 1.0, 1.0)).affine
    affine[:3, 0] += affine[:3, 1]  # 45 degrees: the slices are 2 apart, their corners sqrt(5)
    found = table(write_volumes(tmp_path / "a.csv", labels(Geometry(affine=affine, anatomical=True))))
    assert found["volume_ml"][0] == pytest.approx(24 * 2 / 1000)


@pytest.mark.parametrize(
    ("unit", "column", "amount"), [("um", "volume_um3", 24 * 1.5), ("nm", "volume_nm3", 24 * 1.5), ("pixel", None, 0)]
)
def test_other_units_have_other_columns(tmp_path: Path, unit: str, column: str | None, amount: float) -> None:
    where = Geometry.from_spacing((3.0, 1.0, 0.5), unit=unit, origin=(7.0, 8.0, 9.0))
    found = table(write_volumes(tmp_path / "a.csv", labels(where)))
    assert [name for name in found.columns if name.startswith("volume")] == ([column] if column else [])
    if column:
        assert found[column][0] == pytest.approx(amount)
    assert set(found["space"]) == {"xyz"}
    assert found[f"centroid_z_{unit}"][0] == 7 + 2 * 3


def test_a_series_has_a_row_for_each_class_and_time_point(tmp_path: Path) -> None:
    volume = labels(geometry())
    series = np.stack([volume.data, np.zeros_like(volume.data), np.roll(volume.data, 1, axis=0)], axis=-1)
    found = table(write_volumes(tmp_path / "a.csv", volume.with_data(series, timed=True)))
    assert list(found["frame"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert list(found["voxels"]) == [24, 0, 1, 0, 0, 0, 24, 0, 1]
    np.testing.assert_allclose(
        found["centroid_z_mm"][6] - found["centroid_z_mm"][0], geometry().affine[2, 0], rtol=1e-6
    )


def test_without_labels_the_classes_have_none(tmp_path: Path) -> None:
    empty = labels(geometry()).with_data(np.zeros(SHAPE, np.uint8))
    found = table(write_volumes(tmp_path / "a.csv", empty))
    assert list(found["voxels"]) == [0, 0]
    bare = table(write_volumes(tmp_path / "a.csv", empty.with_data(empty.data, classes=())))
    assert len(bare) == 0
    assert "volume_ml" in bare.columns


def test_what_no_text_can_hold_is_left_out_of_a_name(tmp_path: Path) -> None:
    classes = (LabelClass(id=2, name="li\ud800ver\0", color="#d55e00"),)
    volume = labels(geometry())
    found = table(write_volumes(tmp_path / "a.csv", volume.with_data(volume.data, classes=classes)))
    assert list(found["name"]) == ["liver", "class 77"]


def test_what_can_not_be_counted_is_refused_and_the_older_file_stays(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("older")
    with pytest.raises(SaveProblem, match="channels"):
        write_volumes(tmp_path / "a.csv", labels(geometry()).with_data(np.zeros((*SHAPE, 2), np.uint8)))
    with pytest.raises(Vol3dError, match="not whole"):
        write_volumes(tmp_path / "a.csv", labels(geometry()).with_data(np.full(SHAPE, 0.5)))
    with pytest.raises(SaveProblem, match="folder"):
        write_volumes(tmp_path, labels(geometry()))
    assert (tmp_path / "a.csv").read_text() == "older"
