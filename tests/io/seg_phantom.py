"""DICOM segmentations that another program made of a series; highdicom writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

NAMES = ("Leber", "Milz", "Niere", "Herz")
COLORS = ((255, 0, 0), (0, 255, 10), (1, 2, 3), (9, 99, 199))


def segmentation(path: Path, folder: Path, pixels: Any, *, kind: str = "BINARY", **options: Any) -> Path:
    """Save a segmentation of the series in a folder: `pixels` (slices, rows, columns) or with segments behind."""
    images = sorted((dcmread(one) for one in folder.glob("*.dcm")), key=lambda one: int(one.InstanceNumber))
    for image in images:
        for name in ("PatientSex", "AccessionNumber", "StudyID", "StudyDate", "StudyTime"):
            setattr(image, name, image.get(name, ""))
    count = pixels.shape[-1] if len(pixels.shape) == 4 else int(np.asarray(getattr(pixels, "array", pixels)).max())
    described = [
        hd.seg.SegmentDescription(
            segment_number=number + 1, segment_label=NAMES[number], segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Organ, algorithm_type="MANUAL",
            display_color=hd.color.CIELabColor.from_rgb(*COLORS[number]),
        )
        for number in range(count)
    ]  # fmt: skip
    made = hd.seg.Segmentation(
        source_images=images, pixel_array=pixels, segmentation_type=kind, segment_descriptions=described,
        series_instance_uid=generate_uid(), series_number=2, sop_instance_uid=generate_uid(), instance_number=1,
        manufacturer="other", manufacturer_model_name="other", software_versions="1", device_serial_number="1",
        **options,
    )  # fmt: skip
    made.save_as(path, enforce_file_format=True)
    return path
