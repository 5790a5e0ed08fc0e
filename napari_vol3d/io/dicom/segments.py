"""Classes as DICOM describes segments: number, label, colour, and how our ids and full names survive in them.

DICOM numbers segments 1 to n and cuts their labels at 64 characters. So the description of each segment that we write
reads "napari-vol3d label ID: NAME", and both come back from there; the label is believed where somebody changed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.sr.codedict import codes

import napari_vol3d
from napari_vol3d.core.labels import LabelClass, default_color

MOST_SEGMENTS = 65535
LABEL_LENGTH, NAME_LENGTH = 64, 900
OUR_NAME = "napari-vol3d"
OURS = re.compile(rf"{OUR_NAME} label (\d{{1,10}}): (.*)", re.DOTALL)
TABLE = "PaletteColorLookupTable"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
FORBIDDEN = re.compile(rf"\\|{CONTROL.pattern}")  # what divides values in DICOM, too


def storable(one: LabelClass) -> LabelClass:
    """Give a class as it comes back: without control characters, and never without a name."""
    name = CONTROL.sub(" ", one.name)[:NAME_LENGTH].strip()
    return replace(one, name=name or f"class {one.id}", color=one.color[:7].lower())


def describe(classes: Sequence[LabelClass]) -> list[Any]:
    """Give highdicom's descriptions of these `storable` classes, numbered 1 to n in their order."""
    algorithm = hd.AlgorithmIdentificationSequence(
        name=OUR_NAME, family=codes.cid7162.ArtificialIntelligence, version=napari_vol3d.__version__
    )
    described = []
    for number, one in enumerate(classes, 1):
        item = hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=_label(one.name, one.id),
            # What a class is, nobody told us; these are the codes that other programs write then.
            segmented_property_category=codes.SCT.Tissue,
            segmented_property_type=codes.SCT.Tissue,
            algorithm_type="SEMIAUTOMATIC",
            algorithm_identification=algorithm,
            display_color=hd.color.CIELabColor.from_rgb(*bytes.fromhex(one.color[1:])),
        )
        item.SegmentDescription = f"{OUR_NAME} label {one.id}: {one.name}"
        described.append(item)
    return described


def read_segments(dataset: Any) -> dict[int, LabelClass]:
    """Give the class of each segment number.

    The ids are those that we recorded, where all segments have one and no two the same; else the segment numbers.

    Raises
    ------
    ValueError
        If two segments have one number, or none is described.
    """
    items = {int(item.SegmentNumber): item for item in dataset.SegmentSequence}
    if len(items) != len(dataset.SegmentSequence) or not items:
        raise ValueError(f"{len(dataset.SegmentSequence)} segments are described by {len(items)} numbers")
    ours = {number: OURS.fullmatch(str(item.get("SegmentDescription", ""))) for number, item in items.items()}
    recorded = {number: int(match[1]) for number, match in ours.items() if match}
    distinct = set(recorded.values())
    if len(distinct) != len(items) or not all(0 < value < 2**32 for value in distinct):
        recorded = {number: number for number in items}
    lut = _palette(dataset, sorted(items))
    return {
        number: LabelClass(
            id=recorded[number], name=_name(item, ours[number], number), color=_color(item, lut.get(number), number)
        )
        for number, item in sorted(items.items())
        if number  # LABELMAP may describe the background, which is number 0
    }


def _label(name: str, number: int) -> str:
    return FORBIDDEN.sub(" ", name).strip()[:LABEL_LENGTH].strip() or f"class {number}"


def _name(item: Any, ours: re.Match[str] | None, number: int) -> str:
    label = str(item.get("SegmentLabel", "")).strip()
    if ours and _label(ours[2], int(ours[1])) == label:
        return ours[2]
    return label or f"segment {number}"


def _color(item: Any, shown: str | None, number: int) -> str:
    """Give the recommended colour, else that of the palette, else one of our own."""
    lab = item.get("RecommendedDisplayCIELabValue")
    if lab is None or len(lab) != 3:
        return shown or default_color(number)
    rgb = hd.color.CIELabColor.from_dicom_value([int(value) for value in lab]).to_rgb(clip=True)
    return _hex(rgb)


def _palette(dataset: Any, numbers: Sequence[int]) -> dict[int, str]:
    """Give the colours in which a LABELMAP is meant to be shown; pydicom takes no tables of an odd length."""
    if dataset.get("PhotometricInterpretation") != "PALETTE COLOR" or f"Red{TABLE}Data" not in dataset:
        return {}
    count, first, bits = (int(value) for value in dataset[f"Red{TABLE}Descriptor"].value)
    columns = []
    for color in ("Red", "Green", "Blue"):
        data = dataset[f"{color}{TABLE}Data"].value
        wide = len(data) >= 2 * (count or 1 << 16)
        entries = np.frombuffer(data[: len(data) // 2 * 2] if wide else data, "<u2" if wide else "u1")
        columns.append(entries >> 8 if wide and bits > 8 else entries)
    at = np.clip(np.array(numbers) - first, 0, min(len(column) for column in columns) - 1)
    return {number: _hex([column[k] for column in columns]) for number, k in zip(numbers, at, strict=True)}


def _hex(rgb: Sequence[Any]) -> str:
    red, green, blue = (min(max(round(float(value)), 0), 255) for value in rgb)
    return f"#{red:02x}{green:02x}{blue:02x}"
