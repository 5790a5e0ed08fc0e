"""What Keras 2 described is described by names alone."""

from __future__ import annotations

import pytest

from napari_vol3d.io.network_files.keras2_config import before_keras_3, plainly


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ({"module": "keras.layers", "class_name": "Conv3D", "config": {"a": 1}, "registered_name": None, "name": "x"},
         {"class_name": "Conv3D", "config": {"a": 1}, "name": "x"}),
        ({"class_name": "GroupNormalization", "config": {}, "registered_name": "Addons>GroupNormalization"},
         {"class_name": "Addons>GroupNormalization", "config": {}}),
        ({"activation": {"module": "builtins", "class_name": "function", "config": "relu"}}, {"activation": "relu"}),
        ({"dtype": {"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "mixed_float16"}}},
         {"dtype": "mixed_float16"}),
        ({"class_name": "Lambda", "config": {"function": ["code"]}},
         {"class_name": "Lambda", "config": {"function": ["code"]}}),
    ],
)  # fmt: skip
def test_modules_go_and_names_stay(written, plain):
    assert plainly([written]) == [plain]
    assert plainly(plain) == plain


def test_keras_2_is_told_by_its_version():
    assert all(map(before_keras_3, ["2.15.0", "2.1.6-tf", "1.2", "", None]))
    assert not any(map(before_keras_3, ["3.0.5", "03.1"]))
