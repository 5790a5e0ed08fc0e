"""Which series a file belongs to: scanners write one file a slice, and whoever picks one means all of them."""

from __future__ import annotations

from pathlib import Path

from napari_vol3d.core.errors import FileProblem


def series_of(path: Path) -> tuple[Path, str] | None:
    """Give the folder and the UID that all files of a DICOM image's series share.

    None for all else: other formats, label objects, which are a volume each, and what can't be read, of which whoever
    opens it is told.
    """
    from napari_vol3d.io.folder_kind import is_dicom

    if not is_dicom(path):
        return None
    from napari_vol3d.io.dicom.header import quiet, read_header
    from napari_vol3d.io.dicom.scan import is_labels

    try:
        with quiet():
            header = read_header(path)
            return None if is_labels(header) else (path.parent, header.text("SeriesInstanceUID"))
    except FileProblem:
        return None
