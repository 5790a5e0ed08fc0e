"""Form: one of the models, in a box."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtWidgets import QComboBox, QWidget

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.gui.forms.rows import narrow
from napari_vol3d.models.store import Model


class ModelBox(QComboBox):
    """Lists models by title and version; `currentIndexChanged` tells of another one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        narrow(self)
        self.models: tuple[Model, ...] = ()

    def value(self) -> Model | None:
        """Give the chosen model."""
        index = self.currentIndex()
        return self.models[index] if 0 <= index < len(self.models) else None

    def choose(self, wanted: str) -> None:
        """Choose a model by its card's name or its folder.

        Raises
        ------
        ModelProblem
            If there is none.
        """
        place = self._place(wanted)
        if place < 0:
            known = ", ".join(model.card.name for model in self.models)
            raise ModelProblem(f"No model called {wanted}.", hint=f"Known models: {known}.")
        self.setCurrentIndex(place)

    def setModels(self, models: Iterable[Model], *, choose: str = "") -> None:
        """List these; where `choose` is not among them the one that was chosen stays so, else it is the first."""
        before = self.value()
        quiet = self.blockSignals(True)
        self.models = tuple(models)
        self.clear()
        self.addItems([f"{model.card.title}  {model.card.version}" for model in self.models])
        places = (self._place(choose), self._place("" if before is None else str(before.folder)), 0)
        self.setCurrentIndex(next(place for place in places if place >= 0) if self.models else -1)
        self.blockSignals(quiet)
        now = self.value()
        if now != before:
            self.currentIndexChanged.emit(self.currentIndex())

    def _place(self, wanted: str) -> int:
        fits = (k for k, model in enumerate(self.models) if wanted in (model.card.name, str(model.folder)))
        return next(fits, -1) if wanted else -1
