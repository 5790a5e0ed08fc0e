"""Inputs and outputs have one form, whichever specification they were written in."""

from __future__ import annotations

import pytest

from napari_vol3d.models.zoo.tensors import read_tensors
from tests.zoo_packages import axes_05, described_04, described_05


def one(entry, key="inputs"):
    return read_tensors({key: [entry]}, key)[0]


def test_both_specifications_say_the_same():
    old = one({"axes": "bczyx", "shape": [1, 2, 16, 16, 16], "halo": [0, 0, 4, 8, 8]}, "outputs")
    new = one({"axes": axes_05("bczyx", channels=("a", "b"), z={"halo": 4}, y={"halo": 8}, x={"halo": 8})}, "outputs")
    for tensor in (old, new):
        assert (tensor.kinds, tensor.space, tensor.channels, tensor.halo) == ("bczyx", "zyx", 2, 8)


def test_sizes_that_may_grow_are_left_open():
    axes = one({"axes": "bzyxc", "shape": {"min": [1, 8, 16, 16, 3], "step": [0, 8, 8, 8, 0]}}).axes
    assert [axis.size for axis in axes] == [1, None, None, None, 3]
    assert one(described_05()["inputs"][0]).axes[2].size is None


@pytest.mark.parametrize(
    ("names", "kept"),
    [(("T1", "FLAIR"), True), (("channel0", "channel1"), False), (("c0", "nuclei"), False), (("1", "2"), False)],
)
def test_names_that_nobody_chose_are_none(names, kept):
    assert one({"axes": axes_05("bczyx", channels=names)}).channel_names == (names if kept else ())


@pytest.mark.parametrize(
    ("unit", "scale", "spacing"),
    [("micrometer", 0.5, (0.5, "um")), ("millimeter", 1.0, (1.0, "mm")), ("nanometer", 8.0, (0.008, "um")),
     ("meter", 0.001, (1.0, "mm")), ("parsec", 1.0, None), (None, 2.0, None), ("micrometer", -1, (1.0, "um"))],
)  # fmt: skip
def test_spacing_in_the_units_of_the_house(unit, scale, spacing):
    step = {"scale": scale, "unit": unit}
    found = one({"axes": axes_05("bczyx", z=step, y=step, x=step)}).spacing()
    if spacing is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == pytest.approx((spacing[0],) * 3)
        assert found[1] == spacing[1]


def test_tests_stand_apart_before_05():
    assert read_tensors(described_04(), "inputs")[0].test == "test_input.npy"
    assert read_tensors(described_05(), "outputs")[0].test == "test_output.npy"


def test_types_limit_values():
    assert one({"axes": "bzyxc", "data_type": "uint8"}).limits == (0, 255)
    assert one({"axes": "bzyxc", "data": [{"type": "uint16"}]}).limits == (0, 65535)
    assert one({"axes": "bzyxc", "data_type": "float32"}).limits is None


@pytest.mark.parametrize("axes", [None, 5, [], ["b"], [{"type": 3}], "", "bzyxc" * 40, [{}]])
def test_nonsense_is_no_crash(axes):
    assert isinstance(one({"axes": axes, "shape": "x", "halo": {"a": 1}, "preprocessing": 7}).kinds, str)
