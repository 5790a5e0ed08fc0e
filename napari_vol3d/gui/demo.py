"""The demo: what a person would do with three clicks, done for them in a real window."""

from __future__ import annotations

import sys
from pathlib import Path

import napari
from napari.layers import Labels
from qtpy.QtCore import QTimer

from napari_vol3d.core.errors import EngineProblem, FileProblem, ModelProblem, Vol3dError
from napari_vol3d.core.volume import Volume
from napari_vol3d.gui.layers import guess_labels, to_layer
from napari_vol3d.gui.region import go_to_largest
from napari_vol3d.gui.saving import save_in_background
from napari_vol3d.gui.workbench import Workbench

WINDOW_SIZE = (1360, 860)
SETTLE_MS = 4000  # the last frame is drawn, the dock laid out, and napari's first toast gone


def show(scan: Volume | None, *, model: str | None, out: Path, stay: bool) -> int:
    """Open a scan, segment it, save labels and a screenshot.

    Parameters
    ----------
    scan : Volume or None
        The scan, or None for the sample.
    stay : bool
        Whether the window stays open for the person.

    Returns
    -------
    int
        The exit code.
    """
    if scan is not None and guess_labels(scan):
        raise FileProblem(f"{scan.name} is a label map, not a scan.", hint="Give the scan that it belongs to.")
    out.mkdir(parents=True, exist_ok=True)
    viewer = napari.Viewer(title="napari-vol3d")
    viewer.window.resize(*WINDOW_SIZE)
    _, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
    demo = Demo(viewer, bench, out, stay=stay)
    if scan is None:
        viewer.open_sample("napari-vol3d", "hippocampus")
    else:
        data, keywords, _ = to_layer(scan, as_labels=False)
        viewer.add_image(data, **keywords)
    if model is not None:
        bench.segment.choose_model(model)
    QTimer.singleShot(0, demo.begin)
    napari.run()
    bench.let_go()
    if demo.problem is not None:
        raise demo.problem
    return 0


class Demo:
    """Presses Segment, waits, saves, and tells what it did."""

    def __init__(self, viewer: napari.Viewer, bench: Workbench, out: Path, *, stay: bool) -> None:
        self._viewer, self._bench, self._out, self._stay = viewer, bench, out, stay
        self.problem: Vol3dError | None = None

    def begin(self) -> None:
        """Press the button."""
        panel = self._bench.segment
        if panel.model is None:
            self._fail(ModelProblem("There is no bundled model.", hint="Install napari-vol3d again."))
            return
        panel.update_plan()  # the form follows a new layer a moment later
        panel.ui.run.click()
        if panel.job is None:
            self._fail(EngineProblem("Segment could not be started.", hint=panel.ui.run.toolTip()))
            return
        panel.job.succeeded.connect(self._segmented)
        panel.job.failed.connect(self._fail)

    def _segmented(self, prediction: object) -> None:
        # The panel's own slot has run first: its layer is there, and selected.
        layer = self._viewer.layers.selection.active
        if isinstance(layer, Labels):
            go_to_largest(self._viewer, layer)
            target = self._out / f"{layer.name.replace(' ', '_')}.nii.gz"
            job = save_in_background(self._bench, layer, target, self._bench.segment.ui.say)
            job.succeeded.connect(self._saved)
            job.failed.connect(self._fail)

    def _saved(self, target: Path) -> None:
        self._target = target
        QTimer.singleShot(SETTLE_MS, self._finish)

    def _finish(self) -> None:
        picture = self._out / "window.png"
        self._viewer.window.screenshot(str(picture), flash=False)
        amounts = self._bench.segment.summary
        sys.stdout.write(
            f"segmented: {amounts}\nlabels:     {self._target}\nscreenshot: {picture}\n"
        )
        sys.stdout.flush()
        if not self._stay:
            self._viewer.close()

    def _fail(self, problem: Vol3dError) -> None:
        self.problem = problem
        if not self._stay:
            self._viewer.close()

