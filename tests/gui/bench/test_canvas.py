"""What is dropped on a canvas of ours is opened by the viewer."""

from __future__ import annotations

from pathlib import Path

import pytest
from napari import Viewer
from napari.layers import Image
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from tests.builders import phantom, save_nifti
from tests.gui.bench.conftest import opened, settle, view_of


def drop_on(view: View, path: Path) -> bool:
    """Drag a file onto a view and drop it, as a file manager does; gives whether the view took it."""
    mime, canvas = QMimeData(), view.qt_viewer
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    middle: QPoint = canvas.rect().center()
    enters = QDragEnterEvent(middle, *how)
    QApplication.sendEvent(canvas, enters)
    QApplication.sendEvent(canvas, QDropEvent(QPointF(middle), *how))
    settle()
    return enters.isAccepted()


@pytest.mark.parametrize("plane", [Plane.SAGITTAL, Plane.VOLUME])
def test_a_dropped_file_is_a_layer_of_the_viewer(
    viewer: Viewer, views: Bench, scan: Image, tmp_path: Path, plane: Plane
) -> None:
    """And so it is shown in all views, the one that it was dropped on among them."""
    opened(views)
    path = save_nifti(tmp_path / "dropped.nii.gz", phantom()[0])
    view = view_of(views, plane)
    assert drop_on(view, path)
    assert [layer.name for layer in viewer.layers] == ["scan", "dropped"]
    layer = viewer.layers["dropped"]
    assert layer.data.shape == phantom()[0].shape
    assert all(layer in other.twins for other in views.views[1:])
    assert view.shows(layer) in view.model.layers
