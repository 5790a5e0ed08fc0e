"""A compressed stream is whole, and as large as its header says, before anything is decoded."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.uid import JPEGLSLossless, RLELossless

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.dicom.door import read_dicom
from napari_vol3d.io.dicom.fragments import image_size
from tests.io.dicom_phantom import save, series


def compressed(folder, syntax):
    for path in series(folder).iterdir():
        ds = pydicom.dcmread(path)
        ds.compress(syntax, generate_instance_uid=False)
        save(path, ds)
    return folder


def test_the_size_is_read_from_each_kind_of_stream(shared_data):
    for number, known in ((4, False), (5, True), (7, True), (9, True)):
        ds = pydicom.dcmread(shared_data / "dicom" / "transfer_syntaxes" / f"{number}.dcm")
        (frame,) = pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1)
        assert image_size(frame) == ((384, 384) if known else None)
        for cut in range(40):
            image_size(frame[:cut])


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
def test_truncated_and_lying_streams_are_refused(tmp_path, syntax):
    folder = compressed(tmp_path, syntax)
    content = (folder / "2.dcm").read_bytes()
    for cut in (9, 20, 40):  # the delimiter, and into the last fragment
        (folder / "2.dcm").write_bytes(content[:-cut])
        with pytest.raises(FileProblem, match=r"Truncated file: 2.dcm"):
            read_dicom(folder)
    (folder / "2.dcm").write_bytes(content)
    for rows, columns, reason in ((65535, 65535, "Truncated|Damaged|Too large"), (9, 8, "Damaged|decoded")):
        for path in folder.iterdir():
            ds = pydicom.dcmread(path)
            ds.Rows, ds.Columns = rows, columns
            save(path, ds)
        with pytest.raises(FileProblem, match=reason):
            read_dicom(folder)
