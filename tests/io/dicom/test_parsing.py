"""Damaged elements are refused in words, never with what they hold."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.dicom.parsing import parse, parsing
from tests.io.dicom_phantom import PATIENT, image, phantom, save


def test_a_whole_object_is_parsed(tmp_path):
    path = save(tmp_path / "a.dcm", image(phantom()[0]))
    with parsing(path) as size:
        dataset = parse(path)
    assert size == path.stat().st_size
    assert dataset.PatientName == PATIENT
    assert dataset.PixelData == phantom()[0].tobytes() + bytes(phantom()[0].nbytes % 2)


def test_the_content_of_a_damaged_element_is_not_shown(tmp_path):
    path = save(tmp_path / "a.dcm", image(phantom()[0]))
    dataset, secret = Dataset(), b"Doe^Jane of Neverland"
    dataset[Tag("Rows")] = RawDataElement(Tag("Rows"), "US", len(secret), secret, 0, False, True)
    with pytest.raises(FileProblem) as raised, parsing(path):
        assert dataset.Rows
    assert "Doe" not in str(raised.value)
    assert "length" in str(raised.value)


def test_what_does_not_fit_into_memory_is_not_read(tmp_path, monkeypatch):
    path = save(tmp_path / "a.dcm", image(phantom()[0]))
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    with pytest.raises(FileProblem, match="Too large for memory"), parsing(path):
        parse(path)
