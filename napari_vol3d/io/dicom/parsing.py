"""Whole DICOM objects parsed in memory, and what pydicom says about damaged ones in words that may be shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset, read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian

from napari_vol3d.io import gate
from napari_vol3d.io.dicom.header import inflated, quiet

COPIES = 3  # of a file's bytes that parsing it takes


@contextmanager
def parsing(path: Path) -> Iterator[int]:
    """Stay around while an object is read, and while its elements are looked at: pydicom parses them only then.

    Raises
    ------
    FileProblem
        If the block fails on the content; never with the content itself, which may name the patient.
    """
    with gate.reading(path, InvalidDicomError) as size, quiet():
        yield size


def parse(path: Path) -> Any:
    """Read a whole object into memory, inside `parsing`; no element can ask for more bytes than there are."""
    gate.check_memory(path, path.stat().st_size * COPIES)
    meta = read_file_meta_info(path)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return dcmread(BytesIO(path.read_bytes()))
    dataset = read_dataset(inflated(path), False, True)
    dataset.file_meta = meta
    return dataset
