"""The patch that goes with a package: made up, always the same, of a size that its network takes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.models.zoo.sample import PIXELS, cover, sample_input, sample_shape, told_halo
from tests.builders import make_card


def card_of(tmp_path, **changes):
    (tmp_path / "model.keras").write_bytes(b"weights")
    return make_card(tmp_path / "model.keras", **changes)


@pytest.mark.parametrize(
    ("multiple", "halo", "edge", "told"), [(1, 0, 32, 0), (8, 16, 40, 16), (16, 46, 96, 46), (1, 48, 32, 0)]
)
def test_sizes(tmp_path, multiple, halo, edge, told):
    card = card_of(tmp_path, input={"multiple": multiple}, inference={"halo": halo})
    assert sample_shape(card) == (edge,) * 3
    assert told_halo(card) == told
    assert edge % multiple == 0
    assert edge > 2 * told


def test_one_size_only(tmp_path):
    card = card_of(tmp_path, input={"fixed": True, "patch_size": (20, 16, 24)}, inference={"halo": 8})
    assert sample_shape(card) == (20, 16, 24)
    assert told_halo(card) == 0


def test_it_is_the_same_each_time_and_has_an_object(tmp_path):
    card = card_of(tmp_path, input={"channels": ("a", "b")})
    patch = sample_input(card)
    assert patch.shape == (*sample_shape(card), 2)
    assert patch.dtype == np.float32
    np.testing.assert_array_equal(patch, sample_input(card))
    assert patch.min() == 0
    assert not np.array_equal(patch[..., 0], patch[..., 1])


def test_it_fills_a_window(tmp_path):
    window = IntensityScheme(kind="window", lower=-500, upper=700)
    patch = sample_input(card_of(tmp_path, input={"intensity": window}))
    assert (patch.min(), patch.max()) == (-500, 700)


@pytest.mark.parametrize("activation", ["none", "sigmoid"])
def test_the_picture_shows_the_classes_beside_the_scan(tmp_path, activation):
    card = card_of(tmp_path, output={"activation": activation})
    patch = sample_input(card)
    scores = np.zeros((*patch.shape[:3], 2 + (activation != "sigmoid")), np.float32)
    scores[5, :16, :, -1] = 1  # the last class in the upper half of one slice
    with Image.open(io.BytesIO(cover(card, patch, scores))) as image:
        pixels = np.asarray(image).astype(int)
    assert pixels.shape == (PIXELS, 2 * PIXELS, 3)
    left, right = pixels[:, :PIXELS], pixels[:, PIXELS:]
    assert (left == left[..., :1]).all()
    np.testing.assert_array_equal(left[PIXELS // 2 :], right[PIXELS // 2 :])
    hue = right[: PIXELS // 2] - 0.4 * left[: PIXELS // 2]
    wanted = [0.6 * int(card.output.classes[-1].color[i : i + 2], 16) for i in (1, 3, 5)]
    np.testing.assert_allclose(hue, np.broadcast_to(wanted, hue.shape), atol=1.5)
