"""What a layer says of itself is what it was told, also after a journal, and after a later version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, StoredGrid, Volume
from napari_vol3d.review.about import About
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer

NUMBERS = st.floats(-1e6, 1e6)
FLIPS = st.tuples(st.booleans(), st.booleans(), st.booleans())
CLASSES = st.lists(st.builds(LabelClass, id=st.integers(1, 2**32 - 1), name=st.text(), color=st.just("#12ab9f")))


def volume(**more: object) -> Volume:
    geometry = Geometry(
        affine=np.diag([2.0, 0.5, 1 / 3, 1]), anatomical=True, stored=StoredGrid(axes=(2, 0, 1), header={"x": b"y"})
    )
    return Volume(data=np.zeros((2, 3, 4), np.uint16), geometry=geometry, **more)


@given(arrays(np.float64, (4, 4), elements=NUMBERS), st.permutations(range(3)), FLIPS, CLASSES, st.booleans())
def test_it_reads_back_what_was_said(affine: np.ndarray, axes: list, flips: tuple, classes: list, timed: bool) -> None:
    geometry = Geometry(affine=affine, unit="um", stored=StoredGrid(axes=tuple(axes), flips=flips))
    said = About(source=Path("a ü.nii.gz"), geometry=geometry, classes=tuple(classes), model="ab", timed=timed)
    again = About.read(said.plain())
    assert (again.classes, again.model, again.timed) == (said.classes, "ab", timed)
    assert again.source == Path("a ü.nii.gz").absolute()  # the next program starts in another folder
    assert again.geometry is not None
    assert again.geometry.affine.tobytes() == affine.tobytes()
    assert again.geometry.stored == geometry.stored
    assert (again.geometry.unit, again.geometry.anatomical) == ("um", False)


def test_a_journal_keeps_it(tmp_path: Path) -> None:
    labels = volume(source=tmp_path / "scan.nii", classes=(LabelClass(id=3, name="CA 1", color="#ff0000"),))
    layer = Layer.of(labels.data, scan="ab" * 32, name="labels", about=About.of(labels, model="m").plain())
    Journal.open(tmp_path / "a").add_layer(layer)
    (found,) = Journal.open(tmp_path / "a").layers()
    assert found == layer
    about = About.read(found.about)
    assert (about.source, about.classes, about.model) == (tmp_path / "scan.nii", labels.classes, "m")
    assert about.geometry is not None
    assert about.geometry.matches(labels.geometry)
    assert about.geometry.orientation == labels.geometry.orientation


def test_what_was_not_said_is_not_made_up() -> None:
    about = About.read({})
    assert (about.source, about.geometry, about.classes, about.model, about.timed) == (None, None, (), "", False)
    assert About.read({**about.plain(), "of a later version": 1}).plain() == about.plain()
