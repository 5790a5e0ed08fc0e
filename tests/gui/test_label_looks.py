"""What is hidden, pale or recoloured on the screen: the voxels stay, and files get the true names and colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.label_looks import (
    LabelLooks,
    class_looks,
    give_name,
    looks_of,
    names_in,
    put_on,
    true_color,
)  # fmt: skip
from napari_vol3d.gui.layers import classes_of, to_layer, to_volume, with_painted_classes
from napari_vol3d.io.registry import read_volume, write_labels

CLASSES = (LabelClass(id=2, name="kidney", color="#112233"), LabelClass(id=530, name="vessel", color="#d55e00"))


def volume(dtype: type = np.uint16) -> Volume:
    data = np.zeros((6, 8, 9), dtype)
    data[0:3, 2:5, 2:6], data[4, 5:7, 3:8] = 2, 530
    affine = np.array([[0, 0, -1, 20], [0, -1, 0, 30], [3, 0, 0, -40], [0, 0, 0, 1]], float)
    return Volume(data=data, geometry=Geometry(affine=affine, anatomical=True), classes=CLASSES, is_labels=True)


def layer_of(one: Volume) -> Labels:
    data, keywords, _ = to_layer(one, as_labels=True)
    return Labels(data, **keywords)


@pytest.fixture
def layer() -> Labels:
    return layer_of(volume())


def test_hiding_isolating_and_paling_change_what_is_drawn_and_nothing_else(layer: Labels) -> None:
    before = layer.data.copy()
    put_on(layer, LabelLooks(hidden=frozenset({2}), opacity={530: 0.25}), CLASSES)
    assert layer.get_color(2)[3] == 0
    np.testing.assert_allclose(layer.get_color(530), (0xD5 / 255, 0x5E / 255, 0, 0.25), atol=1e-6)
    put_on(layer, LabelLooks(hidden=frozenset({2}), isolated=2), CLASSES)
    assert layer.get_color(2)[3] == 1  # what is isolated is shown, hidden or not
    for other in (1, 31, 530, 40_000):
        assert layer.get_color(other)[3] == 0
    put_on(layer, LabelLooks(), CLASSES)
    assert all(layer.get_color(i)[3] == 1 for i in (1, 2, 31, 530, 40_000))
    assert classes_of(layer) == CLASSES
    np.testing.assert_array_equal(layer.data, before)


def test_the_background_is_never_drawn(layer: Labels) -> None:
    for looks in (LabelLooks(), LabelLooks(isolated=2), LabelLooks(hidden=frozenset({0}))):
        put_on(layer, looks, CLASSES)
        assert layer.colormap.color_dict[0][3] == 0


def test_an_eye_opened_beside_an_isolated_class_leaves_the_others_shut() -> None:
    looks = LabelLooks(isolated=2, hidden=frozenset({7})).with_shown(530, True, among=[2, 7, 9, 530])
    assert looks.isolated is None
    assert [looks.shows(i) for i in (2, 7, 9, 530)] == [True, False, False, True]
    assert not looks.with_shown(2, False, among=[2]).shows(2)
    assert all(looks.all_shown().shows(i) for i in (2, 7, 9, 530))


@pytest.mark.parametrize("name", ["out.seg.nrrd", "out.nii.gz"])
def test_files_get_the_true_colours_and_all_voxels(layer: Labels, name: str, tmp_path: Path) -> None:
    put_on(layer, LabelLooks(hidden=frozenset({530})).with_color(2, "#abcdef"), CLASSES)
    give_name(layer, 530, "aorta")
    held = layer.data.copy()
    read = read_volume(write_labels(tmp_path / name, with_painted_classes(to_volume(layer))))
    np.testing.assert_array_equal(np.asarray(read.data), held)
    expected = (LabelClass(id=2, name="kidney", color="#abcdef"), LabelClass(id=530, name="aorta", color="#d55e00"))
    assert to_volume(layer).classes == expected
    if name.endswith(".seg.nrrd"):  # whose header keeps them
        assert read.classes == expected


def test_what_is_hidden_in_labels_of_another_plugin_keeps_its_colour() -> None:
    colors: Any = {None: "white", 0: "transparent", 4: "#112233", 9: "#445566"}
    layer = Labels(
        np.full((2, 3, 4), 4, np.uint8), features={"index": [0, 4], "name": ["background", "tumour"]},
        colormap=DirectLabelColormap(color_dict=colors),
    )  # fmt: skip
    put_on(layer, LabelLooks(hidden=frozenset({4, 9})), classes_of(layer))
    assert layer.get_color(4)[3] == layer.get_color(9)[3] == 0
    assert classes_of(layer) == (LabelClass(id=4, name="tumour", color="#112233"),)
    assert true_color(layer, 9) == "#445566"


def test_the_random_colours_of_napari_stay_where_something_else_is_hidden() -> None:
    layer = Labels(np.full((2, 3, 4), 4, np.uint8), features={"index": [3, 4], "name": ["a", "b"]})
    seen = layer.get_color(4)
    put_on(layer, LabelLooks(hidden=frozenset({3})), classes_of(layer))
    np.testing.assert_allclose(layer.get_color(4), seen, atol=1 / 255)
    assert layer.get_color(3)[3] == 0


def test_looks_stay_with_the_layer_and_napari_s_own_choice_is_kept(layer: Labels) -> None:
    looks = LabelLooks(hidden=frozenset({530}))
    layer.selected_label, layer.show_selected_label = 2, True
    put_on(layer, looks, CLASSES)
    assert looks_of(layer) is looks
    assert layer.colormap.use_selection
    assert layer.colormap.selection == 2
    assert looks_of(Labels(np.zeros((2, 3, 4), np.uint8))) == LabelLooks()


def test_names_are_given_in_the_features(layer: Labels) -> None:
    layer.features = layer.features.assign(volume=[0.0, 1.5, 2.5])
    give_name(layer, 2, "left kidney")
    give_name(layer, 77, "new")
    assert names_in(layer) == {2: "left kidney", 530: "vessel", 77: "new"}
    assert layer.features["volume"].tolist()[:3] == [0.0, 1.5, 2.5]


def test_features_of_another_meaning_are_kept_beside_the_names() -> None:
    layer = Labels(np.full((2, 3, 4), 1, np.uint8), features={"area": [0.0, 17.0]})
    assert names_in(layer) == {}
    give_name(layer, 1, "cell")
    assert names_in(layer) == {1: "cell"}
    assert layer.features["area"].tolist() == [0.0, 17.0]


@pytest.mark.parametrize("highest", [65_536, 70_000, 2**32 - 1])
def test_ids_beyond_sixteen_bits_can_be_shown(highest: int) -> None:
    data = np.full((2, 3, 4), highest, np.uint32)
    looks = class_looks([LabelClass(id=highest, name="cell", color="#112233")])
    layer = Labels(data, **looks)  # napari without numba refuses colours beyond
    assert layer.get_color(highest)[3] == 1
    assert names_in(layer) == {highest: "cell"}


def test_an_eye_costs_the_same_for_any_volume(layer: Labels, monkeypatch: pytest.MonkeyPatch) -> None:
    # The voxels are looked at by the slice that is shown, not by the colours: what napari maps is counted.
    classes = [LabelClass(id=i, name=f"c{i}", color=default_color(i)) for i in range(1, 118)]
    layer = Labels(np.ones((64, 32, 32), np.uint16), **class_looks(classes))
    sizes: list[int] = []
    to_texture = DirectLabelColormap._data_to_texture
    monkeypatch.setattr(
        DirectLabelColormap, "_data_to_texture",
        lambda self, values: sizes.append(np.size(values)) or to_texture(self, values),
    )  # fmt: skip
    put_on(layer, LabelLooks(hidden=frozenset({5})), classes)
    assert sizes
    assert max(sizes) <= 32 * 32
