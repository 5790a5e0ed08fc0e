"""Older versions of the case that is open: looked at, compared, put back."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_vol3d.core.disagreement import disagreement_classes, disagreement_labels
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.forms.version_list import VersionList
from napari_vol3d.gui.layers import labels_layer, to_volume
from napari_vol3d.gui.review.judging import Judging
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.showing import Shown, look_at
from napari_vol3d.review.project.accepting import labels_of_version, versions_of
from napari_vol3d.review.project.records import Version

MADE_HERE = "napari-vol3d version"  # in the metadata of a layer that shows one


class Versions(QObject):
    """Joins the list of versions with the session."""

    def __init__(self, session: Session, judging: Judging, form: VersionList, desk: Desk) -> None:
        super().__init__(judging)
        self._session, self._judging, self._form, self._desk = session, judging, form, desk
        self._signals = (
            (session.changed, self.refresh), (judging.versionsChanged, self.refresh),
            (form.lookRequested, self._look), (form.compareRequested, self._compare),
            (form.restoreRequested, self._restore),
        )  # fmt: skip
        for signal, slot in self._signals:
            signal.connect(slot)

    def let_go(self) -> None:
        """Stop, and show none."""
        for signal, slot in self._signals:
            signal.disconnect(slot)
        self._form.setValue(())

    def refresh(self) -> None:
        """List the versions of what is open."""
        session, shown = self._session, self._session.shown
        if shown is None:
            self._form.setValue(())
            return
        reading = shown.loaded.row.reading.key
        self._form.set_why_not("" if shown.record is not None else "Somebody else has this case open.")
        session.clerk.do(partial(_versions, session, reading), partial(self._show, reading))

    def _show(self, reading: str, found: tuple[tuple[Version, ...], str | None]) -> None:
        shown = self._session.shown
        if shown is not None and shown.loaded.row.reading.key == reading:
            names = {item.id: item.name for item in shown.loaded.classes}
            self._form.setValue(found[0], accepted=found[1], names=names)

    def _read(self, key: str, then: Any) -> None:
        session, shown = self._session, self._session.shown
        version = next((one for one in self._form.value() if one.key == key), None)
        if shown is not None and version is not None:
            session.clerk.do(partial(labels_of_version, session.project, key), partial(then, shown, version))

    def _look(self, key: str) -> None:
        self._read(key, self._on_look)

    def _compare(self, key: str) -> None:
        self._read(key, self._on_compare)

    def _restore(self, key: str) -> None:
        self._read(key, self._on_restore)

    def _on_look(self, shown: Shown, version: Version, labels: NDArray[Any]) -> None:
        name = f"{shown.loaded.row.case.name} version {version.number}"
        why = f"{name} is only looked at: Restore puts it in the place of the labels."
        self._add(shown, labels, shown.loaded.classes, name, why)

    def _on_compare(self, shown: Shown, version: Version, labels: NDArray[Any]) -> None:
        if labels.shape != shown.labels.data.shape:
            return
        name = f"{shown.loaded.row.case.name} against version {version.number}"
        differs = disagreement_labels(labels, shown.labels.data)
        count = int(np.count_nonzero(differs))
        self._judging.said.emit(f"{count:,} voxels differ from version {version.number}." if count else
                                f"The labels are those of version {version.number}.")  # fmt: skip
        classes = disagreement_classes(f"version {version.number}", "now")
        if count:
            self._add(shown, differs, classes, name, f"{name} is only looked at.")

    def _on_restore(self, shown: Shown, version: Version, labels: NDArray[Any]) -> None:
        if shown is self._session.shown:
            self._judging.restore(labels, f"Restore version {version.number}")

    def _add(
        self, shown: Shown, labels: NDArray[Any], classes: tuple[LabelClass, ...], name: str, why: str
    ) -> None:  # fmt: skip
        if shown is not self._session.shown:  # another case by now
            return
        viewer = self._desk.viewer
        for old in [layer for layer in shown.extra if MADE_HERE in layer.metadata]:  # they would lie over each other
            shown.extra.remove(old)
            if old in viewer.layers:
                viewer.layers.remove(old)
        image = shown.images[0]
        layer = labels_layer(labels, to_volume(image), classes, name=name, model="", like=image)
        layer.metadata[MADE_HERE] = True
        look_at(shown, viewer, layer, why)


def _versions(session: Session, reading: str) -> tuple[tuple[Version, ...], str | None]:
    return versions_of(session.project, reading), session.project.reading(reading).version
