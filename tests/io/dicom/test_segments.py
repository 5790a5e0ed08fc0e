"""Ids, names and colours survive in DICOM's segments."""

from __future__ import annotations

import highdicom as hd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.io.dicom.segments import describe, read_segments, storable

classes = st.lists(
    st.builds(
        LabelClass, id=st.integers(1, 2**32 - 1), name=st.text(max_size=100),
        color=st.binary(min_size=3, max_size=3).map(lambda rgb: f"#{rgb.hex()}"),
    ),
    min_size=1, max_size=5, unique_by=lambda one: one.id,
)  # fmt: skip


def dataset(items, **fields) -> Dataset:
    made = Dataset()
    made.SegmentSequence = items
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@given(classes)
def test_what_is_storable_comes_back(given_classes):
    meant = [storable(one) for one in given_classes]
    assert all(one.name for one in meant)
    items = describe(meant)
    assert all(0 < len(item.SegmentLabel) <= 64 for item in items)
    assert read_segments(dataset(items)) == dict(enumerate(meant, 1))


def test_a_label_that_somebody_changed_is_believed():
    items = describe([LabelClass(id=7, name="Leber", color="#ff0000")])
    items[0].SegmentLabel = "Milz"
    assert read_segments(dataset(items))[1] == LabelClass(id=7, name="Milz", color="#ff0000")


def test_ids_that_clash_or_miss_give_way_to_the_segment_numbers():
    items = describe([LabelClass(id=i, name=f"n{i}", color="#ff0000") for i in (7, 9)])
    items[1].SegmentDescription = items[0].SegmentDescription
    assert [one.id for one in read_segments(dataset(items)).values()] == [1, 2]
    del items[1].SegmentDescription
    assert [one.id for one in read_segments(dataset(items)).values()] == [1, 2]


def test_segments_of_others_have_a_name_and_a_colour():
    item = Dataset()
    item.SegmentNumber = 4
    assert read_segments(dataset([item])) == {4: LabelClass(id=4, name="segment 4", color=default_color(4))}
    with pytest.raises(ValueError, match="2 segments"):
        read_segments(dataset([item, item]))
    with pytest.raises(ValueError, match="0 segments"):
        read_segments(dataset([]))


def test_colours_outside_of_the_screen_s_are_clipped():
    item = Dataset()
    item.SegmentNumber, item.RecommendedDisplayCIELabValue = 1, [65535, 0, 0]
    color = read_segments(dataset([item]))[1].color
    assert len(color) == 7
    assert bytes.fromhex(color[1:])[0] == 0


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 1), (np.uint16, 257)])
def test_a_palette_gives_colours_where_segments_name_none(dtype, high):
    table = hd.PaletteColorLUTTransformation.from_combined_lut(
        np.array([(0, 0, 0), (255, 0, 0), (1, 2, 3)], dtype) * high, palette_color_lut_uid=hd.UID()
    )
    made = dataset([], PhotometricInterpretation="PALETTE COLOR", BitsAllocated=8)
    made.update({element.tag: element for element in table})
    for number in range(3):
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel = number, f"s{number}"
        made.SegmentSequence.append(item)
    assert [(one.id, one.color) for one in read_segments(made).values()] == [(1, "#ff0000"), (2, "#010203")]
