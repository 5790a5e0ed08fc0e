"""A StarDist configuration is numbers in bounds, of a network whose weights are there."""

from __future__ import annotations

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.gate_stardist import check_stardist

UNET = {
    "n_rays": 96, "grid": [1, 2, 2], "unet_n_depth": 2, "unet_kernel_size": [3, 3, 3], "unet_pool": [2, 2, 2],
    "unet_n_filter_base": 32, "unet_n_conv_per_depth": 2, "unet_activation": "relu", "unet_last_activation": "relu",
    "net_conv_after_unet": 128, "n_classes": None, "unet_dropout": 0.0, "unet_prefix": "",
}  # fmt: skip
RESNET = {
    "backbone": "resnet", "n_rays": 96, "grid": [1, 2, 2], "resnet_n_blocks": 4, "resnet_kernel_size": [3, 3, 3],
    "resnet_n_filter_base": 32, "resnet_n_conv_per_block": 3, "resnet_activation": "relu", "net_conv_after_resnet": 128,
}  # fmt: skip
ENOUGH = 10**6


@pytest.mark.parametrize("config", [UNET, RESNET, {**UNET, "unet_kernel_size": 3, "unet_pool": 2, "n_classes": 2}])
def test_what_its_own_program_writes_passes(config):
    check_stardist(config, ENOUGH, "star")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unet_n_depth", 11), ("unet_n_depth", "2"), ("unet_n_depth", -1), ("unet_n_filter_base", True),
        ("unet_kernel_size", [4096] * 3), ("unet_kernel_size", [[3], 3, 3]), ("unet_pool", [2, 2]), ("n_rays", 10**9),
        ("unet_n_conv_per_depth", 1000), ("grid", [0, 1, 1]), ("n_classes", 1.5), ("unet_activation", "os.system"),
        ("unet_last_activation", {"class_name": "Lambda"}), ("backbone", ["unet"]),
    ],
)  # fmt: skip
def test_a_field_out_of_bounds_is_named(key, value):
    with pytest.raises(ModelProblem, match=key):
        check_stardist({**UNET, key: value}, ENOUGH, "star")


def test_a_field_that_is_missing_is_named():
    for key in ("unet_n_depth", "unet_activation", "grid", "n_rays"):
        with pytest.raises(ModelProblem, match=f"{key} of star is missing"):
            check_stardist({name: value for name, value in UNET.items() if name != key}, ENOUGH, "star")


def test_a_network_needs_its_weights():
    widest = 27 * 64 * 64
    check_stardist(UNET, widest, "star")
    with pytest.raises(ModelProblem, match="Declared but not stored"):
        check_stardist(UNET, widest - 1, "star")
