"""Make the pictures of the reading bench in docs/ from scans whose licences allow it.

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/pictures.py [NAME ...]

The scans lie where tests find them: `VOL3D_DATA`, by default ../shared/data.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("VOL3D_DATA") or ROOT.parent / "shared" / "data")
WINDOW = (1500, 950)


def main() -> int:
    """Make the pictures that are asked for, all by default, each in a window of its own."""
    wanted = sys.argv[1:] or list(PICTURES)
    with tempfile.TemporaryDirectory() as settings:
        os.environ["NAPARI_CONFIG"] = str(Path(settings) / "settings.yaml")
        for name in wanted:
            PICTURES[name](ROOT / "docs" / f"reading_{name}.png")
            sys.stdout.write(f"docs/reading_{name}.png\n")
    return 0


def mr(target: Path) -> None:
    """A head, MR T1, with grey and white matter (brainchop, MIT)."""
    scans, expected = DATA / "scans", DATA / "models" / "expected"
    labels = next(path for path in sorted(expected.iterdir()) if "gwm" in path.name)
    with Stage([scans / "t1_crop.nii.gz", labels]) as stage:
        stage.room.bench.go_to([p + d for p, d in zip(stage.room.bench.point, (14, -8, 16), strict=True)])
        stage.take(target)


def ct(target: Path) -> None:
    """A chest, CT, in the lung window, with its mask (Apache-2.0)."""
    scans = DATA / "scans"
    with Stage([scans / "3DCT_lung_baseline.mha", scans / "3DCT_lung_baseline_mask.mha"]) as stage:
        presets = stage.room.grey.form.preset
        presets.setCurrentIndex(presets.findText("lung", _contains()))
        presets.activated.emit(presets.currentIndex())
        stage.viewer.layers[-1].contour = 1
        stage.room.bench.go_to([p + d for p, d in zip(stage.room.bench.point, (10, 0, 45), strict=True)])
        stage.take(target)


def microscopy(target: Path) -> None:
    """A mouse embryo, two channels: nuclei and their regions (MIT)."""
    import tifffile

    folder = DATA / "microscopy" / "nuclei_8cell"
    names = sorted(folder.glob("*.tif"))
    raw, regions = (tifffile.imread(next(n for n in names if kind in n.stem)) for kind in ("raw", "nsn"))
    both = np.stack([raw, (regions > 0).astype(raw.dtype) * raw.max()], axis=1)
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "embryo.ome.tif"
        tifffile.imwrite(path, both, metadata={
            "axes": "ZCYX", "Channel": {"Name": ["nuclei", "regions"]}, "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 1.09, "PhysicalSizeZUnit": "µm",
        })  # fmt: skip
        with Stage([path]) as stage:
            stage.room.images.channels.click()
            stage.viewer.reset_view()
            stage.take(target)


def em(target: Path) -> None:
    """Serial sections of a fly's brain, electron microscopy (MIT)."""
    with tempfile.TemporaryDirectory() as made:
        slices = Path(made) / "sections"
        slices.mkdir()
        for path in (DATA / "microscopy" / "em_slices").glob("image_*.png"):
            (slices / path.name).symlink_to(path.resolve())
        with Stage([slices]) as stage:
            stage.take(target)


PICTURES: dict[str, Callable[[Path], None]] = {"mr": mr, "ct": ct, "microscopy": microscopy, "em": em}


class Stage:
    """A window with scans in it and the bench open."""

    def __init__(self, paths: list[Path]) -> None:
        import napari

        from napari_vol3d.gui.hooks import get_reader

        self.viewer = napari.Viewer(title="napari-vol3d")
        self.viewer.window.resize(*WINDOW)
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
        self.dock.consent.hide()
        self.room = self.dock.reading
        for path in paths:
            there = len(self.viewer.layers)
            read = get_reader(str(path))
            if read is None:
                raise FileNotFoundError(path)
            for layer in read(str(path)):
                if layer[0] is not None:
                    getattr(self.viewer, f"add_{layer[2]}")(layer[0], **layer[1])
            self.wait(60, until=lambda before=there: len(self.viewer.layers) > before)
        self.dock.tabs.setCurrentIndex(1)
        self.viewer.layers.selection.active = self.viewer.layers[0]
        self.room.bench.show_only(None)

    def __enter__(self) -> Stage:
        self.wait(3)
        return self

    def __exit__(self, *_: object) -> None:
        self.dock.let_go()
        self.viewer.close()
        self.wait(1)

    def take(self, target: Path) -> None:
        """Wait until all is drawn, and take the picture."""
        from PIL import Image

        self.wait(10)
        self.viewer.window.screenshot(str(target), flash=False)
        with Image.open(target) as picture:
            picture.convert("RGB").save(target, optimize=True)

    def wait(self, seconds: float, until: Callable[[], bool] = bool) -> None:
        """Let the window live for a while, or until something has come."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            QApplication.processEvents()
            time.sleep(0.005)


def _contains() -> object:
    from qtpy.QtCore import Qt

    return Qt.MatchFlag.MatchContains


if __name__ == "__main__":
    sys.exit(main())
