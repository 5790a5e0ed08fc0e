"""Make the pictures of the tools for correcting in docs/tools/: real scans, the real window, a real mouse.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/tool_pictures.py [SCENE ...]

The scans lie where tests find them: `VOL3D_DATA`, by default ../shared/data.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hands import CTRL, Person, Voxel
from qtpy.QtCore import Qt  # noqa: TID253

from napari_vol3d.gui.bench.planes import Plane

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("VOL3D_DATA") or ROOT.parent / "shared" / "data")
SCANS, HIPPOCAMPUS = DATA / "scans", DATA / "hippocampus"
TARGET = ROOT / "docs" / "tools"
PATIENT = "hippocampus_164.nii.gz"  # of those that the bundled model has never seen, the one it does worst on


def main() -> int:
    """Play the scenes that are asked for, all by default, each in windows of its own."""
    for name in sys.argv[1:] or list(SCENES):
        with tempfile.TemporaryDirectory() as made:
            os.environ["NAPARI_CONFIG"] = str(Path(made) / "settings.yaml")
            os.environ["VOL3D_JOURNALS"] = str(Path(made) / "journals")
            SCENES[name](Path(made))
    return 0


def strokes(made: Path) -> None:
    """What is done with the mouse alone, on labels that the bundled model has made (hippocampus, CC-BY-SA 4.0)."""
    with Person(HIPPOCAMPUS / "images" / PATIENT) as me:
        me.segment()
        me.read(Plane.AXIAL)
        view, ui = me.view(Plane.AXIAL), me.room.panel.ui
        me.show(me.room.panel)

        # The model has missed some of the posterior part.
        me.class_("posterior")
        me.go_to((20, 21, 30))
        me.take("BallBrush", size="4")
        with me.stroke(view, [(20, 15, 30), (20, 18, 33), (20, 22, 34)]):
            _take(me, "brush")

        # Some of what it calls anterior is posterior; nothing of the background shall change.
        me.go_to((17, 20, 24))
        me.fold("Limits")
        me.choose(ui.limits.inside, "anterior")
        me.take("BallBrush", size="3")
        with me.stroke(view, [(17, 18, 14), (17, 18, 26), (17, 18, 30)]):
            _take(me, "limits")
        me.choose(ui.limits.inside, "any class")
        me.fold("Limits")

        # A locked class stays, whatever goes over it.
        me.lock("anterior")
        me.go_to((18, 20, 24))
        with me.stroke(view, [(18, 17, 16), (18, 19, 18), (18, 18, 32)]):
            _take(me, "locks")
        me.key("z", CTRL)
        me.lock("anterior")

        me.go_to((29, 35, 20))
        me.take("Eraser", size="4")
        with me.stroke(view, [(29, 32, 14), (29, 34, 15)]):
            _take(me, "eraser")

        me.go_to((26, 29, 24))
        me.take("ThresholdBrush", size="6")
        with me.stroke(view, [(26, 28, 28), (26, 28, 23)]):
            _take(me, "threshold")

        me.go_to((14, 12, 20))
        me.key("w")
        me.key("a")
        me.point(view, (14, 12, 22))
        _take(me, "pick")
        me.click_at(view, (14, 12, 22))
        me.class_("posterior")

        me.go_to((34, 37, 18))
        me.take("Scissors")
        ring = [(34, 36.5, 10), (34, 35.5, 14), (34, 37, 17.5), (34, 41, 18), (34, 42, 13), (34, 39, 10)]
        with me.stroke(view, ring):
            _take(me, "scissors")

        # Back to a step in the middle: those after it are pale, and can be had again.
        me.take("BallBrush")
        me.go_to_step(3)
        _take(me, "history", of=[me.room.panel.ui.history])
        me.fold("Keys")
        me.scroll_to(me.room.keys)
        _take(me, "keys", of=[me.room.keys])


def computed(made: Path) -> None:
    """What is computed, and shown before it is done; on the same labels."""
    with Person(HIPPOCAMPUS / "images" / PATIENT) as me:
        me.segment()
        me.read(Plane.AXIAL)
        view = me.view(Plane.AXIAL)
        me.show(me.room.panel)
        me.class_("posterior")
        me.go_to((20, 21, 26))
        me.take("BallBrush", size="3")
        for row in range(14, 26, 4):  # a quick hand leaves steps
            me.stroke(view, [(20, row, 33), (20, row + 2, 35)]).end()
            me.stroke(view, [(20, row + 3, 18), (20, row + 3, 21)]).end()

        me.take("Smooth")
        me.preview()
        _take(me, "smooth")
        me.take("MoveEdge")
        me.choose(me.tool("MoveEdge").way, "Shrink")
        me.preview()
        _take(me, "grow_shrink")
        me.take("CopyFrom")
        me.choose(me.tool("CopyFrom").where.area, "This")
        me.preview()
        _take(me, "copy")

        me.take("Probabilities")
        me.go_to((31, 36, 20))
        me.drag_slider(me.tool("Probabilities").sliders[2], 80)
        me.preview()
        _take(me, "probabilities")


def model(made: Path) -> None:
    """The model once more, in a box: labels from elsewhere lack their end."""
    with Person(HIPPOCAMPUS / "images" / PATIENT, _without_end(made)) as me:
        me.read(Plane.SAGITTAL)
        view = me.view(Plane.SAGITTAL)
        me.viewer.layers.selection.active = me.viewer.layers[-1]
        me.show(me.room.panel)
        for now, name in (("class 1", "anterior"), ("class 2", "posterior")):  # as the model calls them
            me.rename(now, name)
        me.go_to((26, 28, 24))
        me.take("PredictHere")
        me.stroke(view, [(23, 22, 24), (44, 45, 24)]).end()
        _take(me, "predict_here")
        me.apply()
        print("predict:", me.said)


def seeds(made: Path) -> None:
    """A lung in a CT, from a few strokes (Apache-2.0)."""
    with Person(SCANS / "3DCT_lung_baseline.mha", _lung(made, lambda z: z == 112)) as me:
        me.viewer.layers.selection.active = me.viewer.layers[-1]
        me.read(Plane.AXIAL)
        view = me.view(Plane.AXIAL)
        me.show(me.room.panel)
        me.rename("class 1", "lung")
        me.go_to((64, 80, 60))
        me.take("GrowFromSeeds")
        form = me.tool("GrowFromSeeds")
        me.stroke(view, [(64, 18, 80), (64, 60, 40), (64, 100, 36), (64, 138, 60), (64, 145, 64)]).end()
        me.choose(form.kind, form.kind.itemText(1))
        me.stroke(view, [(64, 10, 44), (64, 36, 14), (64, 90, 8), (64, 140, 30), (64, 151, 74)]).end()
        me.stroke(view, [(64, 40, 100), (64, 65, 102)]).end()
        me.preview()
        _take(me, "seeds")


def slices(made: Path) -> None:
    """A lung that was drawn in every eighth slice of a CT (Apache-2.0)."""
    with Person(SCANS / "3DCT_lung_baseline.mha", _lung(made, lambda z: z % 8 == 0)) as me:
        me.viewer.layers.selection.active = me.viewer.layers[-1]
        me.read(Plane.CORONAL)
        me.show(me.room.panel)
        me.rename("class 1", "lung")
        me.go_to((60, 80, 60))
        me.take("FillBetween")
        me.choose(me.tool("FillBetween").across, "Axial")
        me.preview()
        _take(me, "fill_between")
        me.apply()
        print("fill:", me.said)
        me.read(Plane.AXIAL)
        me.click(me.tool("FillBetween").list.next)
        _take(me, "unchecked")
        me.click(me.tool("FillBetween").list.right)
        print("unchecked:", me.tool("FillBetween").list.words.text())


def cells(made: Path) -> None:
    """Nuclei of an embryo that touch, from a threshold (light sheet, MIT)."""
    with Person(*_nuclei(made)) as me:
        me.viewer.layers.selection.active = me.viewer.layers[-1]
        me.read(Plane.AXIAL)
        view = me.view(Plane.AXIAL)
        me.show(me.room.panel)
        me.go_to((60, 43, 47))

        me.take("Islands")
        me.choose(me.tool("Islands").action, "Remove")
        me.preview()
        _take(me, "islands")
        me.apply()
        print("islands:", me.said)

        me.take("SplitObject")
        me.choose(me.tool("SplitObject").way, "All")
        me.preview()
        _take(me, "split")
        me.apply()
        print("split:", me.said)

        me.take("Relabel")
        me.choose(me.tool("Relabel").deed, "Merge")
        touching = _two_touching(np.asarray(me.labels.data), 60)
        me.go_to(touching[0])
        me.zoom(view, 3)
        me.click_at(view, *touching)
        me.preview()
        _take(me, "relabel")
        me.apply()
        print("relabel:", me.said)

        me.take("Relabel")  # by a second press it is put down
        me.key(Qt.Key.Key_0, Qt.KeyboardModifier.AltModifier)
        me.wait(2)
        me.dock.reading.bench.fit()
        me.fold("Objects")
        me.scroll_to(me.room.objects)
        me.wait(30, until=lambda: me.room.objects.found is not None)
        me.point_at_row(4)
        _take(me, "objects", scrolled=True)


def kept(made: Path) -> None:
    """A journal that can't be written, and what was not saved at the next start."""
    (made / "full").write_text("")
    os.environ["VOL3D_JOURNALS"] = str(made / "full" / "journals")
    scan, labels = HIPPOCAMPUS / "images" / PATIENT, HIPPOCAMPUS / "labels" / PATIENT
    with Person(scan, labels) as me:
        _one_stroke(me)
        me.wait(3)
        _take(me, "banner")
    os.environ["VOL3D_JOURNALS"] = str(made / "journals")
    with Person(scan, labels) as me:
        _one_stroke(me)
        me.wait(2)
    with Person() as me:
        me.wait(10, until=me.dock.recover.isVisible)
        me.click(me.dock.recover.details)
        _take(me, "recover", of=[me.dock.recover])
        me.click(me.dock.recover.recover)
        me.wait(15, until=lambda: len(me.viewer.layers) > 1)
        print("recovered:", [layer.name for layer in me.viewer.layers], me.steps)


def _one_stroke(me: Person) -> None:
    me.viewer.layers.selection.active = me.viewer.layers[-1]
    me.read(Plane.AXIAL)
    me.show(me.room.panel)
    me.go_to((20, 21, 26))
    me.take("BallBrush", size="4")
    me.stroke(me.view(Plane.AXIAL), [(20, 15, 30), (20, 18, 33)]).end()


def _take(me: Person, name: str, of: object = (), *, scrolled: bool = False) -> None:
    if not of and not scrolled:
        me.scroll_to(me.room.panel)
    me.picture(TARGET / f"{name}.png", of=of)
    print(f"docs/tools/{name}.png {(TARGET / f'{name}.png').stat().st_size // 1024} KB; {me.steps[-1:]} {me.said}")


# ---- labels to begin with ------------------------------------------------------------------------------------------


def _nuclei(made: Path) -> tuple[Path, Path]:
    import tifffile
    from scipy import ndimage

    raw = tifffile.imread(DATA / "microscopy" / "c5image.tif").astype(np.float32)
    smooth = ndimage.gaussian_filter(raw, 1)
    mask = smooth > np.percentile(smooth, 93)
    paths, about = (made / "nuclei.tif", made / "nuclei labels.tif"), {"axes": "ZYX", "spacing": 0.5, "unit": "um"}
    for path, data in zip(paths, (raw, mask.astype(np.uint16)), strict=True):
        tifffile.imwrite(path, data, imagej=True, resolution=(2, 2), metadata=about)
    return paths


def _two_touching(labels: np.ndarray, z: int) -> list[Voxel]:
    """Find two objects of a slice that touch, as an eye does."""
    plane = labels[z]
    left, right = plane[:, :-1], plane[:, 1:]
    pairs = np.stack([left, right], -1)[(left != right) & (left > 0) & (right > 0)]
    smaller = [min((plane == one).sum() for one in pair) for pair in pairs]
    places = [np.argwhere(plane == one) for one in pairs[np.argmax(smaller)]]
    return [(z, *map(int, place[np.argmin(np.abs(place - place.mean(0)).sum(1))])) for place in places]


def _lung(made: Path, keep: Callable[[int], bool]) -> Path:
    return _changed(SCANS / "3DCT_lung_baseline_mask.mha", made / "lung labels.nrrd", keep=keep)


def _without_end(made: Path) -> Path:
    return _changed(HIPPOCAMPUS / "labels" / PATIENT, made / "hippocampus labels.nrrd", keep=lambda z: z < 26)


def _changed(source: Path, target: Path, *, keep: Callable[[int], bool]) -> Path:
    """Write some slices of a label map, as if the others were not drawn yet."""
    import SimpleITK

    whole = SimpleITK.ReadImage(str(source))
    drawn = SimpleITK.GetArrayFromImage(whole).astype(np.uint16)
    drawn[[z for z in range(len(drawn)) if not keep(z)]] = 0
    image = SimpleITK.GetImageFromArray(drawn)
    image.CopyInformation(whole)
    SimpleITK.WriteImage(image, str(target))
    return target


SCENES: dict[str, Callable[[Path], None]] = {
    "strokes": strokes, "computed": computed, "model": model, "seeds": seeds, "slices": slices, "cells": cells,
    "kept": kept,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
