"""What lies in a folder, and a series read as one volume, without the door's choices."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.images import REPAIR, groups_in, read_image
from napari_vol3d.io.parts import Irregular


def test_a_group_is_the_volume_that_the_door_gives(shared_data):
    folder = shared_data / "dicom" / "hippocrop"
    (group,), found = groups_in(folder)
    assert found == folder
    volume, meant = read_image(group, folder, folder), read_dicom(folder)
    np.testing.assert_array_equal(volume.data, meant.data)
    np.testing.assert_array_equal(volume.geometry.affine, meant.geometry.affine)
    (one,), around = groups_in(next(path for path in sorted(folder.iterdir()) if path.suffix == ".dcm"))
    assert (one.part.key, around) == (group.part.key, folder)


def test_what_is_uneven_is_read_only_repaired(shared_data):
    folder = shared_data / "dicom" / "bad" / "slice_increment"
    (group,), _ = groups_in(folder)
    with pytest.raises(Irregular) as caught:
        read_image(group, folder, folder)
    assert caught.value.parts[0].key == group.part.key + REPAIR
    assert read_image(group, folder, folder, repair=True).shape[0] > len(group.planes)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "note").write_text("nothing")
    with pytest.raises(FileProblem, match="No DICOM images"):
        groups_in(tmp_path)
